import type { AnyObject } from 'clusterset/kube';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyRoom, refusal, requestsOf, roomsOf } from '../../../../src/testing/actors/node-fit.ts';
import { bound, isWaiting, schedule } from '../../../../src/testing/actors/scheduling.ts';

type Value = Readonly<Record<string, unknown>>;

const pod = (name: string, spec: Value = {}, status: Value = { phase: 'Pending' }): AnyObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'shop', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { containers: [], ...spec },
  status,
});
const asking = (requests: Value): Value => ({ containers: [{ resources: { requests } }] });

const node = (
  name: string,
  labels: Record<string, string> = {},
  spec: Value = {},
  allocatable: Value = { cpu: '4', memory: '16Gi', pods: '3' },
): AnyObject => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels },
  spec,
  status: { allocatable },
});

const required = (nodeSelectorTerms: readonly Value[]): Value => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
});
const expression = (key: string, operator: string, ...values: string[]): Value => ({
  matchExpressions: [{ key, operator, values }],
});

describe('what a pod asks for', () => {
  it.each<[string, Value, Value]>([
    [
      'its containers together',
      { containers: [{ resources: { requests: { cpu: '1' } } }, { resources: { requests: { cpu: '500m' } } }] },
      { cpu: 1.5 },
    ],
    ['its limits where it has no requests', { containers: [{ resources: { limits: { cpu: '2' } } }] }, { cpu: 2 }],
    [
      'its highest init container where that is more',
      { containers: [{ resources: { requests: { cpu: '1' } } }], initContainers: [{ resources: { requests: { cpu: '3' } } }] },
      { cpu: 3 },
    ],
    [
      'its sidecars, too',
      {
        containers: [{ resources: { requests: { cpu: '1' } } }],
        initContainers: [{ restartPolicy: 'Always', resources: { requests: { cpu: '3' } } }],
      },
      { cpu: 4 },
    ],
    ['its overhead, too', { containers: [], overhead: { memory: '1Ki' } }, { memory: 1024 }],
    ['nothing of what is no amount', asking({ cpu: 'much' }), { cpu: 0 }],
  ])('are %s', (_, spec, expected) => {
    expect(requestsOf(spec)).toEqual(expected);
  });
});

describe('why a pod can not be on a node', () => {
  const taints = [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }];
  const mismatch = "node(s) didn't match Pod's node affinity/selector";
  it.each<[string, AnyObject, Value, string | undefined]>([
    ['nothing speaks against it', node('a'), {}, undefined],
    ['it is cordoned', node('a', {}, { unschedulable: true }), {}, 'node(s) were unschedulable'],
    [
      'it is cordoned, which the pod tolerates',
      node('a', {}, { unschedulable: true }),
      { tolerations: [{ operator: 'Exists' }] },
      undefined,
    ],
    ['a taint', node('a', {}, { taints }), {}, 'node(s) had untolerated taint(s)'],
    ['a taint that is tolerated', node('a', {}, { taints }), { tolerations: [{ key: 'gpu', value: 'yes' }] }, undefined],
    [
      'a taint of another value',
      node('a', {}, { taints }),
      { tolerations: [{ key: 'gpu', value: 'no' }] },
      'node(s) had untolerated taint(s)',
    ],
    ['a taint that only prefers', node('a', {}, { taints: [{ key: 'x', effect: 'PreferNoSchedule' }] }), {}, undefined],
    ['a selector', node('a', { disk: 'hdd' }), { nodeSelector: { disk: 'ssd' } }, mismatch],
    [
      'an affinity, of which one term is enough',
      node('a', { disk: 'hdd' }),
      required([expression('disk', 'In', 'ssd'), expression('disk', 'Exists')]),
      undefined,
    ],
    ['an affinity without terms', node('a'), required([]), mismatch],
    ['an affinity to what is absent', node('a', { disk: 'hdd' }), required([expression('disk', 'DoesNotExist')]), mismatch],
    ['an affinity to what is greater', node('a', { cores: '8' }), required([expression('cores', 'Gt', '16')]), mismatch],
    ['an affinity to what is less', node('a', { cores: '8' }), required([expression('cores', 'Lt', '16')]), undefined],
    [
      'an affinity to another node',
      node('a'),
      required([{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['b'] }] }]),
      "node(s) didn't satisfy plugin(s) [NodeAffinity]",
    ],
    ['it is too small', node('a'), asking({ cpu: '5' }), 'Insufficient cpu'],
    ['it lacks a resource', node('a'), asking({ 'example.com/gpu': '1' }), 'Insufficient example.com/gpu'],
  ])('%s', (_, where, spec, expected) => {
    expect(refusal(pod('web', spec), emptyRoom(where))?.reasons[0]).toBe(expected);
  });

  it('is everything that it lacks', () => {
    const used = { cpu: 3, memory: 16 * 1024 ** 3 };
    expect(refusal(pod('web', asking({ cpu: '2', memory: '1' })), { ...emptyRoom(node('a')), used, pods: 3 })).toEqual({
      reasons: ['Too many pods', 'Insufficient cpu', 'Insufficient memory'],
      isFinal: false,
    });
  });
});

