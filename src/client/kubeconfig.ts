import { existsSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import { ClustersetError } from '../kube/index.ts';
import type { Access, AccessProvider } from './access.ts';

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
  /** How to reach the cluster of a context. @throws ClustersetError `Invalid` where the context or its parts are missing. */
  access(context: string): { readonly server: string; readonly proxy: string | undefined; readonly provider: AccessProvider };
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
    access: (context) => accessOf(config, context, files, read),
  };
}

/** The kubeconfig files that count, of which at least one exists. */
export function kubeconfigFiles(file?: string): readonly string[] {
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
  if (statSync(path).isDirectory()) throw invalid(path, 'is a folder', 'name a file');
  try {
    config.loadFromString(readFileSync(path, 'utf8'));
    config.makePathsAbsolute(dirname(path));
  } catch (error) {
    // The parser's own message shows the lines around the mistake, and they may hold a token.
    const { mark, reason } = error as { mark?: { line?: number }; reason?: string };
    const line = mark?.line === undefined ? '' : `, line ${mark.line + 1}`;
    throw invalid(`${path}${line}`, `is no kubeconfig${reason === undefined ? '' : `: ${reason}`}`, 'correct the file');
  }
  return config;
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

function accessOf(
  config: KubeConfig,
  name: string,
  files: readonly string[],
  reread: () => KubeConfig,
): ReturnType<Kubeconfig['access']> {
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
    provider: new KubeconfigAccess(config, name, reread),
  };
}

/** How long an answer of the authenticators is used before they are asked again; they keep tokens until they expire. */
const FRESH_MS = 10_000;

/** Credentials of a context. However many requests wait for them, they are asked for once. */
class KubeconfigAccess implements AccessProvider {
  #config: KubeConfig;
  readonly #context: string;
  readonly #reread: () => KubeConfig;
  #pending: Promise<Access> | undefined;
  #freshUntil = 0;

  constructor(config: KubeConfig, context: string, reread: () => KubeConfig) {
    this.#config = config;
    this.#context = context;
    this.#reread = reread;
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

  /** Forgets what the authenticators remember: the server has refused it. */
  refresh(): void {
    this.#config = this.#reread();
    this.#pending = undefined;
  }

  async #ask(): Promise<Access> {
    const options: TlsOptions = { headers: {} };
    // The library keeps the context in the object, so each question sets it anew, without an await in between.
    this.#config.setCurrentContext(this.#context);
    try {
      await this.#config.applyToHTTPSOptions(options as never);
    } catch (error) {
      throw new ClustersetError({
        code: 'Unauthorized',
        message: 'its credentials could not be had',
        cluster: this.#context,
        mend: 'run the credential plugin of the kubeconfig by hand to see why',
        cause: error,
      });
    }
    const { ca, cert, key, servername, rejectUnauthorized, headers, auth } = options;
    const basic = auth === undefined ? {} : { Authorization: `Basic ${Buffer.from(auth).toString('base64')}` };
    return { tls: { ca, cert, key, servername, rejectUnauthorized }, headers: { ...basic, ...headers } };
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

function invalid(object: string, message: string, mend: string): ClustersetError {
  return new ClustersetError({ code: 'Invalid', message: `kubeconfig ${object}: ${message}`, mend });
}
