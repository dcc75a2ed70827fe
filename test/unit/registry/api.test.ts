import { ClusterProfile, KubeFedCluster, RegistryCluster } from 'clusterset/registry';
import { describe, expect, it } from 'vitest';
import upstream from '../../fixtures/upstream-crds.json' with { type: 'json' };
import { ourSpec, upstreamSpec } from '../upstream.ts';

describe('the CRDs of registries', () => {
  it.each([
    ['clusterprofiles.multicluster.x-k8s.io', ClusterProfile],
    ['kubefedclusters.core.kubefed.io', KubeFedCluster],
  ])('of %s have the structure of upstream', (name, type) => {
    expect(ourSpec(type.crd())).toEqual(upstreamSpec(name));
  });

  it('of the cluster registry has the structure that upstream wrote for apiextensions v1beta1', () => {
    const { spec } = upstream['clusters.clusterregistry.k8s.io'];
    const [version] = RegistryCluster.crd().spec.versions;
    const strip = (schema: unknown): unknown =>
      JSON.parse(JSON.stringify(schema, (key, value) => (key === 'description' ? undefined : value)));
    expect(strip(version?.schema.openAPIV3Schema)).toMatchObject({ ...spec.validation.openAPIV3Schema, type: 'object' });
    expect(version).toMatchObject({ name: spec.version, served: true, storage: true });
    expect(version).not.toHaveProperty('subresources');
    expect(RegistryCluster.crd().spec).toMatchObject({ group: spec.group, scope: spec.scope, names: spec.names });
  });
});
