import type { AnyObject, ManagedFieldsEntry } from '../../kube/plain/index.ts';
import { type Behaviour, configMap, configMaps, deployment, deployments, fails, holds, same } from './behaviour.ts';

const SOURCE = 'Kubernetes server-side apply';

/** The managers of an object, without times. */
function managers(object: AnyObject): readonly Omit<ManagedFieldsEntry, 'time' | 'fieldsType'>[] {
  return (object.metadata.managedFields ?? []).map(({ time: _, fieldsType: _f, ...entry }) => entry);
}

const owned = (fieldsV1: object): ManagedFieldsEntry['fieldsV1'] => fieldsV1 as NonNullable<ManagedFieldsEntry['fieldsV1']>;

/** Server-side apply and who owns which fields. */
export const APPLY_BEHAVIOURS: readonly Behaviour[] = [
  {
    name: 'apply creates what is absent and says so',
    source: SOURCE,
    async check({ cluster, namespace }) {
      const first = await cluster.apply(configMaps, configMap(namespace, 'a', { k: '1' }), { fieldManager: 'one' });
      holds(first.created, 'created');
      same(managers(first.object as AnyObject), [
        { manager: 'one', operation: 'Apply', apiVersion: 'v1', fieldsV1: owned({ 'f:data': { 'f:k': {} } }) },
      ]);
      const second = await cluster.apply(configMaps, configMap(namespace, 'a', { k: '2' }), { fieldManager: 'one' });
      holds(!second.created, 'not created again');
      same((second.object as AnyObject).data, { k: '2' });
    },
  },
  {
    name: 'applying the same again changes nothing',
    source: SOURCE,
    async check({ cluster, namespace }) {
      const first = await cluster.apply(deployments, deployment(namespace, 'web'), { fieldManager: 'one' });
      const second = await cluster.apply(deployments, deployment(namespace, 'web'), { fieldManager: 'one' });
      same(second.object, first.object);
    },
  },
  {
    name: 'apply if absent creates, or touches nothing, also with force',
    source: 'clusterset: how a controller adopts nothing',
    async check({ cluster, namespace }) {
      const config = configMap(namespace, 'a', { k: '1' });
      const first = await cluster.apply(configMaps, config, { fieldManager: 'one', ifAbsent: true });
      holds(first.created, 'created');
      for (const force of [false, true]) {
        await fails(() => cluster.apply(configMaps, config, { fieldManager: 'two', force, ifAbsent: true }), {
          code: 'AlreadyExists',
          status: 409,
        });
      }
      same(await cluster.get(configMaps, { namespace, name: 'a' }), first.object);
    },
  },
  {
    name: 'apply with another version meets the fields of others first, and force leads to the version',
    source: SOURCE,
    async check({ cluster, namespace }) {
      await cluster.apply(configMaps, configMap(namespace, 'a', { k: '1' }), { fieldManager: 'one' });
      const { metadata, ...rest } = configMap(namespace, 'a', { k: '2' });
      const stale = { ...rest, metadata: { ...metadata, resourceVersion: '1' } };
      const options = { fieldManager: 'two' };
      await fails(() => cluster.apply(configMaps, stale, options), { code: 'ApplyConflict', status: 409 });
      await fails(() => cluster.apply(configMaps, stale, { ...options, force: true }), { code: 'Conflict', status: 409 });
      await fails(() => cluster.apply(configMaps, stale, { ...options, ifAbsent: true }), { code: 'AlreadyExists', status: 409 });
    },
  },
  {
    name: 'apply needs a manager',
    source: SOURCE,
    async check({ cluster, namespace }) {
      await fails(() => cluster.apply(configMaps, configMap(namespace, 'a'), { fieldManager: '' }), {
        code: 'Invalid',
        status: 422,
        message: 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
        issues: [{ field: 'fieldManager', reason: 'FieldValueRequired' }],
      });
    },
  },
  {
    name: 'a field of another manager is a conflict, and force takes it',
    source: SOURCE,
    async check({ cluster, namespace }) {
      await cluster.apply(configMaps, configMap(namespace, 'a', { x: '1', y: '1', z: '1' }), { fieldManager: 'one' });
      const wanted = configMap(namespace, 'a', { x: '2' });
      await fails(() => cluster.apply(configMaps, wanted, { fieldManager: 'two' }), {
        code: 'ApplyConflict',
        status: 409,
        message: 'Apply failed with 1 conflict: conflict with "one": .data.x',
        issues: [{ field: '.data.x', reason: 'FieldManagerConflict', message: 'conflict with "one"' }],
      });
      await fails(() => cluster.apply(configMaps, configMap(namespace, 'a', { x: '2', y: '2' }), { fieldManager: 'two' }), {
        code: 'ApplyConflict',
        status: 409,
        message: 'Apply failed with 2 conflicts: conflicts with "one":\n- .data.x\n- .data.y',
      });
      const forced = await cluster.apply(configMaps, wanted, { fieldManager: 'two', force: true });
      same((forced.object as AnyObject).data, { x: '2', y: '1', z: '1' });
      same(managers(forced.object as AnyObject), [
        { manager: 'one', operation: 'Apply', apiVersion: 'v1', fieldsV1: owned({ 'f:data': { 'f:y': {}, 'f:z': {} } }) },
        { manager: 'two', operation: 'Apply', apiVersion: 'v1', fieldsV1: owned({ 'f:data': { 'f:x': {} } }) },
      ]);
    },
  },
  {
    name: 'the same value is shared, not a conflict',
    source: SOURCE,
    async check({ cluster, namespace }) {
      await cluster.apply(configMaps, configMap(namespace, 'a', { x: '1' }), { fieldManager: 'one' });
      await cluster.apply(configMaps, configMap(namespace, 'a', { x: '1' }), { fieldManager: 'two' });
      const left = await cluster.apply(configMaps, configMap(namespace, 'a', {}), { fieldManager: 'one' });
      same((left.object as AnyObject).data, { x: '1' }, 'the data, which the other still wants');
      const gone = await cluster.apply(configMaps, configMap(namespace, 'a', {}), { fieldManager: 'two' });
      holds(!Object.hasOwn(((gone.object as AnyObject).data ?? {}) as object, 'x'), 'a field that nobody wants is removed');
    },
  },
  {
    name: 'an update takes the fields that it changes, and apply conflicts with it by version',
    source: SOURCE,
    async check({ cluster, namespace }) {
      const key = { namespace, name: 'a' };
      await cluster.apply(configMaps, configMap(namespace, 'a', { x: '1', y: '1' }), { fieldManager: 'one' });
      const edited = await cluster.patch(
        configMaps,
        key,
        { type: 'merge', body: { data: { x: '2' } } },
        { fieldManager: 'editor' },
      );
      same(managers(edited), [
        { manager: 'one', operation: 'Apply', apiVersion: 'v1', fieldsV1: owned({ 'f:data': { 'f:y': {} } }) },
        { manager: 'editor', operation: 'Update', apiVersion: 'v1', fieldsV1: owned({ 'f:data': { 'f:x': {} } }) },
      ]);
      await fails(() => cluster.apply(configMaps, configMap(namespace, 'a', { x: '1', y: '1' }), { fieldManager: 'one' }), {
        code: 'ApplyConflict',
        status: 409,
        message: 'Apply failed with 1 conflict: conflict with "editor" using v1: .data.x',
        issues: [{ field: '.data.x', reason: 'FieldManagerConflict', message: 'conflict with "editor" using v1' }],
      });
    },
  },
  {
    name: 'a created object belongs to its creator, field by field',
    source: SOURCE,
    async check({ cluster, namespace }) {
      const created = await cluster.create(configMaps, configMap(namespace, 'a', { x: '1' }, { labels: { l: '1' } }), {
        fieldManager: 'maker',
      });
      same(managers(created), [
        {
          manager: 'maker',
          operation: 'Update',
          apiVersion: 'v1',
          fieldsV1: owned({ 'f:data': { '.': {}, 'f:x': {} }, 'f:metadata': { 'f:labels': { '.': {}, 'f:l': {} } } }),
        },
      ]);
    },
  },
  {
    name: 'a Deployment is owned down to its containers, defaults excluded for who applies',
    source: SOURCE,
    async check({ cluster, namespace }) {
      const { object } = await cluster.apply(deployments, deployment(namespace, 'web', { replicas: 2 }), { fieldManager: 'one' });
      same(managers(object as AnyObject), [
        {
          manager: 'one',
          operation: 'Apply',
          apiVersion: 'apps/v1',
          fieldsV1: owned({
            'f:spec': {
              'f:replicas': {},
              'f:selector': {},
              'f:template': {
                'f:metadata': { 'f:labels': { 'f:app': {} } },
                'f:spec': {
                  'f:containers': {
                    'k:{"name":"web"}': {
                      '.': {},
                      'f:image': {},
                      'f:name': {},
                      'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
                    },
                  },
                },
              },
            },
          }),
        },
      ]);
    },
  },
  {
    name: 'a created Deployment belongs to its creator with all its defaults',
    source: SOURCE,
    async check({ cluster, namespace }) {
      const created = await cluster.create(deployments, deployment(namespace, 'web'), { fieldManager: 'maker' });
      same(managers(created), [
        {
          manager: 'maker',
          operation: 'Update',
          apiVersion: 'apps/v1',
          fieldsV1: owned({
            'f:spec': {
              'f:progressDeadlineSeconds': {},
              'f:replicas': {},
              'f:revisionHistoryLimit': {},
              'f:selector': {},
              'f:strategy': { 'f:rollingUpdate': { '.': {}, 'f:maxSurge': {}, 'f:maxUnavailable': {} }, 'f:type': {} },
              'f:template': {
                'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
                'f:spec': {
                  'f:containers': {
                    'k:{"name":"web"}': {
                      '.': {},
                      'f:image': {},
                      'f:imagePullPolicy': {},
                      'f:name': {},
                      'f:ports': {
                        '.': {},
                        'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {}, 'f:protocol': {} },
                      },
                      'f:resources': {},
                      'f:terminationMessagePath': {},
                      'f:terminationMessagePolicy': {},
                    },
                  },
                  'f:dnsPolicy': {},
                  'f:restartPolicy': {},
                  'f:schedulerName': {},
                  'f:securityContext': {},
                  'f:terminationGracePeriodSeconds': {},
                },
              },
            },
          }),
        },
      ]);
    },
  },
  {
    name: 'lists with keys merge: each manager has its own containers, in the order applied',
    source: SOURCE,
    async check({ cluster, namespace }) {
      const withContainers = (...containers: object[]): AnyObject =>
        deployment(namespace, 'web', { template: { metadata: { labels: { app: 'web' } }, spec: { containers } } });
      const namesOf = (object: unknown): string[] =>
        (object as { spec: { template: { spec: { containers: { name: string }[] } } } }).spec.template.spec.containers.map(
          ({ name }) => name,
        );
      await cluster.apply(deployments, withContainers({ name: 'web', image: 'w' }), { fieldManager: 'one' });
      const both = await cluster.apply(deployments, withContainers({ name: 'log', image: 'l' }), { fieldManager: 'two' });
      same(namesOf(both.object), ['web', 'log']);
      const inserted = await cluster.apply(
        deployments,
        withContainers({ name: 'init', image: 'i' }, { name: 'web', image: 'w' }, { name: 'last', image: 'z' }),
        { fieldManager: 'one' },
      );
      same(namesOf(inserted.object), ['init', 'web', 'log', 'last']);
      const dropped = await cluster.apply(deployments, withContainers({ name: 'web', image: 'w' }), { fieldManager: 'one' });
      same(namesOf(dropped.object), ['web', 'log']);
    },
  },
  {
    name: 'a field that is dropped gets its default again',
    source: SOURCE,
    async check({ cluster, namespace }) {
      await cluster.apply(deployments, deployment(namespace, 'web', { replicas: 5 }), { fieldManager: 'one' });
      const { object } = await cluster.apply(deployments, deployment(namespace, 'web'), { fieldManager: 'one' });
      same((object as { spec?: { replicas?: number } }).spec?.replicas, 1);
    },
  },
  {
    name: 'a configuration may not hold managedFields, nor speak of another version or object',
    source: SOURCE,
    async check({ cluster, namespace }) {
      await fails(
        () => cluster.apply(configMaps, configMap(namespace, 'a', {}, { managedFields: [] }), { fieldManager: 'one' }),
        {
          code: 'BadRequest',
          status: 400,
          message: 'metadata.managedFields must be nil',
        },
      );
      const uid = '11111111-2222-3333-4444-555555555555';
      await fails(() => cluster.apply(configMaps, configMap(namespace, 'a', {}, { uid }), { fieldManager: 'one' }), {
        code: 'Conflict',
        status: 409,
        message: `Operation cannot be fulfilled on configmaps "a": uid mismatch: the provided object specified uid ${uid}, and no existing object was found`,
      });
      await cluster.apply(configMaps, configMap(namespace, 'a'), { fieldManager: 'one' });
      await fails(() => cluster.apply(configMaps, configMap(namespace, 'a', {}, { uid }), { fieldManager: 'one' }), {
        code: 'Invalid',
        status: 422,
        issues: [{ field: 'metadata.uid', reason: 'FieldValueInvalid' }],
      });
    },
  },
  {
    name: 'a field that the type does not know is refused',
    source: SOURCE,
    async check({ cluster, namespace }) {
      await fails(() => cluster.apply(configMaps, { ...configMap(namespace, 'a'), oddity: 1 }, { fieldManager: 'one' }), {
        code: 'InternalError',
        status: 500,
        message: `failed to create typed patch object (${namespace}/a; /v1, Kind=ConfigMap): .oddity: field not declared in schema`,
      });
    },
  },
  {
    name: 'the status is applied through its own path, by its own entry',
    source: SOURCE,
    async check({ cluster, namespace }) {
      await cluster.apply(deployments, deployment(namespace, 'web'), { fieldManager: 'one' });
      const status = {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { namespace, name: 'web' },
        status: { observedGeneration: 1, replicas: 1 },
      };
      const { object } = await cluster.apply(deployments, status, { fieldManager: 'one', subresource: 'status' });
      same((object as AnyObject).status, { observedGeneration: 1, replicas: 1 });
      const entry = managers(object as AnyObject).find(({ subresource }) => subresource === 'status');
      same(entry, {
        manager: 'one',
        operation: 'Apply',
        apiVersion: 'apps/v1',
        subresource: 'status',
        fieldsV1: owned({ 'f:status': { 'f:observedGeneration': {}, 'f:replicas': {} } }),
      });
    },
  },
];
