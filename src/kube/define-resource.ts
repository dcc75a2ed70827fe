import { z } from 'zod';
import { type CustomResourceDefinition, crdOf, type PrinterColumn } from './crd.ts';
import { ClustersetError, type Issue } from './errors.ts';
import { isRecord, type KubeObject, type ObjectMeta } from './object.ts';
import { formatFieldPath } from './pointer.ts';
import { apiVersionOf, type ResourceType, type Scope } from './resource.ts';

/** The object that {@link defineResource} describes. */
export type Resource<Spec, Status = never> = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly spec: Spec;
} & ([Status] extends [never] ? unknown : { readonly status?: Status });

/** What {@link defineResource} takes. */
export interface ResourceDefinition<Spec extends z.ZodType, Status extends z.ZodType | undefined> {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly scope: Scope;
  readonly spec: Spec;
  /** With a status the type has the status subresource. */
  readonly status?: Status;
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
export function defineResource<Spec extends z.ZodType, Status extends z.ZodType | undefined = undefined>(
  definition: ResourceDefinition<Spec, Status>,
): DefinedResource<Resource<z.infer<Spec>, Status extends z.ZodType ? z.infer<Status> : never>> {
  type T = Resource<z.infer<Spec>, Status extends z.ZodType ? z.infer<Status> : never>;
  const { group, version, kind, plural, scope } = definition;
  const type: ResourceType<T> = { group, version, kind, plural, scope };
  const schema = z.object({
    metadata: z.looseObject({ name: z.string() }),
    spec: definition.spec,
    ...(definition.status === undefined ? {} : { status: definition.status.optional() }),
  });
  const shapeIssues = (value: unknown): readonly Issue[] => {
    const identity = identityIssues(type, value);
    if (identity.length > 0) return identity;
    const result = schema.safeParse(value);
    return result.success ? [] : result.error.issues.map((issue) => issueOf(issue, value));
  };
  return {
    ...type,
    shapeIssues,
    crd: () => crdOf(type, definition),
    read: (value) => {
      const issues = shapeIssues(value);
      if (issues.length === 0) return value as T;
      throw shapeError(kind, value, issues);
    },
  };
}

function identityIssues(type: ResourceType, value: unknown): readonly Issue[] {
  if (!isRecord(value)) return [{ field: '', message: 'is no object' }];
  const expected = { apiVersion: apiVersionOf(type), kind: type.kind };
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
