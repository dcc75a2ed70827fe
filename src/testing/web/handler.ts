import {
  type AnyObject,
  apiVersionOf,
  CODE_OF_REASON,
  type DeleteOptions,
  failure,
  isRecord,
  type ListOptions,
  type ObjectKey,
  type Status,
} from '../../kube/index.ts';
import type { ApiServer } from '../api/api-server.ts';
import type { Served } from '../api/catalogue.ts';
import { badRequest, notImplemented, StatusError } from '../api/failures.ts';
import type { Sent } from '../api/watch.ts';
import type { WriteContext } from '../api/write.ts';
import { RECORDED_VERSION } from '../schema/built-in.ts';
import { readBody } from './body.ts';
import { AGGREGATED_TYPE, aggregated, groupList, groupOf, legacyVersions, resourceList } from './discovery.ts';
import { openapiDocument, openapiRoot } from './openapi.ts';
import { type ResourceRoute, type Route, routeOf } from './route.ts';
import { partial, tableOf } from './table.ts';

/** What a {@link Handler} is made with. */
export interface HandlerOptions {
  /** Requests must carry it as a bearer token. Default: anybody may do anything. */
  readonly token?: string;
}

const MOST_SECONDS = 2 ** 31 / 1000;

/** The HTTP face of an offline API server: a Request in, a Response out, with nothing of Node in between. */
export class Handler {
  readonly #server: ApiServer;
  readonly #token: string | undefined;

  constructor(server: ApiServer, { token }: HandlerOptions = {}) {
    this.#server = server;
    this.#token = token;
  }

  /** Answers a request as an API server does. Never throws for what a client sends. */
  async handle(request: Request): Promise<Response> {
    try {
      const url = new URL(request.url);
      const route = routeOf(url.pathname);
      if (route.to !== 'health') this.#authenticate(request);
      return await this.#answer(route, url, request);
    } catch (error) {
      if (error instanceof StatusError) return failed(error.status);
      return failed(failure('InternalError', 'an error on the server has prevented the request from succeeding'));
    }
  }

  #authenticate(request: Request): void {
    if (this.#token === undefined || request.headers.get('authorization') === `Bearer ${this.#token}`) return;
    throw new StatusError(failure('Unauthorized', 'Unauthorized'));
  }

