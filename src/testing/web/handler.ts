import { failure, isClustersetError } from '../../kube/index.ts';
import type { ApiServer } from '../api/api-server.ts';
import { StatusError } from '../api/failures.ts';
import type { Door, Visit } from '../front/door.ts';
import type { ClientRequest, Verb } from '../front/request.ts';
import { RECORDED_VERSION } from '../schema/built-in.ts';
import { failed, found, json, nowhere } from './answer.ts';
import { AGGREGATED_TYPE, aggregated, groupList, groupOf, legacyVersions, resourceList } from './discovery.ts';
import { openapiDocument, openapiRoot } from './openapi.ts';
import { isTrue, programOf } from './options.ts';
import { answerResource, methodNotAllowed } from './resources.ts';
import { type ResourceRoute, type Route, routeOf } from './route.ts';

/** What a {@link Handler} is made of. */
export interface HandlerParts {
  readonly server: ApiServer;
  readonly door: Door;
  /** Whoever has it as bearer token may do everything. Default: everybody may. */
  readonly token?: string;
}

/** The HTTP face of an offline API server: a Request in, a Response out, with nothing of Node in between. */
export class Handler {
  readonly #server: ApiServer;
  readonly #door: Door;
  readonly #token: string | undefined;

  constructor({ server, door, token }: HandlerParts) {
    this.#server = server;
    this.#door = door;
    this.#token = token;
  }

  /**
   * Answers a request as an API server does, whatever a client sends.
   *
   * @throws ClustersetError where the connection is to break: `Unreachable`, `Aborted`.
   */
  async handle(request: Request): Promise<Response> {
    let visit: Visit | undefined;
    try {
      const url = new URL(request.url);
      const route = routeOf(url.pathname);
      const credentials = { headers: request.headers, adminToken: this.#token };
      visit = await this.#door.enter(clientRequest(route, url, request), credentials, request.signal);
      return await this.#answer(route, url, request, visit);
    } catch (error) {
      if (error instanceof StatusError) {
        visit?.ended(error);
        return failed(error);
      }
      if (isBroken(error)) throw error;
      visit?.ended(error);
      return failed(
        new StatusError(failure('InternalError', 'an error on the server has prevented the request from succeeding')),
      );
    }
  }

  async #answer(route: Route, url: URL, request: Request, visit: Visit): Promise<Response> {
    if (route.to === 'resource') {
      const exchange = { request, query: url.searchParams, server: this.#server, door: this.#door, visit };
      return answerResource(exchange, route.target);
    }
    if (request.method !== 'GET') throw methodNotAllowed();
    const document = visit.act(() => this.#document(route, request));
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
}

/** Whether there is nobody to answer any more. */
function isBroken(error: unknown): boolean {
  return isClustersetError(error) && (error.code === 'Unreachable' || error.code === 'Aborted');
}

const VERBS: Readonly<Record<string, Verb>> = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

/** What a request is about, for faults, authorisation and the log. */
function clientRequest(route: Route, url: URL, { method, headers }: Request): ClientRequest {
  const client = programOf(headers);
  if (route.to !== 'resource') return { verb: VERBS[method] ?? 'get', path: url.pathname, client };
  const { plural, ...rest } = route.target;
  return { verb: verbOf(route.target, url, method), resource: plural, ...rest, client };
}

function verbOf({ name }: ResourceRoute, { searchParams }: URL, method: string): Verb {
  const verb = VERBS[method];
  if (verb === 'delete' && name === undefined) return 'deletecollection';
  if (verb !== undefined) return verb;
  if (isTrue(searchParams.get('watch'))) return 'watch';
  return name === undefined ? 'list' : 'get';
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
