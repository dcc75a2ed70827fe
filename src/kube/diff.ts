import { contentHash, deepEqual } from './compare.ts';
import { isRecord } from './object.ts';

/** One difference between two documents. A side that is `undefined` has no such field. */
export interface Change {
  /** Kubernetes' notation; elements of lists with names are named: `spec.containers[web].image`. */
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** What differs between two documents, in the order of their fields. An absent document is `undefined`. */
export function diff(before: unknown, after: unknown): readonly Change[] {
  const changes: Change[] = [];
  collect(before, after, '', changes);
  return changes;
}

function collect(before: unknown, after: unknown, path: string, changes: Change[]): void {
  if (deepEqual(before, after)) return;
  const [old, next] = [members(before), members(after)];
  // A list in place of a map is another value, also where both are empty; the names of its elements are no fields.
  if (old === undefined || next === undefined || Array.isArray(before) !== Array.isArray(after)) {
    changes.push({ path, before, after });
    return;
  }
  for (const name of new Set([...old.keys(), ...next.keys()])) {
    collect(old.get(name), next.get(name), `${path}${separator(path, name)}`, changes);
  }
}

/** Fields by name, and elements of lists by their own name where each has one: `[web]`, else `[0]`. */
function members(value: unknown): ReadonlyMap<string, unknown> | undefined {
  if (Array.isArray(value)) {
    const names = value.map((element, index) => `[${elementName(element) ?? index}]`);
    return new Set(names).size === names.length ? new Map(names.map((name, index) => [name, value[index]])) : undefined;
  }
  return isRecord(value) ? new Map(Object.entries(value)) : undefined;
}

const elementName = (element: unknown): string | undefined =>
  isRecord(element) && typeof element.name === 'string' ? element.name : undefined;

function separator(path: string, name: string): string {
  if (name.startsWith('[')) return name;
  if (!/^[A-Za-z_$][-A-Za-z0-9_]*$/.test(name)) return `[${name}]`;
  return path === '' ? name : `.${name}`;
}

/** Shows that a value is the same or another, without the value: a short SHA-256. */
export function maskedValue(value: unknown): string {
  return `sha256:${contentHash(value).slice(0, 8)}`;
}

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * The object as it may be shown: the values of a Secret's `data` and `stringData` are short hashes, also where it is the template of a
 * federated Secret or was kept by `kubectl apply` in an annotation. What has another shape than it should is one hash as a whole. Any other
 * object comes back as it is.
 */
export function masked<T>(object: T): T {
  if (!isRecord(object)) return object;
  // Whatever its version: one that no server knows may come from a file.
  if (object.kind === 'Secret' && !String(object.apiVersion).includes('/')) return maskSecret(object) as T;
  if (object.kind !== 'FederatedSecret') return object;
  return { ...maskMetadata(object), ...maskField(object, 'spec', maskFederatedSpec) } as T;
}

/** The changes to an object of a type, as they may be shown: those of a Secret's values are between short hashes. */
export function maskedChanges(
  type: { readonly group: string; readonly kind: string },
  changes: readonly Change[],
): readonly Change[] {
  if (type.group !== '' || type.kind !== 'Secret') return changes;
  return changes.map(({ path, before, after }) => ({ path, before: maskAt(path, before), after: maskAt(path, after) }));
}

/** A part of a Secret. What comes or goes as a whole brings along what is below it. */
function maskAt(path: string, value: unknown): unknown {
  if (value === undefined) return undefined;
  if (path === 'data' || path === 'stringData') return maskValues(value);
  if (/^(?:data|stringData)[.[]/.test(path) || path.includes(LAST_APPLIED)) return maskedValue(value);
  if (path === 'metadata.annotations') return maskAnnotations(value);
  if (path === 'metadata') return maskMetadata({ metadata: value }).metadata;
  return path === '' && isRecord(value) ? maskSecret(value) : value;
}

type Fields = Readonly<Record<string, unknown>>;

/** The field in a new value, where it is there at all. */
function maskField(object: Fields, name: string, mask: (value: unknown) => unknown): Fields {
  return object[name] === undefined ? {} : { [name]: mask(object[name]) };
}

function maskSecret(secret: Fields): Fields {
  return { ...maskMetadata(secret), ...maskField(secret, 'data', maskValues), ...maskField(secret, 'stringData', maskValues) };
}

/** The keys of a Secret's values may be seen. What is no map has none: no server takes it, but a secret it may hold all the same. */
function maskValues(values: unknown): unknown {
  if (!isRecord(values)) return maskedValue(values);
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, maskedValue(value)]));
}

function maskMetadata(object: Fields): Fields {
  const { metadata } = object;
  if (!isRecord(metadata)) return object;
  return { ...object, metadata: { ...metadata, ...maskField(metadata, 'annotations', maskAnnotations) } };
}

function maskAnnotations(annotations: unknown): unknown {
  if (!isRecord(annotations)) return annotations;
  return { ...annotations, ...maskField(annotations, LAST_APPLIED, maskedValue) };
}

function maskFederatedSpec(spec: unknown): unknown {
  if (!isRecord(spec)) return maskedValue(spec);
  const template = (value: unknown): unknown => (isRecord(value) ? maskSecret(value) : maskedValue(value));
  const overrides = (value: unknown): unknown => (Array.isArray(value) ? value.map(maskOverride) : maskedValue(value));
  return { ...spec, ...maskField(spec, 'template', template), ...maskField(spec, 'overrides', overrides) };
}

function maskOverride(item: unknown): unknown {
  if (!isRecord(item)) return maskedValue(item);
  const operation = (value: unknown): unknown =>
    isRecord(value) ? { ...value, ...maskField(value, 'value', maskedValue) } : maskedValue(value);
  const operations = (value: unknown): unknown => (Array.isArray(value) ? value.map(operation) : maskedValue(value));
  return { ...item, ...maskField(item, 'clusterOverrides', operations) };
}
