import fc from 'fast-check';
import { BAD_NAMES, CONFIG_MAPS, GADGETS, ONE, TYPES, WIDGET, WIDGETS } from './face.ts';

const QUERIES = [
  'limit',
  'continue',
  'labelSelector',
  'fieldSelector',
  'timeoutSeconds',
  'resourceVersion',
  'resourceVersionMatch',
  'watch',
];
const MORE_QUERIES = [
  'dryRun',
  'fieldManager',
  'fieldValidation',
  'force',
  'gracePeriodSeconds',
  'propagationPolicy',
  'pretty',
  'sendInitialEvents',
];
const VALUES = [
  '',
  '-1',
  '1e9',
  'abc',
  '((',
  ',',
  '=',
  '!',
  'a=b,',
  'All',
  'true',
  'maybe',
  '99999999999999999999',
  '%00',
  '%zz',
  '%C3%28',
  'Exact',
];

/** Values of every type where others are expected. */
const anything = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(null, 1, -1.5, true, '', 'a', 'example.com/a', [], {}, [null], [{}], [[]]) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('replace', 'delete', 'merge', ['a', 'one'], [{ name: 'a' }], { $patch: 'delete' }, { a: null }),
  },
);
const key = fc.constantFrom(
  ...[
    'metadata',
    'data',
    'spec',
    'kind',
    'apiVersion',
    'labels',
    'annotations',
    'finalizers',
    'ownerReferences',
    'managedFields',
  ],
  ...[
    'name',
    'namespace',
    'uid',
    'resourceVersion',
    'generateName',
    'a',
    'free',
    'parts',
    'size',
    'value',
    'immutable',
    'binaryData',
  ],
  ...[
    '$patch',
    '$retainKeys',
    '$setElementOrder/finalizers',
    '$deleteFromPrimitiveList/finalizers',
    '$setElementOrder/ownerReferences',
  ],
  ...[
    '__proto__',
    'constructor',
    'fieldsV1',
    'manager',
    'operation',
    'f:data',
    'k:{}',
    'v:"a"',
    'i:0',
    '.',
    'op',
    'path',
    'from',
  ],
);
export const tree = fc.letrec<{ readonly node: unknown }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    anything,
    fc.array(tie('node'), { maxLength: 3 }),
    fc.array(fc.tuple(key, tie('node')), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
  ),
})).node;
const object = (own: fc.Arbitrary<unknown>): fc.Arbitrary<string> =>
  fc
    .tuple(
      own,
      tree,
      tree,
      fc.constantFrom<readonly [string, string]>(['v1', 'ConfigMap'], ['example.com/v1', 'Widget'], ['', '']),
    )
    .map(([metadata, spec, data, [apiVersion, kind]]) => JSON.stringify({ apiVersion, kind, metadata, spec, data }));
const metadataFields = fc
  .array(fc.tuple(key, tree), { maxLength: 4 })
  .map((entries) => ({ name: 'one', ...Object.fromEntries(entries.filter(([name]) => name !== 'name')) }));
const pointer = fc
  .array(
    fc.constantFrom(
      'metadata',
      'data',
      'spec',
      'free',
      'a',
      'parts',
      'finalizers',
      '-',
      '0',
      '-1',
      '01',
      '',
      '~',
      '~2',
      '__proto__',
    ),
    {
      maxLength: 4,
    },
  )
  .map((parts) => parts.map((text) => `/${text}`).join(''));
const operation = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test'),
      path: pointer,
      from: pointer,
      value: tree,
    }),
  },
  { weight: 1, arbitrary: tree },
);
export const bodies = fc.oneof(
  tree.map((value) => JSON.stringify(value)),
  object(metadataFields),
  object(tree),
  fc.array(operation, { maxLength: 4 }).map((operations) => JSON.stringify(operations)),
  fc.string({ unit: 'binary', maxLength: 60 }),
);
export const paths = fc.oneof(
  fc.constantFrom(CONFIG_MAPS, ONE, WIDGETS, WIDGET, `${WIDGET}/status`, `${GADGETS}/one`, GADGETS),
  fc.constantFrom(
    '/',
    '/api',
    '/apis',
    '/api/v1',
    '/version',
    '/readyz',
    '/openapi/v3',
    '/openapi/v3/api/v1',
    '/apis/example.com/v1',
  ),
  fc
    .array(
      fc.constantFrom(
        'api',
        'apis',
        'v1',
        'namespaces',
        'default',
        'configmaps',
        'one',
        'status',
        '%2e%2e',
        '%00',
        '%zz',
        '%ff',
        '',
        'ü',
        'a'.repeat(3000),
      ),
      {
        maxLength: 8,
      },
    )
    .map((parts) => `/${parts.join('/')}`),
);
export const queries = fc
  .array(fc.tuple(fc.constantFrom(...QUERIES, ...MORE_QUERIES), fc.constantFrom(...VALUES)), { maxLength: 3 })
  .map((pairs) => pairs.map(([name, value]) => `&${name}=${value}`).join(''));
export const headerFields = fc.record(
  {
    'content-type': fc.constantFrom(...Object.values(TYPES), 'text/plain', 'a/b', ';', 'application/json; charset=utf-16'),
    accept: fc.constantFrom('', '*/*', 'a', ',;q=', TYPES.yaml, TYPES.protobuf, 'application/json;as=Table;v=v1;g=meta.k8s.io'),
    authorization: fc.constantFrom(
      '',
      'Bearer',
      'Bearer wrong',
      'Basic YTpi',
      'Bearer e30.e30.AAAA',
      'Bearer a b',
      'Bearer known',
    ),
    'impersonate-user': fc.constantFrom('', 'alice', '__proto__', 'system:serviceaccount:a:b', 'system:node:a'),
    'impersonate-group': fc.constantFrom('', 'system:masters', 'a, b'),
    'impersonate-extra-__proto__': fc.constantFrom('', 'a'),
    'user-agent': fc.constantFrom('', '/', '__proto__/1', 'x'.repeat(300)),
  },
  { requiredKeys: [] },
);
export interface Write {
  readonly method: string;
  readonly path: string;
  readonly type: string;
  readonly body: string;
}

/** Changes that may go through. */
export const usefulWrites: fc.Arbitrary<Write> = fc.oneof(
  tree.map((a) => ({ method: 'PATCH', path: WIDGET, type: TYPES.merge, body: JSON.stringify({ spec: { free: { a } } }) })),
  tree.map((value) => ({
    method: 'PATCH',
    path: WIDGET,
    type: TYPES.jsonPatch,
    body: JSON.stringify([{ op: 'add', path: '/spec/free/a', value }]),
  })),
  fc
    .tuple(fc.constantFrom(...BAD_NAMES, 'a', 'b'), fc.string({ unit: 'binary' }), fc.constantFrom(TYPES.merge, TYPES.strategic))
    .map(([name, text, type]) => ({ method: 'PATCH', path: ONE, type, body: `{"data":{"${name}":${JSON.stringify(text)}}}` })),
  fc.tuple(fc.constantFrom('one', 'two', 'three', '__proto__'), tree, tree).map(([name, a, status]) => ({
    method: 'PATCH',
    path: `${WIDGETS}/${name}`,
    type: TYPES.apply,
    body: JSON.stringify({ apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name }, spec: { free: { a } }, status }),
  })),
  fc.constantFrom(ONE, `${WIDGETS}/two`).map((path) => ({ method: 'DELETE', path, type: TYPES.json, body: '{}' })),
);
/** The few that a Request can't have are tried over TLS. */
export const methods = fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'PATCH', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'PROPFIND');
