import { type Cluster, type ClusterReader, ClustersetError, isClustersetError } from '../kube/index.ts';
import {
  type AccessProviderConfig,
  type ClusterEndpoint,
  type ClusterEntry,
  chooseEndpoints,
  type EndpointChoice,
  resolveAccess,
  serverUrl,
} from '../registry/index.ts';
import type { Clock, Observe } from '../runtime/index.ts';
import { type AccessProvider, fixedAccess } from './access.ts';
import { checkedServer, type ServerEndpoint } from './connection.ts';
import { Rotating, type RotatingOptions } from './credentials/credentials.ts';
import { ExecPlugins } from './credentials/exec-plugin.ts';
import { credentialsOfSecret } from './credentials/secret.ts';
import { ServiceAccountAccess } from './credentials/service-account.ts';
import { readKubeconfig } from './kubeconfig.ts';
import { RealCluster } from './real-cluster.ts';

/** What every connection may be told. */
export interface ConnectOptions {
  /** How errors call the cluster. Default: the context, or the server's address. */
  readonly name?: string | undefined;
  /** How long one call may take, in milliseconds, waiting for `Retry-After` included. Default 30,000. */
  readonly timeoutMs?: number | undefined;
  readonly userAgent?: string | undefined;
  /** Is told of each request, as the fact `request`: `runtimeMetrics`, `diagnosticsObserver`. */
  readonly observe?: Observe | undefined;
}

/**
 * Connects to the cluster of a kubeconfig context; nothing is sent yet. All kinds of credentials that kubectl knows work: client
 * certificates, tokens, exec plugins.
 *
 * @throws ClustersetError `Invalid` where the kubeconfig can't be read or has no such context.
 */
export async function connectContext(
  options: ConnectOptions & { readonly context?: string; readonly kubeconfig?: string },
): Promise<Cluster> {
  const kubeconfig = await readKubeconfig(options.kubeconfig);
  const context = options.context ?? kubeconfig.currentContext ?? '';
  const { name = context, timeoutMs, userAgent, observe } = options;
  const { server, proxy, provider } = kubeconfig.access(context, name);
  return new RealCluster({ cluster: name, server, proxy, access: provider, timeoutMs, userAgent, observe });
}

/** What {@link connectEntry} takes beside the entry. */
export interface ConnectEntryOptions extends Omit<ConnectOptions, 'name'> {
  /** Used in place of the kubeconfig that the entry names. */
  readonly kubeconfig?: string;
  /** Where Secrets with credentials are read: the cluster that the registry is in. */
  readonly host?: ClusterReader;
  /**
   * The namespaces from which Secrets are taken. Whoever may write entries says which Secret is sent to which address: name the namespaces
   * where that is not you. Default: all that the host lets this program read.
   */
  readonly secretNamespaces?: readonly string[];
  /** The plugins of this program, for clusters that offer access providers (KEP-5339): the first that a cluster offers is used. */
  readonly providers?: readonly AccessProviderConfig[];
  /** Runs plugins, and keeps what they say; give all connections the same. Default: one of its own for each connection. */
  readonly plugins?: ExecPlugins;
  /** This program's own IP address, by which endpoints are chosen. Without it they are tried in the order of the list. */
  readonly client?: string;
  /** Default: `longestPrefix`. */
  readonly choice?: EndpointChoice;
  readonly clock?: Clock;
}

/** Where a cluster is, and how to get in. */
interface Way {
  readonly servers: readonly [ServerEndpoint, ...ServerEndpoint[]];
  readonly access: AccessProvider;
}

/**
 * Connects to the cluster of an entry; nothing is sent yet.
 *
 * - `auth.context`, or nothing: through that context of a kubeconfig, or the one of the entry's name, with the address that stands there.
 * - `auth.secret`: with what is in that Secret of the `host`; read again when it is refused, and every minute.
 * - `auth.accessProviders`: with what the plugin of one of `providers` says.
 *
 * With `auth.serviceAccount` these serve to ask for that account's tokens only. Where no connection to an endpoint can be made, the next is
 * tried.
 *
 * @throws ClustersetError `Invalid` where the entry says no way that can be gone.
 */
export async function connectEntry(entry: ClusterEntry, options: ConnectEntryOptions = {}): Promise<Cluster> {
  const way = await wayOf(entry, options);
  return clusterAt(entry, way, accessTo(entry, way, options), options);
}

/**
 * What a request to the cluster of an entry is let in with, for a program that connects by itself: the same that {@link connectEntry} uses. What
 * comes back must be closed.
 *
 * @throws ClustersetError `Invalid` where the entry says no way that can be gone.
 */
export async function accessEntry(entry: ClusterEntry, options: ConnectEntryOptions = {}): Promise<AccessProvider> {
  return accessTo(entry, await wayOf(entry, options), options);
}

function accessTo(entry: ClusterEntry, way: Way, options: ConnectEntryOptions): AccessProvider {
  const account = entry.auth?.serviceAccount;
  if (account === undefined) return way.access;
  return new ServiceAccountAccess(clusterAt(entry, way, way.access, options), way.access, account, options.clock);
}

function clusterAt({ name }: ClusterEntry, { servers }: Way, access: AccessProvider, options: ConnectEntryOptions): RealCluster {
  const [{ server, proxy, tls }, ...others] = servers;
  const { timeoutMs, userAgent, observe } = options;
  return new RealCluster({ cluster: name, server, proxy, tls, others, access, timeoutMs, userAgent, observe });
}

