import { failure, isClustersetError } from '../../kube/plain/index.ts';
import type { Access } from '../access/index.ts';
import type { ApiServer } from '../api/api-server.ts';
import { StatusError } from '../api/failures.ts';
import type { Door, Visit } from '../front/door.ts';
import { ADMIN, type ClientRequest, type Verb } from '../front/request.ts';
import { failed, JSON_TYPE, nowhere } from './answer.ts';
import { answerDocument } from './documents.ts';
import { asYaml, documentFormat, objectFormat } from './negotiate.ts';
import { isTrue, programOf } from './options.ts';
import { methodNotAllowed } from './parts.ts';
import { answerResource } from './resources.ts';
import { DISCOVERED } from './reviews.ts';
import { type ResourceRoute, type Route, routeOf } from './route.ts';

/** What a {@link Handler} is made of. */
export interface HandlerParts {
  readonly server: ApiServer;
  readonly door: Door;
  readonly access: Access;
  /** Whoever has it as bearer token may do everything. Default: everybody may. */
  readonly token?: string;
}

/** The HTTP face of an offline API server: a Request in, a Response out, with nothing of Node in between. */
export class Handler {
  readonly #server: ApiServer;
  readonly #door: Door;
  readonly #access: Access;
  readonly #token: string | undefined;

  constructor({ server, door, access, token }: HandlerParts) {
    this.#server = server;
    this.#door = door;
    this.#access = access;
    if (token !== undefined) access.tokens.accept(token, ADMIN);
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
      return await inFormat(await this.#answer(route, url, request, visit), request, objectFormat);
    } catch (error) {
      if (error instanceof StatusError) {
        visit?.ended(error);
        return inFormat(failed(error), request, documentFormat);
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
      const exchange = { request, query: url.searchParams, server: this.#server, door: this.#door, access: this.#access, visit };
      return answerResource(exchange, route.target);
    }
    if (!ANY_METHOD.has(route.to) && request.method !== 'GET') throw methodNotAllowed();
    const document = visit.act(() => this.#document(route, request));
    return document ?? nowhere();
  }

  #document(route: Route, request: Request): Response | undefined {
    return answerDocument(route, request, { served: this.#server.state.catalogue.all(), virtual: DISCOVERED });
  }
}

/** Answers are written as JSON, and turned into YAML for who would rather have that. */
function inFormat(answer: Response, request: Request, formatOf: typeof objectFormat): Response | Promise<Response> {
  const isJson = answer.headers.get('content-type') === JSON_TYPE;
  return isJson && formatOf(request)?.type === 'yaml' ? asYaml(answer) : answer;
}

/** Whether there is nobody to answer any more. */
function isBroken(error: unknown): boolean {
  return isClustersetError(error) && (error.code === 'Unreachable' || error.code === 'Aborted');
}

/** What is answered in the same way, whatever the method. */
const ANY_METHOD: ReadonlySet<Route['to']> = new Set(['nowhere', 'unreadable', 'health']);

const VERBS: Readonly<Record<string, Verb>> = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

/** What a request is about, for faults, authorisation and the log. */
function clientRequest(route: Route, url: URL, { method, headers }: Request): ClientRequest {
  const client = programOf(headers);
  if (route.to !== 'resource') return { verb: VERBS[method] ?? 'get', path: url.pathname, client };
  const { plural, name = namedBy(url), ...rest } = route.target;
  return { verb: verbOf(route.target, url, method), resource: plural, ...rest, name, client };
}

/** The one object that a list or a watch asks for by its name. */
function namedBy({ searchParams }: URL): string | undefined {
  return /^metadata\.name=([^,]+)$/.exec(searchParams.get('fieldSelector') ?? '')?.[1];
}

function verbOf({ name }: ResourceRoute, { searchParams }: URL, method: string): Verb {
  const verb = VERBS[method];
  if (verb === 'delete' && name === undefined) return 'deletecollection';
  if (verb !== undefined) return verb;
  if (isTrue(searchParams.get('watch'))) return 'watch';
  return name === undefined ? 'list' : 'get';
}
