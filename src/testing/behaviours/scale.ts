import { type AnyObject, type Cluster, type Json, memberOf, resourceType } from '../../kube/plain/index.ts';
import { type Behaviour, type BehaviourContext, crds, deployment, deployments, fails, same } from './behaviour.ts';

const SOURCE = 'API: autoscaling/v1 Scale';
const SCALE = { subresource: 'scale' } as const;

function scale(namespace: string, name: string, replicas: number | undefined, metadata: Record<string, string> = {}): AnyObject {
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: { namespace, name, ...metadata },
    spec: replicas === undefined ? {} : { replicas },
  };
}

async function replicasOf(cluster: Cluster, namespace: string): Promise<unknown> {
  const found = await cluster.get(deployments, { namespace, name: 'web' });
  return memberOf(found?.spec, 'replicas');
}

/** Who owns fields through the scale. */
function scalers(object: AnyObject | undefined): readonly string[] {
  return (object?.metadata.managedFields ?? [])
    .filter(({ subresource }) => subresource === 'scale')
    .map(({ manager, operation, apiVersion, fieldsV1 }) => `${manager} ${operation} ${apiVersion} ${JSON.stringify(fieldsV1)}`);
}

const OWNED = '{"f:spec":{"f:replicas":{}}}';

export const SCALE_BEHAVIOURS: readonly Behaviour[] = [
  {
    name: 'a scale shows replicas and selector, and changes nothing but replicas',
    source: SOURCE,
    async check({ cluster, namespace }) {
      const created = await cluster.create(deployments, deployment(namespace, 'web', { replicas: 2 }));
      const scaled = await cluster.update(deployments, scale(namespace, 'web', 3), { ...SCALE, fieldManager: 'scaler' });
      const { uid, creationTimestamp } = created.metadata;
      const after = await cluster.get(deployments, { namespace, name: 'web' });
      const resourceVersion = after?.metadata.resourceVersion ?? '';
      same(scaled, {
        apiVersion: 'autoscaling/v1',
        kind: 'Scale',
        metadata: { name: 'web', namespace, uid: uid ?? '', resourceVersion, creationTimestamp: creationTimestamp ?? '' },
        spec: { replicas: 3 },
        status: { replicas: 0, selector: 'app=web' },
      });
      same(after?.metadata.generation, 2, 'the generation');
      same(after?.spec, { ...(created.spec as object), replicas: 3 }, 'the spec');
      same(scalers(after), [`scaler Update apps/v1 ${OWNED}`], 'who owns the replicas');
      const none = await cluster.update(deployments, scale(namespace, 'web', undefined), SCALE);
      same(none.spec, {}, 'the spec of a scale without replicas');
      same(await replicasOf(cluster, namespace), 0, 'the replicas');
    },
  },
  {
    name: 'a scale is patched, and tried out',
    source: SOURCE,
    async check({ cluster, namespace }) {
      const key = { namespace, name: 'web' };
      await cluster.create(deployments, deployment(namespace, 'web', { replicas: 2 }));
      const patch = (replicas: Json, options = {}): Promise<AnyObject> =>
        cluster.patch(deployments, key, { type: 'merge', body: { spec: { replicas } } }, { ...SCALE, ...options });
      same((await patch(4)).spec, { replicas: 4 }, 'the scale');
      same((await patch(9, { dryRun: true })).spec, { replicas: 9 }, 'the scale that is tried out');
      same(await replicasOf(cluster, namespace), 4, 'the replicas');
      const operations = [{ op: 'replace', path: '/spec/replicas', value: 5 }] as const;
      await cluster.patch(deployments, key, { type: 'json', operations }, SCALE);
      same(await replicasOf(cluster, namespace), 5, 'the replicas');
    },
  },
  {
    name: 'a scale is refused that is negative, that is not the newest, or that is of another object',
    source: SOURCE,
    async check({ cluster, namespace }) {
      await cluster.create(deployments, deployment(namespace, 'web', { replicas: 2 }));
      const update =
        (replicas: number, metadata: Record<string, string> = {}) =>
        (): Promise<unknown> =>
          cluster.update(deployments, scale(namespace, 'web', replicas, metadata), SCALE);
      await fails(update(-1), {
        code: 'Invalid',
        status: 422,
        message: 'Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
      });
      await fails(update(3, { resourceVersion: '1' }), {
        code: 'Conflict',
        status: 409,
        message:
          'Operation cannot be fulfilled on deployments.apps "web": the object has been modified; please apply your changes to the latest version and try again',
      });
      await fails(update(3, { uid: 'other' }), {
        code: 'Conflict',
        status: 409,
        message: /Precondition failed: UID in precondition: other, UID in object meta: [-0-9a-f]+$/,
      });
      await fails(() => cluster.update(deployments, scale(namespace, 'none', 1), SCALE), {
        code: 'NotFound',
        status: 404,
        message: 'deployments.apps "none" not found',
      });
      same(await replicasOf(cluster, namespace), 2, 'the replicas');
    },
  },
  {
    name: 'whoever applies a scale comes into conflict with whoever applies the object',
    source: 'KEP-2332',
    async check({ cluster, namespace }) {
      const object = deployment(namespace, 'web', { replicas: 2 });
      await cluster.apply(deployments, object, { fieldManager: 'owner' });
      const apply = (options = {}): Promise<unknown> =>
        cluster.apply(deployments, scale(namespace, 'web', 5), { ...SCALE, fieldManager: 'hpa', ...options });
      await fails(apply, {
        code: 'ApplyConflict',
        status: 409,
        message: 'Apply failed with 1 conflict: conflict with "owner": .spec.replicas',
      });
      await apply({ force: true });
      const key = { namespace, name: 'web' };
      same(scalers(await cluster.get(deployments, key)), [`hpa Apply apps/v1 ${OWNED}`], 'who owns the replicas');
      await fails(() => cluster.apply(deployments, object, { fieldManager: 'owner' }), {
        code: 'ApplyConflict',
        status: 409,
        message: 'Apply failed with 1 conflict: conflict with "hpa" with subresource "scale": .spec.replicas',
      });
      await cluster.patch(
        deployments,
        key,
        { type: 'merge', body: { spec: { replicas: 6 } } },
        { ...SCALE, fieldManager: 'person' },
      );
      same(scalers(await cluster.get(deployments, key)), [`person Update apps/v1 ${OWNED}`], 'who owns the replicas');
    },
  },
  {
    name: 'a custom resource is scaled where its CRD says',
    source: 'API: apiextensions.k8s.io/v1 CustomResourceSubresourceScale',
    check: scaleCustom,
  },
];

