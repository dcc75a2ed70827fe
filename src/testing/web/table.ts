import { type AnyObject, isRecord, memberOf, type PrinterColumn } from '../../kube/index.ts';
import type { Served } from '../api/catalogue.ts';

/** A column of `kubectl get`. */
interface Column {
  readonly name: string;
  readonly type: string;
  readonly format?: string;
  readonly priority?: number;
  cell(object: AnyObject, now: number): unknown;
}

type Fields = Readonly<Record<string, unknown>>;

const part = (object: Fields, name: string): Fields => {
  const value = object[name];
  return isRecord(value) ? value : {};
};
const count = (value: unknown): number => (isRecord(value) ? Object.keys(value).length : 0);
const list = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.filter(isRecord) : []);

const NAME: Column = { name: 'Name', type: 'string', format: 'name', cell: ({ metadata }) => metadata.name };
const AGE: Column = { name: 'Age', type: 'string', cell: ({ metadata }, now) => age(metadata.creationTimestamp, now) };

const text = (name: string, cell: Column['cell']): Column => ({ name, type: 'string', cell });
const integer = (name: string, cell: Column['cell']): Column => ({ name, type: 'integer', cell });

/** Columns of built-in kinds. All others show name and age. */
const COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  configmaps: [integer('Data', ({ data, binaryData }) => count(data) + count(binaryData))],
  secrets: [text('Type', ({ type }) => type ?? 'Opaque'), integer('Data', ({ data }) => count(data))],
  namespaces: [text('Status', (object) => part(object, 'status').phase)],
  services: [
    text('Type', (object) => part(object, 'spec').type),
    text('Cluster-IP', (object) => part(object, 'spec').clusterIP ?? '<none>'),
    text('External-IP', externalAddress),
    text('Port(s)', (object) => ports(object) || '<none>'),
  ],
  'deployments.apps': [
    text('Ready', (object) => `${part(object, 'status').readyReplicas ?? 0}/${part(object, 'spec').replicas ?? 0}`),
    integer('Up-to-date', (object) => part(object, 'status').updatedReplicas ?? 0),
    integer('Available', (object) => part(object, 'status').availableReplicas ?? 0),
  ],
};

function externalAddress(object: AnyObject): string {
  const ingress = list(part(part(object, 'status'), 'loadBalancer').ingress);
  const addresses = ingress.map(({ ip, hostname }) => String(ip ?? hostname ?? ''));
  if (addresses.length > 0) return addresses.join(',');
  return part(object, 'spec').type === 'LoadBalancer' ? '<pending>' : '<none>';
}

function ports(object: AnyObject): string {
  return list(part(object, 'spec').ports)
    .map(({ port, nodePort, protocol }) => `${port}${nodePort === undefined ? '' : `:${nodePort}`}/${protocol}`)
    .join(',');
}

/** Objects as rows of text, the way `kubectl get` asks for them. */
export function tableOf(served: Served, objects: readonly AnyObject[], metadata: Fields, now: number, include: string): unknown {
  const own = served.custom?.columns.map(customColumn) ?? COLUMNS[served.collection] ?? [];
  const columns = own.some(({ name }) => name === 'Age') ? [NAME, ...own] : [NAME, ...own, AGE];
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: columns.map(({ name, type, format = '', priority = 0 }) => ({
      name,
      type,
      format,
      description: '',
      priority,
    })),
    rows: objects.map((object) => ({
      cells: columns.map((column) => column.cell(object, now) ?? null),
      object: included(object, include),
    })),
  };
}

function included(object: AnyObject, include: string): unknown {
  if (include === 'None') return undefined;
  return include === 'Object' ? object : partial(object);
}

/** The metadata of an object alone. */
export function partial({ metadata }: AnyObject): unknown {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
}

function customColumn({ name, type, jsonPath, priority = 0 }: PrinterColumn): Column {
  return {
    name,
    type,
    priority,
    cell: (object, now) => {
      const value = atJsonPath(object, jsonPath);
      return type === 'date' && typeof value === 'string' ? age(value, now) : value;
    },
  };
}

/** The value at a JSONPath of the simple kind that printer columns have: `.spec.size`, `.status.conditions[?(@.type=="Ready")].status`. */
function atJsonPath(object: unknown, path: string): unknown {
  let value: unknown = object;
  for (const [, field, filterField, wanted, index] of path.matchAll(
    /\.([\w-]+)|\[\?\(@\.(\w+)\s*==\s*["']([^"']*)["']\)\]|\[(\d+)\]/g,
  )) {
    if (field !== undefined) value = memberOf(value, field);
    else if (filterField !== undefined) value = list(value).find((item) => item[filterField] === wanted);
    else value = memberOf(value, index ?? '');
  }
  return value;
}

const STEPS: readonly (readonly [limit: number, unit: number, letter: string, next: number, nextLetter: string])[] = [
  [120, 1, 's', 0, ''],
  [600, 60, 'm', 1, 's'],
  [10_800, 60, 'm', 0, ''],
  [28_800, 3600, 'h', 60, 'm'],
  [172_800, 3600, 'h', 0, ''],
  [691_200, 86_400, 'd', 3600, 'h'],
  [63_072_000, 86_400, 'd', 0, ''],
];

/** A time ago, as kubectl writes it: `45s`, `5m3s`, `2h`, `3d4h`. */
function age(since: string | undefined, now: number): string {
  if (since === undefined) return '<unknown>';
  const seconds = Math.max(0, Math.floor((now - Date.parse(since)) / 1000));
  for (const [limit, unit, letter, next, nextLetter] of STEPS) {
    if (seconds >= limit) continue;
    const whole = Math.floor(seconds / unit);
    const rest = next === 0 ? 0 : Math.floor((seconds % unit) / next);
    return rest === 0 ? `${whole}${letter}` : `${whole}${letter}${rest}${nextLetter}`;
  }
  return `${Math.floor(seconds / 31_536_000)}y`;
}
