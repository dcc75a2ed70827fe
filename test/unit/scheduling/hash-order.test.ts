import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashOrder } from '../../../src/scheduling/kubefed/hash-order.ts';

/** FNV-1 as its authors write it, in whole numbers of any size. */
function hashOf(text: string): bigint {
  let hash = 0x811c9dc5n;
  for (const byte of new TextEncoder().encode(text)) hash = ((hash * 0x01000193n) & 0xffffffffn) ^ BigInt(byte);
  return hash;
}

function sorted(names: readonly string[], key: string): number[] {
  const ranked = names.map((name, index) => ({ index, hash: hashOf(`${name}${key}`) }));
  return ranked.sort((a, b) => Number(a.hash - b.hash) || a.index - b.index).map(({ index }) => index);
}

describe('hashOrder', () => {
  it('is the order of FNV-1, equal hashes as they came, whatever the names', () => {
    const name = fc.oneof(fc.stringMatching(/^[a-z0-9-]{0,12}$/), fc.string({ unit: 'grapheme', maxLength: 5 }));
    fc.assert(
      fc.property(fc.array(name, { maxLength: 300 }), fc.constantFrom('', 'a/b', 'shop/web', 'ü/ß'), (names, key) => {
        expect([...hashOrder(names, key)]).toEqual(sorted(names, key));
      }),
    );
  });

  it('keeps many that hash alike, and a few thousand', () => {
    expect([...hashOrder(['b', 'a', 'b', 'a', 'b'], 'k')]).toEqual(sorted(['b', 'a', 'b', 'a', 'b'], 'k'));
    const names = Array.from({ length: 5000 }, (_, index) => `cluster-${index % 3000}`);
    expect([...hashOrder(names, 'shop/web')]).toEqual(sorted(names, 'shop/web'));
  });
});
