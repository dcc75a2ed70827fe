import fc from 'fast-check';
import { describe, it } from 'vitest';
import { come, deletion, divide, story, trouble, turns } from './random.ts';

describe('whatever happens', () => {
  it('everything is as it should be in the end, and stays so without a write', async () => {
    await fc.assert(fc.asyncProperty(story(deletion), come), { seed: 1, numRuns: 15, endOnFailure: true });
  });

  it('everything is as it should be in the end, though objects are deleted while members are out of reach', async () => {
    await fc.assert(fc.asyncProperty(story(deletion, trouble), come), { seed: 3, numRuns: 15, endOnFailure: true });
  });

  it('replicas are divided as from scratch in the end', async () => {
    await fc.assert(fc.asyncProperty(turns, divide), { seed: 4, numRuns: 15, endOnFailure: true });
  });
});
