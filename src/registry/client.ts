import {
  type AnyObject,
  apiVersionOf,
  type ClusterReader,
  ClustersetError,
  type ClusterWatcher,
  type ClusterWriter,
  type Condition,
  type DefinedResource,
  type DeleteOutcome,
  deepEqual,
  type Issue,
  isRecord,
  type Json,
  keyOf,
  type ObjectKey,
  type RequestOptions,
  setCondition,
} from '../kube/index.ts';
import { ClusterProfile, KubeFedCluster, RegistryCluster } from './api.ts';
import type { ClusterEntry } from './entry.ts';
import { entryOfClusterProfile } from './mapping/cluster-profile.ts';
import { entryOfKubeFedCluster } from './mapping/kubefed-cluster.ts';
import type { EntryNaming, MappedCluster } from './mapping/mapping.ts';
import { entryOfRegistryCluster } from './mapping/registry-cluster.ts';
import { CLUSTER_MANAGER_LABEL, type ProfileFacts, profileStatus } from './profile.ts';

/** A kind of object that stands for a cluster. */
export interface RegistryKind {
  readonly type: DefinedResource<AnyObject>;
  /** What an object of the kind becomes. */
  readonly entryOf: (object: AnyObject, naming?: EntryNaming) => MappedCluster;
  /** The condition that says whether a cluster is ready. */
  readonly readyCondition: string;
  /** Whether the status is written on its own. */
  readonly hasStatusSubresource: boolean;
  /** The field of a condition with the time of the last look, where the kind demands one. */
  readonly probeTimeField?: 'lastProbeTime';
}

const kindOf = (type: unknown): DefinedResource<AnyObject> => type as DefinedResource<AnyObject>;

/** The kinds that are known, by the name that commands and sources use. */
export const REGISTRY_KINDS: Readonly<Record<'cluster' | 'clusterprofile' | 'kubefedcluster', RegistryKind>> = {
  cluster: {
    type: kindOf(RegistryCluster),
    entryOf: entryOfRegistryCluster,
    readyCondition: 'OK',
    hasStatusSubresource: false,
  },
  clusterprofile: {
    type: kindOf(ClusterProfile),
    entryOf: entryOfClusterProfile,
    readyCondition: 'ControlPlaneHealthy',
    hasStatusSubresource: true,
  },
  kubefedcluster: {
    type: kindOf(KubeFedCluster),
    entryOf: entryOfKubeFedCluster,
    readyCondition: 'Ready',
    hasStatusSubresource: true,
    probeTimeField: 'lastProbeTime',
  },
};

/** Clusters of a registry, and what of them could not be used, by the key of the object. */
export interface RegistryListing {
  readonly entries: readonly ClusterEntry[];
  readonly issues: readonly (Issue & { readonly object: ObjectKey })[];
}

/** Which part of a registry is meant. */
export interface RegistryOptions extends RequestOptions {
  /** One namespace; all of them where it is absent, and then entries are called `namespace/name`. */
  readonly namespace?: string;
  readonly labelSelector?: string;
}

/** All clusters of a registry. @throws ClustersetError `NotServed` where the host hasn't the kind. */
export async function listClusters(
  host: ClusterReader,
  kind: RegistryKind,
  options: RegistryOptions = {},
): Promise<RegistryListing> {
  const entries: ClusterEntry[] = [];
  const issues: RegistryListing['issues'][number][] = [];
  const naming = options.namespace === undefined ? 'namespace/name' : 'name';
  let next: string | undefined;
  do {
    const page = await host.list<AnyObject>(kind.type, { ...options, limit: 500, continue: next });
    for (const object of page.items) {
      const mapped = kind.entryOf(object, naming);
      if (mapped.entry !== undefined) entries.push(mapped.entry);
      for (const issue of mapped.issues) issues.push({ ...issue, object: keyOf(object) });
    }
    next = page.continue;
  } while (next !== undefined && next !== '');
  return { entries, issues };
}

