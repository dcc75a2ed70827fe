import { applyJsonPatch, ClustersetError, type JsonPatchOperation, unresolved } from 'clusterset/kube';
import fc from 'fast-check';
import jsonpatch from 'fast-json-patch';
import { describe, expect, it } from 'vitest';

const deployment = {
  metadata: { name: 'web', labels: { 'example.com/tier': 'web' } },
  spec: { replicas: 3, template: { containers: [{ name: 'web', env: ['a', 'b'] }, { name: 'log' }] } },
};

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(freeze);
  return value;
}
freeze(deployment);

const patch = (...operations: JsonPatchOperation[]): unknown => applyJsonPatch(deployment, operations);

describe('applyJsonPatch', () => {
  it.each<[string, JsonPatchOperation, (result: typeof deployment) => unknown, unknown]>([
    ['adds a field', { op: 'add', path: '/spec/paused', value: true }, (r) => (r.spec as Record<string, unknown>).paused, true],
    ['overwrites a field with add', { op: 'add', path: '/spec/replicas', value: 5 }, (r) => r.spec.replicas, 5],
    [
      'inserts into a list',
      { op: 'add', path: '/spec/template/containers/0/env/1', value: 'x' },
      (r) => r.spec.template.containers[0]?.env,
      ['a', 'x', 'b'],
    ],
    [
      'appends at -',
      { op: 'add', path: '/spec/template/containers/0/env/-', value: 'x' },
      (r) => r.spec.template.containers[0]?.env,
      ['a', 'b', 'x'],
    ],
    [
      'appends at the length',
      { op: 'add', path: '/spec/template/containers/0/env/2', value: 'x' },
      (r) => r.spec.template.containers[0]?.env,
      ['a', 'b', 'x'],
    ],
    [
      'replaces an element',
      { op: 'replace', path: '/spec/template/containers/0/env/0', value: 'x' },
      (r) => r.spec.template.containers[0]?.env,
      ['x', 'b'],
    ],
    [
      'removes an element',
      { op: 'remove', path: '/spec/template/containers/0/env/0' },
      (r) => r.spec.template.containers[0]?.env,
      ['b'],
    ],
    [
      'understands escapes',
      { op: 'replace', path: '/metadata/labels/example.com~1tier', value: 'db' },
      (r) => r.metadata.labels['example.com/tier'],
      'db',
    ],
    ['replaces the whole document', { op: 'replace', path: '', value: { spec: {} } }, (r) => r, { spec: {} }],
    ['sets null', { op: 'replace', path: '/spec/replicas', value: null }, (r) => r.spec.replicas, null],
    [
      'copies',
      { op: 'copy', from: '/spec/replicas', path: '/metadata/copies' },
      (r) => (r.metadata as Record<string, unknown>).copies,
      3,
    ],
    ['passes a test', { op: 'test', path: '/spec/replicas', value: 3 }, (r) => r.spec.replicas, 3],
  ])('%s', (_, operation, look, expected) => {
    expect(look(patch(operation) as typeof deployment)).toEqual(expected);
  });

  it('moves', () => {
    expect(patch({ op: 'move', from: '/spec/template/containers/1', path: '/spec/template/containers/0' })).toMatchObject({
      spec: { template: { containers: [{ name: 'log' }, { name: 'web' }] } },
    });
  });

  it('leaves the old document alone and shares what no operation touches', () => {
    const before = structuredClone(deployment);
    const after = patch({ op: 'replace', path: '/spec/replicas', value: 9 }) as typeof deployment;
    expect(deployment).toEqual(before);
    expect(after.metadata).toBe(deployment.metadata);
    expect(after.spec.template).toBe(deployment.spec.template);
  });

  it('does not write through a value of the patch', () => {
    const value = freeze({ a: { b: 1 } });
    const after = patch({ op: 'add', path: '/spec/extra', value }, { op: 'replace', path: '/spec/extra/a/b', value: 2 });
    expect(after).toMatchObject({ spec: { extra: { a: { b: 2 } } } });
    expect(value).toEqual({ a: { b: 1 } });
  });

  it('copies each place once, however many there are', () => {
    const shelves = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [`shelf-${index}`, { books: [1, 2], top: { x: 0 } }]),
    );
    const document = freeze({ shelves });
    const operations = Object.keys(shelves).flatMap((name): JsonPatchOperation[] => [
      { op: 'add', path: `/shelves/${name}/books/1`, value: 9 },
      { op: 'remove', path: `/shelves/${name}/books/0` },
      { op: 'replace', path: `/shelves/${name}/top/x`, value: 1 },
    ]);
    const expected = Object.fromEntries(Object.keys(shelves).map((name) => [name, { books: [9, 2], top: { x: 1 } }]));
    expect(applyJsonPatch(document, operations)).toEqual({ shelves: expected });
  });

  it.each<[string, JsonPatchOperation, RegExp]>([
    ['a missing field for replace', { op: 'replace', path: '/spec/nope', value: 1 }, /no field "nope"/],
    ['a missing field for remove', { op: 'remove', path: '/spec/nope' }, /no field "nope"/],
    ['a missing parent for add', { op: 'add', path: '/spec/nope/x', value: 1 }, /no field "nope"/],
    [
      'an index behind the end',
      { op: 'add', path: '/spec/template/containers/3', value: {} },
      /index 3 is out of range: the list has 2/,
    ],
    ['an index at the end for replace', { op: 'replace', path: '/spec/template/containers/2', value: {} }, /out of range/],
    ['a leading zero', { op: 'replace', path: '/spec/template/containers/01', value: {} }, /"01" is no index/],
    ['a negative index', { op: 'remove', path: '/spec/template/containers/-1' }, /"-1" is no index/],
    ['- for replace', { op: 'replace', path: '/spec/template/containers/-', value: {} }, /"-" is no index/],
    ['a scalar parent', { op: 'add', path: '/spec/replicas/x', value: 1 }, /neither an object nor a list/],
    ['no leading slash', { op: 'add', path: 'spec/replicas', value: 1 }, /must start with "\/"/],
    ['a bad escape', { op: 'add', path: '/spec/a~2b', value: 1 }, /neither "~0".*nor "~1"/],
    ['__proto__', { op: 'add', path: '/__proto__/polluted', value: 1 }, /"__proto__" is not allowed/],
    ['constructor', { op: 'add', path: '/constructor/prototype/x', value: 1 }, /"constructor" is not allowed/],
    ['an inherited member', { op: 'replace', path: '/spec/toString', value: 1 }, /no field "toString"/],
    ['a missing source', { op: 'move', from: '/spec/nope', path: '/spec/x' }, /no field "nope"/],
    ['an unknown operation', { op: 'set', path: '/spec/replicas', value: 1 } as never, /OPERATION_OP_INVALID/],
    ['no value', { op: 'add', path: '/spec/replicas' } as never, /OPERATION_VALUE_REQUIRED/],
    ['a failed test', { op: 'test', path: '/spec/replicas', value: 4 }, /the test failed/],
  ])('refuses %s', (_, operation, message) => {
    expect(() => patch({ op: 'test', path: '/spec/replicas', value: 3 }, operation)).toThrowError(message);
    try {
      patch({ op: 'test', path: '/spec/replicas', value: 3 }, operation);
    } catch (error) {
      expect(error).toMatchObject({ code: 'Invalid', field: '[1].path' });
    }
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('never changes its input or a prototype, does what other engines do, and fails only with our error, whatever the patch', () => {
    const token = fc.oneof(
      fc.constantFrom(
        'spec',
        'replicas',
        'template',
        'containers',
        '0',
        '1',
        '2',
        '-',
        '01',
        '-1',
        '__proto__',
        'constructor',
        'toString',
        '',
      ),
      fc.string({ maxLength: 4 }),
    );
    const path = fc.array(token, { maxLength: 5 }).map((tokens) => tokens.map((part) => `/${part}`).join(''));
    const operation = fc.oneof(
      fc.record({
        op: fc.constantFrom('add' as const, 'replace' as const, 'test' as const),
        path,
        value: fc.jsonValue() as fc.Arbitrary<never>,
      }),
      fc.record({ op: fc.constant('remove' as const), path }),
      fc.record({ op: fc.constantFrom('move' as const, 'copy' as const), from: path, path }),
    );
    const prototype = Object.getOwnPropertyNames(Object.prototype).join();
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 5 }), (operations) => {
        try {
          const patched = applyJsonPatch(deployment, operations);
          const alike = jsonpatch.applyPatch(structuredClone(deployment), structuredClone(operations) as never, true);
          expect(patched).toEqual(alike.newDocument);
        } catch (error) {
          expect(error).toBeInstanceOf(ClustersetError);
        }
        expect(Object.getOwnPropertyNames(Object.prototype).join()).toBe(prototype);
      }),
    );
  });
});

describe('unresolved', () => {
  it('says how far a pointer leads', () => {
    expect(unresolved(deployment, ['spec', 'template', 'nope', 'x'], true)).toEqual({
      depth: 2,
      problem: 'there is no field "nope"',
    });
    expect(unresolved(deployment, ['spec', 'template'], true)).toBeUndefined();
  });
});
