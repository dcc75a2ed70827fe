import { compareKeys } from '../../kube/index.ts';
import { DECISION_INDEX_LABEL, DECISION_KEY_LABEL, DECISION_REVISION_LABEL, PlacementDecision } from './api.ts';

/** A cluster of a decision, with its namespace filled in. */
export interface DecidedCluster {
  readonly name: string;
  readonly namespace: string;
  readonly reason?: string;
}

/** Whether the slices are a whole decision, and why not. */
export type AssemblyReason =
  | 'Complete'
  /** There is no slice. For KEP-5313 that means: remove everywhere. A list that went wrong looks the same. */
  | 'NoSlices'
  /** A slice is not what its CRD describes; its clusters are left out. */
  | 'Unreadable'
  /** The slices belong to several decisions, or one of several has no key. */
  | 'SeveralKeys'
  /** The decision is being written: some slices have another revision. */
  | 'SeveralRevisions'
  /** One of several slices doesn't say which one it is, or says it wrongly. */
  | 'NoIndex'
  /** Two slices have the same place. */
  | 'IndexTwice'
  /** There is no slice 0, or none between two others. */
  | 'IndexMissing';

/** What {@link assembleDecisions} found. */
export interface AssembledDecision {
  /** Each once, by namespace and name; all that any slice lists. */
  readonly clusters: readonly DecidedCluster[];
  /** Whether a cluster that isn't listed is really not chosen. */
  readonly complete: boolean;
  readonly why: AssemblyReason;
}

/**
 * Puts the slices of a decision together, for who reads them. Deploy to all clusters that are listed; remove from others only where the decision
 * is complete (`followDecision`): what is listed of a half-written decision lacks some. Labels can't say how many slices there should be, so a
 * decision whose last slices are missing looks complete, unless it has a revision that changed.
 *
 * Where several slices list a cluster, the reason is that of the first.
 */
export function assembleDecisions(slices: readonly PlacementDecision[]): AssembledDecision {
  const readable = slices.filter((slice) => PlacementDecision.shapeIssues(slice).length === 0);
  const why = readable.length < slices.length ? 'Unreadable' : reasonOf(readable);
  return { clusters: clustersOf(readable), complete: why === 'Complete', why };
}

function reasonOf(slices: readonly PlacementDecision[]): AssemblyReason {
  const [first, ...others] = slices;
  if (first === undefined) return 'NoSlices';
  const label = ({ metadata }: PlacementDecision, name: string): string | undefined => metadata.labels?.[name];
  const isCommon = (name: string): boolean => others.every((slice) => label(slice, name) === label(first, name));
  if (!isCommon(DECISION_KEY_LABEL) || (others.length > 0 && label(first, DECISION_KEY_LABEL) === undefined))
    return 'SeveralKeys';
  if (!isCommon(DECISION_REVISION_LABEL)) return 'SeveralRevisions';
  // A decision of one slice needs no index (KEP-5313).
  if (others.length === 0 && label(first, DECISION_INDEX_LABEL) === undefined) return 'Complete';
  return indexReason(slices.map(indexOfSlice));
}

function indexReason(indexes: readonly (number | undefined)[]): AssemblyReason {
  if (indexes.includes(undefined)) return 'NoIndex';
  const found = new Set(indexes);
  if (found.size < indexes.length) return 'IndexTwice';
  return indexes.every((_, index) => found.has(index)) ? 'Complete' : 'IndexMissing';
}

/** The place of a slice by its label; nothing where that isn't written as a number is. */
export function indexOfSlice({ metadata }: PlacementDecision): number | undefined {
  const text: unknown = metadata.labels?.[DECISION_INDEX_LABEL];
  return typeof text === 'string' && /^(?:0|[1-9][0-9]{0,8})$/.test(text) ? Number(text) : undefined;
}

function clustersOf(slices: readonly PlacementDecision[]): readonly DecidedCluster[] {
  const place = (slice: PlacementDecision): number => indexOfSlice(slice) ?? Number.MAX_SAFE_INTEGER;
  const ordered = slices.toSorted((a, b) => place(a) - place(b) || compareKeys(a.metadata, b.metadata));
  const found = new Map<string, DecidedCluster>();
  for (const { metadata, decisions } of ordered) {
    for (const { clusterProfileRef, reason } of decisions) {
      const { name, namespace: other = '' } = clusterProfileRef;
      const namespace = other === '' ? (metadata.namespace ?? '') : other;
      const key = `${namespace}/${name}`;
      if (!found.has(key)) found.set(key, { name, namespace, ...(reason === undefined ? {} : { reason }) });
    }
  }
  return [...found.values()].sort(compareKeys);
}

/** What {@link followDecision} says to do. */
export interface DecisionChanges {
  readonly deploy: readonly DecidedCluster[];
  readonly remove: readonly Pick<DecidedCluster, 'name' | 'namespace'>[];
  /** Not listed, and left alone until the decision is complete. */
  readonly hold: readonly Pick<DecidedCluster, 'name' | 'namespace'>[];
}

/** What a decision asks of somebody who has deployed to some clusters: to deploy to more, and, once it is complete, to remove from others. */
export function followDecision(
  deployed: readonly Pick<DecidedCluster, 'name' | 'namespace'>[],
  decision: AssembledDecision,
): DecisionChanges {
  const key = ({ name, namespace }: Pick<DecidedCluster, 'name' | 'namespace'>): string => `${namespace}/${name}`;
  const listed = new Set(decision.clusters.map(key));
  const there = new Set(deployed.map(key));
  const gone = deployed.filter((each) => !listed.has(key(each))).sort(compareKeys);
  return {
    deploy: decision.clusters.filter((each) => !there.has(key(each))),
    remove: decision.complete ? gone : [],
    hold: decision.complete ? [] : gone,
  };
}
