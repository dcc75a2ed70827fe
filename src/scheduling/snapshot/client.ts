import {
  type AnyObject,
  apiVersionOf,
  type ClusterDiscovery,
  type ClusterReader,
  ClustersetError,
  compareText,
  isClustersetError,
  isExpired,
  isRecord,
  parseApiVersion,
  type ResourceType,
  resourceType,
  type ServedResource,
  setCondition,
  untyped,
} from '../../kube/index.ts';
import { type ClusterEntry, type PlacedNode, topologyOf } from '../../registry/index.ts';
import type { NodeObject, PodObject } from '../estimate/cluster-state.ts';
import { summarizeCluster } from '../estimate/summary.ts';
import { formatWorkload } from '../pipeline/contract.ts';
import { FLEET_SNAPSHOT, type FleetSnapshot, type SnapshotCluster, type SnapshotWorkload, snapshotIssues } from './api.ts';
import { trimNode, trimPod } from './trim.ts';

/** A cluster that {@link takeSnapshot} looks at, and what is known of it otherwise. */
export interface SnapshotMember {
  readonly entry: ClusterEntry;
  readonly cluster: ClusterReader & ClusterDiscovery;
}

/** What {@link takeSnapshot} may be told. */
export interface TakeSnapshotOptions {
  /** When it is taken: RFC 3339. */
  readonly takenAt: string;
  /** Workloads whose replicas are looked up in each cluster. Default: none. */
  readonly workloads?: readonly Omit<SnapshotWorkload, 'clusters'>[];
  /** Labels of nodes to be kept in node classes, beside those that always are: those that pods select nodes by. */
  readonly labelKeys?: readonly string[];
  /** Keeps nodes and pods, with nothing but what scheduling reads. Default false. */
  readonly raw?: boolean;
  readonly signal?: AbortSignal;
}

/** A snapshot, and the clusters that could not be read. */
export interface TakenSnapshot {
  readonly snapshot: FleetSnapshot;
  /** In the order of the names. They are in the snapshot, as far as their entry goes, and not ready. */
  readonly unreadable: readonly { readonly cluster: string; readonly error: ClustersetError }[];
}

/**
 * Reads what scheduling wants to know of clusters: version, region and zones, what they serve, what nodes and pods leave free, and where some
 * workloads are. It reads Nodes, Pods and the named workloads, with `get` and `list`, and writes nothing.
 *
 * Nothing private is kept: of an entry neither addresses nor where its credentials are; of pods neither images nor environment. A cluster that
 * can't be read, in whole or in part, holds up nobody; nor does one that answers what no API server would.
 *
 * @throws ClustersetError `Aborted` where the signal fires.
 */
export async function takeSnapshot(
  members: readonly SnapshotMember[],
  { takenAt, workloads = [], ...options }: TakeSnapshotOptions,
): Promise<TakenSnapshot> {
  const read = await Promise.all(members.map((member) => readMember(member, { takenAt, workloads, ...options })));
  const ordered = read.toSorted((a, b) => compareText(a.cluster.name, b.cluster.name));
  const found = workloads.map((workload, index): SnapshotWorkload => {
    const clusters = ordered.flatMap(({ cluster, replicas }): [string, number][] => {
      const number = replicas[index];
      return number === undefined ? [] : [[cluster.name, number]];
    });
    return { ...workload, clusters: Object.fromEntries(clusters) };
  });
  return {
    snapshot: {
      ...FLEET_SNAPSHOT,
      takenAt,
      clusters: ordered.map(({ cluster }) => cluster),
      ...(found.length === 0 ? {} : { workloads: found.sort((a, b) => compareText(formatWorkload(a), formatWorkload(b))) }),
    },
    unreadable: ordered.flatMap(({ cluster, error }) => (error === undefined ? [] : [{ cluster: cluster.name, error }])),
  };
}

/** What went wrong in particular may name addresses, which nobody needs who decides from the snapshot. */
const UNREADABLE = 'it could not be read when the snapshot was taken';

interface ReadMember {
  readonly cluster: SnapshotCluster;
  /** Of each workload; nothing where it isn't there. */
  readonly replicas: readonly (number | undefined)[];
  readonly error?: ClustersetError;
}

type Options = TakeSnapshotOptions & Required<Pick<TakeSnapshotOptions, 'workloads'>>;

async function readMember({ entry, cluster }: SnapshotMember, options: Options): Promise<ReadMember> {
  const { signal, workloads, takenAt } = options;
  const known = publicPart(entry);
  try {
    const [served, kubernetesVersion, isReady, nodes, pods] = await Promise.all([
      cluster.resources({ signal }),
      cluster.version({ signal }),
      cluster.ready({ signal }),
      listAll(cluster, NODES, trimNode, signal),
      listAll(cluster, PODS, trimPod, signal),
    ]);
    const replicas = await Promise.all(workloads.map((workload) => replicasOf(cluster, served, workload, signal)));
    const readiness = isReady
      ? (['True', 'ClusterReady', '/readyz responded with ok'] as const)
      : (['False', 'ClusterNotReady', '/readyz did not respond with ok'] as const);
    const found = described(withReadiness(known, readiness, takenAt), { served, kubernetesVersion, nodes, pods }, options);
    refuseUnreadable(found);
    return { cluster: found, replicas };
  } catch (thrown) {
    const error = isClustersetError(thrown) ? thrown : misunderstood(entry.name, String(thrown), thrown);
    if (error.code === 'Aborted' || signal?.aborted === true) throw thrown;
    return {
      cluster: withReadiness(known, ['Unknown', `Cluster${error.code}`, UNREADABLE], takenAt),
      replicas: workloads.map(() => undefined),
      error,
    };
  }
}

