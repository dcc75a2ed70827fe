import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import { ClustersetError, isRecord } from '../kube/index.ts';
import type { ClusterEndpoint } from '../registry/index.ts';
import { type Access, type AccessProvider, unseen } from './access.ts';
import { invalidKubeconfig as invalid, parseKubeconfigYaml } from './yaml.ts';

/**
 * The one place that reaches @kubernetes/client-node: for kubeconfigs and credentials, which it does well. It takes a third of a second and
 * tens of megabytes to load, so it is loaded when the first kubeconfig is read, and never with the rest of the package.
 */
async function clientNode(): Promise<typeof import('@kubernetes/client-node')> {
  return import('@kubernetes/client-node');
}

/** A kubeconfig, read. */
export interface Kubeconfig {
  /** The files that it came from, for messages. */
  readonly files: readonly string[];
  readonly contexts: readonly string[];
  readonly currentContext: string | undefined;
  /**
   * How to reach the cluster of a context; errors call it `cluster`, by default like the context.
   *
   * @throws ClustersetError `Invalid` where the context or its parts are missing.
   */
  access(
    context: string,
    cluster?: string,
  ): { readonly server: string; readonly proxy: string | undefined; readonly provider: AccessProvider };
  /**
   * Where the cluster of a context is, as an entry says it; `undefined` where there is no such context.
   *
   * @throws ClustersetError `Invalid` where the file with its certificate can't be read.
   */
  endpoint(context: string): ClusterEndpoint | undefined;
}

/**
 * Reads a kubeconfig: the given file, or those of `$KUBECONFIG`, or `~/.kube/config`. Of several files the first that knows a name wins, as
 * for kubectl.
 *
 * @throws ClustersetError `Invalid` where there is none, or one can't be read.
 */
export async function readKubeconfig(file?: string): Promise<Kubeconfig> {
  const files = kubeconfigFiles(file);
  const library = await clientNode();
  const read = (): KubeConfig =>
    merged(
      files.map((each) => parsed(new library.KubeConfig(), each)),
      new library.KubeConfig(),
    );
  const config = read();
  return {
    files,
    contexts: config.getContexts().map(({ name }) => name),
    currentContext: config.getCurrentContext() || undefined,
    access: (context, cluster = context) => accessOf({ config, files, read }, context, cluster),
    endpoint: (context) => endpointOf(config, context),
  };
}

/** The kubeconfig files that count, of which at least one exists. */
function kubeconfigFiles(file?: string): readonly string[] {
  if (file !== undefined) {
    if (!existsSync(file)) throw invalid(file, 'there is no such file', 'check the path');
    return [file];
  }
  const fromEnv = process.env.KUBECONFIG ?? '';
  const candidates =
    fromEnv === '' ? [join(homedir(), '.kube', 'config')] : fromEnv.split(delimiter).filter((path) => path !== '');
  const found = candidates.filter((path) => existsSync(path));
  if (found.length > 0) return found;
  throw invalid(candidates.join(delimiter), 'there is no kubeconfig', 'name one with --kubeconfig, or set KUBECONFIG');
}

function parsed(config: KubeConfig, path: string): KubeConfig {
  const folder = dirname(resolve(path));
  const content = completed(parseKubeconfigYaml(readText(path), path), folder);
  try {
    config.loadFromString(JSON.stringify(content));
  } catch {
    // The library's own message may quote what it has read.
    throw invalid(path, 'is no kubeconfig: a cluster, user or context lacks what it needs', 'correct the file');
  }
  config.makePathsAbsolute(folder);
  return config;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'EISDIR') throw invalid(path, 'is a folder', 'name a file');
    throw invalid(path, `can't be read (${code ?? 'unknown error'})`, 'check the path and its permissions');
  }
}

/** Says in the library's words what only kubectl understands: `tokenFile`, a plugin beside the file, and what a plugin is told. */
function completed(content: unknown, folder: string): unknown {
  if (!isRecord(content) || !Array.isArray(content.users)) return content;
  const users = content.users.map((item: unknown) =>
    isRecord(item) && isRecord(item.user) ? { ...item, user: completedUser(item.user, folder) } : item,
  );
  return { ...content, users };
}

function completedUser(user: Readonly<Record<string, unknown>>, folder: string): unknown {
  const { tokenFile, exec } = user;
  if (isRecord(exec) && typeof exec.command === 'string') {
    const command = /[/\\]/.test(exec.command) ? resolve(folder, exec.command) : exec.command;
    const info = { kind: 'ExecCredential', apiVersion: exec.apiVersion, spec: { interactive: false } };
    const env = [...(Array.isArray(exec.env) ? exec.env : []), { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }];
    return { ...user, exec: { ...exec, command, env } };
  }
  if (typeof tokenFile !== 'string' || tokenFile === '') return user;
  return { ...user, 'auth-provider': { name: 'tokenFile', config: { tokenFile: resolve(folder, tokenFile) } } };
}

