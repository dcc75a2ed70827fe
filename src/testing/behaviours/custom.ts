import { type AnyObject, type CustomResourceDefinition, type ResourceType, resourceType } from '../../kube/plain/index.ts';
import { type Behaviour, type BehaviourContext, crds, fails, holds, same } from './behaviour.ts';

const SOURCE = 'Kubernetes custom resources';

interface Custom {
  readonly type: ResourceType;
  boat(name: string, spec: Record<string, unknown>, more?: Record<string, unknown>): AnyObject;
}

const SCHEMA = {
  type: 'object',
  required: ['spec'],
  properties: {
    spec: {
      type: 'object',
      required: ['size'],
      properties: {
        size: { type: 'integer', format: 'int32', minimum: 1, maximum: 9 },
        color: { type: 'string', enum: ['red', 'blue'], default: 'red' },
        name: { type: 'string', maxLength: 5, pattern: '^[a-z]*$' },
        port: { 'x-kubernetes-int-or-string': true },
        extra: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        tags: { type: 'object', additionalProperties: { type: 'string' } },
        crew: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: {
            type: 'object',
            required: ['name'],
            properties: { name: { type: 'string' }, age: { type: 'integer', default: 30 } },
          },
        },
        route: { type: 'array', items: { type: 'string' } },
      },
    },
    status: { type: 'object', properties: { phase: { type: 'string' } } },
  },
};

/** Installs a CRD of its own and waits until it is served. */
async function define({ cluster, namespace, unique }: BehaviourContext): Promise<Custom> {
  const plural = unique('boats').replaceAll('-', '');
  const group = 'example.com';
  const kind = `Boat${plural.slice(5)}`;
  const type = resourceType(`${group}/v1`, kind, plural);
  const crd: CustomResourceDefinition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: SCHEMA }, subresources: { status: {} } }],
    },
  };
  await cluster.create(crds, crd as unknown as AnyObject);
  await untilServed(() => cluster.list(type, { namespace }));
  return {
    type,
    boat: (name, spec, more = {}) => ({ apiVersion: `${group}/v1`, kind, metadata: { namespace, name }, spec, ...more }),
  };
}

/** A CRD is served a moment after it is there. */
async function untilServed(ask: () => Promise<unknown>): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await ask();
      return;
    } catch (error) {
      if (attempt > 300) throw error;
    }
  }
}

