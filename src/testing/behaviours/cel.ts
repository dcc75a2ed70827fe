import {
  type AnyObject,
  type CustomResourceDefinition,
  isClustersetError,
  type Json,
  type ResourceType,
  resourceType,
  type StructuralSchema,
} from '../../kube/plain/index.ts';
import { ClusterProfile } from '../../registry/index.ts';
import { type Behaviour, type BehaviourContext, crds, fails, holds, same } from './behaviour.ts';

const SOURCE = 'KEP-2876: validation expressions of custom resources';
const GROUP = 'rules.example.com';

interface Ruled {
  readonly type: ResourceType;
  readonly crd: string;
  at(version: string): ResourceType;
  thing(name: string, spec: object, more?: object): AnyObject;
}

type Schemas = Readonly<Record<string, StructuralSchema>>;

/** Installs a CRD whose spec has the given schema in each version, the first of which is stored, and waits until it is served. */
async function define({ cluster, namespace, unique }: BehaviourContext, specs: Schemas, more: Schemas = {}): Promise<Ruled> {
  const plural = unique('rules').replaceAll('-', '');
  const kind = `Rule${plural.slice(5)}`;
  const [first = 'v1'] = Object.keys(specs);
  const at = (version: string): ResourceType => resourceType(`${GROUP}/${version}`, kind, plural);
  const crd: CustomResourceDefinition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: Object.entries(specs).map(([name, spec]) => ({
        name,
        served: true,
        storage: name === first,
        schema: { openAPIV3Schema: { type: 'object', properties: { spec, ...more } } },
        subresources: { status: {} },
      })),
    },
  };
  await cluster.create(crds, crd as unknown as AnyObject);
  for (const version of Object.keys(specs)) await until(() => cluster.list(at(version), { namespace }));
  return {
    type: at(first),
    crd: crd.metadata.name,
    at,
    thing: (name, spec, rest = {}) =>
      ({ apiVersion: `${GROUP}/${first}`, kind, metadata: { namespace, name }, spec, ...rest }) as AnyObject,
  };
}

/** Asks until there is an answer: what is told to a server is done a moment later. */
async function until(ask: () => Promise<unknown>): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await ask();
      return;
    } catch (error) {
      if (attempt > 500 || !isClustersetError(error)) throw error;
    }
  }
}

const rules = (schema: object, ...all: readonly object[]): StructuralSchema => ({ ...schema, 'x-kubernetes-validations': all });
const text = { type: 'string', maxLength: 32 };
const integer = { type: 'integer' };

/** Listeners as the Gateway API has them: names once, a host only where the protocol knows hosts. */
const LISTENERS = rules(
  {
    type: 'array',
    maxItems: 8,
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
    items: {
      type: 'object',
      required: ['name', 'port', 'protocol'],
      properties: {
        name: text,
        hostname: text,
        port: { type: 'integer', minimum: 1, maximum: 65_535 },
        protocol: text,
        mode: text,
      },
    },
  },
  {
    rule: "self.all(l, l.protocol in ['TCP', 'UDP'] ? (!has(l.hostname) || l.hostname == '') : true)",
    message: 'hostname must not be specified for protocols TCP and UDP',
  },
  {
    rule: 'self.all(a, self.exists_one(b, a.port == b.port && a.protocol == b.protocol && (has(a.hostname) && has(b.hostname) ? a.hostname == b.hostname : !has(a.hostname) && !has(b.hostname))))',
    message: 'Combination of port, protocol and hostname must be unique for each listener',
  },
);

