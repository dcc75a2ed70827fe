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
  if (old === undefined || next === undefined) {
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
 * federated Secret or was kept by `kubectl apply` in an annotation. Any other object comes back as it is.
 */
export function masked<T>(object: T): T {
  if (!isRecord(object)) return object;
  const isSecret = object.kind === 'Secret' && object.apiVersion === 'v1';
  const isFederatedSecret = object.kind === 'FederatedSecret';
  if (isSecret) return maskSecret(object) as T;
  if (!isFederatedSecret) return object;
  const spec = isRecord(object.spec) ? object.spec : {};
  const overrides = Array.isArray(spec.overrides) ? { overrides: spec.overrides.map(maskOverride) } : {};
  const template = isRecord(spec.template) ? { template: maskSecret(spec.template) } : {};
  return { ...maskMetadata(object), spec: { ...spec, ...template, ...overrides } } as T;
}

/** The changes to an object of a type, as they may be shown: those of a Secret's values are between short hashes. */
export function maskedChanges(
  type: { readonly group: string; readonly kind: string },
  changes: readonly Change[],
): readonly Change[] {
  if (type.group !== '' || type.kind !== 'Secret') return changes;
  return changes.map(({ path, before, after }) => {
    const hide =
      /^(?:data|stringData)(?:$|[.[])/.test(path) || path.includes(LAST_APPLIED) ? maskedDeep : (value: unknown) => value;
    return { path, before: hide(before), after: hide(after) };
  });
}

function maskedDeep(value: unknown): unknown {
  if (value === undefined) return undefined;
  if (!isRecord(value)) return maskedValue(value);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, maskedValue(each)]));
}

function maskSecret(secret: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const hidden = ['data', 'stringData'].flatMap((name) => {
    const values = secret[name];
    return isRecord(values)
      ? [[name, Object.fromEntries(Object.entries(values).map(([key, value]) => [key, maskedValue(value)]))]]
      : [];
  });
  return { ...maskMetadata(secret), ...Object.fromEntries(hidden) };
}

function maskMetadata(object: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const metadata = isRecord(object.metadata) ? object.metadata : undefined;
  const annotations = isRecord(metadata?.annotations) ? metadata.annotations : undefined;
  if (annotations === undefined || !Object.hasOwn(annotations, LAST_APPLIED)) return object;
  return {
    ...object,
    metadata: { ...metadata, annotations: { ...annotations, [LAST_APPLIED]: maskedValue(annotations[LAST_APPLIED]) } },
  };
}

function maskOverride(item: unknown): unknown {
  if (!isRecord(item) || !Array.isArray(item.clusterOverrides)) return item;
  const hide = (operation: unknown): unknown =>
    isRecord(operation) && Object.hasOwn(operation, 'value') ? { ...operation, value: maskedValue(operation.value) } : operation;
  return { ...item, clusterOverrides: item.clusterOverrides.map(hide) };
}
