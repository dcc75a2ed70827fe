import {
  applyJsonPatch,
  ClustersetError,
  type CompiledPatch,
  formatFieldPath,
  type Issue,
  isClustersetError,
  type Json,
  type JsonPatchOperation,
  type LabelRequirements,
  matchesLabels,
  type Pointer,
  parsePointer,
  requirementsOf,
  safePointer,
  unresolved,
} from '../kube/index.ts';
import type { ClusterEntry } from '../registry/index.ts';
import type { Override, OverrideOperation } from './api.ts';
import { issueOf } from './issue.ts';

/** What a `replace` does where there is nothing to replace. kubefed added the field; RFC 6902, and we, call it an error. */
export type ReplaceMissing = 'error' | 'add';

/** One item of the overrides, read: what it does, and where it stands. */
export interface OverrideItem {
  /** Path of the item: `spec.overrides[2]`. */
  readonly field: string;
  readonly operations: readonly JsonPatchOperation[];
  readonly pointers: readonly Pointer[];
  readonly patch: CompiledPatch;
}

/** Overrides with their pointers and selectors read. */
export interface CompiledOverrides {
  readonly selected: readonly (OverrideItem & { readonly requirements: LabelRequirements })[];
  readonly named: ReadonlyMap<string, OverrideItem>;
}

/**
 * Reads overrides once, for any number of clusters. Every problem becomes an issue: an unknown operation, a pointer that is none, a path to a
 * protected field, a selector that doesn't parse, an item for two clusters or none, a cluster or a path that stands twice.
 */
export function compileOverrides(overrides: readonly Override[] | undefined): {
  readonly compiled: CompiledOverrides;
  readonly issues: readonly Issue[];
} {
  const issues: Issue[] = [];
  const reading: Reading = { issues, paths: new Map() };
  const selected: (OverrideItem & { requirements: LabelRequirements })[] = [];
  const named = new Map<string, OverrideItem>();
  (overrides ?? []).forEach((override, index) => {
    const field = `spec.overrides[${index}]`;
    const item = compileItem(override.clusterOverrides ?? [], field, reading);
    if (override.clusterSelector !== undefined && override.clusterName === undefined) {
      const requirements = readSelector(override.clusterSelector, field, issues);
      if (item !== undefined && requirements !== undefined) selected.push({ ...item, requirements });
      return;
    }
    issues.push(...subjectIssues(override, named, field));
    if (item !== undefined) named.set(override.clusterName ?? '', item);
  });
  return { compiled: { selected, named }, issues };
}

function subjectIssues(override: Override, named: ReadonlyMap<string, unknown>, field: string): readonly Issue[] {
  const { clusterName, clusterSelector } = override;
  if (clusterName === undefined) {
    return [
      { field, message: 'says neither clusterName nor clusterSelector', mend: 'say for which clusters the operations are' },
    ];
  }
  if (clusterSelector !== undefined) {
    return [{ field, message: 'says both clusterName and clusterSelector', mend: 'make two items of it' }];
  }
  if (!named.has(clusterName)) return [];
  return [
    {
      field: `${field}.clusterName`,
      message: `"${clusterName}" has an item already`,
      mend: 'put all its operations into one item',
    },
  ];
}

function readSelector(
  selector: NonNullable<Override['clusterSelector']>,
  field: string,
  issues: Issue[],
): LabelRequirements | undefined {
  try {
    return requirementsOf(selector);
  } catch (error) {
    if (!isClustersetError(error)) throw error;
    issues.push(
      issueOf(error.with({ field: `${field}.clusterSelector`, mend: 'write it as the labelSelector of a Kubernetes object' })),
    );
    return undefined;
  }
}