function merged(configs: readonly KubeConfig[], into: KubeConfig): KubeConfig {
  const firsts = <T extends { name: string }>(lists: readonly (readonly T[] | undefined)[]): T[] => {
    const byName = new Map<string, T>();
    for (const item of lists.flatMap((list) => list ?? [])) if (!byName.has(item.name)) byName.set(item.name, item);
    return [...byName.values()];
  };
  into.loadFromOptions({
    clusters: firsts(configs.map((config) => config.clusters)),
    users: firsts(configs.map((config) => config.users)),
    contexts: firsts(configs.map((config) => config.contexts)),
    currentContext: configs.map((config) => config.currentContext).find((name) => name !== undefined && name !== ''),
  });
  return into;
}

/** What was read, and how to read it anew. */
interface Source {
  readonly config: KubeConfig;
  readonly files: readonly string[];
  readonly read: () => KubeConfig;
}

function accessOf({ config, files, read }: Source, name: string, called: string): ReturnType<Kubeconfig['access']> {
  const where = files.join(delimiter);
  const context = config.getContextObject(name);
  if (context === null) {
    const known = config.getContexts().map((each) => each.name);
    throw invalid(where, `has no context "${name}"`, known.length === 0 ? 'it has none at all' : `it has ${known.join(', ')}`);
  }
  const cluster = config.getCluster(context.cluster);
  if (cluster === null)
    throw invalid(where, `context "${name}" names the cluster "${context.cluster}", which is missing`, 'add it');
  if (config.getUser(context.user) === null) {
    throw invalid(where, `context "${name}" names the user "${context.user}", which is missing`, 'add it');
  }
  return {
    server: cluster.server,
    proxy: cluster.proxyUrl,
    provider: new KubeconfigAccess(config, read, { context: name, cluster: called }),
  };
}

function endpointOf(config: KubeConfig, context: string): ClusterEndpoint | undefined {
  const cluster = config.getCluster(config.getContextObject(context)?.cluster ?? '');
  if (cluster === null) return undefined;
  const { server, caFile, caData, tlsServerName, proxyUrl, skipTLSVerify } = cluster;
  const ca = caData ?? (caFile === undefined ? undefined : Buffer.from(readText(caFile)).toString('base64'));
  return {
    server,
    ...(ca === undefined ? {} : { caData: ca }),
    ...(tlsServerName === undefined ? {} : { tlsServerName }),
    ...(proxyUrl === undefined ? {} : { proxyUrl }),
    ...(skipTLSVerify ? { disabledTLSValidations: ['*' as const] } : {}),
  };
}

/** How long an answer of the authenticators is used before they are asked again; they keep tokens until they expire. */
const FRESH_MS = 10_000;

/** Credentials of a context. However many requests wait for them, they are asked for once. */
class KubeconfigAccess implements AccessProvider {
  #config: KubeConfig;
  readonly #read: () => KubeConfig;
  readonly #names: { readonly context: string; readonly cluster: string };
  #pending: Promise<Access> | undefined;
  #latest: Access | undefined;
  #freshUntil = 0;

  constructor(config: KubeConfig, read: () => KubeConfig, names: { readonly context: string; readonly cluster: string }) {
    this.#config = config;
    this.#read = read;
    this.#names = names;
  }

  current(): Promise<Access> {
    const now = performance.now();
    if (this.#pending === undefined || now > this.#freshUntil) {
      this.#freshUntil = now + FRESH_MS;
      this.#pending = this.#ask().catch((error: unknown) => {
        this.#pending = undefined;
        throw error;
      });
    }
    return this.#pending;
  }

  /** Forgets what the authenticators remember, once for all calls that were refused with it. */
  refresh(refused: Access): void {
    if (refused !== this.#latest) return;
    this.#config = this.#read();
    this.#latest = undefined;
    this.#pending = undefined;
  }

  async #ask(): Promise<Access> {
    const options: TlsOptions = { headers: {} };
    // The library keeps the context in the object, so each question sets it anew, without an await in between.
    this.#config.setCurrentContext(this.#names.context);
    try {
      await this.#config.applyToHTTPSOptions(options as never);
    } catch {
      // No cause: what a plugin has said, or was told, may be secret, and the library quotes it.
      throw new ClustersetError({
        code: 'Unauthorized',
        message: 'its credentials could not be had',
        cluster: this.#names.cluster,
        mend: `run the credential plugin of the context "${this.#names.context}" by hand to see why, or check its token file`,
      });
    }
    const { ca, cert, key, servername, rejectUnauthorized, headers, auth } = options;
    const basic = auth === undefined ? {} : { Authorization: `Basic ${Buffer.from(auth).toString('base64')}` };
    this.#latest = unseen({ tls: { ca, cert, key, servername, rejectUnauthorized }, headers: { ...basic, ...headers } });
    return this.#latest;
  }
}

/** What the library fills in. */
interface TlsOptions {
  ca?: string | Buffer;
  cert?: string | Buffer;
  key?: string | Buffer;
  servername?: string;
  rejectUnauthorized?: boolean;
  headers: Record<string, string>;
  auth?: string;
}
