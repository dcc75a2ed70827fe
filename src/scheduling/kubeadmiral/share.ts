import { ownLookup } from '../kubefed/own-lookup.ts';

/** How many replicas a cluster should get (API: core.kubeadmiral.io PropagationPolicy, `placement[].preferences`). */
export interface KubeAdmiralPreference {
  /** Given first. Default 0. */
  readonly minReplicas?: number;
  /** Not exceeded. Default: no limit. A cluster with a NoSchedule taint that isn't tolerated has what runs there as its maximum. */
  readonly maxReplicas?: number;
  /** Share of what is left after all minimums. Default 0. Means nothing to Binpack. */
  readonly weight?: number;
}

/** What both of KubeAdmiral's planners decide from. */
export interface KubeAdmiralInput {
  readonly totalReplicas: number;
  /** Preferences by cluster. */
  readonly preferences: Readonly<Record<string, KubeAdmiralPreference>>;
  /** Names of the clusters that can take replicas, each once. */
  readonly candidates: readonly string[];
  /** Replicas that the clusters were given before. */
  readonly current?: ReadonlyMap<string, number>;
  /** How many replicas fit, where pods stay unschedulable (auto-migration). What goes beyond becomes overflow. */
  readonly estimatedCapacity?: ReadonlyMap<string, number>;
  /** How many replicas are allowed, where somebody moves them away (custom migration). What goes beyond goes elsewhere. */
  readonly limitedCapacity?: ReadonlyMap<string, number>;
  /** Leaves replicas where they are, and moves only what the total asks for. Default true, as in the API. */
  readonly avoidDisruption?: boolean;
  /** Leaves pending replicas where they are, too. Default false; without `avoidDisruption` always true. */
  readonly keepUnschedulable?: boolean;
}

/** What kept a cluster from more: its maximum, the room that is estimated, or the limit of a migration. */
export type KubeAdmiralLimit = 'max' | 'capacity' | 'limit';

/**
 * What one cluster gets, and why. By preference it is due `desired = minimum + share`. With `avoidDisruption` it gets
 * `replicas = kept + moved`; without, `kept` and `moved` are 0 and it gets what it is due.
 */
export interface KubeAdmiralShare {
  readonly cluster: string;
  /** Replicas that are planned to run there. */
  readonly replicas: number;
  /** Replicas beyond what fits, left pending there on purpose. */
  readonly overflow: number;
  /** The scheduling result, `replicas + overflow`. A cluster with 0 is dropped. */
  readonly scheduled: number;
  /** Whether a preference names the cluster, or `*` does where that counts. */
  readonly preferred: boolean;
  readonly weight: number;
  /** What the preferences alone would give. */
  readonly desired: number;
  /** The part of `desired` that is there because of `minReplicas`. */
  readonly minimum: number;
  /** The other part: given by weight (Spread), or because the cluster was the next one with room (Binpack). */
  readonly share: number;
  /** What the cluster has already, as far as its limits allow. */
  readonly kept: number;
  /** What a changed total adds to it, or takes away. */
  readonly moved: number;
  readonly limit: KubeAdmiralLimit | undefined;
}

/**
 * Where the numbers come from:
 *
 * - `preferences`: disruption isn't avoided, so everybody gets what is due.
 * - `kept`: as many replicas are placed as are due, so nothing moves, whatever the preferences say.
 * - `scaledUp`, `scaledDown`: only the difference was divided.
 * - `waiting` (Binpack): it isn't known yet what became of earlier replicas, so nothing changes.
 * - `settled` (Binpack): the members run all replicas already, so pending ones are given up.
 */
export type KubeAdmiralBasis = 'preferences' | 'kept' | 'scaledUp' | 'scaledDown' | 'waiting' | 'settled';

/** How replicas are divided. */
export interface KubeAdmiralPlan {
  readonly basis: KubeAdmiralBasis;
  /** One for each candidate: by name (Spread), or as they were given (Binpack). */
  readonly shares: readonly KubeAdmiralShare[];
  /** Replicas of the total that aren't planned to run anywhere; the overflow stands for some of them. */
  readonly unplaced: number;
}

type Draft<T> = { -readonly [K in keyof T]: T[K] };

/** Between which numbers a division stays. */
export interface Bounds {
  readonly min: number;
  readonly max: number | undefined;
  readonly limited: number | undefined;
  readonly estimated: number | undefined;
  /** Whether they are of a cluster's own preference, not of that of `*`. */
  readonly isOwn: boolean;
}

/** A share on its way: `desired` grows while replicas are given. Made for one decision, and seen by nobody else until it is finished. */
export interface Slot {
  readonly share: Draft<KubeAdmiralShare>;
  readonly bounds: Bounds;
}

const NO_NUMBERS: ReadonlyMap<string, number> = new Map();

const NO_PREFERENCE: KubeAdmiralPreference = {};

/** Most clusters have no bounds, and then they share these. */
const UNBOUNDED: Bounds = { min: 0, max: undefined, limited: undefined, estimated: undefined, isOwn: false };

