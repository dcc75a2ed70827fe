import { z } from 'zod';
import { type CrdParts, type CustomResourceDefinition, crdOf, type PrinterColumn } from './crd.ts';
import { ClustersetError, type Issue } from './errors.ts';
import { isRecord, type KubeObject, type ObjectMeta } from './object.ts';
import { formatFieldPath } from './pointer.ts';
import { apiVersionOf, type ResourceAddress, type ResourceType, type Scope } from './resource.ts';

/** The object that {@link defineResource} describes. */
export type Resource<Spec, Status = never, Optional extends boolean = false> = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
} & (Optional extends true ? { readonly spec?: Spec } : { readonly spec: Spec }) &
  ([Status] extends [never] ? unknown : { readonly status?: Status });

/** What {@link defineResource} takes. */
export interface ResourceDefinition<
  Spec extends z.ZodType,
  Status extends z.ZodType | undefined,
  Optional extends boolean = false,
> {
  readonly group: string;
  /** The version that is stored, and that the type's address names. */
  readonly version: string;
  /** Older versions of the same schema that are served as well, and read like the stored one. */
  readonly olderVersions?: readonly string[];
  readonly kind: string;
  readonly plural: string;
  readonly scope: Scope;
  readonly spec: Spec;
  /** Whether an object may lack its spec. Default false. */
  readonly specOptional?: Optional;
  readonly status?: Status;
  /** Whether the status is written on its own. Default: where there is a status. */
  readonly statusSubresource?: boolean;
  /** Annotations of the CRD. Groups of Kubernetes itself need `api-approved.kubernetes.io`, or API servers refuse them. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Names for groups of types: `kubectl get multicluster`. */
  readonly categories?: readonly string[];
  readonly shortNames?: readonly string[];
  readonly printerColumns?: readonly PrinterColumn[];
  /** Shown by `kubectl explain`. */
  readonly description?: string;
}

/** A resource type with its schema: address, reader and CRD in one. */
export interface DefinedResource<T extends KubeObject> extends ResourceType<T> {
  /** Checks the shape and returns the very same value, unknown fields included. @throws ClustersetError `Invalid`, with all issues. */
  read(value: unknown): T;
  /** What is wrong with the shape; nothing for a good value. */
  shapeIssues(value: unknown): readonly Issue[];
  /** The CustomResourceDefinition, with a structural schema that a real API server accepts. */
  crd(): CustomResourceDefinition;
}

/**
 * Defines a custom resource by its zod schemas: the one source of its TypeScript type, its reader and its CRD.
 *
 * Schemas describe what is written: no transforms, no look-around in patterns, no recursion. `z.looseObject({})` keeps unknown fields,
 * `z.union([z.string(), z.int()])` is Kubernetes' int-or-string, and `.meta({ 'x-kubernetes-list-type': 'map', … })` is passed through.
 */
export function defineResource<
  Spec extends z.ZodType,
  Status extends z.ZodType | undefined = undefined,
  Optional extends boolean = false,
>(
  definition: ResourceDefinition<Spec, Status, Optional>,
): DefinedResource<Resource<z.infer<Spec>, Status extends z.ZodType ? z.infer<Status> : never, Optional>>;
/**
 * Defines a custom resource that has fields of its own beside the metadata, in place of a spec and a status, as PlacementDecision and
 * EndpointSlice do.
 */
export function defineResource<Fields extends z.ZodObject>(
  definition: Omit<ResourceDefinition<z.ZodType, undefined>, 'spec' | 'specOptional' | 'status' | 'statusSubresource'> & {
    readonly fields: Fields;
  },
): DefinedResource<KubeObject & Readonly<z.infer<Fields>>>;
export function defineResource(definition: AnyDefinition): DefinedResource<KubeObject> {
  const { group, version, kind, plural, scope } = definition;
  const address: ResourceAddress = { group, version, kind, plural, scope };
  const schema = z.object({ metadata: z.looseObject({ name: z.string() }), ...partsOf(definition) });
  const shapeIssues = (value: unknown): readonly Issue[] => {
    const identity = identityIssues(address, definition.olderVersions ?? [], value);
    if (identity.length > 0) return identity;
    const result = schema.safeParse(value);
    return result.success ? [] : result.error.issues.map((issue) => issueOf(issue, value));
  };
  return {
    ...address,
    shapeIssues,
    crd: () => crdOf(address, definition),
    read: (value) => {
      const issues = shapeIssues(value);
      if (issues.length === 0) return value as KubeObject;
      throw shapeError(kind, value, issues);
    },
  };
}

type AnyDefinition = CrdParts & Pick<ResourceDefinition<z.ZodType, undefined>, keyof ResourceAddress>;

/** What an object holds beside its type and metadata. */
function partsOf({ fields, spec, specOptional, status }: AnyDefinition): z.ZodRawShape {
  if (fields !== undefined) return fields.shape;
  return {
    ...(spec === undefined ? {} : { spec: specOptional === true ? spec.optional() : spec }),
    ...(status === undefined ? {} : { status: status.optional() }),
  };
}

function identityIssues(type: ResourceAddress, olderVersions: readonly string[], value: unknown): readonly Issue[] {
  if (!isRecord(value)) return [{ field: '', message: 'is no object' }];
  const older = olderVersions.map((version) => apiVersionOf({ ...type, version }));
  const apiVersion = older.find((each) => each === value.apiVersion) ?? apiVersionOf(type);
  const expected = { apiVersion, kind: type.kind };
  return (['apiVersion', 'kind'] as const)
    .filter((field) => value[field] !== expected[field])
    .map((field) => ({
      field,
      message: `expected ${JSON.stringify(expected[field])}, found ${JSON.stringify(value[field]) ?? 'nothing'}`,
    }));
}

function issueOf(issue: z.core.$ZodIssue, document: unknown): Issue {
  const pointer = issue.path.map(String);
  const message = issue.message.replace(/^Invalid input: /, '');
  return { field: formatFieldPath(pointer, document), message: message.charAt(0).toLowerCase() + message.slice(1) };
}

/** One error for all issues: the first is spoken of, the others are listed behind it. */
export function shapeError(kind: string, value: unknown, issues: readonly Issue[]): ClustersetError {
  const metadata = isRecord(value) && isRecord(value.metadata) ? value.metadata : {};
  const [first, ...others] = issues;
  const more = others.map((issue) => `; ${issue.field}: ${issue.message}`).join('');
  return new ClustersetError({
    code: 'Invalid',
    message: `${first?.message ?? 'invalid'}${more}`,
    field: first?.field,
    mend: first?.mend,
    issues,
    object: {
      kind,
      name: typeof metadata.name === 'string' ? metadata.name : '(no name)',
      ...(typeof metadata.namespace === 'string' ? { namespace: metadata.namespace } : {}),
    },
  });
}
