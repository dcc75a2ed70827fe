import { compareText, deepEqual, type ObjectKey } from '../../kube/index.ts';
import {
  DECISION_INDEX_LABEL,
  DECISION_KEY_LABEL,
  DECISION_REVISION_LABEL,
  PLACEMENT_KEY_LABEL,
  type PlacementDecision,
} from './api.ts';
import { indexOfSlice } from './assemble.ts';

/** One write. They are carried out one after the other, in their order. */
export type DecisionStep =
  | { readonly op: 'create'; readonly object: PlacementDecision }
  /** The object as it was read, with its resource version and whatever others wrote into its metadata, and the new content. */
  | { readonly op: 'update'; readonly object: PlacementDecision }
  /** `uid` and `resourceVersion` as they were read: preconditions. */
  | { readonly op: 'delete'; readonly key: ObjectKey; readonly uid?: string; readonly resourceVersion?: string };

/** Why a slice can't be written now. */
export type HeldSlice = {
  readonly name: string;
  /** An object of that name belongs to another decision, or it is being deleted. */
  readonly reason: 'OtherDecision' | 'BeingDeleted';
};

/** What {@link planDecisions} decides. */
export interface DecisionPlan {
  readonly steps: readonly DecisionStep[];
  /** Where there are any, nothing at all is written: a part of a decision could lack clusters. */
  readonly held: readonly HeldSlice[];
  /**
   * Clusters that stay, and that readers who merely put slices together may miss between two steps, as `namespace/name`. Empty, but for slices
   * that somebody packed in another order.
   */
  readonly exposed: readonly string[];
}

const OURS = [DECISION_KEY_LABEL, DECISION_INDEX_LABEL, PLACEMENT_KEY_LABEL, DECISION_REVISION_LABEL];

/**
 * The writes that lead from the slices that exist to those that are wanted (from `placementDecisionsOf`); none where nothing changed. `existing`
 * are the slices of this decision, by its label `decision-key`, and objects that have one of the wanted names; nothing wanted deletes them all.
 *
 * Between any two steps:
 *
 * - a cluster that stays is in some slice: new slices come first, slices that take clusters over come before those that give them away, and
 *   slices are deleted last;
 * - a decision that is created, and one with a revision, isn't complete (`assembleDecisions`) before the last step that it needs;
 * - without a revision a decision that changes looks complete all the time: new clusters appear, and old ones leave, slice by slice. That, and
 *   how a growing number of slices is told from a whole one, is as much as labels without a revision can say.
 *
 * Stopping anywhere and planning again from what is there then leads to the same end.
 */
export function planDecisions(existing: readonly PlacementDecision[], wanted: readonly PlacementDecision[]): DecisionPlan {
  const key = wanted[0]?.metadata.labels?.[DECISION_KEY_LABEL];
  const byName = new Map(existing.map((slice) => [slice.metadata.name, slice]));
  const held = heldSlices(byName, wanted, key);
  if (held.length > 0) return { steps: [], held, exposed: [] };
  const names = new Set(wanted.map(({ metadata }) => metadata.name));
  const surplus = [...byName.values()].filter(
    (slice) =>
      !names.has(slice.metadata.name) &&
      slice.metadata.deletionTimestamp === undefined &&
      (key === undefined || keyOfSlice(slice) === key),
  );
  const creates = wanted.filter(({ metadata }) => !byName.has(metadata.name)).toReversed();
  const { order, exposed } = updateOrder(changedSlices(byName, wanted));
  return {
    steps: [
      ...creates.map((object): DecisionStep => ({ op: 'create', object })),
      ...order.map(({ before, after }): DecisionStep => ({ op: 'update', object: updated(before, after) })),
      ...surplus.sort(byIndex).map(deletion),
    ],
    held,
    exposed,
  };
}

const keyOfSlice = ({ metadata }: PlacementDecision): string | undefined => metadata.labels?.[DECISION_KEY_LABEL];

