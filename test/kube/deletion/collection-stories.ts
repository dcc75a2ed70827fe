import type { Asked } from './ask.ts';
import { CORE, get, map, pod, post, remove, type Story } from './requests.ts';

const MAPS = `${CORE}/configmaps`;
const three: readonly Asked[] = ['a', 'b', 'c'].map((name) =>
  post(MAPS, map(name, { labels: { tier: name === 'c' ? 'web' : 'db' } })),
);
const ours = 'labelSelector=tier';

export const COLLECTIONS: readonly Story[] = [
  {
    name: 'a collection by its selectors',
    asked: [
      ...three,
      remove(`${MAPS}?${ours}%3Ddb&dryRun=All`),
      remove(`${MAPS}?${ours}%3Ddb`, { dryRun: ['All'] }),
      get(`${MAPS}?${ours}`),
      remove(`${MAPS}?${ours}%3Ddb`),
      get(`${MAPS}?${ours}`),
      remove(`${MAPS}?${ours}%3Dnone`),
      remove(`${MAPS}?fieldSelector=metadata.name%3Dc`),
      get(`${MAPS}?${ours}`),
    ],
  },
  {
    name: 'a collection with a limit',
    asked: [...three, remove(`${MAPS}?${ours}&limit=2`), get(`${MAPS}?${ours}`)],
  },
  {
    name: 'a collection with options that are no options',
    asked: [
      ...three,
      remove(`${MAPS}?${ours}&propagationPolicy=Weird`),
      remove(`${MAPS}?${ours}`, { kind: 'ConfigMap', apiVersion: 'v1' }),
      remove(`${MAPS}?labelSelector=%3D%3D`),
      remove(`${MAPS}?fieldSelector=spec.x%3D1`),
      remove(`${MAPS}?${ours}&resourceVersionMatch=Exact`),
      remove(`${MAPS}?${ours}`, { preconditions: { uid: 'other' } }),
      get(`${MAPS}?${ours}`),
      remove(`/api/v1/configmaps?${ours}`),
      remove('/api/v1/namespaces?labelSelector=none'),
      remove('/api/v1/namespaces/NS/status'),
      remove('/api/v1/namespaces/default'),
      remove('/api/v1/namespaces/kube-node-lease?dryRun=All'),
    ],
  },
  {
    name: 'a collection with a policy, and finalizers',
    asked: [
      ...three,
      post(MAPS, map('d', { labels: { tier: 'held' }, finalizers: ['example.com/hold'] })),
      remove(`${MAPS}?${ours}%3Dheld`),
      get(`${MAPS}/d`),
      remove(`${MAPS}?${ours}%3Dweb`, { propagationPolicy: 'Foreground' }),
      get(`${MAPS}/c`),
      remove(`${MAPS}?${ours}%3Ddb&propagationPolicy=Orphan`),
      get(`${MAPS}?${ours}`),
      remove(`${MAPS}?${ours}&propagationPolicy=Background`),
      get(`${MAPS}?${ours}`),
    ],
  },
  {
    name: 'pods as a collection',
    asked: [
      post(`${CORE}/pods`, pod('waiting')),
      post(`${CORE}/pods`, pod('placed', { nodeName: 'node-x' })),
      remove(`${CORE}/pods`, { gracePeriodSeconds: 4 }),
      get(`${CORE}/pods`),
      remove(`${CORE}/pods?gracePeriodSeconds=0`),
      get(`${CORE}/pods`),
    ],
  },
];
