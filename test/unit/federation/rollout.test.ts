import { type Rollout, rolloutOf } from 'clusterset/federation';
import type { AnyObject } from 'clusterset/kube';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { frozen, liveConfigMap, liveDeployment, liveService } from './fixtures.ts';

type Fields = Record<string, unknown>;

const of =
  (apiVersion: string, kind: string) =>
  (status: Fields | undefined, spec: Fields = {}, generation?: number): Rollout =>
    rolloutOf({
      apiVersion,
      kind,
      metadata: { name: 'web', namespace: 'shop', ...(generation === undefined ? {} : { generation }) },
      spec,
      ...(status === undefined ? {} : { status }),
    });
const deployment = of('apps/v1', 'Deployment');
const statefulSet = of('apps/v1', 'StatefulSet');
const replicaSet = of('apps/v1', 'ReplicaSet');
const daemonSet = of('apps/v1', 'DaemonSet');
const job = of('batch/v1', 'Job');
const crd = of('apiextensions.k8s.io/v1', 'CustomResourceDefinition');
const certificate = of('cert-manager.io/v1', 'Certificate');

const condition = (type: string, status: string, more: Fields = {}): Fields => ({ conditions: [{ type, status, ...more }] });
const behind = 'the cluster has not looked at the newest version yet';
const unseen = 'the cluster has not looked at it yet';

describe('rolloutOf a Deployment', () => {
  const counted = (
    replicas: number,
    updatedReplicas: number,
    availableReplicas: number,
    readyReplicas = availableReplicas,
  ): Fields => ({
    observedGeneration: 2,
    replicas,
    updatedReplicas,
    availableReplicas,
    readyReplicas,
  });

  it('is complete when a real one is', () => {
    expect(rolloutOf(liveDeployment)).toEqual({ state: 'Complete', message: '', replicas: 3, readyReplicas: 3 });
  });

  it.each<[string, Fields | undefined, Partial<Rollout>]>([
    ['nobody has looked at', undefined, { state: 'Progressing', message: unseen, readyReplicas: 0 }],
    ['the controller is behind with', { ...counted(3, 3, 3), observedGeneration: 1 }, { state: 'Progressing', message: behind }],
    ['not all replicas are updated of', counted(4, 1, 3), { state: 'Progressing', message: '1 of 3 replicas are updated' }],
    ['old replicas are left of', counted(5, 3, 3), { state: 'Progressing', message: '2 old replicas are still there' }],
    [
      'updated replicas are not available of',
      counted(3, 3, 1, 2),
      { state: 'Progressing', message: '1 of 3 updated replicas are available', readyReplicas: 2 },
    ],
    ['everything is as it should be of', counted(3, 3, 3), { state: 'Complete', message: '', readyReplicas: 3 }],
  ])('where %s it', (_, status, expected) => {
    expect(deployment(status, { replicas: 3 }, 2)).toMatchObject({ replicas: 3, ...expected });
  });

  it('counts one replica where the spec says none, and is content with zero', () => {
    expect(deployment(counted(0, 0, 0), {})).toMatchObject({ state: 'Progressing', replicas: 1 });
    expect(deployment(counted(1, 1, 1), {})).toMatchObject({ state: 'Complete', replicas: 1 });
    expect(deployment(counted(0, 0, 0), { replicas: 0 })).toEqual({
      state: 'Complete',
      message: '',
      replicas: 0,
      readyReplicas: 0,
    });
  });

  it('has failed once its deadline has passed, with the message of its controller', () => {
    const late = { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' };
    const status = { ...counted(3, 1, 1), conditions: [{ ...late, message: 'timed out progressing' }] };
    const expected = { state: 'Failed', message: 'timed out progressing', replicas: 3, readyReplicas: 1 };
    expect(deployment(status, { replicas: 3 }, 2)).toEqual(expected);
    expect(deployment({ ...status, conditions: [late] }, { replicas: 3 }, 2).message).toBe(
      'the deadline for progress has passed',
    );
  });

  it('is progressing anew when the version that failed is not the newest', () => {
    const conditions = [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }];
    expect(deployment({ ...counted(3, 1, 1), conditions }, { replicas: 3 }, 3)).toMatchObject({
      state: 'Progressing',
      message: behind,
    });
  });
});

