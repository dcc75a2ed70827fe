import { ClustersetError, compareText, contentHash, type Issue, isRecord } from '../../kube/index.ts';
import type { AccessProviderReference, ClusterEndpoint, ClusterEntry } from '../entry.ts';
import { endpointOfKubeconfigCluster } from '../kubeconfig/cluster.ts';
import { recordOf } from '../mapping/mapping.ts';

/** What a profile's extra arguments or variables do (API: KEP-5339). Unset, or empty as Go writes it, is `Ignore`. */
export type ProfileArgsPolicy = 'Append' | 'Ignore';
/**
 * See {@link ProfileArgsPolicy}. With `Replace` and `AppendIfNotExists` whoever may write the profile sets variables of a program on this
 * machine, `PATH` among them.
 */
export type ProfileEnvPolicy = 'AppendIfNotExists' | 'Replace' | 'Ignore';

/** One way to get into clusters that this consumer has a plugin for (API: KEP-5339, the consumer's provider file). */
export interface AccessProviderConfig {
  /** The name under which profiles offer it. */
  readonly name: string;
  readonly execConfig?: {
    readonly apiVersion: string;
    readonly command: string;
    readonly args?: readonly string[];
    readonly env?: readonly { readonly name: string; readonly value: string }[];
    readonly provideClusterInfo?: boolean;
  };
  readonly profileSourcedCLIArgsPolicy?: ProfileArgsPolicy;
  readonly profileSourcedEnvVarsPolicy?: ProfileEnvPolicy;
}

/** How to run a credential plugin for one cluster. */
export interface ExecPlugin {
  readonly apiVersion: string;
  readonly command: string;
  readonly args: readonly string[];
  /** In the order of names. */
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly provideClusterInfo: boolean;
  /** What the plugin is told of the cluster, where it wants to be told (API: client.authentication.k8s.io Cluster). */
  readonly cluster: Readonly<Record<string, unknown>>;
}

/** The plugin for a cluster, under the name of its provider. */
export interface ResolvedAccess {
  readonly provider: string;
  readonly exec: ExecPlugin;
  /**
   * Where this provider says that the server is: its credentials are for there, and for no endpoint of another provider. Absent where it
   * doesn't say so, or says what can't be read.
   */
  readonly endpoint?: ClusterEndpoint;
  /** The same for the same plugin with the same words: what credentials are kept under. */
  readonly key: string;
}

const EXEC_EXTENSION = 'client.authentication.k8s.io/exec';
const ARGS_EXTENSION = 'clusterprofiles.multicluster.x-k8s.io/exec/additional-args';
const ENV_EXTENSION = 'clusterprofiles.multicluster.x-k8s.io/exec/additional-envs';
/** How many of a profile's providers an error lists. */
const MOST_NAMES = 10;
/** Ends a text for the system: no program can be given it. */
const NUL = '\u0000';

/** A profile's access providers: the new list, and of the deprecated one what the new hasn't. */
export function accessProvidersOf(
  status: Readonly<Record<string, unknown>>,
  issues: Issue[],
): readonly AccessProviderReference[] {
  const byName = new Map<string, AccessProviderReference>();
  for (const field of ['accessProviders', 'credentialProviders']) {
    const before = new Set(byName.keys());
    const list: readonly unknown[] = Array.isArray(status[field]) ? status[field] : [];
    list.forEach((item, index) => {
      const { name, cluster } = recordOf(item);
      const at = `status.${field}[${index}]`;
      if (typeof name !== 'string' || name === '') {
        issues.push({ field: `${at}.name`, message: 'is missing: nobody can choose this provider' });
      } else if (!before.has(name)) {
        byName.set(name, { name, ...clusterOf(cluster, `${at}.cluster`, issues) });
      }
    });
  }
  return [...byName.values()];
}

function clusterOf(cluster: unknown, field: string, issues: Issue[]): Pick<AccessProviderReference, 'cluster'> {
  if (!isRecord(cluster)) return {};
  const { server, ...rest } = cluster;
  if (server === undefined || typeof server === 'string') return { cluster: cluster as { readonly server?: string } };
  issues.push({ field: `${field}.server`, message: 'is no text, and is left out' });
  return { cluster: rest };
}

/**
 * Which plugin to run for a cluster, and how: the first of the consumer's providers that the cluster offers (KEP-5339). Nothing of one cluster
 * gets to another: the consumer's configuration is read and never written to, as it was in the reference library.
 *
 * @throws ClustersetError `Invalid` where no provider matches, the one that does has no plugin, a policy is none, or the profile's
 * words for the plugin can't be used.
 */
export function resolveAccess(
  entry: Pick<ClusterEntry, 'name' | 'auth'>,
  providers: readonly AccessProviderConfig[],
): ResolvedAccess {
  const offered = new Map((entry.auth?.accessProviders ?? []).map((each) => [each.name, each]));
  const config = providers.find(({ name }) => offered.has(name));
  if (config === undefined) {
    const mend =
      offered.size === 0 ? 'it offers none at all' : `it offers ${[...offered.keys()].slice(0, MOST_NAMES).join(', ')}`;
    throw invalid(entry.name, `no matching cluster accessor found for cluster profile "${entry.name}"`, mend);
  }
  // Read from JSON, what isn't there may be null.
  const execConfig = config.execConfig ?? undefined;
  if (execConfig === undefined) {
    throw invalid(entry.name, `no exec config found for provider "${config.name}"`, 'add execConfig to the provider');
  }
  const cluster = offered.get(config.name)?.cluster ?? {};
  const args = extensionsOf(cluster, ARGS_EXTENSION).flatMap((extension) => profileArgs(extension, config, entry.name));
  const exec: ExecPlugin = {
    apiVersion: execConfig.apiVersion,
    command: execConfig.command,
    args: [...(execConfig.args ?? []), ...args],
    env: mergedEnv(execConfig.env ?? [], extensionsOf(cluster, ENV_EXTENSION), config, entry.name),
    provideClusterInfo: execConfig.provideClusterInfo ?? false,
    cluster: clusterInfo(cluster),
  };
  const endpoint = cluster.server === undefined ? undefined : endpointOfKubeconfigCluster(cluster, 'cluster', []);
  const key = keyOf({ provider: config.name, ...exec }, entry.name);
  return { provider: config.name, exec, key, ...(endpoint === undefined ? {} : { endpoint }) };
}