  async #answer(route: Route, url: URL, request: Request): Promise<Response> {
    if (route.to === 'resource') return this.#resource(route.target, url, request);
    if (request.method !== 'GET') throw methodNotAllowed();
    const document = this.#document(route, request);
    return document ?? nowhere();
  }

  #document(route: Route, request: Request): Response | undefined {
    const served = this.#server.state.catalogue.all();
    const wantsAggregated = (request.headers.get('accept') ?? '').includes('as=APIGroupDiscoveryList');
    switch (route.to) {
      case 'health':
        return new Response('ok', { headers: { 'content-type': 'text/plain; charset=utf-8' } });
      case 'version':
        return json(versionInfo());
      case 'legacyVersions':
        return wantsAggregated ? json(aggregated(served, true), 200, AGGREGATED_TYPE) : json(legacyVersions());
      case 'groups':
        return wantsAggregated ? json(aggregated(served, false), 200, AGGREGATED_TYPE) : json(groupList(served));
      case 'group':
        return found(groupOf(served, route.group));
      case 'groupVersion':
        return found(resourceList(served, route.group, route.version));
      case 'openapiRoot':
        return json(openapiRoot(served, String(served.length)));
      case 'openapi':
        return found(openapiDocument(served, route.group, route.version));
      default:
        return undefined;
    }
  }

  async #resource(target: ResourceRoute, url: URL, request: Request): Promise<Response> {
    const served = this.#server.served(target);
    if (served === undefined) return nowhere();
    const { subresource } = target;
    if (subresource === 'scale' && isScalable(served)) throw notImplemented('the scale subresource');
    if (subresource !== undefined && !(subresource === 'status' && served.subresources.has('status'))) return nowhere();
    const key = keyOfRoute(target, served);
    return key === undefined ? this.#collection(served, target, url, request) : this.#object(served, key, target, url, request);
  }

  async #collection(served: Served, { namespace }: ResourceRoute, url: URL, request: Request): Promise<Response> {
    const query = url.searchParams;
    switch (request.method) {
      case 'GET': {
        const options = listOptions(query, namespace);
        if (isTrue(query.get('watch'))) return this.#watch(served, options, query, request);
        return this.#list(served, options, query, request);
      }
      case 'POST': {
        const context = writeContext(query, request, undefined);
        const object = this.#server.create(served, namespace, await readBody(request), context);
        return this.#one(served, object, query, request, { status: 201, warnings: context.warnings });
      }
      case 'DELETE':
        throw notImplemented('deletion of whole collections');
      default:
        throw methodNotAllowed();
    }
  }

  async #object(served: Served, key: ObjectKey, { subresource }: ResourceRoute, url: URL, request: Request): Promise<Response> {
    const query = url.searchParams;
    const part = subresource === 'status' ? 'status' : undefined;
    switch (request.method) {
      case 'GET':
        if (isTrue(query.get('watch'))) return this.#watchOne(served, key, query, request);
        return this.#one(served, this.#server.get(served, key), query, request);
      case 'PUT': {
        const context = writeContext(query, request, part);
        const object = this.#server.update(served, key, await readBody(request), context);
        return this.#one(served, object, query, request, { warnings: context.warnings });
      }
      case 'PATCH':
        return this.#patch(served, key, query, request, part);
      case 'DELETE':
        return this.#delete(served, key, query, request);
      default:
        throw methodNotAllowed();
    }
  }

  async #patch(
    served: Served,
    key: ObjectKey,
    query: URLSearchParams,
    request: Request,
    part: 'status' | undefined,
  ): Promise<Response> {
    const type = (request.headers.get('content-type') ?? '').split(';')[0]?.trim() ?? '';
    const accepted = acceptedPatches(served);
    if (!accepted.includes(type)) {
      const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`;
      throw new StatusError(failure('UnsupportedMediaType', message));
    }
    const context = writeContext(query, request, part);
    const body = await readBody(request);
    if (type === APPLY) {
      const named = { ...context, fieldManager: query.get('fieldManager') ?? '', force: isTrue(query.get('force')) };
      const { object, created } = this.#server.apply(served, key, body, named);
      return this.#one(served, object, query, request, { status: created ? 201 : 200, warnings: context.warnings });
    }
    if (query.has('force'))
      throw badRequest('PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch');
    const change =
      type === JSON_PATCH ? { type: 'json' as const, operations: body } : { type: PATCH_KINDS[type] ?? 'merge', body };
    return this.#one(served, this.#server.patch(served, key, change, context), query, request, { warnings: context.warnings });
  }

  async #delete(served: Served, key: ObjectKey, query: URLSearchParams, request: Request): Promise<Response> {
    const body = await readBody(request);
    const options = deleteOptions(isRecord(body) ? body : {}, query);
    const deleted = this.#server.delete(served, key, options);
    return json(deleted.gone ? deleted.status : deleted.object);
  }

  #list(served: Served, options: ListOptions, query: URLSearchParams, request: Request): Response {
    const { items, resourceVersion, remainingItemCount, ...rest } = this.#server.list(served, options);
    const metadata = {
      resourceVersion,
      ...(rest.continue === undefined ? {} : { continue: rest.continue }),
      ...(remainingItemCount === undefined ? {} : { remainingItemCount }),
    };
    const as = representation(request);
    if (as === 'Table') return json(tableOf(served, items, metadata, this.#now(), query.get('includeObject') ?? 'Metadata'));
    if (as === 'PartialObjectMetadataList') {
      return json({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata, items: items.map(partial) });
    }
    return json({ kind: `${served.type.kind}List`, apiVersion: apiVersionOf(served.type), metadata, items });
  }

  #one(
    served: Served,
    object: AnyObject,
    query: URLSearchParams,
    request: Request,
    { status = 200, warnings = [] }: { readonly status?: number; readonly warnings?: readonly string[] } = {},
  ): Response {
    const headers = new Headers();
    for (const warning of warnings) headers.append('warning', `299 - ${JSON.stringify(warning)}`);
    return json(this.#represent(served, object, query, request), status, JSON_TYPE, headers);
  }

  #represent(served: Served, object: AnyObject, query: URLSearchParams, request: Request): unknown {
    const as = representation(request);
    if (as === 'Table') {
      const { resourceVersion } = object.metadata;
      return tableOf(served, [object], { resourceVersion }, this.#now(), query.get('includeObject') ?? 'Metadata');
    }
    return as === 'PartialObjectMetadata' ? partial(object) : object;
  }

  #watchOne(served: Served, { namespace, name }: ObjectKey, query: URLSearchParams, request: Request): Response {
    return this.#watch(served, { ...listOptions(query, namespace), fieldSelector: `metadata.name=${name}` }, query, request);
  }

  #watch(served: Served, options: ListOptions, query: URLSearchParams, request: Request): Response {
    const { resourceVersionMatch, ...selection } = options;
    const subscription = this.#server.watch(served, {
      ...selection,
      ...(query.has('sendInitialEvents') ? { sendInitialEvents: isTrue(query.get('sendInitialEvents')) } : {}),
      ...(resourceVersionMatch === 'NotOlderThan' ? { resourceVersionMatch } : {}),
      allowWatchBookmarks: isTrue(query.get('allowWatchBookmarks')),
      timeoutSeconds: Math.min(MOST_SECONDS, Number(query.get('timeoutSeconds') ?? 0) || 0),
    });
    const encoder = new TextEncoder();
    request.signal.addEventListener('abort', () => subscription.end(), { once: true });
    const stream = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        const event = await subscription.next();
        if (event === undefined) controller.close();
        else controller.enqueue(encoder.encode(`${JSON.stringify(this.#wireEvent(event, served, query, request))}\n`));
      },
      cancel: () => subscription.end(),
    });
    return new Response(stream, { headers: { 'content-type': JSON_TYPE } });
  }

  #wireEvent(event: Sent, served: Served, query: URLSearchParams, request: Request): unknown {
    if (event.type === 'ERROR') return event;
    if (event.type !== 'BOOKMARK') return { type: event.type, object: this.#represent(served, event.object, query, request) };
    const annotations = event.initialEventsEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
    const metadata = { resourceVersion: event.resourceVersion, creationTimestamp: null, ...annotations };
    return { type: 'BOOKMARK', object: { kind: served.type.kind, apiVersion: apiVersionOf(served.type), metadata } };
  }

  #now(): number {
    return this.#server.state.clock.now();
  }
}

