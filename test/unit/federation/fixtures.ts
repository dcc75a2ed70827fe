import {
  type AnyObject,
  applyJsonPatch,
  difference,
  type FieldsV1,
  type JsonPatchOperation,
  type ManagedFieldsEntry,
  parseFieldsV1,
  toFieldsV1,
} from 'clusterset/kube';
import type { ClusterEntry } from 'clusterset/registry';

export const fleet: readonly ClusterEntry[] = [
  { name: 'eu-1', labels: { region: 'eu', tier: 'prod' } },
  { name: 'eu-2', labels: { region: 'eu', tier: 'test' } },
  { name: 'us-1', labels: { region: 'us', tier: 'prod' } },
];

export const deploymentTemplate = {
  metadata: { labels: { app: 'web' } },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        containers: [
          { name: 'web', image: 'shop/web:1', env: [{ name: 'REGION', value: 'none' }], ports: [{ containerPort: 80 }] },
          { name: 'log', image: 'shop/log:1' },
        ],
      },
    },
  },
};

/** A federated Deployment `shop/web`, placed everywhere. */
export function federatedDeployment(spec: Record<string, unknown> = {}, metadata: Record<string, unknown> = {}): AnyObject {
  return {
    apiVersion: 'types.kubefed.io/v1beta1',
    kind: 'FederatedDeployment',
    metadata: { name: 'web', namespace: 'shop', ...metadata },
    spec: { template: deploymentTemplate, placement: { clusterSelector: {} }, ...spec },
  };
}

export function federatedNamespace(placement: Record<string, unknown> = { clusterSelector: {} }): AnyObject {
  return {
    apiVersion: 'types.kubefed.io/v1beta1',
    kind: 'FederatedNamespace',
    metadata: { name: 'shop', namespace: 'shop' },
    spec: { template: {}, placement },
  };
}

export const owner = 'clusterset/federateddeployments.types.kubefed.io/shop/web';

const marks: FieldsV1 = {
  'f:annotations': { 'f:clusterset.dev/owner': {} },
  'f:labels': { 'f:app': {}, 'f:kubefed.io/managed': {} },
};

const identity = {
  name: 'web',
  namespace: 'shop',
  uid: 'aaf35eba-98e5-4ccc-b163-0949fcfe9264',
  resourceVersion: '277',
  creationTimestamp: '2026-11-21T15:47:34Z',
  labels: { app: 'web', 'kubefed.io/managed': 'true' },
  annotations: { 'clusterset.dev/owner': owner },
};

/** The managed fields entry of a server-side apply. */
export function applied(apiVersion: string, fieldsV1: FieldsV1, manager = 'clusterset'): ManagedFieldsEntry {
  return { manager, operation: 'Apply', apiVersion, time: '2026-11-21T15:47:34Z', fieldsType: 'FieldsV1', fieldsV1 };
}

/** The managed fields entry of any other write. */
export function updated(manager: string, apiVersion: string, fieldsV1: FieldsV1, subresource?: string): ManagedFieldsEntry {
  const entry = { manager, operation: 'Update', apiVersion, time: '2026-11-21T15:47:46Z', fieldsType: 'FieldsV1', fieldsV1 };
  return subresource === undefined ? entry : { ...entry, subresource };
}

const containerDefaults = {
  resources: {},
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
  imagePullPolicy: 'IfNotPresent',
};

