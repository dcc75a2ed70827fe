import { connectContext, connectEntry } from '../client/index.ts';
import type { FleetMember } from '../controllers/propagation/index.ts';
import {
  BUILT_IN_FEDERATED_TYPES,
  type FederatedType,
  federatedTypeOf,
  type Prepared,
  prepare,
  type ReplaceMissing,
  withTypes,
} from '../federation/index.ts';
import { type Cluster, ClustersetError, deepEqual, formatReference, isClustersetError } from '../kube/index.ts';
import type { ClusterEntry } from '../registry/index.ts';
import { ReplicaSchedulingPreference } from '../scheduling/index.ts';
import { CommandFailure } from './failure.ts';
import { readFleet } from './fleet.ts';
import { type Manifest, readManifests } from './manifests.ts';
import type { ClusterOptions } from './options.ts';

/** What the files of a command hold. */
export interface Federation {
  readonly types: readonly FederatedType[];
  readonly objects: readonly { readonly prepared: Prepared; readonly manifest: Manifest }[];
  readonly preferences: readonly { readonly preference: ReplicaSchedulingPreference; readonly manifest: Manifest }[];
  /** Namespaces of the host. */
  readonly namespaces: readonly Manifest[];
  /** FederatedTypeConfigs, as they are written on a host. */
  readonly configs: readonly Manifest[];
  /** Objects that can't be read. The others go on without them, but for those that depend on them. */
  readonly unreadable: readonly Manifest[];
  /** What is wrong with the unreadable ones. */
  readonly problems: readonly string[];
}

/** Name of the control plane in everything that the command writes into members. */
export const FIELD_MANAGER = 'clusterset';

/** Reads federated objects, their types and preferences from files. @throws CommandFailure where a file can't be read. */
export async function readFederation(
  paths: readonly string[],
  replaceMissing: ReplaceMissing,
  signal: AbortSignal,
): Promise<Federation> {
  const failures: Failure[] = [];
  const manifests = withoutTwins(await readManifests(paths, signal), failures);
  const ofKind = (kind: string): readonly Manifest[] => manifests.filter(({ object }) => object.kind === kind);
  const configs = ofKind('FederatedTypeConfig');
  const configured = configs.flatMap((manifest) => attempt(manifest, failures, () => federatedTypeOf(manifest.object)));
  const types = withTypes(BUILT_IN_FEDERATED_TYPES, configured);
  const preferences = ofKind('ReplicaSchedulingPreference').flatMap((manifest) =>
    attempt(manifest, failures, () => ({ preference: ReplicaSchedulingPreference.read(manifest.object), manifest })),
  );
  const namespaces = manifests.filter(({ object }) => object.kind === 'Namespace' && object.apiVersion === 'v1');
  const known = new Set([...configs, ...namespaces, ...ofKind('ReplicaSchedulingPreference')]);
  const objects = manifests
    .filter((manifest) => !known.has(manifest))
    .flatMap((manifest) =>
      attempt(manifest, failures, () => ({
        prepared: named(prepare(manifest.object, { types, fieldManager: FIELD_MANAGER, replaceMissing })),
        manifest,
      })),
    );
  const unreadable = failures.map(({ manifest }) => manifest);
  const problems = failures.map(({ problem }) => problem);
  return { types, objects, preferences, namespaces, configs, unreadable, problems };
}

/** No cluster is asked for an object that can't have its name. @throws ClustersetError `Invalid`. */
function named(prepared: Prepared): Prepared {
  const issue = prepared.issues.find(({ field }) => field === 'metadata.name' || field === 'metadata.namespace');
  if (issue === undefined) return prepared;
  const { kind, metadata } = prepared.object;
  const object = {
    kind,
    name: String(metadata.name),
    ...(metadata.namespace === undefined ? {} : { namespace: String(metadata.namespace) }),
  };
  throw new ClustersetError({ code: 'Invalid', object, field: issue.field, message: issue.message, mend: issue.mend });
}

interface Failure {
  readonly manifest: Manifest;
  readonly problem: string;
}

