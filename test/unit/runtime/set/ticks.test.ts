import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { untilTick } from '../../../../src/runtime/set/attend.ts';

describe('the next look at a member', () => {
  it.each([
    ['a wait that ends at a tick', 0, 10_000, 10_000],
    ['a wait that ends between two', 130, 10_000, 9870],
    ['a wait with chance in it', 1000, 9_123, 9000],
    ['a short wait', 130, 1_000, 1_000],
  ])('%s', (_, now, ms, expected) => {
    expect(untilTick(now, ms)).toBe(expected);
  });

  it('is at a tick, at most a quarter of a second early, and never late', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), fc.integer({ min: 2500, max: 600_000 }), (now, ms) => {
        const wait = untilTick(now, ms);
        expect(wait).toBeLessThanOrEqual(ms + 1e-6);
        expect(wait).toBeGreaterThan(ms - 250 - 1e-6);
        expect(Math.abs((now + wait) / 250 - Math.round((now + wait) / 250))).toBeLessThan(1e-6);
      }),
    );
  });
});
