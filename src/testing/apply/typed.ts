import { isRecord } from '../../kube/plain/index.ts';
import { isDeclared, type ListSchema, memberSchema, type ScalarSchema, type Schema } from '../schema/schema.ts';

/** One place in which a configuration doesn't fit its schema. */
interface Problem {
  readonly path: string;
  readonly message: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** What keeps a configuration from being applied, in the words of structured-merge-diff; nothing where it fits. */
export function typedProblems(config: unknown, schema: Schema): string | undefined {
  const problems = visit(config, schema, '').map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
  return problems.length > 1 ? ['errors:', ...problems.map((text) => `  ${text}`)].join('\n') : problems[0];
}

function visit(value: unknown, schema: Schema, path: string): readonly Problem[] {
  if (value === null || value === undefined || schema.type === 'any') return [];
  if (schema.type === 'scalar') return scalar(value, schema, path);
  if (schema.type === 'list') {
    return Array.isArray(value) ? list(value, schema, path) : [{ path, message: `expected list, got &{${goValue(value)}}` }];
  }
  if (!isRecord(value)) return [{ path, message: `expected map, got &{${goValue(value)}}` }];
  return Object.entries(value).flatMap(([name, member]) => {
    const below = `${path}.${name}`;
    const isKnown = schema.type === 'map' || schema.preserve || isDeclared(schema, name);
    return isKnown
      ? visit(member, memberSchema(schema, name), below)
      : [{ path: below, message: 'field not declared in schema' }];
  });
}

function scalar(value: unknown, { scalar: type }: ScalarSchema, path: string): readonly Problem[] {
  const problem = (message: string): readonly Problem[] => [{ path, message }];
  switch (type) {
    case 'integer':
    case 'number':
      return typeof value === 'number' ? [] : problem(`expected numeric (int or float), got ${goTypeOf(value)}`);
    case 'boolean':
      return typeof value === 'boolean' ? [] : problem(`expected boolean, got &{${goValue(value)}}`);
    case 'quantity':
    case 'int-or-string':
      return typeof value === 'object' ? problem(`expected any scalar, got &{${goValue(value)}}`) : [];
    default:
      return typeof value === 'string' ? [] : problem(`expected string, got &value.valueUnstructured{Value:${goLiteral(value)}}`);
  }
}

function list(items: readonly unknown[], schema: ListSchema, path: string): readonly Problem[] {
  const problems: Problem[] = [];
  const seen = new Set<string>();
  for (const [index, item] of items.entries()) {
    if (schema.list === 'atomic') {
      problems.push(...visit(item, schema.items, `${path}[${index}]`));
      continue;
    }
    const wrong = schema.list === 'map' ? keyProblem(item, schema) : setProblem(item);
    if (wrong !== undefined) return [...problems, { path, message: `element ${index}: ${wrong}` }];
    const name = schema.list === 'map' ? keyText(item as Fields, schema) : `[=${shown(item)}]`;
    if (seen.has(name)) problems.push({ path, message: `duplicate entries for key ${name}` });
    seen.add(name);
    problems.push(...visit(item, schema.items, `${path}${name}`));
  }
  return problems;
}

function keyProblem(item: unknown, schema: ListSchema): string | undefined {
  if (item === null) return 'associative list with keys may not have a null element';
  if (!isRecord(item)) return 'associative list with keys may not have non-map elements';
  if (keysOf(item, schema).length > 0) return undefined;
  const keys = schema.keys.map((key) => JSON.stringify(key)).join(' ');
  return `associative list with keys has an element that omits all key fields [${keys}] (and doesn't have default values for any key fields)`;
}

function setProblem(item: unknown): string | undefined {
  if (item === null) return "associative list without keys has an element that's an explicit null";
  if (Array.isArray(item)) return 'not supported: associative list with lists as elements';
  return isRecord(item) ? "associative list without keys has an element that's a map type" : undefined;
}

function keysOf(item: Fields, { keys, items }: ListSchema): readonly (readonly [name: string, value: unknown])[] {
  return keys
    .map((key) => [key, item[key] ?? memberSchema(items, key).default] as const)
    .filter(([, value]) => value !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}

const keyText = (item: Fields, schema: ListSchema): string =>
  `[${keysOf(item, schema)
    .map(([name, value]) => `${name}=${shown(value)}`)
    .join(',')}]`;

const shown = (value: unknown): string => (typeof value === 'string' ? JSON.stringify(value) : String(value));

/** A value as Go prints it. */
function goValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goValue).join(' ')}]`;
  if (!isRecord(value)) return value === null ? '<nil>' : String(value);
  const members = Object.keys(value).toSorted();
  return `map[${members.map((name) => `${name}:${goValue(value[name])}`).join(' ')}]`;
}

/** A value as Go's source would have it. */
function goLiteral(value: unknown): string {
  if (Array.isArray(value)) return `[]interface {}{${value.map(goLiteral).join(', ')}}`;
  if (!isRecord(value)) return value === null ? 'interface {}(nil)' : shown(value);
  const members = Object.keys(value).toSorted();
  return `map[string]interface {}{${members.map((name) => `${JSON.stringify(name)}:${goLiteral(value[name])}`).join(', ')}}`;
}

function goTypeOf(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}';
  if (isRecord(value)) return 'map[string]interface {}';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
