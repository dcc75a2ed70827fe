import { describe, expect, it } from 'vitest';
import { type ReviewKind, serviceAccountUser, VIRTUAL, virtualResource } from '../../../../src/testing/access/index.ts';
import { Cluster, failureOf, roleRef, rule, toUser, user, WRITE } from './cluster.ts';

const ann = user('ann', 'system:authenticated');
const attributes = { verb: 'get', resource: 'pods', namespace: 'default' };

function reading(): Cluster {
  const cluster = new Cluster();
  cluster.create('Role', 'reader', { rules: [rule('', 'pods', 'get')] });
  cluster.create('RoleBinding', 'b', { ...roleRef('Role', 'reader'), subjects: [toUser('ann')] });
  return cluster;
}

function asked(cluster: Cluster, kind: ReviewKind, body: unknown, path: object = {}): Record<string, unknown> {
  return cluster.access.review(kind, body, { user: ann, write: WRITE, ...path }) as unknown as Record<string, unknown>;
}

describe('a question about access', () => {
  it('is answered, with who has asked it', () => {
    const answer = asked(reading(), 'SelfSubjectAccessReview', { spec: { resourceAttributes: attributes } });
    expect(answer).toMatchObject({
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      metadata: {
        managedFields: [
          {
            manager: 'test',
            operation: 'Update',
            fieldsV1: { 'f:spec': { 'f:resourceAttributes': { '.': {}, 'f:namespace': {}, 'f:resource': {}, 'f:verb': {} } } },
          },
        ],
      },
      spec: { resourceAttributes: attributes },
      status: { allowed: true, reason: 'RBAC: allowed by RoleBinding "b/default" of Role "reader" to User "ann"' },
    });
  });

  it('is answered with yes where roles are not asked', () => {
    const answer = asked(new Cluster(false), 'SelfSubjectAccessReview', { spec: { resourceAttributes: attributes } });
    expect(answer.status).toEqual({ allowed: true });
  });

  it('may be about others', () => {
    const answer = asked(reading(), 'SubjectAccessReview', { spec: { user: 'eve', resourceAttributes: attributes } });
    expect(answer.status).toEqual({ allowed: false });
  });

  it('is refused where it asks nothing', () => {
    const status = failureOf(() => asked(reading(), 'SubjectAccessReview', { spec: {} }));
    expect(status).toMatchObject({ reason: 'Invalid', code: 422, details: { group: 'authorization.k8s.io' } });
    expect(status.details).not.toHaveProperty('kind');
    expect(status.message).toBe(
      '.authorization.k8s.io "" is invalid: [spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified, spec.user: Invalid value: "": at least one of user or group must be specified]',
    );
  });

  it('leaves out selectors that nobody understands, and says so', () => {
    const spec = { resourceAttributes: { ...attributes, labelSelector: { rawSelector: 'a in (' } } };
    expect(asked(reading(), 'SelfSubjectAccessReview', { spec }).status).toMatchObject({
      allowed: true,
      evaluationError: 'spec.resourceAttributes.labelSelector ignored due to parse error',
    });
  });

  it('of one namespace is not about another', () => {
    const body = { spec: { user: 'ann', resourceAttributes: { ...attributes, namespace: 'other' } } };
    const status = failureOf(() => asked(reading(), 'LocalSubjectAccessReview', body, { namespace: 'default' }));
    expect(status.details?.causes?.[0]?.message).toBe('Invalid value: "other": must match metadata.namespace');
  });
});

describe('a question about rules', () => {
  it('is answered with all of them', () => {
    const { status } = asked(reading(), 'SelfSubjectRulesReview', { spec: { namespace: 'default' } });
    expect(status).toMatchObject({ incomplete: false });
    expect((status as { readonly resourceRules: unknown }).resourceRules).toContainEqual({
      verbs: ['get'],
      apiGroups: [''],
      resources: ['pods'],
    });
  });

  it('is answered with everything where roles are not asked', () => {
    expect(asked(new Cluster(false), 'SelfSubjectRulesReview', { spec: { namespace: 'default' } }).status).toEqual({
      resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
      nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
      incomplete: false,
    });
  });

  it('needs a namespace', () => {
    expect(failureOf(() => asked(reading(), 'SelfSubjectRulesReview', {})).message).toBe('no namespace on request');
  });
});

describe('a question about identity', () => {
  it('is answered with who asks', () => {
    expect(asked(reading(), 'SelfSubjectReview', {}).status).toEqual({
      userInfo: { username: 'ann', groups: ['system:authenticated'] },
    });
  });

  it('tells whose a token is', () => {
    const cluster = reading();
    const { token } = cluster.access.tokens.issue(ann);
    expect(asked(cluster, 'TokenReview', { spec: { token } }).status).toMatchObject({
      authenticated: true,
      user: { username: 'ann' },
    });
    expect(asked(cluster, 'TokenReview', { spec: { token: 'x' } }).status).toEqual({ user: {}, error: 'invalid bearer token' });
    expect(failureOf(() => asked(cluster, 'TokenReview', {})).message).toBe(
      'token is required for TokenReview in authentication',
    );
  });
});

describe('a request for a token', () => {
  const path = { namespace: 'default', name: 'bob' };

  it('is answered with one that is good', () => {
    const cluster = reading();
    const account = cluster.create('ServiceAccount', 'bob');
    const { spec, status } = asked(cluster, 'TokenRequest', {}, path);
    expect(spec).toEqual({ audiences: ['https://kubernetes.default.svc'], expirationSeconds: 3600, boundObjectRef: null });
    const { token } = status as { readonly token: string };
    expect(cluster.access.tokens.authenticate(token)).toMatchObject(serviceAccountUser(account));
  });

  it.each<[string, object, number]>([
    ['for too short a time', { spec: { expirationSeconds: 599 } }, 422],
    ['for too long a time', { spec: { expirationSeconds: 2 ** 32 + 1 } }, 422],
    ['for another account', { metadata: { name: 'eve' } }, 422],
    ['for an account of another uid', { metadata: { uid: 'u' } }, 409],
    ['bound to what is not there', { spec: { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'p' } } }, 404],
    ['bound to what nothing is bound to', { spec: { boundObjectRef: { kind: 'Job', apiVersion: 'batch/v1', name: 'p' } } }, 400],
  ])('is refused %s', (_, body, code) => {
    const cluster = reading();
    cluster.create('ServiceAccount', 'bob');
    expect(failureOf(() => asked(cluster, 'TokenRequest', body, path)).code).toBe(code);
  });

  it('is refused for nobody', () => {
    expect(failureOf(() => asked(reading(), 'TokenRequest', {}, path)).message).toBe('serviceaccounts "bob" not found');
  });
});

describe('the resources of questions', () => {
  it('are found by their paths', () => {
    for (const { type, subresource } of VIRTUAL) {
      const at = subresource ?? type;
      expect(virtualResource(at.group, at.version, at.plural, subresource?.name)?.type).toBe(type);
    }
    expect(virtualResource('', 'v1', 'serviceaccounts')).toBeUndefined();
    expect(virtualResource('authentication.k8s.io', 'v1', 'tokenreviews', 'status')).toBeUndefined();
  });
});
