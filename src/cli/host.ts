import { installTypes, PropagationController } from '../controllers/propagation/index.ts';
import {
  BUILT_IN_FEDERATED_TYPES,
  type FederatedObject,
  type FederatedStatus,
  type FederatedType,
  FederatedTypeConfig,
  federatedTypeOf,
  withTypes,
} from '../federation/index.ts';
import {
  type AnyObject,
  type Cluster,
  formatReference,
  isClustersetError,
  isConditionTrue,
  isNotServed,
  isSameResource,
  keyOf,
  type ObjectKey,
  type ResourceType,
  resourceType,
  untyped,
} from '../kube/index.ts';
import type { ClusterEntry } from '../registry/index.ts';
import { ClusterSet, type ClusterSetOptions, staticSource, systemClock } from '../runtime/index.ts';
import { ReplicaSchedulingPreference } from '../scheduling/index.ts';
import { type Federation, FIELD_MANAGER } from './inputs.ts';
import type { Manifest } from './manifests.ts';
import { type State, statesOf } from './state-report.ts';

/** Who writes what stands in files, apart from the controller that writes what becomes of it. */
const AUTHOR = 'clusterset-apply';

const NAMESPACES = resourceType('v1', 'Namespace', 'namespaces', 'Cluster');

/** An object that the command is about, on the host. */
export interface HostObject {
  readonly type: FederatedType;
  readonly key: ObjectKey;
}

/** The federated objects of files, as they are on the host. */
export function hostObjectsOf({ objects }: Federation, refused: ReadonlySet<Manifest> = new Set()): readonly HostObject[] {
  return objects
    .filter(({ manifest }) => !refused.has(manifest))
    .map(({ prepared: { type, object } }) => ({ type, key: keyOf(object) }));
}

/** What {@link writeToHost} takes. */
export interface HostWrite {
  readonly host: Cluster;
  readonly federation: Federation;
  /** What must not be written. */
  readonly refused: ReadonlySet<Manifest>;
  /** Take over fields that somebody else has written. */
  readonly forceConflicts: boolean;
  readonly signal: AbortSignal;
  readonly onWritten?: (name: string) => void;
}

/**
 * Installs what the files need on the host and writes what they hold: namespaces and type configurations first. Returns what could not be
 * written, each in one line; the rest is.
 */
export async function writeToHost(write: HostWrite): Promise<readonly string[]> {
  const { host, federation, refused, signal } = write;
  const used = federation.types.filter((type) => federation.objects.some(({ prepared }) => isSameType(prepared.type, type)));
  await installTypes(host, used, { signal });
  const problems: string[] = [];
  const all: readonly (readonly [ResourceType, Manifest])[] = [
    ...federation.namespaces.map((manifest) => [NAMESPACES, manifest] as const),
    ...federation.configs.map((manifest) => [untyped(FederatedTypeConfig), manifest] as const),
    ...federation.preferences.map(({ manifest }) => [untyped(ReplicaSchedulingPreference), manifest] as const),
    ...federation.objects.map(({ prepared, manifest }) => [untyped(prepared.type.federated), manifest] as const),
  ];
  for (const [type, manifest] of all) {
    if (refused.has(manifest)) continue;
    const problem = await writeOne(write, type, manifest);
    if (problem === undefined) write.onWritten?.(formatReference({ kind: type.kind, ...manifest.object.metadata }));
    else problems.push(problem);
  }
  return problems;
}

async function writeOne(
  { host, forceConflicts, signal }: HostWrite,
  type: ResourceType,
  manifest: Manifest,
): Promise<string | undefined> {
  try {
    await host.apply(type, manifest.object, { fieldManager: AUTHOR, force: forceConflicts, signal });
    return undefined;
  } catch (error) {
    if (!isClustersetError(error)) throw error;
    const mend = error.code === 'ApplyConflict' ? '; --force-conflicts takes the fields over' : '';
    return `${manifest.locate(error.issues[0]?.field ?? '')}: ${error.message}${mend}`;
  }
}

function isSameType(a: FederatedType, b: FederatedType): boolean {
  return isSameResource(a.federated, b.federated);
}

/** The types that can be federated through a host: those whose CRDs it has. */
export async function typesOnHost(host: Cluster, signal: AbortSignal): Promise<readonly FederatedType[]> {
  const served = await host.resources({ signal });
  const configs = await listed(host, untyped(FederatedTypeConfig), signal);
  const configured = configs.flatMap((config) => {
    try {
      return [federatedTypeOf(config)];
    } catch (error) {
      if (isClustersetError(error)) return [];
      throw error;
    }
  });
  return withTypes(BUILT_IN_FEDERATED_TYPES, configured).filter(({ federated }) =>
    served.some((resource) => isSameResource(resource, federated) && resource.version === federated.version),
  );
}

async function listed(host: Cluster, type: ResourceType, signal: AbortSignal): Promise<readonly AnyObject[]> {
  const items: AnyObject[] = [];
  try {
    for (let next: string | undefined = ''; next !== undefined; ) {
      const page: Awaited<ReturnType<Cluster['list']>> = await host.list(type, {
        limit: 500,
        ...(next === '' ? {} : { continue: next }),
        signal,
      });
      items.push(...(page.items as readonly AnyObject[]));
      next = page.continue;
    }
  } catch (error) {
    if (!isNotServed(error)) throw error;
  }
  return items;
}

