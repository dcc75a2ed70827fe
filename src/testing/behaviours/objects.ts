import { type Behaviour, configMap, configMaps, deployment, deployments, fails, holds, same } from './behaviour.ts';

const API = 'Kubernetes API concepts';

/** Single objects: create, read, update, delete, metadata. */
export const OBJECT_BEHAVIOURS: readonly Behaviour[] = [
  {
    name: 'a created object gets its identity from the server',
    source: API,
    async check({ cluster, namespace }) {
      const created = await cluster.create(configMaps, configMap(namespace, 'a', { k: 'v' }));
      const { uid, resourceVersion, creationTimestamp } = created.metadata;
      holds(/^[0-9a-f-]{36}$/.test(uid ?? ''), 'a uid');
      holds(/^[0-9]+$/.test(resourceVersion ?? ''), 'a resourceVersion');
      holds(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(creationTimestamp ?? ''), 'a creationTimestamp');
      same(created.data, { k: 'v' });
      same(await cluster.get(configMaps, { namespace, name: 'a' }), created, 'what is read');
    },
  },
  {
    name: 'an object that is not there is undefined, and its type without a CRD is an error',
    source: 'clusterset: ClusterReader.get',
    async check({ cluster, namespace }) {
      same(await cluster.get(configMaps, { namespace, name: 'nope' }), undefined);
      const boats = { group: 'example.com', version: 'v1', kind: 'Boat', plural: 'boats', scope: 'Namespaced' as const };
      await fails(() => cluster.get(boats, { namespace, name: 'x' }), { code: 'NotServed', status: 404 });
      await fails(() => cluster.list(boats), { code: 'NotServed', status: 404 });
    },
  },
  {
    name: 'creating twice fails with AlreadyExists',
    source: API,
    async check({ cluster, namespace }) {
      await cluster.create(configMaps, configMap(namespace, 'a'));
      await fails(() => cluster.create(configMaps, configMap(namespace, 'a')), {
        code: 'AlreadyExists',
        status: 409,
        message: 'configmaps "a" already exists',
      });
      await cluster.create(deployments, deployment(namespace, 'a'));
      await fails(() => cluster.create(deployments, deployment(namespace, 'a')), {
        code: 'AlreadyExists',
        status: 409,
        message: 'deployments.apps "a" already exists',
      });
    },
  },
  {
    name: 'generateName puts five characters behind a prefix',
    source: API,
    async check({ cluster, namespace }) {
      const { name: _, ...metadata } = configMap(namespace, '').metadata;
      const created = await cluster.create(configMaps, {
        ...configMap(namespace, ''),
        metadata: { ...metadata, generateName: 'run-' },
      });
      holds(/^run-[a-z0-9]{5}$/.test(created.metadata.name), `a generated name, found ${created.metadata.name}`);
      await fails(() => cluster.create(configMaps, { ...configMap(namespace, ''), metadata: { namespace } }), {
        code: 'Invalid',
        status: 422,
        message: 'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
        issues: [{ field: 'metadata.name', reason: 'FieldValueRequired' }],
      });
    },
  },
  {
    name: 'names, labels and annotations are checked',
    source: 'apimachinery ValidateObjectMeta',
    async check({ cluster, namespace }) {
      await fails(() => cluster.create(configMaps, configMap(namespace, 'Not_A_Name')), {
        code: 'Invalid',
        status: 422,
        message:
          /^ConfigMap "Not_A_Name" is invalid: metadata\.name: Invalid value: "Not_A_Name": a lowercase RFC 1123 subdomain/,
        issues: [{ field: 'metadata.name', reason: 'FieldValueInvalid' }],
      });
      await fails(() => cluster.create(configMaps, configMap(namespace, 'a', {}, { labels: { 'a b': 'c' } })), {
        code: 'Invalid',
        status: 422,
        message: /metadata\.labels: Invalid value: "a b": name part must consist of/,
      });
      await fails(() => cluster.create(configMaps, configMap(namespace, 'a', {}, { labels: { a: 'b c' } })), {
        code: 'Invalid',
        status: 422,
        message: /metadata\.labels: Invalid value: "b c": a valid label must be/,
      });
      await fails(
        () => cluster.create(configMaps, configMap(namespace, 'a', {}, { annotations: { big: 'x'.repeat(262_145) } })),
        {
          code: 'Invalid',
          status: 422,
          issues: [{ field: 'metadata.annotations', reason: 'FieldValueTooLong' }],
        },
      );
    },
  },
  {
    name: 'an object to create may not have a resourceVersion',
    source: API,
    async check({ cluster, namespace }) {
      await fails(() => cluster.create(configMaps, configMap(namespace, 'a', {}, { resourceVersion: '5' })), {
        code: 'InternalError',
        status: 500,
        message: 'resourceVersion should not be set on objects to be created',
      });
    },
  },
  {
    name: 'a namespace must exist before what is in it',
    source: API,
    async check({ cluster, unique }) {
      const namespace = unique('missing');
      await fails(() => cluster.create(configMaps, configMap(namespace, 'a')), {
        code: 'NotFound',
        status: 404,
        message: `namespaces "${namespace}" not found`,
      });
    },
  },
  {
    name: 'an update with an old resourceVersion is a conflict, and one without goes through',
    source: API,
    async check({ cluster, namespace }) {
      const first = await cluster.create(configMaps, configMap(namespace, 'a', { k: '1' }));
      const second = await cluster.update(configMaps, { ...first, data: { k: '2' } });
      holds(second.metadata.resourceVersion !== first.metadata.resourceVersion, 'a new resourceVersion');
      await fails(() => cluster.update(configMaps, { ...first, data: { k: '3' } }), {
        code: 'Conflict',
        status: 409,
        message:
          'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
      });
      const third = await cluster.update(configMaps, configMap(namespace, 'a', { k: '4' }));
      same(third.data, { k: '4' });
      same(third.metadata.uid, first.metadata.uid, 'the uid');
    },
  },
  {
    name: 'a write that changes nothing is none',
    source: API,
    async check({ cluster, namespace }) {
      const first = await cluster.create(configMaps, configMap(namespace, 'a', { k: '1' }));
      const again = await cluster.update(configMaps, first);
      same(again.metadata.resourceVersion, first.metadata.resourceVersion, 'the resourceVersion');
      const patched = await cluster.patch(configMaps, { namespace, name: 'a' }, { type: 'merge', body: { data: { k: '1' } } });
      same(patched.metadata.resourceVersion, first.metadata.resourceVersion, 'the resourceVersion');
    },
  },
  {
    name: 'an update of another object of the same name is a conflict',
    source: API,
    async check({ cluster, namespace }) {
      await cluster.create(configMaps, configMap(namespace, 'a'));
      const uid = '11111111-2222-3333-4444-555555555555';
      await fails(() => cluster.update(configMaps, configMap(namespace, 'a', { k: '1' }, { uid })), {
        code: 'Conflict',
        status: 409,
        message:
          /^Operation cannot be fulfilled on configmaps "a": .*Precondition failed: UID in precondition: 11111111-2222-3333-4444-555555555555, UID in object meta: [0-9a-f-]{36}/,
      });
    },
  },
  {
    name: 'updating what is not there is NotFound',
    source: API,
    async check({ cluster, namespace }) {
      await fails(() => cluster.update(configMaps, configMap(namespace, 'a')), {
        code: 'NotFound',
        status: 404,
        message: 'configmaps "a" not found',
      });
      await fails(() => cluster.patch(configMaps, { namespace, name: 'a' }, { type: 'merge', body: {} }), {
        code: 'NotFound',
        status: 404,
      });
    },
  },
  {
    name: 'deleting says what it found, and honours preconditions',
    source: 'clusterset: ClusterWriter.delete',
    async check({ cluster, namespace }) {
      const key = { namespace, name: 'a' };
      same(await cluster.delete(configMaps, key), 'absent');
      const created = await cluster.create(configMaps, configMap(namespace, 'a'));
      await fails(() => cluster.delete(configMaps, key, { preconditions: { uid: '11111111-2222-3333-4444-555555555555' } }), {
        code: 'Conflict',
        status: 409,
        message:
          /the UID in the precondition \(11111111-2222-3333-4444-555555555555\) does not match the UID in record \([0-9a-f-]{36}\)\. The object might have been deleted and then recreated/,
      });
      same(await cluster.delete(configMaps, key, { preconditions: { uid: created.metadata.uid ?? '' } }), 'gone');
      same(await cluster.get(configMaps, key), undefined);
    },
  },
  {
    name: 'a finalizer holds a deleted object until it is removed, and no other can be added',
    source: API,
    async check({ cluster, namespace }) {
      const key = { namespace, name: 'a' };
      await cluster.create(configMaps, configMap(namespace, 'a', {}, { finalizers: ['example.com/hold'] }));
      same(await cluster.delete(configMaps, key), 'terminating');
      const held = await cluster.get(configMaps, key);
      holds(held?.metadata.deletionTimestamp !== undefined, 'a deletionTimestamp');
      same(await cluster.delete(configMaps, key), 'terminating');
      const finalizers = ['example.com/hold', 'example.com/more'];
      await fails(() => cluster.patch(configMaps, key, { type: 'merge', body: { metadata: { finalizers } } }), {
        code: 'Invalid',
        status: 422,
        message:
          'ConfigMap "a" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/more"}',
      });
      await fails(() => cluster.create(configMaps, configMap(namespace, 'a')), {
        code: 'AlreadyExists',
        status: 409,
        message: 'object is being deleted: configmaps "a" already exists',
      });
      await cluster.patch(configMaps, key, { type: 'merge', body: { metadata: { finalizers: null } } });
      same(await cluster.get(configMaps, key), undefined);
    },
  },
  {
    name: 'a dry run stores nothing',
    source: API,
    async check({ cluster, namespace }) {
      const key = { namespace, name: 'a' };
      const shown = await cluster.create(configMaps, configMap(namespace, 'a', { k: '1' }), { dryRun: true });
      same(shown.data, { k: '1' });
      same(await cluster.get(configMaps, key), undefined);
      await cluster.create(configMaps, configMap(namespace, 'a', { k: '1' }));
      const changed = await cluster.patch(configMaps, key, { type: 'merge', body: { data: { k: '2' } } }, { dryRun: true });
      same(changed.data, { k: '2' });
      same((await cluster.get(configMaps, key))?.data, { k: '1' });
      await cluster.delete(configMaps, key, { dryRun: true });
      holds((await cluster.get(configMaps, key)) !== undefined, 'the object is still there');
    },
  },
  {
    name: 'unknown fields are refused when validation is strict',
    source: 'KEP-2885',
    async check({ cluster, namespace }) {
      const odd = { ...configMap(namespace, 'a'), oddity: true };
      await fails(() => cluster.create(configMaps, odd, { fieldValidation: 'Strict' }), {
        code: 'BadRequest',
        status: 400,
        message: /strict decoding error: unknown field "oddity"/,
      });
      const created = await cluster.create(configMaps, odd);
      holds(!('oddity' in created), 'the unknown field is left out');
    },
  },
  {
    name: 'the main resource leaves the status alone, and the status everything else',
    source: API,
    async check({ cluster, namespace }) {
      const key = { namespace, name: 'web' };
      const created = await cluster.create(deployments, {
        ...deployment(namespace, 'web', { replicas: 2 }),
        status: { replicas: 9 },
      });
      same(created.status, {}, 'the status of a new object');
      same(created.metadata.generation, 1, 'the generation');
      const ready = await cluster.update(
        deployments,
        { ...created, spec: { ...(created.spec as object), replicas: 7 }, status: { observedGeneration: 1, replicas: 2 } },
        { subresource: 'status' },
      );
      same((ready.spec as { replicas: number }).replicas, 2, 'the replicas');
      same(ready.status, { observedGeneration: 1, replicas: 2 }, 'the status');
      same(ready.metadata.generation, 1, 'the generation');
      const scaled = await cluster.patch(deployments, key, {
        type: 'merge',
        body: { spec: { replicas: 3 }, status: { replicas: 8 } },
      });
      same(scaled.metadata.generation, 2, 'the generation');
      same((scaled.status as { replicas: number }).replicas, 2, 'the status');
    },
  },
];