/** Rules in CEL. */
export const CEL_BEHAVIOURS: readonly Behaviour[] = [
  {
    name: 'a custom resource that breaks rules is refused with their messages, at their paths and for their reasons',
    source: SOURCE,
    async check(context) {
      const spec = rules(
        { type: 'object', properties: { low: integer, high: integer, note: text } },
        {
          rule: 'self.low <= self.high',
          messageExpression: '"%d is more than %d".format([self.low, self.high])',
          fieldPath: '.low',
        },
        {
          rule: '!has(self.note) || self.low > 0',
          reason: 'FieldValueForbidden',
          message: 'no notes on nothing',
          fieldPath: '.note',
        },
      );
      const { type, thing } = await define(context, { v1: spec });
      const { cluster, namespace } = context;
      await fails(() => cluster.create(type, thing('a', { low: 2, high: 1 })), {
        code: 'Invalid',
        status: 422,
        message: `${type.kind}.${GROUP} "a" is invalid: spec.low: Invalid value: 2 is more than 1`,
        issues: [{ field: 'spec.low', reason: 'FieldValueInvalid', message: 'Invalid value: 2 is more than 1' }],
      });
      await fails(() => cluster.create(type, thing('a', { high: 1 })), {
        code: 'Invalid',
        status: 422,
        message: /spec: Invalid value: "object": no such key: low evaluating rule: self\.low <= self\.high$/,
      });
      const refused = {
        code: 'Invalid',
        status: 422,
        issues: [{ field: 'spec.note', reason: 'FieldValueForbidden', message: 'Forbidden: no notes on nothing' }],
      } as const;
      const stored = await cluster.create(type, thing('a', { low: 0, high: 1 }));
      const noted = { low: 0, high: 1, note: 'x' };
      await fails(() => cluster.create(type, thing('b', noted), { dryRun: true }), refused);
      await fails(() => cluster.update(type, { ...stored, spec: noted }), refused);
      await fails(() => cluster.patch(type, { namespace, name: 'a' }, { type: 'merge', body: { spec: { note: 'x' } } }), refused);
      await fails(
        () =>
          cluster.patch(
            type,
            { namespace, name: 'a' },
            { type: 'json', operations: [{ op: 'add', path: '/spec/note', value: 'x' }] },
          ),
        refused,
      );
      await fails(() => cluster.apply(type, thing('a', { note: 'x' }), { fieldManager: 'one' }), refused);
      await fails(() => cluster.apply(type, thing('c', noted), { fieldManager: 'one' }), refused);
      await cluster.patch(type, { namespace, name: 'a' }, { type: 'merge', body: { spec: { low: 1, note: 'x' } } });
    },
  },
  {
    name: 'rules about changes are asked when something changes, and only where there was something',
    source: SOURCE,
    async check(context) {
      const spec = {
        type: 'object',
        properties: {
          fixed: rules(text, { rule: 'self == oldSelf', message: 'fixed' }),
          size: rules(integer, {
            rule: '!oldSelf.hasValue() || self >= oldSelf.value()',
            optionalOldSelf: true,
            message: 'grows',
          }),
        },
      };
      const { type, thing } = await define(context, { v1: spec });
      const { cluster, namespace } = context;
      const key = { namespace, name: 'a' };
      await cluster.create(type, thing('a', { size: 5 }));
      await cluster.patch(type, key, { type: 'merge', body: { spec: { fixed: 'x' } } });
      await fails(() => cluster.patch(type, key, { type: 'merge', body: { spec: { fixed: 'y', size: 4 } } }), {
        code: 'Invalid',
        status: 422,
        message: /spec\.(?:fixed: Invalid value: "y": fixed|size: Invalid value: 4: grows), spec\.(?:fixed|size): /,
      });
      await fails(() => cluster.apply(type, thing('a', { fixed: 'y' }), { fieldManager: 'one', force: true }), {
        code: 'Invalid',
        status: 422,
        issues: [{ field: 'spec.fixed', reason: 'FieldValueInvalid', message: 'Invalid value: "y": fixed' }],
      });
      // What is taken away first may come back different.
      await cluster.patch(type, key, { type: 'merge', body: { spec: { fixed: null, size: 6 } } });
      await cluster.patch(type, key, { type: 'merge', body: { spec: { fixed: 'y' } } });
    },
  },
  {
    name: 'rules on the status are asked when the status is written, those at the root see both',
    source: SOURCE,
    async check(context) {
      const status = rules(
        { type: 'object', properties: { ready: integer } },
        { rule: 'self.ready >= 0', message: 'not below 0' },
      );
      const spec = { type: 'object', properties: { size: integer } };
      const { type, thing } = await define(context, { v1: spec }, { status });
      const { cluster } = context;
      // The status of a new object is left out before anybody looks at it.
      const stored = await cluster.create(type, thing('a', { size: 1 }, { status: { ready: -1 } }));
      await fails(() => cluster.update(type, { ...stored, status: { ready: -1 } }, { subresource: 'status' }), {
        code: 'Invalid',
        status: 422,
        message: `${type.kind}.${GROUP} "a" is invalid: status: Invalid value: not below 0`,
      });
      const up = await cluster.update(type, { ...stored, status: { ready: 1 } }, { subresource: 'status' });
      same(up.status, { ready: 1 });
    },
  },
  {
    name: 'what was wrong before a rule came may stay as it is',
    source: 'KEP-4008: validation ratcheting',
    async check(context) {
      const plain = { type: 'object', properties: { name: text, other: text } };
      const strict = { type: 'object', properties: { name: rules(text, { rule: "self.startsWith('x')" }), other: text } };
      const { type, crd, thing } = await define(context, { v1: plain });
      const { cluster, namespace } = context;
      const key = { namespace, name: 'a' };
      await cluster.create(type, thing('a', { name: 'wrong' }));
      const path = '/spec/versions/0/schema/openAPIV3Schema/properties/spec';
      await cluster.patch(
        crds,
        { name: crd },
        { type: 'json', operations: [{ op: 'replace', path, value: strict as unknown as Json }] },
      );
      await until(async () => {
        const made = await cluster.create(type, thing('b', { name: 'wrong' }), { dryRun: true }).then(
          () => true,
          () => false,
        );
        if (made) await cluster.get(type, { namespace, name: '' });
      });
      const changed = await cluster.patch(type, key, { type: 'merge', body: { spec: { other: 'y' } } });
      same(changed.spec, { name: 'wrong', other: 'y' });
      await fails(() => cluster.patch(type, key, { type: 'merge', body: { spec: { name: 'worse' } } }), {
        code: 'Invalid',
        status: 422,
        issues: [{ field: 'spec.name', reason: 'FieldValueInvalid' }],
      });
    },
  },
  {
    name: 'each version of a custom resource has rules of its own',
    source: SOURCE,
    async check(context) {
      const upTo = (limit: number): StructuralSchema => ({
        type: 'object',
        properties: { size: rules(integer, { rule: `self <= ${limit}` }) },
      });
      const { at, type, thing } = await define(context, { v1: upTo(10), v2: upTo(5) });
      const { cluster, namespace } = context;
      await cluster.create(type, thing('a', { size: 8 }));
      const newer = { ...thing('b', { size: 8 }), apiVersion: `${GROUP}/v2` };
      await fails(() => cluster.create(at('v2'), newer), {
        code: 'Invalid',
        status: 422,
        message: /spec\.size: Invalid value: 8: failed rule: self <= 5/,
      });
      // What has not changed is not asked again, in no version.
      await cluster.patch(at('v2'), { namespace, name: 'a' }, { type: 'merge', body: { metadata: { labels: { a: 'b' } } } });
    },
  },
  {
    name: 'rules at the root see the name of a resource, and nothing else of its metadata',
    source: SOURCE,
    async check({ cluster, namespace, unique }) {
      const plural = unique('roots').replaceAll('-', '');
      const crd = (rule: string): AnyObject => ({
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: `${plural}.${GROUP}` },
        spec: {
          group: GROUP,
          scope: 'Namespaced',
          names: { kind: 'Root', plural },
          versions: [
            { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: rules({ type: 'object' }, { rule }) } },
          ],
        },
      });
      await fails(() => cluster.create(crds, crd('has(self.metadata.labels)')), {
        code: 'Invalid',
        status: 422,
        message: /undefined field 'labels'/,
      });
      await cluster.create(crds, crd("self.metadata.name.startsWith('ok')"));
      const type = resourceType(`${GROUP}/v1`, 'Root', plural);
      await until(() => cluster.list(type, { namespace }));
      const root = (name: string): AnyObject => ({ apiVersion: `${GROUP}/v1`, kind: 'Root', metadata: { namespace, name } });
      await cluster.create(type, root('ok-1'));
      await fails(() => cluster.create(type, root('no')), {
        code: 'Invalid',
        status: 422,
        message: `Root.${GROUP} "no" is invalid: <nil>: Invalid value: failed rule: self.metadata.name.startsWith('ok')`,
      });
    },
  },
  {
    name: 'listeners with rules like those of the Gateway API',
    source: 'Gateway API',
    async check(context) {
      const { type, thing } = await define(context, { v1: { type: 'object', properties: { listeners: LISTENERS } } });
      const { cluster } = context;
      const refused = async (listeners: readonly object[], message: RegExp): Promise<void> =>
        fails(() => cluster.create(type, thing('a', { listeners })), { code: 'Invalid', status: 422, message });
      const http = { name: 'http', port: 80, protocol: 'HTTP' };
      await refused([{ ...http, protocol: 'TCP', hostname: 'a' }], /hostname must not be specified for protocols TCP and UDP$/);
      await refused(
        [http, { ...http, name: 'too' }],
        /Combination of port, protocol and hostname must be unique for each listener$/,
      );
      await refused([http, http], /spec\.listeners\[1\]: Duplicate value/);
      await cluster.create(
        type,
        thing('a', { listeners: [http, { ...http, name: 'b', hostname: 'b' }, { ...http, name: 'c', hostname: 'c' }] }),
      );
    },
  },
  {
    name: 'the manager of a ClusterProfile is immutable',
    source: 'KEP-4322',
    async check({ cluster, namespace }) {
      await cluster.create(crds, ClusterProfile.crd() as unknown as AnyObject).catch((error: unknown) => {
        if (!isClustersetError(error) || error.code !== 'AlreadyExists') throw error;
      });
      await until(() => cluster.list(ClusterProfile, { namespace }));
      const profile: AnyObject = {
        apiVersion: 'multicluster.x-k8s.io/v1alpha1',
        kind: 'ClusterProfile',
        metadata: { namespace, name: 'eu-1' },
        spec: { clusterManager: { name: 'one' } },
      };
      const type: ResourceType = ClusterProfile as unknown as ResourceType;
      await cluster.create(type, profile);
      const key = { namespace, name: 'eu-1' };
      await cluster.patch(type, key, { type: 'merge', body: { spec: { displayName: 'Europe' } } });
      await fails(() => cluster.patch(type, key, { type: 'merge', body: { spec: { clusterManager: { name: 'two' } } } }), {
        code: 'Invalid',
        status: 422,
        message:
          'ClusterProfile.multicluster.x-k8s.io "eu-1" is invalid: spec.clusterManager: Invalid value: ClusterManager is immutable',
      });
      holds((await cluster.get(type, key)) !== undefined, 'the profile is still there');
    },
  },
];
