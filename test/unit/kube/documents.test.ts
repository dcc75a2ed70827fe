import {
  applyMergePatch,
  base64Encode,
  type Condition,
  contentHash,
  createMergePatch,
  deepEqual,
  diff,
  formatFieldPath,
  formatPointer,
  masked,
  maskedChanges,
  maskedValue,
  parsePointer,
  setCondition,
  stableStringify,
  utf8,
  valueAt,
} from 'clusterset/kube';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('JSON Pointer', () => {
  it('comes back as it was written', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (tokens) => {
        expect(parsePointer(formatPointer(tokens))).toEqual(tokens);
      }),
    );
  });

  it('leads through own members and real indices only', () => {
    const document = { list: ['a'], object: { '': 1 } };
    expect(valueAt(document, ['list', '0'])).toBe('a');
    expect(valueAt(document, ['object', ''])).toBe(1);
    expect(valueAt(document, ['list', 'length'])).toBeUndefined();
    expect(valueAt(document, ['toString'])).toBeUndefined();
    expect(valueAt(document, ['list', '00'])).toBeUndefined();
  });

  it.each([
    [['spec', 'containers', '0', 'image'], 'spec.containers[0].image'],
    [['metadata', 'labels', 'example.com/tier'], 'metadata.labels[example.com/tier]'],
    [[], ''],
  ])('prints %j as Kubernetes does', (pointer, path) => {
    expect(formatFieldPath(pointer)).toBe(path);
  });

  it('takes a number under an object for a key', () => {
    expect(formatFieldPath(['data', '0'], { data: { 0: 'x' } })).toBe('data[0]');
    expect(formatFieldPath(['data', '0', 'x'], { data: [{ x: 1 }] })).toBe('data[0].x');
  });
});

describe('JSON Merge Patch', () => {
  it.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('RFC 7386, appendix A: %j with %j', (document, change, result) => {
    expect(applyMergePatch(document, change)).toEqual(result);
  });

  it('makes the patch that leads from one document to another', () => {
    const json = fc.jsonValue({ maxDepth: 3 }).map(withoutNulls);
    fc.assert(
      fc.property(json, json, (from, to) => {
        const change = createMergePatch(from, to);
        expect(deepEqual(change === undefined ? from : applyMergePatch(from, change), to)).toBe(true);
      }),
    );
  });

  it('treats __proto__ as any other name', () => {
    const merged = applyMergePatch({}, JSON.parse('{"__proto__": {"polluted": 1}}'));
    expect(JSON.stringify(merged)).toBe('{"__proto__":{"polluted":1}}');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

/** A merge patch can't set null. */
function withoutNulls(value: unknown): unknown {
  if (value === null) return 0;
  if (Array.isArray(value)) return value;
  if (typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withoutNulls(member)]));
}

describe('comparing', () => {
  it('is blind to the order of members and to undefined', () => {
    expect(deepEqual({ a: 1, b: [1, { c: 2 }] }, { b: [1, { c: 2 }], a: 1, d: undefined })).toBe(true);
    expect(deepEqual({ a: 1 }, { a: 1, b: null })).toBe(false);
    expect(deepEqual([1], { 0: 1 })).toBe(false);
    expect(deepEqual({ toString: 1 }, {})).toBe(false);
  });

  it('agrees with stable text and hashes', () => {
    const json = fc.jsonValue({ maxDepth: 3 });
    fc.assert(
      fc.property(json, json, (a, b) => {
        const [x, y] = [JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b))];
        expect(deepEqual(x, y)).toBe(stableStringify(x) === stableStringify(y));
        expect(contentHash(x)).toBe(contentHash(JSON.parse(stableStringify(x))));
      }),
    );
  });

  it('encodes as the platform does', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect([...utf8(text)]).toEqual([...new TextEncoder().encode(text)]);
        expect(base64Encode(utf8(text))).toBe(Buffer.from(text, 'utf8').toString('base64'));
      }),
    );
    expect([...utf8('\ud800')]).toEqual([...new TextEncoder().encode('\ud800')]);
  });
});

