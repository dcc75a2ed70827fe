import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import {
  CLUSTER_API_SECRETS,
  type ConnectEntryOptions,
  connectContext,
  KUBECONFIG_SECRETS,
  type Kubeconfig,
  readKubeconfig,
  secretSource,
} from '../client/index.ts';
import { registrySource } from '../controllers/registry/index.ts';
import { type Cluster, type ClusterSource, type Issue, isClustersetError, type ObjectKey } from '../kube/index.ts';
import { type AccessProviderConfig, type ClusterEntry, REGISTRY_KINDS } from '../registry/index.ts';
import { staticSource } from '../runtime/index.ts';
import { CommandFailure, reasonOf } from './failure.ts';
import { readFleet } from './fleet.ts';
import type { Session } from './session.ts';

/** Options that say where clusters are registered. */
export interface RegistryOptions {
  readonly fleet?: string;
  readonly host?: string;
  readonly kind: keyof typeof REGISTRY_KINDS | 'secret' | 'cluster-api';
  readonly namespace?: string;
  readonly kubeconfig?: string;
  readonly providers?: string;
  /** The one cluster of a fleet that counts; all of them where it is absent. */
  readonly cluster?: string;
}

const KINDS = [...Object.keys(REGISTRY_KINDS), 'secret', 'cluster-api'];

export function addRegistryOptions(command: Command): Command {
  return command
    .option('--fleet <file>', 'clusters: a YAML list of them')
    .option('--host <context>', 'clusters: those that are registered in the cluster of this context')
    .addOption(new Option('--kind <kind>', 'with --host: what stands for a cluster there').choices(KINDS).default('cluster'))
    .option(
      '--namespace <name>',
      'with --host: the namespace of the registry; without it all, and clusters are called namespace/name',
    )
    .option('--providers <file>', 'plugins for clusters that offer access providers: a JSON file as in KEP-5339')
    .option('--kubeconfig <file>', 'where the contexts are; default: $KUBECONFIG, or ~/.kube/config');
}

/** The same options as words of another command line, wherever that is run. */
export function registryArguments({ fleet, host, kind, namespace, kubeconfig, providers }: RegistryOptions): readonly string[] {
  return [
    ...(fleet === undefined ? [] : ['--fleet', resolve(fleet)]),
    ...(host === undefined ? [] : ['--host', host, '--kind', kind]),
    ...(host === undefined || namespace === undefined ? [] : ['--namespace', namespace]),
    ...(providers === undefined ? [] : ['--providers', resolve(providers)]),
    ...(kubeconfig === undefined ? [] : ['--kubeconfig', resolve(kubeconfig)]),
  ];
}

/** Where clusters are registered, opened. */
export interface OpenRegistry {
  readonly source: ClusterSource<ClusterEntry>;
  /** What connecting to the clusters takes. */
  readonly connecting: ConnectEntryOptions;
  /** How the place is called in messages. */
  readonly called: string;
  close(): Promise<void>;
}

/** Opens what the options name. @throws CommandFailure where they name nothing, or two places. */
export async function openRegistry({ terminal }: Session, options: RegistryOptions): Promise<OpenRegistry> {
  const { fleet, host: context, kind, namespace, kubeconfig, cluster } = options;
  const providers = options.providers === undefined ? {} : { providers: readProviders(options.providers) };
  const where = kubeconfig === undefined ? {} : { kubeconfig };
  if ((fleet === undefined) === (context === undefined)) {
    throw new CommandFailure(['say where the clusters are: --host host, or --fleet fleet.yaml']);
  }
  if (fleet !== undefined) {
    const connecting = { ...where, ...providers };
    const entries = readFleet(fleet).filter(({ name }) => cluster === undefined || name === cluster);
    const source = staticSource(await withAddresses(entries, kubeconfig, (line) => terminal.complain(line)));
    return { source, connecting, called: fleet, close: () => Promise.resolve() };
  }
  const host = await connectContext({ ...where, context: context ?? '' });
  const problems = new Set<string>();
  const onIssues = (issues: readonly (Issue & { readonly object: ObjectKey })[]): void => {
    for (const issue of issues) {
      const line = issueLine(issue);
      if (!problems.has(line)) terminal.complain(line);
      problems.add(line);
    }
  };
  const onError = (error: unknown): void => terminal.complain(error instanceof Error ? error.message : String(error));
  const watched = { host, onIssues, onError, ...(namespace === undefined ? {} : { namespace }) };
  return {
    source: sourceOf(kind, watched),
    connecting: { host, ...where, ...providers },
    called: `${kind} of ${host.name}`,
    close: () => host.close(),
  };
}

