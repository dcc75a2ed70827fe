import {
  type ClusterDecision,
  changesHash,
  changesTo,
  DELETE_OPTIONS_ANNOTATION,
  isOwned,
  MANAGED_LABEL,
  ORPHAN_ANNOTATION,
  OWNER_ANNOTATION,
  type PlanStepInput,
  planStep,
  prepare,
  type Step,
} from 'clusterset/federation';
import { type AnyObject, applyMergePatch, type ManagedFieldsEntry, valueAt } from 'clusterset/kube';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  applied,
  edited,
  federatedDeployment,
  federatedNamespace,
  frozen,
  liveDeployment,
  liveService,
  owner,
  patched,
  updated,
} from './fixtures.ts';

const cluster = { name: 'eu-1' };
const deleted = { deletionTimestamp: '2026-11-21T16:00:00Z' };
const withMetadata = (object: AnyObject, metadata: Record<string, unknown>): AnyObject =>
  applyMergePatch(object, { metadata }) as AnyObject;

/** The step for a federated Deployment that should be in the cluster. */
function present(live: AnyObject | undefined, more: Partial<PlanStepInput> = {}): Step {
  const prepared = more.prepared ?? prepare(federatedDeployment());
  return planStep({
    prepared,
    decision: { cluster, want: 'present', desired: prepared.renderFor(cluster), why: 'named in the placement', share: undefined },
    observed: { reachable: true, live },
    fieldManager: 'clusterset',
    ...more,
  });
}

/** The step for a federated Deployment, of the given metadata, that should not be in the cluster. */
function absent(live: AnyObject | undefined, metadata: Record<string, unknown> = {}, more: Partial<PlanStepInput> = {}): Step {
  return planStep({
    prepared: prepare(federatedDeployment({}, metadata)),
    decision: { cluster, want: 'absent', why: 'not named in the placement', share: undefined },
    observed: { reachable: true, live },
    fieldManager: 'clusterset',
    ...more,
  });
}

const withImage = (image: string): Partial<PlanStepInput> => {
  const clusterOverrides = [{ path: '/spec/template/spec/containers/0/image', value: image }];
  return { prepared: prepare(federatedDeployment({ overrides: [{ clusterName: 'eu-1', clusterOverrides }] })) };
};

const copied = withMetadata(liveDeployment, {
  managedFields: [updated('kubectl', 'apps/v1', { 'f:spec': { 'f:replicas': {} } })],
});
const notOurs: [string, AnyObject][] = [
  ['one without a mark', withMetadata(liveDeployment, { annotations: { [OWNER_ANNOTATION]: null } })],
  ['one without annotations', withMetadata(liveDeployment, { annotations: null })],
  ['one of another federated object', withMetadata(liveDeployment, { annotations: { [OWNER_ANNOTATION]: `${owner}-2` } })],
  [
    'one of another control plane',
    withMetadata(liveDeployment, { annotations: { [OWNER_ANNOTATION]: owner.replace('clusterset', 'other') } }),
  ],
  ['a copy that somebody made, mark and all', copied],
  ['one without managed fields', withMetadata(liveDeployment, { managedFields: null })],
  ['one that another manager applied', withMetadata(liveDeployment, { managedFields: [applied('apps/v1', {}, 'kubectl')] })],
];

describe('isOwned', () => {
  it('is true for what we applied with our mark', () => {
    expect(isOwned(liveDeployment, owner, 'clusterset')).toBe(true);
  });

  it.each(notOurs)('is false for %s', (_, live) => {
    expect(isOwned(live, owner, 'clusterset')).toBe(false);
  });

  it('is false under the name of another manager', () => {
    expect(isOwned(liveDeployment, owner, 'other')).toBe(false);
  });
});

