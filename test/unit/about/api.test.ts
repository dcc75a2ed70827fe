import { CLUSTER_ID_PROPERTY, ClusterProperty, clusterProperty, valueOfProperty } from 'clusterset/about';
import { OfflineCluster } from 'clusterset/testing';
import { describe, expect, it } from 'vitest';
import { ourSpec, upstreamSpec } from '../upstream.ts';
import { install, saysNothing } from './fixtures.ts';

describe('ClusterProperty', () => {
  it("has upstream's structure", () => {
    expect(ourSpec(ClusterProperty.crd())).toEqual(upstreamSpec('clusterproperties.about.k8s.io'));
  });

  it('names the review of its API, without which API servers refuse a group under k8s.io', () => {
    expect(ClusterProperty.crd().metadata).toEqual({
      name: 'clusterproperties.about.k8s.io',
      annotations: { 'api-approved.kubernetes.io': 'https://github.com/kubernetes/enhancements/pull/3084' },
    });
  });

  it.each([
    ['v1beta1', clusterProperty(CLUSTER_ID_PROPERTY, 'eu-1')],
    ['v1alpha1', { ...clusterProperty(CLUSTER_ID_PROPERTY, 'eu-1'), apiVersion: 'about.k8s.io/v1alpha1' }],
    ['no spec, which upstream admits', saysNothing(CLUSTER_ID_PROPERTY)],
    ['3,000,000 characters, which upstream admits', clusterProperty('long.example.com', 'x'.repeat(3_000_000))],
  ])('is read with %s', (_name, property) => {
    expect(ClusterProperty.read(property)).toBe(property);
  });

  it.each([
    [
      'the version that KEP-2149 prints',
      { apiVersion: 'about.k8s.io/v1', kind: 'ClusterProperty', metadata: { name: 'a' } },
      'apiVersion',
    ],
    ['a number', { ...clusterProperty('a', 'b'), spec: { value: 5 } }, 'spec.value'],
    ['an empty value', clusterProperty('a', ''), 'spec.value'],
    ['an empty spec', { ...clusterProperty('a', 'b'), spec: {} }, 'spec.value'],
  ])('is not read with %s, as API servers refuse it', (_name, property, field) => {
    expect(ClusterProperty.shapeIssues(property)).toMatchObject([{ field }]);
  });

  it('lives in a cluster with the fields that we write', async () => {
    const cluster = new OfflineCluster({ name: 'eu-1' });
    try {
      const connected = cluster.connect();
      await install(connected);
      const written = await connected.create(ClusterProperty, clusterProperty(CLUSTER_ID_PROPERTY, 'eu-1'));
      expect(valueOfProperty(written)).toBe('eu-1');
      expect(valueOfProperty(await connected.create(ClusterProperty, saysNothing('empty.example.com')))).toBeUndefined();
      await expect(connected.create(ClusterProperty, clusterProperty('none.example.com', ''))).rejects.toMatchObject({
        code: 'Invalid',
      });
    } finally {
      cluster.stop();
    }
  });
});
