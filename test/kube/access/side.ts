import { type RequestOptions, request } from 'node:https';
import { compareText, stableStringify } from 'clusterset/kube';
import { systemClock } from 'clusterset/runtime';
import { Access, virtualResource } from '../../../src/testing/access/index.ts';
import { ApiServer } from '../../../src/testing/api/api-server.ts';
import { StatusError } from '../../../src/testing/api/failures.ts';
import type { ClientRequest, Verb } from '../../../src/testing/front/request.ts';
import { seededRandom } from '../../../src/testing/random.ts';
import { type ResourceRoute, routeOf } from '../../../src/testing/web/route.ts';

/** A request. Credentials are the name of a token that {@link Side.tokens} has; those of the administrator where nobody is named. */
export interface Line {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly token?: string;
  /** The name under which the token in the answer is kept. */
  readonly keepAs?: string;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** A cluster that is asked: a real one, or an offline one. */
export interface Side {
  readonly tokens: Map<string, string>;
  send(line: Line): Promise<Answer>;
}

/** Sends a line with the token that it means, also inside of its body, and keeps the token that it brings. */
export async function ask(side: Side, line: Line): Promise<Answer> {
  const body = JSON.parse(JSON.stringify(line.body ?? null), (key, value) =>
    key === 'token' && typeof value === 'string' ? (side.tokens.get(value) ?? value) : value,
  );
  const answer = await side.send({ ...line, ...(line.body === undefined ? {} : { body }) });
  const { status } = answer.body as { readonly status?: { readonly token?: string } };
  if (line.keepAs !== undefined) side.tokens.set(line.keepAs, status?.token ?? '');
  return answer;
}

const ADMIN = 'admin';

/** A real API server. */
export function realSide({ server, ca, token }: { readonly server: string; readonly ca: string; readonly token: string }): Side {
  const tokens = new Map([[ADMIN, token]]);
  return {
    tokens,
    send: ({ method, path, body, headers = {}, token: who = ADMIN }) => {
      const bearer = tokens.get(who) ?? who;
      const authorization = bearer === '' ? {} : { authorization: `Bearer ${bearer}` };
      const common = { 'content-type': 'application/json', accept: 'application/json', 'user-agent': 'test/1' };
      const options: RequestOptions = {
        method,
        ca,
        headers: { ...common, ...authorization, ...headers } as Record<string, string>,
      };
      const { promise, resolve, reject } = Promise.withResolvers<Answer>();
      const sent = request(new URL(path, server), options, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: parsed(text) }));
      });
      sent.on('error', reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
      return promise;
    },
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** An offline API server with RBAC: what is about access goes through it as over HTTP. */
export function offlineSide(): Side & { readonly access: Access; readonly server: ApiServer } {
  const server = new ApiServer(systemClock, seededRandom(1));
  const access = new Access(server, { rbac: true });
  const tokens = new Map([[ADMIN, ADMIN]]);
  access.tokens.accept(ADMIN, { name: 'admin', uid: 'admin', groups: ['system:masters'] });
  return {
    access,
    server,
    tokens,
    send: async (line) => {
      try {
        return carriedOut(server, access, line, tokens);
      } catch (error) {
        if (!(error instanceof StatusError)) throw error;
        return { status: error.status.code ?? 500, body: error.status };
      }
    },
  };
}

function carriedOut(server: ApiServer, access: Access, line: Line, tokens: ReadonlyMap<string, string>): Answer {
  const url = new URL(line.path, 'http://offline');
  const route = routeOf(url.pathname);
  const target = route.to === 'resource' ? route.target : undefined;
  const headers = new Headers();
  const bearer = tokens.get(line.token ?? ADMIN) ?? line.token ?? '';
  if (bearer !== '') headers.set('authorization', `Bearer ${bearer}`);
  for (const [name, values] of Object.entries(line.headers ?? {}))
    for (const value of [values].flat()) headers.append(name, value);
  const facts = target === undefined ? { path: url.pathname } : factsOf(target, url);
  const client: ClientRequest = { verb: verbOf(line, target, url), client: 'test', ...facts };
  const user = access.admit(client, { headers, adminToken: 'of nobody' });
  if (target === undefined) return { status: 200, body: {} };
  return acted(server, access, line, target, url, user);
}

function acted(
  server: ApiServer,
  access: Access,
  line: Line,
  target: ResourceRoute,
  url: URL,
  user: ReturnType<Access['admit']>,
): Answer {
  const { group, version, plural, subresource, namespace, name = '' } = target;
  const dryRun = url.searchParams.get('dryRun') === 'All';
  const fieldManager = url.searchParams.get('fieldManager') ?? 'test';
  const write = { fieldManager, dryRun, fieldValidation: 'Warn' as const, warnings: [], user };
  const virtual = virtualResource(group, version, plural, subresource);
  if (virtual !== undefined)
    return { status: 201, body: access.review(virtual.type.kind, line.body, { user, write, namespace, name }) };
  const served = server.served(target);
  if (served === undefined || line.method === 'GET') return { status: 200, body: {} };
  const key = namespace === undefined ? { name } : { namespace, name };
  if (line.method === 'DELETE') return { status: 200, body: server.delete(served, key, {}) };
  const old = server.state.storage.get(served.collection, key);
  const object = line.body as Parameters<Access['checkEscalation']>[0]['object'];
  access.checkEscalation({ user, group, resource: plural, namespace, name: target.name, object, old });
  return line.method === 'POST'
    ? { status: 201, body: server.create(served, namespace, line.body, write) }
    : { status: 200, body: server.update(served, key, line.body, write) };
}

function factsOf(
  { group, version, plural, subresource, namespace, name }: ResourceRoute,
  url: URL,
): Omit<ClientRequest, 'verb' | 'client'> {
  const [, selected] = /^metadata\.name=(.*)$/.exec(url.searchParams.get('fieldSelector') ?? '') ?? [];
  return { group, version, resource: plural, subresource, namespace, name: name ?? selected };
}

function verbOf({ method }: Line, target: ResourceRoute | undefined, url: URL): Verb {
  if (method === 'GET') {
    if (target === undefined || target.name !== undefined) return 'get';
    return url.searchParams.has('watch') ? 'watch' : 'list';
  }
  if (method === 'DELETE') return target?.name === undefined ? 'deletecollection' : 'delete';
  return method === 'PUT' ? 'update' : 'create';
}

const CHANGING: ReadonlySet<string> = new Set([
  'uid',
  'time',
  'resourceVersion',
  'creationTimestamp',
  'expirationTimestamp',
  'token',
]);

/** An answer without what differs from one cluster and moment to the next. */
export function normal({ status, body }: Answer): Answer {
  const text = JSON.stringify(body ?? null, (key, value) =>
    CHANGING.has(key) && !(key === 'uid' && value === 'admin') ? '*' : value,
  )
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uid>')
    .replace(/20\d\d-\d\d-\d\dT[0-9:]*Z/g, '<time>');
  return { status, body: JSON.parse(text, (key, value) => (UNORDERED.has(key) ? sorted(value) : value)) };
}

/** A real server looks at bindings in no order. */
const UNORDERED: ReadonlySet<string> = new Set(['resourceRules', 'nonResourceRules']);

function sorted(rules: readonly unknown[]): readonly unknown[] {
  return rules.toSorted((a, b) => compareText(stableStringify(a), stableStringify(b)));
}