describe('planStep, where the object should be', () => {
  it('creates it where there is none', () => {
    expect(present(undefined)).toEqual({
      op: 'create',
      cluster: 'eu-1',
      type: { group: 'apps', version: 'v1', kind: 'Deployment', plural: 'deployments', scope: 'Namespaced' },
      key: { namespace: 'shop', name: 'web' },
      reason: 'named in the placement',
      object: prepare(federatedDeployment()).renderFor(cluster),
    });
  });

  it('does nothing where all is as it should be', () => {
    expect(present(liveDeployment)).toMatchObject({ op: 'none', live: liveDeployment, reason: 'named in the placement' });
  });

  it('updates what differs, and says what that is', () => {
    expect(present(liveDeployment, withImage('shop/web:2'))).toMatchObject({
      op: 'update',
      live: liveDeployment,
      changes: [{ path: 'spec.template.spec.containers[web].image', before: 'shop/web:1', after: 'shop/web:2' }],
    });
  });

  it('lets an update win over writes in between, as long as it takes over nothing that it has read', () => {
    expect(present(liveDeployment, withImage('shop/web:2'))).not.toHaveProperty('resourceVersion');
  });

  it('puts the managed label back where somebody has removed it', () => {
    const live = edited(liveDeployment, [{ op: 'remove', path: '/metadata/labels/kubefed.io~1managed' }], {
      'f:metadata': { 'f:labels': { 'f:kubefed.io/managed': {} } },
    });
    expect(present(live)).toMatchObject({
      op: 'update',
      changes: [{ path: 'metadata.labels[kubefed.io/managed]', after: 'true' }],
    });
  });

  it('addresses the version that an override says', () => {
    const overrides = [{ clusterName: 'eu-1', clusterOverrides: [{ path: '/apiVersion', value: 'apps/v2' }] }];
    expect(present(undefined, { prepared: prepare(federatedDeployment({ overrides })) }).type).toMatchObject({
      group: 'apps',
      version: 'v2',
      plural: 'deployments',
    });
  });

  it.each(notOurs)('leaves alone what is not ours: %s', (_, live) => {
    expect(present(live)).toMatchObject({ op: 'blocked', code: 'AlreadyExists', mend: expect.stringContaining('rename') });
  });

  it.each<[string, AnyObject]>([
    ['ours', liveDeployment],
    ['not ours', copied],
  ])('leaves alone what refuses management: %s', (_, live) => {
    const step = present(withMetadata(live, { labels: { [MANAGED_LABEL]: 'false' } }));
    expect(step).toMatchObject({
      op: 'blocked',
      code: 'ManagedLabelFalse',
      reason: 'the object there is labelled kubefed.io/managed=false',
    });
    expect(step).toHaveProperty('mend', 'remove the label there to have it managed');
  });

  it('waits where ours is being deleted, and says that what is not ours is not ours', () => {
    expect(present(withMetadata(liveDeployment, deleted))).toMatchObject({ op: 'blocked', code: 'WaitingForRemoval' });
    expect(present(withMetadata(copied, deleted))).toMatchObject({ op: 'blocked', code: 'AlreadyExists' });
  });

  it('can do nothing where the cluster gives no answer', () => {
    const observed = { reachable: false, message: 'connection refused' } as const;
    expect(present(undefined, { observed })).toMatchObject({
      op: 'blocked',
      code: 'ClusterNotReady',
      reason: 'connection refused',
    });
  });

  it('neither creates nor updates for a federated object that is being deleted', () => {
    const prepared = prepare(federatedDeployment({}, deleted));
    expect(present(undefined, { prepared }).op).not.toBe('create');
    expect(present(patched(liveDeployment, { op: 'replace', path: '/spec/replicas', value: 7 }), { prepared }).op).not.toBe(
      'update',
    );
  });
});