/** Custom resources: definition, validation, defaults, pruning. */
export const CUSTOM_BEHAVIOURS: readonly Behaviour[] = [
  {
    name: 'a custom resource is pruned, defaulted and counted',
    source: SOURCE,
    async check(context) {
      const { type, boat } = await define(context);
      const { cluster } = context;
      const spec = {
        size: 3,
        unknown: 1,
        extra: { kept: { deep: true } },
        crew: [{ name: 'ann' }],
        port: 'http',
        tags: { a: 'b' },
      };
      const created = await cluster.create(type, boat('a', spec, { status: { phase: 'Early' }, odd: true }));
      same(created.spec, {
        size: 3,
        color: 'red',
        extra: { kept: { deep: true } },
        crew: [{ name: 'ann', age: 30 }],
        port: 'http',
        tags: { a: 'b' },
      });
      holds(created.status === undefined, 'no status at first');
      holds(!('odd' in created), 'unknown fields are left out');
      same(created.metadata.generation, 1);
      const changed = await cluster.patch(
        type,
        { namespace: context.namespace, name: 'a' },
        { type: 'merge', body: { spec: { size: 4 } } },
      );
      same(changed.metadata.generation, 2);
    },
  },
  {
    name: 'a custom resource is validated by its schema, in the words of Kubernetes',
    source: SOURCE,
    async check(context) {
      const { type, boat } = await define(context);
      const { cluster } = context;
      const cases: readonly [spec: Record<string, unknown>, message: RegExp, field: string, reason: string][] = [
        [{}, /spec\.size: Required value/, 'spec.size', 'FieldValueRequired'],
        [
          { size: 'x' },
          /spec\.size: Invalid value: "string": spec\.size in body must be of type integer: "string"/,
          'spec.size',
          'FieldValueTypeInvalid',
        ],
        [
          { size: 0 },
          /spec\.size: Invalid value: 0: spec\.size in body should be greater than or equal to 1/,
          'spec.size',
          'FieldValueInvalid',
        ],
        [
          { size: 10 },
          /spec\.size: Invalid value: 10: spec\.size in body should be less than or equal to 9/,
          'spec.size',
          'FieldValueInvalid',
        ],
        [
          { size: 1, color: 'green' },
          /spec\.color: Unsupported value: "green": supported values: "red", "blue"/,
          'spec.color',
          'FieldValueNotSupported',
        ],
        [{ size: 1, name: 'abcdef' }, /spec\.name: Too long: may not be more than 5 bytes/, 'spec.name', 'FieldValueTooLong'],
        [
          { size: 1, name: 'A' },
          /spec\.name: Invalid value: "A": spec\.name in body should match '\^\[a-z\]\*\$'/,
          'spec.name',
          'FieldValueInvalid',
        ],
        [
          { size: 1, tags: { a: 1 } },
          /spec\.tags\.a: Invalid value: "integer": spec\.tags\.a in body must be of type string: "integer"/,
          'spec.tags.a',
          'FieldValueTypeInvalid',
        ],
        [{ size: 1, crew: [{}] }, /spec\.crew\[0\]\.name: Required value/, 'spec.crew[0].name', 'FieldValueRequired'],
      ];
      for (const [spec, message, field, reason] of cases) {
        await fails(() => cluster.create(type, boat('a', spec)), {
          code: 'Invalid',
          status: 422,
          message,
          issues: [{ field, reason }],
        });
      }
      await fails(() => cluster.create(type, boat('a', { size: 1, crew: [{ name: 'x' }, { name: 'x' }] })), {
        code: 'Invalid',
        status: 422,
        message: /spec\.crew\[1\]: Duplicate value/,
      });
    },
  },
  {
    name: 'a custom resource is updated with its resourceVersion only',
    source: SOURCE,
    async check(context) {
      const { type, boat } = await define(context);
      await context.cluster.create(type, boat('a', { size: 1 }));
      await fails(() => context.cluster.update(type, boat('a', { size: 2 })), {
        code: 'Invalid',
        status: 422,
        message: new RegExp(
          `^${type.plural}\\.example\\.com "a" is invalid: metadata\\.resourceVersion: Invalid value: 0: must be specified for an update$`,
        ),
      });
    },
  },
  {
    name: 'a custom resource takes no strategic patch',
    source: SOURCE,
    async check(context) {
      const { type, boat } = await define(context);
      await context.cluster.create(type, boat('a', { size: 1 }));
      await fails(
        () =>
          context.cluster.patch(
            type,
            { namespace: context.namespace, name: 'a' },
            { type: 'strategic', body: { spec: { size: 2 } } },
          ),
        { code: 'UnsupportedMediaType', status: 415 },
      );
    },
  },
  {
    name: 'the status of a custom resource has its own path',
    source: SOURCE,
    async check(context) {
      const { type, boat } = await define(context);
      const { cluster, namespace } = context;
      const created = await cluster.create(type, boat('a', { size: 1 }));
      const up = await cluster.update(
        type,
        { ...created, spec: { size: 5 }, status: { phase: 'Up' } },
        { subresource: 'status' },
      );
      same(up.spec, { size: 1, color: 'red' });
      same(up.status, { phase: 'Up' });
      same(up.metadata.generation, 1);
      const patched = await cluster.patch(
        type,
        { namespace, name: 'a' },
        { type: 'merge', body: { spec: { size: 2 }, status: { phase: 'Down' } } },
      );
      same(patched.status, { phase: 'Up' });
    },
  },
  {
    name: 'apply merges a custom resource by its schema: lists with keys merge, others are replaced',
    source: SOURCE,
    async check(context) {
      const { type, boat } = await define(context);
      const { cluster } = context;
      await cluster.apply(type, boat('a', { size: 1, crew: [{ name: 'ann' }], route: ['x'] }), { fieldManager: 'one' });
      const { object } = await cluster.apply(type, boat('a', { size: 1, crew: [{ name: 'bob', age: 40 }] }), {
        fieldManager: 'two',
      });
      const { spec, metadata } = object as AnyObject;
      same((spec as { crew: unknown }).crew, [
        { name: 'ann', age: 30 },
        { name: 'bob', age: 40 },
      ]);
      same(
        metadata.managedFields?.map(({ manager, fieldsV1 }) => ({ manager, fieldsV1 })),
        [
          {
            manager: 'one',
            fieldsV1: { 'f:spec': { 'f:crew': { 'k:{"name":"ann"}': { '.': {}, 'f:name': {} } }, 'f:route': {}, 'f:size': {} } },
          },
          {
            manager: 'two',
            fieldsV1: { 'f:spec': { 'f:crew': { 'k:{"name":"bob"}': { '.': {}, 'f:age': {}, 'f:name': {} } }, 'f:size': {} } },
          },
        ],
        'the managers',
      );
      await fails(() => cluster.apply(type, boat('a', { size: 1, route: ['y'] }), { fieldManager: 'two' }), {
        code: 'ApplyConflict',
        status: 409,
        message: 'Apply failed with 1 conflict: conflict with "one": .spec.route',
      });
    },
  },
  {
    name: 'a custom resource is applied if absent, or left alone',
    source: 'clusterset: how a controller adopts nothing',
    async check(context) {
      const { type, boat } = await define(context);
      const { cluster } = context;
      holds((await cluster.apply(type, boat('a', { size: 1 }), { fieldManager: 'one', ifAbsent: true })).created, 'created');
      await fails(() => cluster.apply(type, boat('a', { size: 1 }), { fieldManager: 'two', force: true, ifAbsent: true }), {
        code: 'AlreadyExists',
        status: 409,
      });
    },
  },
  {
    name: "a definition in one of Kubernetes' own groups must say whether it was approved",
    source: 'KEP-1111',
    async check({ cluster, unique }) {
      const plural = unique('own').replaceAll('-', '');
      const crd = (annotations?: Record<string, string>): AnyObject => ({
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: `${plural}.example.k8s.io`, ...(annotations === undefined ? {} : { annotations }) },
        spec: {
          group: 'example.k8s.io',
          scope: 'Namespaced',
          names: { kind: 'Own', plural },
          versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
        },
      });
      const key = 'api-approved.kubernetes.io';
      const wanted = `protected groups must have approval annotation "${key}"`;
      const invalid = `CustomResourceDefinition.apiextensions.k8s.io "${plural}.example.k8s.io" is invalid:`;
      const see = 'see https://github.com/kubernetes/enhancements/pull/1111';
      await fails(() => cluster.create(crds, crd()), {
        code: 'Invalid',
        status: 422,
        message: `${invalid} metadata.annotations[${key}]: Required value: ${wanted}, ${see}`,
      });
      await fails(() => cluster.create(crds, crd({ [key]: 'yes' })), {
        code: 'Invalid',
        status: 422,
        message: `${invalid} metadata.annotations[${key}]: Invalid value: "yes": ${wanted} with either a URL or a reason starting with "unapproved", ${see}`,
      });
      await cluster.create(crds, crd({ [key]: 'unapproved, for a test' }), { dryRun: true });
      await cluster.create(crds, crd({ [key]: 'https://github.com/kubernetes/enhancements/pull/1' }), { dryRun: true });
    },
  },
  {
    name: 'a definition without types, or with two storage versions, is refused',
    source: SOURCE,
    async check({ cluster, unique }) {
      const plural = unique('bad').replaceAll('-', '');
      const version = (name: string, schema: object): object => ({
        name,
        served: true,
        storage: true,
        schema: { openAPIV3Schema: schema },
      });
      const crd = (versions: object[]): AnyObject => ({
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: `${plural}.example.com` },
        spec: { group: 'example.com', scope: 'Namespaced', names: { kind: 'Bad', plural }, versions },
      });
      await fails(() => cluster.create(crds, crd([version('v1', { type: 'object', properties: { spec: {} } })])), {
        code: 'Invalid',
        status: 422,
        message:
          /spec\.validation\.openAPIV3Schema\.properties\[spec\]\.type: Required value: must not be empty for specified object fields/,
      });
      await fails(() => cluster.create(crds, crd([version('v1', { type: 'object' }), version('v2', { type: 'object' })])), {
        code: 'Invalid',
        status: 422,
        message: /spec\.versions: Invalid value: .*: must have exactly one version marked as storage version/,
      });
    },
  },
  {
    name: 'discovery knows what is served, in every version, with its subresources',
    source: 'KEP-3352',
    async check(context) {
      const { type } = await define(context);
      const find = async (plural: string): Promise<unknown> => {
        const found = (await context.cluster.resources()).find((each) => each.plural === plural);
        return found === undefined
          ? undefined
          : {
              group: found.group,
              version: found.version,
              kind: found.kind,
              scope: found.scope,
              subresources: found.subresources.filter((part) => part === 'status' || part === 'scale').toSorted(),
            };
      };
      same(await find('deployments'), {
        group: 'apps',
        version: 'v1',
        kind: 'Deployment',
        scope: 'Namespaced',
        subresources: ['scale', 'status'],
      });
      same(await find('namespaces'), { group: '', version: 'v1', kind: 'Namespace', scope: 'Cluster', subresources: ['status'] });
      let own = await find(type.plural);
      for (let attempt = 0; own === undefined && attempt < 300; attempt += 1) own = await find(type.plural);
      same(own, { group: 'example.com', version: 'v1', kind: type.kind, scope: 'Namespaced', subresources: ['status'] });
      holds(/^v\d+\.\d+\.\d+/.test(await context.cluster.version()), 'a version');
      same(await context.cluster.ready(), true);
    },
  },
];
