import { closeSync, fchmodSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type ServedCluster, type ServedClusters, serve } from '../testing/http/index.ts';
import { OfflineCluster, type OfflineClusterOptions } from '../testing/index.ts';
import { CommandFailure, reasonOf } from './failure.ts';
import { toYaml } from './output.ts';

/** Offline clusters on loopback, with a kubeconfig that leads to them, until they are disposed of. */
export interface OfflineWorld extends AsyncDisposable {
  readonly kubeconfig: string;
  readonly clusters: readonly ServedCluster[];
  /** @throws TypeError where there is none of the name. */
  cluster(name: string): OfflineCluster;
}

/** The cluster that federates, where there is one: nothing runs there. */
export const HOST = 'host';

/** Where {@link startOffline} writes, and listens. */
export interface OfflineOptions {
  /** Default: a new file in a folder of its own, which goes away with the clusters. */
  readonly kubeconfig?: string;
  /** First port. Default: any free ports. */
  readonly port?: number;
  /** How many nodes each cluster has but the host; with nodes, controllers and kubelets run there. Default: none. */
  readonly nodes?: number;
}

/**
 * Starts offline clusters and serves them. The kubeconfig holds a random token, for its owner's eyes only; it goes away with the clusters, or at
 * the latest with the process.
 */
export async function startOffline(names: readonly string[], options: OfflineOptions = {}): Promise<OfflineWorld> {
  const file = newKubeconfig(options.kubeconfig);
  const cel = await evaluator();
  const clusters = new Map(
    names.map((name) => {
      const nodes = options.nodes === undefined || name === HOST ? {} : { nodes: options.nodes };
      return [name, new OfflineCluster({ name, ...nodes, ...(cel === undefined ? {} : { cel }) })];
    }),
  );
  let served: ServedClusters | undefined;
  const end = async (): Promise<void> => {
    file[Symbol.dispose]();
    await served?.close();
    for (const cluster of clusters.values()) cluster.stop();
  };
  try {
    served = await serve([...clusters.values()], options.port === undefined ? {} : { port: options.port });
    file.write(toYaml(served.kubeconfig()));
  } catch (error) {
    await end();
    throw error;
  }
  return {
    kubeconfig: file.path,
    clusters: served.clusters,
    cluster(name) {
      const cluster = clusters.get(name);
      if (cluster === undefined) throw new TypeError(`there is no cluster ${name}`);
      return cluster;
    },
    [Symbol.asyncDispose]: end,
  };
}

/** Understands the rules of CRDs, where the library for it is installed. */
async function evaluator(): Promise<OfflineClusterOptions['cel']> {
  try {
    const { celEvaluator } = await import('../testing/cel/index.ts');
    return celEvaluator();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

/** A file that nobody else can read, and that wasn't there before. It is removed when it is disposed of, or when the process exits. */
interface OwnFile extends Disposable {
  readonly path: string;
  write(content: string): void;
}

/** @throws CommandFailure where there is a file already, or none can be written. */
function newKubeconfig(wanted: string | undefined): OwnFile {
  const folder = wanted === undefined ? mkdtempSync(join(tmpdir(), 'clusterset-')) : undefined;
  const path = resolve(wanted ?? join(folder ?? '', 'kubeconfig'));
  const descriptor = opened(path);
  fchmodSync(descriptor, 0o600);
  const remove = (): void => rmSync(folder ?? path, { recursive: folder !== undefined, force: true });
  process.once('exit', remove);
  let isOpen = true;
  const close = (): void => {
    if (isOpen) closeSync(descriptor);
    isOpen = false;
  };
  return {
    path,
    write(content) {
      writeFileSync(descriptor, content);
      close();
    },
    [Symbol.dispose]() {
      process.off('exit', remove);
      close();
      remove();
    },
  };
}

/** Opens a new file: never one that is there, nor where a link leads. */
function opened(path: string): number {
  try {
    return openSync(path, 'wx', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new CommandFailure([`${path}: there is a file already; name another, or remove it`]);
    }
    throw new CommandFailure([`${path}: the kubeconfig can't be written: ${reasonOf(error)}`]);
  }
}