describe('planStep, with replicas that belong to the member', () => {
  const overrides = [
    { clusterName: 'eu-1', clusterOverrides: [{ path: '/spec/template/spec/containers/0/image', value: 'shop/web:2' }] },
  ];
  const retaining = { prepared: prepare(federatedDeployment({ retainReplicas: true, overrides })) };
  const scaled = edited(
    liveDeployment,
    [{ op: 'replace', path: '/spec/replicas', value: 7 }],
    { 'f:spec': { 'f:replicas': {} } },
    'scale',
  );

  it('does not write replicas that somebody else has set, whatever the version', () => {
    const step = present(scaled, retaining);
    expect(step).toMatchObject({ op: 'update', object: { spec: { selector: {} } } });
    expect(step).not.toHaveProperty('object.spec.replicas');
    expect(step).not.toHaveProperty('resourceVersion');
  });

  it('writes replicas that only we have set as they were read, unless the object has changed since', () => {
    const live = patched(liveDeployment, { op: 'replace', path: '/spec/replicas', value: 5 });
    expect(present(live, retaining)).toMatchObject({ op: 'update', object: { spec: { replicas: 5 } }, resourceVersion: '277' });
  });

  it('does nothing where only they differ', () => {
    expect(present(scaled, { prepared: prepare(federatedDeployment({ retainReplicas: true })) }).op).toBe('none');
    expect(present(scaled).op).toBe('update');
  });

  it('puts an override of replicas above those of the member, as kubefed did', () => {
    const own = [{ clusterName: 'eu-1', clusterOverrides: [{ path: '/spec/replicas', value: 4 }] }];
    const prepared = prepare(federatedDeployment({ retainReplicas: true, overrides: own }));
    expect(present(liveDeployment, { prepared })).toMatchObject({ op: 'update', object: { spec: { replicas: 4 } } });
  });

  it('puts replicas that a preference has given above those of the member, as kubefed did', () => {
    const prepared = prepare(federatedDeployment({ retainReplicas: true }));
    const share = {
      cluster: 'eu-1',
      replicas: 6,
      overflow: 0,
      preferred: true,
      minimum: 0,
      kept: 0,
      share: 6,
      weight: 1,
      limit: undefined,
    };
    const decision: ClusterDecision = {
      cluster,
      want: 'present',
      desired: prepared.renderFor(cluster, 6),
      why: '6 replicas: 6 by weight 1',
      share,
    };
    expect(present(liveDeployment, { prepared, decision })).toMatchObject({ op: 'update', object: { spec: { replicas: 6 } } });
  });
});

describe('planStep, of a Service', () => {
  const ports = [{ name: 'http', port: 80, targetPort: 8080, nodePort: 30080 }];
  const federatedService = (spec: Record<string, unknown> = {}): AnyObject => ({
    ...federatedDeployment({
      template: { metadata: { labels: { app: 'web' } }, spec: { type: 'NodePort', selector: { app: 'web' }, ports } },
      ...spec,
    }),
    kind: 'FederatedService',
  });
  const live = withMetadata(liveService, {
    annotations: { [OWNER_ANNOTATION]: owner.replace('federateddeployments', 'federatedservices') },
  });

  it('does nothing where the cluster has given other addresses and node ports', () => {
    expect(present(live, { prepared: prepare(federatedService()) }).op).toBe('none');
  });

  it('puts an override of a node port above what the cluster has given, as kubefed did', () => {
    const clusterOverrides = [{ path: '/spec/ports/0/nodePort', value: 31080 }];
    const prepared = prepare(federatedService({ overrides: [{ clusterName: 'eu-1', clusterOverrides }] }));
    const step = present(live, { prepared });
    expect(step.op).toBe('update');
    expect(valueAt(step, ['object', 'spec', 'ports', '0', 'nodePort'])).toBe(31080);
  });
});

describe('planStep, with differences that an earlier write left', () => {
  const step = present(liveDeployment, withImage('shop/web:2'));
  const tolerated = step.op === 'update' ? changesHash(step.object, step.changes) : undefined;

  it('does nothing where they are all there are', () => {
    expect(present(liveDeployment, { ...withImage('shop/web:2'), tolerated })).toMatchObject({
      op: 'none',
      live: liveDeployment,
    });
  });

  it('updates where something else differs too', () => {
    const live = patched(liveDeployment, { op: 'replace', path: '/spec/replicas', value: 7 });
    expect(present(live, { ...withImage('shop/web:2'), tolerated })).toMatchObject({ op: 'update', changes: [{}, {}] });
  });

  it('updates where something else is wanted', () => {
    expect(present(liveDeployment, { ...withImage('shop/web:3'), tolerated }).op).toBe('update');
  });
});

