import process from 'node:process';
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { seededRandom } from '../../src/testing/random.ts';
import { story } from './propagation/story.ts';
import { Teller } from './propagation/teller.ts';

/**
 * Many worlds in which replicas of the propagation controller live and die while objects change and clusters fail. Every run draws others; a run that
 * fails prints its seed and path, and the shortest story that fails. Repeat one with CLUSTERSET_SEED; run more with CLUSTERSET_WORLDS.
 */
const worlds = Number(process.env.CLUSTERSET_WORLDS ?? 200);
const seed = Number(process.env.CLUSTERSET_SEED ?? Math.floor(Math.random() * 2 ** 31));

describe(`in worlds drawn with seed ${seed}`, () => {
  const settings = {
    seed,
    numRuns: worlds,
    interruptAfterTimeLimit: 540_000,
    markInterruptAsFailure: true,
    includeErrorInReport: true,
  };

  it('members become what the host says where one of several replicas leads, and nobody else ever writes', async () => {
    const told = fc.asyncProperty(story, fc.integer(), (events, chance) => Teller.tell(events, seededRandom(chance)));
    await fc.assert(told, settings);
  });
});
