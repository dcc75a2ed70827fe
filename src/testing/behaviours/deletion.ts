import { type AnyObject, resourceType } from '../../kube/plain/index.ts';
import { type Behaviour, configMap, configMaps, deployment, deployments, fails, holds, namespaces, same } from './behaviour.ts';

const SOURCE = 'API: meta/v1 DeleteOptions';
const jobs = resourceType('batch/v1', 'Job', 'jobs');

const finalizersOf = (object: AnyObject | undefined): readonly string[] => object?.metadata.finalizers ?? [];

export const DELETION_BEHAVIOURS: readonly Behaviour[] = [
  {
    name: 'a deletion in the foreground is held by a finalizer, and so is one that orphans',
    source: SOURCE,
    async check({ cluster, namespace }) {
      for (const [policy, finalizer] of [
        ['Foreground', 'foregroundDeletion'],
        ['Orphan', 'orphan'],
      ] as const) {
        const key = { namespace, name: finalizer.toLowerCase() };
        await cluster.create(configMaps, configMap(namespace, key.name));
        same(await cluster.delete(configMaps, key, { propagationPolicy: policy }), 'terminating');
        const held = await cluster.get(configMaps, key);
        same(finalizersOf(held), [finalizer], 'the finalizers');
        same(held?.metadata.deletionGracePeriodSeconds, 0, 'the grace period');
        holds(held?.metadata.deletionTimestamp !== undefined, 'a deletionTimestamp');
        await cluster.patch(configMaps, key, { type: 'merge', body: { metadata: { finalizers: null } } });
        same(await cluster.get(configMaps, key), undefined);
      }
    },
  },
  {
    name: 'a second deletion may say something else about dependents, and one without a word leaves it at that',
    source: SOURCE,
    async check({ cluster, namespace }) {
      const key = { namespace, name: 'web' };
      await cluster.create(deployments, deployment(namespace, 'web'));
      await cluster.delete(deployments, key, { propagationPolicy: 'Foreground' });
      const first = await cluster.get(deployments, key);
      same(first?.metadata.generation, 2, 'the generation');
      same(await cluster.delete(deployments, key), 'terminating');
      same((await cluster.get(deployments, key))?.metadata.resourceVersion, first?.metadata.resourceVersion, 'the version');
      await cluster.delete(deployments, key, { propagationPolicy: 'Orphan' });
      const second = await cluster.get(deployments, key);
      same(finalizersOf(second), ['orphan'], 'the finalizers');
      same(second?.metadata.generation, 2, 'the generation');
      same(await cluster.delete(deployments, key, { propagationPolicy: 'Background' }), 'gone');
    },
  },
  {
    name: 'other finalizers outlive those of the policy',
    source: SOURCE,
    async check({ cluster, namespace }) {
      const key = { namespace, name: 'a' };
      await cluster.create(configMaps, configMap(namespace, 'a', {}, { finalizers: ['example.com/hold'] }));
      await cluster.delete(configMaps, key, { propagationPolicy: 'Foreground' });
      same(finalizersOf(await cluster.get(configMaps, key)), ['example.com/hold', 'foregroundDeletion'], 'the finalizers');
      await cluster.delete(configMaps, key, { propagationPolicy: 'Background' });
      same(finalizersOf(await cluster.get(configMaps, key)), ['example.com/hold'], 'the finalizers');
    },
  },
  {
    name: 'a dry run of a deletion in the foreground marks nothing',
    source: SOURCE,
    async check({ cluster, namespace }) {
      const key = { namespace, name: 'a' };
      const created = await cluster.create(configMaps, configMap(namespace, 'a'));
      same(await cluster.delete(configMaps, key, { propagationPolicy: 'Foreground', dryRun: true }), 'terminating');
      same(await cluster.get(configMaps, key), created);
    },
  },
  {
    name: 'a deletion is for the object that it means, or fails',
    source: SOURCE,
    async check({ cluster, namespace }) {
      const key = { namespace, name: 'a' };
      await cluster.create(configMaps, configMap(namespace, 'a'));
      await fails(() => cluster.delete(configMaps, key, { preconditions: { uid: 'other' } }), {
        code: 'Conflict',
        status: 409,
        message:
          /^Operation cannot be fulfilled on ConfigMap "a": the UID in the precondition \(other\) does not match the UID in record \([-0-9a-f]+\)\. The object might have been deleted and then recreated$/,
      });
      await fails(() => cluster.delete(configMaps, key, { preconditions: { resourceVersion: '1' } }), {
        code: 'Conflict',
        status: 409,
        message:
          /^Operation cannot be fulfilled on ConfigMap "a": the ResourceVersion in the precondition \(1\) does not match the ResourceVersion in record \(\d+\)\. The object might have been modified$/,
      });
    },
  },
  {
    name: 'a Job leaves its pods behind, unless it is told otherwise',
    source: 'API: batch/v1 Job',
    async check({ cluster, namespace }) {
      const key = { namespace, name: 'once' };
      const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'shop/job:1' }] } };
      await cluster.create(jobs, { apiVersion: 'batch/v1', kind: 'Job', metadata: key, spec: { template } });
      same(await cluster.delete(jobs, key), 'terminating');
      same(finalizersOf(await cluster.get(jobs, key)), ['orphan'], 'the finalizers');
      same(await cluster.delete(jobs, key, { propagationPolicy: 'Background' }), 'gone');
    },
  },
  {
    name: 'a namespace takes the finalizer of the first deletion, and of no other',
    source: 'API: core/v1 Namespace',
    async check({ cluster, unique }) {
      const name = unique('going');
      await cluster.create(namespaces, {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name, finalizers: ['example.com/hold'] },
      });
      same(await cluster.delete(namespaces, { name }, { propagationPolicy: 'Foreground' }), 'terminating');
      same(await cluster.delete(namespaces, { name }, { propagationPolicy: 'Orphan' }), 'terminating');
      const held = await cluster.get(namespaces, { name });
      same(finalizersOf(held).toSorted(), ['example.com/hold', 'foregroundDeletion'], 'the finalizers');
      same(held?.metadata.deletionGracePeriodSeconds, undefined, 'the grace period');
    },
  },
  {
    name: 'collections can be deleted, other than that of namespaces',
    source: 'API: discovery',
    async check({ cluster }) {
      const served = await cluster.resources();
      const verbs = (plural: string): readonly string[] =>
        served.find(({ group, plural: each }) => group === '' && each === plural)?.verbs ?? [];
      holds(verbs('configmaps').includes('deletecollection'), 'deletecollection of configmaps');
      holds(!verbs('namespaces').includes('deletecollection'), 'no deletecollection of namespaces');
    },
  },
];