async function scaleCustom({ cluster, namespace, unique }: BehaviourContext): Promise<void> {
  const group = `${unique('scale')}.example.com`;
  const widgets = resourceType(`${group}/v1`, 'Widget', 'widgets');
  const size = { type: 'object', properties: { size: { type: 'integer', maximum: 50 }, selector: { type: 'string' } } };
  await cluster.create(crds, {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `widgets.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties: { spec: size, status: size } } },
          subresources: {
            status: {},
            scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size', labelSelectorPath: '.status.selector' },
          },
        },
      ],
    },
  });
  await served(cluster, widgets);
  const key = { namespace, name: 'web' };
  await cluster.create(widgets, { apiVersion: `${group}/v1`, kind: 'Widget', metadata: key, spec: { size: 2 } });
  const status = { size: 1, selector: 'app=web' };
  await cluster.patch(widgets, key, { type: 'merge', body: { status } }, { subresource: 'status' });
  const scaled = await cluster.update(widgets, scale(namespace, 'web', 3), { ...SCALE, fieldManager: 'scaler' });
  same(scaled.spec, { replicas: 3 }, 'the spec of the scale');
  same(scaled.status, { replicas: 1, selector: 'app=web' }, 'the status of the scale');
  const after = await cluster.get(widgets, key);
  same(after?.spec, { size: 3 }, 'the spec');
  same(scalers(after), [`scaler Update ${group}/v1 {"f:spec":{"f:size":{}}}`], 'who owns the size');
  await fails(() => cluster.update(widgets, scale(namespace, 'web', 60), SCALE), {
    code: 'Invalid',
    status: 422,
    message: `Widget.${group} "web" is invalid: spec.size: Invalid value: 60: spec.size in body should be less than or equal to 50`,
  });
  await fails(() => cluster.update(widgets, scale(namespace, 'web', -1), SCALE), {
    code: 'Invalid',
    status: 422,
    message: `Widget.${group} "web" is invalid: .spec.size: Invalid value: -1: should be a non-negative integer`,
  });
}

/** A real server takes a while to serve what a CRD defines. */
async function served(cluster: Cluster, type: Parameters<Cluster['list']>[0]): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    const isServed = await cluster.list(type).then(
      () => true,
      () => false,
    );
    if (isServed) return;
  }
  throw new Error(`${type.plural}.${type.group} is not served`);
}
