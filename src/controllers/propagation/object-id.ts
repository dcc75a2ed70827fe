import { formatKey, type ObjectKey, parseKey } from '../../kube/index.ts';

/** A federated object of one of the controller's types, as text: `2|shop/web`. */
export type ObjectId = `${number}|${string}`;

export function objectId(typeIndex: number, key: ObjectKey): ObjectId {
  return `${typeIndex}|${formatKey(key)}`;
}

export function readObjectId(id: ObjectId): { readonly index: number; readonly key: ObjectKey } {
  const bar = id.indexOf('|');
  return { index: Number(id.slice(0, bar)), key: parseKey(id.slice(bar + 1)) };
}
