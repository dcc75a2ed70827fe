import { gzipSync } from 'node:zlib';
import { CONFIG_MAPS, map, type Named, nested, patch, post, postWidget, proto, send, utf16, widget } from './build.ts';

export const BODIES: Named = [
  ['nothing', post('')],
  ['a JSON that breaks off', post('{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"n')],
  ['something behind the JSON', post(`${JSON.stringify(map({}))}x`)],
  ['two JSONs', post(`${JSON.stringify(map({}))}${JSON.stringify(map({}))}`)],
  ['NaN', post('{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"new","generation":NaN}}')],
  ['a number without bounds', post('{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"new","generation":1e400}}')],
  [
    'a number beyond 64 bits',
    post('{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"new","generation":99999999999999999999}}'),
  ],
  [
    'an infinite number in a custom resource',
    postWidget('{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"new"},"spec":{"free":{"a":1e400}}}'),
  ],
  ['a key twice', post('{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"new"},"data":{"a":"b","a":"c"}}')],
  [
    'a key twice, strictly',
    send(
      'POST',
      `${CONFIG_MAPS}?dryRun=All&fieldValidation=Strict`,
      'application/json',
      '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"new"},"data":{"a":"b","a":"c"}}',
    ),
  ],
  [
    '__proto__ as a field',
    post(proto('{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"new"},"PROTO":{"polluted":1}}')),
  ],
  [
    '__proto__ in metadata',
    post(proto('{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"new","PROTO":{"polluted":1}}}')),
  ],
  [
    '__proto__ as a label',
    post(proto('{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"new","labels":{"PROTO":"a"}}}')),
  ],
  [
    '__proto__ as an annotation',
    post(proto('{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"new","annotations":{"PROTO":"a"}}}')),
  ],
  [
    '__proto__ in data',
    post(proto('{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"new"},"data":{"PROTO":"a","constructor":"b"}}')),
  ],
  ['__proto__ as a name', post(map({}, { name: '__proto__' }))],
  ['constructor as a name', post(map({}, { name: 'constructor' }))],
  ['constructor as labels', post(map({}, { labels: { constructor: 'a', toString: 'b', hasOwnProperty: 'c' } }))],
  [
    'fields of the prototype in a custom resource',
    postWidget(widget({ free: { constructor: 'a', toString: { b: 1 }, prototype: [] } })),
  ],
  [
    'unknown fields of the prototype in a custom resource',
    postWidget(widget({ constructor: 'a', toString: { b: 1 }, hasOwnProperty: 1 })),
  ],
  [
    '__proto__ in a custom resource',
    postWidget(
      proto('{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"new"},"spec":{"free":{"PROTO":{"a":1}}}}'),
    ),
  ],
  [
    '9000 levels of what may be anything',
    postWidget(`{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"new"},"spec":{"free":{"a":${nested(9000)}}}}`),
  ],
  ['100000 levels', post(nested(100_000))],
  [
    '100000 levels in an unknown field',
    post(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"new"},"foo":${nested(100_000)}}`),
  ],
  [
    '100000 levels in a custom resource',
    postWidget(
      `{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"new"},"spec":{"free":{"a":${nested(100_000)}}}}`,
    ),
  ],
  ['100000 levels that never end', post('{"a":'.repeat(100_000))],
  ['more than 3 MiB', post(map({ data: { a: 'x'.repeat(3 * 1024 * 1024) } }))],
  ['more than 1 MiB of data', post(map({ data: { a: 'x'.repeat(1024 * 1024 + 1) } }))],
  ['more than 3 MiB in a patch', patch('merge', { data: { a: 'x'.repeat(3 * 1024 * 1024) } })],
  ['a mark at the beginning', post(`\ufeff${JSON.stringify(map({}))}`)],
  ['UTF-16', post(utf16)],
  [
    'Latin letters',
    post(Buffer.from('{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"new"},"data":{"a":"\xe4"}}', 'latin1')),
  ],
  [
    'Latin letters in a custom resource',
    postWidget(
      Buffer.from(
        '{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"new"},"spec":{"free":{"a":"\xe4"}}}',
        'latin1',
      ),
    ),
  ],
  ['half a surrogate', post('{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"new"},"data":{"a":"\\ud800"}}')],
  ['a zero byte in a text', post(map({ data: { a: '\0' } }))],
  ['a tab in a text', post('{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"new"},"data":{"a":"\t"}}')],
  ['gzip that is said', post(gzipSync(JSON.stringify(map({}))), { headers: { 'content-encoding': 'gzip' } })],
  ['gzip that is none', post(map({}), { headers: { 'content-encoding': 'gzip' } })],
  ['gzip that is not said', post(gzipSync(JSON.stringify(map({}))))],
  ['a name that is a number', post(map({}, { name: 1 }))],
  ['a name that is null', post(map({}, { name: null }))],
  ['metadata that is a list', post({ apiVersion: 'v1', kind: 'ConfigMap', metadata: [] })],
  [
    'metadata of a custom resource that is a text',
    postWidget({ apiVersion: 'example.com/v1', kind: 'Widget', metadata: 'a', spec: {} }),
  ],
  ['metadata that is null', post({ apiVersion: 'v1', kind: 'ConfigMap', metadata: null })],
  ['labels that are a list', post(map({}, { labels: [] }))],
  ['labels that are numbers', post(map({}, { labels: { a: 1 } }))],
  ['owners that are none', post(map({}, { ownerReferences: [{}, null, 1] }))],
  ['owners that are null', post(map({}, { ownerReferences: [null] }))],
  ['finalizers that are numbers', post(map({}, { finalizers: [1] }))],
  ['a kind that is a number', post({ apiVersion: 'v1', kind: 1, metadata: { name: 'new' } })],
  ['a kind that is another', post({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'new' } })],
  ['a version of an object that is not a number', post(map({}, { resourceVersion: 'abc' }))],
  ['a time that is none', post(map({}, { creationTimestamp: 'yesterday' }))],
  [
    'fields in managed fields that are none',
    post(
      map(
        {},
        {
          managedFields: [
            { manager: 'a', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: { 'x:y': {} } },
          ],
        },
      ),
    ),
  ],
  [
    'managed fields of another type',
    post(
      map({}, { managedFields: [{ manager: 'a', operation: 'Foo', apiVersion: 'v1', fieldsType: 'FieldsV9', fieldsV1: {} }] }),
    ),
  ],
  ['managed fields that are a text', post(map({}, { managedFields: 'a' }))],
  [
    'managed fields with a text for fields',
    post(
      map(
        {},
        { managedFields: [{ manager: 'a', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: 'a' }] },
      ),
    ),
  ],
  [
    'managed fields with keys that are no JSON',
    post(
      map(
        {},
        {
          managedFields: [
            {
              manager: 'a',
              operation: 'Update',
              apiVersion: 'v1',
              fieldsType: 'FieldsV1',
              fieldsV1: { 'f:data': { 'k:{': {}, 'v:x': {}, 'i:a': {} } },
            },
          ],
        },
      ),
    ),
  ],
  [
    'deep managed fields',
    post(
      `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"new","managedFields":[{"manager":"a","operation":"Update","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":${'{"f:a":'.repeat(5000)}{}${'}'.repeat(5000)}}]}}`,
    ),
  ],
];