/** The Deployment `shop/web` as Kubernetes 1.36 has it after an apply of {@link deploymentTemplate}, rolled out by its controller. */
export const liveDeployment: AnyObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    ...identity,
    generation: 1,
    annotations: { ...identity.annotations, 'deployment.kubernetes.io/revision': '1' },
    managedFields: [
      applied('apps/v1', {
        'f:metadata': marks,
        'f:spec': {
          'f:replicas': {},
          'f:selector': {},
          'f:template': {
            'f:metadata': { 'f:labels': { 'f:app': {} } },
            'f:spec': {
              'f:containers': {
                'k:{"name":"log"}': { '.': {}, 'f:image': {}, 'f:name': {} },
                'k:{"name":"web"}': {
                  '.': {},
                  'f:env': { 'k:{"name":"REGION"}': { '.': {}, 'f:name': {}, 'f:value': {} } },
                  'f:image': {},
                  'f:name': {},
                  'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
                },
              },
            },
          },
        },
      }),
      updated(
        'kube-controller-manager',
        'apps/v1',
        {
          'f:metadata': { 'f:annotations': { 'f:deployment.kubernetes.io/revision': {} } },
          'f:status': { 'f:availableReplicas': {}, 'f:observedGeneration': {}, 'f:replicas': {} },
        },
        'status',
      ),
    ],
  },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        containers: [
          {
            name: 'web',
            image: 'shop/web:1',
            ports: [{ containerPort: 80, protocol: 'TCP' }],
            env: [{ name: 'REGION', value: 'none' }],
            ...containerDefaults,
          },
          { name: 'log', image: 'shop/log:1', ...containerDefaults },
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
  },
  status: {
    observedGeneration: 1,
    replicas: 3,
    updatedReplicas: 3,
    readyReplicas: 3,
    availableReplicas: 3,
    conditions: [
      {
        type: 'Progressing',
        status: 'True',
        reason: 'NewReplicaSetAvailable',
        message: 'ReplicaSet has successfully progressed.',
      },
      { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', message: 'Deployment has minimum availability.' },
    ],
  },
};

/** The Service `shop/web` as Kubernetes 1.36 has it after an apply of these ports, a selector and the type NodePort. */
export const liveService: AnyObject = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    ...identity,
    managedFields: [
      applied('v1', {
        'f:metadata': marks,
        'f:spec': {
          'f:ports': { 'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:name': {}, 'f:port': {}, 'f:targetPort': {} } },
          'f:selector': {},
          'f:type': {},
        },
      }),
    ],
  },
  spec: {
    ports: [{ name: 'http', protocol: 'TCP', port: 80, targetPort: 8080, nodePort: 30991 }],
    selector: { app: 'web' },
    clusterIP: '10.0.119.152',
    clusterIPs: ['10.0.119.152'],
    type: 'NodePort',
    sessionAffinity: 'None',
    externalTrafficPolicy: 'Cluster',
    ipFamilies: ['IPv4'],
    ipFamilyPolicy: 'SingleStack',
    internalTrafficPolicy: 'Cluster',
  },
  status: { loadBalancer: {} },
};

/** The ConfigMap `shop/web` with two keys of ours and one of somebody else. */
export const liveConfigMap: AnyObject = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    ...identity,
    managedFields: [
      applied('v1', { 'f:data': { 'f:a': {}, 'f:b': {} }, 'f:metadata': marks }),
      updated('kubectl-edit', 'v1', { 'f:data': { 'f:other': {} } }),
    ],
  },
  data: { a: '1', b: '2', other: 'x' },
};

/** What a template of the live object would be rendered to, where it says the given fields. */
export function desiredOf(live: AnyObject, fields: Record<string, unknown>): AnyObject {
  const { name, namespace = '', labels = {} } = live.metadata;
  const metadata = { name, namespace, labels, annotations: { 'clusterset.dev/owner': owner } };
  return { apiVersion: live.apiVersion, kind: live.kind, metadata, ...fields };
}

export function patched<T>(object: T, ...operations: JsonPatchOperation[]): T {
  return applyJsonPatch(object, operations);
}

/** The object after somebody else has written it: what they changed is theirs, and ours no longer. */
export function edited(live: AnyObject, operations: JsonPatchOperation[], fields: FieldsV1, subresource?: string): AnyObject {
  const object = patched(live, ...operations);
  const entries = (live.metadata.managedFields ?? []).map((entry) => ({
    ...entry,
    fieldsV1: toFieldsV1(difference(parseFieldsV1(entry.fieldsV1), parseFieldsV1(fields))),
  }));
  const managedFields = [...entries, updated('kubectl-edit', live.apiVersion, fields, subresource)];
  return { ...object, metadata: { ...object.metadata, managedFields } };
}

/** Freezes a document with all that is in it, so that a write to it throws. */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  Object.values(value).forEach(frozen);
  return value;
}
