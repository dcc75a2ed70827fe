import { z } from 'zod';
import { defineResource, type Resource } from '../../kube/index.ts';
import { failoverRulesSchema } from '../react/rules.ts';
import { rolloutWavesSchema } from '../waves/api.ts';
import { clusterSelectionFields } from './selection.ts';

const text = z.string().min(1);
const count = z.int32();

/** A workload by its type and name; without a namespace it is in that of the policy. */
const workloadReference = z.object({
  apiVersion: text,
  kind: text,
  namespace: text.exactOptional(),
  name: text,
});

const group = z.object({ name: text.describe('Unique among the groups.'), ...clusterSelectionFields });

const toleration = z.object({
  key: z.string().exactOptional(),
  operator: z.enum(['Equal', 'Exists']).exactOptional().describe('Default Equal.'),
  value: z.string().exactOptional(),
  effect: z
    .enum(['NoSelect', 'NoSelectIfNew', 'PreferNoSelect', 'NoSchedule', 'PreferNoSchedule', 'NoExecute'])
    .exactOptional()
    .describe('Default: every effect.'),
  tolerationSeconds: z
    .int()
    .exactOptional()
    .describe('How long the taint is tolerated, from when it was added. Default: for ever.'),
});

const pick = z.object({
  type: z.enum(['All', 'Fixed', 'N']).describe('All clusters, exactly the named ones, or the best.'),
  clusterNames: z.array(text).exactOptional().describe('For Fixed.'),
  numberOfClusters: count.exactOptional().describe('For N: how many at most.'),
});

const spread = z.object({
  topologyKey: text.describe('cluster, provider, region or zone; anything else is the key of a label.'),
  minGroups: count.exactOptional().describe('Groups that must have a cluster. Default 1.'),
  maxGroups: count.exactOptional().describe('Groups that may have a cluster. Default: no limit.'),
  maxSkew: count.exactOptional().describe('By how many clusters groups may differ. Default: no limit.'),
  whenUnsatisfiable: z
    .enum(['DoNotSchedule', 'ScheduleAnyway'])
    .exactOptional()
    .describe('Whether the constraint must hold or should. Default DoNotSchedule.'),
});

const score = z.object({
  weight: z
    .number()
    .exactOptional()
    .describe('The score, which is between 0 and 100, is multiplied with it; negative turns it round. Default 1.'),
  property: z
    .object({ name: text, order: z.enum(['HighestFirst', 'LowestFirst']).exactOptional() })
    .exactOptional()
    .describe('By a property: from 0 for the worst of the clusters to 100 for the best. Default HighestFirst.'),
  preferred: z.object(clusterSelectionFields).exactOptional().describe('100 for the clusters that match, 0 for others.'),
  external: text.exactOptional().describe('The name of scores from outside.'),
  builtIn: z
    .enum(['FreeCapacity', 'Current', 'Taints'])
    .exactOptional()
    .describe('By how many more replicas fit; 100 where the workload runs already; less for taints that ask to be avoided.'),
});

const clusterPreference = z.object({
  minReplicas: count.exactOptional().describe('Replicas that the cluster gets in any case, where the total allows. Default 0.'),
  maxReplicas: count.exactOptional().describe('Replicas that the cluster gets at most. Default: no limit.'),
  weight: count
    .exactOptional()
    .describe(
      'Share of the replicas beside other clusters; 0 means the minimum only. Default 1; for kubefed and kubeadmiral 0, as in the originals.',
    ),
  tier: count.exactOptional().describe('Tiers are filled in order, the lowest first. Default 0.'),
});

const division = z.object({
  type: z
    .enum(['Duplicated', 'Weighted', 'ByCapacity', 'Aggregated'])
    .exactOptional()
    .describe('All replicas in each cluster; shares by weight; shares by room; as few clusters as will do. Default Duplicated.'),
  algorithm: z
    .enum(['clusterset', 'kubefed', 'karmada', 'kubeadmiral'])
    .exactOptional()
    .describe('Whose arithmetic divides. Default clusterset.'),
  clusters: z
    .record(z.string(), clusterPreference)
    .exactOptional()
    .describe('Preferences by cluster name; "*" is for clusters without their own.'),
  sticky: z
    .boolean()
    .exactOptional()
    .describe(
      'Leave replicas where they run as long as bounds and the total allow it, in place of dividing anew. Default: false for clusterset, true for the others, as in the originals.',
    ),
});

const spec = z.object({
  workload: workloadReference.exactOptional().describe('What is placed.'),
  replicas: count.exactOptional().describe('Replicas in all clusters together. Default: as many as the workload says.'),
  ...clusterSelectionFields,
  groups: z.array(group).exactOptional().describe('Groups of clusters, the preferred one first.'),
  groupMode: z
    .enum(['Fallback', 'Overflow'])
    .exactOptional()
    .describe('Use the first group that can take all replicas, or fill one after the other. Default Fallback.'),
  failBack: z
    .enum(['Automatic', 'Never'])
    .exactOptional()
    .describe('Whether an earlier group is used again once it can take all replicas. Default Automatic.'),
  follow: workloadReference.exactOptional().describe('Only clusters where this workload is.'),
  tolerations: z.array(toleration).exactOptional().describe('Taints that do not matter.'),
  pick: pick.exactOptional().describe('How many of the clusters are used. Default: all.'),
  spread: z.array(spread).exactOptional().describe('Over how many groups of clusters they are spread.'),
  scores: z.array(score).exactOptional().describe('What makes a cluster better than another.'),
  division: division.exactOptional().describe('How replicas are divided over the clusters.'),
  rollout: rolloutWavesSchema
    .exactOptional()
    .describe('In which waves of clusters a change is carried out. Default: everywhere at once.'),
  failover: failoverRulesSchema
    .exactOptional()
    .describe('When replicas move away from a cluster in trouble, and how fast. Default: as each field says.'),
});

/**
 * Where a workload goes, and how its replicas are divided. `checkPolicy` says what makes no sense in one; `schedule` decides by it.
 */
export const PlacementPolicy = defineResource({
  group: 'scheduling.clusterset.dev',
  version: 'v1alpha1',
  kind: 'PlacementPolicy',
  plural: 'placementpolicies',
  scope: 'Namespaced',
  description: 'Chooses clusters for a workload and divides its replicas over them.',
  spec,
});

/** An object of {@link PlacementPolicy}. */
export type PlacementPolicy = Resource<PlacementPolicySpec>;
/** The spec of a {@link PlacementPolicy}. */
export type PlacementPolicySpec = Readonly<z.infer<typeof spec>>;
/** One of several groups of clusters. */
export type ClusterGroup = Readonly<z.infer<typeof group>>;
export type { ClusterSelection, PropertyRequirement } from './selection.ts';
/** A taint that doesn't matter (API: core/v1 Toleration). */
export type Toleration = Readonly<z.infer<typeof toleration>>;
/** How many clusters are used. */
export type PickPolicy = Readonly<z.infer<typeof pick>>;
/** Over how many groups of clusters a workload is spread. */
export type SpreadConstraint = Readonly<z.infer<typeof spread>>;
/** What makes a cluster better than another. */
export type ScorePolicy = Readonly<z.infer<typeof score>>;
/** How replicas are divided. */
export type DivisionPolicy = Readonly<z.infer<typeof division>>;
/** What a policy says of one cluster's share. */
export type DivisionPreference = Readonly<z.infer<typeof clusterPreference>>;
/** A workload by type and name. */
export type WorkloadReference = Readonly<z.infer<typeof workloadReference>>;
