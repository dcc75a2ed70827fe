import { casesOf, change, type KindCase, status } from './case.ts';

const namespace = casesOf('v1', 'Namespace');
const configMap = casesOf('v1', 'ConfigMap');
const secret = casesOf('v1', 'Secret');
const account = casesOf('v1', 'ServiceAccount');
const node = casesOf('v1', 'Node');
const quota = casesOf('v1', 'ResourceQuota');
const limits = casesOf('v1', 'LimitRange');

export const CORE_CASES: readonly KindCase[] = [
  namespace('plain', {}),
  namespace('with.dots', {}),
  namespace('own-status', {
    metadata: { labels: { a: 'b' } },
    spec: { finalizers: ['example.com/a'] },
    status: { phase: 'Terminating' },
  }),
  namespace('bad-finalizer', { spec: { finalizers: ['nothing'] } }),

  configMap('plain', {}),
  configMap('full', { data: { a: '1', b: '' }, binaryData: { c: 'aGk=' }, immutable: true }),
  configMap('bad-key', { data: { 'a b': '1' } }),
  configMap('dots', { binaryData: { '..': 'aGk=' } }),
  configMap('twice', { data: { a: '1' }, binaryData: { a: 'aGk=' } }),
  configMap('Upper_Case', {}),
  configMap('immutable', { data: { a: '1' }, immutable: true }, change({ data: { a: '2' } })),
  configMap('mutable-again', { data: { a: '1' }, immutable: true }, change({ immutable: false })),

  secret('plain', {}),
  secret('string-data', { stringData: { a: 'x', b: '' }, data: { c: 'aGk=' } }),
  secret('typed', { type: 'example.com/thing', data: { a: 'aGk=' }, immutable: true }, change({ data: { a: 'aGp=' } })),
  secret('type-changes', {}, change({ type: 'example.com/other' })),
  secret('tls', { type: 'kubernetes.io/tls', data: { 'tls.crt': 'aGk=', 'tls.key': 'aGk=' } }),
  secret('tls-half', { type: 'kubernetes.io/tls', data: { 'tls.crt': 'aGk=' } }),
  secret('docker', { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': 'e30=' } }),
  secret('docker-none', { type: 'kubernetes.io/dockerconfigjson' }),
  secret('docker-wrong', { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': 'aGk=' } }),
  secret('basic', { type: 'kubernetes.io/basic-auth' }),
  secret('ssh', { type: 'kubernetes.io/ssh-auth' }),
  secret('token', { type: 'kubernetes.io/service-account-token' }),
  secret('bad-key', { data: { 'a/b': 'aGk=' } }),

  account('plain', {}),
  account('full', {
    automountServiceAccountToken: false,
    secrets: [{ name: 'a' }],
    imagePullSecrets: [{ name: 'b' }],
  }),
  account('Bad_Name', {}),

  node('plain', {}),
  node(
    'full',
    {
      metadata: { labels: { 'node-role.kubernetes.io/worker': '', 'node-role.kubernetes.io/control-plane': '' } },
      spec: { unschedulable: true, podCIDR: '10.1.0.0/24', taints: [{ key: 'a', effect: 'NoSchedule' }] },
      status: { capacity: { cpu: '4', memory: '8Gi' } },
    },
    status({
      addresses: [
        { type: 'InternalIP', address: '192.0.2.7' },
        { type: 'ExternalIP', address: '198.51.100.7' },
      ],
      conditions: [{ type: 'Ready', status: 'True' }],
      nodeInfo: {
        kubeletVersion: 'v1.36.3',
        osImage: 'Linux',
        kernelVersion: '6.1',
        containerRuntimeVersion: 'x://1',
        architecture: 'amd64',
      },
    }),
  ),
  node('not-ready', {}, status({ conditions: [{ type: 'Ready', status: 'False' }] })),
  node('bad-taints', {
    spec: {
      taints: [{ key: 'a', effect: 'Never' }, { key: 'b' }, { key: 'c', effect: 'NoExecute' }, { key: 'c', effect: 'NoExecute' }],
    },
  }),
];

/** Last of all: quotas and limits change what comes after them. */
export const QUOTA_CASES: readonly KindCase[] = [
  quota('plain', {}),
  quota(
    'full',
    { spec: { hard: { 'count/widgets.example.com': '10' } } },
    status({ hard: { pods: '10', 'limits.memory': '8Gi' }, used: { pods: '2', 'limits.memory': '1Gi' } }),
  ),
  limits('plain', { spec: { limits: [{ type: 'Container', max: { cpu: '2' }, min: { cpu: '100m' } }] } }),
];