const JSON_TYPE = 'application/json';
const APPLY = 'application/apply-patch+yaml';
const JSON_PATCH = 'application/json-patch+json';
const STRATEGIC = 'application/strategic-merge-patch+json';
const PATCH_KINDS: Readonly<Record<string, 'merge' | 'strategic'>> = {
  'application/merge-patch+json': 'merge',
  [STRATEGIC]: 'strategic',
};

function acceptedPatches(served: Served): readonly string[] {
  const common = [JSON_PATCH, 'application/merge-patch+json', APPLY];
  return served.custom === undefined ? [...common, STRATEGIC] : common;
}

function isScalable({ subresources }: Served): boolean {
  return subresources.has('scale');
}

function keyOfRoute({ namespace, name }: ResourceRoute, served: Served): ObjectKey | undefined {
  if (name === undefined) return undefined;
  return served.type.scope === 'Namespaced' && namespace !== undefined ? { namespace, name } : { name };
}

/** `as=Table` and the like, where a client accepts it. */
function representation(request: Request): string | undefined {
  const [first = ''] = (request.headers.get('accept') ?? '').split(',');
  return /;\s*as=([A-Za-z]+)/.exec(first)?.[1];
}

const isTrue = (value: string | null): boolean => value === 'true' || value === '1';

function listOptions(query: URLSearchParams, namespace: string | undefined): ListOptions {
  const match = query.get('resourceVersionMatch');
  const limit = Number(query.get('limit') ?? 0);
  return {
    namespace,
    labelSelector: query.get('labelSelector') ?? '',
    fieldSelector: query.get('fieldSelector') ?? '',
    limit: Number.isFinite(limit) ? limit : 0,
    continue: query.get('continue') ?? '',
    resourceVersion: query.get('resourceVersion') ?? '',
    ...(match === 'Exact' || match === 'NotOlderThan' ? { resourceVersionMatch: match } : {}),
  };
}

