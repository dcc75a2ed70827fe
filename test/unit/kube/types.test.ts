import {
  BUILT_IN,
  builtIn,
  ClustersetError,
  checkedKey,
  codeOf,
  defineResource,
  errorOfStatus,
  failure,
  formatKey,
  hasCode,
  isRetryable,
  parseApiVersion,
  parseKey,
  qualifiedPlural,
  resourcePath,
  resourceType,
  structuralSchema,
} from 'clusterset/kube';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const deployments = resourceType('apps/v1', 'Deployment', 'deployments');
const nodes = resourceType('v1', 'Node', 'nodes', 'Cluster');

describe('resource types', () => {
  it.each([
    [resourcePath(deployments), '/apis/apps/v1/deployments'],
    [resourcePath(deployments, { namespace: 'shop' }), '/apis/apps/v1/namespaces/shop/deployments'],
    [
      resourcePath(deployments, { namespace: 'shop', name: 'web', subresource: 'status' }),
      '/apis/apps/v1/namespaces/shop/deployments/web/status',
    ],
    [resourcePath(nodes, { namespace: 'ignored', name: 'My-Node' }), '/api/v1/nodes/My-Node'],
    [resourcePath(nodes, { name: 'a/../b' }), '/api/v1/nodes/a%2F..%2Fb'],
  ])('has the path %s', (path, expected) => {
    expect(path).toBe(expected);
  });

  it('names resources as Kubernetes does', () => {
    expect(qualifiedPlural(deployments)).toBe('deployments.apps');
    expect(qualifiedPlural(nodes)).toBe('nodes');
    expect(parseApiVersion('/v1')).toEqual({ group: '', version: 'v1' });
    expect(builtIn('apps', 'Deployment')).toEqual(deployments);
  });

  it('lists each built-in kind once', () => {
    expect(new Set(BUILT_IN.map(qualifiedPlural)).size).toBe(BUILT_IN.length);
  });

  it('wants a namespace where there is one', () => {
    expect(() => checkedKey(deployments, { name: 'web' }, 'eu-1')).toThrowError(
      'cluster eu-1: Deployment web: metadata.namespace: an object of this type lives in a namespace',
    );
    expect(checkedKey(nodes, { namespace: 'x', name: 'n1' }, 'eu-1')).toEqual({ name: 'n1' });
    expect(() => checkedKey(nodes, { name: '' }, 'eu-1')).toThrowError('the object has no name');
  });

  it('writes keys and reads them back', () => {
    for (const key of [{ name: 'a' }, { namespace: 'b', name: 'a' }]) expect(parseKey(formatKey(key))).toEqual(key);
  });
});

describe('defineResource', () => {
  const Fleet = defineResource({
    group: 'example.com',
    version: 'v1',
    kind: 'Fleet',
    plural: 'fleets',
    scope: 'Cluster',
    spec: z.object({
      size: z.int().min(0),
      port: z.union([z.string(), z.int()]).exactOptional(),
      extra: z.looseObject({}).exactOptional(),
      tags: z.record(z.string(), z.string()).exactOptional(),
      ships: z
        .array(z.object({ name: z.string(), at: z.iso.datetime().exactOptional() }))
        .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })
        .exactOptional(),
      anything: z.unknown().exactOptional(),
    }),
    status: z.object({ phase: z.enum(['Up', 'Down']) }),
    shortNames: ['fl'],
  });

  it('reads an object and gives the very same one back, unknown fields included', () => {
    const fleet = {
      apiVersion: 'example.com/v1',
      kind: 'Fleet',
      metadata: { name: 'a' },
      spec: { size: 1, unknown: { kept: true } },
    };
    expect(Fleet.read(fleet)).toBe(fleet);
  });

  it('names every field that is wrong', () => {
    const wrong = { apiVersion: 'example.com/v1', kind: 'Fleet', metadata: { name: 'a' }, spec: { size: 'x', ships: [{}] } };
    expect(() => Fleet.read(wrong)).toThrowError(
      'Fleet a: spec.size: expected number, received string; spec.ships[0].name: expected string, received undefined',
    );
    expect(() => Fleet.read({ ...wrong, kind: 'Boat' })).toThrowError('kind: expected "Fleet", found "Boat"');
    expect(() => Fleet.read(null)).toThrowError('is no object');
  });

  it('makes a structural schema', () => {
    const crd = Fleet.crd();
    expect(crd.metadata.name).toBe('fleets.example.com');
    expect(crd.spec.names).toEqual({
      kind: 'Fleet',
      plural: 'fleets',
      singular: 'fleet',
      listKind: 'FleetList',
      shortNames: ['fl'],
    });
    expect(crd.spec.versions[0]?.schema.openAPIV3Schema).toMatchObject({
      properties: {
        spec: {
          type: 'object',
          required: ['size'],
          properties: {
            size: { type: 'integer', format: 'int64', minimum: 0 },
            port: { 'x-kubernetes-int-or-string': true },
            extra: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
            tags: { type: 'object', additionalProperties: { type: 'string' } },
            ships: {
              type: 'array',
              'x-kubernetes-list-type': 'map',
              'x-kubernetes-list-map-keys': ['name'],
              items: { type: 'object', properties: { name: { type: 'string' }, at: { type: 'string', format: 'date-time' } } },
            },
            anything: { 'x-kubernetes-preserve-unknown-fields': true },
          },
        },
        status: { type: 'object', required: ['phase'], properties: { phase: { type: 'string', enum: ['Up', 'Down'] } } },
      },
    });
    expect(crd.spec.versions[0]?.subresources).toEqual({ status: {} });
  });

  it('takes a kind with fields of its own in place of a spec and a status', () => {
    const Harbour = defineResource({
      group: 'example.com',
      version: 'v1',
      kind: 'Harbour',
      plural: 'harbours',
      scope: 'Cluster',
      description: 'Where ships are.',
      fields: z.object({ ships: z.array(z.string()).max(2), depth: z.int32().exactOptional() }),
    });
    const harbour = { apiVersion: 'example.com/v1', kind: 'Harbour', metadata: { name: 'a' }, ships: ['x'], more: 1 };
    expect(Harbour.read(harbour)).toBe(harbour);
    expect(Harbour.read(harbour).ships[0]).toBe('x');
    expect(Harbour.shapeIssues({ ...harbour, ships: undefined, depth: 'low' }).map(({ field }) => field)).toEqual([
      'ships',
      'depth',
    ]);
    expect(() => Harbour.read({ ...harbour, kind: 'Fleet' })).toThrowError('kind: expected "Harbour"');
    const [version] = Harbour.crd().spec.versions;
    expect(version?.subresources).toBeUndefined();
    expect(version?.schema.openAPIV3Schema).toEqual({
      description: 'Where ships are.',
      type: 'object',
      required: ['ships'],
      properties: {
        apiVersion: { type: 'string' },
        kind: { type: 'string' },
        metadata: { type: 'object' },
        ships: { type: 'array', maxItems: 2, items: { type: 'string' } },
        depth: { type: 'integer', format: 'int32' },
      },
    });
  });

  it('refuses what a CRD cannot say', () => {
    expect(() => structuralSchema(z.object({ a: z.object({ b: z.union([z.string(), z.boolean()]) }) }))).toThrowError(
      'a.b: a union',
    );
    expect(() => structuralSchema(z.object({ a: z.string().regex(/^(?!x)/) }))).toThrowError('looks around');
  });
});