/** One cluster of a registry; `undefined` where there is none of the name. */
export async function getCluster(
  host: ClusterReader,
  kind: RegistryKind,
  key: ObjectKey,
  options: RequestOptions = {},
): Promise<MappedCluster | undefined> {
  const object = await host.get<AnyObject>(kind.type, key, options);
  return object === undefined ? undefined : kind.entryOf(object);
}

/** A change in a registry. */
export interface RegistryEvent {
  readonly type: 'added' | 'changed' | 'removed';
  readonly key: ObjectKey;
  readonly mapped: MappedCluster;
}

/**
 * The changes of a registry, beginning with all that is there, until the server ends the watch. For a source that goes on for ever see
 * `clusterset/controllers/registry`.
 */
export async function* watchClusters(
  host: ClusterWatcher,
  kind: RegistryKind,
  options: RegistryOptions = {},
): AsyncGenerator<RegistryEvent> {
  const naming = options.namespace === undefined ? 'namespace/name' : 'name';
  const types = { ADDED: 'added', MODIFIED: 'changed', DELETED: 'removed' } as const;
  for await (const event of host.watch<AnyObject>(kind.type, options)) {
    if (event.type === 'BOOKMARK') continue;
    yield { type: types[event.type], key: keyOf(event.object), mapped: kind.entryOf(event.object, naming) };
  }
}

/** What every write of the registry takes. */
export interface RegistryWriteOptions extends RequestOptions {
  /** Default: `clusterset`. */
  readonly fieldManager?: string;
}

const FIELD_MANAGER = 'clusterset';

/**
 * Registers a cluster: creates its object, and touches none that is there already.
 *
 * @throws ClustersetError `AlreadyExists`; `Invalid` where the object hasn't the shape of its kind.
 */
export async function registerCluster(
  host: ClusterWriter,
  kind: RegistryKind,
  cluster: { readonly metadata: AnyObject['metadata']; readonly spec: Json },
  { fieldManager = FIELD_MANAGER, signal }: RegistryWriteOptions = {},
): Promise<AnyObject> {
  const { type } = kind;
  const object = type.read({ apiVersion: apiVersionOf(type), kind: type.kind, ...cluster });
  return host.create<AnyObject>(type, object, { fieldManager, signal });
}

/** Sets labels of a cluster; `null` takes one away. Other labels stay. @throws ClustersetError `NotFound`. */
export async function labelCluster(
  host: ClusterWriter,
  kind: RegistryKind,
  key: ObjectKey,
  labels: Readonly<Record<string, string | null>>,
  { fieldManager = FIELD_MANAGER, signal }: RegistryWriteOptions = {},
): Promise<AnyObject> {
  const body = { metadata: { labels: { ...labels } } };
  return host.patch<AnyObject>(kind.type, key, { type: 'merge', body }, { fieldManager, signal });
}

/**
 * Sets a condition of a cluster, at a time (RFC 3339), and leaves the others. Writes nothing where nothing changed; loses no write of somebody
 * else. A ClusterProfile's condition needs a reason and a message (API: meta/v1 Condition).
 *
 * @returns whether anything was written.
 * @throws ClustersetError `NotFound`; `Conflict` where somebody else was faster: look again.
 */
export async function setClusterCondition(
  host: ClusterReader & ClusterWriter,
  kind: RegistryKind,
  key: ObjectKey,
  condition: Condition,
  now: string,
  options: RegistryWriteOptions = {},
): Promise<boolean> {
  return changeStatus(host, kind, key, options, (status) => {
    const { conditions } = status;
    const before = Array.isArray(conditions) ? (conditions.filter(isRecord) as unknown as readonly Condition[]) : [];
    const probed = kind.probeTimeField === undefined ? condition : { ...condition, [kind.probeTimeField]: now };
    const next = setCondition(before, probed, now);
    return next === before ? status : ({ ...status, conditions: next } as never);
  });
}

type Status = Readonly<Record<string, Json>>;