/** All federated objects of a host. */
export async function objectsOnHost(
  host: Cluster,
  types: readonly FederatedType[],
  signal: AbortSignal,
): Promise<readonly HostObject[]> {
  const lists = await Promise.all(
    types.map(async (type) => {
      const objects = await listed(host, untyped(type.federated), signal);
      return objects.map((object) => ({ type, key: keyOf(object) }));
    }),
  );
  return lists.flat();
}

type Outlook = 'open' | 'stuck' | 'final';

/** What the host says about objects. */
export interface HostState {
  readonly states: readonly State[];
  /** Objects that the controller hasn't finished with. */
  readonly waiting: readonly string[];
  /** Objects that are still there. */
  readonly present: readonly HostObject[];
  /** What keeps whole objects from their members, in words. */
  readonly problems: readonly string[];
  /** Whether waiting is of use: things go on; or something is in the way that may go away by itself; or it will not. */
  readonly outlook: Outlook;
}

/** Reads what became of objects. */
export async function readHost(host: Cluster, objects: readonly HostObject[], signal: AbortSignal): Promise<HostState> {
  const found = await Promise.all(
    objects.map(async (object) => {
      const live = await host.get(object.type.federated, object.key, { signal });
      return { object, live };
    }),
  );
  const there = found.flatMap(({ object, live }) => (live === undefined ? [] : [{ object, live }]));
  const waiting = there.filter(({ live }) => !isDone(live));
  return {
    present: there.map(({ object }) => object),
    states: there.flatMap(({ object, live }) => statesOf(targetOnHost(object), live.status)),
    waiting: waiting.map(({ object }) => formatReference(targetOnHost(object))),
    outlook: worst(waiting.map(({ live }) => outlookOf(live))),
    problems: there.flatMap(({ object, live }) => problemsOf(object, live.status)),
  };
}

function targetOnHost({ type, key }: HostObject): State['object'] {
  return { kind: type.target.kind, ...(type.target.scope === 'Namespaced' ? key : { name: key.name }) };
}

function isDone({ metadata, status }: FederatedObject): boolean {
  return status?.observedGeneration === metadata.generation && isConditionTrue(status?.conditions, 'RolledOut');
}

/** As long as anything goes on, it is worth to wait. */
function worst(outlooks: readonly Outlook[]): Outlook {
  if (outlooks.includes('open')) return 'open';
  return outlooks.includes('stuck') ? 'stuck' : 'final';
}

/** Only a person takes these out of the way. */
const FINAL: ReadonlySet<string> = new Set(['AlreadyExists', 'ManagedLabelFalse', 'UnknownCluster']);

function outlookOf({ metadata, status }: FederatedObject): Outlook {
  if (status?.observedGeneration !== metadata.generation) return 'open';
  const propagation = status?.conditions?.find(({ type }) => type === 'Propagation');
  if (propagation?.status === 'False' && propagation.reason !== 'CheckClusters') return 'stuck';
  const unfinished = (status?.clusters ?? []).filter((entry) => entry.status !== undefined || entry.rollout !== 'Complete');
  if (unfinished.length === 0 || unfinished.some((entry) => entry.status === undefined && entry.rollout === 'Progressing')) {
    return 'open';
  }
  return unfinished.every((entry) => FINAL.has(entry.status ?? '')) ? 'final' : 'stuck';
}

/** What the condition says, where no cluster says it. */
function problemsOf(object: HostObject, status: FederatedStatus | undefined): readonly string[] {
  const condition = status?.conditions?.find(({ type }) => type === 'Propagation');
  if (condition === undefined || condition.status === 'True' || condition.reason === 'CheckClusters') return [];
  return [`${formatReference(targetOnHost(object))}: ${condition.reason}: ${condition.message ?? ''}`];
}

/** What {@link runPropagation} takes. */
export interface PropagationRun {
  readonly host: Cluster;
  readonly members: readonly { readonly entry: ClusterEntry; readonly cluster?: Cluster }[];
  readonly types: readonly FederatedType[];
  readonly replaceMissing?: 'error' | 'add';
  readonly probe?: ClusterSetOptions<ClusterEntry>['probe'];
  readonly onError?: (cluster: string, object: string, error: unknown) => void;
}

/** Runs the propagation controller until the result is disposed of. The members' connections are the controller's from here on. */
export async function runPropagation(run: PropagationRun): Promise<AsyncDisposable & { readonly ended: Promise<void> }> {
  const { host, types, replaceMissing, probe, onError } = run;
  const clusters = new Map(run.members.map(({ entry, cluster }) => [entry.name, cluster]));
  const members = new ClusterSet<ClusterEntry>({
    source: staticSource(run.members.map(({ entry }) => entry)),
    connect: ({ name }) => {
      const cluster = clusters.get(name);
      if (cluster === undefined) throw new TypeError(`there is no connection to ${name}`);
      return cluster;
    },
    clock: systemClock,
    ...(probe === undefined ? {} : { probe }),
  });
  const stop = new AbortController();
  await members.start();
  const controller = new PropagationController({
    host,
    members,
    types,
    fieldManager: FIELD_MANAGER,
    random: Math.random,
    ...(replaceMissing === undefined ? {} : { replaceMissing }),
    ...(onError === undefined ? {} : { onError }),
  });
  const ended = controller.run(stop.signal);
  return {
    ended,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended;
      await members.stop();
    },
  };
}