describe('errors', () => {
  it('say cluster, object, field and mend in one sentence', () => {
    const error = new ClustersetError({
      code: 'Invalid',
      message: 'there is no field "replica"',
      cluster: 'eu-1',
      object: { kind: 'FederatedDeployment', namespace: 'shop', name: 'web' },
      field: 'spec.overrides[0].clusterOverrides[1].path',
      mend: 'use "op: add" to create it',
    });
    expect(error.message).toBe(
      'cluster eu-1: FederatedDeployment shop/web: spec.overrides[0].clusterOverrides[1].path: there is no field "replica"; use "op: add" to create it',
    );
  });

  it('keep what they know when context is added', () => {
    const error = new ClustersetError({ code: 'NotFound', message: 'gone', cluster: 'eu-1' }).with({
      cluster: 'us-1',
      field: 'spec',
    });
    expect(error).toMatchObject({ cluster: 'eu-1', field: 'spec', message: 'cluster eu-1: spec: gone' });
  });

  it('are recognised across copies of the package', () => {
    const foreign = Object.assign(new Error('x'), { code: 'NotFound', [Symbol.for('clusterset.error')]: true });
    expect(hasCode(foreign, 'NotFound')).toBe(true);
    expect(hasCode(Object.assign(new Error('x'), { code: 'NotFound' }), 'NotFound')).toBe(false);
  });

  it.each([
    [409, 'AlreadyExists', [], 'AlreadyExists'],
    [409, 'Conflict', [], 'Conflict'],
    [409, 'Conflict', [{ reason: 'FieldManagerConflict' }], 'ApplyConflict'],
    [410, 'Gone', [], 'Expired'],
    [404, undefined, [], 'NotFound'],
    [418, undefined, [], 'BadRequest'],
    [500, '', [], 'InternalError'],
    [599, 'SomethingNew', [], 'InternalError'],
  ] as const)('%i %s is told by reason first', (status, reason, causes, code) => {
    expect(codeOf(status, reason, causes)).toBe(code);
  });

  it('carry the causes and the wish to wait of a Status', () => {
    const body = failure('TooManyRequests', 'slow down', { retryAfterSeconds: 3, causes: [{ field: 'spec.a', message: 'bad' }] });
    const error = errorOfStatus(body, 429, { cluster: 'eu-1' });
    expect(error).toMatchObject({
      code: 'TooManyRequests',
      status: 429,
      retryAfterMs: 3000,
      issues: [{ field: 'spec.a', message: 'bad' }],
    });
    expect(isRetryable(error)).toBe(true);
    expect(isRetryable(new ClustersetError({ code: 'Invalid', message: 'x' }))).toBe(false);
  });
});
