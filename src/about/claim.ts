import type { Issue } from '../kube/index.ts';
import { CLUSTER_ID_PROPERTY, CLUSTERSET_PROPERTY, type ClusterProperty, clusterProperty, valueOfProperty } from './api.ts';
import { checkClusterId, checkClusterSetName } from './check.ts';
import { wellKnownIn } from './identity.ts';
import type { RememberedIdentity } from './memory.ts';
import { quoted } from './quote.ts';

/** Who a cluster should be. */
export interface WantedIdentity {
  readonly id: string;
  /** Default: the ClusterSet that the cluster is in, or none. */
  readonly clusterSet?: string | undefined;
}

/** What {@link claimIdentity} takes beside what is there and what is wanted. */
export interface ClaimOptions {
  /**
   * What is there may be given up for what is wanted. Id and ClusterSet don't change while a cluster is a member, so that this is leaving and joining
   * again: consumers of both see a cluster go and another come (KEP-2149). Default false.
   */
  readonly leave?: boolean | undefined;
  /** Who the others are, as far as that is known: no two members of a ClusterSet have the same id. Default: nobody is known. */
  readonly others?: readonly Pick<RememberedIdentity, 'cluster' | 'id' | 'clusterSet'>[] | undefined;
}

/** One write. A deletion holds only for what was seen. */
export type ClaimStep =
  | { readonly op: 'create'; readonly property: ClusterProperty }
  | {
      readonly op: 'delete';
      readonly name: string;
      readonly preconditions: { readonly uid?: string; readonly resourceVersion?: string };
    };

/** Why an identity is refused. */
export type ClaimReason =
  | 'IdInvalid'
  | 'ClusterSetInvalid'
  | 'IdTaken'
  | 'IdFixed'
  | 'OtherId'
  | 'MemberOfOtherSet'
  | 'NoValue'
  | 'BeingDeleted';

/** Why an identity is refused, and what to do. */
export interface ClaimRefusal extends Issue {
  readonly reason: ClaimReason;
  /** Name of the ClusterProperty that is in the way, or can't be written. */
  readonly property: string;
  readonly mend: string;
}

/** What has to be written for an identity, in this order; nothing where it is there already. */
export type Claim =
  | { readonly op: 'claim'; readonly steps: readonly ClaimStep[] }
  | { readonly op: 'refuse'; readonly refusal: ClaimRefusal };

const LEAVE = 'keep what is there, or leave and join again (leave: true)';

/**
 * What to write so that a cluster is who it should be. Only what is missing is created; what is there and says something else is refused, unless
 * the caller says `leave`. The id comes before the ClusterSet, and goes after it: it has to exist for as long as the cluster is a member (KEP-2149,
 * cluster.clusterset.k8s.io, lifespan).
 */
export function claimIdentity(present: readonly ClusterProperty[], wanted: WantedIdentity, options: ClaimOptions = {}): Claim {
  const found = wellKnownIn(present);
  const clusterSet = wanted.clusterSet ?? (found.clusterSet === undefined ? undefined : valueOfProperty(found.clusterSet));
  const id = slot(CLUSTER_ID_PROPERTY, found.id, wanted.id);
  const set = slot(CLUSTERSET_PROPERTY, found.clusterSet, clusterSet);
  const refusal =
    unusable({ ...wanted, clusterSet }) ??
    going(found.id) ??
    going(found.clusterSet) ??
    (options.leave === true ? undefined : (inTheWayOfId(id, found.clusterSet !== undefined) ?? inTheWayOfSet(set)));
  if (refusal !== undefined) return { op: 'refuse', refusal };
  const steps = stepsFor(id, set);
  const taken = steps.length === 0 ? undefined : takenBy(wanted.id, clusterSet, options.others ?? []);
  return taken === undefined ? { op: 'claim', steps } : { op: 'refuse', refusal: taken };
}

/** One of the two properties: what there is, and what is wanted. */
interface Slot {
  readonly name: string;
  readonly there: ClusterProperty | undefined;
  readonly value: string | undefined;
  readonly wanted: string | undefined;
  readonly differs: boolean;
}

