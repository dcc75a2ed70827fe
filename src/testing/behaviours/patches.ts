import type { AnyObject } from '../../kube/plain/index.ts';
import { type Behaviour, configMap, configMaps, deployment, deployments, fails, same } from './behaviour.ts';

const SOURCE = 'Kubernetes API concepts: patches';

const containersOf = (object: AnyObject): readonly AnyObject[] =>
  (object.spec as { template: { spec: { containers: readonly AnyObject[] } } }).template.spec.containers;

/** JSON, merge and strategic merge patches. */
export const PATCH_BEHAVIOURS: readonly Behaviour[] = [
  {
    name: 'a merge patch sets, replaces and removes',
    source: `${SOURCE}; RFC 7386`,
    async check({ cluster, namespace }) {
      const key = { namespace, name: 'a' };
      await cluster.create(configMaps, configMap(namespace, 'a', { keep: '1', change: '1', drop: '1' }));
      const patched = await cluster.patch(configMaps, key, {
        type: 'merge',
        body: { data: { change: '2', drop: null, add: '3' } },
      });
      same(patched.data, { keep: '1', change: '2', add: '3' });
    },
  },
  {
    name: 'a JSON patch is all or nothing',
    source: `${SOURCE}; RFC 6902`,
    async check({ cluster, namespace }) {
      const key = { namespace, name: 'a' };
      await cluster.create(configMaps, configMap(namespace, 'a', { a: '1' }));
      const patched = await cluster.patch(configMaps, key, {
        type: 'json',
        operations: [
          { op: 'test', path: '/data/a', value: '1' },
          { op: 'replace', path: '/data/a', value: '2' },
          { op: 'add', path: '/data/b.c', value: '3' },
        ],
      });
      same(patched.data, { a: '2', 'b.c': '3' });
    },
  },
  {
    name: 'a JSON patch that fails says little, and changes nothing',
    source: SOURCE,
    async check({ cluster, namespace }) {
      const key = { namespace, name: 'a' };
      await cluster.create(configMaps, configMap(namespace, 'a', { a: '1' }));
      const failing = [
        { op: 'test' as const, path: '/data/a', value: '2' },
        { op: 'remove' as const, path: '/data/nope' },
        { op: 'add' as const, path: '/nope/nope', value: '2' },
      ];
      for (const operation of failing) {
        await fails(
          () =>
            cluster.patch(configMaps, key, {
              type: 'json',
              operations: [{ op: 'replace', path: '/data/a', value: '9' }, operation],
            }),
          { code: 'Invalid', status: 422, message: 'the server rejected our request due to an error in our request' },
        );
      }
      same((await cluster.get(configMaps, key))?.data, { a: '1' });
    },
  },
  {
    name: 'a patch conflicts only where it names a resourceVersion',
    source: SOURCE,
    async check({ cluster, namespace }) {
      const key = { namespace, name: 'a' };
      const first = await cluster.create(configMaps, configMap(namespace, 'a', { a: '1' }));
      await cluster.patch(configMaps, key, { type: 'merge', body: { data: { a: '2' } } });
      const body = { metadata: { resourceVersion: first.metadata.resourceVersion ?? '' }, data: { a: '3' } };
      await fails(() => cluster.patch(configMaps, key, { type: 'merge', body }), { code: 'Conflict', status: 409 });
      same((await cluster.get(configMaps, key))?.data, { a: '2' });
    },
  },
  {
    name: 'a patch can not change the uid, and so never hits another object of the same name',
    source: SOURCE,
    async check({ cluster, namespace }) {
      const key = { namespace, name: 'a' };
      await cluster.create(configMaps, configMap(namespace, 'a', { a: '1' }));
      const body = { metadata: { uid: '11111111-2222-3333-4444-555555555555' }, data: { a: '3' } };
      await fails(() => cluster.patch(configMaps, key, { type: 'merge', body }), {
        code: 'Invalid',
        status: 422,
        message:
          'ConfigMap "a" is invalid: metadata.uid: Invalid value: "11111111-2222-3333-4444-555555555555": field is immutable',
        issues: [{ field: 'metadata.uid', reason: 'FieldValueInvalid' }],
      });
    },
  },
  {
    name: 'a patch can not rename an object',
    source: SOURCE,
    async check({ cluster, namespace }) {
      const key = { namespace, name: 'a' };
      await cluster.create(configMaps, configMap(namespace, 'a'));
      await fails(() => cluster.patch(configMaps, key, { type: 'merge', body: { metadata: { name: 'b' } } }), {
        code: 'BadRequest',
        status: 400,
        message: 'the name of the object (b) does not match the name on the URL (a)',
      });
    },
  },
  {
    name: 'a strategic patch merges lists by their key',
    source: 'strategic-merge-patch.md',
    async check({ cluster, namespace }) {
      const key = { namespace, name: 'web' };
      await cluster.create(deployments, deployment(namespace, 'web'));
      const sidecar = await cluster.patch(deployments, key, {
        type: 'strategic',
        body: { spec: { template: { spec: { containers: [{ name: 'log', image: 'shop/log:1' }] } } } },
      });
      same(
        containersOf(sidecar)
          .map(({ name, image }) => ({ name, image }))
          .toSorted((a, b) => (String(a.name) < String(b.name) ? -1 : 1)),
        [
          { name: 'log', image: 'shop/log:1' },
          { name: 'web', image: 'shop/web:1' },
        ],
      );
      const changed = await cluster.patch(deployments, key, {
        type: 'strategic',
        body: {
          spec: {
            template: {
              spec: {
                containers: [
                  { name: 'web', image: 'shop/web:2' },
                  { name: 'log', $patch: 'delete' },
                ],
              },
            },
          },
        },
      });
      same(
        containersOf(changed).map(({ name, image }) => ({ name, image })),
        [{ name: 'web', image: 'shop/web:2' }],
      );
    },
  },
  {
    name: 'a strategic patch reorders, replaces and retains by directives',
    source: 'strategic-merge-patch.md',
    async check({ cluster, namespace }) {
      const key = { namespace, name: 'web' };
      await cluster.create(deployments, deployment(namespace, 'web'));
      const ordered = await cluster.patch(deployments, key, {
        type: 'strategic',
        body: {
          spec: {
            template: {
              spec: {
                '$setElementOrder/containers': [{ name: 'log' }, { name: 'web' }],
                containers: [{ name: 'log', image: 'shop/log:1' }],
              },
            },
          },
        },
      });
      same(
        containersOf(ordered).map(({ name }) => name),
        ['log', 'web'],
      );
      const recreated = await cluster.patch(deployments, key, {
        type: 'strategic',
        body: { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } },
      });
      same((recreated.spec as { strategy: unknown }).strategy, { type: 'Recreate' });
      const replaced = await cluster.patch(deployments, key, {
        type: 'strategic',
        body: { spec: { template: { spec: { containers: [{ $patch: 'replace' }, { name: 'web', image: 'shop/web:3' }] } } } },
      });
      same(
        containersOf(replaced).map(({ name, image }) => ({ name, image })),
        [{ name: 'web', image: 'shop/web:3' }],
      );
    },
  },
];
