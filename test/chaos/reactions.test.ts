import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { live, type Tale } from './reactions-fleet.ts';

/**
 * Many fleets for days of virtual time. Every run draws others; a fleet that goes wrong is named by its seed. Repeat a run with
 * CLUSTERSET_SEED; live through more fleets with CLUSTERSET_FLEETS.
 */
const fleets = Number(process.env.CLUSTERSET_FLEETS ?? 240);
const seed = Number(process.env.CLUSTERSET_SEED ?? Math.floor(Math.random() * 2 ** 30));

const sum = (tales: readonly Tale[], of: (tale: Tale) => number): number => tales.reduce((total, tale) => total + of(tale), 0);

describe(`fleets drawn with seed ${seed}`, () => {
  it('keep their budgets, lose nothing and come home, whatever happens', () => {
    const tales: Tale[] = [];
    const broken: string[] = [];
    for (let index = 0; index < fleets; index += 1) {
      const tale = live(seed + index);
      tales.push(tale);
      broken.push(...tale.broken.map((each) => `fleet ${seed + index}: ${each}`));
    }
    const longest = tales.reduce((most, tale) => Math.max(most, tale.longestRecovery), 0);
    const slowest = seed + tales.findIndex(({ longestRecovery }) => longestRecovery === longest);
    process.stdout.write(
      `${[
        `reactions: ${fleets} fleets of ${sum(tales, (tale) => tale.clusters)} clusters, ${sum(tales, (tale) => tale.days)} days`,
        `${sum(tales, (tale) => tale.events)} events, ${sum(tales, (tale) => tale.calls)} looks, ${sum(tales, (tale) => tale.cutOff)} of them cut off`,
        `${sum(tales, (tale) => tale.givenUp)} clusters given up, ${sum(tales, (tale) => tale.capped)} capped`,
        `${sum(tales, (tale) => tale.steps)} steps, ${sum(tales, (tale) => tale.moved)} replicas started`,
        `longest shortage with room elsewhere: ${Math.round(longest / 60_000)} minutes (fleet ${slowest})`,
      ].join('\n  ')}\n`,
    );
    expect(broken.slice(0, 10)).toEqual([]);
  });
});
