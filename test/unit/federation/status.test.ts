import {
  type BlockedCode,
  codeOfFailure,
  type Decision,
  decide,
  entryOf,
  explainIssue,
  type FederatedStatus,
  federate,
  planStep,
  prepare,
  type RenderIssue,
  type Step,
  type StepResult,
  statusOf,
} from 'clusterset/federation';
import { type AnyObject, ClustersetError, type ErrorCode, findCondition, resourceType } from 'clusterset/kube';
import type { ClusterEntry } from 'clusterset/registry';
import { ReplicaSchedulingPreference } from 'clusterset/scheduling';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { federatedDeployment, federatedNamespace, fleet, frozen, liveConfigMap, liveDeployment, patched } from './fixtures.ts';

const deployments = resourceType('apps/v1', 'Deployment', 'deployments');
const namespaces = resourceType('v1', 'Namespace', 'namespaces', 'Cluster');
const base = (cluster: string) => ({
  cluster,
  type: deployments,
  key: { namespace: 'shop', name: 'web' },
  reason: 'named in the placement',
});
const steps: Readonly<Record<Step['op'], Step>> = {
  create: { ...base('eu-1'), op: 'create', object: liveDeployment },
  update: { ...base('eu-1'), op: 'update', object: liveDeployment, live: liveDeployment, changes: [] },
  delete: { ...base('eu-1'), op: 'delete', live: liveDeployment, options: {} },
  release: { ...base('eu-1'), op: 'release', live: liveDeployment },
  none: { ...base('eu-1'), op: 'none' },
  blocked: { ...base('eu-1'), op: 'blocked', code: 'AlreadyExists', reason: 'it is not ours' },
};
const error = (code: ErrorCode, message = 'no'): ClustersetError => new ClustersetError({ code, message, cluster: 'eu-1' });

const progressing = patched(liveDeployment, { op: 'replace', path: '/status/availableReplicas', value: 1 });
const failing = patched(liveDeployment, {
  op: 'replace',
  path: '/status/conditions/0',
  value: { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'timed out progressing' },
});
const going: AnyObject = {
  ...liveDeployment,
  metadata: { ...liveDeployment.metadata, deletionTimestamp: '2026-11-21T16:00:00Z' },
};

const none = (cluster: string, live: AnyObject): StepResult => ({ step: { ...base(cluster), op: 'none', live }, live });
const blocked = (cluster: string, code: BlockedCode, reason = 'why'): StepResult => ({
  step: { ...base(cluster), op: 'blocked', code, reason },
});
const removed = (cluster: string): StepResult => ({
  step: { ...base(cluster), op: 'delete', live: liveDeployment, options: {} },
  live: undefined,
});
const results = (...each: StepResult[]): ReadonlyMap<string, StepResult> =>
  new Map(each.map((result) => [result.step.cluster, result]));
const everywhere = (live: AnyObject): ReadonlyMap<string, StepResult> => results(...fleet.map(({ name }) => none(name, live)));

const decided = (spec: Record<string, unknown> = {}, metadata: Record<string, unknown> = { generation: 2 }): Decision =>
  decide({ prepared: prepare(federatedDeployment(spec, metadata)), clusters: fleet });
const status = (
  decision: Decision,
  of: ReadonlyMap<string, StepResult>,
  previous?: FederatedStatus,
  now = '2026-11-21T16:00:00Z',
): FederatedStatus => statusOf({ decision, results: of, previous, now });
const condition = ({ conditions }: FederatedStatus, type: string) => findCondition(conditions, type);

