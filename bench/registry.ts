import type { AnyObject } from 'clusterset/kube';
import { type ClusterEntry, combineEntries, type MappedCluster, REGISTRY_KINDS } from 'clusterset/registry';
import { microseconds } from './measure.ts';

const CLUSTERS = 5000;
/** About as long as a CA is. */
const CA = `${'QUJD'.repeat(400)}QQ==`;

/** Clusters of all kinds, each with its address, CA, labels and conditions; a tenth is in two registries. */
export function benchRegistry(): void {
  const objects = Array.from({ length: CLUSTERS }, (_, index) => objectOf(index));
  const entryOf = Object.fromEntries(Object.values(REGISTRY_KINDS).map((kind) => [kind.type.kind, kind.entryOf]));
  const mapped = (): readonly MappedCluster[] => objects.flatMap((object) => entryOf[object.kind]?.(object) ?? []);
  const lists = (found: readonly MappedCluster[]): readonly ClusterEntry[][] => {
    const entries = found.flatMap(({ entry }) => entry ?? []);
    return [entries.filter((_, index) => index % 2 === 0), entries.filter((_, index) => index % 2 === 1)];
  };
  const known = lists(mapped());
  const mapping = microseconds(mapped, 9);
  const combining = microseconds(() => combineEntries(known, { twins: 'fill' }), 9);
  const everything = microseconds(() => combineEntries(lists(mapped()), { twins: 'fill' }), 9);
  const [each, together, both] = [mapping, combining, everything].map((time) => `${(time / 1000).toFixed(1)} ms`);
  console.log(`map and combine ${CLUSTERS} registered clusters of three kinds: ${both} (mapping ${each}, combining ${together})`);
}

function objectOf(index: number): AnyObject {
  // The last tenth has the names of the first.
  const number = index % (CLUSTERS * 0.9);
  const name = `cluster-${String(number).padStart(4, '0')}`;
  const server = `https://${name}.example.com:6443`;
  const labels = { tier: 'prod', 'topology.kubernetes.io/region': `region-${number % 12}` };
  const metadata = { name, namespace: 'fleet', labels };
  const condition = (type: string) => ({
    type,
    status: 'True',
    reason: 'R',
    message: 'm',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  });
  switch (index % 3) {
    case 0: {
      const serverEndpoints = [
        { clientCIDR: '10.0.0.0/8', serverAddress: `10.0.0.${number % 256}:6443` },
        { serverAddress: server },
      ];
      return {
        apiVersion: 'clusterregistry.k8s.io/v1alpha1',
        kind: 'Cluster',
        metadata,
        spec: {
          kubernetesApiEndpoints: { serverEndpoints, caBundle: CA },
          authInfo: { controller: { kind: 'Secret', name, namespace: 'fleet' } },
        },
        status: { conditions: [condition('OK')] },
      };
    }
    case 1:
      return {
        apiVersion: 'multicluster.x-k8s.io/v1alpha1',
        kind: 'ClusterProfile',
        metadata,
        spec: { clusterManager: { name: 'manager' } },
        status: {
          conditions: [condition('ControlPlaneHealthy'), condition('Joined')],
          version: { kubernetes: 'v1.36.3' },
          properties: Array.from({ length: 8 }, (_, property) => ({ name: `property-${property}`, value: String(number) })),
          accessProviders: [{ name: 'plugin', cluster: { server, 'certificate-authority-data': CA } }],
        },
      };
    default:
      return {
        apiVersion: 'core.kubefed.io/v1beta1',
        kind: 'KubeFedCluster',
        metadata,
        spec: { apiEndpoint: server, caBundle: CA, secretRef: { name } },
        status: { conditions: [condition('Ready')], kubernetesVersion: 'v1.20.0', region: 'eu', zones: ['eu-a', 'eu-b'] },
      };
  }
}
