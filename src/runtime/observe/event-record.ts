import {
  ClustersetError,
  checkDnsSubdomain,
  checkLabelKey,
  type KubeObject,
  resourceType,
  utf8,
} from '../../kube/plain/index.ts';

/** API: events.k8s.io/v1 Event, as far as it is written here. */
export interface EventObject extends KubeObject {
  /** When it happened first, in microseconds: `2026-01-01T00:00:00.000000Z`. */
  readonly eventTime: string;
  readonly reportingController: string;
  readonly reportingInstance: string;
  readonly action: string;
  readonly reason: string;
  readonly type: 'Normal' | 'Warning';
  readonly note?: string;
  readonly regarding: ObjectPointer;
  readonly related?: ObjectPointer;
  /** How often it has happened, where that is more than once. */
  readonly series?: { readonly count: number; readonly lastObservedTime: string };
}

/** Where an object is, as events say it (API: core/v1 ObjectReference). */
export interface ObjectPointer {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
}

/** Events, in the API group that they have lived in since Kubernetes 1.19. */
export const EVENTS = resourceType<EventObject>('events.k8s.io/v1', 'Event', 'events');

/** An object as events point to it. */
export function pointerTo({ apiVersion, kind, metadata }: KubeObject): ObjectPointer {
  const { name, namespace, uid, resourceVersion } = metadata;
  return {
    apiVersion,
    kind,
    name,
    ...(namespace === undefined || namespace === '' ? {} : { namespace }),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
}

/** Where an event lives: with what it is about, and in `default` where that has no namespace (client-go). */
export function namespaceOfEvent({ namespace }: ObjectPointer): string {
  return namespace ?? 'default';
}

/** Bytes that a note may have (API: events.k8s.io validation). */
const LONGEST_NOTE = 1024;
/** Bytes that an instance, an action and a reason may have. */
const LONGEST_WORD = 128;
const LONGEST_NAME = 253;

/** The text, cut between two characters where it has more bytes than a note may have. */
export function cutNote(note: string): string {
  return fits(note, LONGEST_NOTE) ? note : `${cut(note, LONGEST_NOTE - utf8(ELLIPSIS).length)}${ELLIPSIS}`;
}

/** The first characters of a word that may have only so many bytes. */
export function cutWord(word: string): string {
  return fits(word, LONGEST_WORD) ? word : cut(word, LONGEST_WORD);
}

const ELLIPSIS = '…';

function fits(text: string, most: number): boolean {
  // No text has fewer bytes than UTF-16 units; none is encoded that is far too long.
  return text.length <= most && utf8(text).length <= most;
}

/** As many whole characters as there is room for. */
function cut(text: string, most: number): string {
  let room = most;
  let end = 0;
  for (const character of text) {
    room -= utf8(character).length;
    if (room < 0) break;
    end += character.length;
  }
  return text.slice(0, end);
}

/**
 * A name for an event: what it is about, and `hex`. Names of some kinds, such as roles, hold what names of events may not: that is replaced.
 */
export function eventName(regarding: string, hex: string): string {
  const room = LONGEST_NAME - hex.length - 1;
  const head = regarding.slice(0, room);
  const name = `${head.replace(/[-.]+$/, '')}.${hex}`;
  if (checkDnsSubdomain(name).length === 0) return name;
  const parts = head
    .toLowerCase()
    .replace(/[^-a-z0-9.]+/g, '-')
    .split('.')
    .map((part) => part.replace(/^-+|-+$/g, ''))
    .filter((part) => part !== '');
  return [...(parts.length === 0 ? ['event'] : parts), hex].join('.');
}

/** Milliseconds since 1970 as API servers write times with microseconds (API: meta/v1 MicroTime). */
export function microTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, -1)}000Z`;
}

/**
 * The name of a controller, where it is one that events take: a qualified name.
 *
 * @throws ClustersetError `Invalid`.
 */
export function checkedController(controller: string): string {
  const [problem] = checkLabelKey(controller);
  if (problem === undefined) return controller;
  throw new ClustersetError({
    code: 'Invalid',
    message: `${JSON.stringify(controller)} is no name of a controller: ${problem}`,
    field: 'reportingController',
    mend: 'call it as in "example.com/placement"',
  });
}
