import { CORE, get, merge, pod, post, put, remove, type Story, selector } from './requests.ts';

const PDBS = '/apis/policy/v1/namespaces/NS/poddisruptionbudgets';
const pdb = (name: string, spec: object = {}) => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name },
  spec: { minAvailable: 1, selector, ...spec },
});
const RUNNING = { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } };
const evict = (name: string, more: object = {}) =>
  post(`${CORE}/pods/${name}/eviction`, {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name, namespace: 'NS' },
    ...more,
  });
const budget = (status: object) => merge(`${PDBS}/web/status`, { status: { observedGeneration: 1, expectedPods: 2, ...status } });

export const EVICTIONS: readonly Story[] = [
  {
    name: 'evictions',
    asked: [
      evict('none'),
      post(`${CORE}/pods`, pod('waiting')),
      post(`${CORE}/pods/waiting/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'other' } }),
      post(`${CORE}/pods/waiting/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: {} }),
      post(`${CORE}/pods/waiting/eviction`, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'waiting' } }),
      post(`${CORE}/pods/waiting/eviction`, {}),
      post(`${CORE}/pods/waiting/eviction?dryRun=All`, {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name: 'waiting' },
      }),
      get(`${CORE}/pods/waiting/eviction`),
      evict('waiting'),
      get(`${CORE}/pods/waiting`),
      ...['one', 'two', 'three', 'four'].flatMap((name) => [
        post(`${CORE}/pods`, pod(name, { nodeName: 'node-x' })),
        merge(`${CORE}/pods/${name}/status`, RUNNING),
      ]),
      evict('one', { deleteOptions: { gracePeriodSeconds: 3 } }),
      get(`${CORE}/pods/one`),
      post(PDBS, pdb('web')),
      evict('two'),
      budget({ currentHealthy: 1, desiredHealthy: 1, disruptionsAllowed: 0 }),
      evict('two'),
      budget({ currentHealthy: 3, desiredHealthy: 1, disruptionsAllowed: 0 }),
      evict('two'),
      budget({
        currentHealthy: 3,
        desiredHealthy: 2,
        disruptionsAllowed: 1,
        conditions: [
          {
            type: 'DisruptionAllowed',
            status: 'True',
            reason: 'SufficientPods',
            message: '',
            lastTransitionTime: '2025-01-01T00:00:00Z',
            observedGeneration: 1,
          },
        ],
      }),
      post(`${CORE}/pods/two/eviction?dryRun=All`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'two' } }),
      get(`${PDBS}/web`),
      evict('two'),
      get(`${PDBS}/web`),
      get(`${CORE}/pods/two`),
      evict('two'),
      merge(`${CORE}/pods/three/status`, { status: { conditions: [{ type: 'Ready', status: 'False' }] } }),
      evict('three'),
      post(PDBS, pdb('more')),
      evict('four'),
    ],
  },
  {
    name: 'a binding',
    asked: [
      post(`${CORE}/pods`, pod('waiting')),
      post(`${CORE}/pods/waiting/binding`, { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'waiting' }, target: {} }),
      post(`${CORE}/pods/waiting/binding`, {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: 'waiting' },
        target: { kind: 'Pod', name: 'x' },
      }),
      post(`${CORE}/pods/waiting/binding?dryRun=All`, {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: 'waiting' },
        target: { kind: 'Node', name: 'node-x' },
      }),
      post(`${CORE}/pods/waiting/binding`, {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: 'waiting', annotations: { why: 'test' } },
        target: { apiVersion: 'v1', kind: 'Node', name: 'node-x' },
      }),
      get(`${CORE}/pods/waiting`),
      post(`${CORE}/pods/waiting/binding`, {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: 'waiting' },
        target: { kind: 'Node', name: 'node-y' },
      }),
      post(`${CORE}/pods/none/binding`, {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: 'none' },
        target: { kind: 'Node', name: 'node-y' },
      }),
    ],
  },
  {
    name: 'a namespace that is finalized',
    asked: [
      post('/api/v1/namespaces', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'NS-x', finalizers: ['example.com/hold'] },
      }),
      put('/api/v1/namespaces/NS-x/finalize', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'NS-x' },
        spec: { finalizers: ['kubernetes', 'example.com/mine'] },
      }),
      get('/api/v1/namespaces/NS-x/finalize'),
      remove('/api/v1/namespaces/NS-x?propagationPolicy=Foreground'),
      remove('/api/v1/namespaces/NS-x', { preconditions: { uid: 'other' } }),
      remove('/api/v1/namespaces/NS-x'),
      put('/api/v1/namespaces/NS-x/finalize', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'NS-x' },
        spec: { finalizers: ['bad'] },
      }),
    ],
  },
];