describe('changesHash', () => {
  const desired = prepare(federatedDeployment()).renderFor(cluster);
  const change = { path: 'spec.replicas', before: 3, after: 5 };

  it('is the same for the same, whatever the order of fields', () => {
    const { kind, ...rest } = desired;
    expect(changesHash({ ...rest, kind }, [{ after: 5, before: 3, path: 'spec.replicas' }])).toBe(changesHash(desired, [change]));
  });

  it.each([
    ['another value', desired, [{ ...change, after: 6 }]],
    ['another field', desired, [{ ...change, path: 'spec.paused' }]],
    ['nothing', desired, []],
    ['another object', { ...desired, kind: 'StatefulSet' }, [change]],
  ])('is another for %s', (_, object, changes) => {
    expect(changesHash(object, changes)).not.toBe(changesHash(desired, [change]));
  });
});

describe('planStep, where the object should not be', () => {
  const orphaned = { annotations: { [ORPHAN_ANNOTATION]: 'true' } };
  const withOptions = (text: string): Record<string, unknown> => ({ annotations: { [DELETE_OPTIONS_ANNOTATION]: text } });

  it('does nothing where there is none', () => {
    expect(absent(undefined)).toMatchObject({ op: 'none', reason: 'not named in the placement' });
    expect(absent(undefined, deleted).op).toBe('none');
  });

  it.each(notOurs)('leaves alone what is not ours: %s', (_, live) => {
    expect(absent(live)).toMatchObject({ op: 'none', reason: 'the object there is not ours' });
    expect(absent(live, deleted).op).toBe('none');
    expect(absent(live, { ...deleted, ...orphaned }).op).toBe('none');
  });

  it('leaves alone what refuses management', () => {
    const live = withMetadata(liveDeployment, { labels: { [MANAGED_LABEL]: 'false' } });
    expect(absent(live).op).toBe('none');
    expect(absent(live, deleted).op).toBe('none');
  });

  it('deletes ours, the plain way, where its placement has left the cluster', () => {
    expect(absent(liveDeployment)).toMatchObject({
      op: 'delete',
      live: liveDeployment,
      options: {},
      reason: 'not named in the placement',
      key: { namespace: 'shop', name: 'web' },
    });
    expect(absent(liveDeployment, withOptions('{"propagationPolicy":"Orphan"}'))).toMatchObject({ op: 'delete', options: {} });
  });

  it('deletes ours in the way that is asked for, where the federated object is deleted', () => {
    const metadata = { ...deleted, ...withOptions('{"propagationPolicy":"Orphan","gracePeriodSeconds":5}') };
    expect(absent(liveDeployment, metadata)).toMatchObject({
      op: 'delete',
      options: { propagationPolicy: 'Orphan', gracePeriodSeconds: 5 },
      reason: 'the federated object is deleted',
    });
  });

  it('does not delete in another way than was asked for, where that can’t be understood', () => {
    expect(absent(liveDeployment, { ...deleted, ...withOptions('{"propagationPolicy":"Orphaned"}') }).op).not.toBe('delete');
  });

  it('releases ours where the federated object is deleted and says to orphan', () => {
    expect(absent(liveDeployment, { ...deleted, ...orphaned })).toMatchObject({
      op: 'release',
      live: liveDeployment,
      reason: 'the federated object is deleted, and kubefed.io/orphan keeps the object',
    });
  });

  it('orphans only what is deleted, and only for "true"', () => {
    expect(absent(liveDeployment, orphaned).op).toBe('delete');
    expect(absent(liveDeployment, { ...deleted, annotations: { [ORPHAN_ANNOTATION]: 'false' } }).op).toBe('delete');
  });

  it('waits until ours is gone, and says what holds it', () => {
    const going = withMetadata(liveDeployment, deleted);
    const held = withMetadata(going, { finalizers: ['foregroundDeletion', 'shop.example/backup'] });
    expect(absent(going)).toMatchObject({
      op: 'blocked',
      code: 'WaitingForRemoval',
      reason: 'the object there is being deleted',
    });
    expect(absent(held, deleted)).toMatchObject({
      op: 'blocked',
      code: 'WaitingForRemoval',
      reason: 'finalizers hold it: foregroundDeletion, shop.example/backup',
    });
  });

  it('can’t say that it is gone where the federated object is deleted and the cluster gives no answer', () => {
    const observed = { reachable: false, message: 'timed out' } as const;
    expect(absent(undefined, deleted, { observed })).toMatchObject({
      op: 'blocked',
      code: 'ClusterNotReady',
      reason: 'timed out',
    });
  });

  it('does not hold an object back for a cluster that it was never meant for and that gives no answer', () => {
    expect(absent(undefined, {}, { observed: { reachable: false, message: 'timed out' } }).op).toBe('none');
  });
});

