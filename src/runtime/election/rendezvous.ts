import { compareText } from '../../kube/plain/index.ts';

/** Somebody who takes a share: of twice the weight, twice the share. */
export interface ShardMember {
  readonly identity: string;
  /** More than 0; 0 takes nothing. Default 1. */
  readonly weight?: number;
}

/** Two halves of a hash. */
interface Hash {
  readonly high: number;
  readonly low: number;
}

const PRIME = 0x01000193;

/** FNV-1a over the code units. It barely mixes the last ones, so that whoever uses it must mix again. */
function fnv(text: string, basis: number): number {
  let hash = basis;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), PRIME);
  return hash;
}

/** A finaliser in the manner of splitmix: each bit of the input changes half of the bits of the result. */
function mixed(value: number): number {
  let hash = (value + 0x9e3779b9) | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function hashOf(text: string): Hash {
  return { high: mixed(fnv(text, 0x811c9dc5)), low: mixed(fnv(text, 0x3c6ef372)) };
}

/** From 0 to 1, without either: 52 bits of both hashes. */
function uniform(a: Hash, b: Hash): number {
  const high = mixed(mixed(a.high ^ b.low) ^ b.high);
  const low = mixed(mixed(a.low ^ b.high) ^ (b.low + high));
  return ((high >>> 6) * 2 ** 26 + (low >>> 6) + 0.5) / 2 ** 52;
}

/** Says who has a cluster among these members; `undefined` where there is none. Compiled once for many clusters. */
export function rendezvous(members: readonly ShardMember[]): (cluster: string) => string | undefined {
  const candidates = members
    .filter(({ weight = 1 }) => weight > 0)
    .map(({ identity, weight = 1 }) => ({ identity, weight, hash: hashOf(identity) }))
    .toSorted((a, b) => compareText(a.identity, b.identity));
  return (cluster) => {
    const hash = hashOf(cluster);
    let best: string | undefined;
    let highest = Number.NEGATIVE_INFINITY;
    for (const candidate of candidates) {
      const score = -candidate.weight / Math.log(uniform(hash, candidate.hash));
      if (score > highest) {
        highest = score;
        best = candidate.identity;
      }
    }
    return best;
  };
}

/**
 * Who has a cluster: the member with the highest random weight for it (rendezvous hashing). All who ask with the same members get the same
 * answer, in whatever order they name them; when a member goes, only its clusters move. The score `-w / ln(u)` gives each member a share in
 * proportion to its weight.
 */
export function ownerOf(cluster: string, members: readonly ShardMember[]): string | undefined {
  return rendezvous(members)(cluster);
}
