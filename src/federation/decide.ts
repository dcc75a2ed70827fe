import { type AnyObject, type Issue, isRecord } from '../kube/index.ts';
import { type ClusterEntry, isReady } from '../registry/index.ts';
import { explainShare, planReplicas, type ReplicaSchedulingPreference, type ReplicaShare } from '../scheduling/index.ts';
import type { FederatedObject } from './api.ts';
import type { RenderIssue } from './issue.ts';
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

/** What one cluster should have. */
export interface ClusterDecision {
  readonly cluster: ClusterEntry;
  /** The object as it should be there; `undefined` where it shouldn't be there. */
  readonly desired: AnyObject | undefined;
  /** Why, in words. */
  readonly why: string;
  /** How many replicas and why, where a preference divides them. */
  readonly share: ReplicaShare | undefined;
}

/** What all clusters should have. */
export interface Decision {
  readonly prepared: Prepared;
  readonly clusters: readonly ClusterDecision[];
  /** Clusters that the object names and nobody knows. */
  readonly unknown: readonly UnknownCluster[];
  /** What is wrong with the object. Where there is anything, nothing may be written anywhere. */
  readonly issues: readonly RenderIssue[];
  readonly namespaceNotFederated: boolean;
}

/** A name that is no cluster, and where it stands. */
export interface UnknownCluster extends Issue {
  readonly name: string;
}

/** Decides where an object should be and what it looks like there: placement, division of replicas, rendering. */
export function decide(input: DecideInput): Decision {
  const { prepared, clusters } = input;
  const nothing = { prepared, clusters: [], unknown: [], namespaceNotFederated: false };
  if (prepared.issues.length > 0) return { ...nothing, issues: prepared.issues };
  const options: PlacementOptions = 'namespace' in input ? { namespace: input.namespace } : {};
  const placement = placementOf(prepared.object, clusters, options);
  const shares = input.preference === undefined ? undefined : divide(input, input.preference, placement, options);
  const selected = clusters.filter(({ name }) =>
    shares === undefined ? placement.clusters.get(name)?.selected : shares.has(name),
  );
  const replicas =
    shares === undefined ? undefined : new Map([...shares].map(([name, share]) => [name, share.replicas + share.overflow]));
  const { objects, issues } = renderAll(prepared, selected, replicas);
  const desired = new Map(objects.map(({ cluster, object }) => [cluster, object]));
  return {
    prepared,
    issues,
    namespaceNotFederated: placement.namespaceNotFederated,
    unknown: unknownClusters(prepared.object, clusters),
    clusters: clusters.map((cluster) => {
      const share = shares?.get(cluster.name);
      const why = shares === undefined ? whyPlaced(placement.clusters.get(cluster.name)) : whyShared(cluster, share);
      return { cluster, desired: desired.get(cluster.name), why, share };
    }),
  };
}

function whyPlaced(placement: ClusterPlacement | undefined): string {
  return placement === undefined ? '' : explainPlacement(placement.reason);
}

function whyShared(cluster: ClusterEntry, share: ReplicaShare | undefined): string {
  if (share !== undefined) return explainShare(share);
  return isReady(cluster) ? 'the preference is not for this cluster' : 'the cluster is not ready, so its replicas are elsewhere';
}

/**
 * Divides replicas over the ready clusters that may have the object. As in kubefed a preference uses every ready cluster of the namespace,
 * whatever the object's own placement says, unless it intersects with that: then by its selector, or by its list where it has none.
 */
function divide(
  { prepared, clusters, running }: DecideInput,
  preference: ReplicaSchedulingPreference,
  placement: Placement,
  options: PlacementOptions,
): ReadonlyMap<string, ReplicaShare> {
  const { totalReplicas, rebalance = false, intersectWithClusterSelector = false } = preference.spec;
  const allowed = intersectWithClusterSelector
    ? bySelectorFirst(prepared.object, clusters, placement, options)
    : placementOf(everywhere(prepared.object), clusters, options);
  const candidates = clusters
    .filter((entry) => isReady(entry) && allowed.clusters.get(entry.name)?.selected)
    .map(({ name }) => name);
  const given = preference.spec.clusters ?? {};
  const plan = planReplicas({
    key: `${prepared.object.metadata.namespace ?? ''}/${prepared.object.metadata.name}`,
    totalReplicas,
    rebalance,
    preferences: Object.keys(given).length === 0 ? { '*': { weight: 1 } } : given,
    candidates,
    ...(running === undefined ? {} : { current: running }),
  });
  return new Map(plan.shares.map((share) => [share.cluster, share]));
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
  return [...listed, ...overridden]
    .filter(({ name }) => !known.has(name))
    .map((each) => ({
      ...each,
      message: `there is no cluster "${each.name}"`,
      mend: `correct the name, or take it out; known are ${[...known].join(', ') || 'none'}`,
    }));
}

/** The replicas that an object has by its spec: what counts as running there. */
export function replicasOf(object: AnyObject | undefined): number | undefined {
  const spec = isRecord(object?.spec) ? object.spec : {};
  return typeof spec.replicas === 'number' ? spec.replicas : undefined;
}
