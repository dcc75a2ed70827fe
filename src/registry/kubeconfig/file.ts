import { type Issue, isRecord } from '../../kube/index.ts';
import type { ClusterEndpoint, ClusterEntry } from '../entry.ts';
import { recordOf } from '../mapping/mapping.ts';
import { endpointOfKubeconfigCluster } from './cluster.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A named part of a kubeconfig: `{ name, cluster }`, `{ name, user }` or `{ name, context }`. Unknown fields are kept. */
export type KubeconfigItem = Readonly<Record<string, unknown>> & { readonly name: string };

/** A kubeconfig (API: v1 Config of client-go), parsed and otherwise as it was written. */
export interface KubeconfigFile extends Fields {
  readonly clusters?: readonly KubeconfigItem[];
  readonly users?: readonly KubeconfigItem[];
  readonly contexts?: readonly KubeconfigItem[];
  readonly 'current-context'?: string;
}

/** What {@link readKubeconfigFile} found. */
export interface ReadKubeconfig {
  readonly file: KubeconfigFile;
  readonly issues: readonly Issue[];
}

/**
 * Takes anything that a YAML parser may give for a kubeconfig. What has no name, or the name of another, is left out and reported: a file with
 * issues must not be written back, because that would be lost. Nothing that is quoted comes from a user or a token.
 */
export function readKubeconfigFile(value: unknown): ReadKubeconfig {
  if (value === undefined || value === null) return { file: {}, issues: [] };
  if (!isRecord(value)) return { file: {}, issues: [{ field: '', message: 'is no kubeconfig: it must be a map' }] };
  const issues: Issue[] = [];
  const lists = Object.fromEntries(
    (['clusters', 'users', 'contexts'] as const)
      .filter((field) => value[field] !== undefined && value[field] !== null)
      .map((field) => [field, namedItems(value[field], field, issues)]),
  );
  const { clusters: _c, users: _u, contexts: _x, 'current-context': current, ...rest } = value;
  if (current !== undefined && current !== null && typeof current !== 'string') {
    issues.push({ field: 'current-context', message: 'must be a text, and is left out' });
  }
  return { file: { ...rest, ...lists, ...(typeof current === 'string' ? { 'current-context': current } : {}) }, issues };
}

function namedItems(list: unknown, field: string, issues: Issue[]): readonly KubeconfigItem[] {
  if (!Array.isArray(list)) {
    issues.push({ field, message: 'must be a list' });
    return [];
  }
  const items = new Map<string, KubeconfigItem>();
  list.forEach((item: unknown, index) => {
    const name = isRecord(item) ? item.name : undefined;
    if (typeof name !== 'string' || name === '') issues.push({ field: `${field}[${index}].name`, message: 'is missing' });
    else if (items.has(name))
      issues.push({ field: `${field}[${index}].name`, message: `"${name}" is there already: the first counts` });
    else items.set(name, item as KubeconfigItem);
  });
  return [...items.values()];
}

/** What {@link entriesOfKubeconfig} takes. */
export interface KubeconfigEntriesOptions {
  /** Where the file is, so that entries can say where their credentials are. Default: the user's own kubeconfig. */
  readonly path?: string;
}

/**
 * The contexts of a kubeconfig as clusters, each under its context's name: addresses and where credentials are, never the credentials. A
 * context without a cluster or user, or whose address can't be read, is reported and left out.
 */
export function entriesOfKubeconfig(
  config: KubeconfigFile,
  { path }: KubeconfigEntriesOptions = {},
): { readonly entries: readonly ClusterEntry[]; readonly issues: readonly Issue[] } {
  const issues: Issue[] = [];
  const clusters = new Map((config.clusters ?? []).map((item) => [item.name, item]));
  const users = new Set((config.users ?? []).map(({ name }) => name));
  const entries = (config.contexts ?? []).flatMap(({ name, context }): readonly ClusterEntry[] => {
    const { cluster, user } = recordOf(context);
    const found = clusters.get(cluster as string);
    // YAML that says "user:" and no more means no user.
    const hasUser = user === undefined || user === null || user === '' || users.has(user as string);
    const missing = [
      ...(found === undefined ? [missingPart(name, 'cluster', cluster)] : []),
      ...(hasUser ? [] : [missingPart(name, 'user', user)]),
    ];
    issues.push(...missing);
    const endpoint = found === undefined ? undefined : endpointIn(found, issues);
    const file = path === undefined ? {} : { kubeconfig: path };
    return endpoint === undefined || missing.length > 0
      ? []
      : [{ name, endpoints: [endpoint], auth: { context: name, ...file } }];
  });
  return { entries, issues };
}

function missingPart(context: string, part: 'cluster' | 'user', name: unknown): Issue {
  const said = typeof name === 'string' ? JSON.stringify(name) : 'of no name';
  return {
    field: `contexts[${context}].context.${part}`,
    message: `there is no ${part} ${said}`,
    mend: 'add it, or remove the context',
  };
}

function endpointIn({ name, cluster }: KubeconfigItem, issues: Issue[]): ClusterEndpoint | undefined {
  return endpointOfKubeconfigCluster(recordOf(cluster), `clusters[${name}].cluster`, issues);
}
