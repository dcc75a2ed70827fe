import { z } from 'zod';
import { labelSelectorSchema } from '../../kube/index.ts';

const text = z.string().min(1);

const fieldRequirement = z.object({
  field: z.enum(['provider', 'region', 'zone']),
  operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
  values: z.array(z.string()).exactOptional(),
});

const propertyRequirement = z.object({
  name: text.describe('Name of a property of clusters.'),
  operator: z.enum(['Gt', 'Ge', 'Eq', 'Ne', 'Le', 'Lt', 'In', 'NotIn', 'Exists', 'DoesNotExist']),
  values: z
    .array(z.string())
    .exactOptional()
    .describe(
      'One value for a comparison, which compares quantities such as 4, 500m and 16Gi; any number of texts for In and NotIn.',
    ),
});

/** Fields of a schema for clusters that meet everything that is said; where nothing is said, all clusters. */
export const clusterSelectionFields = {
  clusterNames: z.array(text).exactOptional().describe('Only these clusters.'),
  exclude: z.array(text).exactOptional().describe('None of these clusters.'),
  labelSelector: labelSelectorSchema.exactOptional().describe('Clusters by their labels.'),
  fields: z.array(fieldRequirement).exactOptional().describe('Clusters by provider, region and zone.'),
  properties: z.array(propertyRequirement).exactOptional().describe('Clusters by their properties.'),
};

const selection = z.object(clusterSelectionFields);

/** Clusters by names, labels, fields and properties; all of what is said must hold. */
export type ClusterSelection = Readonly<z.infer<typeof selection>>;
/** A requirement on a property of clusters. */
export type PropertyRequirement = Readonly<z.infer<typeof propertyRequirement>>;
