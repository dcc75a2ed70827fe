import { describe, expect, it } from 'vitest';
import type { NodeObject, PodObject } from '../../../src/scheduling/estimate/cluster-state.ts';
import { podRequirements } from '../../../src/scheduling/estimate/replica.ts';
import { type ClusterRoom, type RoomSource, roomOf } from '../../../src/scheduling/estimate/room.ts';
import { type ClusterSummary, clusterSummarySchema, summarizeCluster } from '../../../src/scheduling/estimate/summary.ts';
import { KARMADA_DEFAULT_MODELS, type KarmadaResourceSummary } from '../../../src/scheduling/karmada/estimate.ts';

function node(name: string, cpu: string, spec: object = {}, ready = 'True', memory = '16Gi'): NodeObject {
  return {
    metadata: { name },
    spec,
    status: { allocatable: { cpu, memory, pods: '10' }, conditions: [{ type: 'Ready', status: ready }] },
  };
}

function pod(name: string, nodeName: string | undefined, requests: object): PodObject {
  const placed = nodeName === undefined ? {} : { nodeName };
  return { metadata: { name }, spec: { ...placed, containers: [{ resources: { requests } }] } };
}

const nodes = [node('a', '4'), node('b', '2'), node('c', '8', { unschedulable: true }), node('d', '8', {}, 'Unknown')];
const pods = [pod('p', 'a', { cpu: '1500m' }), pod('q', 'c', { cpu: '3' }), pod('r', undefined, { cpu: '500m', memory: '1Gi' })];

