import type { AnyObject } from 'clusterset/kube';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rollOut } from '../../../../src/testing/actors/deployment.ts';
import { budgetOf, replicasOf, scaledSizes, shrunkSizes } from '../../../../src/testing/actors/deployment-budget.ts';
import { scaledValue, templateHash } from '../../../../src/testing/actors/pod-facts.ts';
import type { Step } from '../../../../src/testing/actors/step.ts';

const NOW = Date.UTC(2026, 0, 1);
type Value = Readonly<Record<string, unknown>>;

const template = (image = 'a:1') => ({ metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image }] } });

const deployment = (spec: Value = {}, status: Value = {}): AnyObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    name: 'web',
    namespace: 'shop',
    uid: 'd',
    generation: 1,
    annotations: { team: 'shop', 'deployment.kubernetes.io/revision': '1' },
  },
  spec: {
    replicas: 4,
    progressDeadlineSeconds: 600,
    selector: { matchLabels: { app: 'web' } },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
    template: template(),
    ...spec,
  },
  status,
});

const replicaSet = (
  name: string,
  replicas: number,
  available = replicas,
  image = 'a:1',
  annotations: Record<string, string> = {},
): AnyObject => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: {
    name,
    namespace: 'shop',
    uid: name,
    generation: 1,
    creationTimestamp: `2026-01-01T00:00:0${name.length % 10}Z`,
    annotations,
  },
  spec: { replicas, template: template(image) },
  status: { replicas, readyReplicas: available, availableReplicas: available, observedGeneration: 1 },
});

describe('parts of a number of pods', () => {
  it.each([
    ['25%', 10, true, 3],
    ['25%', 10, false, 2],
    ['100%', 3, true, 3],
    ['0%', 3, true, 0],
    [2, 10, false, 2],
    [undefined, 10, true, 0],
    ['many', 10, true, 0],
  ])('%s of %i, rounded up: %s, are %i', (value, total, roundUp, expected) => {
    expect(scaledValue(value, total, roundUp)).toBe(expected);
  });

  it.each([
    [{ maxSurge: '25%', maxUnavailable: '25%' }, 4, { surge: 1, unavailable: 1 }],
    [{ maxSurge: '25%', maxUnavailable: '25%' }, 1, { surge: 1, unavailable: 0 }],
    [{ maxSurge: 0, maxUnavailable: '10%' }, 4, { surge: 0, unavailable: 1 }],
    [{ maxSurge: 2, maxUnavailable: 9 }, 4, { surge: 2, unavailable: 4 }],
    [{ maxSurge: 0, maxUnavailable: 0 }, 0, { surge: 0, unavailable: 0 }],
  ])('%o of %i allow %o', (rollingUpdate, replicas, expected) => {
    expect(budgetOf(deployment({ replicas, strategy: { type: 'RollingUpdate', rollingUpdate } }))).toEqual(expected);
  });

  it('allow nothing where all pods are recreated', () => {
    expect(budgetOf(deployment({ strategy: { type: 'Recreate' } }))).toEqual({ surge: 0, unavailable: 0 });
  });
});

describe('the sizes of ReplicaSets', () => {
  it('shrink first where pods are not available anyway, then from the oldest on', () => {
    const old = [replicaSet('a', 2), replicaSet('bb', 2, 1)];
    const fresh = replicaSet('ccc', 1, 0);
    expect(shrunkSizes(deployment(), fresh, old)).toEqual(new Map([['bb', 1]]));
    expect(shrunkSizes(deployment(), replicaSet('ccc', 2), old)).toEqual(
      new Map([
        ['bb', 1],
        ['a', 0],
      ]),
    );
  });

  it('stay in proportion when the Deployment is scaled in the middle of a rollout', () => {
    const most = { 'deployment.kubernetes.io/max-replicas': '13' };
    const sets = [replicaSet('a', 8, 8, 'a:1', most), replicaSet('bb', 5, 5, 'a:2', most)];
    const scaled = deployment({
      replicas: 20,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } },
    });
    expect(scaledSizes(scaled, sets[1], sets.slice(0, 1))).toEqual(
      new Map([
        ['a', 14],
        ['bb', 9],
      ]),
    );
  });

  it('are never more than the surge allows together, and never take what has to stay available', () => {
    const sizes = fc.record({
      wanted: fc.integer({ min: 1, max: 20 }),
      surge: fc.integer({ min: 0, max: 5 }),
      down: fc.integer({ min: 0, max: 5 }),
      old: fc.array(fc.tuple(fc.integer({ min: 0, max: 8 }), fc.integer({ min: 0, max: 8 })), { maxLength: 3 }),
      fresh: fc.tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 20 })),
    });
    fc.assert(
      fc.property(sizes, ({ wanted, surge, down, old, fresh }) => {
        const owner = deployment({
          replicas: wanted,
          strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: surge, maxUnavailable: down } },
        });
        const sets = old.map(([size, up], index) => replicaSet('x'.repeat(index + 1), size, Math.min(size, up)));
        const newest = replicaSet('yyyyyy', Math.min(fresh[0], wanted), Math.min(...fresh, wanted));
        const next = shrunkSizes(owner, newest, sets);
        const left = sets.map((set) => {
          const size = next.get(set.metadata.name) ?? replicasOf(set);
          expect(size).toBeGreaterThanOrEqual(0);
          expect(size).toBeLessThanOrEqual(replicasOf(set));
          return Math.min(size, Number((set.status as Value).availableReplicas));
        });
        const available = left.reduce((sum, each) => sum + each, 0) + Number((newest.status as Value).availableReplicas);
        const before = [...sets, newest].reduce((sum, set) => sum + Number((set.status as Value).availableReplicas), 0);
        expect(available).toBeGreaterThanOrEqual(Math.min(before, wanted - budgetOf(owner).unavailable));
      }),
    );
  });
});