describe('rolloutOf a StatefulSet or a ReplicaSet', () => {
  it.each([
    ['StatefulSet', statefulSet],
    ['ReplicaSet', replicaSet],
  ])('waits until the replicas of a %s are ready', (_, rollout) => {
    expect(rollout({ observedGeneration: 1, replicas: 3, readyReplicas: 1 }, { replicas: 3 }, 1)).toEqual({
      state: 'Progressing',
      message: '1 of 3 replicas are ready',
      replicas: 3,
      readyReplicas: 1,
    });
    expect(rollout({ observedGeneration: 1, replicas: 3, readyReplicas: 3 }, { replicas: 3 }, 1)).toMatchObject({
      state: 'Complete',
    });
    expect(rollout({ observedGeneration: 1 }, { replicas: 2 }, 2)).toEqual({
      state: 'Progressing',
      message: behind,
      replicas: 2,
      readyReplicas: 0,
    });
  });

  const rolling = {
    observedGeneration: 2,
    replicas: 3,
    readyReplicas: 3,
    currentReplicas: 2,
    updatedReplicas: 1,
    currentRevision: 'web-648c56f98',
    updateRevision: 'web-7d4b9c6f5',
  };

  it('waits until a StatefulSet has the newest revision, as kubectl rollout status does', () => {
    const spec = { replicas: 3, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } } };
    expect(statefulSet(rolling, spec, 2).state).toBe('Progressing');
  });

  it('is content with a StatefulSet whose partition has the newest revision, as kubectl rollout status is', () => {
    const spec = { replicas: 3, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } };
    expect(statefulSet(rolling, spec, 2).state).toBe('Complete');
  });

  it.each([
    ['StatefulSet', statefulSet],
    ['ReplicaSet', replicaSet],
  ])('waits until somebody has looked at a %s without replicas', (_, rollout) => {
    expect(rollout(undefined, { replicas: 0 }, 1)).toMatchObject({ state: 'Progressing', message: unseen });
  });
});

describe('rolloutOf a DaemonSet', () => {
  const counted = (desired: number, updated: number, available: number, ready = available): Fields => ({
    observedGeneration: 1,
    desiredNumberScheduled: desired,
    updatedNumberScheduled: updated,
    numberAvailable: available,
    numberReady: ready,
  });

  it.each<[string, Fields | undefined, Partial<Rollout>]>([
    ['nobody has looked at', undefined, { state: 'Progressing', message: unseen }],
    [
      'pods are not ready of',
      counted(3, 3, 2),
      { state: 'Progressing', message: '2 of 3 updated pods are available', readyReplicas: 2 },
    ],
    ['pods are not updated of', counted(3, 1, 3), { state: 'Progressing', readyReplicas: 3 }],
    ['all pods are there of', counted(3, 3, 3), { state: 'Complete', message: '', replicas: 3, readyReplicas: 3 }],
    ['no node takes a pod of', counted(0, 0, 0), { state: 'Complete', replicas: 0, readyReplicas: 0 }],
  ])('where %s it', (_, status, expected) => {
    expect(daemonSet(status, {}, 1)).toMatchObject(expected);
  });

  it('says that pods are not updated, where that is what it waits for', () => {
    expect(daemonSet(counted(3, 1, 3), {}, 1).message).toBe('1 of 3 pods are updated');
  });

  it('waits until pods are available, as kubectl rollout status does', () => {
    expect(daemonSet(counted(3, 3, 2, 3), {}, 1).state).toBe('Progressing');
  });
});

