import { utf8 } from '../../kube/index.ts';

/** As a signed integer: a number above 2^31 would make doubles of all that is counted from it. */
const FNV_OFFSET = 0x811c9dc5 | 0;
const FNV_PRIME = 0x01000193;

/**
 * The indices of names in the order of a 32-bit FNV-1 hash of each name followed by the key; equal hashes keep their order. It looks random
 * and is the same everywhere: kubefed breaks its ties with it.
 */
export function hashOrder(names: readonly string[], key: string): number[] {
  return orderOf(hashNames(names, utf8(key)));
}

/** Plain lists here: typed arrays of a hundred numbers live outside the heap, and take longer to make than to fill. */
function hashNames(names: readonly string[], key: Uint8Array): number[] {
  const hashes = new Array<number>(names.length).fill(0);
  for (let index = 0; index < names.length; index += 1) {
    const name = names[index] ?? '';
    let hash = FNV_OFFSET;
    let seen = 0;
    for (let at = 0; at < name.length; at += 1) {
      const code = name.charCodeAt(at);
      seen |= code;
      hash = Math.imul(hash, FNV_PRIME) ^ code;
    }
    if (seen >= 0x80) hash = hashBytes(FNV_OFFSET, utf8(name));
    hashes[index] = hashBytes(hash, key);
  }
  return hashes;
}

function hashBytes(start: number, bytes: Uint8Array): number {
  let hash = start;
  for (let at = 0; at < bytes.length; at += 1) hash = Math.imul(hash, FNV_PRIME) ^ (bytes[at] ?? 0);
  return hash;
}

/** Hashes are spread evenly: as many buckets as there are hashes, by their leading bits, leave little to put right. */
function orderOf(hashes: number[]): number[] {
  const order = byLeadingBits(hashes);
  for (let at = 1; at < order.length; at += 1) {
    const index = order[at] ?? 0;
    const hash = unsigned(hashes, index);
    let place = at;
    for (; place > 0; place -= 1) {
      const before = order[place - 1] ?? 0;
      if (unsigned(hashes, before) <= hash) break;
      order[place] = before;
    }
    order[place] = index;
  }
  return order;
}

function byLeadingBits(hashes: number[]): number[] {
  const shift = Math.min(31, Math.clz32(hashes.length));
  const starts = new Array<number>(2 ** (32 - shift) + 1).fill(0);
  for (let index = 0; index < hashes.length; index += 1) bump(starts, (unsigned(hashes, index) >>> shift) + 1);
  for (let bucket = 1; bucket < starts.length; bucket += 1) starts[bucket] = (starts[bucket] ?? 0) + (starts[bucket - 1] ?? 0);
  const order = new Array<number>(hashes.length).fill(0);
  for (let index = 0; index < hashes.length; index += 1) order[bump(starts, unsigned(hashes, index) >>> shift)] = index;
  return order;
}

function unsigned(hashes: number[], index: number): number {
  return (hashes[index] ?? 0) >>> 0;
}

/** Counts on; what stood there before. */
function bump(counts: number[], index: number): number {
  const before = counts[index] ?? 0;
  counts[index] = before + 1;
  return before;
}
