import { compareText, deepEqual, type Issue, isRecord, type Json } from '../../kube/index.ts';
import type { ClusterEndpoint, ClusterEntry } from '../entry.ts';
import { isBase64 } from '../mapping/mapping.ts';
import type { KubeconfigFile, KubeconfigItem } from './file.ts';

/** The name of the extension that marks what a managed kubeconfig owns (API: v1 Config, NamedExtension). */
export const MANAGED_EXTENSION = 'clusterset.dev/managed';

/** What {@link mergeKubeconfig} takes beside the clusters. */
export interface ManagedKubeconfigOptions {
  /** Who owns the contexts that are written: two writers of one file need two names. Default: `clusterset`. */
  readonly owner?: string;
  /**
   * The program that prints credentials when a client asks for them (API: client.authentication.k8s.io/v1): kubectl runs it with these words.
   * Without it the contexts have no user, as in the cluster registry's own idea of a shared kubeconfig.
   */
  readonly credential?: (cluster: string) => { readonly command: string; readonly args: readonly string[] };
}

/** What became of a kubeconfig. */
export interface MergedKubeconfig {
  readonly file: KubeconfigFile;
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  /** Clusters that could not be written, and why: by the name of the context. */
  readonly issues: readonly Issue[];
}

/**
 * A kubeconfig with one context for each cluster: contexts of clusters that have come are added, those that changed are changed, and those of
 * clusters that have gone are taken out. Whatever somebody else has written stays as it is, also under the name of a cluster: then the cluster
 * is left out and reported. Nothing secret is written: users are entries that run a program. The same file comes back where nothing changed.
 *
 * A file that was read with issues isn't whole, and what it returns must not be written.
 */
export function mergeKubeconfig(
  file: KubeconfigFile,
  clusters: readonly ClusterEntry[],
  { owner = 'clusterset', credential }: ManagedKubeconfigOptions = {},
): MergedKubeconfig {
  const issues: Issue[] = [];
  const foreign = foreignNames(file, owner);
  const wanted = new Map<string, Managed>();
  for (const entry of clusters.toSorted((a, b) => compareText(a.name, b.name))) {
    const managed = managedItems(entry, owner, credential);
    const problem = managed === undefined ? unsayable(entry) : takenName(foreign, managed);
    if (problem === undefined && managed !== undefined) wanted.set(entry.name, managed);
    else if (problem !== undefined) issues.push({ field: entry.name, ...problem });
  }
  const next = { ...file, ...changedLists(file, wanted, owner), ...currentContext(file, wanted, owner) };
  // An empty file of nobody stays one until there is something to write.
  const result: KubeconfigFile = deepEqual(file as Json, next as Json) ? file : { apiVersion: 'v1', kind: 'Config', ...next };
  return { file: result, ...changesBetween(file, result, owner), issues };
}

const FIELDS = ['clusters', 'users', 'contexts'] as const;
type Field = (typeof FIELDS)[number];
/** The word under which an item of each list holds its content. */
const CONTENT: Readonly<Record<Field, string>> = { clusters: 'cluster', users: 'user', contexts: 'context' };

type Managed = Readonly<Partial<Record<Field, KubeconfigItem>>>;

/** The lists in which something is another; the others aren't touched, nor added where the file hasn't them. */
function changedLists(file: KubeconfigFile, wanted: ReadonlyMap<string, Managed>, owner: string): KubeconfigFile {
  const lists = FIELDS.map((field) => [field, mergedList(file[field] ?? [], wanted, field, owner)] as const);
  return Object.fromEntries(lists.filter(([field, list]) => !deepEqual(list as Json, (file[field] ?? []) as Json)));
}

/** No context is the current one any more where it was ours and has gone. */
function currentContext(file: KubeconfigFile, wanted: ReadonlyMap<string, Managed>, owner: string): KubeconfigFile {
  const current = file['current-context'] ?? '';
  const items = (file.contexts ?? []).filter(({ name }) => name === current);
  const isGone = items.length > 0 && !wanted.has(current) && items.every((item) => ownerOf(item, 'contexts') === owner);
  return isGone ? { 'current-context': '' } : {};
}

/** Why there can be no context for a cluster. */
function unsayable({ endpoints }: ClusterEntry): Omit<Issue, 'field'> {
  const [endpoint] = endpoints ?? [];
  if (endpoint === undefined)
    return { message: 'has no address, so that there is no context for it', mend: 'give it an endpoint' };
  return hasReadableCa(endpoint)
    ? {
        message: 'leaves out a part of the checks of its certificate, which a kubeconfig can not say',
        mend: 'give it a tlsServerName or another certificate',
      }
    : {
        message: 'has certificates that are no base64, for which kubectl would refuse the whole file',
        mend: 'write the PEM certificates in base64',
      };
}

function hasReadableCa({ caData }: ClusterEndpoint): boolean {
  return caData === undefined || isBase64(caData);
}

type Foreign = Readonly<Record<Field, ReadonlySet<string>>>;

