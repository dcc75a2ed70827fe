import type { AnyObject } from '../../kube/index.ts';
import {
  type Behaviour,
  configMap,
  configMaps,
  deployment,
  deployments,
  fails,
  holds,
  namespaces,
  same,
  services,
} from './behaviour.ts';

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
  {
    name: 'a Deployment gets its defaults',
    source: 'API: apps/v1 Deployment',
    async check({ cluster, namespace }) {
      const created = await cluster.create(deployments, deployment(namespace, 'web'));
      same(created.spec, {
        replicas: 1,
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: {
            containers: [
              {
                name: 'web',
                image: 'shop/web:1',
                ports: [{ containerPort: 80, protocol: 'TCP' }],
                resources: {},
                terminationMessagePath: '/dev/termination-log',
                terminationMessagePolicy: 'File',
                imagePullPolicy: 'IfNotPresent',
              },
            ],
            restartPolicy: 'Always',
            terminationGracePeriodSeconds: 30,
            dnsPolicy: 'ClusterFirst',
            securityContext: {},
            schedulerName: 'default-scheduler',
          },
        },
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
        revisionHistoryLimit: 10,
        progressDeadlineSeconds: 600,
      });
    },
  },
  {
    name: 'quantities are written in their canonical form',
    source: 'API: resource.Quantity',
    async check({ cluster, namespace }) {
      const container = { name: 'web', image: 'x', resources: { limits: { cpu: '1000m', memory: '1024Mi' } } };
      const spec = { template: { metadata: { labels: { app: 'web' } }, spec: { containers: [container] } } };
      const created = await cluster.create(deployments, deployment(namespace, 'web', spec));
      const { resources, imagePullPolicy } = (created.spec as typeof spec & { template: { spec: { containers: AnyObject[] } } })
        .template.spec.containers[0] as unknown as { resources: unknown; imagePullPolicy: string };
      same(resources, { limits: { cpu: '1', memory: '1Gi' } });
      same(imagePullPolicy, 'Always', 'the pull policy of an image without a tag');
    },
  },
  {
    name: 'a Deployment must select its own pods, and its selector never changes',
    source: 'API: apps/v1 Deployment',
    async check({ cluster, namespace }) {
      await fails(
        () => cluster.create(deployments, deployment(namespace, 'web', { selector: { matchLabels: { app: 'other' } } })),
        {
          code: 'Invalid',
          status: 422,
          message:
            /spec\.template\.metadata\.labels: Invalid value: \{"app":"web"\}: `selector` does not match template `labels`/,
          issues: [{ field: 'spec.template.metadata.labels', reason: 'FieldValueInvalid' }],
        },
      );
      const created = await cluster.create(deployments, deployment(namespace, 'web'));
      const labels = { app: 'web', tier: 'x' };
      const spec = {
        ...(created.spec as object),
        selector: { matchLabels: labels },
        template: { ...deploymentTemplate(created), metadata: { labels } },
      };
      await fails(() => cluster.update(deployments, { ...created, spec }), {
        code: 'Invalid',
        status: 422,
        message: /spec\.selector: Invalid value: .*: field is immutable/,
      });
    },
  },
  {
    name: 'a Service gets an address and keeps it',
    source: 'API: core/v1 Service',
    async check({ cluster, namespace }) {
      const service: AnyObject = {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { namespace, name: 'web' },
        spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
      };
      const created = await cluster.create(services, service);
      const { clusterIP, clusterIPs, ...spec } = created.spec as Record<string, unknown>;
      holds(/^10\.[0-9.]+$/.test(String(clusterIP)), 'an address');
      same(clusterIPs, [clusterIP]);
      same(spec, {
        ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
        selector: { app: 'web' },
        type: 'ClusterIP',
        sessionAffinity: 'None',
        ipFamilies: ['IPv4'],
        ipFamilyPolicy: 'SingleStack',
        internalTrafficPolicy: 'Cluster',
      });
      const changed = await cluster.update(services, { ...service, spec: { selector: { app: 'web' }, ports: [{ port: 81 }] } });
      same((changed.spec as Record<string, unknown>).clusterIP, clusterIP, 'the address');
    },
  },
  {
    name: 'a namespace is labelled with its name and held by its finalizer',
    source: 'API: core/v1 Namespace',
    async check({ cluster, unique }) {
      const name = unique('ns');
      const created = await cluster.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
      same(created.metadata.labels, { 'kubernetes.io/metadata.name': name });
      same(created.spec, { finalizers: ['kubernetes'] });
      same(created.status, { phase: 'Active' });
      same(await cluster.delete(namespaces, { name }), 'terminating');
    },
  },
  {
    name: 'nothing new comes into a namespace that is going away',
    source: API,
    async check({ cluster, unique }) {
      const name = unique('ns');
      await cluster.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
      await cluster.create(configMaps, configMap(name, 'held', {}, { finalizers: ['example.com/hold'] }));
      await cluster.delete(namespaces, { name });
      await fails(() => cluster.create(configMaps, configMap(name, 'late')), {
        code: 'Forbidden',
        status: 403,
        message: `configmaps "late" is forbidden: unable to create new content in namespace ${name} because it is being terminated`,
        issues: [{ field: 'metadata.namespace', reason: 'NamespaceTerminating' }],
      });
      await cluster.patch(
        configMaps,
        { namespace: name, name: 'held' },
        { type: 'merge', body: { metadata: { finalizers: null } } },
      );
    },
  },
];

function deploymentTemplate(object: AnyObject): object {
  return (object.spec as { template: object }).template;
}
