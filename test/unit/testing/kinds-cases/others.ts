import { casesOf, change, type KindCase, selector, status } from './case.ts';

const lease = casesOf('coordination.k8s.io/v1', 'Lease');
const role = casesOf('rbac.authorization.k8s.io/v1', 'Role');
const clusterRole = casesOf('rbac.authorization.k8s.io/v1', 'ClusterRole');
const binding = casesOf('rbac.authorization.k8s.io/v1', 'RoleBinding');
const clusterBinding = casesOf('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding');
const claim = casesOf('v1', 'PersistentVolumeClaim');
const volume = casesOf('v1', 'PersistentVolume');
const scaler = casesOf('autoscaling/v2', 'HorizontalPodAutoscaler');
const budget = casesOf('policy/v1', 'PodDisruptionBudget');

const GROUP = 'rbac.authorization.k8s.io';
const roleRef = { apiGroup: GROUP, kind: 'Role', name: 'viewer' };
const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }];
const storage = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
const disk = { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce', 'ReadOnlyMany'], hostPath: { path: '/data' } };
const target = { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, maxReplicas: 5 };
const cpu = (averageUtilization: number): object => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
});

export const OTHER_CASES: readonly KindCase[] = [
  lease('plain', {}),
  lease('full', {
    spec: {
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      leaseTransitions: 1,
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:00:00.000000Z',
    },
  }),
  lease('bad', { spec: { leaseDurationSeconds: 0, leaseTransitions: -1 } }),

  role('plain', { rules }),
  role('empty', {}),
  role('no-verbs', {
    rules: [
      { apiGroups: [''], resources: ['pods'], verbs: [] },
      { verbs: ['get'] },
      { nonResourceURLs: ['/healthz'], verbs: ['get'] },
    ],
  }),
  role('with/slash', { rules }),
  role('With:Colon', { rules }),
  clusterRole('urls', { rules: [{ nonResourceURLs: ['/healthz'], verbs: ['get'] }] }),
  clusterRole('aggregated', { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] } }),
  clusterRole('both', { rules: [{ nonResourceURLs: ['/a'], apiGroups: [''], resources: ['pods'], verbs: ['get'] }] }),
  binding('plain', { roleRef, subjects: [{ kind: 'User', name: 'jane', apiGroup: GROUP }] }),
  binding('defaults', {
    roleRef: { kind: 'Role', name: 'viewer' },
    subjects: [
      { kind: 'User', name: 'jane' },
      { kind: 'Group', name: 'devs' },
      { kind: 'ServiceAccount', name: 'bot', namespace: 'shop' },
    ],
  }),
  binding('no-subjects', { roleRef }),
  binding('no-ref', { subjects: [] }),
  binding('bad-ref', { roleRef: { apiGroup: 'other', kind: 'Job', name: '' } }),
  binding('bad-subjects', {
    roleRef,
    subjects: [
      { kind: 'Robot', name: 'x' },
      { kind: 'ServiceAccount', name: 'Bad_Name' },
      { kind: 'User', name: '', apiGroup: 'x' },
    ],
  }),
  binding('ref-changes', { roleRef }, change({ roleRef: { name: 'editor' } })),
  clusterBinding('plain', {
    roleRef: { ...roleRef, kind: 'ClusterRole' },
    subjects: [{ kind: 'ServiceAccount', name: 'bot', namespace: 'shop' }],
  }),
  clusterBinding('bad', { roleRef, subjects: [{ kind: 'ServiceAccount', name: 'bot' }] }),

  claim('plain', { spec: storage }),
  claim(
    'full',
    { spec: { ...storage, storageClassName: 'fast', volumeMode: 'Block', volumeName: 'disk', selector } },
    status({ phase: 'Bound', capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce', 'ReadWriteMany'] }),
  ),
  claim('empty', { spec: {} }),
  claim('no-request', { spec: { accessModes: ['ReadWriteOnce'] } }),
  claim('zero', { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '0' } } } }),
  claim('bad-modes', { spec: { ...storage, accessModes: ['Sometimes'], volumeMode: 'Round' } }),
  claim('pod-and-more', { spec: { ...storage, accessModes: ['ReadWriteOncePod', 'ReadOnlyMany'] } }),
  claim('immutable', { spec: storage }, change({ spec: { accessModes: ['ReadWriteMany'] } })),
  claim('shrinks', { spec: storage }, change({ spec: { resources: { requests: { storage: '500Mi' } } } })),
  volume('plain', { spec: disk }),
  volume(
    'full',
    {
      spec: {
        ...disk,
        persistentVolumeReclaimPolicy: 'Delete',
        storageClassName: 'fast',
        volumeMode: 'Block',
        claimRef: { namespace: 'shop', name: 'data' },
      },
    },
    status({ phase: 'Bound' }),
  ),
  volume('empty', { spec: {} }),
  volume('bad-policy', { spec: { ...disk, persistentVolumeReclaimPolicy: 'Burn', accessModes: ['Now'] } }),
  volume('two-sources', { spec: { ...disk, nfs: { server: 'a', path: '/' } } }),
  volume('immutable', { spec: disk }, change({ spec: { hostPath: { path: '/other' } } })),

  scaler('plain', { spec: target }),
  scaler(
    'full',
    {
      spec: {
        ...target,
        minReplicas: 2,
        metrics: [
          cpu(50),
          { type: 'Pods', pods: { metric: { name: 'rps' }, target: { type: 'AverageValue', averageValue: '10' } } },
          { type: 'External', external: { metric: { name: 'queue' }, target: { type: 'Value', value: '30' } } },
        ],
        behavior: {
          scaleDown: { stabilizationWindowSeconds: 60 },
          scaleUp: { policies: [{ type: 'Pods', value: 1, periodSeconds: 30 }] },
        },
      },
    },
    status({
      currentReplicas: 3,
      desiredReplicas: 3,
      currentMetrics: [
        { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 40, averageValue: '400m' } } },
      ],
    }),
  ),
  scaler('two-metrics', {
    spec: {
      ...target,
      metrics: [
        cpu(50),
        {
          type: 'ContainerResource',
          containerResource: { name: 'memory', container: 'web', target: { type: 'AverageValue', averageValue: '1Gi' } },
        },
      ],
    },
  }),
  scaler('of-object', {
    spec: {
      ...target,
      metrics: [
        {
          type: 'Object',
          object: {
            describedObject: { kind: 'Service', name: 'web' },
            metric: { name: 'hits' },
            target: { type: 'Value', value: '5' },
          },
        },
      ],
    },
  }),
  scaler('empty', { spec: {} }),
  scaler('reversed', { spec: { ...target, minReplicas: 6 } }),
  scaler('zero', { spec: { ...target, minReplicas: 0, maxReplicas: 0 } }),
  scaler('bad-metrics', { spec: { ...target, metrics: [{ type: 'Resource' }, { type: 'Guess' }, cpu(0)] } }),
  scaler('bad-behavior', {
    spec: {
      ...target,
      behavior: {
        scaleUp: {
          stabilizationWindowSeconds: 4000,
          policies: [{ type: 'Sheep', value: 0, periodSeconds: 2000 }],
          selectPolicy: 'Any',
        },
      },
    },
  }),

  budget('plain', { spec: { minAvailable: 1, selector } }),
  budget(
    'percent',
    { spec: { maxUnavailable: '20%', selector, unhealthyPodEvictionPolicy: 'AlwaysAllow' } },
    status({ disruptionsAllowed: 2, currentHealthy: 3, desiredHealthy: 1, expectedPods: 3 }),
  ),
  budget('empty', { spec: {} }),
  budget('both', { spec: { minAvailable: 1, maxUnavailable: 1, selector } }),
  budget('bad', { spec: { minAvailable: 'many', selector, unhealthyPodEvictionPolicy: 'Never' } }),
  budget('negative', { spec: { minAvailable: -1, selector } }),
  budget('above', { spec: { maxUnavailable: '120%', selector } }),
  budget('changed', { spec: { minAvailable: 1, selector } }, change({ spec: { minAvailable: 2 } })),
];
