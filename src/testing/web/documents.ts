import { failure } from '../../kube/plain/index.ts';
import { StatusError } from '../api/failures.ts';
import { RECORDED_VERSION } from '../schema/built-in.ts';
import { found, JSON_TYPE, json, nowhere } from './answer.ts';
import {
  AGGREGATED_TYPE,
  aggregated,
  type Discoverable,
  groupList,
  groupOf,
  legacyVersions,
  resourceList,
  rootPaths,
} from './discovery.ts';
import { checkDocumentFormat, checkRouter, chooseFormat, type Shape } from './negotiate.ts';
import { type Hashed, hashed, openapiDocument, openapiRoot } from './openapi.ts';
import type { Route } from './route.ts';

/** What of a cluster documents tell of. */
export type DocumentSource = Discoverable;

/**
 * Answers a request for what is no object: versions, discovery, OpenAPI, health. `undefined` where the path means nothing.
 *
 * @throws StatusError 404 or 406
 */
export function answerDocument(route: Route, request: Request, source: DocumentSource): Response | undefined {
  switch (route.to) {
    case 'health':
      return healthOf(request);
    case 'version':
      checkRouter(request, [JSON_TYPE]);
      return json(versionInfo());
    case 'root':
      return json(rootPaths(source));
    case 'legacyVersions':
      checkRouter(request);
      return discovered(
        request,
        () => aggregated(source, true),
        () => legacyVersions(new URL(request.url).host),
      );
    case 'groups':
      return discovered(
        request,
        () => aggregated(source, false),
        () => groupList(source),
      );
    case 'group':
      return groupDocument(request, groupOf(source, route.group));
    case 'groupVersion':
      return resourcesOf(request, source, route);
    case 'openapiRoot':
      return json(openapiRoot(source.served), 200, 'text/plain; charset=utf-8');
    case 'unreadable':
      return new Response('400 Bad Request', { status: 400, headers: { 'content-type': 'text/plain; charset=utf-8' } });
    case 'openapi':
      return openapiOf(request, openapiDocument(source.served, route.group, route.version));
    default:
      return undefined;
  }
}

const isAggregated = (shape: Shape | undefined): boolean =>
  shape === undefined ||
  (shape.group === 'apidiscovery.k8s.io' && shape.version === 'v2' && shape.kind === 'APIGroupDiscoveryList');

/** The aggregated form where the client asks for it, in which case what hasn't changed isn't sent again. */
function discovered(request: Request, whole: () => unknown, plain: () => unknown): Response {
  const format = chooseFormat(request.headers.get('accept'), isAggregated);
  if (format?.as === undefined) {
    checkDocumentFormat(request);
    return json(plain());
  }
  const document = hashed(JSON.stringify(whole()));
  const headers = new Headers({ vary: 'Accept', 'cache-control': 'public' });
  return unlessKnown(request, document, AGGREGATED_TYPE, headers);
}

function unlessKnown(request: Request, { text, hash }: Hashed, type: string, headers: Headers): Response {
  const tag = `"${hash}"`;
  headers.set('etag', tag);
  const known = (request.headers.get('if-none-match') ?? '').split(',').map((each) => each.trim());
  if (known.includes(tag) || known.includes('*')) return new Response(null, { status: 304, headers });
  headers.set('content-type', type);
  return new Response(text, { headers });
}

function resourcesOf(
  request: Request,
  source: DocumentSource,
  { group, version }: Route & { readonly to: 'groupVersion' },
): Response {
  const list = resourceList(source, group, version);
  if (list === undefined) return absent(source, group);
  if (isBuiltInGroup(source, group)) checkRouter(request);
  checkDocumentFormat(request);
  return json(list);
}

function groupDocument(request: Request, document: unknown): Response {
  if (document !== undefined) checkDocumentFormat(request);
  return found(document);
}

function isBuiltInGroup({ served, virtual = [] }: DocumentSource, group: string): boolean {
  return (
    served.some(({ type, custom }) => custom === undefined && type.group === group) ||
    virtual.some(({ type }) => type.group === group)
  );
}

/**
 * The answer where a group hasn't got a version or a resource: a page where nobody serves the group or CRDs do.
 *
 * @throws StatusError 404 where the group is a built-in one.
 */
export function absent(source: DocumentSource, group: string): Response {
  if (!isBuiltInGroup(source, group)) return nowhere();
  throw new StatusError(failure('NotFound', 'the server could not find the requested resource', {}));
}

const YEAR_SECONDS = 31_536_000;

/** A document that is asked for by its hash can be kept for ever; one that is asked for by a hash of old is elsewhere. */
function openapiOf(request: Request, document: Hashed | undefined): Response {
  if (document === undefined) return new Response(null, { status: 404 });
  const accept = request.headers.get('accept');
  if (chooseFormat(accept, (shape) => shape === undefined)?.type !== 'json') return new Response(null, { status: 406 });
  const { pathname, searchParams } = new URL(request.url);
  const asked = searchParams.get('hash');
  const headers = new Headers({ vary: 'Accept' });
  if (asked !== null && asked !== document.hash) {
    headers.set('location', `${pathname}?hash=${document.hash}`);
    return new Response(null, { status: 301, headers });
  }
  const forLong = `public, immutable, max-age=${YEAR_SECONDS}`;
  headers.set('cache-control', asked === null ? 'no-cache, private' : forLong);
  return unlessKnown(request, document, JSON_TYPE, headers);
}

/** `ok`, or what was looked at, one line each. */
function healthOf(request: Request): Response {
  const { pathname, searchParams } = new URL(request.url);
  const [, what = 'healthz'] = pathname.split('/');
  const text = searchParams.has('verbose') ? `[+]ping ok\n${what} check passed\n` : 'ok';
  return new Response(text, { headers: { 'content-type': 'text/plain; charset=utf-8' } });
}

function versionInfo(): unknown {
  const [, major = '', minor = ''] = /^v(\d+)\.(\d+)/.exec(RECORDED_VERSION) ?? [];
  return {
    major,
    minor,
    emulationMajor: major,
    emulationMinor: minor,
    minCompatibilityMajor: major,
    minCompatibilityMinor: String(Number(minor) - 1),
    gitVersion: RECORDED_VERSION,
    gitCommit: 'offline',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: '',
    compiler: '',
    platform: 'offline',
  };
}
