import type { Fields } from './step.ts';
import type { Subject } from './subject.ts';

const SCHEMA: Fields = {
  type: 'object',
  required: ['spec'],
  properties: {
    spec: {
      type: 'object',
      properties: {
        size: { type: 'integer', default: 1, minimum: 0, maximum: 10 },
        mode: { type: 'string', enum: ['fast', 'slow'], default: 'slow' },
        note: { type: 'string', maxLength: 5, nullable: true },
        ratio: { type: 'number' },
        port: { 'x-kubernetes-int-or-string': true },
        items: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name', 'port'],
          items: {
            type: 'object',
            required: ['name'],
            properties: {
              name: { type: 'string' },
              port: { type: 'integer', default: 80 },
              value: { type: 'string' },
              inner: { type: 'object', properties: { deep: { type: 'string', default: 'd' } } },
            },
          },
        },
        tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
        atoms: { type: 'array', 'x-kubernetes-list-type': 'atomic', items: { type: 'string' } },
        plain: {
          type: 'array',
          maxItems: 3,
          items: { type: 'object', properties: { a: { type: 'integer' }, b: { type: 'string' } } },
        },
        whole: {
          type: 'object',
          'x-kubernetes-map-type': 'atomic',
          properties: { x: { type: 'string' }, y: { type: 'string' } },
        },
        words: { type: 'object', additionalProperties: { type: 'string' } },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        selector: { type: 'string' },
      },
    },
    status: {
      type: 'object',
      properties: {
        ready: { type: 'boolean' },
        replicas: { type: 'integer' },
        conditions: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['type'],
          items: {
            type: 'object',
            required: ['type', 'status'],
            properties: { type: { type: 'string' }, status: { type: 'string' } },
          },
        },
      },
    },
  },
};

const version = (name: string, storage: boolean, more: Fields): Fields => ({
  name,
  served: true,
  storage,
  schema: { openAPIV3Schema: SCHEMA },
  ...more,
});

const crd = (group: string, plural: string, kind: string, versions: readonly Fields[]): Fields => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.${group}` },
  spec: { group, scope: 'Namespaced', names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List` }, versions },
});

/** The group of the kinds that are defined for the sequences. */
export const GROUP = 'shop.example.test';

