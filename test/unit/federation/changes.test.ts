import { appliedFields, changesTo, prepare } from 'clusterset/federation';
import {
  type AnyObject,
  type Change,
  compareText,
  type FieldsV1,
  isRecord,
  type JsonPatchOperation,
  toFieldsV1,
} from 'clusterset/kube';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  applied,
  deploymentTemplate,
  desiredOf,
  edited,
  federatedDeployment,
  frozen,
  liveConfigMap,
  liveDeployment,
  liveService,
  patched,
  updated,
} from './fixtures.ts';

const desiredDeployment = prepare(federatedDeployment()).renderFor({ name: 'eu-1' });
const desiredService = desiredOf(liveService, {
  spec: { type: 'NodePort', selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
});
const desiredConfigMap = desiredOf(liveConfigMap, { data: { a: '1', b: '2' } });

const changes = (live: AnyObject, desired: AnyObject): readonly Change[] => changesTo(live, desired, 'clusterset');
const paths = (live: AnyObject, desired: AnyObject): string[] => changes(live, desired).map(({ path }) => path);
const replace = (path: string, value: string | number): JsonPatchOperation => ({ op: 'replace', path, value });

/** The live object of an apply with these managed fields. */
function liveOf(desired: AnyObject, fields: FieldsV1): AnyObject {
  const managedFields = [applied(desired.apiVersion, fields)];
  return { ...desired, metadata: { ...desired.metadata, managedFields } };
}

describe('appliedFields', () => {
  const withEntries = (...managedFields: NonNullable<AnyObject['metadata']['managedFields']>): AnyObject => ({
    ...liveConfigMap,
    metadata: { name: 'web', managedFields },
  });
  const fields: FieldsV1 = { 'f:data': { 'f:a': {} } };

  it('are those of the manager’s own apply', () => {
    const live = withEntries(updated('clusterset', 'v1', { 'f:data': { 'f:z': {} } }), applied('v1', fields));
    expect(toFieldsV1(appliedFields(live, 'clusterset') ?? new Map())).toEqual(fields);
  });

  it.each<[string, AnyObject]>([
    ['an object without managed fields', { ...liveConfigMap, metadata: { name: 'web' } }],
    ['an apply of another manager', withEntries(applied('v1', fields, 'kubectl'))],
    ['an update of the same manager', withEntries(updated('clusterset', 'v1', fields))],
    ['an apply to a subresource', withEntries({ ...applied('v1', fields), subresource: 'status' })],
  ])('are none for %s', (_, live) => {
    expect(appliedFields(live, 'clusterset')).toBeUndefined();
  });
});

describe('changesTo', () => {
  it.each<[string, AnyObject, AnyObject]>([
    ['Deployment', liveDeployment, desiredDeployment],
    ['Service', liveService, desiredService],
    ['ConfigMap', liveConfigMap, desiredConfigMap],
  ])('is empty for a %s that the server has filled in', (_, live, desired) => {
    expect(changes(live, desired)).toEqual([]);
  });

  it.each<[string, JsonPatchOperation[], Change[]]>([
    [
      'a value that differs',
      [replace('/spec/template/spec/containers/0/image', 'shop/web:2')],
      [{ path: 'spec.template.spec.containers[web].image', before: 'shop/web:1', after: 'shop/web:2' }],
    ],
    [
      'a field that is new',
      [{ op: 'add', path: '/spec/paused', value: true }],
      [{ path: 'spec.paused', before: undefined, after: true }],
    ],
    [
      'a field of ours that is no longer wanted',
      [{ op: 'remove', path: '/spec/replicas' }],
      [{ path: 'spec.replicas', before: 3, after: undefined }],
    ],
    [
      'a default that the template contradicts',
      [{ op: 'add', path: '/spec/revisionHistoryLimit', value: 2 }],
      [{ path: 'spec.revisionHistoryLimit', before: 10, after: 2 }],
    ],
    [
      'an element of ours that is no longer wanted',
      [{ op: 'remove', path: '/spec/template/spec/containers/0/env/0' }],
      [
        {
          path: 'spec.template.spec.containers[web].env[REGION]',
          before: { name: 'REGION', value: 'none' },
          after: undefined,
        },
      ],
    ],
    [
      'an element that is new',
      [{ op: 'add', path: '/spec/template/spec/containers/0/env/-', value: { name: 'ZONE', value: 'a' } }],
      [{ path: 'spec.template.spec.containers[web].env[ZONE]', before: undefined, after: { name: 'ZONE', value: 'a' } }],
    ],
    [
      'elements with keys in another order',
      [{ op: 'move', from: '/spec/template/spec/containers/1', path: '/spec/template/spec/containers/0' }],
      [{ path: 'spec.template.spec.containers', before: 'in another order', after: 'in this order' }],
    ],
    [
      'a label with a name that needs brackets',
      [{ op: 'add', path: '/metadata/labels/shop.example~1tier', value: 'front' }],
      [{ path: 'metadata.labels[shop.example/tier]', before: undefined, after: 'front' }],
    ],
  ])('reports %s', (_, operations, expected) => {
    expect(changes(liveDeployment, patched(desiredDeployment, ...operations))).toEqual(expected);
  });

  it.each<[string, JsonPatchOperation[], FieldsV1, string[]]>([
    [
      'repairs a value that somebody has edited',
      [replace('/spec/template/spec/containers/0/env/0/value', 'eu')],
      {
        'f:spec': {
          'f:template': {
            'f:spec': {
              'f:containers': { 'k:{"name":"web"}': { 'f:env': { 'k:{"name":"REGION"}': { 'f:value': {} } } } },
            },
          },
        },
      },
      ['spec.template.spec.containers[web].env[REGION].value'],
    ],
    [
      'leaves a container that was injected',
      [{ op: 'add', path: '/spec/template/spec/containers/-', value: { name: 'istio', image: 'istio:1' } }],
      {
        'f:spec': {
          'f:template': {
            'f:spec': { 'f:containers': { 'k:{"name":"istio"}': { '.': {}, 'f:image': {}, 'f:name': {} } } },
          },
        },
      },
      [],
    ],
    [
      'leaves a container that was injected before ours',
      [{ op: 'add', path: '/spec/template/spec/containers/0', value: { name: 'istio', image: 'istio:1' } }],
      {
        'f:spec': {
          'f:template': {
            'f:spec': { 'f:containers': { 'k:{"name":"istio"}': { '.': {}, 'f:image': {}, 'f:name': {} } } },
          },
        },
      },
      [],
    ],
    [
      'leaves the mark of kubectl rollout restart',
      [{ op: 'add', path: '/spec/template/metadata/annotations', value: { 'kubectl.kubernetes.io/restartedAt': 'now' } }],
      {
        'f:spec': {
          'f:template': { 'f:metadata': { 'f:annotations': { '.': {}, 'f:kubectl.kubernetes.io/restartedAt': {} } } },
        },
      },
      [],
    ],
    [
      'leaves a label of a member’s controller',
      [{ op: 'add', path: '/metadata/labels/team', value: 'a' }],
      { 'f:metadata': { 'f:labels': { 'f:team': {} } } },
      [],
    ],
    [
      'puts a label back that somebody has removed',
      [{ op: 'remove', path: '/metadata/labels/kubefed.io~1managed' }],
      { 'f:metadata': { 'f:labels': { 'f:kubefed.io/managed': {} } } },
      ['metadata.labels[kubefed.io/managed]'],
    ],
    ['repairs a scale', [replace('/spec/replicas', 7)], { 'f:spec': { 'f:replicas': {} } }, ['spec.replicas']],
  ])('%s', (_, operations, theirs, expected) => {
    expect(paths(edited(liveDeployment, operations, theirs), desiredDeployment)).toEqual(expected);
  });

  it.each<[string, Record<string, unknown>, Change[]]>([
    ['leaves keys of others', { data: { a: '1', b: '2' } }, []],
    ['removes a key of ours', { data: { a: '1' } }, [{ path: 'data.b', before: '2', after: undefined }]],
    [
      'takes over a key of somebody else where the template says another value',
      { data: { a: '1', b: '2', other: 'y' } },
      [{ path: 'data.other', before: 'x', after: 'y' }],
    ],
    [
      'shows keys with dots in brackets',
      { data: { a: '1', b: '2', 'app.conf': 'c' } },
      [{ path: 'data[app.conf]', before: undefined, after: 'c' }],
    ],
    [
      'reports a field of the object that is new',
      { data: { a: '1', b: '2' }, immutable: true },
      [{ path: 'immutable', before: undefined, after: true }],
    ],
  ])('of a ConfigMap %s', (_, fields, expected) => {
    expect(changes(liveConfigMap, desiredOf(liveConfigMap, fields))).toEqual(expected);
  });

  it('reports a field of the object that is no longer wanted, and nothing where it is gone already', () => {
    const desired = desiredOf(liveConfigMap, {});
    expect(paths(liveConfigMap, desired)).toEqual(['data']);
    expect(paths(patched(liveConfigMap, { op: 'remove', path: '/data' }), desired)).toEqual([]);
  });

  it('counts nothing as owned where the manager never applied the object', () => {
    const live = { ...liveConfigMap, metadata: { ...liveConfigMap.metadata, managedFields: [] } };
    expect(changes(live, desiredOf(live, { data: { a: '1' } }))).toEqual([]);
    expect(paths(live, desiredOf(live, { data: { a: '3' } }))).toEqual(['data.a']);
  });

  it('does not count the version that an object is read in', () => {
    expect(changes(liveDeployment, { ...desiredDeployment, apiVersion: 'apps/v2' })).toEqual([]);
    expect(changes({ ...liveDeployment, kind: 'Other' }, desiredDeployment)).toEqual([]);
  });

  it('reports a value of another kind as a whole', () => {
    const config = (data: unknown): AnyObject => desiredOf(liveConfigMap, { data });
    expect(changes(config('a'), config(['a']))).toEqual([{ path: 'data', before: 'a', after: ['a'] }]);
    expect(changes(config(['a']), config({ a: '1' }))).toEqual([{ path: 'data', before: ['a'], after: { a: '1' } }]);
    expect(changes(config({ a: '1' }), config(['a']))).toEqual([{ path: 'data', before: { a: '1' }, after: ['a'] }]);
  });

  it('takes null for a field that is not there', () => {
    expect(changes(liveDeployment, patched(desiredDeployment, { op: 'add', path: '/spec/paused', value: null }))).toEqual([]);
    const template = { ...deploymentTemplate.spec.template, metadata: { labels: { app: 'web' }, creationTimestamp: null } };
    expect(changes(liveDeployment, { ...desiredDeployment, spec: { ...deploymentTemplate.spec, template } })).toEqual([]);
    expect(paths(liveDeployment, patched(desiredDeployment, { op: 'replace', path: '/spec/replicas', value: null }))).toEqual([
      'spec.replicas',
    ]);
  });

  describe('of lists', () => {
    const desired = (pod: Record<string, unknown>): AnyObject =>
      desiredOf(liveDeployment, { spec: { template: { spec: pod } }, metadata: {} });
    const pathsOfPod = (before: Record<string, unknown>, fields: FieldsV1, after: Record<string, unknown>): string[] => {
      const live = liveOf(desired(before), { 'f:spec': { 'f:template': { 'f:spec': fields } } });
      return paths(live, desired(after)).map((path) => path.replace('spec.template.spec.', ''));
    };

    it.each<[string, unknown, unknown, string[]]>([
      ['the same', ['-a', '-b'], ['-a', '-b'], []],
      ['another order', ['-a', '-b'], ['-b', '-a'], ['args[0]', 'args[1]']],
      ['one less', ['-a', '-b'], ['-a'], ['args']],
      ['one more', ['-a'], ['-a', '-b'], ['args']],
    ])('compares those without keys as a whole: %s', (_, before, after, expected) => {
      expect(pathsOfPod({ args: before }, { 'f:args': {} }, { args: after })).toEqual(expected);
    });

    it.each<[string, string[], string[], string[]]>([
      ['the same', ['a/x', 'b/x'], ['a/x', 'b/x'], []],
      ['one of ours less', ['a/x', 'b/x'], ['a/x'], ['metadata.finalizers[="b/x"]']],
      ['one more', ['a/x', 'b/x'], ['a/x', 'b/x', 'c/x'], ['metadata.finalizers[="c/x"]']],
      ['one of somebody else beside', ['a/x', 'b/x', 'their/x'], ['a/x', 'b/x'], []],
    ])('compares sets by their elements: %s', (_, before, after, expected) => {
      const fields: FieldsV1 = { 'f:metadata': { 'f:finalizers': { 'v:"a/x"': {}, 'v:"b/x"': {} } } };
      const metadata = { name: 'web', namespace: 'shop' };
      const live = liveOf({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...metadata, finalizers: before } }, fields);
      expect(paths(live, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...metadata, finalizers: after } })).toEqual(
        expected,
      );
    });

    it('names elements by their position where they have no name', () => {
      const fields: FieldsV1 = { 'f:hostAliases': { 'k:{"ip":"10.0.0.1"}': { '.': {}, 'f:ip': {}, 'f:hostnames': {} } } };
      expect(
        pathsOfPod({ hostAliases: [{ ip: '10.0.0.1', hostnames: ['a'] }] }, fields, {
          hostAliases: [{ ip: '10.0.0.1', hostnames: ['b'] }],
        }),
      ).toEqual(['hostAliases[0].hostnames[0]']);
    });
  });

  describe('of quantities', () => {
    const container = (resources: Record<string, unknown>): AnyObject =>
      desiredOf(liveDeployment, { spec: { template: { spec: { containers: [{ name: 'web', resources }] } } } });
    const fields: FieldsV1 = {
      'f:spec': {
        'f:template': {
          'f:spec': {
            'f:containers': {
              'k:{"name":"web"}': {
                '.': {},
                'f:name': {},
                'f:resources': { 'f:limits': { 'f:cpu': {}, 'f:memory': {}, 'f:nvidia.com/gpu': {} } },
              },
            },
          },
        },
      },
    };
    const live = liveOf(container({ limits: { cpu: '1', memory: '1Gi', 'nvidia.com/gpu': '2' } }), fields);

    it('takes the same amount for the same, however it is written', () => {
      expect(changes(live, container({ limits: { cpu: '1000m', memory: '1024Mi', 'nvidia.com/gpu': 2 } }))).toEqual([]);
    });

    it('reports another amount as it was written', () => {
      expect(changes(live, container({ limits: { cpu: '1500m', memory: '1Gi', 'nvidia.com/gpu': 2 } }))).toEqual([
        { path: 'spec.template.spec.containers[web].resources.limits.cpu', before: '1', after: '1500m' },
      ]);
    });

    it('compares data as text, also under a name such as limits', () => {
      const config = (value: string): AnyObject => desiredOf(liveConfigMap, { data: { limits: value } });
      const stored = liveOf(config('1000m'), { 'f:data': { 'f:limits': {} } });
      expect(paths(stored, config('1'))).toEqual(['data.limits']);
    });

    it('compares labels as text', () => {
      const labelled = (value: string): AnyObject =>
        patched(desiredConfigMap, { op: 'add', path: '/metadata/labels/capacity', value });
      const stored = liveOf(labelled('1.0'), { 'f:metadata': { 'f:labels': { 'f:capacity': {} } } });
      expect(paths(stored, labelled('1'))).toEqual(['metadata.labels.capacity']);
    });
  });

  describe('of maps and structs that are set as a whole', () => {
    const serviceFields = (...more: string[]): FieldsV1 => ({
      'f:spec': { 'f:selector': {}, ...Object.fromEntries(more.map((name) => [name, {}])) },
    });
    const service = (selector: Record<string, string>): AnyObject => desiredOf(liveService, { spec: { selector } });

    it('see a value that differs', () => {
      const live = liveOf(service({ app: 'web', tier: 'front' }), serviceFields());
      expect(paths(live, service({ app: 'web', tier: 'back' }))).toEqual(['spec.selector.tier']);
    });

    it('see a key that the template has lost, as in the selector of a Service', () => {
      const live = liveOf(service({ app: 'web', tier: 'front' }), serviceFields());
      expect(changes(live, service({ app: 'web' }))).not.toEqual([]);
    });

    it('see a key that somebody has added, as in the selector of a Service', () => {
      const add: JsonPatchOperation = { op: 'add', path: '/spec/selector/tier', value: 'front' };
      expect(changes(edited(liveService, [add], { 'f:spec': { 'f:selector': {} } }), desiredService)).not.toEqual([]);
    });

    it('see a field that the template has lost in an element of a list without keys, as in the rules of a Role', () => {
      const rule = { apiGroups: [''], resources: ['pods'], verbs: ['get'] };
      const role = (rules: unknown[]): AnyObject => ({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: { name: 'web', namespace: 'shop' },
        rules,
      });
      const live = liveOf(role([{ ...rule, resourceNames: ['web-0'] }]), { 'f:rules': {} });
      expect(changes(live, role([rule]))).not.toEqual([]);
    });

    it('see a field that somebody has added in an element of a list without keys, as in tolerations', () => {
      const pod = { tolerations: [{ key: 'gpu', operator: 'Exists' }] };
      const desired = desiredOf(liveDeployment, { spec: { template: { spec: pod } } });
      const fields: FieldsV1 = { 'f:spec': { 'f:template': { 'f:spec': { 'f:tolerations': {} } } } };
      const add: JsonPatchOperation = { op: 'add', path: '/spec/template/spec/tolerations/0/effect', value: 'NoSchedule' };
      expect(changes(edited(liveOf(desired, fields), [add], fields), desired)).not.toEqual([]);
    });
  });

  describe('of elements with more than one key', () => {
    const udp = { name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 };
    const tcp = { name: 'dns-tcp', port: 53, targetPort: 53 };
    const service = (ports: unknown[]): AnyObject => desiredOf(liveService, { spec: { ports } });
    const element: FieldsV1 = { '.': {}, 'f:name': {}, 'f:port': {}, 'f:targetPort': {} };
    const fields: FieldsV1 = {
      'f:spec': {
        'f:ports': {
          'k:{"port":53,"protocol":"TCP"}': element,
          'k:{"port":53,"protocol":"UDP"}': { ...element, 'f:protocol': {} },
        },
      },
    };
    const tcpFirst = liveOf(service([{ ...tcp, protocol: 'TCP' }, udp]), fields);
    const udpFirst = liveOf(service([udp, { ...tcp, protocol: 'TCP' }]), fields);

    it('tells them apart by all their keys where the template says them', () => {
      const both = [udp, { ...tcp, protocol: 'TCP' }];
      expect(changes(udpFirst, service(both))).toEqual([]);
      expect(paths(patched(udpFirst, replace('/spec/ports/1/targetPort', 5353)), service(both))).toEqual([
        'spec.ports[dns-tcp].targetPort',
      ]);
      expect(paths(udpFirst, service([udp, { name: 'dns-tcp', port: 53, protocol: 'TCP' }]))).toEqual([
        'spec.ports[dns-tcp].targetPort',
      ]);
      expect(paths(udpFirst, service([udp]))).toEqual(['spec.ports[dns-tcp]']);
    });

    it('finds elements whose key is left to its default where they come first', () => {
      expect(changes(tcpFirst, service([tcp, udp]))).toEqual([]);
    });

    it('finds elements whose key is left to its default behind an element with another value of that key', () => {
      expect(changes(udpFirst, service([udp, tcp]))).toEqual([]);
    });

    it('sees that such elements were edited behind an element with another value of that key', () => {
      const drifted = patched(udpFirst, replace('/spec/ports/1/targetPort', 5353));
      expect(paths(drifted, service([udp, tcp]))).toEqual(['spec.ports[dns-tcp].targetPort']);
    });

    it('sees that the other element is no longer wanted', () => {
      expect(paths(tcpFirst, service([tcp]))).toEqual(['spec.ports[dns]']);
    });
  });

  it('shows an element that is added to a list of somebody else as new', () => {
    const theirs: FieldsV1 = {
      'f:spec': {
        'f:template': { 'f:spec': { 'f:volumes': { 'k:{"name":"theirs"}': { '.': {}, 'f:name': {}, 'f:emptyDir': {} } } } },
      },
    };
    const add: JsonPatchOperation = { op: 'add', path: '/spec/template/spec/volumes', value: [{ name: 'theirs', emptyDir: {} }] };
    const ours: JsonPatchOperation = { op: 'add', path: '/spec/template/spec/volumes', value: [{ name: 'ours', emptyDir: {} }] };
    expect(changes(edited(liveDeployment, [add], theirs), patched(desiredDeployment, ours))).toEqual([
      { path: 'spec.template.spec.volumes[ours]', before: undefined, after: { name: 'ours', emptyDir: {} } },
    ]);
  });

  it('never changes what it was given', () => {
    const desired = frozen(
      structuredClone(patched(desiredDeployment, { op: 'remove', path: '/spec/template/spec/containers/0/env' })),
    );
    expect(paths(frozen(structuredClone(liveDeployment)), desired)).toEqual(['spec.template.spec.containers[web].env']);
  });
});

