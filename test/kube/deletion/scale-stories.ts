import { APPS, apply, deployment, get, json, merge, post, put, remove, type Story, template } from './requests.ts';

const SCALE = `${APPS}/deployments/web/scale`;
const scale = (spec: object, metadata: object = {}) => ({
  apiVersion: 'autoscaling/v1',
  kind: 'Scale',
  metadata: { name: 'web', namespace: 'NS', ...metadata },
  spec,
});
const MANAGED = `${APPS}/deployments/web?fieldManager=look`;

export const SCALES: readonly Story[] = [
  {
    name: 'the scale of a Deployment',
    asked: [
      get(SCALE),
      put(SCALE, scale({ replicas: 1 })),
      merge(SCALE, { spec: { replicas: 1 } }),
      apply(`${SCALE}?fieldManager=hpa`, scale({ replicas: 1 })),
      post(`${APPS}/deployments?fieldManager=maker`, deployment),
      get(SCALE),
      put(`${SCALE}?fieldManager=scaler`, scale({ replicas: 2 })),
      get(MANAGED),
      put(`${SCALE}?fieldManager=scaler`, scale({ replicas: 3 })),
      get(MANAGED),
      put(`${SCALE}?fieldManager=scaler`, scale({ replicas: 3 })),
      put(`${SCALE}?fieldManager=other`, scale({ replicas: 5 })),
      get(MANAGED),
      put(`${SCALE}?dryRun=All`, scale({ replicas: 9 })),
      get(SCALE),
      put(SCALE, scale({ replicas: -1 })),
      put(SCALE, scale({})),
      put(SCALE, scale({ replicas: 4 }, { resourceVersion: '1' })),
      put(SCALE, scale({ replicas: 4 }, { uid: 'other' })),
      put(SCALE, { ...scale({ replicas: 4 }), metadata: {} }),
      put(SCALE, scale({ replicas: 4 }, { name: 'other' })),
      put(SCALE, scale({ replicas: 4 }, { namespace: 'other' })),
      put(SCALE, scale({ replicas: 'x' })),
      put(SCALE, { ...deployment, metadata: { name: 'web' } }),
      put(SCALE, { spec: { replicas: 2 }, metadata: { name: 'web' } }),
      merge(`${SCALE}?fieldManager=patcher`, { spec: { replicas: 5 } }),
      json(`${SCALE}?fieldManager=patcher`, [{ op: 'replace', path: '/spec/replicas', value: 6 }]),
      { ...merge(`${SCALE}?fieldManager=patcher`, { spec: { replicas: 7 } }), type: 'application/strategic-merge-patch+json' },
      json(SCALE, [{ op: 'test', path: '/spec/replicas', value: 99 }]),
      merge(SCALE, { spec: { replicas: -3 } }),
      merge(SCALE, { metadata: { resourceVersion: '1' }, spec: { replicas: 1 } }),
      merge(SCALE, { metadata: { uid: 'other' }, spec: { replicas: 1 } }),
      merge(SCALE, { metadata: { labels: { x: 'y' } }, status: { replicas: 9 } }),
      get(MANAGED),
      remove(SCALE),
      post(SCALE, scale({ replicas: 1 })),
    ],
  },
  {
    name: 'who owns the replicas',
    asked: [
      apply(`${APPS}/deployments/web?fieldManager=owner`, deployment),
      apply(`${SCALE}?fieldManager=hpa`, {
        apiVersion: 'autoscaling/v1',
        kind: 'Scale',
        metadata: { name: 'web' },
        spec: { replicas: 5 },
      }),
      apply(`${SCALE}?fieldManager=hpa&force=true`, {
        apiVersion: 'autoscaling/v1',
        kind: 'Scale',
        metadata: { name: 'web' },
        spec: { replicas: 5 },
      }),
      get(MANAGED),
      apply(`${APPS}/deployments/web?fieldManager=owner`, deployment),
      apply(`${SCALE}`, { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'web' }, spec: { replicas: 5 } }),
      merge(`${SCALE}?fieldManager=other`, { spec: { replicas: 8 } }),
      get(MANAGED),
      apply(`${APPS}/deployments/web?fieldManager=owner&force=true`, deployment),
      get(MANAGED),
    ],
  },
  {
    name: 'the scale of a ReplicaSet and a StatefulSet',
    asked: ['ReplicaSet', 'StatefulSet'].flatMap((kind) => {
      const path = `${APPS}/${kind.toLowerCase()}s`;
      return [
        post(path, {
          ...deployment,
          kind,
          spec: {
            ...deployment.spec,
            selector: {
              matchLabels: { app: 'web' },
              matchExpressions: [
                { key: 'tier', operator: 'DoesNotExist' },
                { key: 'b', operator: 'In', values: ['z', 'a'] },
              ],
            },
            template: { ...template, metadata: { labels: { app: 'web', b: 'a' } } },
          },
        }),
        get(`${path}/web/scale`),
        merge(`${path}/web/scale`, { spec: { replicas: 1 } }),
        put(`${path}/web/scale`, scale({ replicas: -2 })),
        get(`${path}/web`),
      ];
    }),
  },
];

