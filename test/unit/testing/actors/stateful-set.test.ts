import type { AnyObject } from 'clusterset/kube';
import { describe, expect, it } from 'vitest';
import { keepOrdinals, revisionName } from '../../../../src/testing/actors/stateful-set.ts';

type Value = Readonly<Record<string, unknown>>;
const NOW = Date.UTC(2026, 0, 1);
const template = { metadata: { labels: { app: 'db' } }, spec: { containers: [{ name: 'db', image: 'a:2' }] } };
const OLD = { ...template, spec: { containers: [{ name: 'db', image: 'a:1' }] } };

const set = (spec: Value = {}, status: Value = {}): AnyObject => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'db', namespace: 'shop', uid: 's', generation: 3 },
  spec: {
    replicas: 3,
    serviceName: 'db',
    selector: { matchLabels: { app: 'db' } },
    template,
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
    ...spec,
  },
  status,
});
const NEW = revisionName(set());

interface Given {
  readonly revision?: string;
  readonly up?: boolean;
  readonly leaving?: boolean;
  readonly phase?: string;
}

const pod = (ordinal: number, { revision = NEW, up = true, leaving = false, phase = 'Running' }: Given = {}): AnyObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: `db-${ordinal}`,
    namespace: 'shop',
    uid: `p${ordinal}`,
    labels: { 'controller-revision-hash': revision },
    ...(leaving ? { deletionTimestamp: 'now' } : {}),
  },
  spec: { nodeName: 'a' },
  status: { phase, conditions: [{ type: 'Ready', status: up ? 'True' : 'False', lastTransitionTime: '2025-12-31T00:00:00Z' }] },
});

const decide = (of: AnyObject, pods: readonly AnyObject[], claims: readonly string[] = []) =>
  keepOrdinals(
    of,
    {
      pods,
      revisions: new Map([
        [NEW, template],
        ['db-old', OLD],
      ] as const),
      claims: new Set(claims),
    },
    NOW,
  );

/** `+db-1` for a pod that is made, `-db-1` for one that is deleted. */
function moves(of: AnyObject, pods: readonly AnyObject[]): readonly string[] {
  return decide(of, pods).steps.flatMap((step) => {
    if (step.op === 'create') return [`+${step.object.metadata.name}`];
    return step.op === 'delete' ? [`-${step.key.name}`] : [];
  });
}

const parallel = { podManagementPolicy: 'Parallel' };
const old = { revision: 'db-old' };
const partition = (count: number): Value => ({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: count } } });

describe('the statefulset controller', () => {
  it.each<[string, AnyObject, readonly AnyObject[], readonly string[]]>([
    ['makes the first pod first', set(), [], ['+db-0']],
    ['makes the next when those before are ready', set(), [pod(0)], ['+db-1']],
    ['waits until they are', set(), [pod(0, { up: false })], []],
    ['makes all at once in parallel', set(parallel), [pod(1)], ['+db-0', '+db-2']],
    ['counts from the first ordinal', set({ ordinals: { start: 2 }, replicas: 1 }), [], ['+db-2']],
    ['takes the last pod away first', set({ replicas: 1 }), [pod(0), pod(1), pod(2)], ['-db-2']],
    ['waits until it is gone', set({ replicas: 1 }), [pod(0), pod(1), pod(2, { leaving: true })], []],
    [
      'takes pods away that are below the first ordinal now',
      set({ ordinals: { start: 1 }, replicas: 1 }),
      [pod(0), pod(1)],
      ['-db-0'],
    ],
    ['takes all away at once in parallel', set({ ...parallel, replicas: 1 }), [pod(0), pod(1), pod(2)], ['-db-2', '-db-1']],
    [
      'does not take more away while another is in trouble',
      set({ replicas: 1 }),
      [pod(0), pod(1, { up: false }), pod(2)],
      ['-db-2'],
    ],
    [
      'waits for one in trouble that is not the lowest of those',
      set({ replicas: 1 }),
      [pod(0), pod(1, { up: false }), pod(2, { up: false })],
      [],
    ],
    ['replaces a pod that has failed', set(), [pod(0, { phase: 'Failed', up: false })], ['-db-0']],
    ['updates the last pod first', set(), [pod(0, old), pod(1, old), pod(2, old)], ['-db-2']],
    ['updates the next when that is ready', set(), [pod(0, old), pod(1, old), pod(2)], ['-db-1']],
    ['waits while it is not', set(parallel), [pod(0, old), pod(1, old), pod(2, { up: false })], []],
    ['updates down to the partition', set(partition(2)), [pod(0, old), pod(1, old), pod(2)], []],
    [
      'updates nothing that people delete themselves',
      set({ updateStrategy: { type: 'OnDelete' } }),
      [pod(0, old), pod(1, old), pod(2, old)],
      [],
    ],
    [
      'is not misled by pods of similar names',
      set({ replicas: 1 }),
      [pod(0), { ...pod(5), metadata: { ...pod(5).metadata, name: 'db-x-5' } }],
      [],
    ],
  ])('%s', (_, of, pods, expected) => {
    expect(moves(of, pods)).toEqual(expected);
  });

  it('makes pods below the partition as they were', () => {
    const [step] = decide(set(partition(1), { currentRevision: 'db-old' }), [pod(1), pod(2)]).steps;
    expect(step).toMatchObject({
      object: {
        metadata: { name: 'db-0', labels: { 'controller-revision-hash': 'db-old' } },
        spec: { containers: [{ image: 'a:1' }] },
      },
    });
  });

  it('makes the claims of a pod before the pod, unless they are there', () => {
    const volumeClaimTemplates = [{ metadata: { name: 'data' }, spec: { resources: { requests: { storage: '1Gi' } } } }];
    const { steps } = decide(set({ volumeClaimTemplates, replicas: 1 }), []);
    expect(steps.slice(0, 2)).toMatchObject([
      { op: 'create', of: 'persistentvolumeclaims', object: { metadata: { name: 'data-db-0', labels: { app: 'db' } } } },
      {
        op: 'create',
        of: 'pods',
        object: { spec: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data-db-0' } }] } },
      },
    ]);
    expect(decide(set({ volumeClaimTemplates, replicas: 1 }), [], ['data-db-0']).steps[0]?.of).toBe('pods');
  });

  it('calls the update current when it is over', () => {
    const status = (pods: readonly AnyObject[]): Value => {
      const last = decide(set({}, { currentRevision: 'db-old' }), pods).steps.at(-1);
      return last?.op === 'status' ? (last.object.status as Value) : {};
    };
    expect(status([pod(0, old), pod(1), pod(2)])).toMatchObject({
      currentRevision: 'db-old',
      updateRevision: NEW,
      currentReplicas: 1,
      updatedReplicas: 2,
    });
    expect(status([pod(0), pod(1), pod(2)])).toEqual({
      observedGeneration: 3,
      replicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      currentReplicas: 3,
      updatedReplicas: 3,
      currentRevision: NEW,
      updateRevision: NEW,
      collisionCount: 0,
    });
  });

  it('looks again when pods have been ready for as long as they have to', () => {
    const young = pod(0);
    const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: '2025-12-31T23:59:55Z' }];
    const { againInMs, steps } = decide(set({ minReadySeconds: 10 }), [{ ...young, status: { phase: 'Running', conditions } }]);
    expect(againInMs).toBe(10_000);
    expect(steps.map(({ op }) => op)).toEqual(['status']);
  });
});
