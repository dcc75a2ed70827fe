import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServedCluster, serve } from '../testing/http/index.ts';
import { OfflineCluster } from '../testing/index.ts';
import { CommandFailure } from './failure.ts';
import { toYaml } from './output.ts';

/** Offline clusters on loopback, with a kubeconfig that leads to them, until they are disposed of. */
export interface OfflineWorld extends AsyncDisposable {
  readonly kubeconfig: string;
  readonly clusters: readonly ServedCluster[];
  /** @throws TypeError where there is none of the name. */
  cluster(name: string): OfflineCluster;
}

/** Where {@link startOffline} writes, and listens. */
export interface OfflineOptions {
  /** Default: a new file in a folder of its own, which goes away with the clusters. */
  readonly kubeconfig?: string;
  /** First port. Default: any free ports. */
  readonly port?: number;
}

/** Starts offline clusters and serves them. The kubeconfig holds a random token, for its owner's eyes only. */
export async function startOffline(names: readonly string[], options: OfflineOptions = {}): Promise<OfflineWorld> {
  const { kubeconfig: wanted, port } = options;
  if (wanted !== undefined && existsSync(wanted)) {
    throw new CommandFailure([`${wanted}: there is a file already; name another, or remove it`]);
  }
  const clusters = new Map(names.map((name) => [name, new OfflineCluster({ name })]));
  const served = await serve([...clusters.values()], port === undefined ? {} : { port });
  const folder = wanted === undefined ? mkdtempSync(join(tmpdir(), 'clusterset-')) : undefined;
  const kubeconfig = wanted ?? join(folder ?? '', 'kubeconfig');
  const end = async (): Promise<void> => {
    rmSync(folder ?? kubeconfig, { recursive: true, force: true });
    await served.close();
    for (const cluster of clusters.values()) cluster.stop();
  };
  try {
    writeFileSync(kubeconfig, toYaml(served.kubeconfig()), { mode: 0o600, flag: 'wx' });
    chmodSync(kubeconfig, 0o600);
  } catch (error) {
    await end();
    throw error;
  }
  return {
    kubeconfig,
    clusters: served.clusters,
    cluster(name) {
      const cluster = clusters.get(name);
      if (cluster === undefined) throw new TypeError(`there is no cluster ${name}`);
      return cluster;
    },
    [Symbol.asyncDispose]: end,
  };
}
