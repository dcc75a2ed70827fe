import { compareText, utf8 } from '../../kube/index.ts';
import { isWeight } from './policy.ts';

/** A cluster with a weight and so many ready endpoints. */
export interface Weighted {
  readonly name: string;
  readonly weight: number;
  readonly ready: number;
}

/**
 * How many endpoints of each cluster stand for its weight: kube-proxy sends the same share to every ready endpoint, so a weight can only be
 * told by their number. As many as possible are used: the cluster that is scarcest for its weight uses all, the others in proportion, rounded
 * to the nearest, at least one each. The shares are approximate therefore, the more so the fewer endpoints there are.
 */
export function countsByWeight(clusters: readonly Weighted[]): ReadonlyMap<string, number> {
  const usable = clusters.filter(({ weight, ready }) => isWeight(weight) && ready > 0);
  const scale = Math.min(...usable.map(({ weight, ready }) => ready / weight));
  return new Map(usable.map(({ name, weight, ready }) => [name, Math.min(ready, Math.max(1, Math.round(weight * scale)))]));
}

/**
 * The keys that are used, so many of them: always the same ones for the same `salt`, and one more or one less key changes the choice by one
 * at most. The salt is the importing cluster, so that not all clusters choose the same endpoints.
 */
export function chooseSubset(keys: readonly string[], count: number, salt: string): ReadonlySet<string> {
  if (count >= keys.length) return new Set(keys);
  const ranked = keys.map((key) => ({ key, rank: hash(`${salt}/${key}`) }));
  ranked.sort((a, b) => a.rank - b.rank || compareText(a.key, b.key));
  return new Set(ranked.slice(0, count).map(({ key }) => key));
}

/** FNV-1a with a final mix: addresses differ in their last digits only, and the order must not show that. */
function hash(text: string): number {
  let value = 0x811c9dc5 | 0;
  for (const byte of utf8(text)) value = Math.imul(value ^ byte, 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