describe('codeOfFailure', () => {
  it.each<[ErrorCode, BlockedCode]>([
    ['AlreadyExists', 'AlreadyExists'],
    ['NotServed', 'TypeNotServed'],
    ['Unreachable', 'ClusterNotReady'],
    ['Timeout', 'ClusterNotReady'],
  ])('is the same for every step with %s', (code, expected) => {
    for (const step of Object.values(steps)) expect(codeOfFailure(step, error(code))).toBe(expected);
  });

  it.each<[Step['op'], BlockedCode]>([
    ['create', 'CreationFailed'],
    ['update', 'UpdateFailed'],
    ['delete', 'DeletionFailed'],
    ['release', 'LabelRemovalFailed'],
    ['none', 'RetrievalFailed'],
    ['blocked', 'RetrievalFailed'],
  ])('else says what could not be done: %s', (op, expected) => {
    for (const code of ['Invalid', 'Forbidden', 'Conflict', 'InternalError', 'TooManyRequests', 'ApplyConflict'] as const) {
      expect(codeOfFailure(steps[op], error(code))).toBe(expected);
    }
  });

  it('tells a namespace that is missing from an object that is', () => {
    expect(codeOfFailure(steps.create, error('NotFound', 'namespaces "shop" not found'))).toBe('NamespaceMissing');
    expect(codeOfFailure(steps.update, error('NotFound', 'deployments.apps "web" not found'))).toBe('UpdateFailed');
    expect(codeOfFailure(steps.create, error('Invalid', 'namespaces "shop" is invalid'))).toBe('CreationFailed');
  });

  it('does not call the Namespace that is federated missing from itself', () => {
    const step: Step = { ...steps.release, type: namespaces, key: { name: 'shop' } } as Step;
    expect(codeOfFailure(step, error('NotFound', 'namespaces "shop" not found'))).toBe('LabelRemovalFailed');
  });

  it('knows a cluster that nobody knows', () => {
    expect(codeOfFailure(steps.create, error('UnknownCluster'))).toBe('UnknownCluster');
  });
});

describe('entryOf', () => {
  it.each<[string, StepResult, Record<string, unknown>]>([
    ['an object that is done', none('eu-1', liveDeployment), { rollout: 'Complete', replicas: 3, readyReplicas: 3 }],
    [
      'an object on its way',
      none('eu-1', progressing),
      { rollout: 'Progressing', message: '1 of 3 updated replicas are available', replicas: 3, readyReplicas: 3 },
    ],
    [
      'an object that has failed',
      none('eu-1', failing),
      { rollout: 'Failed', message: 'timed out progressing', replicas: 3, readyReplicas: 3 },
    ],
    ['an object without replicas', none('eu-1', liveConfigMap), { rollout: 'Complete' }],
    ['an object that is being deleted', none('eu-1', going), { status: 'WaitingForRemoval' }],
    ['an object that is gone', removed('eu-1'), {}],
    [
      'something in the way',
      { step: { ...base('eu-1'), op: 'blocked', code: 'AlreadyExists', reason: 'it is not ours', mend: 'rename it' } },
      { status: 'AlreadyExists', message: 'it is not ours; rename it' },
    ],
    [
      'something in the way that nobody can mend',
      blocked('eu-1', 'ClusterNotReady'),
      { status: 'ClusterNotReady', message: 'why' },
    ],
    [
      'a step that failed, whatever is there',
      { step: steps.update, error: error('Forbidden', 'may not'), live: liveDeployment },
      { status: 'UpdateFailed', message: 'may not' },
    ],
  ])('tells of %s', (_, result, expected) => {
    expect(entryOf(result)).toEqual({ name: 'eu-1', ...expected });
  });

  it('says why there are so many replicas, where nothing else has to be said', () => {
    expect(entryOf(none('eu-1', liveDeployment), '3 replicas: 3 by weight 1').message).toBe('3 replicas: 3 by weight 1');
    expect(entryOf(none('eu-1', progressing), '3 replicas: 3 by weight 1').message).toBe('1 of 3 updated replicas are available');
  });
});

describe('explainIssue', () => {
  it.each<[RenderIssue, string]>([
    [{ field: 'spec.template', message: 'is missing' }, 'spec.template: is missing'],
    [{ field: '', message: 'is no object' }, 'is no object'],
    [{ cluster: 'eu-1', field: '', message: 'is too old' }, 'cluster eu-1: is too old'],
    [
      { cluster: 'eu-1', field: 'spec.overrides[0]', message: 'has no path', mend: 'say one' },
      'cluster eu-1: spec.overrides[0]: has no path; say one',
    ],
  ])('puts %j into one line', (issue, expected) => {
    expect(explainIssue(issue)).toBe(expected);
  });
});

