import {
  type AnyObject,
  apiVersionOf,
  type ClusterReader,
  ClustersetError,
  type ClusterWriter,
  hasCode,
  isClustersetError,
  isNotServed,
  type RequestOptions,
  type ResourceType,
  resourceType,
  shapeError,
} from '../kube/index.ts';
import { CLUSTER_ID_PROPERTY, CLUSTERSET_PROPERTY, ClusterProperty, ClusterPropertyV1Alpha1, valueOfProperty } from './api.ts';
import { checkClusterProperty, type McsUseOptions } from './check.ts';
import { type ClaimOptions, type ClaimRefusal, type ClaimStep, claimIdentity, type WantedIdentity } from './claim.ts';
import { type ClusterIdentity, identityOf } from './identity.ts';
import { type ClusterSetVerdict, type MemberFacts, type VerifyOptions, verifyClusterSet } from './verify.ts';

const NAMESPACES = resourceType('v1', 'Namespace', 'namespaces', 'Cluster');

/**
 * All properties of a cluster, in the order of their names, in v1beta1 or else in v1alpha1.
 *
 * @throws ClustersetError `NotServed` where the About API isn't installed, and whatever else keeps a cluster from being read.
 */
export async function readProperties(cluster: ClusterReader, options: RequestOptions = {}): Promise<readonly ClusterProperty[]> {
  return inServedVersion(cluster, async (type) => (await cluster.list(type, options)).items);
}

/**
 * Who the cluster says that it is. Asks for the two well-known properties alone, so that a reader needs no right to others.
 *
 * @throws ClustersetError as {@link readProperties} does.
 */
export async function readIdentity(
  cluster: ClusterReader,
  { signal, ...options }: RequestOptions & McsUseOptions = {},
): Promise<ClusterIdentity> {
  return identityOf(await inServedVersion(cluster, (type) => wellKnownOf(cluster, type, signal)), options);
}

/**
 * What {@link verify} needs to know of one cluster: its properties, and the uid of kube-system where that may be read. A cluster that can't be read
 * is an answer, too.
 *
 * @throws ClustersetError only where the caller's own signal has fired.
 */
export async function readMember(cluster: ClusterReader, options: RequestOptions = {}): Promise<MemberFacts> {
  const { name } = cluster;
  try {
    const [properties, uid] = await Promise.all([readProperties(cluster, options), uidOf(cluster, options)]);
    return { cluster: name, state: 'read', properties, ...(uid === undefined ? {} : { uid }) };
  } catch (error) {
    options.signal?.throwIfAborted();
    if (isNotServed(error)) return { cluster: name, state: 'notInstalled' };
    if (!isClustersetError(error)) return { cluster: name, state: 'unreadable', message: String(error) };
    const { detail, mend } = error;
    return { cluster: name, state: 'unreadable', message: detail, ...(mend === undefined ? {} : { mend }) };
  }
}

/**
 * Reads many clusters side by side, and checks their identities as one ClusterSet. One that is broken is a finding, and spoils nothing for the
 * others; how long it is waited for is for the connection to say.
 *
 * @throws ClustersetError only where the caller's own signal has fired.
 */
export async function verify(
  clusters: readonly ClusterReader[],
  { signal, ...options }: RequestOptions & VerifyOptions = {},
): Promise<ClusterSetVerdict> {
  return verifyClusterSet(await Promise.all(clusters.map((cluster) => readMember(cluster, { signal }))), options);
}

/** What {@link claim} and {@link publish} take. */
export interface PublishOptions extends RequestOptions {
  /** Who writes, for `managedFields`. */
  readonly fieldManager: string;
}

/** What became of a claim. */
export type ClaimOutcome =
  /** The cluster is who it should be. `steps` are those that it took: none where it was before. */
  | { readonly claimed: true; readonly steps: readonly ClaimStep[] }
  | { readonly claimed: false; readonly refusal: ClaimRefusal; readonly steps: readonly ClaimStep[] };

/** A second look is enough to see who was faster; a third is for those who change their mind. */
const LOOKS = 3;

/**
 * Makes a cluster who it should be, as {@link claimIdentity} decides. What is missing is created, and nothing else is ever written to: where somebody
 * else is faster, what they wrote is compared, and counts if it is the same. With `leave`, what was there is deleted, once, if it is still what was
 * looked at. Needs the rights to get and create, and with `leave` to delete.
 *
 * @throws ClustersetError as {@link readProperties} does, and what the writes fail with.
 */
export async function claim(
  cluster: ClusterReader & ClusterWriter,
  wanted: WantedIdentity,
  { fieldManager, signal, leave, others }: PublishOptions & ClaimOptions,
): Promise<ClaimOutcome> {
  return inServedVersion(cluster, async (type) => {
    const done: ClaimStep[] = [];
    for (let look = 0; look < LOOKS; look += 1) {
      const present = await wellKnownOf(cluster, type, signal);
      const decided = claimIdentity(present, wanted, { leave: leave === true && look === 0, others });
      if (decided.op === 'refuse') return { claimed: false, refusal: decided.refusal, steps: done };
      const isDone = await carryOut(cluster, type, decided.steps, { fieldManager, signal }, done);
      if (isDone) return { claimed: true, steps: done };
    }
    throw new ClustersetError({
      code: 'Conflict',
      message: 'somebody else keeps changing who the cluster is',
      cluster: cluster.name,
      object: { kind: ClusterProperty.kind, name: CLUSTER_ID_PROPERTY },
      mend: 'see who writes it (metadata.managedFields), and let one of you',
    });
  });
}

