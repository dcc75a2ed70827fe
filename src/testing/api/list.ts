import {
  type AnyObject,
  compareKeys,
  failure,
  formatKey,
  type ListOptions,
  type ObjectList,
  parseKey,
} from '../../kube/index.ts';
import type { Served } from './catalogue.ts';
import { badRequest, StatusError } from './failures.ts';
import { matcher } from './select.ts';
import { inVersion, type State } from './state.ts';

interface Continuation {
  readonly v: 'meta.k8s.io/v1';
  readonly rv: number;
  /** Key of the last object of the page before. */
  readonly start: string;
}

/** GET of a collection */
export function list(state: State, served: Served, options: ListOptions): ObjectList<AnyObject> {
  const { limit = 0, resourceVersion = '', resourceVersionMatch } = options;
  const token = options.continue === undefined || options.continue === '' ? undefined : readToken(options.continue);
  if (token !== undefined && resourceVersion !== '' && resourceVersion !== '0') {
    throw badRequest('specifying resource version is not allowed when using continue');
  }
  checkVersionOptions(resourceVersion, resourceVersionMatch);
  const version = token?.rv ?? versionFor(state, resourceVersion, resourceVersionMatch);
  const matches = matcher(served, options);
  const objects = snapshot(state, served.collection, version)
    .map((object) => inVersion(object, served))
    .filter(matches)
    .toSorted((a, b) => compareKeys(a.metadata, b.metadata));
  const after =
    token === undefined ? objects : objects.filter((object) => compareKeys(object.metadata, parseKey(token.start)) > 0);
  const items = limit > 0 ? after.slice(0, limit) : after;
  const last = items.at(-1);
  const isComplete = items.length === after.length || last === undefined;
  const hasSelector = (options.labelSelector ?? '') !== '' || (options.fieldSelector ?? '') !== '';
  return {
    items,
    resourceVersion: String(version),
    ...(isComplete ? {} : { continue: writeToken({ v: 'meta.k8s.io/v1', rv: version, start: formatKey(last.metadata) }) }),
    ...(isComplete || hasSelector ? {} : { remainingItemCount: after.length - items.length }),
  };
}

function checkVersionOptions(version: string, match: ListOptions['resourceVersionMatch']): void {
  if (match === undefined) return;
  if (version === '')
    throw forbiddenOption('resourceVersionMatch', 'resourceVersionMatch is forbidden unless resourceVersion is provided');
  if (match !== 'Exact' || version !== '0') return;
  throw forbiddenOption('resourceVersionMatch', 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"');
}

/** 422 for options of a list or a watch that don't go together. */
export function forbiddenOption(field: string, detail: string): StatusError {
  const message = `ListOptions.meta.k8s.io "" is invalid: ${field}: Forbidden: ${detail}`;
  const causes = [{ reason: 'FieldValueForbidden', message: `Forbidden: ${detail}`, field }];
  return new StatusError(failure('Invalid', message, { group: 'meta.k8s.io', kind: 'ListOptions', causes }));
}

function versionFor(state: State, asked: string, match: ListOptions['resourceVersionMatch']): number {
  const newest = state.storage.version;
  if (asked === '' || asked === '0') return newest;
  const version = readVersion(asked);
  if (version > newest) throw tooLarge(version, newest);
  return match === 'Exact' ? version : newest;
}

/** Reads a resource version, which clients must take for an opaque text. */
export function readVersion(text: string): number {
  if (/^[0-9]{1,15}$/.test(text)) return Number(text);
  throw badRequest(`Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`);
}

/** 504: the version is from another time, or another cluster. */
function tooLarge(asked: number, newest: number): StatusError {
  return new StatusError(
    failure('Timeout', `Timeout: Too large resource version: ${asked}, current: ${newest}`, {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    }),
  );
}

/** The objects of a collection as they were: today's, with the events since then undone. */
function snapshot({ storage }: State, collection: string, version: number): readonly AnyObject[] {
  if (version >= storage.version) return [...storage.list(collection)];
  const events = storage.since(version);
  if (events === undefined) {
    throw new StatusError(failure('Expired', 'The provided continue parameter is too old to display a consistent list result.'));
  }
  const objects = new Map([...storage.list(collection)].map((object) => [formatKey(object.metadata), object]));
  for (const event of events.toReversed()) {
    if (event.collection !== collection) continue;
    const key = formatKey(event.object.metadata);
    if (event.previous === undefined) objects.delete(key);
    else objects.set(key, event.previous);
  }
  return [...objects.values()];
}

function writeToken(token: Continuation): string {
  return btoa(unescape(encodeURIComponent(JSON.stringify(token))))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '');
}

function readToken(text: string): Continuation {
  try {
    const token = JSON.parse(decodeURIComponent(escape(atob(text.replaceAll('-', '+').replaceAll('_', '/'))))) as Continuation;
    if (token.v === 'meta.k8s.io/v1' && Number.isInteger(token.rv) && typeof token.start === 'string') return token;
  } catch {
    // Said below, as for a token of another shape.
  }
  throw badRequest('continue key is not valid');
}
