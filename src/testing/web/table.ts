import { type AnyObject, memberOf, type PrinterColumn } from '../../kube/plain/index.ts';
import type { Served } from '../api/catalogue.ts';
import { age } from './table/age.ts';
import { CELLS, type Cells } from './table/cells.ts';
import recorded from './table/columns.json' with { type: 'json' };
import { type Fields, list } from './table/fields.ts';

type Column = readonly [name: string, type: string, format: string, priority: number];

/** Columns as a real API server defines them, by collection. */
const COLUMNS = recorded as unknown as Readonly<Record<string, readonly Column[]>>;

const NAME: Column = ['Name', 'string', 'name', 0];
const AGE: Column = ['Age', 'date', '', 0];

interface Layout {
  readonly columns: readonly Column[];
  /** Of everything behind the name, which comes first wherever there is a column for it at the front. */
  readonly cells: Cells;
}

function layoutOf({ custom, collection }: Served): Layout {
  if (custom === undefined) {
    const [columns, cells] = [COLUMNS[collection], CELLS[collection]];
    if (columns !== undefined && cells !== undefined) return { columns, cells };
  }
  const printed = custom?.columns ?? [];
  const own = printed.map(({ name, type, priority = 0 }): Column => [name, type, '', priority]);
  const created = ({ metadata }: AnyObject, now: number): string => age(metadata.creationTimestamp, now);
  return {
    columns: [NAME, ...own, ...(printed.length === 0 ? [AGE] : [])],
    cells: (object, now) => [
      ...printed.map((column) => customCell(column, object, now)),
      ...(printed.length === 0 ? [created(object as AnyObject, now)] : []),
    ],
  };
}

/** Objects as rows of text, the way `kubectl get` asks for them. */
export function tableOf(
  served: Served,
  objects: readonly AnyObject[],
  metadata: Fields,
  now: number,
  include: string,
  version = 'v1',
): unknown {
  const { columns, cells } = layoutOf(served);
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${version}`,
    metadata,
    columnDefinitions: columns.map(([name, type, format, priority]) => ({ name, type, format, description: '', priority })),
    rows: objects.map((object) => ({
      cells: [
        ...(columns[0]?.[0] === 'Name' ? [object.metadata.name ?? ''] : []),
        ...cells(served.view?.toStored(object) ?? object, now),
      ].map((cell) => cell ?? null),
      object: included(object, include, version),
    })),
  };
}

function included(object: AnyObject, include: string, version: string): unknown {
  if (include === 'None') return null;
  return include === 'Object' ? object : partial(object, version);
}

/** The metadata of an object alone. */
export function partial({ metadata }: AnyObject, version = 'v1'): unknown {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata };
}

function customCell({ type, jsonPath }: PrinterColumn, object: unknown, now: number): unknown {
  const value = atJsonPath(object, jsonPath);
  return type === 'date' && typeof value === 'string' ? age(value, now) : value;
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