function compileItem(list: readonly OverrideOperation[], field: string, { issues, paths }: Reading): OverrideItem | undefined {
  const pointers: Pointer[] = [];
  const places = new Map<string, number>();
  const found: Issue[] = [];
  list.forEach((operation, index) => {
    const read = readPath(operation.path, paths);
    const issue = operationIssue(operation, read, places.get(operation.path));
    if (issue !== undefined) found.push({ ...issue, field: `${field}.clusterOverrides[${index}].${issue.field}` });
    places.set(operation.path, index);
    pointers.push(read.pointer);
  });
  issues.push(...found);
  if (found.length > 0) return undefined;
  const operations = list.map(toJsonPatch);
  const steps = operations.map((operation, index) => ({ operation, path: pointers[index] ?? [], from: undefined }));
  return { field, operations, pointers, patch: { steps } };
}

function operationIssue(
  { op, path }: OverrideOperation,
  { problem }: ReadPath,
  earlier: number | undefined,
): (Issue & { readonly field: string }) | undefined {
  if (op !== undefined && !['', 'add', 'remove', 'replace'].includes(op)) {
    return { field: 'op', message: `unknown operation ${JSON.stringify(op)}`, mend: 'use "add", "remove" or "replace"' };
  }
  if (earlier !== undefined) {
    const message = `"${path}" stands in operation [${earlier}] already`;
    return { field: 'path', message, mend: 'make one operation of the two' };
  }
  return problem === undefined ? undefined : { field: 'path', ...problem };
}

/** What is gathered while overrides are read. */
interface Reading {
  readonly issues: Issue[];
  /** Overrides for many clusters name the same few paths. */
  readonly paths: Map<string, ReadPath>;
}

interface ReadPath {
  readonly pointer: Pointer;
  readonly problem: { readonly message: string; readonly mend?: string } | undefined;
}

function readPath(path: string, known: Map<string, ReadPath>): ReadPath {
  const before = known.get(path);
  if (before !== undefined) return before;
  const read = readNewPath(path);
  known.set(path, read);
  return read;
}

function readNewPath(path: string): ReadPath {
  try {
    const pointer = safePointer(path);
    return { pointer, problem: protectedField(pointer) };
  } catch (error) {
    if (!isClustersetError(error)) throw error;
    return { pointer: [], problem: { message: error.detail, ...(error.mend === undefined ? {} : { mend: error.mend }) } };
  }
}

function toJsonPatch({ op, path, value }: OverrideOperation): JsonPatchOperation {
  if (op === 'remove') return { op, path };
  return { op: op === 'add' ? 'add' : 'replace', path, value: (value ?? null) as Json };
}

/** Fields that make an object what it is, or that belong to the member cluster. */
const PROTECTED: readonly (readonly [path: string, why: string])[] = [
  ['/kind', 'an override can change what an object says, not what it is'],
  ['/metadata/name', 'an override can change what an object says, not what it is'],
  ['/metadata/namespace', 'an override can change what an object says, not what it is'],
  ['/metadata/generateName', 'an override can change what an object says, not what it is'],
  ['/metadata/uid', 'it belongs to the member cluster'],
  ['/metadata/resourceVersion', 'it belongs to the member cluster'],
  ['/metadata/managedFields', 'it belongs to the member cluster'],
  ['/metadata/ownerReferences', 'its uids are those of another cluster'],
  ['/metadata/finalizers', 'it belongs to the member cluster'],
  ['/status', 'it belongs to the member cluster'],
];

function protectedField(pointer: Pointer): { message: string; mend: string } | undefined {
  const path = pointer.map((token) => `/${token}`).join('');
  for (const [guarded, why] of PROTECTED) {
    const isInside = path === guarded || path.startsWith(`${guarded}/`);
    if (!isInside && !guarded.startsWith(`${path}/`)) continue;
    const name = formatFieldPath(parsePointer(guarded));
    return isInside
      ? { message: `${name} can't be overridden: ${why}`, mend: 'remove the operation' }
      : {
          message: `"${path}" holds ${name}, which can't be overridden: ${why}`,
          mend: 'name the fields below it that should differ',
        };
  }
  return undefined;
}

/**
 * The object as one cluster should have it: the operations of items with a selector, in the order of the list, then those of the item that
 * names the cluster. Shares with the given object all that no operation touches.
 *
 * @throws ClustersetError `Invalid`, with cluster, field and mend, for an operation that can't be carried out.
 */
