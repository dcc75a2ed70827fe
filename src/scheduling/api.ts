import { z } from 'zod';
import { defineResource, type Resource } from '../kube/index.ts';

const int64 = z.int();

const clusterPreference = z.object({
  minReplicas: int64.exactOptional().describe('Replicas that the cluster gets before any are divided by weight. Default 0.'),
  maxReplicas: int64.exactOptional().describe('Replicas that the cluster gets at most. Default: no limit.'),
  weight: int64.exactOptional().describe('Share of the replicas that are left after all minimums. Default 0.'),
});

const spec = z.object({
  targetKind: z
    .string()
    .describe('Kind of the federated object of the same namespace and name: FederatedDeployment or FederatedReplicaSet.'),
  totalReplicas: z.int32().describe('Replicas in all clusters together.'),
  rebalance: z.boolean().exactOptional().describe('Move running replicas where the preferences say so. Default false.'),
  intersectWithClusterSelector: z
    .boolean()
    .exactOptional()
    .describe('Stay within the placement of the federated object, in place of using every ready cluster. Default false.'),
  clusters: z
    .record(z.string(), clusterPreference)
    .exactOptional()
    .describe('Preferences by cluster name; "*" is for clusters without their own. Default: weight 1 for all.'),
});

/**
 * Divides the replicas of a federated workload of the same name (API: scheduling.kubefed.io/v1alpha1, as kubefed v0.10.0 had it). Like the
 * original it takes any numbers; `checkReplicaSchedulingPreference` says which of them make no sense.
 */
export const ReplicaSchedulingPreference = defineResource({
  group: 'scheduling.kubefed.io',
  version: 'v1alpha1',
  kind: 'ReplicaSchedulingPreference',
  plural: 'replicaschedulingpreferences',
  scope: 'Namespaced',
  shortNames: ['rsp'],
  description: 'Divides the replicas of the federated workload of the same namespace and name over clusters.',
  spec,
  status: z.object({}),
});

/** An object of {@link ReplicaSchedulingPreference}. */
export type ReplicaSchedulingPreference = Resource<z.infer<typeof spec>, Record<string, never>>;