describe('conditions', () => {
  const ready: Condition = { type: 'Ready', status: 'True', reason: 'Up', lastTransitionTime: '2026-01-01T00:00:00Z' };

  it('keeps the transition time while the status stays, and moves it when it changes', () => {
    expect(setCondition([ready], { type: 'Ready', status: 'True', reason: 'Other' }, '2026-02-02T00:00:00Z')).toEqual([
      { ...ready, reason: 'Other' },
    ]);
    expect(setCondition([ready], { type: 'Ready', status: 'False' }, '2026-02-02T00:00:00Z')).toEqual([
      { type: 'Ready', status: 'False', lastTransitionTime: '2026-02-02T00:00:00Z' },
    ]);
  });

  it('gives the very same list back when nothing changes', () => {
    const conditions = [ready];
    expect(setCondition(conditions, { type: 'Ready', status: 'True', reason: 'Up' }, '2026-02-02T00:00:00Z')).toBe(conditions);
  });
});

describe('diff', () => {
  it('names fields, and list elements by their own names', () => {
    const before = {
      spec: {
        replicas: 1,
        containers: [
          { name: 'web', image: 'a:1' },
          { name: 'log', image: 'l' },
        ],
      },
    };
    const after = {
      spec: {
        replicas: 2,
        containers: [
          { name: 'log', image: 'l' },
          { name: 'web', image: 'a:2' },
        ],
        paused: true,
      },
    };
    expect(diff(before, after)).toEqual([
      { path: 'spec.replicas', before: 1, after: 2 },
      { path: 'spec.containers[web].image', before: 'a:1', after: 'a:2' },
      { path: 'spec.paused', before: undefined, after: true },
    ]);
  });

  it('names a list in place of a map as a whole', () => {
    expect(diff({ a: { b: 1 } }, { a: [{ name: 'b' }] })).toEqual([{ path: 'a', before: { b: 1 }, after: [{ name: 'b' }] }]);
    expect(diff({ a: {} }, { a: [] })).toEqual([{ path: 'a', before: {}, after: [] }]);
  });

  it('is empty for equal documents only', () => {
    const json = fc.jsonValue({ maxDepth: 3 });
    fc.assert(
      fc.property(json, json, (a, b) => {
        const [x, y] = [JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b))];
        const isReordered = JSON.stringify(x).includes('"name"');
        if (!isReordered) expect(diff(x, y).length === 0).toBe(deepEqual(x, y));
      }),
    );
  });
});

