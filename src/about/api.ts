import { z } from 'zod';
import { apiVersionOf, type DefinedResource, defineResource, isRecord, type Resource, type ResourceType } from '../kube/index.ts';

const spec = z.object({
  value: z
    .string()
    .min(1)
    .describe('What the property says. At most 128,000 Unicode code points (KEP-2149); no server checks that.'),
});

/** An object of the type {@link ClusterProperty}. `spec` may be missing: upstream's CRD admits that. */
export type ClusterProperty = Resource<z.infer<typeof spec>, Record<string, never>, true>;

/**
 * A fact about the cluster that holds it (KEP-2149, API: about.k8s.io/v1beta1; v1alpha1 is the same and read as well). `crd()` can be applied
 * as it is: unlike the file that upstream ships, it has the annotation that API servers ask for.
 */
export const ClusterProperty: DefinedResource<ClusterProperty> = defineResource({
  group: 'about.k8s.io',
  version: 'v1beta1',
  olderVersions: ['v1alpha1'],
  kind: 'ClusterProperty',
  plural: 'clusterproperties',
  scope: 'Cluster',
  categories: ['multicluster'],
  description: 'One fact about the cluster that it is in: its id, its ClusterSet, or anything else under a name of its own.',
  annotations: { 'api-approved.kubernetes.io': 'https://github.com/kubernetes/enhancements/pull/3084' },
  spec,
  specOptional: true,
  status: z.object({}),
  printerColumns: [
    { name: 'value', type: 'string', jsonPath: '.spec.value' },
    { name: 'age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
});

/** The same resource where v1beta1 isn't served. */
export const ClusterPropertyV1Alpha1: ResourceType<ClusterProperty> = {
  group: ClusterProperty.group,
  version: 'v1alpha1',
  kind: ClusterProperty.kind,
  plural: ClusterProperty.plural,
  scope: ClusterProperty.scope,
};

/** Name of the property that holds the cluster's id (KEP-2149, well known properties). */
export const CLUSTER_ID_PROPERTY = 'cluster.clusterset.k8s.io';

/** Name of the property that holds the ClusterSet which the cluster is a member of (KEP-2149, well known properties). */
export const CLUSTERSET_PROPERTY = 'clusterset.k8s.io';

/** A property as it is written, in v1beta1. Nothing is checked: `checkClusterProperty` does. */
export function clusterProperty(name: string, value: string): ClusterProperty {
  return { apiVersion: apiVersionOf(ClusterProperty), kind: ClusterProperty.kind, metadata: { name }, spec: { value } };
}

/** What a property says; `undefined` where it says nothing, or isn't what upstream's CRD describes. */
export function valueOfProperty(property: ClusterProperty): string | undefined {
  const found: unknown = property.spec;
  const value = isRecord(found) ? found.value : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
}
