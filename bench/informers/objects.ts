import type { AnyObject } from 'clusterset/kube';

const MADE = '2026-05-04T07:08:09Z';
const labels = (index: number): Record<string, string> => ({ app: `shop-${index}` });

const metadata = (index: number, version: number) => ({
  name: `shop-${index}`,
  namespace: `team-${index % 50}`,
  uid: `7d9f2c1e-4b6a-4f0e-9c3d-${String(index).padStart(12, '0')}`,
  resourceVersion: String(version),
  creationTimestamp: MADE,
  labels: labels(index),
});

interface Fields {
  readonly [name: string]: Fields;
}

/** Who manages what, as kube-apiserver writes it down for what was applied on its side, and for what a controller reports. */
const owned = (manager: string, fields: Fields, subresource?: string) => ({
  manager,
  operation: subresource === undefined ? 'Apply' : 'Update',
  apiVersion: 'apps/v1',
  time: MADE,
  fieldsType: 'FieldsV1',
  fieldsV1: fields,
  ...(subresource === undefined ? {} : { subresource }),
});

const all = (...names: string[]): Fields => Object.fromEntries(names.map((name) => [`f:${name}`, {}]));
const LABEL_FIELDS = all(...Object.keys(labels(0)));
/** What was applied; what the server has added is nobody's. */
const SPEC_FIELDS = {
  'f:metadata': { 'f:labels': LABEL_FIELDS },
  'f:spec': {
    ...all('replicas', 'selector'),
    'f:template': {
      'f:metadata': { 'f:labels': LABEL_FIELDS },
      'f:spec': {
        'f:containers': { 'k:{"name":"web"}': { '.': {}, ...all('image', 'name', 'ports', 'resources') } },
      },
    },
  },
};
const CONDITION_FIELDS = { '.': {}, ...all('lastTransitionTime', 'lastUpdateTime', 'message', 'reason', 'status', 'type') };
const STATUS_FIELDS = {
  'f:metadata': { 'f:annotations': { '.': {}, ...all('deployment.kubernetes.io/revision') } },
  'f:status': {
    ...all('availableReplicas', 'observedGeneration', 'readyReplicas', 'replicas', 'updatedReplicas'),
    'f:conditions': { '.': {}, 'k:{"type":"Available"}': CONDITION_FIELDS, 'k:{"type":"Progressing"}': CONDITION_FIELDS },
  },
};

const condition = (type: string, reason: string, message: string) => ({
  type,
  status: 'True',
  lastUpdateTime: MADE,
  lastTransitionTime: MADE,
  reason,
  message,
});

/** A Deployment that has rolled out, with all that kube-apiserver and its controller add: 2.6 KB of JSON. */
export function deployment(index: number, version: number): AnyObject {
  const own = metadata(index, version);
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      ...own,
      generation: 1,
      annotations: { 'deployment.kubernetes.io/revision': '1' },
      managedFields: [owned('kubectl', SPEC_FIELDS), owned('kube-controller-manager', STATUS_FIELDS, 'status')],
    },
    spec: {
      replicas: 3,
      selector: { matchLabels: labels(index) },
      template: {
        metadata: { labels: labels(index) },
        spec: {
          containers: [
            {
              name: 'web',
              image: `registry.example.com/shop/web-${index}:1.4.2`,
              ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
              resources: { limits: { memory: '256Mi' }, requests: { cpu: '100m', memory: '128Mi' } },
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
    },
    status: {
      observedGeneration: 1,
      replicas: 3,
      updatedReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      conditions: [
        condition('Available', 'MinimumReplicasAvailable', 'Deployment has minimum availability.'),
        condition('Progressing', 'NewReplicaSetAvailable', `ReplicaSet "shop-${index}-6c5f7d9b8" has successfully progressed.`),
      ],
    },
  };
}

/** A ConfigMap of 0.8 KB. */
export function configMap(index: number, version: number): AnyObject {
  const fields = { 'f:metadata': { 'f:labels': LABEL_FIELDS }, 'f:data': { '.': {}, ...all('settings', 'colour') } };
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { ...metadata(index, version), managedFields: [{ ...owned('kubectl', fields), apiVersion: 'v1' }] },
    data: { colour: 'green', settings: `number=${index}\n${'a line of text as there are in settings\n'.repeat(8)}` },
  };
}