const word = fc.constantFrom('alpha', 'beta', 'gamma', 'delta', 'with.dot', 'with/slash');
const scalar = fc.oneof(fc.string({ maxLength: 5 }), fc.integer(), fc.boolean());
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(scalar, { minLength: 1, maxLength: 3 }),
    fc.dictionary(word, tie('tree'), { minKeys: 1, maxKeys: 3 }),
    fc
      .uniqueArray(fc.tuple(word, tie('tree')), { selector: ([name]) => name, minLength: 1, maxLength: 3 })
      .map((elements) => elements.map(([name, value]) => ({ name, value }))),
  ),
}));
const spec = fc.dictionary(word, tree, { minKeys: 1, maxKeys: 3 });

const isKeyed = (value: unknown): value is readonly Record<string, unknown>[] => Array.isArray(value) && value.every(isRecord);

function fieldsOf(value: unknown): FieldsV1 {
  if (isKeyed(value)) {
    return Object.fromEntries(value.map((each) => [`k:${JSON.stringify({ name: each.name })}`, { '.': {}, ...fieldsOf(each) }]));
  }
  if (!isRecord(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([name, below]) => [`f:${name}`, fieldsOf(below)]));
}

/** What the server makes of a value: every object gets a default, and every list with keys an element of somebody else. */
function filledIn(value: unknown): unknown {
  if (isKeyed(value)) return [{ name: 'theirs' }, ...value.map(filledIn)];
  if (!isRecord(value)) return value;
  return { ...Object.fromEntries(Object.entries(value).map(([name, below]) => [name, filledIn(below)])), filled: 'in' };
}

