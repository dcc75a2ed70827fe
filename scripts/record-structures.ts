/**
 * Records the structure of the common built-in kinds from a real API server, for the offline clusters: which fields there are, how lists and
 * maps merge, which subresources and short names a kind has. Run it when the pinned Kubernetes version changes:
 * `npm run build && node scripts/record-structures.ts`.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { apiVersionOf, BUILT_IN } from 'clusterset/kube';
import { UNFEDERATED } from '../src/testing/kinds/unfederated.ts';
import { startControlPlanes } from '../test/kube/harness/control-planes.ts';

type Schema = Readonly<Record<string, unknown>> & {
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
  readonly required?: readonly string[];
};

const TYPES = [...BUILT_IN, ...UNFEDERATED];
const definitions: Record<string, Schema> = {};

const shortName = (ref: string): string =>
  ref
    .replace('#/components/schemas/', '')
    .replace('io.k8s.api.', '')
    .replace('io.k8s.apimachinery.pkg.apis.', '')
    .replace('io.k8s.apiextensions-apiserver.pkg.apis.', '')
    .replace('io.k8s.apimachinery.pkg.', '');

const SPECIAL: Readonly<Record<string, string>> = {
  'api.resource.Quantity': 'q',
  'util.intstr.IntOrString': 'x',
  'meta.v1.Time': 't',
  'meta.v1.MicroTime': 't',
  'meta.v1.FieldsV1': 'o',
  'runtime.RawExtension': 'o',
  'apiextensions.v1.JSON': 'o',
};

/** The code of a field's type; see src/testing/schema/structure.ts for the notation. */
function typeCode(schema: Schema, wanted: Set<string>): string {
  const ref = schema.$ref ?? schema.allOf?.[0]?.$ref;
  if (ref !== undefined) {
    const name = shortName(ref);
    const special = SPECIAL[name];
    if (special !== undefined) return special;
    const definition = definitions[name];
    if (definition !== undefined && definition.properties === undefined && definition.type !== 'object')
      return typeCode(definition, wanted);
    wanted.add(name);
    return `@${name}`;
  }
  switch (schema.type) {
    case 'string':
      if (schema.format === 'byte') return 'B';
      return schema.format === 'date-time' ? 't' : 's';
    case 'integer':
      return 'i';
    case 'number':
      return 'n';
    case 'boolean':
      return 'b';
    case 'array':
      return `${listCode(schema)}${typeCode(schema.items ?? {}, wanted)}`;
    case 'object':
      return schema.additionalProperties === undefined ? 'o' : `{}${typeCode(schema.additionalProperties, wanted)}`;
    default:
      return 'o';
  }
}

function listCode(schema: Schema): string {
  const keys = schema['x-kubernetes-list-map-keys'] as readonly string[] | undefined;
  switch (schema['x-kubernetes-list-type']) {
    case 'map':
      return `[${(keys ?? []).join(',')}]`;
    case 'set':
      return '[=]';
    default:
      return '[]';
  }
}

function attributes(schema: Schema): string {
  const strategy = String(schema['x-kubernetes-patch-strategy'] ?? '');
  const isStruct = JSON.stringify(schema.default) === '{}';
  const parts = [
    isStruct ? 'zero' : '',
    schema.default !== undefined && !isStruct && schema.default !== '' && schema.default !== 0
      ? `d=${JSON.stringify(schema.default)}`
      : '',
    strategy.includes('merge') ? `m=${schema['x-kubernetes-patch-merge-key'] ?? ''}` : '',
    strategy.includes('retainKeys') ? 'r' : '',
    Array.isArray(schema.enum) ? `e=${schema.enum.join('|')}` : '',
    schema['x-kubernetes-map-type'] === 'atomic' ? 'atomic' : '',
  ];
  return parts
    .filter((part) => part !== '')
    .map((part) => `;${part}`)
    .join('');
}

