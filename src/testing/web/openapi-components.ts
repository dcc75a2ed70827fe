import { apiVersionOf } from '../../kube/plain/index.ts';
import type { Served } from '../api/catalogue.ts';
import structures from '../schema/built-in-structures.json' with { type: 'json' };
import type { Schema, StructSchema } from '../schema/schema.ts';

type OpenApi = Readonly<Record<string, unknown>>;

/** The recorded codes of the fields of each struct: see schema/built-in.ts for the notation. */
const CODES = structures.definitions as unknown as Readonly<Record<string, Readonly<Record<string, string>>>>;
const KINDS = structures.kinds as unknown as Readonly<Record<string, { readonly definition: string }>>;

const ROOTS: Readonly<Record<string, string>> = {
  meta: 'io.k8s.apimachinery.pkg.apis.',
  apiextensions: 'io.k8s.apiextensions-apiserver.pkg.apis.',
};
const OBJECT_META = 'meta.v1.ObjectMeta';

/** The name of a struct in OpenAPI: people see its last word in `kubectl explain`. */
function fullName(definition: string): string {
  return `${ROOTS[definition.split('.')[0] ?? ''] ?? 'io.k8s.api.'}${definition}`;
}

const SCHEMA = 'apiextensions.v1.JSONSchemaProps';
const apiextensions = (name: string): string => fullName(`apiextensions.v1.${name}`);

/** Types that are recorded as anything at all, by struct and field. */
const UNTYPED: Readonly<Record<string, string>> = {
  'meta.v1.ManagedFieldsEntry.fieldsV1': fullName('meta.v1.FieldsV1'),
  'apps.v1.ControllerRevision.data': 'io.k8s.apimachinery.pkg.runtime.RawExtension',
  [`${SCHEMA}.additionalItems`]: apiextensions('JSONSchemaPropsOrBool'),
  [`${SCHEMA}.additionalProperties`]: apiextensions('JSONSchemaPropsOrBool'),
  [`${SCHEMA}.default`]: apiextensions('JSON'),
  [`${SCHEMA}.enum`]: apiextensions('JSON'),
  [`${SCHEMA}.example`]: apiextensions('JSON'),
  [`${SCHEMA}.dependencies`]: apiextensions('JSONSchemaPropsOrStringArray'),
  [`${SCHEMA}.items`]: apiextensions('JSONSchemaPropsOrArray'),
};

/** What a type without fields is, where it isn't simply an object. */
const LEAVES: Readonly<Record<string, OpenApi>> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': { oneOf: [{ type: 'string' }, { type: 'number' }] },
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': {
    format: 'int-or-string',
    oneOf: [{ type: 'integer' }, { type: 'string' }],
  },
  'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1': { type: 'object' },
  'io.k8s.apimachinery.pkg.runtime.RawExtension': { type: 'object' },
};

const QUANTITY = 'io.k8s.apimachinery.pkg.api.resource.Quantity';
const INT_OR_STRING = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString';

/** Where a type stands: what is recorded of the field, and the field's full name. */
interface Place {
  readonly code: string;
  readonly field: string;
}

/** The schemas of an OpenAPI document by name. */
export class Components {
  readonly schemas: Record<string, OpenApi> = {};

  add(served: Served): void {
    const { group, version, kind } = served.type;
    const kinds = [{ group, version, kind }];
    if (served.custom === undefined) {
      const definition = KINDS[`${apiVersionOf(served.type)}/${kind}`]?.definition;
      if (definition === undefined) return;
      const name = this.#struct(definition, served.schema);
      this.schemas[name] = { ...this.schemas[name], 'x-kubernetes-group-version-kind': kinds };
    } else {
      const name = `${[...group.split('.').toReversed(), version, kind].join('.')}`;
      const schema = this.#custom(served.custom.schema as OpenApi, served.schema.field('metadata'));
      this.schemas[name] = { ...schema, 'x-kubernetes-group-version-kind': kinds };
    }
  }