const rich = {
  subresources: {
    status: {},
    scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.replicas', labelSelectorPath: '.spec.selector' },
  },
  additionalPrinterColumns: [
    { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
    { name: 'Note', type: 'string', jsonPath: '.spec.note' },
    { name: 'Ready', type: 'boolean', jsonPath: '.status.ready' },
  ],
};

/** The definitions that all sequences share. */
export const DEFINITIONS: readonly Fields[] = [
  crd(GROUP, 'widgets', 'Widget', [version('v1', true, rich), version('v1beta1', false, rich)]),
  crd(GROUP, 'gadgets', 'Gadget', [version('v1', true, {})]),
];

const subject = (kind: string, plural: string): Omit<Subject, 'status'> => ({
  kind,
  apiVersion: `${GROUP}/v1`,
  collection: `/apis/${GROUP}/v1/namespaces/{{ns}}/${plural}`,
  names: ['a', 'b'],
  base: { spec: {} },
  changes: [
    { spec: { size: 3 } },
    { spec: { size: null } },
    { spec: { mode: 'fast' } },
    { spec: { mode: null } },
    { spec: { note: 'short' } },
    { spec: { note: null } },
    { spec: { ratio: 1.5, port: 'http' } },
    { spec: { ratio: 2, port: 80 } },
    { spec: { items: [{ name: 'i1' }, { name: 'i2', port: 81, value: 'v' }] } },
    {
      spec: {
        items: [
          { name: 'i2', port: 81, value: 'w' },
          { name: 'i1', inner: {} },
        ],
      },
    },
    { spec: { items: [] } },
    { spec: { items: null } },
    { spec: { tags: ['t1', 't2'] } },
    { spec: { tags: ['t2', 't3'] } },
    { spec: { atoms: ['x', 'x'] } },
    { spec: { plain: [{ a: 1 }, { a: 2, b: 'x' }] } },
    { spec: { whole: { x: '1' } } },
    { spec: { whole: { x: '2', y: '2' } } },
    { spec: { words: { one: '1' } } },
    { spec: { words: { one: '2', two: '2' } } },
    { spec: { words: { one: null } } },
    { spec: { words: {} } },
    { spec: { free: { any: { thing: [1, { a: null }] } } } },
    { spec: { free: {} } },
    { spec: { selector: 'app=web' } },
    { status: { ready: true } },
  ],
  wrong: [
    { spec: { size: 11 } },
    { spec: { size: 1.5 } },
    { spec: { size: -1, mode: 'medium' } },
    { spec: { note: 'too long', ratio: 'x', tags: ['t1', 't1'] } },
    { spec: { mode: 'medium' } },
    { spec: { note: 'too long' } },
    { spec: { port: 1.5 } },
    { spec: { port: true } },
    { spec: { items: [{ name: 'i1' }, { name: 'i1' }] } },
    { spec: { items: [{ port: 5 }] } },
    { spec: { items: [{ name: 1 }] } },
    { spec: { items: 'x' } },
    { spec: { items: [null] } },
    { spec: { tags: ['t1', 't1'] } },
    { spec: { tags: [1] } },
    { spec: { plain: [{}, {}, {}, {}] } },
    { spec: { plain: [{ a: 'x' }] } },
    { spec: { words: { one: 1 } } },
    { spec: null },
  ],
  unknown: [
    { spec: { sizes: 1 } },
    { other: { a: 1 } },
    { spec: { items: [{ name: 'i1', stray: 1 }] } },
    { metadata: { stray: 1 } },
  ],
  json: [
    [{ op: 'replace', path: '/spec/size', value: 5 }],
    [{ op: 'add', path: '/spec/items/-', value: { name: 'j' } }],
    [{ op: 'remove', path: '/spec/items/0' }],
    [{ op: 'add', path: '/spec/tags/0', value: 'first' }],
    [{ op: 'remove', path: '/spec' }],
    [{ op: 'copy', from: '/spec/words', path: '/spec/whole' }],
  ],
  strategic: [],
  applied: [
    { spec: { size: 2 } },
    { spec: { size: 4 } },
    { spec: { items: [{ name: 'i1', value: 'applied' }] } },
    { spec: { items: [{ name: 'i1', port: 80, value: 'other' }] } },
    { spec: { items: [{ name: 'i3', port: 83 }, { name: 'i1' }] } },
    { spec: { tags: ['t1'] } },
    { spec: { tags: ['t9', 't1'] } },
    { spec: { atoms: ['a'] } },
    { spec: { atoms: ['a', 'b'] } },
    { spec: { whole: { x: 'applied' } } },
    { spec: { whole: { y: 'applied' } } },
    { spec: { words: { one: '1' } } },
    { spec: { words: { one: '3', three: '3' } } },
    { spec: { plain: [{ a: 1 }] } },
    { spec: { free: { any: { other: 1 } } } },
    { spec: { free: { top: [1] } } },
    { spec: { note: null } },
    { spec: { words: {} } },
    { spec: { items: [] } },
    { spec: { mode: 'fast' } },
    { spec: { items: [{ name: 'i1' }, { name: 'i1' }] } },
    { status: { ready: false } },
  ],
  fieldSelectors: ['metadata.name=a', 'metadata.name!=b', 'spec.size=3'],
});

/** Custom resources: one with all subresources in two versions, one without any. */
export const CUSTOM: readonly Subject[] = [
  {
    ...subject('Widget', 'widgets'),
    versions: [[`${GROUP}/v1beta1`, `/apis/${GROUP}/v1beta1/namespaces/{{ns}}/widgets`]],
    status: [
      { ready: true },
      { replicas: 3 },
      { conditions: [{ type: 'Good', status: 'True' }] },
      {
        conditions: [
          { type: 'Good', status: 'False' },
          { type: 'Bad', status: 'True' },
        ],
      },
      { conditions: [{ type: 'Good' }] },
      { ready: 'yes' },
      { replicas: 'x' },
      { replicas: 1.5, ready: 'yes' },
      { stray: 1 },
    ],
    hasScale: true,
  },
  { ...subject('Gadget', 'gadgets'), status: [] },
];