describe('statusOf', () => {
  it('is true where everything is where it should be and does what it says', () => {
    expect(status(decided(), everywhere(liveDeployment))).toEqual({
      observedGeneration: 2,
      conditions: [
        { type: 'Propagation', status: 'True', lastTransitionTime: '2026-11-21T16:00:00Z' },
        { type: 'RolledOut', status: 'True', lastTransitionTime: '2026-11-21T16:00:00Z' },
      ],
      clusters: fleet.map(({ name }) => ({ name, rollout: 'Complete', replicas: 3, readyReplicas: 3 })),
    });
  });

  it('is true where nothing should be anywhere', () => {
    const found = status(decided({ placement: {} }), results());
    expect(found.clusters).toEqual([]);
    expect(found.conditions).toMatchObject([{ status: 'True' }, { status: 'True' }]);
  });

  it('says nothing of a generation that nobody knows', () => {
    expect(status(decided({}, {}), results())).not.toHaveProperty('observedGeneration');
  });

  it('lists clusters by name, whatever the order of clusters and results', () => {
    const decision = decide({ prepared: prepare(federatedDeployment()), clusters: fleet.toReversed() });
    const reversed = new Map([...everywhere(liveDeployment)].toReversed());
    expect(status(decision, reversed).clusters?.map(({ name }) => name)).toEqual(['eu-1', 'eu-2', 'us-1']);
  });

  it('names clusters in its conditions by name, whatever their order, so that there is nothing to write', () => {
    const ordered = status(decided(), results());
    const decision = decide({ prepared: prepare(federatedDeployment({}, { generation: 2 })), clusters: fleet.toReversed() });
    expect(status(decision, results(), ordered)).toBe(ordered);
  });

  it('leaves out clusters that should not have the object, unless something is in the way', () => {
    const decision = decided({ placement: { clusters: [{ name: 'eu-1' }] } });
    const leaving = results(none('eu-1', liveDeployment), removed('eu-2'), none('us-1', going));
    expect(status(decision, leaving)).toMatchObject({
      clusters: [
        { name: 'eu-1', rollout: 'Complete' },
        { name: 'us-1', status: 'WaitingForRemoval' },
      ],
      conditions: [{ type: 'Propagation', status: 'False', reason: 'CheckClusters', message: 'see us-1' }, { status: 'True' }],
    });
    expect(status(decision, results(none('eu-1', liveDeployment), removed('eu-2'), removed('us-1'))).clusters).toHaveLength(1);
  });

  it('says which clusters are in trouble', () => {
    const found = status(
      decided(),
      results(none('eu-1', liveDeployment), blocked('eu-2', 'AlreadyExists'), blocked('us-1', 'NamespaceMissing')),
    );
    expect(condition(found, 'Propagation')).toMatchObject({
      status: 'False',
      reason: 'CheckClusters',
      message: 'see eu-2, us-1',
    });
    expect(condition(found, 'RolledOut')).toMatchObject({ status: 'False', message: 'waiting for eu-2, us-1' });
  });

  it('says which clusters nothing is known of yet, and leaves them out of the list', () => {
    const found = status(decided(), results(none('eu-2', liveDeployment)));
    expect(found.clusters).toMatchObject([{ name: 'eu-2' }]);
    expect(condition(found, 'Propagation')).toMatchObject({
      status: 'False',
      reason: 'CheckClusters',
      message: 'nothing is known yet of eu-1, us-1',
    });
  });

  it.each<[string, AnyObject, string]>([
    ['are on their way', progressing, 'Progressing'],
    ['have failed', failing, 'Failed'],
  ])('waits for clusters that %s', (_, live, reason) => {
    const found = status(decided(), results(none('eu-1', liveDeployment), none('eu-2', live), none('us-1', progressing)));
    expect(condition(found, 'Propagation')?.status).toBe('True');
    expect(condition(found, 'RolledOut')).toMatchObject({ status: 'False', reason, message: 'waiting for eu-2, us-1' });
  });

  it('has an entry for each name that is no cluster, once', () => {
    const overrides = [{ clusterName: 'mars', clusterOverrides: [] }];
    const decision = decided({ placement: { clusters: [{ name: 'mars' }, { name: 'eu-1' }] }, overrides });
    const found = status(decision, results(none('eu-1', liveDeployment)));
    expect(found.clusters).toMatchObject([
      { name: 'eu-1', rollout: 'Complete' },
      { name: 'mars', status: 'UnknownCluster', message: 'there is no cluster "mars"' },
    ]);
    expect(condition(found, 'Propagation')).toMatchObject({ status: 'False', message: 'see mars' });
  });

  it('says why there are so many replicas, where a preference divides them', () => {
    const preference = ReplicaSchedulingPreference.read({
      apiVersion: 'scheduling.kubefed.io/v1alpha1',
      kind: 'ReplicaSchedulingPreference',
      metadata: { name: 'web', namespace: 'shop' },
      spec: { targetKind: 'FederatedDeployment', totalReplicas: 9 },
    });
    const decision = decide({ prepared: prepare(federatedDeployment()), clusters: fleet, preference });
    expect(status(decision, everywhere(liveDeployment)).clusters?.[0]?.message).toBe('3 replicas: 3 by weight 1');
    expect(status(decided(), everywhere(liveDeployment)).clusters?.[0]).not.toHaveProperty('message');
  });

  describe('where something is wrong with the object', () => {
    const missing = [{ path: '/spec/nothing', value: 1 }];
    const overrides = [
      { clusterName: 'us-1', clusterOverrides: missing },
      { clusterName: 'eu-1', clusterOverrides: missing },
    ];

    it('tells the clusters whose overrides can’t be carried out, and no others', () => {
      const found = status(decided({ overrides }), everywhere(liveDeployment));
      expect(found.clusters).toMatchObject([
        { name: 'eu-1', status: 'ApplyOverridesFailed', message: expect.stringContaining('spec.overrides[1]') },
        { name: 'us-1', status: 'ApplyOverridesFailed', message: expect.stringContaining('spec.overrides[0]') },
      ]);
      expect(condition(found, 'Propagation')).toMatchObject({ status: 'False', reason: 'ApplyOverridesFailed' });
      expect(condition(found, 'Propagation')?.message?.split('\n')).toHaveLength(2);
      expect(condition(found, 'RolledOut')).toMatchObject({ status: 'False', reason: 'NotPropagated' });
    });

    it('tells a placement that can’t be read from other problems', () => {
      const clusterSelector = { matchExpressions: [{ key: 'x', operator: 'Nope' }] };
      const found = status(decided({ placement: { clusterSelector } }), results());
      expect(found.clusters).toEqual([]);
      expect(condition(found, 'Propagation')).toMatchObject({
        status: 'False',
        reason: 'ComputePlacementFailed',
        message: expect.stringContaining('spec.placement.clusterSelector: "Nope"'),
      });
    });
  });

  describe('where the namespace is not federated', () => {
    const decision = decide({ prepared: prepare(federatedDeployment()), clusters: fleet, namespace: undefined });

    it('says so', () => {
      expect(condition(status(decision, results()), 'Propagation')).toMatchObject({
        status: 'False',
        reason: 'NamespaceNotFederated',
      });
    });

    it('speaks of clusters that are in trouble first, as kubefed did', () => {
      const found = status(decision, results({ step: { ...steps.delete }, error: error('Forbidden') }));
      expect(condition(found, 'Propagation')?.reason).toBe('CheckClusters');
    });
  });

  it('is not true for a cluster that should have the object and has none', () => {
    const found = status(decided(), new Map([...everywhere(liveDeployment), ['eu-1', { step: steps.create, live: undefined }]]));
    expect(condition(found, 'Propagation')?.status).toBe('False');
  });

  it('does not depend on clusters that the object is not meant for and that give no answer', () => {
    const decision = decided({ placement: { clusters: [{ name: 'eu-1' }] } });
    const live = { 'eu-1': liveDeployment, 'eu-2': undefined };
    const found = status(
      decision,
      results(
        ...decision.clusters.map((each): StepResult => {
          const { name } = each.cluster;
          const observed =
            name === 'us-1'
              ? ({ reachable: false, message: 'timed out' } as const)
              : ({ reachable: true, live: live[name as keyof typeof live] } as const);
          return {
            step: planStep({ prepared: decision.prepared, decision: each, observed, fieldManager: 'clusterset' }),
            live: observed.reachable ? observed.live : undefined,
          };
        }),
      ),
    );
    expect(found.clusters?.map(({ name }) => name)).toEqual(['eu-1']);
    expect(condition(found, 'Propagation')?.status).toBe('True');
  });

  it('is rolled out where a namespace is never touched', () => {
    const prepared = prepare({ ...federatedNamespace(), metadata: { name: 'default', namespace: 'default' } });
    const decision = decide({ prepared, clusters: fleet });
    const live: AnyObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' }, status: { phase: 'Active' } };
    const found = status(
      decision,
      results(
        ...decision.clusters.map((each): StepResult => {
          const step = planStep({ prepared, decision: each, observed: { reachable: true, live }, fieldManager: 'clusterset' });
          return { step, live: step.op === 'none' ? step.live : undefined };
        }),
      ),
    );
    expect(condition(found, 'RolledOut')?.status).toBe('True');
  });
});

