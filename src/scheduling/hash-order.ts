import { utf8 } from '../kube/index.ts';

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
/** Two numbers are packed into one double: the hash above, an index of up to 20 bits below. */
const INDEX_RANGE = 2 ** 20;

/**
 * The indices of names in the order of a 32-bit FNV-1 hash of each name followed by the key; equal hashes keep their order. It looks random
 * and is the same everywhere: kubefed breaks its ties with it.
 */
export function hashOrder(names: readonly string[], key: string): Int32Array {
  const hashes = hashNames(names);
  hashOn(hashes, key);
  const packed = new Float64Array(hashes.length);
  for (let index = 0; index < hashes.length; index += 1) packed[index] = ((hashes[index] ?? 0) >>> 0) * INDEX_RANGE + index;
  packed.sort();
  const order = new Int32Array(packed.length);
  for (let at = 0; at < packed.length; at += 1) {
    const both = packed[at] ?? 0;
    // A remainder of doubles takes many times as long.
    order[at] = both - Math.floor(both / INDEX_RANGE) * INDEX_RANGE;
  }
  return order;
}

function hashNames(names: readonly string[]): Int32Array {
  const hashes = new Int32Array(names.length);
  let index = 0;
  for (const name of names) {
    let hash = FNV_OFFSET;
    let seen = 0;
    for (let at = 0; at < name.length; at += 1) {
      const code = name.charCodeAt(at);
      seen |= code;
      hash = Math.imul(hash, FNV_PRIME) ^ code;
    }
    hashes[index] = seen < 0x80 ? hash : hashBytes(utf8(name));
    index += 1;
  }
  return hashes;
}

function hashBytes(bytes: Uint8Array): number {
  let hash = FNV_OFFSET;
  for (const byte of bytes) hash = Math.imul(hash, FNV_PRIME) ^ byte;
  return hash;
}

/** Goes on with all hashes at once: a step of one doesn't have to wait for a step of another. */
function hashOn(hashes: Int32Array, text: string): void {
  for (const byte of utf8(text)) {
    for (let index = 0; index < hashes.length; index += 1) hashes[index] = Math.imul(hashes[index] ?? 0, FNV_PRIME) ^ byte;
  }
}
