import {
  ClustersetError,
  type Issue,
  isClustersetError,
  type LabelRequirements,
  matchesLabels,
  requirementsOf,
} from '../kube/index.ts';
import type { ClusterEntry } from '../registry/index.ts';
import { type FederatedObject, type PlacementSpec, placementShapeIssues } from './api.ts';
import { issueOf } from './issue.ts';

/** Why a cluster is selected, or isn't. */
export type PlacementReason =
  | 'Listed'
  | 'LabelsMatch'
  | 'NotListed'
  | 'LabelsDoNotMatch'
  | 'NoPlacement'
  | 'NamespaceNotFederated'
  | 'NamespaceNotPlaced'
  | 'NamespaceDeleted';

/** What {@link placementOf} found for one cluster. */
export interface ClusterPlacement {
  readonly selected: boolean;
  readonly reason: PlacementReason;
}

/** Where an object should be. */
export interface Placement {
  /** By cluster name, for every cluster that was asked about, in their order. */
  readonly clusters: ReadonlyMap<string, ClusterPlacement>;
  /** Names in the object's own list that are no cluster. */
  readonly unknown: readonly string[];
  /** Whether the namespace of the object has no FederatedNamespace, so that nothing is placed. */
  readonly namespaceNotFederated: boolean;
}

/** What {@link placementOf} takes beside the object. */
export interface PlacementOptions {
  /**
   * The FederatedNamespace of the object's namespace: the object is only where the namespace is. `undefined` (say so on purpose) means that
   * there is none, and then the object is nowhere. Leave the option out for cluster-scoped objects, and where namespaces aren't federated.
   */
  readonly namespace?: FederatedObject | undefined;
}

type Decide = (cluster: ClusterEntry) => ClusterPlacement;

/**
 * Which clusters an object should be in (kubefed's rules): a list of names outranks the selector, also when it is empty; an absent selector
 * selects nothing, and an empty one everything; whether a cluster is ready plays no part.
 *
 * @throws ClustersetError `Invalid` for a selector that doesn't parse, with its field.
 */
export function placementOf(
  object: FederatedObject,
  clusters: readonly ClusterEntry[],
  options: PlacementOptions = {},
): Placement {
  const own = decideBy(object.spec.placement);
  const inNamespace = namespaceRule(options);
  const namespaceNotFederated = 'namespace' in options && options.namespace === undefined;
  const known = new Set(clusters.map(({ name }) => name));
  return {
    clusters: new Map(clusters.map((cluster) => [cluster.name, both(own(cluster), inNamespace(cluster))])),
    unknown: listedNames(object.spec.placement).filter((name) => !known.has(name)),
    namespaceNotFederated,
  };
}

/** What is wrong with a placement, before any cluster is asked about. */
export function placementIssues(placement: PlacementSpec | undefined): readonly Issue[] {
  if (placement?.clusters !== undefined && placement.clusters !== null) return [];
  try {
    selectorOf(placement);
    return [];
  } catch (error) {
    if (!isClustersetError(error)) throw error;
    return [issueOf(error)];
  }
}

function both(own: ClusterPlacement, inNamespace: ClusterPlacement | undefined): ClusterPlacement {
  return own.selected && inNamespace !== undefined && !inNamespace.selected ? inNamespace : own;
}

function namespaceRule(options: PlacementOptions): (cluster: ClusterEntry) => ClusterPlacement | undefined {
  if (!('namespace' in options)) return () => undefined;
  if (options.namespace === undefined) return () => ({ selected: false, reason: 'NamespaceNotFederated' });
  if (options.namespace.metadata.deletionTimestamp !== undefined) return () => ({ selected: false, reason: 'NamespaceDeleted' });
  const decide = decideBy(checkedPlacement(options.namespace), `FederatedNamespace ${options.namespace.metadata.name}: `);
  return (cluster) => (decide(cluster).selected ? undefined : { selected: false, reason: 'NamespaceNotPlaced' });
}

/** A namespace that can't be read is nobody's reason to go away: it is an error. */
function checkedPlacement({ metadata, spec }: FederatedObject): PlacementSpec | undefined {
  const [issue] = placementShapeIssues(spec?.placement);
  if (issue === undefined) return spec?.placement;
  throw new ClustersetError({
    code: 'Invalid',
    message: issue.message,
    field: `FederatedNamespace ${metadata.name}: ${issue.field}`,
    mend: issue.mend ?? 'correct the FederatedNamespace',
  });
}

function decideBy(placement: PlacementSpec | undefined, owner = ''): Decide {
  if (placement?.clusters !== undefined && placement.clusters !== null) {
    const names = new Set(listedNames(placement));
    return ({ name }) => (names.has(name) ? { selected: true, reason: 'Listed' } : { selected: false, reason: 'NotListed' });
  }
  const requirements = selectorOf(placement, owner);
  if (requirements === undefined) return () => ({ selected: false, reason: 'NoPlacement' });
  return ({ labels }) =>
    matchesLabels(requirements, labels)
      ? { selected: true, reason: 'LabelsMatch' }
      : { selected: false, reason: 'LabelsDoNotMatch' };
}

function listedNames(placement: PlacementSpec | undefined): readonly string[] {
  return [...new Set((placement?.clusters ?? []).map(({ name }) => name))];
}

function selectorOf(placement: PlacementSpec | undefined, owner = ''): LabelRequirements | undefined {
  const selector = placement?.clusterSelector;
  if (selector === undefined || selector === null) return undefined;
  try {
    return requirementsOf(selector);
  } catch (error) {
    if (!isClustersetError(error)) throw error;
    throw error.with({
      field: `${owner}spec.placement.clusterSelector`,
      mend: 'write it as the labelSelector of a Kubernetes object',
    });
  }
}

const PLACEMENT_TEXT: Readonly<Record<PlacementReason, string>> = {
  Listed: 'named in the placement',
  LabelsMatch: 'its labels match the placement',
  NotListed: 'not named in the placement',
  LabelsDoNotMatch: 'its labels do not match the placement',
  NoPlacement: 'the object has no placement',
  NamespaceNotFederated: 'its namespace has no FederatedNamespace',
  NamespaceNotPlaced: 'its FederatedNamespace is not placed there',
  NamespaceDeleted: 'its FederatedNamespace is being deleted',
};

/** A reason in words. */
export function explainPlacement(reason: PlacementReason): string {
  return PLACEMENT_TEXT[reason];
}
