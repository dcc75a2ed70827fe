const schema = {
  type: 'object',
  description: 'A widget.',
  required: ['spec'],
  properties: {
    spec: {
      type: 'object',
      description: 'What it is.',
      properties: {
        size: { type: 'integer', description: 'How big.', minimum: 1, default: 3 },
        replicas: { type: 'integer' },
        any: { 'x-kubernetes-int-or-string': true },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        parts: { type: 'array', items: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } } },
      },
    },
    status: { type: 'object', properties: { replicas: { type: 'integer' } } },
  },
};
const PARTS = { status: {}, scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' } };
export const CRD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'widgets', kind: 'Widget', shortNames: ['wd'], categories: ['all', 'gadgets'], listKind: 'Widgetry' },
    versions: ['v1beta1', 'v1'].map((name) => ({
      name,
      served: true,
      storage: name === 'v1',
      subresources: PARTS,
      additionalPrinterColumns: [{ name: 'Size', type: 'integer', jsonPath: '.spec.size' }],
      schema: { openAPIV3Schema: schema },
    })),
  },
};
export const WIDGET = { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'one' }, spec: { size: 2 } };
const DATA = { a: 'b', number: '1', truth: 'on', lines: 'x\ny\n' };
export const CONFIG_MAP = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one' }, data: DATA };

export const PROTOBUF = 'application/vnd.kubernetes.protobuf';
export const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
export const shape = (as: string, version = 'v1', type = 'json'): string =>
  `application/${type};as=${as};v=${version};g=meta.k8s.io`;

/** Headers of which offline clusters can write something, or nothing where a real server can't either. */
export const ACCEPTED: readonly string[] = [
  '',
  'application/json',
  'application/yaml',
  'text/html',
  'application/cbor',
  'json',
  '*/*',
  'application/*',
  'application/yaml;q=0.5,application/json;q=0.9',
  'application/json;q=0.5, application/yaml',
  'text/html, */*;q=0.1',
  'application/json;stream=watch',
  'application/json;sv=v1',
  'application/json;sv=v2',
  'application/json;pretty=1;foo=bar',
  shape('Table'),
  shape('Table', 'v1beta1'),
  shape('Table', 'v2'),
  shape('Table', 'v1', 'yaml'),
  `${shape('Table', 'v2')},${shape('Table', 'v1beta1')},application/json`,
  `${shape('Foo')},application/json`,
  shape('Foo'),
  shape('PartialObjectMetadata'),
  shape('PartialObjectMetadata', 'v1beta1'),
  shape('PartialObjectMetadataList'),
  `${PROTOBUF};as=Table;v=v1;g=meta.k8s.io`,
];

/** Bodies, as Latin letters, and what they are said to be. */
export const BODIES: readonly (readonly [type: string, body: string])[] = [
  [PROTOBUF, ''],
  [PROTOBUF, 'abc'],
  [PROTOBUF, 'k8s\0'],
  [PROTOBUF, 'k8s\0\x0a\xff'],
  [PROTOBUF, 'k8s\0\x0a\x0f\x0a\x02v1\x12\x09ConfigMap\x12\x02\x0a\x7f'],
  [PROTOBUF, 'k8s\0\x12\x05\x0a\x03\x0a\x01Q'],
  ['application/cbor', 'x'],
  ['text/plain', '{}'],
  ['application/json', ''],
  ['application/json', '{'],
  ['application/json', '[]'],
  ['application/json', 'null'],
  ['application/json', '"a"'],
  ['application/yaml', ''],
  ['application/json; charset=utf-8', '{}'],
  ['APPLICATION/JSON', '{}'],
  ['application/json;;', '{}'],
  ['json', '{}'],
  ['', '{}'],
];
