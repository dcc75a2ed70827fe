import type { AnyObject } from 'clusterset/kube';
import { describe, expect, it } from 'vitest';
import { keepDaemons } from '../../../../src/testing/actors/daemon-set.ts';
import { templateHash } from '../../../../src/testing/actors/pod-facts.ts';

type Value = Readonly<Record<string, unknown>>;
const NOW = Date.UTC(2026, 0, 1);
const template = { metadata: { labels: { app: 'agent' } }, spec: { containers: [{ name: 'agent', image: 'a:2' }] } };
const HASH = templateHash(template);

const set = (rollingUpdate: Value = { maxUnavailable: 1, maxSurge: 0 }, spec: Value = {}): AnyObject => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'agent', namespace: 'shop', uid: 'd', generation: 2 },
  spec: { template, updateStrategy: { type: 'RollingUpdate', rollingUpdate }, ...spec },
});

const node = (name: string, spec: Value = {}): AnyObject => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: {} },
  spec,
});

const pod = (on: string, hash = HASH, isReady = true, phase = 'Running'): AnyObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: `agent-${on}-${hash}`, namespace: 'shop', uid: `${on}${hash}`, labels: { 'controller-revision-hash': hash } },
  spec: { nodeName: on },
  status: {
    phase,
    conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False', lastTransitionTime: '2025-12-31T00:00:00Z' }],
  },
});

const NODES = ['a', 'b', 'c'].map((name) => node(name));

/** `+c` for a pod that is made for a node, `-agent-a-…` for one that is deleted. */
function moves(of: AnyObject, nodes: readonly AnyObject[], pods: readonly AnyObject[]): readonly string[] {
  return keepDaemons(of, nodes, pods, NOW).steps.flatMap((step) => {
    if (step.op === 'delete') return [`-${step.key.name}`];
    if (step.op !== 'create') return [];
    const { affinity } = step.object.spec as {
      affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: Value } };
    };
    const [term] = affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms as readonly {
      matchFields: readonly { values: readonly string[] }[];
    }[];
    return [`+${term?.matchFields[0]?.values[0]}`];
  });
}

describe('the daemonset controller', () => {
  it.each<[string, AnyObject, readonly AnyObject[], readonly AnyObject[], readonly string[]]>([
    ['makes a pod for each node', set(), NODES, [], ['+a', '+b', '+c']],
    [
      'leaves nodes alone that the pod does not tolerate',
      set(),
      [node('a', { taints: [{ key: 'x', effect: 'NoSchedule' }] })],
      [],
      [],
    ],
    [
      'comes to nodes that are cordoned',
      set(),
      [node('a', { unschedulable: true, taints: [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }] })],
      [],
      ['+a'],
    ],
    [
      'leaves a node that throws it out',
      set(),
      [node('a', { taints: [{ key: 'x', effect: 'NoExecute' }] })],
      [pod('a')],
      [`-agent-a-${HASH}`],
    ],
    ['stays where it may no longer come', set(), [node('a', { taints: [{ key: 'x', effect: 'NoSchedule' }] })], [pod('a')], []],
    ['replaces pods that failed', set(), [node('a')], [pod('a', HASH, false, 'Failed')], [`-agent-a-${HASH}`]],
    ['deletes pods of nodes that are gone', set(), [], [pod('a')], [`-agent-a-${HASH}`]],
    [
      'replaces as many old pods as may be unavailable',
      set({ maxUnavailable: 2 }),
      NODES,
      ['a', 'b', 'c'].map((on) => pod(on, 'old')),
      ['-agent-a-old', '-agent-b-old'],
    ],
    ['waits while a new pod is not ready', set(), NODES, [pod('a', HASH, false), pod('b', 'old'), pod('c', 'old')], []],
    [
      'replaces an old pod that is broken at once',
      set(),
      NODES,
      [pod('a', HASH, false), pod('b', 'old', false), pod('c', 'old')],
      ['-agent-b-old'],
    ],
    [
      'rounds a part of the nodes up',
      set({ maxUnavailable: '34%' }),
      NODES,
      ['a', 'b', 'c'].map((on) => pod(on, 'old')),
      ['-agent-a-old', '-agent-b-old'],
    ],
    [
      'makes new pods first where it may surge',
      set({ maxUnavailable: 0, maxSurge: 1 }),
      NODES,
      ['a', 'b', 'c'].map((on) => pod(on, 'old')),
      ['+a'],
    ],
    [
      'waits for the surging pod',
      set({ maxUnavailable: 0, maxSurge: 1 }),
      [node('a')],
      [pod('a', 'old'), pod('a', HASH, false)],
      [],
    ],
    [
      'takes the old pod away when the surging one is ready',
      set({ maxUnavailable: 0, maxSurge: 1 }),
      [node('a')],
      [pod('a', 'old'), pod('a')],
      ['-agent-a-old'],
    ],
    [
      'touches no old pods where people delete them',
      set({}, { updateStrategy: { type: 'OnDelete' } }),
      [node('a')],
      [pod('a', 'old')],
      [],
    ],
  ])('%s', (_, of, nodes, pods, expected) => {
    expect(moves(of, nodes, pods)).toEqual(expected);
  });

  it('counts', () => {
    const nodes = [...NODES, node('d', { taints: [{ key: 'x', effect: 'NoSchedule' }] })];
    const last = keepDaemons(set(), nodes, [pod('a'), pod('b', 'old', false), pod('d')], NOW).steps.at(-1);
    expect(last?.op === 'status' ? last.object.status : undefined).toEqual({
      observedGeneration: 2,
      desiredNumberScheduled: 3,
      currentNumberScheduled: 2,
      numberMisscheduled: 1,
      numberReady: 1,
      numberAvailable: 1,
      numberUnavailable: 2,
      updatedNumberScheduled: 1,
    });
  });
});
