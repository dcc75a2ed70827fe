import { type AnyObject, type Issue, isClustersetError, isRecord } from '../kube/index.ts';
import { type ClusterEntry, isReady } from '../registry/index.ts';
import { explainShare, planReplicas, type ReplicaSchedulingPreference, type ReplicaShare } from '../scheduling/index.ts';
import type { FederatedObject } from './api.ts';
import { issueOf, type RenderIssue } from './issue.ts';
import { type ClusterPlacement, explainPlacement, type Placement, type PlacementOptions, placementOf } from './placement.ts';
import { type Prepared, renderAll } from './render.ts';

/** What {@link decide} takes beside the object. */
export interface DecideInput extends PlacementOptions {
  readonly prepared: Prepared;
  readonly clusters: readonly ClusterEntry[];
  /** Divides the replicas, where there is one for the object. */
  readonly preference?: ReplicaSchedulingPreference | undefined;
  /** Replicas that the object has in its clusters now. */
  readonly running?: ReadonlyMap<string, number>;
}

/** What one cluster should have: the object as it is given, no object, or whatever it has now. */
export type ClusterDecision = {
  readonly cluster: ClusterEntry;
  /** Why, in words. */
  readonly why: string;
  /** How many replicas and why, where a preference divides them. */
  readonly share: ReplicaShare | undefined;
} & (
  | { readonly want: 'present'; readonly desired: AnyObject }
  | { readonly want: 'absent' | 'untouched'; readonly desired?: undefined }
);

/** What all clusters should have. */
export interface Decision {
  readonly prepared: Prepared;
  /** One for each cluster, in their order; none where there are issues: nothing may be written anywhere then. */
  readonly clusters: readonly ClusterDecision[];
  /** Clusters that the object names and nobody knows. */
  readonly unknown: readonly UnknownCluster[];
  /** What is wrong with the object. */
  readonly issues: readonly RenderIssue[];
  readonly namespaceNotFederated: boolean;
}

/** A name that is no cluster, and where it stands. */
export interface UnknownCluster extends Issue {
  readonly name: string;
}

/** Decides where an object should be and what it looks like there: placement, division of replicas, rendering. A deleted object should be nowhere. */
export function decide(input: DecideInput): Decision {
  const { prepared, clusters } = input;
  if (prepared.object.metadata.deletionTimestamp !== undefined) return decideDeletion(prepared, clusters);
  if (prepared.issues.length > 0) return refused(prepared, prepared.issues);
  try {
    return decidePresence(input);
  } catch (error) {
    if (!isClustersetError(error)) throw error;
    return refused(prepared, [issueOf(error)]);
  }
}

function refused(prepared: Prepared, issues: readonly RenderIssue[]): Decision {
  return { prepared, issues, clusters: [], unknown: [], namespaceNotFederated: false };
}

function decideDeletion(prepared: Prepared, clusters: readonly ClusterEntry[]): Decision {
  const why = 'the federated object is deleted';
  return { ...refused(prepared, []), clusters: clusters.map((cluster) => ({ cluster, want: 'absent', why, share: undefined })) };
}

function decidePresence(input: DecideInput): Decision {
  const { prepared, clusters } = input;
  const options = namespaceOption(input);
  const placement = placementOf(prepared.object, clusters, options);
  const division = input.preference === undefined ? undefined : divide(input, input.preference, placement);
  if (division?.issues.length) return refused(prepared, division.issues);
  const shares = division?.shares;
  const selected = clusters.filter(({ name }) =>
    shares === undefined ? placement.clusters.get(name)?.selected : shares.has(name),
  );
  const replicas =
    shares === undefined ? undefined : new Map([...shares].map(([name, share]) => [name, share.replicas + share.overflow]));
  const { objects, issues } = renderAll(prepared, selected, replicas);
  if (issues.length > 0) return refused(prepared, issues);
  const rendered = new Map(objects.map(({ cluster, object }) => [cluster, object]));
  return {
    prepared,
    issues,
    namespaceNotFederated: placement.namespaceNotFederated,
    unknown: unknownClusters(prepared.object, clusters),
    clusters: clusters.map((cluster) => {
      const share = shares?.get(cluster.name);
      const place = (division?.allowed ?? placement).clusters.get(cluster.name);
      const isPaused = division !== undefined && place?.selected === true && !isReady(cluster);
      const why = share === undefined ? whyNoShare(place, isPaused) : explainShare(share);
      const desired = rendered.get(cluster.name);
      if (desired !== undefined) return { cluster, want: 'present', desired, why, share };
      // Where nobody can take the replicas, they stay where they are; and a cluster that isn't ready keeps what it has until it is.
      const isHeld = isPaused || shares?.size === 0;
      return { cluster, want: isHeld ? 'untouched' : 'absent', why, share };
    }),
  };
}

