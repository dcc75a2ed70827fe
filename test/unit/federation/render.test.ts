import {
  BUILT_IN_FEDERATED_TYPES,
  FederatedTypeConfig,
  federate,
  federatedTypeOf,
  MANAGED_LABEL,
  OWNER_ANNOTATION,
  prepare,
  render,
  renderAll,
  withTypes,
} from 'clusterset/federation';
import { type AnyObject, resourceType, valueAt } from 'clusterset/kube';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deploymentTemplate, federatedDeployment, federatedNamespace, fleet } from './fixtures.ts';

type Operation = { op?: string; path: string; value?: unknown };
const forCluster = (clusterName: string, ...clusterOverrides: Operation[]): unknown => ({ clusterName, clusterOverrides });
const forLabels = (matchLabels: Record<string, string>, ...clusterOverrides: Operation[]): unknown => ({
  clusterSelector: { matchLabels },
  clusterOverrides,
});
const objectsOf = (...overrides: unknown[]): Record<string, AnyObject> => {
  const { objects, issues } = render(federatedDeployment({ overrides }), fleet);
  expect(issues).toEqual([]);
  return Object.fromEntries(objects.map(({ cluster, object }) => [cluster, object]));
};
const at = (object: AnyObject | undefined, pointer: string): unknown => valueAt(object, pointer.slice(1).split('/'));