function slot(name: string, there: ClusterProperty | undefined, wanted: string | undefined): Slot {
  const value = there === undefined ? undefined : valueOfProperty(there);
  return { name, there, value, wanted, differs: there !== undefined && (value === undefined || value !== wanted) };
}

function stepsFor(id: Slot, set: Slot): readonly ClaimStep[] {
  // Another id is another member, also where the set stays the same.
  const leaves = set.there !== undefined && (set.differs || id.differs);
  return [
    ...(leaves ? remove(set) : []),
    ...(id.differs ? remove(id) : []),
    ...(id.there === undefined || id.differs ? add(id) : []),
    ...(set.there === undefined || leaves ? add(set) : []),
  ];
}

function remove({ name, there }: Slot): readonly ClaimStep[] {
  const { uid, resourceVersion } = there?.metadata ?? {};
  const seen = { ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) };
  return [{ op: 'delete', name, preconditions: seen }];
}

function add({ name, wanted }: Slot): readonly ClaimStep[] {
  return wanted === undefined ? [] : [{ op: 'create', property: clusterProperty(name, wanted) }];
}

function unusable({ id, clusterSet }: WantedIdentity): ClaimRefusal | undefined {
  const [badId] = checkClusterId(id);
  if (badId !== undefined) {
    return refuse('IdInvalid', CLUSTER_ID_PROPERTY, `${quoted(id)} ${badId.message}`, badId.mend ?? '');
  }
  const [badSet] = clusterSet === undefined ? [] : checkClusterSetName(clusterSet);
  if (badSet === undefined) return undefined;
  return refuse('ClusterSetInvalid', CLUSTERSET_PROPERTY, `${quoted(clusterSet ?? '')} ${badSet.message}`, badSet.mend ?? '');
}

function going(there: ClusterProperty | undefined): ClaimRefusal | undefined {
  if (there?.metadata.deletionTimestamp === undefined) return undefined;
  return refuse(
    'BeingDeleted',
    there.metadata.name,
    'it is being deleted',
    'wait until it is gone; its finalizers say who holds it',
  );
}

function inTheWayOfId({ name, value, wanted = '', there, differs }: Slot, isMember: boolean): ClaimRefusal | undefined {
  if (!differs) return undefined;
  if (value === undefined) return saysNothing(there);
  if (isMember) {
    const message = `the cluster is a member of its ClusterSet as ${quoted(value)}, and can not become ${quoted(wanted)} while it is`;
    return refuse('IdFixed', name, message, LEAVE);
  }
  return refuse('OtherId', name, `the cluster has the id ${quoted(value)} already, not ${quoted(wanted)}`, LEAVE);
}

function inTheWayOfSet({ name, value, wanted, there, differs }: Slot): ClaimRefusal | undefined {
  if (there === undefined) return undefined;
  if (value === undefined) return saysNothing(there);
  if (!differs) return undefined;
  return refuse('MemberOfOtherSet', name, `the cluster is a member of ${quoted(value)}, not of ${quoted(wanted ?? '')}`, LEAVE);
}

function saysNothing(there: ClusterProperty | undefined): ClaimRefusal {
  const property = there?.metadata.name ?? '';
  return refuse('NoValue', property, 'it is there and says nothing', `delete ClusterProperty ${property}, or write a value`);
}

function takenBy(
  id: string,
  clusterSet: string | undefined,
  others: NonNullable<ClaimOptions['others']>,
): ClaimRefusal | undefined {
  if (clusterSet === undefined) return undefined;
  const holder = others.find((other) => other.id === id && other.clusterSet === clusterSet);
  if (holder === undefined) return undefined;
  const message = `${quoted(id)} is the id of cluster ${holder.cluster} in ${quoted(clusterSet)}`;
  return refuse('IdTaken', CLUSTER_ID_PROPERTY, message, 'choose another id');
}

function refuse(reason: ClaimReason, property: string, message: string, mend: string): ClaimRefusal {
  return { reason, property, field: 'spec.value', message, mend };
}