function heldSlices(
  byName: ReadonlyMap<string, PlacementDecision>,
  wanted: readonly PlacementDecision[],
  key: string | undefined,
): readonly HeldSlice[] {
  return wanted.flatMap(({ metadata: { name } }): HeldSlice[] => {
    const found = byName.get(name);
    if (found === undefined) return [];
    if (keyOfSlice(found) !== key) return [{ name, reason: 'OtherDecision' }];
    return found.metadata.deletionTimestamp === undefined ? [] : [{ name, reason: 'BeingDeleted' }];
  });
}

interface ChangedSlice {
  readonly before: PlacementDecision;
  readonly after: PlacementDecision;
}

function changedSlices(
  byName: ReadonlyMap<string, PlacementDecision>,
  wanted: readonly PlacementDecision[],
): readonly ChangedSlice[] {
  return wanted.flatMap((after) => {
    const before = byName.get(after.metadata.name);
    return before === undefined || isSame(before, after) ? [] : [{ before, after }];
  });
}

function isSame(before: PlacementDecision, after: PlacementDecision): boolean {
  return (
    deepEqual(before.decisions, after.decisions) &&
    before.schedulerName === after.schedulerName &&
    OURS.every((label) => before.metadata.labels?.[label] === after.metadata.labels?.[label])
  );
}

/** Labels of others stay; of ours those go that aren't wanted any more. */
function updated(before: PlacementDecision, after: PlacementDecision): PlacementDecision {
  const others = Object.entries(before.metadata.labels ?? {}).filter(([label]) => !OURS.includes(label));
  const labels = { ...Object.fromEntries(others), ...after.metadata.labels };
  return { ...before, ...after, metadata: { ...before.metadata, labels } };
}

/** The lowest first: from then on a number is missing, so that nothing is removed before all are gone. */
function byIndex(a: PlacementDecision, b: PlacementDecision): number {
  const [x, y] = [indexOfSlice(a) ?? Number.MAX_SAFE_INTEGER, indexOfSlice(b) ?? Number.MAX_SAFE_INTEGER];
  return x - y || compareText(a.metadata.name, b.metadata.name);
}

function deletion({ metadata: { name, namespace, uid, resourceVersion } }: PlacementDecision): DecisionStep {
  return {
    op: 'delete',
    key: namespace === undefined ? { name } : { namespace, name },
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
}

/**
 * Slices that take clusters over before those that give them away. With clusters in one order in all slices that is never a circle: where one
 * cluster moves up, all behind it do.
 */
function updateOrder(changed: readonly ChangedSlice[]): {
  readonly order: readonly ChangedSlice[];
  readonly exposed: readonly string[];
} {
  const takers = new Map<string, number>();
  for (const [index, { after }] of changed.entries()) for (const cluster of clustersIn(after)) takers.set(cluster, index);
  const state = changed.map((): 'new' | 'open' | 'placed' => 'new');
  const order: ChangedSlice[] = [];
  const exposed = new Set<string>();
  const place = (index: number): void => {
    const slice = changed[index];
    if (slice === undefined || state[index] !== 'new') return;
    state[index] = 'open';
    for (const cluster of clustersIn(slice.before)) {
      const taker = takers.get(cluster);
      if (taker === undefined || taker === index) continue;
      place(taker);
      if (state[taker] === 'open') exposed.add(cluster);
    }
    state[index] = 'placed';
    order.push(slice);
  };
  for (let index = 0; index < changed.length; index += 1) place(index);
  return { order, exposed: [...exposed].sort(compareText) };
}

/** As `namespace/name`. */
function clustersIn({ metadata, decisions }: PlacementDecision): readonly string[] {
  return decisions.map(
    ({ clusterProfileRef: { namespace = '', name } }) => `${namespace === '' ? (metadata.namespace ?? '') : namespace}/${name}`,
  );
}