function namespaceOption(input: DecideInput): PlacementOptions {
  return 'namespace' in input ? { namespace: input.namespace } : {};
}

function whyNoShare(place: ClusterPlacement | undefined, isPaused: boolean): string {
  if (isPaused) return 'its replicas are elsewhere, because it is not ready';
  return place === undefined ? '' : explainPlacement(place.reason);
}

interface DivisionOfReplicas {
  readonly shares: ReadonlyMap<string, ReplicaShare>;
  readonly allowed: Placement;
  readonly issues: readonly RenderIssue[];
}

/**
 * Divides replicas over the ready clusters that may have the object. As in kubefed a preference uses every ready cluster of the namespace,
 * whatever the object's own placement says, unless it intersects with that: then by its selector, or by its list where it has none.
 */
function divide(input: DecideInput, preference: ReplicaSchedulingPreference, placement: Placement): DivisionOfReplicas {
  const { prepared, clusters, running } = input;
  const { totalReplicas, rebalance = false, intersectWithClusterSelector = false, clusters: given = {} } = preference.spec;
  const options = namespaceOption(input);
  const allowed = intersectWithClusterSelector
    ? bySelectorFirst(prepared.object, clusters, placement, options)
    : placementOf(everywhere(prepared.object), clusters, options);
  const candidates = clusters
    .filter((entry) => isReady(entry) && allowed.clusters.get(entry.name)?.selected)
    .map(({ name }) => name);
  const plan = planReplicas({
    key: `${prepared.object.metadata.namespace ?? ''}/${prepared.object.metadata.name}`,
    totalReplicas,
    rebalance,
    preferences: Object.keys(given).length === 0 ? { '*': { weight: 1 } } : given,
    candidates,
    ...(running === undefined ? {} : { current: running }),
  });
  const issues = plan.shares
    .filter(({ replicas }) => replicas < 0)
    .map(({ cluster, replicas }) => ({
      cluster,
      field: 'spec',
      message: `the ReplicaSchedulingPreference gives it ${replicas} replicas`,
      mend: 'use numbers that are not negative',
    }));
  return { shares: new Map(plan.shares.map((share) => [share.cluster, share])), allowed, issues };
}

function bySelectorFirst(
  object: FederatedObject,
  clusters: readonly ClusterEntry[],
  placement: Placement,
  options: PlacementOptions,
): Placement {
  const selector = object.spec.placement?.clusterSelector;
  if (selector === undefined) return placement;
  return placementOf({ ...object, spec: { placement: { clusterSelector: selector } } }, clusters, options);
}

function everywhere(object: FederatedObject): FederatedObject {
  return { ...object, spec: { placement: { clusterSelector: {} } } };
}

function unknownClusters(object: FederatedObject, clusters: readonly ClusterEntry[]): readonly UnknownCluster[] {
  const known = new Set(clusters.map(({ name }) => name));
  const listed = (object.spec.placement?.clusters ?? []).map(({ name }, index) => ({
    name,
    field: `spec.placement.clusters[${index}].name`,
  }));
  const overridden = (object.spec.overrides ?? []).flatMap(({ clusterName }, index) =>
    clusterName === undefined ? [] : [{ name: clusterName, field: `spec.overrides[${index}].clusterName` }],
  );
  const names = [...known].sort().join(', ') || 'none';
  return [...listed, ...overridden]
    .filter(({ name }) => !known.has(name))
    .map((each) => ({
      ...each,
      message: `there is no cluster "${each.name}"`,
      mend: `correct the name, or take it out; known are ${names}`,
    }));
}

/** The replicas that an object has by its spec: what counts as running there. */
export function replicasOf(object: AnyObject | undefined): number | undefined {
  const spec = isRecord(object?.spec) ? object.spec : {};
  return typeof spec.replicas === 'number' ? spec.replicas : undefined;
}