describe('statusOf, the next time', () => {
  const later = '2026-11-21T17:00:00Z';
  const first = status(decided(), everywhere(liveDeployment));

  it('gives back the very same status where nothing has changed', () => {
    expect(status(decided(), everywhere(liveDeployment), first, later)).toBe(first);
    const read = structuredClone(first);
    expect(status(decided(), everywhere(liveDeployment), read, later)).toBe(read);
  });

  it('keeps the time of a condition that says the same, also with another message', () => {
    const waiting = status(decided(), results(none('eu-1', liveDeployment)));
    const still = status(decided(), results(none('eu-1', liveDeployment), none('eu-2', liveDeployment)), waiting, later);
    expect(condition(still, 'Propagation')).toMatchObject({
      message: 'nothing is known yet of us-1',
      lastTransitionTime: '2026-11-21T16:00:00Z',
    });
  });

  it('moves the time of a condition that says something else, and of no other', () => {
    const next = status(decided(), everywhere(progressing), first, later);
    expect(condition(next, 'Propagation')?.lastTransitionTime).toBe('2026-11-21T16:00:00Z');
    expect(condition(next, 'RolledOut')).toMatchObject({ status: 'False', lastTransitionTime: later });
  });

  it('takes reason and message off a condition that has become true', () => {
    const waiting = status(decided(), results());
    const next = status(decided(), everywhere(liveDeployment), waiting, later);
    expect(condition(next, 'Propagation')).toEqual({ type: 'Propagation', status: 'True', lastTransitionTime: later });
  });

  it('leaves the conditions of others', () => {
    const theirs = { type: 'Audited', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' };
    const previous = { ...first, conditions: [theirs, ...(first.conditions ?? [])] };
    expect(status(decided(), everywhere(liveDeployment), previous, later)).toBe(previous);
    expect(status(decided(), everywhere(progressing), previous, later).conditions?.[0]).toBe(theirs);
  });

  it('is another where a new generation was looked at', () => {
    const next = status(decided({}, { generation: 3 }), everywhere(liveDeployment), first, later);
    expect(next).toEqual({ ...first, observedGeneration: 3 });
  });
});

describe('statusOf, of any results', () => {
  const names = ['c0', 'c1', 'c2', 'c3', 'c4'];
  const clusters: readonly ClusterEntry[] = names.map((name, index) => ({
    name,
    labels: { parity: index % 2 === 0 ? 'even' : 'odd' },
  }));
  const codes = fc.constantFrom<ErrorCode>('Unreachable', 'NotServed', 'Forbidden', 'Conflict', 'AlreadyExists');
  const result = (name: string): fc.Arbitrary<StepResult> =>
    fc.oneof(
      fc.constantFrom(liveDeployment, progressing, failing, going, liveConfigMap).map((live) => none(name, live)),
      fc.constantFrom<BlockedCode>('AlreadyExists', 'ClusterNotReady', 'WaitingForRemoval').map((code) => blocked(name, code)),
      fc
        .tuple(fc.constantFrom(...Object.values(steps)), codes)
        .map(([step, code]) => ({ step: { ...step, cluster: name }, error: error(code, 'failed') })),
    );
  const placement = fc.oneof(
    fc.subarray([...names, 'mars', 'venus']).map((listed) => ({ clusters: listed.map((name) => ({ name })) })),
    fc.constantFrom({ clusterSelector: {} }, { clusterSelector: { matchLabels: { parity: 'odd' } } }, {}),
  );
  const overrides = fc.constantFrom([], [{ clusterName: 'c1', clusterOverrides: [{ path: '/spec/nothing', value: 1 }] }]);
  const input = fc
    .record({
      placement,
      overrides,
      isInNamespace: fc.boolean(),
      found: fc.tuple(...names.map((name) => fc.option(result(name), { nil: undefined }))),
    })
    .map(({ placement: where, overrides: what, isInNamespace, found }) => ({
      decision: decide({
        prepared: prepare(federatedDeployment({ placement: where, overrides: what }, { generation: 1 })),
        clusters,
        ...(isInNamespace ? {} : { namespace: undefined }),
      }),
      found: found.filter((each) => each !== undefined),
    }));

  it('comes back as the very same object when nothing has changed, whatever the time and the order', () => {
    fc.assert(
      fc.property(input, ({ decision, found }) => {
        const first = status(decision, results(...found));
        expect(status(decision, results(...found), first, '2027-01-01T00:00:00Z')).toBe(first);
        const reversed = { ...decision, clusters: decision.clusters.toReversed() };
        const other = status(reversed, results(...found.toReversed()), first, '2027-01-01T00:00:00Z');
        expect(other.clusters).toEqual(first.clusters);
        expect(other.conditions?.map((each) => each.status)).toEqual(first.conditions?.map((each) => each.status));
      }),
    );
  });

  it('has one entry for a cluster, in the order of their names', () => {
    fc.assert(
      fc.property(input, ({ decision, found }) => {
        const listed = status(decision, results(...found)).clusters?.map(({ name }) => name) ?? [];
        expect(listed).toEqual([...new Set(listed)].toSorted());
      }),
    );
  });

  it('is propagated exactly where nothing is in the way and everything is known', () => {
    fc.assert(
      fc.property(input, ({ decision, found }) => {
        const next = status(decision, results(...found));
        const isKnown = decision.clusters.every(
          ({ cluster, desired }) => desired === undefined || next.clusters?.some(({ name }) => name === cluster.name),
        );
        const isInTheWay = next.clusters?.some((each) => each.status !== undefined) ?? false;
        const isFine = decision.issues.length === 0 && !decision.namespaceNotFederated && isKnown && !isInTheWay;
        expect(condition(next, 'Propagation')?.status).toBe(isFine ? 'True' : 'False');
      }),
    );
  });

  it('is rolled out only where every cluster that should have the object is done', () => {
    fc.assert(
      fc.property(input, ({ decision, found }) => {
        const next = status(decision, results(...found));
        const wanted = decision.clusters.filter(({ desired }) => desired !== undefined).map(({ cluster }) => cluster.name);
        const done = (next.clusters ?? []).filter(({ rollout }) => rollout === 'Complete').map(({ name }) => name);
        const isDone =
          decision.issues.length === 0 && !decision.namespaceNotFederated && wanted.every((name) => done.includes(name));
        expect(condition(next, 'RolledOut')?.status).toBe(isDone ? 'True' : 'False');
      }),
    );
  });

  it('moves times exactly when conditions do', () => {
    fc.assert(
      fc.property(input, input, (one, other) => {
        const first = status(one.decision, results(...one.found));
        const next = status(other.decision, results(...other.found), first, '2027-01-01T00:00:00Z');
        for (const type of ['Propagation', 'RolledOut']) {
          const [before, after] = [condition(first, type), condition(next, type)];
          expect(after?.lastTransitionTime === before?.lastTransitionTime).toBe(after?.status === before?.status);
        }
      }),
    );
  });

  it('has the shape that the federated type asks for, and changes nothing that it was given', () => {
    const { federated } = federate(deployments);
    fc.assert(
      fc.property(input, ({ decision, found }) => {
        const first = status(frozen(decision), frozen(results(...found)));
        expect(federated.shapeIssues({ ...decision.prepared.object, status: first })).toEqual([]);
        expect(status(decision, results(...found), frozen(first))).toBe(first);
      }),
    );
  });
});