describe('render', () => {
  it('makes the object of each cluster from the template, with its identity and the marks of management', () => {
    const objects = objectsOf();
    expect(Object.keys(objects)).toEqual(['eu-1', 'eu-2', 'us-1']);
    expect(objects['eu-1']).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: {
        name: 'web',
        namespace: 'shop',
        labels: { app: 'web', [MANAGED_LABEL]: 'true' },
        annotations: { [OWNER_ANNOTATION]: 'clusterset/federateddeployments.types.kubefed.io/shop/web' },
      },
      spec: deploymentTemplate.spec,
    });
  });

  it('changes what overrides say, in the cluster that they name', () => {
    const objects = objectsOf(
      forCluster(
        'eu-1',
        { path: '/spec/replicas', value: 5 },
        { op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'eu' },
      ),
      forCluster(
        'us-1',
        { op: 'remove', path: '/spec/template/spec/containers/1' },
        { op: 'add', path: '/metadata/labels/zone', value: 'us' },
      ),
      forCluster('nowhere', { path: '/spec/replicas', value: 9 }),
    );
    expect(at(objects['eu-1'], '/spec/replicas')).toBe(5);
    expect(at(objects['eu-1'], '/spec/template/spec/containers/0/image')).toBe('eu');
    expect(objects['eu-2']?.spec).toBe(deploymentTemplate.spec);
    expect(at(objects['us-1'], '/spec/template/spec/containers')).toHaveLength(1);
    expect(objects['us-1']?.metadata.labels).toMatchObject({ app: 'web', zone: 'us', [MANAGED_LABEL]: 'true' });
  });

  it('carries out items with a selector first, in their order, and the cluster’s own item last', () => {
    const objects = objectsOf(
      forCluster('eu-1', { path: '/spec/replicas', value: 1 }),
      forLabels({ region: 'eu' }, { path: '/spec/replicas', value: 2 }),
      forLabels({ tier: 'prod' }, { path: '/spec/replicas', value: 3 }),
    );
    expect(['eu-1', 'eu-2', 'us-1'].map((name) => at(objects[name], '/spec/replicas'))).toEqual([1, 2, 3]);
  });

  it('keeps the marks whatever an override does to labels and annotations', () => {
    const { 'eu-1': object } = objectsOf(
      forCluster(
        'eu-1',
        { op: 'remove', path: '/metadata/labels' },
        { op: 'add', path: '/metadata/annotations', value: { a: 'b' } },
      ),
    );
    expect(object?.metadata.labels).toEqual({ [MANAGED_LABEL]: 'true' });
    expect(object?.metadata.annotations).toMatchObject({ a: 'b', [OWNER_ANNOTATION]: expect.any(String) });
  });

  it('puts the given replicas above template and overrides', () => {
    const object = federatedDeployment({ overrides: [forCluster('eu-1', { path: '/spec/replicas', value: 5 })] });
    const { objects } = render(object, fleet, { replicas: new Map([['eu-1', 7]]) });
    expect(objects.map((each) => at(each.object, '/spec/replicas'))).toEqual([7, 3, 3]);
  });

  it('leaves out what belongs to the member, and says so', () => {
    const template = {
      ...deploymentTemplate,
      apiVersion: 'apps/v1',
      kind: 'Other',
      status: { replicas: 1 },
      metadata: {
        name: 'x',
        uid: 'u',
        annotations: { kept: 'yes' },
        finalizers: ['f'],
        ownerReferences: [{}],
        creationTimestamp: null,
      },
    };
    const { objects, warnings } = render(federatedDeployment({ template }), fleet.slice(0, 1));
    expect(objects[0]?.object).toMatchObject({ kind: 'Deployment', metadata: { name: 'web', annotations: { kept: 'yes' } } });
    expect(Object.keys(objects[0]?.object.metadata ?? {}).toSorted()).toEqual(['annotations', 'labels', 'name', 'namespace']);
    expect(objects[0]?.object).not.toHaveProperty('status');
    expect(warnings).toEqual([
      'spec.template.metadata.uid is left out: it belongs to the member cluster',
      'spec.template.metadata.finalizers is left out: finalizers belong to the member cluster',
      'spec.template.metadata.ownerReferences is left out: owner references name uids of another cluster',
      'spec.template.status is left out: it belongs to the member cluster',
    ]);
  });

  it('serves another version where an override says so, and refuses another group', () => {
    const objects = objectsOf(forCluster('eu-1', { path: '/apiVersion', value: 'apps/v2' }));
    expect(objects['eu-1']?.apiVersion).toBe('apps/v2');
    const { issues } = render(
      federatedDeployment({ overrides: [forCluster('eu-1', { path: '/apiVersion', value: 'batch/v1' })] }),
      fleet,
    );
    expect(issues[0]).toMatchObject({ cluster: 'eu-1', message: '"/apiVersion": "batch/v1" is of another group than apps/v1' });
  });

  it('writes stringData of a Secret as data, so that it can be compared', () => {
    const secret = {
      ...federatedDeployment({
        template: { stringData: { a: 'hunter2' }, data: { b: 'eA==' } },
        overrides: [forCluster('us-1', { path: '/stringData/a', value: 'ü' })],
      }),
      kind: 'FederatedSecret',
    };
    const { objects } = render(secret, fleet);
    expect(objects[0]?.object.data).toEqual({ a: 'aHVudGVyMg==', b: 'eA==' });
    expect(objects[2]?.object.data).toEqual({ a: 'w7w=', b: 'eA==' });
    expect(objects[0]?.object).not.toHaveProperty('stringData');
  });

  it('shares with the template all that no override touches', () => {
    const object = federatedDeployment({ overrides: [forLabels({}, { path: '/spec/replicas', value: 9 })] });
    const clusters = Array.from({ length: 1000 }, (_, index) => ({ name: `c-${index}` }));
    const { objects } = render(object, clusters);
    expect(objects).toHaveLength(1000);
    for (const each of objects) expect(at(each.object, '/spec/template')).toBe(deploymentTemplate.spec.template);
  });

  it('never changes what it was given', () => {
    const object = federatedDeployment({
      overrides: [forLabels({}, { op: 'add', path: '/spec/template/spec/containers/0/env/-', value: { name: 'X', value: '1' } })],
    });
    const before = structuredClone(object);
    render(object, fleet, { replicas: new Map([['eu-1', 7]]) });
    expect(object).toEqual(before);
  });
});