function structureOf(schema: Schema, wanted: Set<string>): Record<string, string> {
  const fields = Object.entries(schema.properties ?? {}).map(([name, field]) => {
    const required = schema.required?.includes(name) ? '!' : '';
    return [name, `${required}${typeCode(field, wanted)}${attributes(field)}`];
  });
  const whole = schema['x-kubernetes-map-type'] === 'atomic' ? [['', 'atomic']] : [];
  return Object.fromEntries([...whole, ...fields]);
}

interface Discovered {
  readonly name: string;
  readonly kind: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

type Raw = (path: string) => unknown;

interface Recorded {
  readonly kinds: Record<string, unknown>;
  /** Names of the definitions that kinds begin with. */
  readonly wanted: Set<string>;
}

/** What discovery and OpenAPI say of the kinds of one group and version. */
function recordVersion(apiVersion: string, raw: Raw, { kinds, wanted }: Recorded): void {
  const path = apiVersion.includes('/') ? `apis/${apiVersion}` : `api/${apiVersion}`;
  const { components } = raw(`/openapi/v3/${path}`) as OpenApi;
  for (const [title, schema] of Object.entries(components.schemas)) definitions[shortName(title)] = schema;
  const { resources } = raw(`/${path}`) as { resources: readonly Discovered[] };
  for (const type of TYPES.filter((each) => apiVersionOf(each) === apiVersion)) {
    const found = resources.find(({ name }) => name === type.plural);
    const definition = Object.entries(components.schemas).find(([, schema]) => describes(schema, type))?.[0];
    if (found === undefined || definition === undefined) throw new Error(`the server has no ${apiVersion} ${type.kind}`);
    wanted.add(shortName(definition));
    kinds[`${apiVersion}/${type.kind}`] = {
      definition: shortName(definition),
      shortNames: found.shortNames ?? [],
      categories: found.categories ?? [],
      subresources: resources
        .filter((each) => each.name.startsWith(`${type.plural}/`))
        .map((each) => each.name.slice(type.plural.length + 1))
        .filter((each) => each === 'status' || each === 'scale'),
    };
  }
}

interface OpenApi {
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

function describes(schema: Schema, { group, version, kind }: GroupVersionKind): boolean {
  const described = (schema['x-kubernetes-group-version-kind'] ?? []) as readonly GroupVersionKind[];
  return described.some((each) => each.kind === kind && each.group === group && each.version === version);
}

/** One line for each entry: a change of the servers is a readable change of the file. */
function linesOf(value: object): string {
  const lines = Object.entries(value).map(([name, each]) => `  ${JSON.stringify(name)}: ${JSON.stringify(each)}`);
  return `{\n${lines.join(',\n')}\n}`;
}

async function record(): Promise<void> {
  const world = await startControlPlanes([{ name: 'host' }], console.log);
  try {
    const raw: Raw = (path) => {
      const options = ['--kubeconfig', world.kubeconfig, 'get', '--raw', path];
      return JSON.parse(execFileSync(world.kubectl, options, { encoding: 'utf8', maxBuffer: 1 << 28 }));
    };
    const { gitVersion } = raw('/version') as { gitVersion: string };
    const recorded: Recorded = { kinds: {}, wanted: new Set() };
    for (const apiVersion of new Set(TYPES.map(apiVersionOf))) recordVersion(apiVersion, raw, recorded);
    const { kinds, wanted } = recorded;
    const structures = new Map<string, unknown>();
    // More are wanted as definitions turn out to need others.
    for (const name of wanted) {
      const schema = definitions[name];
      if (schema === undefined) throw new Error(`there is no definition ${name}`);
      structures.set(name, structureOf(schema, wanted));
    }
    const sorted = Object.fromEntries([...structures].toSorted(([a], [b]) => (a < b ? -1 : 1)));
    writeFileSync(
      `${import.meta.dirname}/../src/testing/schema/built-in-structures.json`,
      `{\n"version": ${JSON.stringify(gitVersion)},\n"kinds": ${linesOf(kinds)},\n"definitions": ${linesOf(sorted)}\n}\n`,
    );
    console.log(`recorded ${Object.keys(kinds).length} kinds and ${structures.size} definitions of ${gitVersion}`);
  } finally {
    await world.stop();
  }
}

await record();