function leaves(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([name, below]) => leaves(below, [...path, name]));
}

function withOtherLeaf(value: unknown, [step, ...rest]: readonly string[]): unknown {
  if (step === undefined) return `other than ${JSON.stringify(value)}`;
  if (Array.isArray(value)) return value.map((each, index) => (String(index) === step ? withOtherLeaf(each, rest) : each));
  return isRecord(value) ? { ...value, [step]: withOtherLeaf(value[step], rest) } : value;
}

const dataFields = (names: readonly string[]): FieldsV1 =>
  names.length === 0 ? {} : { 'f:data': Object.fromEntries(names.map((name) => [`f:${name}`, {}])) };

/** The object where these fields are ours, and those somebody else's. */
function managed(object: AnyObject, ours: FieldsV1, theirs: FieldsV1): AnyObject {
  const managedFields = [applied(object.apiVersion, ours), updated('kubectl-edit', object.apiVersion, theirs)];
  return { ...object, metadata: { ...object.metadata, managedFields } };
}

const custom = (fields: Record<string, unknown>): AnyObject => ({
  apiVersion: 'shop.example/v1',
  kind: 'Shop',
  metadata: { name: 'web', namespace: 'shop' },
  ...fields,
});

describe('changesTo, of any object', () => {
  it('is empty for what was applied, whatever was filled in and added by others', () => {
    fc.assert(
      fc.property(spec, (fields) => {
        const desired = custom({ spec: fields });
        const live = liveOf(custom({ spec: filledIn(fields) }), { 'f:spec': fieldsOf(fields) });
        expect(changes(live, desired)).toEqual([]);
      }),
    );
  });

  it('is not empty where a single value was changed, on either side', () => {
    fc.assert(
      fc.property(spec, fc.nat(), (fields, pick) => {
        const all = leaves(fields);
        const other = withOtherLeaf(fields, all[pick % all.length] ?? []);
        const ours: FieldsV1 = { 'f:spec': fieldsOf(fields) };
        expect(changes(liveOf(custom({ spec: other }), ours), custom({ spec: fields }))).not.toEqual([]);
        expect(changes(liveOf(custom({ spec: fields }), ours), custom({ spec: other }))).not.toEqual([]);
      }),
    );
  });

  const data = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.constantFrom('1', '2', ''));

  it('is what differs, and what is ours and no longer wanted', () => {
    fc.assert(
      fc.property(data, data, fc.subarray(['a', 'b', 'c', 'd']), (before, after, names) => {
        const ours = names.filter((name) => Object.hasOwn(before, name));
        const theirs = Object.keys(before).filter((name) => !ours.includes(name));
        const live = managed(custom({ data: before }), dataFields(ours), dataFields(theirs));
        const written = Object.keys(after).filter((name) => after[name] !== before[name]);
        const removed = ours.filter((name) => !Object.hasOwn(after, name));
        const expected = [...written, ...removed].map((name) => ({
          path: `data.${name}`,
          before: before[name],
          after: after[name],
        }));
        const found = changes(live, custom({ data: after }));
        expect(found.toSorted((a, b) => compareText(a.path, b.path))).toEqual(
          expected.toSorted((a, b) => compareText(a.path, b.path)),
        );
      }),
    );
  });

  const container = fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), image: fc.constantFrom('x:1', 'x:2') });
  const containers = fc.uniqueArray(container, { selector: ({ name }) => name });

  it('finds elements by their keys', () => {
    fc.assert(
      fc.property(
        containers.filter((list) => list.length > 0),
        containers,
        fc.subarray(['a', 'b', 'c', 'd'], { minLength: 1 }),
        (before, after, names) => {
          const ours = before.filter(({ name }) => names.includes(name));
          fc.pre(ours.length > 0);
          const theirs = before.filter((each) => !ours.includes(each));
          const live = managed(
            custom({ containers: before.map((each) => ({ ...each, imagePullPolicy: 'Always' })) }),
            { 'f:containers': fieldsOf(ours) },
            { 'f:containers': fieldsOf(theirs) },
          );
          const found = after.map(({ name }) => before.findIndex((each) => each.name === name));
          const isNewOrOther = after.some(({ image }, index) => before[found[index] ?? -1]?.image !== image);
          const isLost = ours.some(({ name }) => !after.some((each) => each.name === name));
          const isReordered = found.some((place, index) =>
            found.slice(0, index).some((earlier) => earlier > place && place >= 0),
          );
          expect(changes(live, custom({ containers: after })).length > 0).toBe(isNewOrOther || isLost || isReordered);
        },
      ),
    );
  });
});