/**
 * Clusters of a fleet mostly say a context and no address: then it is the one of the context. Where that can't be read, the cluster stays without
 * one, and the others have theirs.
 */
async function withAddresses(
  fleet: readonly ClusterEntry[],
  kubeconfig: string | undefined,
  complain: (line: string) => void,
): Promise<readonly ClusterEntry[]> {
  // Most have one file in common, and a large one takes long to read.
  const files = new Map<string | undefined, Promise<Kubeconfig>>();
  const read = (path: string | undefined): Promise<Kubeconfig> => {
    const file = files.get(path) ?? readKubeconfig(path);
    files.set(path, file);
    return file;
  };
  return Promise.all(
    fleet.map(async (entry) => {
      if (entry.endpoints !== undefined || entry.auth?.secret !== undefined) return entry;
      try {
        const file = await read(kubeconfig ?? entry.auth?.kubeconfig);
        const endpoint = file.endpoint(entry.auth?.context ?? entry.name);
        return endpoint === undefined ? entry : { ...entry, endpoints: [endpoint] };
      } catch (error) {
        if (!isClustersetError(error)) throw error;
        complain(`${entry.name}: ${error.message}`);
        return entry;
      }
    }),
  );
}

type Watched = { readonly host: Cluster; readonly namespace?: string };

function sourceOf(kind: RegistryOptions['kind'], watched: Watched): ClusterSource<ClusterEntry> {
  if (kind === 'secret') return secretSource({ ...watched, secrets: KUBECONFIG_SECRETS });
  if (kind === 'cluster-api') return secretSource({ ...watched, secrets: CLUSTER_API_SECRETS });
  return registrySource({ ...watched, kind: REGISTRY_KINDS[kind] });
}

function issueLine({ object: { namespace, name }, field, message, mend }: Issue & { readonly object: ObjectKey }): string {
  const key = namespace === undefined ? name : `${namespace}/${name}`;
  return `${key}: ${field === '' ? '' : `${field}: `}${message}${mend === undefined ? '' : `; ${mend}`}`;
}

/** What the source says first. @throws CommandFailure where it says nothing in time. */
export async function entriesNow(
  { source, called }: OpenRegistry,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<readonly ClusterEntry[]> {
  const patience = AbortSignal.timeout(timeoutMs);
  for await (const entries of source.watch(AbortSignal.any([signal, patience]))) return entries;
  signal.throwIfAborted();
  throw new CommandFailure([`${called}: could not be read within ${timeoutMs / 1000} s`]);
}

function readProviders(file: string): readonly AccessProviderConfig[] {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new CommandFailure([`${file}: ${error instanceof SyntaxError ? 'is no JSON' : reasonOf(error)}`]);
  }
  const { providers } = (content ?? {}) as { readonly providers?: unknown };
  const isList =
    Array.isArray(providers) && providers.every((each) => typeof (each as { name?: unknown } | null)?.name === 'string');
  if (!isList) throw new CommandFailure([`${file}: write it as in {"providers": [{"name": "…", "execConfig": {…}}]} (KEP-5339)`]);
  return providers as readonly AccessProviderConfig[];
}