describe('summarizeCluster', () => {
  it('sums up what is open to pods', () => {
    expect(summarizeCluster(nodes, pods, { classes: false })).toEqual({
      allocatable: { cpu: '6', memory: '32Gi', pods: '20' },
      allocated: { cpu: '1500m', memory: '0', pods: '1' },
      allocating: { cpu: '500m', memory: '1Gi', pods: '1' },
      nodes: 4,
      readyNodes: 3,
    });
  });

  it('counts nodes by what is free on them', () => {
    const full = {
      metadata: { name: 'e' },
      status: { allocatable: { cpu: '64', memory: '256Gi', pods: '0' }, conditions: [{ type: 'Ready', status: 'True' }] },
    };
    const { allocatableModelings } = summarizeCluster([...nodes, full, node('f', '4')], pods, {
      models: KARMADA_DEFAULT_MODELS,
      classes: false,
    });
    // Of 4 CPUs 2.5 are free on the first; 2 on the second, 4 on the last; 16 GiB everywhere.
    expect(allocatableModelings?.map(({ count }) => count)).toEqual([0, 0, 3, 0, 0, 0, 0, 0, 0]);
    expect(allocatableModelings?.map(({ grade }) => grade)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('is a summary as Karmada has it, and can be stored', () => {
    const summary = summarizeCluster(nodes, pods, { models: KARMADA_DEFAULT_MODELS });
    const asKarmada: KarmadaResourceSummary = summary;
    expect(clusterSummarySchema.parse(JSON.parse(JSON.stringify(asKarmada)))).toEqual(summary);
  });

  it('sums up exactly beyond what numbers hold', () => {
    const large = Array.from({ length: 3 }, (_, index) => node(`n${index}`, '1', {}, 'True', String(Number.MAX_SAFE_INTEGER)));
    expect(summarizeCluster(large, [], { classes: false }).allocatable?.memory).toBe(
      String(3n * BigInt(Number.MAX_SAFE_INTEGER)),
    );
  });

  it('is empty for an empty cluster', () => {
    expect(summarizeCluster([], [])).toMatchObject({
      allocatable: {},
      allocated: {},
      allocating: {},
      nodes: 0,
      readyNodes: 0,
      nodeClasses: { classes: [] },
    });
  });
});

describe('clusterSummarySchema', () => {
  it('reads numbers as quantities', () => {
    expect(clusterSummarySchema.parse({ allocatable: { cpu: 4, pods: '110' } })).toEqual({
      allocatable: { cpu: '4', pods: '110' },
    });
  });

  it.each([
    [{ allocatable: { cpu: 'lots' } }],
    [{ allocated: { cpu: '-1' } }],
    [{ allocatableModelings: [{ grade: 0, count: -1 }] }],
    [{ nodeClasses: { labelKeys: [], classes: [{ free: [{ count: 1, amounts: { cpu: 'x' } }] }] } }],
    [{ nodes: 1.5 }],
    [[]],
  ])('refuses %j', (value) => {
    expect(clusterSummarySchema.safeParse(value).success).toBe(false);
  });
});

describe('roomOf', () => {
  const summary = summarizeCluster(nodes, pods, { classes: false });
  const withClasses = summarizeCluster(nodes, pods);
  const models = KARMADA_DEFAULT_MODELS;
  const graded: ClusterSummary = {
    allocatable: { cpu: '8', memory: '32Gi', pods: '99' },
    allocatableModelings: [{ grade: 2, count: 3 }],
  };
  const two = podRequirements({ containers: [{ resources: { requests: { cpu: '2' } } }] });
  it.each<[string, RoomSource, ClusterRoom]>([
    // On a 2.5 CPUs are free, of which what waits takes half a one; on b 2.
    [
      'nodes',
      { nodes, pods, summary: withClasses, capacity: { cpu: '99' } },
      { basis: 'Nodes', replicas: 2, reason: 'Resource', resource: 'cpu' },
    ],
    ['nodes without pods', { nodes }, { basis: 'Nodes', replicas: 3, reason: 'Resource', resource: 'cpu' }],
    ['no nodes', { nodes: [] }, { basis: 'Nodes', replicas: 0, reason: 'NoNodes' }],
    [
      'classes',
      { summary: withClasses, capacity: { cpu: '99' } },
      { basis: 'Classes', replicas: 2, reason: 'Resource', resource: 'cpu' },
    ],
    [
      'the sums of a summary',
      { summary, capacity: { cpu: '99' } },
      { basis: 'Summary', replicas: 2, reason: 'Resource', resource: 'cpu' },
    ],
    ['grades that are known', { summary: graded, models }, { basis: 'Summary', replicas: 3, reason: 'Models' }],
    ['no grades that are not', { summary: graded }, { basis: 'Summary', replicas: 4, reason: 'Resource', resource: 'cpu' }],
    [
      'capacity',
      { capacity: { cpu: 9, memory: '1Gi' } },
      { basis: 'Capacity', replicas: 4, reason: 'Resource', resource: 'cpu' },
    ],
    ['capacity for pods', { capacity: { cpu: 9, pods: 3 } }, { basis: 'Capacity', replicas: 3, reason: 'Pods' }],
    [
      'capacity that is not written down in full',
      { capacity: { memory: '1Gi', pods: 5 } },
      { basis: 'Capacity', replicas: 5, reason: 'Pods' },
    ],
    ['capacity without what is asked for', { capacity: { memory: '1Gi' } }, { basis: 'Unknown' }],
    [
      'capacity beside a summary that says nothing',
      { summary: { nodes: 3 }, capacity: { cpu: '4' } },
      { basis: 'Capacity', replicas: 2, reason: 'Resource', resource: 'cpu' },
    ],
    ['nothing', {}, { basis: 'Unknown' }],
  ])('goes by %s', (_, source, expected) => {
    expect(roomOf(source, two)).toEqual(expected);
  });

  it('is not known where capacity limits nothing that is asked for', () => {
    expect(roomOf({ capacity: { cpu: '4' } }, {})).toEqual({ basis: 'Unknown' });
    expect(roomOf({ capacity: { cpu: '4', pods: '7' } }, {})).toEqual({ basis: 'Capacity', replicas: 7, reason: 'Pods' });
  });

  it('is none where capacity does not have what only some machines have', () => {
    expect(roomOf({ capacity: { cpu: '4' } }, { requests: { cpu: '1', 'example.com/gpu': '1' } })).toEqual({
      basis: 'Capacity',
      replicas: 0,
      reason: 'Resource',
      resource: 'example.com/gpu',
    });
  });

  it('refuses what is no quantity', () => {
    expect(() => roomOf({ capacity: { cpu: 'lots' } }, two)).toThrow(
      expect.objectContaining({ code: 'Invalid', field: 'capacity[cpu]' }),
    );
    expect(() => roomOf({ nodes: [] }, { requests: { cpu: 'lots' } })).toThrow(
      expect.objectContaining({ code: 'Invalid', field: 'requests[cpu]' }),
    );
  });
});
