import type { AnyObject } from '../../kube/plain/index.ts';
import { type Behaviour, configMap, configMaps, deployment, deployments, fails, holds, same, services } from './behaviour.ts';

const SOURCE = 'Kubernetes API conventions';

/** Rules of writes that people come across sooner or later. */
export const WRITE_BEHAVIOURS: readonly Behaviour[] = [
  {
    name: 'an update creates a Service that is not there, but no ConfigMap',
    source: `${SOURCE}: PUT`,
    async check({ cluster, namespace }) {
      const metadata = { namespace, name: 'a' };
      const service: AnyObject = { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ port: 80 }] } };
      const created = await cluster.update(services, service);
      const { uid = '' } = created.metadata;
      holds(uid !== '', 'a uid');
      same((await cluster.get(services, metadata))?.metadata.uid, uid, 'the uid');
      await fails(() => cluster.update(configMaps, configMap(namespace, 'a')), {
        code: 'NotFound',
        status: 404,
        message: 'configmaps "a" not found',
      });
    },
  },
  {
    name: 'a write of the status takes annotations along, but neither labels of a Deployment nor its spec',
    source: `${SOURCE}: spec and status`,
    async check({ cluster, namespace }) {
      const stored = await cluster.create(deployments, deployment(namespace, 'a', { replicas: 1 }));
      const metadata = { ...stored.metadata, labels: { team: 'shop' }, annotations: { note: 'seen' } };
      const changed = { ...stored, metadata, spec: { ...(stored.spec as object), replicas: 5 }, status: { replicas: 1 } };
      const { resourceVersion: _, ...unpinned } = changed.metadata;
      const written = await cluster.update(deployments, { ...changed, metadata: unpinned }, { subresource: 'status' });
      same(written.metadata.annotations?.note, 'seen', 'the annotation');
      same(written.metadata.labels, undefined, 'the labels');
      same((written.spec as { readonly replicas: number }).replicas, 1, 'the replicas');
      same(written.metadata.generation, stored.metadata.generation, 'the generation');
    },
  },
  {
    name: 'an annotation counts as a change of a Deployment, a label does not',
    source: `${SOURCE}: generation`,
    async check({ cluster, namespace }) {
      const key = { namespace, name: 'a' };
      await cluster.create(deployments, deployment(namespace, 'a', { paused: true, replicas: 0 }));
      const labelled = await cluster.patch(deployments, key, { type: 'merge', body: { metadata: { labels: { team: 'shop' } } } });
      same(labelled.metadata.generation, 1, 'the generation after a label');
      const body = { metadata: { annotations: { note: 'x' } } };
      const annotated = await cluster.patch(deployments, key, { type: 'merge', body });
      same(annotated.metadata.generation, 2, 'the generation after an annotation');
    },
  },
  {
    name: 'an object that leaves the selector of a watch is deleted for it, as it was when it was last seen',
    source: 'Kubernetes API concepts: watches',
    async check({ cluster, namespace }) {
      const key = { namespace, name: 'a' };
      const { metadata } = await cluster.create(configMaps, configMap(namespace, 'a', { k: '1' }, { labels: { app: 'web' } }));
      const relabelled = { metadata: { labels: { app: 'db' } }, data: { k: '2' } };
      const moved = await cluster.patch(configMaps, key, { type: 'merge', body: relabelled });
      const { resourceVersion } = metadata;
      const options = {
        namespace,
        labelSelector: 'app=web',
        timeoutSeconds: 20,
        ...(resourceVersion ? { resourceVersion } : {}),
      };
      for await (const event of cluster.watch(configMaps, options)) {
        if (event.type === 'BOOKMARK') continue;
        same(event.type, 'DELETED', 'the event');
        same(event.object.data, { k: '1' });
        same(event.object.metadata.resourceVersion, moved.metadata.resourceVersion, 'the version');
        break;
      }
    },
  },
  {
    name: 'a JSON patch may replace a key that is not there',
    source: 'Kubernetes API concepts: patches, in contrast to RFC 6902',
    async check({ cluster, namespace }) {
      await cluster.create(configMaps, configMap(namespace, 'a', { a: '1' }));
      const operations = [{ op: 'replace' as const, path: '/data/b', value: '2' }];
      const patched = await cluster.patch(configMaps, { namespace, name: 'a' }, { type: 'json', operations });
      same(patched.data, { a: '1', b: '2' });
    },
  },
];