function keyOf(content: unknown, cluster: string): string {
  try {
    return contentHash(content);
  } catch {
    // What has thousands of levels fits into an object, and not onto the stack.
    throw invalid(cluster, 'what its profile says for the plugin is nested too deeply', 'flatten the extensions of the provider');
  }
}

/** The extensions of a name, in the order of the list; all of them count. */
function extensionsOf(cluster: Readonly<Record<string, unknown>>, name: string): readonly unknown[] {
  const list: readonly unknown[] = Array.isArray(cluster.extensions) ? cluster.extensions : [];
  return list.flatMap((each) => (isRecord(each) && each.name === name && each.extension !== undefined ? [each.extension] : []));
}

/** The KEP wants a list, the CRD takes only an object, and some write text: `["-a"]`, `{args: ["-a"]}`, `"- -a"` are all read. */
function profileArgs(extension: unknown, config: AccessProviderConfig, cluster: string): readonly string[] {
  const policy = config.profileSourcedCLIArgsPolicy || 'Ignore';
  if (policy === 'Ignore') return [];
  if (policy !== 'Append') throw unknownPolicy(cluster, config.name, 'profileSourcedCLIArgsPolicy', policy);
  const args = listOfTexts(isRecord(extension) ? extension.args : extension);
  if (args?.every((arg) => !arg.includes(NUL))) return args;
  throw invalid(
    cluster,
    `${ARGS_EXTENSION} is no list of texts`,
    'write it as a list, or as an object with the list under "args"',
  );
}

function listOfTexts(value: unknown): readonly string[] | undefined {
  if (typeof value === 'string') return textLines(value);
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? [...value] : undefined;
}

/** A list in YAML's simplest form, or in JSON. */
function textLines(text: string): readonly string[] | undefined {
  const trimmed = text.trim();
  if (trimmed.startsWith('[')) {
    try {
      const parsed: unknown = JSON.parse(trimmed);
      return Array.isArray(parsed) && parsed.every((item) => typeof item === 'string') ? parsed : undefined;
    } catch {
      return undefined;
    }
  }
  const items = trimmed.split(/\r?\n/).map((line) => textOfItem(/^\s*- (.*)$/.exec(line)?.[1]?.trim()));
  return items.every((item) => item !== undefined) ? items : undefined;
}

/** A plain or quoted text on one line. What YAML would read as something else isn't guessed at: these are words for a program. */
function textOfItem(item: string | undefined): string | undefined {
  if (item === undefined) return undefined;
  const quoted = /^"([^"\\]*)"$/.exec(item)?.[1] ?? /^'([^']*)'$/.exec(item)?.[1];
  if (quoted !== undefined) return quoted;
  return /^[^-\s!&*?|>%@`{}[\],"'#:]|^-[^\s]/.test(item) && !/\s#|:(\s|$)/.test(item) ? item : undefined;
}

function mergedEnv(
  own: readonly { readonly name: string; readonly value: string }[],
  extensions: readonly unknown[],
  config: AccessProviderConfig,
  cluster: string,
): ExecPlugin['env'] {
  const values = new Map(own.map(({ name, value }) => [name, value]));
  const policy = config.profileSourcedEnvVarsPolicy || 'Ignore';
  for (const extension of policy === 'Ignore' ? [] : extensions) {
    if (policy !== 'Replace' && policy !== 'AppendIfNotExists') {
      throw unknownPolicy(cluster, config.name, 'profileSourcedEnvVarsPolicy', policy);
    }
    for (const [name, value] of variablesIn(extension, cluster)) {
      if (policy === 'Replace' || !values.has(name)) values.set(name, value);
    }
  }
  const names = [...values.keys()].toSorted(compareText);
  return names.map((name) => ({ name, value: values.get(name) ?? '' }));
}

function variablesIn(extension: unknown, cluster: string): readonly (readonly [string, string])[] {
  const variables = Object.entries(isRecord(extension) ? extension : {});
  const isVariable = (each: readonly [string, unknown]): each is [string, string] => {
    const [name, value] = each;
    return name !== '' && !name.includes('=') && typeof value === 'string' && !`${name}${value}`.includes(NUL);
  };
  if (isRecord(extension) && variables.every(isVariable)) return variables;
  throw invalid(cluster, `${ENV_EXTENSION} is no map of texts`, 'write it as in {"NAME": "value"}');
}

/** What a plugin may be told of its cluster; `config` is the profile's own word, handed on as it is. */
function clusterInfo(cluster: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { extensions: _, 'certificate-authority': _file, ...said } = cluster;
  const config = extensionsOf(cluster, EXEC_EXTENSION).at(-1);
  return { ...said, ...(config === undefined ? {} : { config }) };
}

function unknownPolicy(cluster: string, provider: string, field: string, policy: string): ClustersetError {
  return invalid(cluster, `provider "${provider}": ${field} is ${JSON.stringify(policy)}, which is none`, 'see KEP-5339');
}

function invalid(cluster: string, message: string, mend: string): ClustersetError {
  return new ClustersetError({ code: 'Invalid', message, cluster, field: 'auth.accessProviders', mend });
}