export function applyOverrides<T>(
  object: T,
  overrides: CompiledOverrides,
  cluster: ClusterEntry,
  missing: ReplaceMissing = 'error',
): T {
  let result = object;
  for (const item of overrides.selected) {
    if (matchesLabels(item.requirements, cluster.labels)) result = applyItem(result, item, cluster.name, missing);
  }
  const own = overrides.named.get(cluster.name);
  return own === undefined ? result : applyItem(result, own, cluster.name, missing);
}

/** Whether overrides for a cluster name a field, a part of it, or something that it is a part of. */
export function overridesField(overrides: CompiledOverrides, cluster: ClusterEntry, pointer: string): boolean {
  const named = overrides.named.get(cluster.name);
  const items = [
    ...overrides.selected.filter(({ requirements }) => matchesLabels(requirements, cluster.labels)),
    ...(named === undefined ? [] : [named]),
  ];
  const touches = (path: string): boolean => path === pointer || path.startsWith(`${pointer}/`) || pointer.startsWith(`${path}/`);
  return items.some(({ operations }) => operations.some(({ path }) => touches(path)));
}

function applyItem<T>(object: T, item: OverrideItem, cluster: string, missing: ReplaceMissing): T {
  if (missing === 'add') return applyOneByOne(object, item, cluster);
  try {
    return applyJsonPatch(object, item.patch);
  } catch (error) {
    throw explained(error, object, item, cluster);
  }
}

/** kubefed's way: a `replace` of a missing member adds it. What is missing depends on the operations before, so it goes step by step. */
function applyOneByOne<T>(object: T, item: OverrideItem, cluster: string): T {
  return item.operations.reduce((result, operation, index) => {
    const pointer = item.pointers[index] ?? [];
    const isMissing = operation.op === 'replace' && unresolved(result, pointer, true) !== undefined;
    const step = isMissing && isMember(result, pointer) ? { ...operation, op: 'add' as const } : operation;
    try {
      return applyJsonPatch(result, [step as JsonPatchOperation]);
    } catch (error) {
      throw explained(error, result, item, cluster, index);
    }
  }, object);
}

/** Whether the pointer leads to a place in an object that is there, in contrast to a list. */
function isMember(document: unknown, pointer: Pointer): boolean {
  const stop = unresolved(document, pointer, true);
  return stop?.depth === pointer.length - 1 && stop.problem.startsWith('there is no field');
}

/** Finds the operation that failed, and says where and what to do. */
function explained(error: unknown, object: unknown, item: OverrideItem, cluster: string, at?: number): unknown {
  if (!isClustersetError(error)) return error;
  const index = at ?? Number(/^\[(\d+)\]/.exec(error.field ?? '')?.[1] ?? 0);
  const operation = item.operations[index];
  const before = at === undefined ? replay(object, item, index) : object;
  return new ClustersetError({
    code: 'Invalid',
    message: `${JSON.stringify(operation?.path)}: ${error.detail}`,
    cluster,
    field: `${item.field}.clusterOverrides[${index}].path`,
    mend: mendFor(operation, item.pointers[index] ?? [], before),
    cause: error,
  });
}

function replay(object: unknown, item: OverrideItem, count: number): unknown {
  return applyJsonPatch(object, item.operations.slice(0, count));
}

function mendFor(operation: JsonPatchOperation | undefined, pointer: Pointer, object: unknown): string {
  const stop = unresolved(object, pointer, true);
  if (stop === undefined || operation === undefined) return 'check the path against the template';
  if (stop.depth < pointer.length - 1) {
    const parent = pointer.slice(0, stop.depth + 1);
    return `add "/${parent.join('/')}" first, with the rest as its value`;
  }
  if (operation.op === 'replace') return 'use "op: add" to create it';
  if (operation.op === 'remove') return 'remove the operation, or correct the path';
  return 'check the path against the template';
}
