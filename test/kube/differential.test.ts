/**
 * Random sequences of requests to an offline cluster and to a real API server, which must answer the same. Every sequence is a pure function of
 * its seed. Environment variables, for long runs and for repeating one:
 *
 * - `CLUSTERSET_SEQUENCES`: how many sequences. Default 200.
 * - `CLUSTERSET_SEED`: the seed of the first; the others count on from there. Default 1.
 * - `CLUSTERSET_STEPS`: how many requests each has. Default 20.
 */
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sequenceOf } from './differential/generator.ts';
import { reportOf } from './differential/report.ts';
import { compare, type Mismatch, shrink } from './differential/run.ts';
import { offlineServer, realServer } from './differential/servers.ts';
import type { Server } from './differential/side.ts';
import type { Step } from './differential/step.ts';
import { type ControlPlanes, startControlPlanes } from './harness/control-planes.ts';

const number = (name: string, fallback: number): number => Number(process.env[name] ?? '') || fallback;

const SEQUENCES = number('CLUSTERSET_SEQUENCES', 200);
const SEED = number('CLUSTERSET_SEED', 1);
const STEPS = number('CLUSTERSET_STEPS', 20);
/** Sequences that run at the same time; each has a namespace of its own. */
const AT_ONCE = 6;
const MOST_REPORTS = 5;
const MS_PER_SEQUENCE = 2000;

interface Found {
  readonly seed: number;
  readonly steps: readonly Step[];
  readonly mismatch: Mismatch;
}

describe('an offline cluster and a real API server', () => {
  let planes: ControlPlanes;
  let real: Server & { close(): void };
  let runs = 0;

  beforeAll(async () => {
    planes = await startControlPlanes([{ name: 'real' }]);
    real = await realServer(planes.kubeconfig);
  });

  afterAll(async () => {
    real?.close();
    await planes?.stop();
  });

  const play = (steps: readonly Step[]): Promise<Mismatch | undefined> => {
    runs += 1;
    return compare(steps, offlineServer, real, `r${runs.toString(36)}z`);
  };

  it(`answer ${SEQUENCES} sequences of ${STEPS} requests from seed ${SEED} on the same`, {
    timeout: 120_000 + SEQUENCES * MS_PER_SEQUENCE,
  }, async () => {
    const found: Found[] = [];
    let next = SEED;
    const work = async (): Promise<void> => {
      while (next < SEED + SEQUENCES) {
        const seed = next;
        next += 1;
        const steps = sequenceOf(seed, STEPS);
        const mismatch = await play(steps);
        if (mismatch !== undefined) found.push({ seed, steps, mismatch });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    const reports: string[] = [];
    for (const { seed, steps, mismatch } of found.toSorted((a, b) => a.seed - b.seed).slice(0, MOST_REPORTS)) {
      const least = await shrink(steps, mismatch, play);
      reports.push(reportOf(seed, least.steps, least.mismatch));
    }
    expect(found.length, `${found.length} sequences differ\n${reports.join('\n\n')}`).toBe(0);
  });
});