describe('the scheduler', () => {
  it('gives the pod that waits longest the node that is used least', () => {
    const nodes = [node('a'), node('b')];
    const there = pod('there', { ...asking({ cpu: '2' }), nodeName: 'a' }, { phase: 'Running' });
    const placed = schedule([pod('new'), pod('next')], roomsOf(nodes, [there]));
    expect(placed.map((each) => (each.fits ? `${each.pod.metadata.name} on ${each.node.metadata.name}` : each.message))).toEqual([
      'new on b',
      'next on b',
    ]);
  });

  it('explains itself as kube-scheduler does', () => {
    const nodes = [node('a', {}, { unschedulable: true }), node('b'), node('c', {}, {}, { cpu: '1', memory: '1Gi', pods: '10' })];
    const there = pod('there', { ...asking({ cpu: '3' }), nodeName: 'b' }, { phase: 'Running' });
    expect(schedule([pod('new', asking({ cpu: '2' }))], roomsOf(nodes, [there]))).toMatchObject([
      {
        fits: false,
        message:
          '0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu. no new claims to deallocate, preemption: 0/3 nodes are available: 1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling.',
      },
    ]);
  });

  it('never gives a node more than it has, and leaves nobody waiting who would fit', () => {
    const cpus = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 12 });
    fc.assert(
      fc.property(cpus, fc.integer({ min: 0, max: 4 }), (wanted, count) => {
        const nodes = Array.from({ length: count }, (_, index) => node(`n${index}`));
        const pods = wanted.map((cpu, index) => pod(`p${index}`, asking({ cpu: String(cpu) })));
        const placed = schedule(pods, roomsOf(nodes, []));
        const on = placed.flatMap((each) => (each.fits ? [bound(each.pod, each.node, 0)] : []));
        const rooms = roomsOf(nodes, on);
        for (const room of rooms) {
          expect(room.used.cpu ?? 0).toBeLessThanOrEqual(4);
          expect(room.pods).toBeLessThanOrEqual(3);
        }
        for (const each of placed) if (!each.fits) for (const room of rooms) expect(refusal(each.pod, room)).toBeDefined();
      }),
    );
  });

  it('leaves pods alone that are others’, gated, bound or leaving', () => {
    expect(isWaiting(pod('web'))).toBe(true);
    for (const spec of [{ schedulerName: 'mine' }, { schedulingGates: [{ name: 'x' }] }, { nodeName: 'a' }])
      expect(isWaiting(pod('web', spec))).toBe(false);
    expect(isWaiting({ ...pod('web'), metadata: { name: 'web', deletionTimestamp: 'now' } })).toBe(false);
  });

  it('gives a pod the labels of the place of its node', () => {
    const placed = bound(pod('web'), node('a', { 'topology.kubernetes.io/zone': 'z1', disk: 'ssd' }), 0);
    expect(placed.metadata.labels).toEqual({ 'topology.kubernetes.io/zone': 'z1' });
    expect(placed).toMatchObject({ spec: { nodeName: 'a' }, status: { conditions: [{ type: 'PodScheduled', status: 'True' }] } });
  });
});
