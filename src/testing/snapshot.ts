import {
  type AnyObject,
  ClustersetError,
  compareText,
  deepEqual,
  formatKey,
  isRecord,
  keyOf,
  parseApiVersion,
  resourceType,
} from '../kube/plain/index.ts';
import { timestamp } from '../runtime/time/index.ts';
import type { Served } from './api/catalogue.ts';
import { inStorageVersion, type State } from './api/state.ts';
import { randomUuid } from './random.ts';
import { copy } from './schema/conform.ts';

/** Everything that one cluster has stored. */
export interface ClusterSnapshot {
  readonly name: string;
  /** The newest version: the next write gets the one after it. */
  readonly resourceVersion: string;
  /** The objects as they are stored, with uid, versions and managed fields. */
  readonly objects: readonly AnyObject[];
}

/** Everything that the clusters of a world have stored. */
export interface WorldSnapshot {
  readonly apiVersion: 'testing.clusterset.dev/v1';
  readonly kind: 'WorldSnapshot';
  /** When it was taken, by the world's clock (RFC 3339). */
  readonly time: string;
  readonly clusters: readonly ClusterSnapshot[];
}

export const SNAPSHOT = { apiVersion: 'testing.clusterset.dev/v1', kind: 'WorldSnapshot' } as const;

const CRDS = 'customresourcedefinitions.apiextensions.k8s.io';
const DEFINITIONS = resourceType('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', 'Cluster');

/** What a cluster has stored, in the order of collections and keys. */
export function takeSnapshot(name: string, { storage }: State): ClusterSnapshot {
  const objects = [...storage.collections()]
    .toSorted(compareText)
    .flatMap((collection) => [...storage.list(collection)].toSorted((a, b) => compareText(idOf(a), idOf(b))));
  return { name, resourceVersion: String(storage.version), objects };
}

/**
 * Reads a snapshot; the result makes a cluster hold what it holds, and nothing else: its version goes back, or on, to the snapshot's. What
 * objects lack that every stored object has (uid, version, creation time) is filled in; nothing else is defaulted, nor checked. The snapshot
 * stays its owner's.
 *
 * @throws ClustersetError `Invalid` for an object of no kind that is built in or that the snapshot defines.
 */
export function readSnapshot(state: State, { name, resourceVersion, objects }: ClusterSnapshot): () => void {
  let version = versionOf(name, resourceVersion);
  const { storage, catalogue } = state;
  const defined = objects.filter(({ kind, apiVersion }) => kind === DEFINITIONS.kind && apiVersion === 'apiextensions.k8s.io/v1');
  const servedAs = ({ apiVersion, kind }: AnyObject): Served | undefined => {
    const { group, version: served } = parseApiVersion(apiVersion);
    return catalogue.all().find(({ type }) => type.kind === kind && type.group === group && type.version === served);
  };
  const contents = new Map<string, AnyObject[]>();
  for (const [index, object] of objects.entries()) {
    const known = servedAs(object);
    // What is custom is served as long as its definition is there, and that is what the snapshot says.
    const isBuiltIn = known !== undefined && known.custom === undefined;
    const collection = isBuiltIn ? known.collection : definedCollection(defined, object);
    if (collection === undefined) throw unknownKind(name, index, object);
    const list = contents.get(collection) ?? [];
    contents.set(collection, list);
    if (object.metadata.resourceVersion === undefined) version += 1;
    list.push(completed(state, copy(isBuiltIn ? inStorageVersion(object, known) : object), version));
  }
  // Whatever is custom can be read as soon as its definition is there.
  const ordered = [...contents].toSorted(([a], [b]) => Number(b === CRDS) - Number(a === CRDS));
  return () => storage.reset(new Map(ordered), version);
}

function definedCollection(definitions: readonly AnyObject[], { apiVersion, kind }: AnyObject): string | undefined {
  const { group } = parseApiVersion(apiVersion);
  for (const { metadata, spec } of definitions) {
    if (isRecord(spec) && spec.group === group && isRecord(spec.names) && spec.names.kind === kind) return metadata.name;
  }
  return undefined;
}