/** Whether all steps were carried out; where somebody else was faster, it is time to look again. */
async function carryOut(
  cluster: ClusterWriter,
  type: ResourceType<ClusterProperty>,
  steps: readonly ClaimStep[],
  options: PublishOptions,
  done: ClaimStep[],
): Promise<boolean> {
  for (const step of steps) {
    try {
      if (step.op === 'create') await cluster.create(type, inVersion(step.property, type), options);
      else {
        const { preconditions, name } = step;
        await cluster.delete(type, { name }, { preconditions, signal: options.signal });
      }
      done.push(step);
    } catch (error) {
      if (!hasCode(error, 'AlreadyExists', 'Conflict')) throw error;
      return false;
    }
  }
  return true;
}

/** What {@link publish} did. */
export interface Published {
  readonly outcome: 'created' | 'updated' | 'unchanged';
  readonly property: ClusterProperty;
}

/**
 * Writes a property, by server-side apply. One that says the same already isn't written to, and one that somebody else has written is left alone.
 * Who the cluster is isn't published but claimed: see {@link claim}.
 *
 * @throws ClustersetError `Invalid` for what KEP-2149 doesn't allow; `ApplyConflict` where another manager has the value, `AlreadyExists` where
 * another made the object and left it empty; else as {@link readProperties}.
 */
export async function publish(
  cluster: ClusterReader & ClusterWriter,
  property: ClusterProperty,
  { fieldManager, signal }: PublishOptions,
): Promise<Published> {
  const issues = checkClusterProperty(property);
  if (issues.length > 0) throw shapeError(ClusterProperty.kind, property, issues);
  const { name } = property.metadata;
  if (name === CLUSTER_ID_PROPERTY || name === CLUSTERSET_PROPERTY) {
    const message = 'says who the cluster is, and must not change while it is a member';
    throw shapeError(ClusterProperty.kind, property, [{ field: 'metadata.name', message, mend: 'claim it: claim()' }]);
  }
  return inServedVersion(cluster, async (type) => {
    const there = await cluster.get(type, { name }, { signal });
    const value = there === undefined ? undefined : valueOfProperty(there);
    if (there !== undefined && value === property.spec?.value) return { outcome: 'unchanged', property: there };
    if (there !== undefined && value === undefined) throw madeByOthers(cluster.name, name);
    const object = configurationOf(property, type, there?.metadata.uid);
    const ifAbsent = there === undefined;
    const applied = await cluster.apply<ClusterProperty>(type, object, { fieldManager, signal, ifAbsent });
    return { outcome: applied.created ? 'created' : 'updated', property: applied.object };
  });
}

/** What is applied. A uid makes sure that it is the object that was looked at. */
function configurationOf(
  { metadata: { name, labels, annotations }, spec }: ClusterProperty,
  type: ResourceType<ClusterProperty>,
  uid: string | undefined,
): AnyObject {
  const metadata = {
    name,
    ...(uid === undefined ? {} : { uid }),
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
  };
  return { apiVersion: apiVersionOf(type), kind: type.kind, metadata, spec };
}

function madeByOthers(cluster: string, name: string): ClustersetError {
  return new ClustersetError({
    code: 'AlreadyExists',
    message: 'somebody else has made it, and it says nothing',
    cluster,
    object: { kind: ClusterProperty.kind, name },
    mend: 'delete it, or use another name',
  });
}

async function wellKnownOf(
  cluster: ClusterReader,
  type: ResourceType<ClusterProperty>,
  signal: AbortSignal | undefined,
): Promise<readonly ClusterProperty[]> {
  const names = [CLUSTER_ID_PROPERTY, CLUSTERSET_PROPERTY];
  const found = await Promise.all(names.map((name) => cluster.get(type, { name }, { signal })));
  return found.filter((each) => each !== undefined);
}

/** The uid is worth knowing, and in nobody's way where it can't be read. */
async function uidOf(cluster: ClusterReader, options: RequestOptions): Promise<string | undefined> {
  try {
    return (await cluster.get(NAMESPACES, { name: 'kube-system' }, options))?.metadata.uid;
  } catch {
    return undefined;
  }
}

function inVersion(property: ClusterProperty, type: ResourceType<ClusterProperty>): ClusterProperty {
  return { ...property, apiVersion: apiVersionOf(type) };
}

/** Tries the newest version, then the older. What comes first in `act` is a read, so that nothing is done twice. */
async function inServedVersion<R>(cluster: ClusterReader, act: (type: ResourceType<ClusterProperty>) => Promise<R>): Promise<R> {
  try {
    return await act(ClusterProperty);
  } catch (error) {
    if (!isNotServed(error)) throw error;
  }
  try {
    return await act(ClusterPropertyV1Alpha1);
  } catch (error) {
    if (!isNotServed(error)) throw error;
    throw new ClustersetError({
      code: 'NotServed',
      message: 'the About API is not installed',
      cluster: cluster.name,
      status: error.status,
      mend: 'apply the CRD of ClusterProperty there: ClusterProperty.crd(), or what `clusterset crds about` prints',
      cause: error,
    });
  }
}