describe('bad overrides', () => {
  it.each<[string, unknown, string, RegExp, RegExp | undefined]>([
    [
      'a pointer that is none',
      forCluster('eu-1', { path: 'spec/replicas' }),
      'spec.overrides[0].clusterOverrides[0].path',
      /must start with "\/"/,
      /RFC 6901/,
    ],
    [
      'a bad escape',
      forCluster('eu-1', { path: '/spec/a~b' }),
      'spec.overrides[0].clusterOverrides[0].path',
      /neither "~0"/,
      undefined,
    ],
    [
      'a prototype',
      forCluster('eu-1', { op: 'add', path: '/__proto__/x', value: 1 }),
      'spec.overrides[0].clusterOverrides[0].path',
      /not allowed/,
      undefined,
    ],
    [
      'the name',
      forCluster('eu-1', { path: '/metadata/name', value: 'x' }),
      'spec.overrides[0].clusterOverrides[0].path',
      /metadata\.name can't be overridden/,
      /remove/,
    ],
    [
      'the namespace',
      forCluster('eu-1', { path: '/metadata/namespace', value: 'x' }),
      'spec.overrides[0].clusterOverrides[0].path',
      /metadata\.namespace can't/,
      undefined,
    ],
    [
      'the kind',
      forCluster('eu-1', { path: '/kind', value: 'x' }),
      'spec.overrides[0].clusterOverrides[0].path',
      /kind can't be overridden/,
      undefined,
    ],
    [
      'the name through an ancestor',
      forCluster('eu-1', { path: '/metadata', value: {} }),
      'spec.overrides[0].clusterOverrides[0].path',
      /"\/metadata" holds metadata\.name/,
      /name the fields below/,
    ],
    [
      'the whole document',
      forCluster('eu-1', { path: '', value: {} }),
      'spec.overrides[0].clusterOverrides[0].path',
      /"" holds kind/,
      undefined,
    ],
    [
      'the status',
      forCluster('eu-1', { path: '/status/replicas', value: 1 }),
      'spec.overrides[0].clusterOverrides[0].path',
      /status can't be overridden/,
      undefined,
    ],
    [
      'a path that stands twice',
      forCluster('eu-1', { path: '/spec/replicas' }, { path: '/spec/replicas' }),
      'spec.overrides[0].clusterOverrides[1].path',
      /stands in operation \[0\]/,
      undefined,
    ],
    [
      'a selector that does not parse',
      { clusterSelector: { matchExpressions: [{ key: 'x', operator: 'Nope' }] } },
      'spec.overrides[0].clusterSelector',
      /"Nope" is not a valid/,
      undefined,
    ],
    ['nobody', { clusterOverrides: [] }, 'spec.overrides[0]', /neither clusterName nor clusterSelector/, undefined],
    [
      'two subjects',
      { clusterName: 'eu-1', clusterSelector: {} },
      'spec.overrides[0]',
      /both clusterName and clusterSelector/,
      undefined,
    ],
  ])('are named: %s', (_, override, field, message, mend) => {
    const { objects, issues } = render(federatedDeployment({ overrides: [override] }), fleet);
    expect(objects).toEqual([]);
    expect(issues[0]).toMatchObject({ field, message: expect.stringMatching(message) });
    if (mend !== undefined) expect(issues[0]?.mend).toMatch(mend);
  });

  it('are named: an unknown operation', () => {
    const object = federatedDeployment({ overrides: [forCluster('eu-1', { op: 'move', path: '/spec/replicas' })] });
    const { issues } = prepare(object);
    expect(issues).toMatchObject([
      {
        field: 'spec.overrides[0].clusterOverrides[0].op',
        message: 'unknown operation "move": use "add", "remove" or "replace"',
      },
    ]);
    expect(render(object, fleet)).toMatchObject({ objects: [], issues });
  });

  it('are named: a cluster that has two items', () => {
    const { issues } = render(federatedDeployment({ overrides: [forCluster('eu-1'), forCluster('eu-1')] }), fleet);
    expect(issues).toEqual([
      {
        field: 'spec.overrides[1].clusterName',
        message: '"eu-1" has an item already',
        mend: 'put all its operations into one item',
      },
    ]);
  });

  it.each<[string, Operation, RegExp, RegExp]>([
    [
      'a field to replace that is not there',
      { path: '/spec/paused', value: true },
      /"\/spec\/paused": the pointer does not resolve: there is no field "paused"/,
      /"op: add"/,
    ],
    [
      'a parent that is not there',
      { op: 'add', path: '/spec/strategy/type', value: 'x' },
      /there is no field "strategy"/,
      /add "\/spec\/strategy" first/,
    ],
    [
      'a field to remove that is not there',
      { op: 'remove', path: '/spec/paused' },
      /there is no field "paused"/,
      /correct the path/,
    ],
    [
      'an index out of range',
      { path: '/spec/template/spec/containers/2/image', value: 'x' },
      /index 2 is out of range: the list has 2/,
      /add "\/spec\/template\/spec\/containers\/2" first/,
    ],
  ])('block the object everywhere when one cluster cannot have it: %s', (_, operation, message, mend) => {
    const object = federatedDeployment({
      overrides: [forLabels({ region: 'eu' }, { path: '/spec/replicas', value: 1 }, operation)],
    });
    const { objects, issues } = render(object, fleet);
    expect(objects).toEqual([]);
    expect(issues.map(({ cluster }) => cluster)).toEqual(['eu-1', 'eu-2']);
    expect(issues[0]).toMatchObject({
      field: 'spec.overrides[0].clusterOverrides[1].path',
      message: expect.stringMatching(message),
      mend: expect.stringMatching(mend),
    });
  });

  it('may add with replace, as kubefed did, when told so', () => {
    const overrides = [
      forCluster('eu-1', { path: '/spec/paused', value: true }, { path: '/spec/template/spec/containers/0/image', value: 'x' }),
    ];
    const { objects, issues } = render(federatedDeployment({ overrides }), fleet, { replaceMissing: 'add' });
    expect(issues).toEqual([]);
    expect(objects[0]?.object.spec).toMatchObject({ paused: true, template: { spec: { containers: [{ image: 'x' }, {}] } } });
    const deeper = render(federatedDeployment({ overrides: [forCluster('eu-1', { path: '/spec/a/b', value: 1 })] }), fleet, {
      replaceMissing: 'add',
    });
    expect(deeper.issues[0]?.message).toMatch(/there is no field "a"/);
  });

  it('never produce another object than the one that was meant, whatever the overrides', () => {
    const token = fc.constantFrom(
      'metadata',
      'name',
      'namespace',
      'kind',
      'spec',
      'replicas',
      'labels',
      '~0',
      '0',
      '-',
      '',
      'apiVersion',
      'status',
    );
    const path = fc.array(token, { maxLength: 4 }).map((tokens) => tokens.map((each) => `/${each}`).join(''));
    const operation = fc.record({ op: fc.constantFrom('add', 'remove', 'replace', ''), path, value: fc.jsonValue() });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 4 }), fc.boolean(), (clusterOverrides, add) => {
        const object = federatedDeployment({ overrides: [{ clusterSelector: {}, clusterOverrides }] });
        const { objects } = render(object, fleet, { replaceMissing: add ? 'add' : 'error' });
        for (const { object: rendered } of objects) {
          expect(rendered).toMatchObject({
            kind: 'Deployment',
            metadata: { name: 'web', namespace: 'shop', labels: { [MANAGED_LABEL]: 'true' } },
          });
          expect(rendered.apiVersion).toMatch(/^apps\//);
        }
      }),
    );
  });
});