describe('planStep, of a Namespace', () => {
  const namespace = (name: string, metadata: Record<string, unknown> = {}): PlanStepInput['prepared'] =>
    prepare({ ...federatedNamespace(), metadata: { name, namespace: name, ...metadata } });
  const liveNamespace = (name: string, fieldManager = 'clusterset'): AnyObject => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name,
      labels: { [MANAGED_LABEL]: 'true' },
      annotations: { [OWNER_ANNOTATION]: namespace(name).owner },
      managedFields: [applied('v1', { 'f:metadata': { 'f:labels': { 'f:kubefed.io/managed': {} } } }, fieldManager)],
    },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  });

  it('gives it no namespace', () => {
    const step = present(undefined, { prepared: namespace('shop') });
    expect(step).toMatchObject({ op: 'create', key: { name: 'shop' }, type: { kind: 'Namespace', scope: 'Cluster' } });
    expect(step.key).not.toHaveProperty('namespace');
  });

  it.each(['default', 'kube-system', 'kube-public', 'kube-node-lease', 'kube-federation-system'])('never touches %s', (name) => {
    const live = liveNamespace(name);
    const reason = 'this namespace is never touched';
    expect(present(undefined, { prepared: namespace(name) })).toMatchObject({ op: 'none', reason });
    expect(present(live, { prepared: namespace(name, { labels: { a: 'b' } }) })).toMatchObject({ op: 'none', reason });
    expect(absent(live, {}, { prepared: namespace(name) })).toMatchObject({ op: 'none', reason });
    expect(absent(live, {}, { prepared: namespace(name, deleted) })).toMatchObject({ op: 'none', reason });
  });

  it('tells what is there of a namespace that it never touches, so that it counts as rolled out', () => {
    const live = liveNamespace('default');
    expect(present(live, { prepared: namespace('default') })).toMatchObject({ op: 'none', live });
  });

  it('treats other objects of such a name as any other', () => {
    const prepared = prepare(federatedDeployment({}, { name: 'default' }));
    expect(present(undefined, { prepared }).op).toBe('create');
  });
});

