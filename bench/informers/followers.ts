import { connectServer } from 'clusterset/client';
import { type AnyObject, resourceType } from 'clusterset/kube';
import { SharedCaches } from 'clusterset/runtime';
import type { First, Shape, Target } from './messages.ts';

/** What a handler is told of an object. */
type OnObject = (type: 'put' | 'delete', name: string, version: number) => void;

/** An informer that runs. */
export interface Follower {
  /** Name and version of what it has. */
  objects(): Record<string, number>;
  size(): number;
  stop(): Promise<void>;
}

/** What is followed. */
export interface Following {
  readonly target: Target;
  readonly plural: 'deployments' | 'configmaps';
  readonly onObject: OnObject;
}

const TYPES = {
  deployments: resourceType('apps/v1', 'Deployment', 'deployments'),
  configmaps: resourceType('v1', 'ConfigMap', 'configmaps'),
};

const versionOf = ({ metadata = {} }: { readonly metadata?: { readonly resourceVersion?: string } }): number =>
  Number(metadata.resourceVersion ?? 0);

/** Ours, with its defaults. */
export async function ours(
  { target, plural, onObject }: Following,
  { shape, first }: { readonly shape: Shape; readonly first: First },
): Promise<() => Follower> {
  const cluster = connectServer({ name: 'bench', ...target, token: 'none' });
  await cluster.version();
  const stopping = new AbortController();
  const shared = new SharedCaches({ reflector: { watchList: first === 'stream' } });
  return () => {
    const { cache } = shared.open(cluster, TYPES[plural], { shape }, stopping.signal);
    const told = (type: 'put' | 'delete', object: AnyObject): void => onObject(type, object.metadata.name, versionOf(object));
    cache.listen((event) => (event.type === 'removed' ? told('delete', event.previous) : told('put', event.object)));
    return {
      objects: () => Object.fromEntries([...cache.values()].map((object) => [object.metadata.name, versionOf(object)])),
      size: () => cache.size,
      async stop() {
        stopping.abort();
        await shared.close();
        await cluster.close();
      },
    };
  };
}

/** As in the example of client-node's documentation. */
const RESTART_MS = 5000;

/** client-node's, as it comes; or started again after errors, by hand. */
export async function theirs({ target, plural, onObject }: Following, isRestarted: boolean): Promise<() => Follower> {
  const { AppsV1Api, CoreV1Api, KubeConfig, makeInformer, VersionApi } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  config.loadFromClusterAndUser(
    { name: 'bench', server: target.server, caData: Buffer.from(target.ca).toString('base64'), skipTLSVerify: false },
    { name: 'bench', token: 'none' },
  );
  await config.makeApiClient(VersionApi).getCode();
  const apps = config.makeApiClient(AppsV1Api);
  const core = config.makeApiClient(CoreV1Api);
  const isCore = plural === 'configmaps';
  return () => {
    const informer = makeInformer(config, isCore ? '/api/v1/configmaps' : '/apis/apps/v1/deployments', () =>
      isCore ? core.listConfigMapForAllNamespaces() : apps.listDeploymentForAllNamespaces(),
    );
    let isStopped = false;
    const told =
      (type: 'put' | 'delete') =>
      ({ metadata = {} }: { readonly metadata?: { readonly name?: string; readonly resourceVersion?: string } }): void =>
        onObject(type, metadata.name ?? '', Number(metadata.resourceVersion ?? 0));
    informer.on('add', told('put'));
    informer.on('update', told('put'));
    informer.on('delete', told('delete'));
    informer.on('error', () => {
      if (isRestarted) setTimeout(() => (isStopped ? undefined : void informer.start()), RESTART_MS).unref();
    });
    void informer.start();
    return {
      objects: () => Object.fromEntries(informer.list().map((object) => [object.metadata?.name ?? '', versionOf(object)])),
      size: () => informer.list().length,
      async stop() {
        isStopped = true;
        await informer.stop();
      },
    };
  };
}