/** What one cluster says must not make the snapshot of all unreadable. */
function refuseUnreadable(cluster: SnapshotCluster): void {
  const [issue] = snapshotIssues({ ...FLEET_SNAPSHOT, clusters: [cluster] });
  if (issue === undefined) return;
  throw misunderstood(cluster.name, `${issue.field.replace(/^clusters\[0\]\.?/, '')}: ${issue.message}`);
}

function misunderstood(cluster: string, what: string, cause?: unknown): ClustersetError {
  return new ClustersetError({ code: 'InternalError', cluster, message: `its answer makes no sense: ${what}`, cause });
}

/** Everything of an entry that schedulers read: not its addresses, not where its credentials are, nothing that isn't known. */
function publicPart(entry: ClusterEntry): ClusterEntry {
  const { name, labels, properties, taints, conditions, provider, region, zones, capacity, apis, kubernetesVersion } = entry;
  const parts = { labels, properties, taints, conditions, provider, region, zones, capacity, apis, kubernetesVersion };
  return { name, ...Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) };
}

type Readiness = readonly [status: 'True' | 'False' | 'Unknown', reason: string, message: string];

function withReadiness(entry: ClusterEntry, [status, reason, message]: Readiness, now: string): ClusterEntry {
  const conditions = setCondition(entry.conditions ?? [], { type: 'Ready', status, reason, message }, now);
  return { ...entry, conditions: [...conditions] };
}

interface Looked {
  readonly served: readonly ServedResource[];
  readonly kubernetesVersion: string;
  readonly nodes: readonly NodeObject[];
  readonly pods: readonly PodObject[];
}

function described(entry: ClusterEntry, looked: Looked, { labelKeys = [], raw = false }: Options): SnapshotCluster {
  const { served, kubernetesVersion, nodes, pods } = looked;
  const summary = summarizeCluster(nodes, pods, { labelKeys });
  return {
    ...entry,
    ...topologyOf(nodes as readonly PlacedNode[], entry),
    kubernetesVersion,
    apis: apisOf(served),
    ...(summary.allocatable === undefined ? {} : { capacity: summary.allocatable }),
    summary,
    ...(raw ? { nodes, pods } : {}),
  };
}

/** What objects can be kept of; what is only asked, such as reviews of access, isn't placed anywhere. */
function apisOf(served: readonly ServedResource[]): string[] {
  const kept = served.filter(({ verbs }) => verbs.includes('create') && verbs.includes('get'));
  return [...new Set(kept.map((type) => `${apiVersionOf(type)}/${type.kind}`))].sort(compareText);
}

const NODES = resourceType('v1', 'Node', 'nodes', 'Cluster');
const PODS = resourceType('v1', 'Pod', 'pods');
const PAGE = 500;

/** All objects of a type, page by page, each trimmed at once. Where a page comes too late for its list, it begins anew, once. */
async function listAll<T>(
  cluster: ClusterReader,
  type: ResourceType,
  trim: (object: AnyObject) => T,
  signal: AbortSignal | undefined,
): Promise<readonly T[]> {
  const pages = async (): Promise<T[]> => {
    const found: T[] = [];
    let next: string | undefined;
    do {
      const page = await cluster.list(type, { limit: PAGE, signal, ...(next === undefined ? {} : { continue: next }) });
      for (const item of page.items) found.push(trim(item));
      // Its list would never end.
      if (page.continue === next && next !== undefined)
        throw misunderstood(cluster.name, 'a page of a list is followed by itself');
      next = page.continue;
    } while (next !== undefined && next !== '');
    return found;
  };
  try {
    return await pages();
  } catch (error) {
    if (!isExpired(error)) throw error;
    return pages();
  }
}

/** What a cluster has of a workload; nothing where it isn't there, or is being deleted. */
async function replicasOf(
  cluster: ClusterReader,
  served: readonly ServedResource[],
  { apiVersion, kind, namespace, name }: Omit<SnapshotWorkload, 'clusters'>,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  const { group } = parseApiVersion(apiVersion);
  const versions = served.filter((each) => each.group === group && each.kind === kind && each.verbs.includes('get'));
  const type = versions.find((each) => apiVersionOf(each) === apiVersion) ?? versions[0];
  if (type === undefined) return undefined;
  const key = type.scope === 'Cluster' ? { name } : { namespace: namespace ?? 'default', name };
  const object = await cluster.get(untyped(type), key, { signal });
  if (object === undefined || object.metadata.deletionTimestamp !== undefined) return undefined;
  const spec = isRecord(object.spec) ? object.spec : {};
  const number = kind === 'Job' ? (spec.parallelism ?? 1) : spec.replicas;
  return typeof number === 'number' && Number.isInteger(number) && number >= 0 ? number : 0;
}