/** The names that others have in each list. */
function foreignNames(file: KubeconfigFile, owner: string): Foreign {
  const namesIn = (field: Field): ReadonlySet<string> =>
    new Set((file[field] ?? []).flatMap((item) => (ownerOf(item, field) === owner ? [] : [item.name])));
  return { clusters: namesIn('clusters'), users: namesIn('users'), contexts: namesIn('contexts') };
}

function takenName(foreign: Foreign, managed: Managed): Omit<Issue, 'field'> | undefined {
  const field = FIELDS.find((each) => managed[each] !== undefined && foreign[each].has(managed[each].name));
  if (field === undefined) return undefined;
  return {
    message: `${field} has an entry "${managed[field]?.name}" that somebody else has written: it stays, and the cluster is left out`,
    mend: 'rename or remove that entry, or have the file written somewhere else',
  };
}

function managedItems(
  entry: ClusterEntry,
  owner: string,
  credential: ManagedKubeconfigOptions['credential'],
): Managed | undefined {
  const { name } = entry;
  const endpoint = entry.endpoints?.[0];
  const isChecked = endpoint?.disabledTLSValidations === undefined || endpoint.disabledTLSValidations.length === 0;
  if (endpoint === undefined || !hasReadableCa(endpoint)) return undefined;
  if (!(isChecked || endpoint.disabledTLSValidations?.includes('*'))) return undefined;
  const extensions = [{ name: MANAGED_EXTENSION, extension: { owner } }];
  const cluster = {
    server: endpoint.server,
    ...(endpoint.caData === undefined || !isChecked ? {} : { 'certificate-authority-data': endpoint.caData }),
    ...(endpoint.tlsServerName === undefined ? {} : { 'tls-server-name': endpoint.tlsServerName }),
    ...(endpoint.proxyUrl === undefined ? {} : { 'proxy-url': endpoint.proxyUrl }),
    ...(isChecked ? {} : { 'insecure-skip-tls-verify': true }),
    extensions,
  };
  const program = credential?.(name);
  if (program === undefined) {
    return { clusters: { name, cluster }, contexts: { name, context: { cluster: name, extensions } } };
  }
  const user = `${owner}:${name}`;
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: program.command,
    args: [...program.args],
    interactiveMode: 'Never',
    provideClusterInfo: false,
  };
  return {
    clusters: { name, cluster },
    users: { name: user, user: { exec, extensions } },
    contexts: { name, context: { cluster: name, user, extensions } },
  };
}

function ownerOf(item: KubeconfigItem, field: Field): string | undefined {
  const content = item[CONTENT[field]];
  const extensions = isRecord(content) && Array.isArray(content.extensions) ? content.extensions : [];
  const mark = extensions.find((each) => isRecord(each) && each.name === MANAGED_EXTENSION) as
    | { extension?: unknown }
    | undefined;
  return isRecord(mark?.extension) && typeof mark.extension.owner === 'string' ? mark.extension.owner : undefined;
}

/** An item of ours is written anew, but for the namespace that somebody has given its context. */
function mergedList(
  list: readonly KubeconfigItem[],
  wanted: ReadonlyMap<string, Managed>,
  field: Field,
  owner: string,
): readonly KubeconfigItem[] {
  const items = [...wanted.values()].flatMap((managed) => managed[field] ?? []);
  const ours = new Map(items.map((item) => [item.name, item]));
  const kept = list.flatMap((item): readonly KubeconfigItem[] => {
    if (ownerOf(item, field) !== owner) return [item];
    const next = ours.get(item.name);
    ours.delete(item.name);
    if (next === undefined) return [];
    return [field === 'contexts' ? withNamespace(next, item) : next];
  });
  return [...kept, ...ours.values()];
}

function withNamespace(next: KubeconfigItem, before: KubeconfigItem): KubeconfigItem {
  const { namespace } = isRecord(before.context) ? before.context : {};
  return namespace === undefined ? next : { ...next, context: { ...(next.context as object), namespace } };
}

function changesBetween(
  before: KubeconfigFile,
  after: KubeconfigFile,
  owner: string,
): Pick<MergedKubeconfig, 'added' | 'changed' | 'removed'> {
  const old = ownContexts(before, owner);
  const now = ownContexts(after, owner);
  const names = [...new Set([...old.keys(), ...now.keys()])].toSorted(compareText);
  const both = names.filter((name) => old.has(name) && now.has(name));
  return {
    added: names.filter((name) => !old.has(name)),
    removed: names.filter((name) => !now.has(name)),
    changed: both.filter((name) => !deepEqual(old.get(name) as Json, now.get(name) as Json)),
  };
}

/** A context of ours with all that belongs to it. */
function ownContexts(file: KubeconfigFile, owner: string): ReadonlyMap<string, unknown> {
  const contexts = (file.contexts ?? []).filter((item) => ownerOf(item, 'contexts') === owner);
  const clusters = new Map((file.clusters ?? []).map((item) => [item.name, item]));
  const users = new Map((file.users ?? []).map((item) => [item.name, item]));
  return new Map(
    contexts.map((item) => [item.name, [item, clusters.get(item.name) ?? null, users.get(`${owner}:${item.name}`) ?? null]]),
  );
}