function completed({ clock, random }: State, object: AnyObject, version: number): AnyObject {
  const { metadata } = object;
  return {
    ...object,
    metadata: {
      ...metadata,
      uid: metadata.uid ?? randomUuid(random),
      resourceVersion: metadata.resourceVersion ?? String(version),
      creationTimestamp: metadata.creationTimestamp ?? timestamp(clock.now()),
    },
  };
}

const idOf = (object: AnyObject): string => formatKey(keyOf(object));

function versionOf(cluster: string, text: string): number {
  if (/^[1-9][0-9]{0,14}$/.test(text)) return Number(text);
  throw new ClustersetError({
    code: 'Invalid',
    message: `${JSON.stringify(text)} is no version that a cluster can have`,
    cluster,
    field: 'resourceVersion',
    mend: 'write a whole number from 1 on, as text',
  });
}

function unknownKind(cluster: string, index: number, object: AnyObject): ClustersetError {
  return new ClustersetError({
    code: 'Invalid',
    message: `no cluster here serves ${object.apiVersion} ${object.kind}`,
    cluster,
    object: { kind: object.kind, ...keyOf(object) },
    field: `objects[${index}]`,
    mend: 'put its CustomResourceDefinition into the snapshot, too',
  });
}

/** Text of a snapshot, as YAML. */
export async function snapshotToYaml(snapshot: WorldSnapshot): Promise<string> {
  const { stringify } = await import('yaml');
  return stringify(snapshot, { lineWidth: 0, aliasDuplicateObjects: false });
}

/**
 * Reads what {@link snapshotToYaml} has written, or somebody by hand.
 *
 * @throws ClustersetError `Invalid` where it is no snapshot, with the field.
 */
export async function snapshotFromYaml(text: string): Promise<WorldSnapshot> {
  const { parse } = await import('yaml');
  let read: unknown;
  try {
    read = parse(text, { maxAliasCount: 100 });
  } catch (error) {
    throw malformed('', `it is no YAML: ${(error as Error).message.split('\n')[0]}`);
  }
  if (!isRecord(read) || !deepEqual({ apiVersion: read.apiVersion, kind: read.kind }, SNAPSHOT)) {
    throw malformed('kind', `it is no ${SNAPSHOT.kind} of ${SNAPSHOT.apiVersion}`);
  }
  if (typeof read.time !== 'string' || Number.isNaN(Date.parse(read.time)))
    throw malformed('time', 'it must be a time as in RFC 3339');
  if (!Array.isArray(read.clusters)) throw malformed('clusters', 'it must be a list');
  for (const [index, cluster] of read.clusters.entries()) checkCluster(cluster, `clusters[${index}]`);
  return read as unknown as WorldSnapshot;
}

function checkCluster(cluster: unknown, field: string): void {
  if (!isRecord(cluster)) throw malformed(field, 'it must be a cluster');
  for (const name of ['name', 'resourceVersion']) {
    if (typeof cluster[name] !== 'string') throw malformed(`${field}.${name}`, 'it must be text');
  }
  if (!Array.isArray(cluster.objects)) throw malformed(`${field}.objects`, 'it must be a list');
  for (const [index, object] of cluster.objects.entries()) {
    const where = `${field}.objects[${index}]`;
    if (!isRecord(object)) throw malformed(where, 'it must be an object');
    if (typeof object.apiVersion !== 'string') throw malformed(`${where}.apiVersion`, 'it must be text');
    if (typeof object.kind !== 'string') throw malformed(`${where}.kind`, 'it must be text');
    if (!isRecord(object.metadata) || typeof object.metadata.name !== 'string')
      throw malformed(`${where}.metadata.name`, 'it must be text');
  }
}

function malformed(field: string, message: string): ClustersetError {
  return new ClustersetError({ code: 'Invalid', message: `the snapshot can't be read: ${message}`, field });
}