describe('prepare', () => {
  it('refuses a type that it does not know, with the mend', () => {
    expect(() => prepare({ ...federatedDeployment(), kind: 'FederatedBoat' })).toThrowError(
      'FederatedBoat shop/web: kind: types.kubefed.io/v1beta1 FederatedBoat is no federated type that is known here; add a FederatedTypeConfig',
    );
  });

  it('refuses a FederatedNamespace with another name than its namespace', () => {
    const { issues } = prepare({ ...federatedNamespace(), metadata: { name: 'web', namespace: 'shop' } });
    expect(issues[0]).toMatchObject({ field: 'metadata.name', mend: 'call it "shop"' });
  });

  const federated = (kind: string, metadata: Record<string, unknown>): AnyObject => ({
    ...federatedDeployment({ template: {} }, metadata),
    kind,
  });

  it.each([
    ['Bad Name!', /^"Bad Name!" is no valid name: a lowercase RFC 1123 subdomain must consist of/],
    ['../../x', /^"\.\.\/\.\.\/x" is no valid name: /],
    ['..', /^"\.\." is no valid name: /],
    ['A', /^"A" is no valid name: /],
    ['', /^"" is no valid name: /],
    ['a'.repeat(254), /must be no more than 253 characters/],
  ])('refuses the name %j, which no API server takes', (name, message) => {
    const object = federated('FederatedDeployment', { name });
    const { objects, issues } = render(object, fleet);
    expect(objects).toEqual([]);
    expect(issues).toEqual([
      {
        field: 'metadata.name',
        message: expect.stringMatching(message),
        mend: 'write it as in "my-app" or "my-app.example.com"',
      },
    ]);
    expect(prepare({ ...object, spec: 1 }).issues.map(({ field }) => field)).toEqual(['spec', 'metadata.name']);
  });

  it.each(['Bad Name!', '../../x', '..', 'a.b', 'A', 'a'.repeat(64), 5, null])('refuses the namespace %j', (namespace) => {
    for (const kind of ['FederatedDeployment', 'FederatedRole', 'FederatedClusterRole']) {
      const { objects, issues } = render(federated(kind, { namespace }), fleet);
      expect(objects).toEqual([]);
      expect(issues).toEqual([
        {
          field: 'metadata.namespace',
          message: expect.stringContaining(`${JSON.stringify(namespace)} is no valid name: `),
          mend: 'write it as in "my-namespace"',
        },
      ]);
    }
  });

  it('names a bad name of a FederatedNamespace once for each field', () => {
    const { issues } = prepare({ ...federatedNamespace(), metadata: { name: 'A', namespace: 'B' } });
    expect(issues.map(({ field }) => field)).toEqual(['metadata.name', 'metadata.namespace']);
  });

  it.each(['FederatedRole', 'FederatedClusterRoleBinding'])('lets a %s have any name that a path can hold', (kind) => {
    const messageOf = (name: string): string | undefined => prepare(federated(kind, { name })).issues[0]?.message;
    for (const name of ['system:node', 'Bad Name!', 'A', '...']) expect(messageOf(name)).toBeUndefined();
    expect(messageOf('..')).toBe(`".." is no valid name: may not be '..'`);
    expect(messageOf('.')).toBe(`"." is no valid name: may not be '.'`);
    expect(messageOf('../%2e')).toBe(`"../%2e" is no valid name: may not contain '/'; may not contain '%'`);
    expect(messageOf('')).toBe('"" is no valid name: must not be empty');
    expect(prepare(federated(kind, { name: 'a/b' })).issues[0]?.mend).toBe('leave out "/" and "%"');
  });

  it.each(['a', 'web-1', '1.example.com', 'a'.repeat(253)])('takes the name %s', (name) => {
    expect(prepare(federated('FederatedDeployment', { name })).issues).toEqual([]);
  });

  it('refuses integers that JavaScript can’t hold', () => {
    const template = JSON.parse('{"spec": {"id": 9007199254740993, "ok": 9007199254740991}}');
    expect(prepare(federatedDeployment({ template })).issues).toEqual([
      expect.objectContaining({ field: 'spec.template.spec.id', message: expect.stringContaining('2^53') }),
    ]);
  });

  it.each([
    ['{"propagationPolicy":"Foreground"}', []],
    ['{"propagationPolicy":"foreground"}', ['propagationPolicy is "foreground", none of Foreground, Background, Orphan']],
    ['{"gracePeriodSeconds":-1}', ['gracePeriodSeconds is -1, not a number of seconds']],
    ['nope', ['is no JSON object']],
  ])('checks the deletion options %s', (text, messages) => {
    const object = federatedDeployment({}, { annotations: { 'kubefed.io/deleteoption': text } });
    expect(prepare(object).issues.map(({ message }) => message)).toEqual(messages);
  });

  it('collects every issue of an object', () => {
    const object = federatedDeployment({
      placement: { clusterSelector: { matchExpressions: [{ key: 'x', operator: 'Nope' }] } },
      overrides: [forCluster('eu-1', { path: '/kind' }), forCluster('eu-2', { path: 'x' })],
    });
    expect(renderAll(prepare(object), fleet).issues.map(({ field }) => field)).toEqual([
      'spec.placement.clusterSelector',
      'spec.overrides[0].clusterOverrides[0].path',
      'spec.overrides[1].clusterOverrides[0].path',
    ]);
  });
});