function writeContext(query: URLSearchParams, request: Request, subresource: 'status' | undefined): WriteContext {
  const validation = query.get('fieldValidation') ?? 'Warn';
  if (validation !== 'Ignore' && validation !== 'Warn' && validation !== 'Strict') {
    throw badRequest(
      `fieldValidation: Unsupported value: ${JSON.stringify(validation)}: supported values: "Ignore", "Strict", "Warn"`,
    );
  }
  const dryRun = query.get('dryRun');
  if (dryRun !== null && dryRun !== 'All')
    throw badRequest(`dryRun: Unsupported value: ${JSON.stringify(dryRun)}: supported values: "All"`);
  const agent = (request.headers.get('user-agent') ?? '').split('/')[0] ?? '';
  return {
    fieldManager: query.get('fieldManager') ?? (agent || 'unknown'),
    dryRun: dryRun === 'All',
    fieldValidation: validation,
    subresource,
    warnings: [],
  };
}

function deleteOptions(body: Readonly<Record<string, unknown>>, query: URLSearchParams): DeleteOptions {
  const policy = body.propagationPolicy ?? query.get('propagationPolicy') ?? undefined;
  const dryRun = Array.isArray(body.dryRun) ? body.dryRun.includes('All') : query.get('dryRun') === 'All';
  return {
    ...(policy === 'Foreground' || policy === 'Background' || policy === 'Orphan' ? { propagationPolicy: policy } : {}),
    ...(isRecord(body.preconditions) ? { preconditions: body.preconditions as NonNullable<DeleteOptions['preconditions']> } : {}),
    dryRun,
  };
}

function json(body: unknown, status = 200, type = JSON_TYPE, headers = new Headers()): Response {
  headers.set('content-type', type);
  return new Response(JSON.stringify(body), { status, headers });
}

function found(document: unknown): Response | undefined {
  return document === undefined ? undefined : json(document);
}

/** A path that nothing is behind isn't answered with a Status. */
function nowhere(): Response {
  return new Response('404 page not found\n', { status: 404, headers: { 'content-type': 'text/plain; charset=utf-8' } });
}

function methodNotAllowed(): StatusError {
  return new StatusError(failure('MethodNotAllowed', 'the server does not allow this method on the requested resource'));
}

function failed(status: Status): Response {
  const code = status.code ?? CODE_OF_REASON[status.reason ?? ''] ?? 500;
  const headers = new Headers();
  const seconds = status.details?.retryAfterSeconds;
  if (seconds !== undefined && seconds > 0) headers.set('retry-after', String(seconds));
  return json(status, code, JSON_TYPE, headers);
}

function versionInfo(): unknown {
  const [, major = '', minor = ''] = /^v(\d+)\.(\d+)/.exec(RECORDED_VERSION) ?? [];
  return {
    major,
    minor,
    gitVersion: RECORDED_VERSION,
    gitCommit: 'offline',
    gitTreeState: 'clean',
    platform: 'offline',
    compiler: '',
    goVersion: '',
    buildDate: '1970-01-01T00:00:00Z',
  };
}
