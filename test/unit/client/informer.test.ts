import { setTimeout } from 'node:timers/promises';
import {
  AppsV1Api,
  CoreV1Api,
  type Informer,
  KubeConfig,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  type V1ConfigMap,
} from '@kubernetes/client-node';
import { OfflineCluster } from 'clusterset/testing';
import { type ServedClusters, serve } from 'clusterset/testing/http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const MOST_TRIES = 1000;
const namespace = 'default';

describe('the official client', () => {
  let cluster: OfflineCluster;
  let served: ServedClusters;
  let config: KubeConfig;
  let core: CoreV1Api;
  let stop: (() => Promise<void>) | undefined;

  beforeEach(async () => {
    cluster = new OfflineCluster({ name: 'offline' });
    served = await serve([cluster]);
    config = new KubeConfig();
    config.loadFromString(JSON.stringify(served.kubeconfig()));
    core = config.makeApiClient(CoreV1Api);
  });

  afterEach(async () => {
    await stop?.();
    stop = undefined;
    await served.close();
    cluster.stop();
    expect(cluster.violations()).toEqual([]);
  });

  const create = (name: string, data: Readonly<Record<string, string>> = {}): Promise<V1ConfigMap> =>
    core.createNamespacedConfigMap({ namespace, body: { metadata: { name }, data } });

  async function until(holds: () => boolean): Promise<void> {
    for (let tries = 0; tries < MOST_TRIES && !holds(); tries += 1) await setTimeout(10);
    expect(holds()).toBe(true);
  }

  /** An informer of ConfigMaps, which starts again after every error, as its documentation says that one does. */
  async function informed() {
    const events: string[] = [];
    const errors: unknown[] = [];
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const informer: Informer<V1ConfigMap> & { list(): readonly V1ConfigMap[] } = makeInformer(config, path, () =>
      core.listNamespacedConfigMap({ namespace }),
    );
    for (const verb of ['add', 'update', 'delete'] as const) {
      informer.on(verb, ({ metadata, data }) => void events.push(`${verb} ${metadata?.name} ${data?.colour ?? '-'}`));
    }
    let isStopped = false;
    informer.on('error', (error) => {
      errors.push(error);
      void setTimeout(10).then(() => (isStopped ? undefined : informer.start()));
    });
    stop = async () => {
      isStopped = true;
      await informer.stop();
    };
    await informer.start();
    const names = (): readonly string[] =>
      informer
        .list()
        .flatMap(({ metadata }) => metadata?.name ?? [])
        .toSorted();
    return {
      events,
      errors,
      names,
      data: () => Object.fromEntries(informer.list().map((each) => [each.metadata?.name, each.data])),
    };
  }

  const watches = (): number => cluster.requests.all().filter(({ verb }) => verb === 'watch').length;

  it('lists, creates, patches and deletes', async () => {
    await create('one', { colour: 'red' });
    const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
    const patched = await core.patchNamespacedConfigMap({ namespace, name: 'one', body: { data: { size: 'l' } } }, merge);
    expect(patched.data).toEqual({ colour: 'red', size: 'l' });
    const body = [{ op: 'replace', path: '/data/colour', value: 'green' }];
    const json = setHeaderOptions('Content-Type', PatchStrategy.JsonPatch);
    await core.patchNamespacedConfigMap({ namespace, name: 'one', body }, json);
    const { items } = await core.listNamespacedConfigMap({ namespace });
    expect(items.map(({ metadata, data }) => [metadata?.name, data])).toEqual([['one', { colour: 'green', size: 'l' }]]);
    expect(items[0]?.metadata?.creationTimestamp).toBeInstanceOf(Date);
    await core.deleteNamespacedConfigMap({ namespace, name: 'one' });
    await expect(core.readNamespacedConfigMap({ namespace, name: 'one' })).rejects.toMatchObject({ code: 404 });
    await expect(create('A!')).rejects.toMatchObject({ code: 422 });
  });

  it('applies a Deployment, and reads and changes its scale', async () => {
    const apps = config.makeApiClient(AppsV1Api);
    const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'nginx:1.28' }] } };
    const spec = { replicas: 2, selector: { matchLabels: { app: 'web' } }, template };
    const body = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec };
    const apply = setHeaderOptions('Content-Type', PatchStrategy.ServerSideApply);
    const applied = await apps.patchNamespacedDeployment(
      { namespace, name: 'web', body, fieldManager: 'test', force: true },
      apply,
    );
    expect(applied.spec).toMatchObject({ replicas: 2, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%' } } });
    const scale = await apps.readNamespacedDeploymentScale({ namespace, name: 'web' });
    await apps.replaceNamespacedDeploymentScale({ namespace, name: 'web', body: { ...scale, spec: { replicas: 5 } } });
    const { items } = await apps.listDeploymentForAllNamespaces();
    expect(items.map((each) => [each.metadata?.name, each.spec?.replicas])).toEqual([['web', 5]]);
    await expect(
      apps.patchNamespacedDeployment({ namespace, name: 'web', body, fieldManager: 'other' }, apply),
    ).rejects.toMatchObject({ code: 409 });
  });

  it('hears of what is added, changed and deleted', async () => {
    await create('one', { colour: 'red' });
    const { events, errors, names } = await informed();
    await until(() => watches() > 0);
    await create('two', { colour: 'blue' });
    const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
    await core.patchNamespacedConfigMap({ namespace, name: 'one', body: { data: { colour: 'green' } } }, merge);
    await core.deleteNamespacedConfigMap({ namespace, name: 'two' });
    await until(() => events.length >= 4);
    expect(events).toEqual(['add one red', 'add two blue', 'update one green', 'delete two blue']);
    expect(names()).toEqual(['one']);
    expect(errors).toEqual([]);
  });

  it('is told after a partition what has happened meanwhile', async () => {
    await create('one', { colour: 'red' });
    await create('gone');
    const { events, errors, data } = await informed();
    await until(() => watches() > 0 && events.length === 2);
    const inside = cluster.connect();
    const [type] = (await inside.resources()).filter(({ plural }) => plural === 'configmaps');
    const configMaps = type ?? expect.fail('no ConfigMaps');
    {
      using _ = cluster.network.cut();
      await until(() => errors.length > 1);
    }
    await inside.delete(configMaps, { namespace, name: 'gone' });
    await create('new', { colour: 'white' });
    await until(() => events.length >= 4);
    expect(new Set(events.slice(2))).toEqual(new Set(['delete gone -', 'add new white']));
    expect(data()).toEqual({ one: { colour: 'red' }, new: { colour: 'white' } });
    await inside.close();
  });

  it('lists anew where its version is too old', async () => {
    await create('one', { colour: 'red' });
    await create('gone');
    const { errors, names } = await informed();
    await until(() => watches() > 0);
    const lists = (): number => cluster.requests.all().filter(({ verb }) => verb === 'list').length;
    const listed = lists();
    {
      // It comes back with the version that it knows, of which there is no history any more.
      using _ = cluster.network.fail({ code: 503 }, { verbs: ['watch'] });
      {
        using _cut = cluster.network.cut();
        await until(() => errors.length > 0);
      }
      await core.deleteNamespacedConfigMap({ namespace, name: 'gone' });
      await create('new', { colour: 'white' });
      cluster.compact();
    }
    await until(() => names().join() === 'new,one');
    expect(lists()).toBeGreaterThan(listed);
    const seen = watches();
    await create('later');
    await until(() => names().includes('later'));
    expect(watches()).toBeGreaterThanOrEqual(seen);
  });
});
