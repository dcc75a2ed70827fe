import { isRecord, type StructuralSchema, stableStringify } from '../../kube/plain/index.ts';
import { type FieldProblem, invalidValue, required } from '../api/failures.ts';

/** What is wrong with a value by a CRD's schema, in the words of Kubernetes' validation. */
export function validate(value: unknown, schema: StructuralSchema, path = ''): readonly FieldProblem[] {
  if (value === null) return schema.nullable === true || schema.type === undefined ? [] : [wrongType(path, 'null', schema.type)];
  const mismatch = typeProblem(value, schema, path);
  if (mismatch !== undefined) return isFraction(value, schema) ? [mismatch, unchecked(path)] : [mismatch];
  if (Array.isArray(value)) return [...listProblems(value, schema, path), ...enumProblems(value, schema, path)];
  if (isRecord(value)) return [...objectProblems(value, schema, path), ...enumProblems(value, schema, path)];
  const own = typeof value === 'string' ? textProblems(value, schema, path) : [];
  const range = typeof value === 'number' ? rangeProblems(value, schema, path) : [];
  return [...own, ...range, ...enumProblems(value, schema, path)];
}

/** The value that a whole object has as its field in problems. */
export const ROOT = '<nil>';

const isFraction = (value: unknown, { type }: StructuralSchema): boolean => type === 'integer' && typeof value === 'number';

/** A number that is no integer is complained about twice, the second time of nothing in particular. */
function unchecked(path: string): FieldProblem {
  return {
    type: 'Invalid',
    field: ROOT,
    body: `Invalid value: "": Checked value must be of type integer (default format) in ${path}`,
  };
}

function typeProblem(value: unknown, schema: StructuralSchema, path: string): FieldProblem | undefined {
  if (schema['x-kubernetes-int-or-string'] === true) {
    return typeof value === 'string' || Number.isInteger(value) ? undefined : wrongType(path, typeName(value), 'integer,string');
  }
  const { type } = schema;
  if (type === undefined) return undefined;
  const given = typeName(value);
  const fits = given === type || (type === 'number' && given === 'integer');
  return fits ? undefined : wrongType(path, given, type);
}

function typeName(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function wrongType(path: string, given: string, type: unknown): FieldProblem {
  const body = `Invalid value: "${given}": ${path} in body must be of type ${String(type)}: "${given}"`;
  return { type: 'TypeInvalid', field: path, body };
}

function enumProblems(value: unknown, schema: StructuralSchema, path: string): readonly FieldProblem[] {
  const options = schema.enum;
  if (!Array.isArray(options) || options.some((option) => stableStringify(option) === stableStringify(value))) return [];
  const supported = options.map((option) => JSON.stringify(option)).join(', ');
  return [
    { type: 'NotSupported', field: path, body: `Unsupported value: ${JSON.stringify(value)}: supported values: ${supported}` },
  ];
}

function textProblems(value: string, schema: StructuralSchema, path: string): readonly FieldProblem[] {
  const { minLength, maxLength, pattern, format } = schema;
  const problems: FieldProblem[] = [];
  const length = [...value].length;
  if (typeof maxLength === 'number' && length > maxLength) {
    problems.push({ type: 'TooLong', field: path, body: `Too long: may not be more than ${maxLength} bytes` });
  }
  if (typeof minLength === 'number' && length < minLength) {
    problems.push(invalidValue(path, value, `${path} in body should be at least ${minLength} chars long`));
  }
  if (typeof pattern === 'string' && !new RegExp(pattern).test(value)) {
    problems.push(invalidValue(path, value, `${path} in body should match '${pattern}'`));
  }
  if (format === 'date-time' && Number.isNaN(Date.parse(value))) {
    problems.push(invalidValue(path, value, `${path} in body must be of type date-time: ${JSON.stringify(value)}`));
  }
  return problems;
}

const INT32 = 2 ** 31;

function rangeProblems(value: number, schema: StructuralSchema, path: string): readonly FieldProblem[] {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, format } = schema;
  const problems: FieldProblem[] = [];
  if (format === 'int32' && (value < -INT32 || value >= INT32)) {
    problems.push(invalidValue(path, value, `${path} in body must be of type int32: "${value}"`));
  }
  const bounds = [
    { bound: minimum, isOpen: exclusiveMinimum === true, sign: 1, words: 'greater than' },
    { bound: maximum, isOpen: exclusiveMaximum === true, sign: -1, words: 'less than' },
  ];
  for (const { bound, isOpen, sign, words } of bounds) {
    if (typeof bound !== 'number') continue;
    const distance = (value - bound) * sign;
    if (distance > 0 || (distance === 0 && !isOpen)) continue;
    problems.push(invalidValue(path, value, `${path} in body should be ${words}${isOpen ? '' : ' or equal to'} ${bound}`));
  }
  return problems;
}

function listProblems(list: readonly unknown[], schema: StructuralSchema, path: string): readonly FieldProblem[] {
  const { items, minItems, maxItems } = schema;
  const problems: FieldProblem[] = [];
  if (typeof maxItems === 'number' && list.length > maxItems) {
    problems.push({ type: 'TooMany', field: path, body: `Too many: ${list.length}: must have at most ${maxItems} items` });
  }
  if (typeof minItems === 'number' && list.length < minItems) {
    problems.push(invalidValue(path, list.length, `${path} in body should have at least ${minItems} items`));
  }
  if (isRecord(items)) problems.push(...list.flatMap((item, index) => validate(item, items, `${path}[${index}]`)));
  return [...problems, ...duplicateProblems(list, schema, path)];
}

function duplicateProblems(list: readonly unknown[], schema: StructuralSchema, path: string): readonly FieldProblem[] {
  const listType = schema['x-kubernetes-list-type'];
  if (listType !== 'set' && listType !== 'map') return [];
  const keys = (schema['x-kubernetes-list-map-keys'] ?? []) as readonly string[];
  const seen = new Set<string>();
  return list.flatMap((item, index) => {
    const named = listType === 'map' && isRecord(item) ? Object.fromEntries(keys.map((key) => [key, item[key]])) : item;
    const text = stableStringify(named);
    const isTwice = seen.has(text);
    seen.add(text);
    return isTwice ? [{ type: 'Duplicate' as const, field: `${path}[${index}]`, body: `Duplicate value: ${text}` }] : [];
  });
}

function objectProblems(
  value: Readonly<Record<string, unknown>>,
  schema: StructuralSchema,
  path: string,
): readonly FieldProblem[] {
  const properties = isRecord(schema.properties) ? schema.properties : {};
  const below = (name: string): string => (path === '' ? name : `${path}.${name}`);
  const missing = (Array.isArray(schema.required) ? (schema.required as readonly string[]) : [])
    .filter((name) => value[name] === undefined)
    .map((name) => required(below(name)));
  const members = Object.entries(value).flatMap(([name, member]) => {
    const property = Object.hasOwn(properties, name) ? properties[name] : schema.additionalProperties;
    return isRecord(property) ? validate(member, property, below(name)) : [];
  });
  return [...missing, ...members];
}
