import { z } from 'zod';
import { type DefinedResource, defineResource, type KubeObject } from '../../kube/index.ts';

const decision = z.object({
  clusterProfileRef: z
    .object({
      name: z.string(),
      namespace: z.string().exactOptional().describe('Default: the namespace of this object.'),
    })
    .describe('The ClusterProfile of the chosen cluster.'),
  reason: z.string().exactOptional().describe('Why the cluster was chosen, for people.'),
});

const fields = z.object({
  decisions: z.array(decision).min(0).max(100).describe('Chosen clusters; where there are more, other slices hold them.'),
  schedulerName: z.string().exactOptional().describe('Who chose.'),
});

/** One slice of a decision, an object of the type {@link PlacementDecision}. */
export type PlacementDecision = KubeObject & Readonly<z.infer<typeof fields>>;

/**
 * Where a workload goes, as a scheduler tells others (KEP-5313, API: multicluster.x-k8s.io/v1alpha1): slices of at most 100 clusters each,
 * held together by labels. Who reads them deploys to what is listed and removes from what isn't any more; nobody but the scheduler writes them.
 */
export const PlacementDecision: DefinedResource<PlacementDecision> = defineResource({
  group: 'multicluster.x-k8s.io',
  version: 'v1alpha1',
  kind: 'PlacementDecision',
  plural: 'placementdecisions',
  scope: 'Namespaced',
  description: 'Clusters that a scheduler chose. Large decisions have several slices, with a label in common.',
  fields,
});

/** Most clusters that one slice holds (KEP-5313). */
export const LARGEST_SLICE = 100;

/** Label that all slices of one decision have in common (KEP-5313). */
export const DECISION_KEY_LABEL = 'multicluster.x-k8s.io/decision-key';
/** Label with the place of a slice among the others, counted from 0 (KEP-5313). */
export const DECISION_INDEX_LABEL = 'multicluster.x-k8s.io/decision-index';
/** Label that leads from a decision to what is placed (KEP-5313). */
export const PLACEMENT_KEY_LABEL = 'multicluster.x-k8s.io/placement-key';
/** Label with what changes whenever the decision does, so that nobody reads half of one (KEP-5313; upstream's Go package lacks it). */
export const DECISION_REVISION_LABEL = 'multicluster.x-k8s.io/decision-revision';
