import { isRecord } from '../../kube/plain/index.ts';
import { type ListSchema, memberSchema, type Schema } from '../schema/schema.ts';
import { elementOf, isLeaf } from './fields.ts';

/** Lays an applied configuration over a live object: objects and lists with keys merge, everything else is replaced. */
export function mergeApplied(live: unknown, applied: unknown, schema: Schema): unknown {
  if (applied === undefined || (applied === null && isContainer(live, schema))) return live;
  if (live === undefined || live === null || isLeaf(applied, schema)) return applied;
  if (Array.isArray(applied)) return Array.isArray(live) && schema.type === 'list' ? mergeLists(live, applied, schema) : applied;
  if (!isRecord(applied) || !isRecord(live)) return applied;
  const merged: Record<string, unknown> = { ...live };
  for (const [name, member] of Object.entries(applied)) {
    const value = mergeApplied(Object.hasOwn(live, name) ? live[name] : undefined, member, memberSchema(schema, name));
    Object.defineProperty(merged, name, { value, writable: true, enumerable: true, configurable: true });
  }
  return merged;
}

/** Whether a value has parts, which stay where null is applied to the whole. */
const isContainer = (value: unknown, schema: Schema): boolean =>
  typeof value === 'object' && value !== null && schema.type !== 'any' && schema.type !== 'scalar' && !isLeaf(value, schema);

/**
 * Merges lists whose elements have names. The applied order counts for the elements that it has; the others stay behind the neighbour that
 * they had.
 */
function mergeLists(live: readonly unknown[], applied: readonly unknown[], schema: ListSchema): readonly unknown[] {
  const liveByName = new Map(live.map((item) => [elementOf(item, schema), item]));
  const appliedByName = new Map(applied.map((item) => [elementOf(item, schema), item]));
  const order = [...appliedByName.keys()];
  const shared = order.filter((name) => liveByName.has(name));
  const merged = new Set<string>();
  const result: unknown[] = [];
  const take = (name: string): void => {
    merged.add(name);
    result.push(mergeApplied(liveByName.get(name), appliedByName.get(name), schema.items));
  };
  let next = 0;
  for (const [name, item] of liveByName) {
    if (!appliedByName.has(name)) {
      result.push(item);
      continue;
    }
    // An element that is applied further behind waits for its turn; one whose turn it is brings those applied before it.
    const turn = shared.find((each) => !merged.has(each));
    if (merged.has(name) || turn !== name) continue;
    while (next < order.length && !merged.has(name)) take(order[next++] ?? '');
  }
  while (next < order.length) take(order[next++] ?? '');
  return result;
}