describe('a round of the deployment controller', () => {
  const ops = (steps: readonly Step[]): readonly string[] => steps.map((step) => `${step.op} ${step.of.split('.')[0]}`);

  it('makes a ReplicaSet that has the template, its hash and the annotations', () => {
    const { steps, againInMs } = rollOut(deployment(), [], NOW);
    expect(ops(steps)).toEqual(['create replicasets', 'status deployments']);
    const [made] = steps;
    const hash = templateHash(template());
    expect(made?.op === 'create' ? made.object : undefined).toMatchObject({
      metadata: {
        name: `web-${hash}`,
        labels: { app: 'web', 'pod-template-hash': hash },
        annotations: {
          team: 'shop',
          'deployment.kubernetes.io/revision': '1',
          'deployment.kubernetes.io/desired-replicas': '4',
          'deployment.kubernetes.io/max-replicas': '5',
        },
        ownerReferences: [{ kind: 'Deployment', uid: 'd', controller: true }],
      },
      spec: { replicas: 4, selector: { matchLabels: { app: 'web', 'pod-template-hash': hash } } },
    });
    expect(againInMs).toBe(601_000);
  });

  it('grows the new ReplicaSet by the surge first, and says that it does', () => {
    const sets = [replicaSet('a', 4, 4, 'a:1', { 'deployment.kubernetes.io/revision': '1' })];
    const { steps } = rollOut(deployment({ template: template('a:2') }, { replicas: 4 }), sets, NOW);
    // The revision goes with the status: written by itself it would count as a change of the Deployment.
    expect(ops(steps)).toEqual(['create replicasets', 'status deployments']);
    expect(steps[0]).toMatchObject({ object: { spec: { replicas: 1 } } });
    expect(steps[1]).toMatchObject({ annotations: { 'deployment.kubernetes.io/revision': '2' } });
  });

  it('writes nothing where all is as it should be', () => {
    const annotations = {
      team: 'shop',
      'deployment.kubernetes.io/revision': '1',
      'deployment.kubernetes.io/desired-replicas': '4',
    };
    const sets = [replicaSet('a', 4, 4, 'a:1', annotations)];
    const [status] = rollOut(deployment(), sets, NOW).steps;
    const settled = deployment({}, status?.op === 'status' ? (status.object.status as Value) : {});
    expect(rollOut(settled, sets, NOW + 60_000)).toEqual({ steps: [], againInMs: undefined });
  });

  it('neither grows nor shrinks anything that is being deleted', () => {
    const leaving = deployment();
    const { steps } = rollOut({ ...leaving, metadata: { ...leaving.metadata, deletionTimestamp: 'now' } }, [], NOW);
    expect(ops(steps)).toEqual(['status deployments']);
  });

  it('takes away the oldest revisions that have no pods, beyond the history', () => {
    const idle = (name: string, revision: string): AnyObject =>
      replicaSet(name, 0, 0, `a:${name}`, { 'deployment.kubernetes.io/revision': revision });
    const annotations = {
      team: 'shop',
      'deployment.kubernetes.io/revision': '4',
      'deployment.kubernetes.io/desired-replicas': '4',
    };
    const sets = [idle('a', '3'), idle('bb', '1'), idle('ccc', '2'), replicaSet('dddd', 4, 4, 'a:1', annotations)];
    const done = { replicas: 4, updatedReplicas: 4, availableReplicas: 4, observedGeneration: 1 };
    const { steps } = rollOut(deployment({ revisionHistoryLimit: 1 }, done), sets, NOW);
    expect(steps.filter(({ op }) => op === 'delete')).toMatchObject([{ key: { name: 'bb' } }, { key: { name: 'ccc' } }]);
  });
});
