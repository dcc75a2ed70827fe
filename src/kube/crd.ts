import { z } from 'zod';
import { ClustersetError } from './errors.ts';
import { isRecord, type KubeObject } from './object.ts';
import { qualifiedPlural, type ResourceAddress } from './resource.ts';

/** A column of `kubectl get` (API: apiextensions/v1 CustomResourceColumnDefinition). */
export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly jsonPath: string;
  readonly description?: string;
  readonly priority?: number;
}

/** A structural schema (API: apiextensions/v1 JSONSchemaProps). */
export type StructuralSchema = Readonly<Record<string, unknown>>;

/** API: apiextensions.k8s.io/v1 CustomResourceDefinition. */
export interface CustomResourceDefinition extends KubeObject {
  readonly spec: {
    readonly group: string;
    readonly scope: string;
    readonly names: {
      readonly kind: string;
      readonly plural: string;
      readonly singular: string;
      readonly listKind: string;
      readonly shortNames?: readonly string[];
      readonly categories?: readonly string[];
    };
    readonly versions: readonly {
      readonly name: string;
      readonly served: boolean;
      readonly storage: boolean;
      readonly schema: { readonly openAPIV3Schema: StructuralSchema };
      readonly subresources?: { readonly status?: Readonly<Record<string, never>> };
      readonly additionalPrinterColumns?: readonly PrinterColumn[];
    }[];
  };
}

/** The parts of a resource definition that its CRD shows. */
export interface CrdParts {
  readonly olderVersions?: readonly string[];
  readonly spec?: z.ZodType | undefined;
  readonly specOptional?: boolean | undefined;
  /** Fields beside the metadata, for kinds that have them in place of a spec and a status. */
  readonly fields?: z.ZodObject | undefined;
  readonly status?: z.ZodType | undefined;
  readonly statusSubresource?: boolean;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly categories?: readonly string[];
  readonly shortNames?: readonly string[];
  readonly printerColumns?: readonly PrinterColumn[];
  readonly description?: string;
}

/** The CRD of a type. */
export function crdOf(type: ResourceAddress, parts: CrdParts): CustomResourceDefinition {
  const { required, properties } = parts.fields === undefined ? specAndStatus(parts) : structuralSchema(parts.fields);
  const schema = {
    ...(parts.description === undefined ? {} : { description: parts.description }),
    type: 'object',
    ...(required === undefined ? {} : { required }),
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      ...(isRecord(properties) ? properties : {}),
    },
  };
  const hasStatus = parts.statusSubresource ?? parts.status !== undefined;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: qualifiedPlural(type), ...(parts.annotations === undefined ? {} : { annotations: parts.annotations }) },
    spec: {
      group: type.group,
      scope: type.scope,
      names: {
        kind: type.kind,
        plural: type.plural,
        singular: type.kind.toLowerCase(),
        listKind: `${type.kind}List`,
        ...(parts.shortNames === undefined ? {} : { shortNames: parts.shortNames }),
        ...(parts.categories === undefined ? {} : { categories: parts.categories }),
      },
      versions: [...(parts.olderVersions ?? []), type.version].map((name) => ({
        name,
        served: true,
        storage: name === type.version,
        schema: { openAPIV3Schema: schema },
        ...(hasStatus ? { subresources: { status: {} } } : {}),
        ...(parts.printerColumns === undefined ? {} : { additionalPrinterColumns: parts.printerColumns }),
      })),
    },
  };
}

function specAndStatus({ spec, specOptional, status }: CrdParts): StructuralSchema {
  return {
    required: spec === undefined || specOptional === true ? undefined : ['spec'],
    properties: {
      ...(spec === undefined ? {} : { spec: structuralSchema(spec) }),
      ...(status === undefined ? {} : { status: structuralSchema(status) }),
    },
  };
}

/**
 * The structural schema of a zod schema, as CRDs want it (KEP-1693): zod's own JSON Schema is close, and refused by API servers in several
 * places, each of which is set right here.
 *
 * @throws ClustersetError `Invalid` for what a CRD can't say: recursion, transforms, patterns that RE2 doesn't know.
 */
export function structuralSchema(schema: z.ZodType): StructuralSchema {
  const json = z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input', reused: 'inline', cycles: 'throw' });
  return structural(json as Readonly<Record<string, unknown>>, '');
}

const ENTIRE_SAFE_RANGE = 9007199254740991;

function structural(node: Readonly<Record<string, unknown>>, path: string): StructuralSchema {
  const { $schema: _, minimum, maximum, pattern, format, additionalProperties, anyOf, properties, items, ...rest } = node;
  if (isIntOrString(anyOf)) return { ...rest, 'x-kubernetes-int-or-string': true };
  if (anyOf !== undefined || rest.oneOf !== undefined) {
    throw unsupported(path, 'a union has no structural schema; use optional members beside each other');
  }
  if (Object.keys(node).every((name) => name === 'description' || name === '$schema')) {
    return { ...rest, 'x-kubernetes-preserve-unknown-fields': true };
  }
  return {
    ...rest,
    ...range(rest.type, minimum, maximum),
    ...text(pattern, format, path),
    ...object(properties, additionalProperties, path),
    ...(isRecord(items) ? { items: structural(items, `${path}[]`) } : {}),
  };
}

const isIntOrString = (anyOf: unknown): boolean =>
  Array.isArray(anyOf) &&
  anyOf.length === 2 &&
  anyOf.some((part) => isRecord(part) && part.type === 'string') &&
  anyOf.some((part) => isRecord(part) && part.type === 'integer');

function range(type: unknown, minimum: unknown, maximum: unknown): StructuralSchema {
  const isInt32 = type === 'integer' && minimum === -(2 ** 31) && maximum === 2 ** 31 - 1;
  if (isInt32) return { format: 'int32' };
  return {
    ...(type === 'integer' ? { format: 'int64' } : {}),
    ...(typeof minimum === 'number' && minimum !== -ENTIRE_SAFE_RANGE ? { minimum } : {}),
    ...(typeof maximum === 'number' && maximum !== ENTIRE_SAFE_RANGE ? { maximum } : {}),
  };
}

function text(pattern: unknown, format: unknown, path: string): StructuralSchema {
  if (format === 'date-time') return { format };
  if (typeof pattern === 'string' && /\(\?(?:=|!|<)|\\[1-9]/.test(pattern)) {
    throw unsupported(path, `the pattern ${pattern} looks around or back, which API servers don't (RE2)`);
  }
  // JavaScript writes a slash as \/ for the sake of its literals.
  const plain = typeof pattern === 'string' ? pattern.replace(/\\(.)/gs, (pair, next) => (next === '/' ? '/' : pair)) : undefined;
  return { ...(plain === undefined ? {} : { pattern: plain }), ...(format === undefined ? {} : { format }) };
}

function object(properties: unknown, additional: unknown, path: string): StructuralSchema {
  const known = isRecord(properties) && Object.keys(properties).length > 0 ? properties : undefined;
  const shape =
    known === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(known).map(([name, value]) => [name, structural(value as StructuralSchema, `${path}.${name}`)]),
          ),
        };
  if (!isRecord(additional)) return shape;
  if (Object.keys(additional).length === 0) return { ...shape, 'x-kubernetes-preserve-unknown-fields': true };
  return { additionalProperties: structural(additional, `${path}.*`) };
}

function unsupported(path: string, message: string): ClustersetError {
  return new ClustersetError({ code: 'Invalid', message, field: path === '' ? undefined : path.replace(/^\./, '') });
}
