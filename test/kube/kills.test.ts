/**
 * Processes are killed in the middle of a propagation, again and again, and started again: what was wished for comes true. What happens in which
 * round is a pure function of the seed; how far a process is when it dies is not. Environment variables:
 *
 * - `CLUSTERSET_ROUNDS`: how often each of them is killed. Default 10.
 * - `CLUSTERSET_SEED`: repeats what was drawn. Default: another each time.
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import type { AnyObject } from 'clusterset/kube';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Arrivals } from './kills/arrivals.ts';
import { differences, takePicture, versionsOf } from './kills/differences.ts';
import { Fleet, pause, untilTrue, type Victim } from './kills/fleet.ts';
import { drawWave, type Wish } from './kills/waves.ts';

const number = (name: string, fallback: number): number => Number(process.env[name] ?? '') || fallback;

const ROUNDS = number('CLUSTERSET_ROUNDS', 10);
const SEED = number('CLUSTERSET_SEED', Math.floor(Math.random() * 2 ** 31));
const VICTIMS: readonly Victim[] = [
  'controller',
  "member's kube-apiserver",
  "member's etcd",
  "host's kube-apiserver",
  "host's etcd",
];
const PATIENCE_MS = 120_000;
const QUIET_MS = 2_000;
const POLL_MS = 250;
const COUNT_MS = 5;
const SLOW_MS = 15_000;
const MOST_SHOWN = 10;
const LINES_OF_LOG = 60;

const secondsFrom = (from: number, to: number): string => `${((to - from) / 1000).toFixed(1)} s`;

describe(`what is killed in the middle of a propagation, with seed ${SEED}`, () => {
  let fleet: Fleet;
  let foreign: readonly AnyObject[] = [];
  let wishes: ReadonlyMap<string, Wish> = new Map();
  let round = 0;
  let isBroken = false;
  /** What came of each round. */
  const told: string[] = [];

  beforeAll(async () => {
    fleet = await Fleet.start();
    foreign = await fleet.furnish();
  });

  afterAll(async () => {
    await fleet?.stop();
    const restarted = `API servers that did not come back by themselves after their etcd had: ${fleet?.restarted}`;
    process.stdout.write(`${[`seed ${SEED}`, ...told, restarted].join('\n')}\n`);
  });

  /** Waits until all is as it was wished for; returns what isn't. Whatever takes long is told of. */
  async function converge(): Promise<readonly string[]> {
    let left: readonly string[] = ['nobody has answered'];
    let next = performance.now() + SLOW_MS;
    await untilTrue(
      async () => {
        left = await takePicture(fleet).then(
          (picture) => differences(picture, wishes, foreign),
          (error) => [String(error)],
        );
        if (performance.now() > next) {
          next += SLOW_MS;
          told.push(`  not yet: ${left.length}, as ${left.slice(0, 3).join('; ')}`);
        }
        return left.length === 0;
      },
      PATIENCE_MS,
      POLL_MS,
    );
    return left;
  }

  async function play(victim: Victim): Promise<void> {
    const wave = drawWave(SEED, round, wishes);
    round += 1;
    const [first] = fleet.members;
    if (first === undefined) throw new TypeError('there are members');
    const counted = victim.startsWith('member') ? [first] : fleet.members;
    const arrivals = await Arrivals.of(wave, counted);
    const writing = fleet.carryOut(wave.acts, AbortSignal.timeout(2 * PATIENCE_MS));
    writing.catch(() => undefined);
    const isUnderWay = await untilTrue(async () => arrivals.has(wave.killAt), PATIENCE_MS, COUNT_MS);
    const { arrived, total } = arrivals;
    await Promise.all([fleet.kill(victim), arrivals.stop()]);
    expect({ isUnderWay, isOver: arrived >= total }).toEqual({ isUnderWay: true, isOver: false });
    await pause(wave.awayMs);
    const began = performance.now();
    await fleet.restart(victim);
    const back = performance.now();
    await writing;
    ({ wishes } = wave);
    const left = await converge();
    const times = `back after ${secondsFrom(began, back)}, converged after ${secondsFrom(back, performance.now())}`;
    const line = `${wave.kind}, killed when ${arrived} of ${total} had arrived, away for ${wave.awayMs} ms, ${times}`;
    told.push(`${victim}: ${line}`);
    const shown = { left: left.slice(0, MOST_SHOWN), more: Math.max(0, left.length - MOST_SHOWN) };
    expect({ line, ...shown }).toEqual({ line, left: [], more: 0 });
    const before = versionsOf(await takePicture(fleet));
    await pause(QUIET_MS);
    expect(versionsOf(await takePicture(fleet))).toEqual(before);
    expect(fleet.isControllerRunning).toBe(true);
  }

  // One after the other, so that a controller lives through one death of each, and has no more to make up for.
  describe.each(Array.from({ length: ROUNDS }, (_, index) => index + 1))('round %i', () => {
    it.for(VICTIMS)(
      '%s is killed: everything converges, and nothing is lost',
      { timeout: 2 * PATIENCE_MS + 60_000 },
      async (victim, { skip }) => {
        skip(isBroken, 'an earlier round has not converged');
        isBroken = true;
        try {
          await play(victim);
          isBroken = false;
        } finally {
          if (isBroken) process.stdout.write(readFileSync(fleet.log, 'utf8').split('\n').slice(-LINES_OF_LOG).join('\n'));
        }
      },
    );
  });
});