const group = 'NS.example.com';
const crd = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `widgets.${group}` },
  spec: {
    group,
    scope: 'Namespaced',
    names: { plural: 'widgets', kind: 'Widget' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', properties: { size: { type: 'integer', maximum: 50 }, x: { type: 'string' } } },
              status: { type: 'object', properties: { size: { type: 'integer' }, selector: { type: 'string' } } },
            },
          },
        },
        subresources: {
          status: {},
          scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size', labelSelectorPath: '.status.selector' },
        },
      },
    ],
  },
};
const WIDGETS = `/apis/${group}/v1/namespaces/NS/widgets`;
const widget = (spec: object) => ({ apiVersion: `${group}/v1`, kind: 'Widget', metadata: { name: 'web' }, spec });

export const CUSTOM: Story = {
  name: 'the scale and the deletion of custom resources',
  asked: [
    { ...post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', crd), quiet: true },
    { method: 'WAIT', path: WIDGETS },
    post(`${WIDGETS}?fieldManager=maker`, widget({ size: 2 })),
    get(`${WIDGETS}/web/scale`),
    merge(`${WIDGETS}/web/status`, { status: { size: 1, selector: 'app=web' } }),
    put(`${WIDGETS}/web/scale?fieldManager=scaler`, scale({ replicas: 3 })),
    get(`${WIDGETS}/web`),
    put(`${WIDGETS}/web/scale`, scale({ replicas: 60 })),
    put(`${WIDGETS}/web/scale`, scale({ replicas: -1 })),
    put(`${WIDGETS}/web/scale`, scale({ replicas: 4 }, { resourceVersion: '1' })),
    put(`${WIDGETS}/web/scale`, scale({ replicas: 4 }, { uid: 'other' })),
    merge(`${WIDGETS}/web/scale?fieldManager=patcher`, { spec: { replicas: 5 } }),
    apply(`${WIDGETS}/web/scale?fieldManager=hpa`, {
      apiVersion: 'autoscaling/v1',
      kind: 'Scale',
      metadata: { name: 'web' },
      spec: { replicas: 6 },
    }),
    apply(`${WIDGETS}/web/scale?fieldManager=hpa&force=true`, {
      apiVersion: 'autoscaling/v1',
      kind: 'Scale',
      metadata: { name: 'web' },
      spec: { replicas: 6 },
    }),
    get(`${WIDGETS}/web`),
    merge(`${WIDGETS}/web`, { spec: { size: null } }),
    get(`${WIDGETS}/web/scale`),
    merge(`${WIDGETS}/web/scale`, { metadata: { labels: { a: 'b' } } }),
    merge(`${WIDGETS}/web/scale`, { spec: { replicas: 1 } }),
    get(`${WIDGETS}/none/scale`),
    put(`${WIDGETS}/none/scale`, scale({ replicas: 4 }, { name: 'none' })),
    remove(`${WIDGETS}/web?propagationPolicy=Foreground`),
    remove(`${WIDGETS}/web?propagationPolicy=Background`),
    post(WIDGETS, widget({ size: 1 })),
    remove(`${WIDGETS}?propagationPolicy=Weird`),
    remove(WIDGETS),
    get(WIDGETS),
  ],
};
