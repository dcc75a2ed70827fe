import { isRecord, type StructuralSchema } from '../../kube/plain/index.ts';

const STEP = /^(?:\.([^.[\]]+)|\['((?:[^'\\]|\\.)*)'\])/s;

const propertyOf = (properties: Readonly<Record<string, unknown>>, name: string): unknown =>
  Object.hasOwn(properties, name) ? properties[name] : undefined;

/** Reads the `fieldPath` of a rule as a path below its value: `.a.b` or `['a']`. Nothing where it leads nowhere in the schema. */
export function parseFieldPath(path: string, schema: StructuralSchema): string | undefined {
  let here: StructuralSchema = schema;
  let read = '';
  for (let rest = path; rest !== ''; ) {
    const [whole = '', named, quoted] = STEP.exec(rest) ?? [];
    if (whole === '') return undefined;
    const name = named ?? (quoted ?? '').replace(/\\(.)/gs, '$1');
    const { properties, additionalProperties } = here;
    const next = isRecord(properties) ? propertyOf(properties, name) : additionalProperties;
    if (!isRecord(next)) return undefined;
    const dot = read === '' ? '' : '.';
    read += isRecord(properties) ? `${dot}${name}` : `[${name}]`;
    here = next;
    rest = rest.slice(whole.length);
  }
  return read;
}
