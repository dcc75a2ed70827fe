import { compareText } from '../../kube/index.ts';
import type { ClusterEntry } from '../../registry/index.ts';
import type { SelectionCandidate } from './selection.ts';

/** A candidate with numbers that can be compared. Its rank is its index in the list of all. */
export interface Ranked {
  readonly name: string;
  /** Its index in the list of candidates. */
  readonly at: number;
  readonly entry: ClusterEntry;
  readonly tier: number;
  readonly score: number;
  readonly runs: boolean;
  /** How many more replicas fit; infinite where it isn't known. */
  readonly room: number;
  /** Replicas that it can have in all. */
  readonly available: number;
}

/** Tier ↑, score ↓, those that run it first, room ↓, name ↑; each name once. */
export function rank(candidates: readonly SelectionCandidate[]): readonly Ranked[] {
  const ranked = candidates.map(rankedOf).sort(byPreference);
  return areNamesAscending(candidates) ? ranked : withoutRepeated(ranked);
}

function rankedOf(candidate: SelectionCandidate, at: number): Ranked {
  const { name, entry, score, runs, current } = candidate;
  const room = candidate.keptOnly === true ? 0 : roomOf(candidate.room);
  return {
    name,
    at,
    entry,
    tier: numberOr(candidate.tier, 0),
    score: numberOr(score, Number.NEGATIVE_INFINITY),
    runs,
    room,
    available: room + Math.max(0, numberOr(current, 0)),
  };
}

function roomOf(room: number | undefined): number {
  return Math.max(0, numberOr(room, Number.POSITIVE_INFINITY));
}

function numberOr(value: number | undefined, otherwise: number): number {
  return value === undefined || Number.isNaN(value) ? otherwise : value;
}

/** Scores may be infinite, so nothing is subtracted. */
function byPreference(a: Ranked, b: Ranked): number {
  if (a.tier !== b.tier) return a.tier < b.tier ? -1 : 1;
  if (a.score !== b.score) return a.score > b.score ? -1 : 1;
  if (a.runs !== b.runs) return a.runs ? -1 : 1;
  if (a.room !== b.room) return a.room > b.room ? -1 : 1;
  return compareText(a.name, b.name);
}

/** They mostly are, and then no name is there twice. */
function areNamesAscending(candidates: readonly SelectionCandidate[]): boolean {
  for (let at = 1; at < candidates.length; at += 1) {
    if ((candidates[at - 1]?.name ?? '') >= (candidates[at]?.name ?? '')) return false;
  }
  return true;
}

function withoutRepeated(ranked: readonly Ranked[]): readonly Ranked[] {
  const seen = new Set<string>();
  return ranked.filter(({ name }) => {
    if (seen.has(name)) return false;
    seen.add(name);
    return true;
  });
}
