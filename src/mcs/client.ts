import {
  type AnyObject,
  type ClusterReader,
  ClustersetError,
  compareText,
  formatKey,
  isClustersetError,
  isNotServed,
  type KubeObject,
  keyOf,
  type ObjectKey,
  type RequestOptions,
  type ResourceType,
  resourceType,
} from '../kube/index.ts';
import { SERVICE_NAME_LABEL, ServiceExport, ServiceImport } from './api.ts';
import { clustersetRecords } from './dns/records.ts';
import type { Zone, ZoneOptions } from './dns/zone.ts';
import { type ExportedService, exportedService } from './merge/exports.ts';
import { type MergedExports, mergeExports } from './merge/merge.ts';
import type { ClusterIdForm } from './name-limits.ts';
import { ENDPOINT_SLICE, type EndpointSlice } from './slices/types.ts';

const SERVICES = resourceType('v1', 'Service', 'services');
const PAGE = 500;

/** One cluster of a set: its id there, and how it is read. */
export interface ServiceMember {
  /** Cluster id (`cluster.clusterset.k8s.io`), or another name where there is none. */
  readonly id: string;
  readonly cluster: ClusterReader;
}

/** Which services are meant, and how a call may be ended. */
export interface ServiceReadOptions extends RequestOptions {
  /** One namespace; all of them where it is absent. */
  readonly namespace?: string | undefined;
}

/** What one cluster said. Not to know is another thing than that there is nothing. */
export type MemberExports =
  | { readonly id: string; readonly state: 'read'; readonly exports: ReadonlyMap<string, ExportedService> }
  /** The MCS API isn't installed there: it exports nothing. */
  | { readonly id: string; readonly state: 'notInstalled' }
  | { readonly id: string; readonly state: 'unreadable'; readonly error: ClustersetError };

/**
 * What a cluster exports, by `namespace/name`: its ServiceExports (v1beta1, or v1alpha1 where that is all it serves) with the Services of the
 * same names. Never rejects but when the signal fires: a cluster that can't be read is told of.
 */
export async function readExports({ id, cluster }: ServiceMember, options: ServiceReadOptions = {}): Promise<MemberExports> {
  try {
    const exports = await listServed(cluster, ServiceExport, options);
    if (exports === undefined) return { id, state: 'notInstalled' };
    const services = exports.length === 0 ? [] : await listAll<AnyObject>(cluster, SERVICES, options);
    const byKey = new Map(services.map((service) => [formatKey(keyOf(service)), service]));
    const read = exports.map((each): [string, ExportedService] => {
      const key = formatKey(keyOf(each));
      return [key, exportedService(id, each, byKey.get(key))];
    });
    return { id, state: 'read', exports: new Map(read) };
  } catch (error) {
    if (options.signal?.aborted === true || !isClustersetError(error)) throw error;
    return { id, state: 'unreadable', error };
  }
}

/** A service of the set, with all that was decided on it. */
export interface GatheredService {
  readonly key: Required<ObjectKey>;
  readonly exports: readonly ExportedService[];
  readonly merged: MergedExports;
}

/** What {@link gatherServices} found. */
export interface GatheredServices {
  /** By namespace and name. */
  readonly services: readonly GatheredService[];
  /** What could not be read, by cluster: of these clusters nothing is known, so that every service may have exports more than are here. */
  readonly unreadable: readonly { readonly id: string; readonly error: ClustersetError }[];
  readonly notInstalled: readonly string[];
}

/** What {@link gatherServices} takes. */
export interface GatherOptions extends ServiceReadOptions {
  /** RFC 3339; for conditions that would change. */
  readonly now: string;
  /** Default `one-label`. */
  readonly clusterIds?: ClusterIdForm;
}

/** Who exports what in a set, who wins, and who disagrees: reads all clusters side by side, and writes nothing. */
export async function gatherServices(members: readonly ServiceMember[], options: GatherOptions): Promise<GatheredServices> {
  const { now, clusterIds } = options;
  const answers = await Promise.all(members.map((member) => readExports(member, options)));
  const byKey = new Map<string, ExportedService[]>();
  for (const answer of answers) {
    if (answer.state !== 'read') continue;
    for (const [key, exported] of answer.exports) {
      const list = byKey.get(key);
      if (list === undefined) byKey.set(key, [exported]);
      else list.push(exported);
    }
  }
  const services = [...byKey]
    .sort(([a], [b]) => compareText(a, b))
    .map(([text, exports]): GatheredService => {
      const [namespace = '', name = ''] = text.split('/');
      const merged = mergeExports({ namespace, name, exports, now, ...(clusterIds === undefined ? {} : { clusterIds }) });
      return { key: { namespace, name }, exports, merged };
    });
  return {
    services,
    unreadable: answers.flatMap((answer) => (answer.state === 'unreadable' ? [{ id: answer.id, error: answer.error }] : [])),
    notInstalled: answers.flatMap((answer) => (answer.state === 'notInstalled' ? [answer.id] : [])),
  };
}

/** What a cluster has been given of the set's services. */
export interface ImportedServices {
  readonly imports: readonly ServiceImport[];
  /** Slices with the label of the MCS API. */
  readonly slices: readonly EndpointSlice[];
}

/**
 * The imports of a cluster, and their EndpointSlices.
 *
 * @throws ClustersetError `NotServed` where the MCS API isn't installed there.
 */
export async function readImports(cluster: ClusterReader, options: ServiceReadOptions = {}): Promise<ImportedServices> {
  const [imports, slices] = await Promise.all([
    listServed(cluster, ServiceImport, options),
    listAll<EndpointSlice>(cluster, ENDPOINT_SLICE, { ...options, labelSelector: SERVICE_NAME_LABEL }),
  ]);
  if (imports !== undefined) return { imports, slices };
  throw new ClustersetError({
    code: 'NotServed',
    message: 'the MCS API is not installed there: it serves no ServiceImports',
    cluster: cluster.name,
    mend: 'apply its CRDs, which `clusterset crds mcs` prints, and run a controller for them',
  });
}

/**
 * The DNS zone as a cluster should answer for it, from its own imports and slices.
 *
 * @throws ClustersetError `NotServed` where the MCS API isn't installed there.
 */
export async function readZone(cluster: ClusterReader, options: ServiceReadOptions & ZoneOptions = {}): Promise<Zone> {
  const { signal, namespace, ...zone } = options;
  const { imports, slices } = await readImports(cluster, { signal, namespace });
  return clustersetRecords(imports, slices, zone);
}

/** All objects in the newest version that is served; `undefined` where none is. */
async function listServed<T extends KubeObject>(
  cluster: ClusterReader,
  type: ResourceType<T>,
  options: ServiceReadOptions,
): Promise<readonly T[] | undefined> {
  for (const version of [type.version, 'v1alpha1']) {
    try {
      return await listAll(cluster, { ...type, version }, options);
    } catch (error) {
      if (!isNotServed(error)) throw error;
    }
  }
  return undefined;
}

async function listAll<T extends KubeObject>(
  cluster: ClusterReader,
  type: ResourceType<T>,
  options: ServiceReadOptions & { readonly labelSelector?: string },
): Promise<readonly T[]> {
  const { signal, namespace, labelSelector } = options;
  const items: T[] = [];
  let next: string | undefined;
  do {
    const page = await cluster.list(type, { signal, namespace, labelSelector, limit: PAGE, continue: next });
    items.push(...page.items);
    next = page.continue;
  } while (next !== undefined && next !== '');
  return items;
}
