import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Heap, type HeapEntry } from '../../../../src/runtime/queue/heap.ts';

interface Entry extends HeapEntry {
  readonly rank: number;
}

describe('a heap', () => {
  it('gives its entries in order, whichever were taken out of the middle meanwhile', () => {
    const steps = fc.array(
      fc.oneof(
        { weight: 3, arbitrary: fc.record({ op: fc.constant('push' as const), value: fc.integer({ min: 0, max: 50 }) }) },
        { weight: 1, arbitrary: fc.record({ op: fc.constant('remove' as const), value: fc.nat(200) }) },
        { weight: 1, arbitrary: fc.record({ op: fc.constant('pop' as const), value: fc.constant(0) }) },
      ),
      { maxLength: 120, size: 'max' },
    );
    fc.assert(
      fc.property(steps, (sequence) => {
        const heap = new Heap<Entry>((a, b) => a.rank < b.rank);
        let naive: Entry[] = [];
        for (const { op, value } of sequence) {
          if (op === 'push') {
            const entry = { rank: value, at: -1 };
            naive.push(entry);
            heap.push(entry);
          } else {
            const entry = op === 'pop' ? heap.pop() : naive[value % Math.max(1, naive.length)];
            if (op === 'pop') expect(entry?.rank ?? Number.POSITIVE_INFINITY).toBe(Math.min(...naive.map(({ rank }) => rank)));
            if (op === 'remove' && entry !== undefined) heap.remove(entry);
            if (entry !== undefined) expect(entry.at).toBe(-1);
            naive = naive.filter((each) => each !== entry);
          }
          expect(heap.size).toBe(naive.length);
        }
        const rest = Array.from({ length: naive.length }, () => heap.pop()?.rank);
        expect(rest).toEqual(naive.map(({ rank }) => rank).toSorted((a, b) => a - b));
        expect([heap.pop(), heap.top]).toEqual([undefined, undefined]);
      }),
      { numRuns: 300 },
    );
  });

  it('does nothing for an entry that is not in it', () => {
    const heap = new Heap<Entry>((a, b) => a.rank < b.rank);
    const inside = { rank: 1, at: -1 };
    heap.push(inside);
    heap.remove({ rank: 1, at: 0 });
    heap.remove({ rank: 1, at: -1 });
    expect([heap.size, heap.top]).toEqual([1, inside]);
  });
});
