import { isRecord } from '../../kube/index.ts';

/** A JSON object whose members are still to be looked at. */
export type Members = Readonly<Record<string, unknown>>;

const NONE: Members = {};

/** The member of an object that is an object itself; an empty one where it isn't. */
export function membersOf(value: unknown, name: string): Members {
  const member = isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  return isRecord(member) ? member : NONE;
}

/** The member of an object that is a list; an empty one where it isn't. */
export function listOf(value: unknown, name: string): readonly unknown[] {
  const member = isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  return Array.isArray(member) ? member : [];
}

/** The member of an object that is text, and isn't empty. */
export function textOf(value: unknown, name: string): string | undefined {
  const member = isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  return typeof member === 'string' && member !== '' ? member : undefined;
}

/** The members of an object that are text, such as labels. */
export function textsOf(value: unknown, name: string): Readonly<Record<string, string>> {
  const members = membersOf(value, name);
  for (const key of Object.keys(members)) if (typeof members[key] !== 'string') return onlyTexts(members);
  return members as Readonly<Record<string, string>>;
}

function onlyTexts(members: Members): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(members).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}