async function wayOf(entry: ClusterEntry, options: ConnectEntryOptions): Promise<Way> {
  const { name, auth = {} } = entry;
  const isElsewhere = auth.secret !== undefined || auth.accessProviders !== undefined;
  if (auth.context !== undefined || auth.kubeconfig !== undefined || !isElsewhere) {
    const kubeconfig = await readKubeconfig(options.kubeconfig ?? auth.kubeconfig);
    const { server, proxy, provider } = kubeconfig.access(auth.context ?? name, name);
    return { servers: [{ server, proxy }], access: provider };
  }
  const { load, mend, endpoint } = loaderOf(entry, options);
  // A plugin's credentials are for the address that its provider names, and for no other.
  const servers = endpoint === undefined ? chosenServers(entry, options) : [checkedServer(serverOf(endpoint, name), name)];
  return { servers: servers as Way['servers'], access: new Rotating({ cluster: name, clock: options.clock, load, mend }) };
}

/** The addresses that can be used; those that can't are left out, and said where there are no others. */
function chosenServers(entry: ClusterEntry, { client, choice }: ConnectEntryOptions): readonly ServerEndpoint[] {
  const question = { ...(client === undefined ? {} : { client }), ...(choice === undefined ? {} : { choice }) };
  const { candidates, issues } = chooseEndpoints({ endpoints: endpointsOfNobodyElse(entry) }, question);
  const servers: ServerEndpoint[] = [];
  const unusable: ClustersetError[] = [];
  for (const endpoint of candidates) {
    try {
      servers.push(checkedServer(serverOf(endpoint, entry.name), entry.name));
    } catch (error) {
      if (!isClustersetError(error)) throw error;
      unusable.push(error);
    }
  }
  const [problem] = unusable;
  if (servers.length > 0) return servers;
  if (problem !== undefined) throw problem;
  const why = issues.map((issue) => `${issue.field}: ${issue.message}`).join('; ');
  const message = `there is no address to reach it at${why === '' ? '' : ` (${why})`}`;
  throw invalid(entry.name, 'endpoints', message, 'give it one that this client may use');
}

/** Where a provider says no address, those of the other providers are still for their own credentials only (KEP-5339). */
function endpointsOfNobodyElse({ endpoints = [], auth = {} }: ClusterEntry): ClusterEndpoint[] {
  if (auth.secret !== undefined) return [...endpoints];
  const theirs = new Set((auth.accessProviders ?? []).flatMap(({ cluster }) => placeOf(cluster?.server) ?? []));
  return endpoints.filter(({ server }) => !theirs.has(placeOf(server) ?? ''));
}

function placeOf(server: string | undefined): string | undefined {
  const read = serverUrl(server ?? '');
  return 'url' in read ? read.url : undefined;
}

interface Loader extends Pick<RotatingOptions, 'load' | 'mend'> {
  /** The one address that the credentials are for; absent where they are for all of the entry's. */
  readonly endpoint?: ClusterEndpoint | undefined;
}

function loaderOf(
  entry: ClusterEntry,
  { host, providers = [], plugins = new ExecPlugins(), secretNamespaces }: ConnectEntryOptions,
): Loader {
  const { name, auth = {} } = entry;
  const { secret } = auth;
  if (secret === undefined) {
    const resolved = resolveAccess(entry, providers);
    const mend = `check the plugin of the provider "${resolved.provider}"`;
    return { load: (refused) => plugins.credentials(resolved, refused), mend, endpoint: resolved.endpoint };
  }
  if (host === undefined) throw invalid(name, 'auth.secret', 'its credentials are in a Secret of a host', 'connect with a host');
  if (secretNamespaces?.includes(secret.namespace) === false) {
    const message = `names a Secret in the namespace "${secret.namespace}", from which none is taken`;
    throw invalid(name, 'auth.secret.namespace', message, `move it to ${secretNamespaces.join(' or ')}`);
  }
  return {
    load: () => credentialsOfSecret(host, secret),
    mend: `check the Secret ${secret.namespace}/${secret.name} of ${host.name}`,
  };
}

function serverOf(endpoint: ClusterEndpoint, cluster: string): ServerEndpoint {
  const { server, proxyUrl, caData, tlsServerName, disabledTLSValidations: disabled = [] } = endpoint;
  if (disabled.includes('ValidityPeriod')) {
    const message = 'the time of a certificate can not be left out of its checks here';
    throw invalid(cluster, 'endpoints.disabledTLSValidations', message, 'renew the certificate');
  }
  const tls = {
    ...(caData === undefined ? {} : { ca: Buffer.from(caData, 'base64') }),
    ...(tlsServerName === undefined ? {} : { servername: tlsServerName }),
    ...(disabled.includes('*') ? { rejectUnauthorized: false } : {}),
    ...(disabled.includes('SubjectName') ? { checkServerIdentity: () => undefined } : {}),
  };
  return { server, proxy: proxyUrl, ...(Object.keys(tls).length === 0 ? {} : { tls }) };
}

function invalid(cluster: string, field: string, message: string, mend: string): ClustersetError {
  return new ClustersetError({ code: 'Invalid', message, cluster, field, mend });
}

/** A cluster by its address. */
export interface ServerOptions extends ConnectOptions {
  /** URL of the API server. */
  readonly server: string;
  /** PEM of the authority that signed the server's certificate. */
  readonly ca?: string;
  readonly token?: string;
  /** PEM of a client certificate and its key. */
  readonly cert?: string;
  readonly key?: string;
}

/** Connects to an API server by its address, with no kubeconfig; nothing is sent yet. */
export function connectServer(options: ServerOptions): Cluster {
  const { name = options.server, server, ca, cert, key, token, timeoutMs, userAgent, observe } = options;
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return new RealCluster({
    cluster: name,
    server,
    access: fixedAccess({ tls: { ca, cert, key }, headers }),
    timeoutMs,
    userAgent,
    observe,
  });
}