describe('masked', () => {
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: 's',
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{"data":{"password":"aHVudGVyMg=="}}', other: 'kept' },
    },
    data: { password: 'aHVudGVyMg==' },
    stringData: { token: 'hunter2' },
  };

  it('shows no value of a Secret, and the same hash for the same value', () => {
    const text = JSON.stringify(masked(secret));
    expect(text).not.toMatch(/hunter2|aHVudGVyMg/);
    expect(masked(secret).data.password).toMatch(/^sha256:[0-9a-f]{8}$/);
    expect(masked(secret).data.password).toBe(masked({ ...secret, metadata: { name: 'other' } }).data.password);
    expect(masked(secret).metadata.annotations.other).toBe('kept');
  });

  it('masks the template and the overrides of a federated Secret', () => {
    const federated = {
      apiVersion: 'types.kubefed.io/v1beta1',
      kind: 'FederatedSecret',
      metadata: { name: 's' },
      spec: {
        template: { data: { password: 'aHVudGVyMg==' } },
        overrides: [{ clusterName: 'a', clusterOverrides: [{ path: '/data/password', value: 'aHVudGVyMg==' }] }],
      },
    };
    expect(JSON.stringify(masked(federated))).not.toContain('aHVudGVyMg');
  });

  const malformed: readonly (readonly [string, unknown])[] = [
    ['text', 'hunter2'],
    ['a list', ['hunter2', { name: 'hunter2' }]],
    ['a number', 424_242],
    ['null', null],
    ['false', false],
  ];

  it.each(malformed)('hides values that are %s in place of a map behind one hash', (_, value) => {
    const bad = { ...secret, data: value, stringData: value };
    const hash = maskedValue(value);
    expect(masked(bad)).toMatchObject({ data: hash, stringData: hash });
    const federated = {
      kind: 'FederatedSecret',
      metadata: {},
      spec: { template: { data: value, stringData: value, type: 'Opaque' } },
    };
    expect(masked(federated).spec).toEqual({ template: { data: hash, stringData: hash, type: 'Opaque' } });
  });

  it('hides nested values and lists behind the hash of their key', () => {
    const bad = { ...secret, data: { a: { b: 'hunter2' }, c: ['hunter2'] }, stringData: undefined };
    expect(masked(bad).data).toEqual({ a: maskedValue({ b: 'hunter2' }), c: maskedValue(['hunter2']) });
  });

  it.each<[string, unknown]>([
    ['spec', 'hunter2'],
    ['template', { template: ['hunter2'] }],
    ['overrides', { overrides: { a: 'hunter2' } }],
    ['override', { overrides: ['hunter2'] }],
    ['operations', { overrides: [{ clusterName: 'a', clusterOverrides: 'hunter2' }] }],
    ['operation', { overrides: [{ clusterName: 'a', clusterOverrides: ['hunter2'] }] }],
    ['value', { overrides: [{ clusterName: 'a', clusterOverrides: [{ path: '/data', value: ['hunter2'] }] }] }],
    ['annotation', { template: { metadata: secret.metadata } }],
  ])('masks a federated Secret also where it has the wrong shape: its %s', (_, spec) => {
    const text = JSON.stringify(masked({ kind: 'FederatedSecret', metadata: secret.metadata, spec }));
    expect(text).not.toMatch(/hunter2|aHVudGVyMg/);
    expect(text).toContain('sha256:');
  });

  it('masks a Secret of a version that nobody knows', () => {
    expect(JSON.stringify(masked({ ...secret, apiVersion: 'v2' }))).not.toMatch(/hunter2|aHVudGVyMg/);
  });

  it('adds nothing that was not there', () => {
    const empty = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' } };
    expect(masked(empty)).toEqual(empty);
    expect(Object.keys(masked(empty))).toEqual(Object.keys(empty));
    const federated = { kind: 'FederatedSecret', metadata: { name: 's' } };
    expect(Object.keys(masked(federated))).toEqual(Object.keys(federated));
  });

  describe('changes', () => {
    const SECRET = { group: '', kind: 'Secret' };
    const bare = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' } };

    it.each(malformed)('of a Secret hide values that are %s in place of a map', (_, value) => {
      const bad = { ...secret, data: value, stringData: value };
      expect(maskedChanges(SECRET, diff(secret, bad))).toEqual([
        { path: 'data', before: { password: maskedValue('aHVudGVyMg==') }, after: maskedValue(value) },
        { path: 'stringData', before: { token: maskedValue('hunter2') }, after: maskedValue(value) },
      ]);
    });

    it.each<[string, unknown, unknown]>([
      ['all of it', undefined, secret],
      ['its metadata', { ...bare, metadata: undefined }, secret],
      ['its annotations', bare, secret],
      ['the annotation', { ...bare, metadata: { name: 's', annotations: { other: 'kept' } } }, secret],
      ['a nested value', { ...secret, data: { password: 'x' } }, { ...secret, data: { password: { b: 'hunter2' } } }],
      ['an element', { ...secret, data: ['x'] }, { ...secret, data: ['hunter2'] }],
    ])('of a Secret hide what comes and goes: %s', (_, before, after) => {
      for (const changes of [diff(before, after), diff(after, before)]) {
        const text = JSON.stringify(maskedChanges(SECRET, changes));
        expect(text).not.toMatch(/hunter2|aHVudGVyMg/);
        expect(text).toContain('sha256:');
      }
    });

    it('of other objects and other fields are shown', () => {
      const changes = diff({ data: { a: 'b' } }, { data: { a: 'c' } });
      expect(maskedChanges({ group: '', kind: 'ConfigMap' }, changes)).toBe(changes);
      const labels = diff(bare, { ...bare, metadata: { name: 's', labels: { a: 'b' } }, type: 'Opaque' });
      expect(maskedChanges(SECRET, labels)).toEqual(labels);
    });
  });

  it('leaves other objects alone', () => {
    const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { a: 'b' } };
    expect(masked(configMap)).toBe(configMap);
  });
});
