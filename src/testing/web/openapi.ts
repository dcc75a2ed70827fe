import { apiVersionOf } from '../../kube/index.ts';
import type { Served } from '../api/catalogue.ts';
import type { Schema } from '../schema/schema.ts';

/** The list of OpenAPI documents: one for each group and version. */
export function openapiRoot(served: readonly Served[], revision: string): unknown {
  const versions = [...new Set(served.map(({ type }) => apiVersionOf(type)))];
  return {
    paths: Object.fromEntries(
      versions.map((version) => {
        const path = version.includes('/') ? `apis/${version}` : `api/${version}`;
        return [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${revision}` }];
      }),
    ),
  };
}

/**
 * The OpenAPI document of a group and version, as far as kubectl looks into it: which parameters a patch takes, and how types are built and
 * merge. Descriptions aren't recorded.
 */
export function openapiDocument(served: readonly Served[], group: string, version: string): unknown {
  const chosen = served.filter(({ type }) => type.group === group && type.version === version);
  if (chosen.length === 0) return undefined;
  const definitions = new Definitions();
  for (const each of chosen) definitions.add(each);
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes (offline)', version: 'v1' },
    paths: Object.fromEntries(chosen.map((each) => [pathOf(each), { patch: patchOperation(each) }])),
    components: { schemas: definitions.schemas },
  };
}

function pathOf({ type }: Served): string {
  const root = type.group === '' ? `/api/${type.version}` : `/apis/${apiVersionOf(type)}`;
  return `${root}${type.scope === 'Namespaced' ? '/namespaces/{namespace}' : ''}/${type.plural}/{name}`;
}

const PARAMETERS = ['dryRun', 'fieldManager', 'fieldValidation', 'force'].map((name) => ({
  name,
  in: 'query',
  schema: { type: name === 'force' ? 'boolean' : 'string', uniqueItems: true },
}));

function kindOf({ type }: Served): unknown {
  return { group: type.group, version: type.version, kind: type.kind };
}

function patchOperation(served: Served): unknown {
  return {
    operationId: `patch${served.type.kind}`,
    parameters: PARAMETERS,
    responses: { 200: { description: 'OK' } },
    'x-kubernetes-action': 'patch',
    'x-kubernetes-group-version-kind': kindOf(served),
  };
}

/** Schemas by name; structs that occur in several places, or in themselves, are written once. */
class Definitions {
  readonly schemas: Record<string, unknown> = {};
  readonly #names = new Map<readonly string[], string>();

  add(served: Served): void {
    const { type, schema, custom } = served;
    const name = `offline.${type.group === '' ? 'core' : type.group}.${type.version}.${type.kind}`;
    const body = custom === undefined ? this.#body(schema) : { ...custom.schema };
    this.schemas[name] = { ...(body as object), 'x-kubernetes-group-version-kind': [kindOf(served)] };
  }

  #body(schema: Schema): unknown {
    if (schema.type !== 'struct') return this.#schema(schema);
    const properties = schema.names.map((name) => {
      const field = schema.field(name);
      return [name, field === undefined ? {} : this.#schema(field)];
    });
    return {
      type: 'object',
      properties: Object.fromEntries(properties),
      ...(schema.required.size === 0 ? {} : { required: [...schema.required] }),
      ...(schema.atomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
    };
  }

  #schema(schema: Schema): unknown {
    const merge = mergeRules(schema);
    switch (schema.type) {
      case 'struct':
        return { allOf: [{ $ref: this.#reference(schema) }], ...merge };
      case 'map':
        return { type: 'object', additionalProperties: this.#schema(schema.values), ...merge };
      case 'list':
        return {
          type: 'array',
          items: this.#schema(schema.items),
          'x-kubernetes-list-type': schema.list,
          ...(schema.keys.length === 0 ? {} : { 'x-kubernetes-list-map-keys': schema.keys }),
          ...merge,
        };
      case 'scalar':
        return { ...scalarSchema(schema.scalar), ...merge };
      default:
        return { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, ...merge };
    }
  }

  #reference(schema: Schema & { readonly type: 'struct' }): string {
    // Attributes of a field come with a copy of the struct; its list of names stays the same.
    const known = this.#names.get(schema.names);
    if (known !== undefined) return `#/components/schemas/${known}`;
    const name = `offline.struct${this.#names.size}`;
    this.#names.set(schema.names, name);
    this.schemas[name] = this.#body(schema);
    return `#/components/schemas/${name}`;
  }
}

function mergeRules({ patch }: Schema): Record<string, unknown> {
  if (patch === undefined) return {};
  const strategy = [patch.merge ? 'merge' : '', patch.retainKeys ? 'retainKeys' : ''].filter((each) => each !== '').join(',');
  return {
    'x-kubernetes-patch-strategy': strategy,
    ...(patch.mergeKey === undefined ? {} : { 'x-kubernetes-patch-merge-key': patch.mergeKey }),
  };
}

function scalarSchema(scalar: string): Record<string, unknown> {
  switch (scalar) {
    case 'quantity':
      return { oneOf: [{ type: 'string' }, { type: 'number' }] };
    case 'int-or-string':
      return { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] };
    case 'time':
      return { type: 'string', format: 'date-time' };
    case 'bytes':
      return { type: 'string', format: 'byte' };
    default:
      return { type: scalar };
  }
}