async function changeStatus(
  host: ClusterReader & ClusterWriter,
  kind: RegistryKind,
  key: ObjectKey,
  { fieldManager = FIELD_MANAGER, signal }: RegistryWriteOptions,
  change: (status: Status) => Status,
): Promise<boolean> {
  const object = await host.get<AnyObject & { readonly status?: Status }>(kind.type, key, { signal });
  const before = object?.status ?? {};
  const after = change(before);
  if (object !== undefined && deepEqual(before as Json, after as Json)) return false;
  // Without an object the patch says in the server's words that there is none.
  const { resourceVersion } = object?.metadata ?? {};
  const body = { metadata: { ...(resourceVersion === undefined ? {} : { resourceVersion }) }, status: after };
  const subresource = kind.hasStatusSubresource ? { subresource: 'status' as const } : {};
  await host.patch<AnyObject>(kind.type, key, { type: 'merge', body: body as Json }, { fieldManager, signal, ...subresource });
  return true;
}

/** Takes a cluster out of the registry; the cluster itself isn't touched. */
export function removeCluster(
  host: ClusterWriter,
  kind: RegistryKind,
  key: ObjectKey,
  { signal }: RequestOptions = {},
): Promise<DeleteOutcome> {
  return host.delete(kind.type, key, { signal });
}

/** A profile to publish. */
export interface PublishedProfile extends ProfileFacts {
  readonly key: { readonly namespace: string; readonly name: string };
  /** Who keeps the profile; part of it for ever. */
  readonly manager: string;
  readonly displayName?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/**
 * Publishes a ClusterProfile: creates it with its manager's label, or brings its name, labels and status up to date. A profile of another
 * manager is left alone.
 *
 * @returns whether anything was written.
 * @throws ClustersetError `Forbidden` for a profile of another manager; `Conflict` or `AlreadyExists` where somebody else was faster.
 */
export async function publishProfile(
  host: ClusterReader & ClusterWriter,
  profile: PublishedProfile,
  now: string,
  options: RegistryWriteOptions = {},
): Promise<boolean> {
  const { fieldManager = FIELD_MANAGER, signal } = options;
  const { key, manager, displayName } = profile;
  const kind = REGISTRY_KINDS.clusterprofile;
  const labels = { ...profile.labels, [CLUSTER_MANAGER_LABEL]: manager };
  const spec = { clusterManager: { name: manager }, ...(displayName === undefined ? {} : { displayName }) };
  const before = await host.get(ClusterProfile, key, { signal });
  const owner = before?.spec.clusterManager.name ?? manager;
  if (owner !== manager) throw anothersProfile(host.name, key, owner);
  let written = false;
  if (before === undefined) {
    await registerCluster(host, kind, { metadata: { ...key, labels }, spec }, options);
    written = true;
  } else if (!isLike(before, labels, spec)) {
    const body = { metadata: { labels, resourceVersion: before.metadata.resourceVersion ?? '' }, spec };
    await host.patch(ClusterProfile, key, { type: 'merge', body }, { fieldManager, signal });
    written = true;
  }
  const changed = await changeStatus(host, kind, key, options, (status) => profileStatus(status as never, profile, now) as never);
  return written || changed;
}

function isLike(profile: ClusterProfile, labels: Readonly<Record<string, string>>, spec: ClusterProfile['spec']): boolean {
  const has = profile.metadata.labels ?? {};
  return (
    Object.entries(labels).every(([name, value]) => has[name] === value) &&
    (spec.displayName === undefined || profile.spec.displayName === spec.displayName)
  );
}

function anothersProfile(cluster: string, key: ObjectKey, owner: string): ClustersetError {
  return new ClustersetError({
    code: 'Forbidden',
    message: `the profile is kept by "${owner}"`,
    cluster,
    object: { kind: 'ClusterProfile', ...key },
    field: 'spec.clusterManager.name',
    mend: 'publish under another name',
  });
}
