import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const kube = join(import.meta.dirname, '..');
const cache = join(kube, '../../.cache/kube');
const KUBERNETES = 'v1.36.3';

/** Paths of the programs that a control plane is made of. Without the last three there are API servers only. */
export interface Binaries {
  readonly etcd: string;
  readonly apiServer: string;
  readonly kubectl: string;
  readonly controllerManager?: string;
  readonly scheduler?: string;
  readonly kwok?: { readonly program: string; readonly stages: readonly string[] };
}

/**
 * The programs for tests on real API servers: those in `KUBEBUILDER_ASSETS` where that is set (the convention of envtest), else those built
 * from the pinned Go modules, once, into a cache that git ignores. Says what is missing where there is neither.
 */
export async function findBinaries(say: (line: string) => void): Promise<Binaries> {
  const assets = process.env.KUBEBUILDER_ASSETS ?? '';
  if (assets !== '') return assetsIn(assets);
  const { error } = spawnSync('go', ['version']);
  const built = join(cache, fingerprint());
  if (!existsSync(join(built, 'complete'))) {
    if (error !== undefined)
      throw new Error('test:kube needs Go 1.26, or KUBEBUILDER_ASSETS with kube-apiserver, etcd and kubectl');
    await build(built, say);
  }
  const stage = (path: string): string => join(built, 'stages', path);
  return {
    etcd: join(built, 'server'),
    apiServer: join(built, 'kube-apiserver'),
    kubectl: join(built, 'kubectl'),
    controllerManager: join(built, 'kube-controller-manager'),
    scheduler: join(built, 'kube-scheduler'),
    kwok: {
      program: join(built, 'kwok'),
      stages: [
        'node-initialize.yaml',
        'node-heartbeat-with-lease.yaml',
        'pod-ready.yaml',
        'pod-complete.yaml',
        'pod-delete.yaml',
      ].map(stage),
    },
  };
}

/** Whether there are controllers and nodes, and not API servers alone: the assets of envtest have none. */
export function canRollOut(): boolean {
  return (process.env.KUBEBUILDER_ASSETS ?? '') === '';
}

function assetsIn(folder: string): Binaries {
  const path = (name: string): string => join(folder, name);
  const missing = ['etcd', 'kube-apiserver', 'kubectl'].filter((name) => !existsSync(path(name)));
  if (missing.length > 0) throw new Error(`KUBEBUILDER_ASSETS=${folder} has no ${missing.join(', ')}`);
  return { etcd: path('etcd'), apiServer: path('kube-apiserver'), kubectl: path('kubectl') };
}

/** Changes with what is pinned. */
function fingerprint(): string {
  const hash = createHash('sha256');
  for (const file of ['control-plane/go.mod', 'control-plane/go.sum', 'kwok/go.mod', 'kwok/go.sum'])
    hash.update(readFileSync(join(kube, file)));
  return hash.digest('hex').slice(0, 12);
}

async function build(target: string, say: (line: string) => void): Promise<void> {
  const draft = `${target}.part`;
  mkdirSync(join(draft, 'stages'), { recursive: true });
  const version = ['gitVersion', 'gitMajor', 'gitMinor'].map((name, index) => {
    const value = [KUBERNETES, ...KUBERNETES.slice(1).split('.')][index];
    return `-X k8s.io/component-base/version.${name}=${value}`;
  });
  const flags = ['build', '-trimpath', '-ldflags', `-s -w ${version.join(' ')}`, '-o', `${draft}/`];
  say(`building Kubernetes ${KUBERNETES}, etcd and kwok into ${cache}: this takes some minutes, once`);
  const packages = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl'].map(
    (name) => `k8s.io/kubernetes/cmd/${name}`,
  );
  for (const name of ['go.etcd.io/etcd/server/v3', ...packages]) await go('control-plane', [...flags, name], say);
  await go('kwok', [...flags, 'sigs.k8s.io/kwok/cmd/kwok'], say);
  const module = spawnSync('go', ['list', '-m', '-f', '{{.Dir}}', 'sigs.k8s.io/kwok'], {
    cwd: join(kube, 'kwok'),
    encoding: 'utf8',
  });
  const stages = join(module.stdout.trim(), 'kustomize/stage');
  for (const file of [
    'node/fast/node-initialize',
    'node/heartbeat-with-lease/node-heartbeat-with-lease',
    'pod/fast/pod-ready',
    'pod/fast/pod-complete',
    'pod/fast/pod-delete',
  ]) {
    cpSync(join(stages, `${file}.yaml`), join(draft, 'stages', `${file.split('/').at(-1)}.yaml`));
  }
  writeFileSync(join(draft, 'complete'), `${KUBERNETES}\n`);
  rmSync(target, { recursive: true, force: true });
  renameSync(draft, target);
}

function go(folder: string, args: readonly string[], say: (line: string) => void): Promise<void> {
  const started = performance.now();
  const name = args.at(-1);
  return new Promise((resolve, reject) => {
    const child = spawn('go', args, { cwd: join(kube, folder), stdio: ['ignore', 'ignore', 'pipe'] });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => {
      errors = `${errors}${chunk}`.slice(-4000);
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) {
        say(`  built ${name} in ${Math.round((performance.now() - started) / 1000)} s`);
        resolve();
      } else reject(new Error(`go ${args.join(' ')} failed:\n${errors}`));
    });
  });
}