describe('planStep, of any object', () => {
  const entry: fc.Arbitrary<ManagedFieldsEntry> = fc.record(
    {
      manager: fc.constantFrom('clusterset', 'kubectl'),
      operation: fc.constantFrom('Apply', 'Update'),
      apiVersion: fc.constant('apps/v1'),
      subresource: fc.constantFrom('', 'status', 'scale'),
      fieldsV1: fc.constantFrom({}, { 'f:spec': { 'f:replicas': {} } }),
    },
    { requiredKeys: ['manager', 'operation', 'fieldsV1'] },
  );
  const live = fc
    .record({
      mark: fc.constantFrom(owner, `${owner}-2`, undefined),
      label: fc.constantFrom('true', 'false', undefined),
      entries: fc.array(entry, { maxLength: 3 }),
      replicas: fc.constantFrom(3, 7, undefined),
      isDeleted: fc.boolean(),
    })
    .map(
      ({ mark, label, entries, replicas, isDeleted }): AnyObject => ({
        ...liveDeployment,
        metadata: {
          name: 'web',
          namespace: 'shop',
          resourceVersion: '1',
          managedFields: entries,
          ...(mark === undefined ? {} : { annotations: { [OWNER_ANNOTATION]: mark } }),
          ...(label === undefined ? {} : { labels: { [MANAGED_LABEL]: label } }),
          ...(isDeleted ? deleted : {}),
        },
        spec: replicas === undefined ? {} : { replicas },
      }),
    );
  const input = fc
    .record({
      live: fc.option(live, { nil: undefined }),
      isWanted: fc.boolean(),
      isDeleted: fc.boolean(),
      isOrphaned: fc.boolean(),
      retainReplicas: fc.boolean(),
      isReachable: fc.boolean(),
    })
    .map(({ live: found, isWanted, isDeleted, isOrphaned, retainReplicas, isReachable }): PlanStepInput => {
      const annotations = isOrphaned ? { [ORPHAN_ANNOTATION]: 'true' } : {};
      const prepared = prepare(federatedDeployment({ retainReplicas }, { annotations, ...(isDeleted ? deleted : {}) }));
      const want = isWanted ? { want: 'present' as const, desired: prepared.renderFor(cluster) } : { want: 'absent' as const };
      return {
        prepared,
        decision: { cluster, ...want, why: 'why', share: undefined },
        observed: isReachable ? { reachable: true, live: found } : { reachable: false, message: 'no answer' },
        fieldManager: 'clusterset',
      };
    });
  const isOurs = ({ metadata }: AnyObject): boolean =>
    metadata.annotations?.[OWNER_ANNOTATION] === owner &&
    (metadata.managedFields ?? []).some(
      ({ manager, operation, subresource = '' }) => manager === 'clusterset' && operation === 'Apply' && subresource === '',
    );
  const writes: readonly Step['op'][] = ['create', 'update', 'delete', 'release'];

  it('never writes to an object that is not ours, or that refuses management', () => {
    fc.assert(
      fc.property(input, (each) => {
        const found = each.observed.reachable ? each.observed.live : undefined;
        fc.pre(found !== undefined);
        const isRefused = found.metadata.labels?.[MANAGED_LABEL] === 'false';
        if (isRefused || !isOurs(found)) expect(writes).not.toContain(planStep(each).op);
      }),
    );
  });

  it('never writes where there was no answer, and creates only where nothing is', () => {
    fc.assert(
      fc.property(input, (each) => {
        const { op } = planStep(each);
        if (!each.observed.reachable) expect(writes).not.toContain(op);
        if (op === 'create') expect(each.observed).toEqual({ reachable: true, live: undefined });
      }),
    );
  });

  it('never takes away what should be there, and never puts there what should not', () => {
    fc.assert(
      fc.property(input, (each) => {
        // A deleted object should be nowhere, also where an older decision says otherwise.
        const isDeleted = each.prepared.object.metadata.deletionTimestamp !== undefined;
        const isWanted = each.decision.desired !== undefined && !isDeleted;
        const forbidden = isWanted ? ['delete', 'release'] : ['create', 'update'];
        expect(forbidden).not.toContain(planStep(each).op);
      }),
    );
  });

  it('updates exactly where an apply of the object would change something', () => {
    fc.assert(
      fc.property(input, (each) => {
        const step = planStep(each);
        if (step.op === 'update') expect(changesTo(step.live, step.object, 'clusterset')).toEqual(step.changes);
        if (step.op === 'update') expect(step.changes).not.toEqual([]);
        if (
          step.op === 'none' &&
          step.live !== undefined &&
          each.decision.desired !== undefined &&
          !each.prepared.object.spec.retainReplicas
        )
          expect(changesTo(step.live, each.decision.desired, 'clusterset')).toEqual([]);
      }),
    );
  });

  it('never changes what it was given, and decides the same again', () => {
    fc.assert(
      fc.property(input, (each) => {
        const step = planStep(frozen(each));
        expect(planStep(each)).toEqual(step);
      }),
    );
  });
});