describe('federated types', () => {
  it('have the structure that kubefedctl generated, and more', () => {
    const { federated } = federate(resourceType('apps/v1', 'Deployment', 'deployments'));
    const crd = federated.crd();
    expect(crd).toMatchObject({
      metadata: { name: 'federateddeployments.types.kubefed.io' },
      spec: {
        group: 'types.kubefed.io',
        scope: 'Namespaced',
        names: { kind: 'FederatedDeployment', plural: 'federateddeployments' },
      },
    });
    expect(crd.spec.versions[0]?.schema.openAPIV3Schema).toMatchObject({
      required: ['spec'],
      properties: {
        spec: {
          type: 'object',
          properties: {
            template: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
            retainReplicas: { type: 'boolean' },
            placement: {
              properties: {
                clusters: { type: 'array', items: { type: 'object', required: ['name'] } },
                clusterSelector: {
                  properties: {
                    matchLabels: { type: 'object', additionalProperties: { type: 'string' } },
                    matchExpressions: { items: { required: ['key', 'operator'] } },
                  },
                },
              },
            },
            overrides: {
              items: {
                properties: {
                  clusterName: { type: 'string' },
                  clusterOverrides: {
                    items: {
                      required: ['path'],
                      properties: {
                        op: { type: 'string', pattern: '^(add|remove|replace)?$' },
                        path: { type: 'string' },
                        value: { 'x-kubernetes-preserve-unknown-fields': true },
                      },
                    },
                  },
                },
              },
            },
          },
        },
        status: {
          properties: {
            observedGeneration: { type: 'integer', format: 'int64' },
            conditions: {
              items: {
                required: ['type', 'status'],
                properties: { lastTransitionTime: { type: 'string', format: 'date-time' } },
              },
            },
            clusters: {
              items: {
                required: ['name'],
                properties: { remoteStatus: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
              },
            },
          },
        },
      },
    });
  });

  it('have retainReplicas only where there are replicas', () => {
    const specOf = (kind: string): unknown => {
      const type = BUILT_IN_FEDERATED_TYPES.find(({ target }) => target.kind === kind);
      return valueAt(type?.federated.crd(), [
        'spec',
        'versions',
        '0',
        'schema',
        'openAPIV3Schema',
        'properties',
        'spec',
        'properties',
        'retainReplicas',
      ]);
    };
    expect(specOf('StatefulSet')).toEqual(expect.objectContaining({ type: 'boolean' }));
    expect(specOf('Service')).toBeUndefined();
  });

  const config = {
    apiVersion: 'core.kubefed.io/v1beta1',
    kind: 'FederatedTypeConfig',
    metadata: { name: 'boats.example.com', namespace: 'kube-federation-system' },
    spec: {
      targetType: { version: 'v1', kind: 'Boat', scope: 'Namespaced' },
      federatedType: {
        group: 'fed.example.com',
        version: 'v1alpha1',
        kind: 'FederatedBoat',
        pluralName: 'federatedboats',
        scope: 'Namespaced',
      },
      propagation: 'Enabled',
    },
  };

  it('come from a FederatedTypeConfig, with the name filling what it leaves out', () => {
    expect(federatedTypeOf(config)).toMatchObject({
      target: { group: 'example.com', version: 'v1', kind: 'Boat', plural: 'boats', scope: 'Namespaced' },
      federated: { group: 'fed.example.com', version: 'v1alpha1', kind: 'FederatedBoat', plural: 'federatedboats' },
    });
    const boat = {
      apiVersion: 'fed.example.com/v1alpha1',
      kind: 'FederatedBoat',
      metadata: { name: 'a', namespace: 'b' },
      spec: { placement: { clusterSelector: {} } },
    };
    const types = withTypes(BUILT_IN_FEDERATED_TYPES, [federatedTypeOf(config)]);
    expect(render(boat, fleet, { types }).objects[0]?.object).toMatchObject({ apiVersion: 'example.com/v1', kind: 'Boat' });
  });

  it('replace one another for the same target', () => {
    const mine = federate(resourceType('apps/v1', 'Deployment', 'deployments'), { federatedType: { group: 'mine.example.com' } });
    const types = withTypes(BUILT_IN_FEDERATED_TYPES, [mine]);
    expect(types.filter(({ target }) => target.kind === 'Deployment')).toEqual([mine]);
    expect(types).toHaveLength(BUILT_IN_FEDERATED_TYPES.length);
  });

  it('are refused where the config is wrong', () => {
    expect(() =>
      federatedTypeOf({ ...config, spec: { ...config.spec, targetType: { kind: 'Boat', scope: 'Namespaced' } } }),
    ).toThrowError('spec.targetType.version: the target has no version');
    expect(() => federatedTypeOf({ ...config, spec: { ...config.spec, propagation: 'Maybe' } })).toThrowError('spec.propagation');
    expect(FederatedTypeConfig.crd().metadata.name).toBe('federatedtypeconfigs.core.kubefed.io');
  });
});
