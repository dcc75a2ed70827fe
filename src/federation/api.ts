import { z } from 'zod';
import { defineResource, formatFieldPath, type Issue, labelSelectorSchema, type Resource } from '../kube/index.ts';

/** The label that every member object of a federated object carries; `"false"` refuses management (kubefed's own label). */
export const MANAGED_LABEL = 'kubefed.io/managed';
/** On a federated object: `"true"` leaves member objects where they are when it is deleted. */
export const ORPHAN_ANNOTATION = 'kubefed.io/orphan';
/** On a federated object: JSON of meta/v1 DeleteOptions for the member objects. */
export const DELETE_OPTIONS_ANNOTATION = 'kubefed.io/deleteoption';
/** Holds a federated object until its member objects are gone. */
export const FINALIZER = 'kubefed.io/sync-controller';
/** On a federated object: the clusters that may have something of it, so that nothing is forgotten there when it is deleted. */
export const CLUSTERS_ANNOTATION = 'clusterset.dev/clusters';
/** On a member object: which federated object it belongs to. */
export const OWNER_ANNOTATION = 'clusterset.dev/owner';

const operation = z.object({
  op: z
    .string()
    .regex(/^(add|remove|replace)?$/, {
      error: ({ input }) => `unknown operation ${JSON.stringify(input)}: use "add", "remove" or "replace"`,
    })
    .exactOptional()
    .describe('add, remove or replace. Default: replace.'),
  path: z.string().describe('JSON Pointer into the template (RFC 6901).'),
  value: z.unknown().exactOptional().describe('For add and replace.'),
});

const override = z.object({
  clusterName: z.string().exactOptional().describe('The cluster that the operations are for.'),
  clusterSelector: labelSelectorSchema
    .exactOptional()
    .describe('The clusters that the operations are for, by their labels; in place of clusterName.'),
  clusterOverrides: z.array(operation).exactOptional().describe('Carried out in order.'),
});

const placement = z.object({
  clusters: z
    .array(z.object({ name: z.string() }))
    .exactOptional()
    .describe('Clusters by name. Outranks the selector, also when empty.'),
  clusterSelector: labelSelectorSchema.exactOptional().describe('Clusters by their labels; {} selects all.'),
});

const baseSpec = z.object({
  template: z.looseObject({}).exactOptional().describe('What the object looks like in a cluster, before overrides.'),
  placement: placement.exactOptional().describe('Where the object should be.'),
  overrides: z
    .array(override)
    .exactOptional()
    .describe('What differs: items with a selector first, in their order, then the item that names the cluster.'),
});

const spec = baseSpec.extend({
  retainReplicas: z
    .boolean()
    .exactOptional()
    .describe('Leave spec.replicas to the member cluster, for example to an autoscaler.'),
});

const condition = z.object({
  type: z.string(),
  status: z.string(),
  reason: z.string().exactOptional(),
  message: z.string().exactOptional(),
  lastUpdateTime: z.iso.datetime().exactOptional(),
  lastTransitionTime: z.iso.datetime().exactOptional(),
});

const status = z.object({
  observedGeneration: z.int().exactOptional(),
  conditions: z.array(condition).exactOptional(),
  clusters: z
    .array(
      z.object({
        name: z.string(),
        status: z.string().exactOptional().describe('What is in the way; absent where nothing is.'),
        message: z.string().exactOptional().describe('Why, in words.'),
        rollout: z.string().exactOptional().describe('Complete, Progressing or Failed.'),
        replicas: z.int32().exactOptional(),
        readyReplicas: z.int32().exactOptional(),
        remoteStatus: z.looseObject({}).exactOptional(),
      }),
    )
    .exactOptional(),
});

/** The spec of every federated object (API: types.kubefed.io/v1beta1, as `kubefedctl enable` generated it). */
export type FederatedSpec = z.infer<typeof spec>;
/** The status of every federated object. */
export type FederatedStatus = z.infer<typeof status>;
/** An object of any federated type. */
export type FederatedObject = Resource<FederatedSpec, FederatedStatus>;
/** One item of `spec.overrides`. */
export type Override = z.infer<typeof override>;
/** One operation of an {@link Override}. */
export type OverrideOperation = z.infer<typeof operation>;
/** `spec.placement`. */
export type PlacementSpec = z.infer<typeof placement>;
/** One entry of `status.clusters`. */
export type ClusterStatus = NonNullable<FederatedStatus['clusters']>[number];

/** A status as it was found; `undefined` where it hasn't the shape of one, and has to be written anew. */
export function readStatus(value: unknown): FederatedStatus | undefined {
  const read = status.safeParse(value);
  return read.success ? (value as FederatedStatus) : undefined;
}

/** What is wrong with the shape of `spec.placement`. */
export function placementShapeIssues(value: unknown): readonly Issue[] {
  const read = placement.optional().safeParse(value);
  if (read.success) return [];
  return read.error.issues.map(({ path, message }) => ({
    field: formatFieldPath(['spec', 'placement', ...path.map(String)], { spec: { placement: value } }),
    message: message.replace(/^Invalid input: /, ''),
  }));
}

/** Schemas of a federated type; `retainReplicas` is there for targets that have replicas. */
export function federatedSchemas(hasReplicas: boolean): {
  readonly spec: z.ZodType<FederatedSpec>;
  readonly status: z.ZodType<FederatedStatus>;
} {
  return { spec: hasReplicas ? spec : baseSpec, status };
}

const apiResource = z.object({
  group: z.string().exactOptional(),
  version: z.string().exactOptional(),
  kind: z.string(),
  pluralName: z.string().exactOptional(),
  scope: z.enum(['Cluster', 'Namespaced']),
});

const toggle = z.enum(['Enabled', 'Disabled']);

const typeConfigSpec = z.object({
  targetType: apiResource.describe('What is put into the member clusters.'),
  federatedType: apiResource.describe('What is written on the host.'),
  statusType: apiResource.exactOptional(),
  propagation: toggle.describe('Whether objects are propagated.'),
  statusCollection: toggle.exactOptional(),
});

const runState = z.enum(['Running', 'NotRunning']);

/** Makes a type known to the federation (API: core.kubefed.io/v1beta1 FederatedTypeConfig). */
export const FederatedTypeConfig = defineResource({
  group: 'core.kubefed.io',
  version: 'v1beta1',
  kind: 'FederatedTypeConfig',
  plural: 'federatedtypeconfigs',
  scope: 'Namespaced',
  shortNames: ['ftc'],
  description: 'Makes a type known to the federation: which type is written on the host, and what it becomes in the members.',
  spec: typeConfigSpec,
  status: z.object({
    observedGeneration: z.int().exactOptional(),
    propagationController: runState.exactOptional(),
    statusController: runState.exactOptional(),
  }),
});

/** An object of {@link FederatedTypeConfig}. */
export type FederatedTypeConfig = Resource<z.infer<typeof typeConfigSpec>>;