/** Makes the slot of a candidate. The preference `*` counts for Spread alone. */
export function slotMaker(input: KubeAdmiralInput, wildcard: '*' | undefined): (cluster: string) => Slot {
  const { preferences, limitedCapacity = NO_NUMBERS, estimatedCapacity = NO_NUMBERS } = input;
  const ownOf = ownLookup(preferences);
  const fallback = wildcard === undefined ? undefined : ownOf(wildcard);
  const hasOthers = Object.keys(preferences).length > (fallback === undefined ? 0 : 1) || wildcard === undefined;
  return (cluster) => {
    const own = hasOthers ? ownOf(cluster) : undefined;
    const preference = own ?? fallback;
    const limited = limitedCapacity.size === 0 ? undefined : limitedCapacity.get(cluster);
    const estimated = estimatedCapacity.size === 0 ? undefined : estimatedCapacity.get(cluster);
    const { minReplicas: min = 0, maxReplicas: max, weight = 0 } = preference ?? NO_PREFERENCE;
    const isBounded = min !== 0 || max !== undefined || limited !== undefined || estimated !== undefined;
    const bounds = isBounded ? { min, max, limited, estimated, isOwn: own !== undefined } : UNBOUNDED;
    return slotOf(cluster, preference !== undefined, weight, bounds);
  };
}

/** A slot of the second division, that of a difference. */
export function differenceSlot(
  { share: { cluster } }: Slot,
  { weight = 0, min = 0, max, limited }: Partial<Pick<Bounds, 'min' | 'max' | 'limited'>> & { readonly weight?: number },
): Slot {
  return slotOf(cluster, true, weight, { min, max, limited, estimated: undefined, isOwn: true });
}

function slotOf(cluster: string, preferred: boolean, weight: number, bounds: Bounds): Slot {
  const share = {
    cluster,
    replicas: 0,
    overflow: 0,
    scheduled: 0,
    preferred,
    weight,
    desired: 0,
    minimum: 0,
    share: 0,
    kept: 0,
    moved: 0,
    limit: undefined,
  };
  return { share, bounds };
}

/** Gives every minimum, in this order, as far as replicas and room last; what is left of the total. */
export function giveMinimums(slots: readonly Slot[], total: number): number {
  let rest = total;
  for (const { share, bounds } of slots) {
    const { limited, estimated } = bounds;
    let count = Math.min(bounds.min, rest);
    if (limited !== undefined && limited < count) {
      count = limited;
      share.limit = 'limit';
    }
    if (estimated !== undefined && estimated < count) {
      share.overflow = count - estimated;
      count = estimated;
      share.limit = 'capacity';
    }
    share.minimum = count;
    share.desired = count;
    rest -= count;
  }
  return rest;
}

/** Keeps what a cluster has, as far as its limits allow; how many these are. */
export function keep({ share, bounds: { limited, estimated } }: Slot, current: ReadonlyMap<string, number>): number {
  let kept = current.get(share.cluster) ?? 0;
  if (limited !== undefined && limited < kept) {
    kept = limited;
    share.limit = 'limit';
  }
  if (estimated !== undefined && estimated < kept) {
    kept = estimated;
    share.limit = 'capacity';
  }
  share.kept = kept;
  return kept;
}

/** The plan: everybody gets what is due, or keeps what is there and what is moved. No overflow is larger than `most`. */
export function planOf(slots: readonly Slot[], basis: KubeAdmiralBasis, total: number, most: number): KubeAdmiralPlan {
  let rest = total;
  const shares = slots.map(({ share }) => {
    share.replicas = basis === 'preferences' ? share.desired : share.kept + share.moved;
    if (share.overflow > most) share.overflow = most;
    share.scheduled = share.replicas + share.overflow;
    share.share = share.desired - share.minimum;
    rest -= share.replicas;
    return share;
  });
  return { basis, shares, unplaced: Math.max(rest, 0) };
}

/** Why a cluster gets what it gets, in one line: `5 replicas: 3 there already + 2 more on the way to 6, at its limit`. */
export function explainKubeAdmiralShare(share: KubeAdmiralShare): string {
  const { replicas, overflow, limit } = share;
  const limits = { max: ', at its maximum', capacity: ', at its capacity', limit: ', at its limit' };
  const because = share.kept === 0 && share.moved === 0 ? dueText(share) : keptText(share);
  const bound = limit === undefined ? '' : limits[limit];
  const pending = overflow === 0 ? '' : `, and ${overflow} more that wait for room`;
  return `${replicas} replica${replicas === 1 ? '' : 's'}: ${because}${bound}${pending}`;
}

function dueText({ preferred, minimum, share, weight, desired, replicas }: KubeAdmiralShare): string {
  if (!preferred && desired === 0) return 'no preference names it';
  if (replicas !== desired) return `nothing there yet on the way to ${desired}`;
  const parts = [
    ...(minimum === 0 ? [] : [`${minimum} minimum`]),
    ...(share === 0 ? [] : [weight === 0 ? `${share} in its turn` : `${share} by weight ${weight}`]),
  ];
  return parts.length === 0 ? 'nothing is due' : parts.join(' + ');
}

function keptText({ kept, moved, desired }: KubeAdmiralShare): string {
  if (moved === 0) return `${kept} there already`;
  return `${kept} there already ${moved > 0 ? `+ ${moved} more` : `− ${-moved} fewer`} on the way to ${desired}`;
}