describe('rolloutOf a Job', () => {
  it.each<[string, Fields, Partial<Rollout>]>([
    ['nobody has looked at', {}, { state: 'Progressing', message: 'the job is running' }],
    ['pods are running of', { active: 1 }, { state: 'Progressing', message: 'the job is running' }],
    ['all is done of', condition('Complete', 'True'), { state: 'Complete', message: '' }],
    ['a failure is over of', condition('Failed', 'False'), { state: 'Progressing' }],
    [
      'too many pods have failed of',
      condition('Failed', 'True', { reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' }),
      { state: 'Failed', message: 'Job has reached the specified backoff limit' },
    ],
    ['a reason is all there is of', condition('Failed', 'True', { reason: 'DeadlineExceeded' }), { message: 'DeadlineExceeded' }],
    ['nobody says why of', condition('Failed', 'True'), { state: 'Failed', message: 'the job failed' }],
  ])('where %s it', (_, status, expected) => {
    expect(job(status)).toMatchObject(expected);
  });
});

describe('rolloutOf anything else', () => {
  it.each<[string, Rollout, Partial<Rollout>]>([
    ['a Service is there', rolloutOf(liveService), { state: 'Complete', message: '' }],
    ['a ConfigMap is there', rolloutOf(liveConfigMap), { state: 'Complete', message: '' }],
    ['a Namespace is active', of('v1', 'Namespace')({ phase: 'Active' }), { state: 'Complete' }],
    ['a Namespace is new', of('v1', 'Namespace')(undefined), { state: 'Complete' }],
    [
      'a Namespace is going',
      of('v1', 'Namespace')({ phase: 'Terminating' }),
      { state: 'Progressing', message: 'the namespace is terminating' },
    ],
    ['a definition is new', crd({}), { state: 'Progressing', message: 'there is no condition Established yet' }],
    [
      'a definition has a conflict',
      crd(condition('Established', 'False', { message: 'not all names are accepted' })),
      { state: 'Progressing', message: 'not all names are accepted' },
    ],
    ['a definition is served', crd(condition('Established', 'True')), { state: 'Complete' }],
    ['a resource has no conditions', certificate({}), { state: 'Complete' }],
    ['a resource has other conditions', certificate(condition('Issuing', 'True')), { state: 'Complete' }],
    ['a resource is ready', certificate(condition('Ready', 'True')), { state: 'Complete' }],
    [
      'a resource is not ready',
      certificate(condition('Ready', 'False', { message: 'waiting for the issuer' })),
      { state: 'Progressing', message: 'waiting for the issuer' },
    ],
    ['nobody knows', certificate(condition('Ready', 'Unknown')), { state: 'Progressing', message: 'Ready is Unknown' }],
    [
      'the controller of a resource is behind',
      certificate({ ...condition('Ready', 'True'), observedGeneration: 1 }, {}, 2),
      { state: 'Progressing', message: behind },
    ],
  ])('goes by what its status says: %s', (_, rollout, expected) => {
    expect(rollout).toMatchObject(expected);
  });

  it('does not take a condition for true that was observed of an older version, as kubectl wait does not', () => {
    expect(certificate(condition('Ready', 'True', { observedGeneration: 1 }), {}, 2).state).toBe('Progressing');
  });

  it('says something where the condition has an empty message', () => {
    expect(certificate(condition('Ready', 'False', { reason: 'Pending', message: '' })).message).not.toBe('');
  });

  it('does not take the Job of another group for a Job', () => {
    expect(of('batch.volcano.sh/v1alpha1', 'Job')({ state: { phase: 'Completed' } }).state).toBe('Complete');
  });

  it('bears with conditions that are none', () => {
    expect(certificate({ conditions: [null] }).state).toBe('Complete');
  });
});

describe('rolloutOf', () => {
  const kinds = [
    ['apps/v1', 'Deployment'],
    ['apps/v1', 'StatefulSet'],
    ['apps/v1', 'ReplicaSet'],
    ['apps/v1', 'DaemonSet'],
    ['batch/v1', 'Job'],
    ['v1', 'Namespace'],
    ['v1', 'Pod'],
    ['apiextensions.k8s.io/v1', 'CustomResourceDefinition'],
    ['cert-manager.io/v1', 'Certificate'],
  ] as const;
  const count = fc.oneof(fc.nat(4), fc.constantFrom(undefined, null, 'x'));
  const types = fc.constantFrom('Ready', 'Progressing', 'Complete', 'Failed', 'Established');
  const conditions = fc.array(
    fc.record(
      { type: types, status: fc.constantFrom('True', 'False', 'Unknown'), reason: fc.string(), message: fc.string() },
      { requiredKeys: ['type', 'status'] },
    ),
  );
  const status = fc.record(
    {
      observedGeneration: count,
      replicas: count,
      updatedReplicas: count,
      readyReplicas: count,
      availableReplicas: count,
      desiredNumberScheduled: count,
      updatedNumberScheduled: count,
      numberReady: count,
      numberAvailable: count,
      phase: fc.string(),
      conditions: fc.oneof(conditions, fc.constantFrom(undefined, 'none')),
    },
    { requiredKeys: [] },
  );
  const object = fc
    .record({
      kind: fc.constantFrom(...kinds),
      generation: fc.integer({ min: 1, max: 3 }),
      replicas: count,
      status: fc.option(status),
    })
    .map(
      ({ kind: [apiVersion, kind], generation, replicas, ...rest }): AnyObject => ({
        apiVersion,
        kind,
        metadata: { name: 'web', generation },
        spec: { replicas },
        status: rest.status,
      }),
    );

  it('has an answer to every status, and the same one each time', () => {
    fc.assert(
      fc.property(object, (live) => {
        const rollout = rolloutOf(frozen(live));
        expect(['Complete', 'Progressing', 'Failed']).toContain(rollout.state);
        expect(rollout.message).toBeTypeOf('string');
        expect(rolloutOf(structuredClone(live))).toEqual(rollout);
      }),
    );
  });

  it('says nothing where all is done, and never calls done what its controller has not seen', () => {
    fc.assert(
      fc.property(object, (live) => {
        const { state, message } = rolloutOf(live);
        if (state === 'Complete') expect(message).toBe('');
        const { observedGeneration } = (live.status ?? {}) as { observedGeneration?: unknown };
        const { generation = 0 } = live.metadata;
        if (typeof observedGeneration === 'number' && observedGeneration < generation) expect(state).toBe('Progressing');
      }),
    );
  });

  it('never calls a Deployment done that has fewer replicas than it should', () => {
    fc.assert(
      fc.property(fc.nat(5), fc.nat(5), fc.nat(5), fc.nat(5), (wanted, total, updatedReplicas, availableReplicas) => {
        const counts = { observedGeneration: 1, replicas: total, updatedReplicas, availableReplicas };
        const isDone = updatedReplicas >= wanted && total <= updatedReplicas && availableReplicas >= updatedReplicas;
        expect(deployment(counts, { replicas: wanted }, 1).state).toBe(isDone ? 'Complete' : 'Progressing');
      }),
    );
  });
});
