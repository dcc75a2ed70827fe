import { compareText } from '../../kube/index.ts';

/** Several clusters that are chosen, or left out, together. */
export interface SpreadGroup {
  readonly name: string;
  /** How many clusters it has, at least 1. */
  readonly size: number;
  /** A whole number; the more, the better. */
  readonly score: number;
}

/** How many groups there must be and may be (API: policy.karmada.io SpreadConstraint). */
export interface KarmadaSpread {
  readonly minGroups: number;
  readonly maxGroups: number;
}

/**
 * The groups that Karmada chooses of all combinations that have `target` clusters and as many groups as the limits say, the best first.
 *
 * The rule: groups stand by size, then score, then name; combinations are walked depth first in that order, and one that will do is not
 * extended. Of those found, the largest sum of scores wins, then the most clusters, then the one found first. Last, the shortest combination that
 * is the beginning of the winner (with its groups by score) takes its place.
 *
 * Karmada walks all combinations, of which there may be billions for 40 regions. Here what is still to come is weighed once for each (number of
 * groups so far, clusters so far up to the target), from the last group to the first: no more than groups × `maxGroups` × `target` steps.
 *
 * @returns nothing where no combination will do; no groups where none are asked for.
 */
export function chooseGroups(
  groups: readonly SpreadGroup[],
  limits: KarmadaSpread,
  target: number,
): readonly SpreadGroup[] | undefined {
  const ordered = groups.toSorted((a, b) => a.size - b.size || b.score - a.score || compareText(a.name, b.name));
  const search = new Search(ordered, limits, Math.max(0, target));
  const path = search.best()?.toSorted((a, b) => b.score - a.score || compareText(a.name, b.name));
  // The walk comes upon every beginning that will do: if it had stopped before, it would have stopped before the winner as well.
  return path?.map((_, length) => path.slice(0, length)).find((beginning) => search.willDo(beginning)) ?? path;
}

const sizeOf = (groups: readonly SpreadGroup[]): number => groups.reduce((sum, { size }) => sum + size, 0);

/** What the best way on is worth: nothing more where the combination is complete. */
const behind = (table: Float64Array, after: number | 'done'): number => (after === 'done' ? 0 : (table[after] ?? 0));

/**
 * The best way on from every state, a state being how many groups are in the combination and how many clusters they have (no more than the
 * target are told apart). All ways on from a state are the same whichever groups led there, so the best of them is kept once.
 */
class Search {
  readonly #groups: readonly SpreadGroup[];
  readonly #min: number;
  readonly #max: number;
  readonly #target: number;
  /** Groups told apart: without an upper limit, all counts from the lower limit on are the same. */
  readonly #counts: number;
  /** How many clusters the first groups have; they are the smallest. */
  readonly #first: readonly number[];

  constructor(groups: readonly SpreadGroup[], { minGroups, maxGroups }: KarmadaSpread, target: number) {
    this.#groups = groups;
    this.#min = Math.max(0, minGroups);
    this.#max = maxGroups;
    this.#target = target;
    this.#counts = this.#isLimited() ? maxGroups : this.#min + 1;
    const first = [0];
    for (const { size } of groups) first.push((first.at(-1) ?? 0) + size);
    this.#first = first;
  }

  /** In the order of the groups. */
  best(): readonly SpreadGroup[] | undefined {
    if (this.#max < 0) return undefined;
    if (this.willDo([])) return [];
    if (this.#max === 0 || this.#min > this.#groups.length || this.#target > sizeOf(this.#groups)) return undefined;
    const taken = this.#weigh();
    return taken && this.#follow(taken);
  }

  willDo(groups: readonly SpreadGroup[]): boolean {
    return this.#isEnough(groups.length, sizeOf(groups));
  }

  #isEnough(count: number, size: number): boolean {
    return count >= this.#min && size >= this.#target;
  }

  #isLimited(): boolean {
    return this.#max < this.#groups.length;
  }

  /** One bit for each group and state: whether the best way on takes the group. Nothing where there is no way from the start. */
  #weigh(): readonly Uint8Array[] | undefined {
    const states = this.#counts * (this.#target + 1);
    const score = new Float64Array(states).fill(Number.NEGATIVE_INFINITY);
    const size = new Float64Array(states);
    const taken = this.#groups.map(() => new Uint8Array((states >> 3) + 1));
    for (let index = this.#groups.length - 1; index >= 0; index -= 1) {
      // A state leads only to states behind it, so the tables still hold what the groups behind this one are worth.
      for (let count = 0; count < Math.min(this.#counts, index + 1); count += 1) {
        this.#weighGroup(index, count, taken[index] ?? new Uint8Array(), score, size);
      }
    }
    return score[0] === Number.NEGATIVE_INFINITY ? undefined : taken;
  }

  #weighGroup(index: number, count: number, bits: Uint8Array, score: Float64Array, size: Float64Array): void {
    const group = this.#groups[index] ?? { name: '', size: 0, score: 0 };
    const [least, most] = this.#sizesBefore(index, count);
    for (let held = least; held <= most; held += 1) {
      const state = count * (this.#target + 1) + held;
      const after = this.#after(count, held, group);
      if (after === 'dead') continue;
      const scored = group.score + behind(score, after);
      const sized = group.size + behind(size, after);
      const gain = scored - (score[state] ?? 0);
      // Of equal ways the walk finds the one first that takes the earlier group. Nothing gained on nothing is no number.
      if (gain > 0 || (gain === 0 && sized >= (size[state] ?? 0))) {
        score[state] = scored;
        size[state] = sized;
        bits[state >> 3] = (bits[state >> 3] ?? 0) | (1 << (state & 7));
      }
    }
  }

  /** The least and the most clusters that so many of the groups before this one can have. */
  #sizesBefore(index: number, count: number): readonly [number, number] {
    const chosen = this.#isLimited() || count < this.#min ? count : index;
    const most = (this.#first[index] ?? 0) - (this.#first[index - chosen] ?? 0);
    return [Math.min(this.#target, this.#first[count] ?? 0), Math.min(this.#target, most)];
  }

  /** The state after a group, or that the combination is complete, or that it never will be. */
  #after(count: number, size: number, group: SpreadGroup): number | 'done' | 'dead' {
    const more = this.#isLimited() ? count + 1 : Math.min(count + 1, this.#min);
    const larger = Math.min(this.#target, size + group.size);
    if (this.#isEnough(more, larger)) return 'done';
    return more < this.#counts ? more * (this.#target + 1) + larger : 'dead';
  }

  #follow(taken: readonly Uint8Array[]): readonly SpreadGroup[] {
    const path: SpreadGroup[] = [];
    const width = this.#target + 1;
    let state = 0;
    for (const [index, group] of this.#groups.entries()) {
      if (((taken[index]?.[state >> 3] ?? 0) & (1 << (state & 7))) === 0) continue;
      path.push(group);
      const after = this.#after(Math.floor(state / width), state % width, group);
      if (typeof after !== 'number') break;
      state = after;
    }
    return path;
  }
}
