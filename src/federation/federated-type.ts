import {
  type AnyObject,
  BUILT_IN,
  ClustersetError,
  type DefinedResource,
  defineResource,
  isSameResource,
  type ResourceType,
} from '../kube/index.ts';
import { type FederatedObject, FederatedTypeConfig, federatedSchemas } from './api.ts';

/** The group and version of federated types that nothing else is said about. */
export const FEDERATED_GROUP = 'types.kubefed.io';
const FEDERATED_VERSION = 'v1beta1';

/** A type that is federated: what is written on the host, and what becomes of it in the members. */
export interface FederatedType {
  readonly target: ResourceType;
  readonly federated: DefinedResource<FederatedObject>;
}

/** What {@link federate} takes beside the target. */
export interface FederateOptions {
  readonly federatedType?: {
    readonly group?: string;
    readonly version?: string;
    readonly kind?: string;
    readonly plural?: string;
  };
  /** Whether objects of the target have `spec.replicas`. Default: true for Deployment, ReplicaSet and StatefulSet. */
  readonly hasReplicas?: boolean;
}

const WITH_REPLICAS: ReadonlySet<string> = new Set(['Deployment', 'ReplicaSet', 'StatefulSet', 'ReplicationController']);

/** The federated twin of a type, as `kubefedctl enable` names it: `deployments` becomes `federateddeployments.types.kubefed.io`. */
export function federate(target: ResourceType, options: FederateOptions = {}): FederatedType {
  const { group = FEDERATED_GROUP, version = FEDERATED_VERSION } = options.federatedType ?? {};
  const isNamespace = target.group === '' && target.kind === 'Namespace';
  const federated = defineResource({
    group,
    version,
    kind: options.federatedType?.kind ?? `Federated${target.kind}`,
    plural: options.federatedType?.plural ?? `federated${target.plural}`,
    scope: isNamespace ? 'Namespaced' : target.scope,
    description: `Puts a ${target.kind} into the clusters that its placement selects, with overrides for some of them.`,
    ...federatedSchemas(options.hasReplicas ?? (target.group === 'apps' && WITH_REPLICAS.has(target.kind))),
    printerColumns: [
      { name: 'Propagated', type: 'string', jsonPath: '.status.conditions[?(@.type=="Propagation")].status' },
      { name: 'Rolled out', type: 'string', jsonPath: '.status.conditions[?(@.type=="RolledOut")].status' },
      { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    ],
  });
  const { group: _group, version: _version, kind, plural, scope } = target;
  return { target: { group: target.group, version: target.version, kind, plural, scope }, federated };
}

/** The federated types of all built-in kinds. */
export const BUILT_IN_FEDERATED_TYPES: readonly FederatedType[] = BUILT_IN.map((target) => federate(target));

/**
 * The federated type that a FederatedTypeConfig describes. Its name is the target's: `deployments.apps`, `services` for the core group.
 *
 * @throws ClustersetError `Invalid`.
 */
export function federatedTypeOf(value: unknown): FederatedType {
  const config = FederatedTypeConfig.read(value);
  const { targetType, federatedType } = config.spec;
  const dot = config.metadata.name.indexOf('.');
  const [plural, group] =
    dot < 0 ? [config.metadata.name, ''] : [config.metadata.name.slice(0, dot), config.metadata.name.slice(dot + 1)];
  if (targetType.version === undefined) {
    throw new ClustersetError({
      code: 'Invalid',
      message: 'the target has no version',
      object: { kind: config.kind, name: config.metadata.name },
      field: 'spec.targetType.version',
      mend: 'name the version that member clusters serve, such as "v1"',
    });
  }
  return federate(
    {
      group: targetType.group ?? group,
      version: targetType.version,
      kind: targetType.kind,
      plural: targetType.pluralName ?? plural,
      scope: targetType.scope,
    },
    {
      federatedType: {
        kind: federatedType.kind,
        ...(federatedType.group === undefined ? {} : { group: federatedType.group }),
        ...(federatedType.version === undefined ? {} : { version: federatedType.version }),
        ...(federatedType.pluralName === undefined ? {} : { plural: federatedType.pluralName }),
      },
    },
  );
}

/** Types with later ones in place of earlier ones for the same target. */
export function withTypes(types: readonly FederatedType[], more: readonly FederatedType[]): readonly FederatedType[] {
  const kept = types.filter(({ target }) => !more.some((other) => isSameResource(other.target, target)));
  return [...kept, ...more];
}

/** The federated type of an object by its apiVersion and kind. */
export function typeOfObject(
  object: Pick<AnyObject, 'apiVersion' | 'kind'>,
  types: readonly FederatedType[],
): FederatedType | undefined {
  return types.find(
    ({ federated }) => `${federated.group}/${federated.version}` === object.apiVersion && federated.kind === object.kind,
  );
}