/**
 * Each object once. Where two files say the same it is read once; where they differ, neither counts: which should is nobody's guess, and
 * carried out both, each would undo the other.
 */
function withoutTwins(manifests: readonly Manifest[], failures: Failure[]): readonly Manifest[] {
  const byName = new Map<string, Manifest[]>();
  for (const manifest of manifests) {
    const { apiVersion, kind, metadata } = manifest.object;
    const group = apiVersion.includes('/') ? apiVersion.replace(/\/.*/s, '') : '';
    const name = JSON.stringify([group, kind, metadata.namespace, metadata.name]);
    byName.set(name, [...(byName.get(name) ?? []), manifest]);
  }
  return [...byName.values()].flatMap((same) => {
    const [first, ...others] = same;
    if (first === undefined || others.every(({ object }) => deepEqual(object, first.object))) return same.slice(0, 1);
    failures.push(...same.map((manifest) => ({ manifest, problem: twinProblem(manifest, same) })));
    return [];
  });
}

function twinProblem(manifest: Manifest, same: readonly Manifest[]): string {
  const { kind, metadata } = manifest.object;
  const elsewhere = same.filter((other) => other !== manifest).map((other) => other.locate(''));
  const what = `${manifest.locate('')}: ${formatReference({ kind, ...metadata })}`;
  return `${what}: says something else in ${elsewhere.join(', ')}; keep one of them`;
}

function attempt<T>(manifest: Manifest, failures: Failure[], read: () => T): readonly T[] {
  try {
    return [read()];
  } catch (error) {
    if (!isClustersetError(error)) throw error;
    const fields = error.issues.length > 0 ? error.issues.map(({ field }) => field) : [error.field ?? ''];
    failures.push({ manifest, problem: `${manifest.locate(fields[0] ?? '')}: ${error.message}` });
    return [];
  }
}

/**
 * The members that the options name. They are connected, unless nothing but a fleet file says what they are and that is enough.
 *
 * @throws CommandFailure where the options name none; ClustersetError `Invalid` for a context that is missing.
 */
export async function membersOf(options: ClusterOptions, mustConnect: boolean): Promise<readonly FleetMember[]> {
  const { contexts, fleet: file, kubeconfig } = options;
  const fleet = file === undefined ? undefined : readFleet(file);
  const entries = contexts === undefined ? fleet : entriesFor(contexts, fleet, file ?? '');
  if (entries === undefined) throw new CommandFailure(['no clusters are named; use --contexts a,b,c or --fleet fleet.yaml']);
  if (contexts === undefined && kubeconfig === undefined && !mustConnect) return entries.map((entry) => ({ entry }));
  const connecting = kubeconfig === undefined ? {} : { kubeconfig };
  return Promise.all(entries.map(async (entry) => ({ entry, cluster: await connectEntry(entry, connecting) })));
}

/** The entries of a fleet for contexts, found by their context or name; without a fleet, names are all that is known. */
function entriesFor(
  contexts: readonly string[],
  fleet: readonly ClusterEntry[] | undefined,
  file: string,
): readonly ClusterEntry[] {
  const missing: string[] = [];
  const entries = contexts.map((context): ClusterEntry => {
    if (fleet === undefined) return { name: context };
    const found = fleet.find(({ name, auth }) => (auth?.context ?? name) === context || name === context);
    if (found === undefined) {
      missing.push(`${file}: there is no cluster for the context "${context}"; add it, or leave --fleet out`);
    }
    return found ?? { name: context };
  });
  if (missing.length > 0) throw new CommandFailure(missing);
  return entries;
}

/** The host that the options name. */
export function hostOf({ host = '', kubeconfig }: ClusterOptions): Promise<Cluster> {
  return connectContext({ context: host, ...(kubeconfig === undefined ? {} : { kubeconfig }) });
}

/** Ends all connections. */
export async function closeAll(clusters: readonly (Cluster | undefined)[]): Promise<void> {
  await Promise.allSettled(clusters.map((cluster) => cluster?.close()));
}
