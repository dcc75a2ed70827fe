import type { Cluster } from '../kube/index.ts';
import type { ClusterEntry } from '../registry/index.ts';
import { fixedAccess } from './access.ts';
import { readKubeconfig } from './kubeconfig.ts';
import { RealCluster } from './real-cluster.ts';

/** What every connection may be told. */
export interface ConnectOptions {
  /** How errors call the cluster. Default: the context, or the server's address. */
  readonly name?: string | undefined;
  /** How long one call may take, in milliseconds, waiting for `Retry-After` included. Default 30,000. */
  readonly timeoutMs?: number | undefined;
  readonly userAgent?: string | undefined;
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
  const { name = context, timeoutMs, userAgent } = options;
  const { server, proxy, provider } = kubeconfig.access(context, name);
  return new RealCluster({ cluster: name, server, proxy, access: provider, timeoutMs, userAgent });
}

/**
 * Connects to the cluster of an entry, through the context that it names, or the one of its own name. `kubeconfig` is used in place of the
 * file that the entry names.
 *
 * @throws ClustersetError `Invalid` where the kubeconfig can't be read or has no such context.
 */
export function connectEntry(
  entry: Pick<ClusterEntry, 'name' | 'auth'>,
  options: Omit<ConnectOptions, 'name'> & { readonly kubeconfig?: string } = {},
): Promise<Cluster> {
  const kubeconfig = options.kubeconfig ?? entry.auth?.kubeconfig;
  return connectContext({
    ...options,
    name: entry.name,
    context: entry.auth?.context ?? entry.name,
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
  });
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
  const { name = options.server, server, ca, cert, key, token, timeoutMs, userAgent } = options;
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return new RealCluster({
    cluster: name,
    server,
    access: fixedAccess({ tls: { ca, cert, key }, headers }),
    timeoutMs,
    userAgent,
  });
}
