import process from 'node:process';
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { come, deletion, divide, story, trouble, turns } from '../unit/controllers/random.ts';

/**
 * Many worlds in which many things happen. Every run draws others; a run that fails prints its seed and path, and the shortest story that
 * fails. Repeat one with CLUSTERSET_SEED; run more with CLUSTERSET_WORLDS.
 */
const worlds = Number(process.env.CLUSTERSET_WORLDS ?? 200);
const seed = Number(process.env.CLUSTERSET_SEED ?? Math.floor(Math.random() * 2 ** 31));

describe(`in worlds drawn with seed ${seed}`, () => {
  const settings = { seed, numRuns: worlds, interruptAfterTimeLimit: 540_000, markInterruptAsFailure: true };

  it('members become what the host says, whatever is changed, deleted or restarted', async () => {
    await fc.assert(fc.asyncProperty(story(deletion), come), settings);
  });

  it('members become what the host says, though they were out of reach', async () => {
    await fc.assert(fc.asyncProperty(story(deletion, trouble), come), settings);
  });

  it('replicas end divided as from scratch, though members were out of reach', async () => {
    await fc.assert(fc.asyncProperty(turns, divide), settings);
  });
});
