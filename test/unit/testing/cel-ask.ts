import { type Cluster, isClustersetError, type ResourceType, resourceType, type StructuralSchema } from 'clusterset/kube';
import { CASES, type CelCase, DEFINITIONS } from './cel-cases.ts';

const crds = resourceType('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', 'Cluster');

/** What a cluster said: nothing where it did as it was told. */
interface Answer {
  readonly code: string;
  readonly causes: readonly string[];
}

function definition(plural: string, kind: string, schemas: Readonly<Record<string, StructuralSchema>>): object {
  const openAPIV3Schema = { type: 'object', properties: { spec: { type: 'object', properties: schemas } } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.rules.example.com` },
    spec: {
      group: 'rules.example.com',
      scope: 'Cluster',
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }],
    },
  };
}

/** Without names that a server makes up for types, and with the first of several problems of one expression only. */
const comparable = (message: string): string =>
  message.replace(/\nERROR: .*$/s, '').replace(/(?:selfType\d+|object\.T\d+)[\w.@]*/g, 'object');

/** The answer to a request, with causes in an order of their own: the server goes through fields in no order. */
async function answerTo(ask: () => Promise<unknown>): Promise<Answer> {
  try {
    await ask();
    return { code: 'OK', causes: [] };
  } catch (error) {
    if (!isClustersetError(error)) throw error;
    const causes = error.issues.map(({ field, reason, message }) => `${field} ${reason ?? ''} ${comparable(message)}`);
    return { code: `${error.code} ${error.status ?? ''}`, causes: [...new Set(causes)].toSorted() };
  }
}

/** Defines a kind that has a field for each case. */
async function defineFields(
  cluster: Cluster,
  number: number,
  schemas: Readonly<Record<string, StructuralSchema>>,
): Promise<ResourceType> {
  const [plural, kind] = [`ruled${number}s`, `Ruled${number}`];
  const type = resourceType('rules.example.com/v1', kind, plural, 'Cluster');
  await cluster.create(crds, definition(plural, kind, schemas) as never);
  for (let attempt = 0; ; attempt += 1) {
    try {
      await cluster.list(type);
      return type;
    } catch (error) {
      if (attempt > 500) throw error;
    }
  }
}

/** What a cluster says of the definition, without storing it. */
function askDefinition(cluster: Cluster, schema: StructuralSchema): Promise<Answer> {
  return answerTo(() => cluster.create(crds, definition('tried', 'Tried', { field: schema }) as never, { dryRun: true }));
}

let count = 0;

/** What a cluster says of a case's value, where its old value was. */
function askCase(cluster: Cluster, type: ResourceType, field: string, { value, old }: CelCase): Promise<Answer> {
  count += 1;
  const made = (spec: object): object => ({
    apiVersion: `${type.group}/${type.version}`,
    kind: type.kind,
    metadata: { name: `case-${count}` },
    spec,
  });
  if (old === undefined) return answerTo(() => cluster.create(type, made({ [field]: value }) as never));
  return answerTo(async () => {
    const stored = await cluster.create(type, made({ [field]: old }) as never);
    await cluster.update(type, { ...stored, spec: { [field]: value } } as never);
  });
}

/** All answers to all definitions, by their names. */
async function askDefinitions(
  cluster: Cluster,
  definitions: readonly (readonly [name: string, schema: StructuralSchema])[],
): Promise<Readonly<Record<string, Answer>>> {
  const answers: Record<string, Answer> = {};
  for (const [name, schema] of definitions) answers[name] = await askDefinition(cluster, schema);
  return answers;
}

/** How many cases share a definition: a server bounds what the rules of one may cost. */
const TOGETHER = 12;

/** All answers to all cases, by the name of the case. */
async function askCases(cluster: Cluster, cases: readonly CelCase[]): Promise<Readonly<Record<string, Answer>>> {
  const answers: Record<string, Answer> = {};
  for (let start = 0; start < cases.length; start += TOGETHER) {
    const group = cases.slice(start, start + TOGETHER);
    const fields = group.map((each, index) => ({ each, field: `f${index}` }));
    const type = await defineFields(cluster, start, Object.fromEntries(fields.map(({ each, field }) => [field, each.schema])));
    for (const { each, field } of fields) answers[each.name] = await askCase(cluster, type, field, each);
  }
  return answers;
}

export interface Answers {
  readonly cases: Readonly<Record<string, Answer>>;
  readonly definitions: Readonly<Record<string, Answer>>;
}

/** All answers to everything. */
export async function askAll(cluster: Cluster): Promise<Answers> {
  return { cases: await askCases(cluster, CASES), definitions: await askDefinitions(cluster, DEFINITIONS) };
}
