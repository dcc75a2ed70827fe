import {
  type AnyObject,
  compareKeys,
  failure,
  formatKey,
  type ListOptions,
  type ObjectList,
  parseKey,
} from '../../kube/plain/index.ts';
import type { Served } from './catalogue.ts';
import { badRequest, plain, StatusError, type Undecodable } from './failures.ts';
import { checkSyntax, isIn, type Matcher, matcher } from './select.ts';
import { inVersion, type State } from './state.ts';

/** Who asks for one name is answered with one object. */
const ONE_NAME = /^metadata\.name==?[^,=]+$/;

interface Continuation {
  readonly v: 'meta.k8s.io/v1';
  readonly rv: number;
  /** Key of the last object of the page before. */
  readonly start: string;
}

/** GET of a collection */
export function list(state: State, served: Served, options: ListOptions): ObjectList<AnyObject> {
  const { limit: given = 0, resourceVersion = '', resourceVersionMatch } = options;
  checkSyntax(options);
  checkVersionOptions(options);
  const token = tokenOf(options);
  const matches = matcher(served, options);
  // A limited list of a version is of exactly this version, where nothing else is said.
  const match = resourceVersionMatch ?? (given > 0 ? 'Exact' : undefined);
  // What is answered from a cache has no pages.
  const limit = resourceVersion === '0' && token === undefined ? 0 : given;
  const version = token?.rv ?? versionFor(state, resourceVersion, match);
  const objects = snapshot(state, served.collection, version)
    .map((object) => inVersion(object, served))
    .filter((object) => isIn(object, served, options) && isBehind(object, token))
    .toSorted((a, b) => compareKeys(a.metadata, b.metadata));
  const { items, left } = firstPage(objects, limit, matches);
  const last = items.at(-1);
  const resource = { items, resourceVersion: String(version) };
  if (left === 0 || last === undefined || ONE_NAME.test(options.fieldSelector ?? '')) return resource;
  const hasSelector = `${options.labelSelector ?? ''}${options.fieldSelector ?? ''}` !== '';
  return {
    ...resource,
    continue: writeToken({ v: 'meta.k8s.io/v1', rv: version, start: formatKey(last.metadata) }),
    ...(hasSelector ? {} : { remainingItemCount: left }),
  };
}

function tokenOf({ continue: token = '', resourceVersion = '' }: ListOptions): Continuation | undefined {
  if (token === '') return undefined;
  const read = readToken(token);
  if (resourceVersion === '' || resourceVersion === '0') return read;
  throw badRequest('specifying resource version is not allowed when using continue');
}

function isBehind({ metadata }: AnyObject, token: Continuation | undefined): boolean {
  return token === undefined || compareKeys(metadata, parseKey(token.start)) > 0;
}

/** As many as there may be; what is left may hold nothing that is asked for: a page says that it isn't the last all the same. */
function firstPage(
  objects: readonly AnyObject[],
  limit: number,
  matches: Matcher,
): { readonly items: readonly AnyObject[]; readonly left: number } {
  const items: AnyObject[] = [];
  let seen = 0;
  for (const object of objects) {
    if (limit > 0 && items.length >= limit) break;
    if (matches(object)) items.push(object);
    seen += 1;
  }
  return { items, left: objects.length - seen };
}

function checkVersionOptions({
  resourceVersion: version = '',
  resourceVersionMatch: match,
  continue: token = '',
}: ListOptions): void {
  if (match === undefined) return;
  if (token !== '') throw forbiddenOption('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided');
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
  const version = readVersion(asked, (why) => badRequest(`invalid resource version: ${why}`));
  if (version > newest) throw tooLarge(version, newest);
  return match === 'Exact' ? version : newest;
}

/** Reads a resource version, which clients must take for an opaque text. */
export function readVersion(text: string, fail: Undecodable): number {
  if (/^[0-9]{1,15}$/.test(text)) return Number(text);
  const quoted = JSON.stringify(text);
  const why = /^[0-9]+$/.test(text) ? 'value out of range' : 'invalid syntax';
  throw fail(`resourceVersion: Invalid value: ${quoted}: strconv.ParseUint: parsing ${quoted}: ${why}`);
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
    throw plain('Expired', 'The provided continue parameter is too old to display a consistent list result.');
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
    if (
      token.v === 'meta.k8s.io/v1' &&
      Number.isInteger(token.rv) &&
      typeof token.start === 'string' &&
      !/(?:^|\/)\.\.?(?:\/|$)/.test(token.start)
    )
      return token;
  } catch {
    // Said below, as for a token of another shape.
  }
  throw badRequest('invalid continue token: continue key is not valid');
}