  /** A CRD's schema with what every object has. */
  #custom(schema: OpenApi, metadata: Schema | undefined): OpenApi {
    if (metadata?.type === 'struct') this.#struct(OBJECT_META, metadata);
    const own = typeof schema.properties === 'object' ? (schema.properties as OpenApi) : {};
    return {
      ...schema,
      type: 'object',
      properties: {
        ...own,
        apiVersion: {
          type: 'string',
          ...described(own.apiVersion, 'The group and version of the schema that the object follows.'),
        },
        kind: { type: 'string', ...described(own.kind, 'The kind of the object, in CamelCase.') },
        metadata: {
          ...described(own.metadata, 'What every object has: name, labels, owners.'),
          allOf: [{ $ref: reference(fullName(OBJECT_META)) }],
        },
      },
    };
  }

  /** Writes a struct once, and answers its name. Structs may hold themselves. */
  #struct(definition: string, schema: StructSchema): string {
    const name = fullName(definition);
    if (this.schemas[name] !== undefined) return name;
    this.schemas[name] = {};
    const properties = schema.names.map((field) => {
      const place = { code: CODES[definition]?.[field] ?? '', field: `${definition}.${field}` };
      const of = schema.field(field);
      return [field, of === undefined ? {} : this.#property(of, place)] as const;
    });
    this.schemas[name] = {
      type: 'object',
      ...(properties.length === 0 ? {} : { properties: Object.fromEntries(properties) }),
      ...(schema.required.size === 0 ? {} : { required: [...schema.required] }),
      ...(schema.atomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
    };
    return name;
  }

  /** A type and what else is said of the field. */
  #property(schema: Schema, place: Place): OpenApi {
    const { $ref, ...type } = this.#type(schema, place);
    const said = {
      ...('default' in schema ? { default: schema.default } : {}),
      ...(schema.zero ? { default: {} } : {}),
      ...mergeRules(schema),
    };
    if ($ref === undefined) return { ...type, ...said };
    return Object.keys(said).length === 0 ? { $ref } : { ...said, allOf: [{ $ref }] };
  }

  #type(schema: Schema, place: Place): OpenApi {
    switch (schema.type) {
      case 'struct': {
        const [, definition] = /@([\w.]+)/.exec(place.code) ?? [];
        return definition === undefined ? { type: 'object' } : { $ref: reference(this.#struct(definition, schema)) };
      }
      case 'map':
        return { type: 'object', additionalProperties: this.#type(schema.values, place) };
      case 'list':
        return {
          type: 'array',
          items: this.#type(schema.items, place),
          'x-kubernetes-list-type': schema.list,
          ...(schema.keys.length === 0 ? {} : { 'x-kubernetes-list-map-keys': schema.keys }),
        };
      case 'scalar':
        return this.#scalar(schema.scalar, schema.enum);
      default:
        return this.#leaf(UNTYPED[place.field]);
    }
  }

  #leaf(name: string | undefined): OpenApi {
    if (name === undefined) return { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
    this.schemas[name] ??= LEAVES[name] ?? {};
    return { $ref: reference(name) };
  }

  #scalar(scalar: string, options: readonly string[] | undefined): OpenApi {
    switch (scalar) {
      case 'quantity':
        return this.#leaf(QUANTITY);
      case 'int-or-string':
        return this.#leaf(INT_OR_STRING);
      case 'time':
        return { type: 'string', format: 'date-time' };
      case 'bytes':
        return { type: 'string', format: 'byte' };
      default:
        return { type: scalar, ...(options === undefined ? {} : { enum: options }) };
    }
  }
}

const reference = (name: string): string => `#/components/schemas/${name}`;

function described(own: unknown, fallback: string): OpenApi {
  const given = typeof own === 'object' && own !== null && 'description' in own ? own.description : undefined;
  return { description: typeof given === 'string' ? given : fallback };
}

function mergeRules({ patch }: Schema): OpenApi {
  if (patch === undefined) return {};
  const strategy = [patch.merge ? 'merge' : '', patch.retainKeys ? 'retainKeys' : ''].filter((each) => each !== '').join(',');
  return {
    'x-kubernetes-patch-strategy': strategy,
    ...(patch.mergeKey === undefined ? {} : { 'x-kubernetes-patch-merge-key': patch.mergeKey }),
  };
}
