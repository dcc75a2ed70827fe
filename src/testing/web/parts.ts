import { failure, type ObjectKey, resourceType, type Status } from '../../kube/plain/index.ts';
import { bind } from '../api/binding.ts';
import type { Served } from '../api/catalogue.ts';
import { evict } from '../api/evict.ts';
import { notImplemented, StatusError } from '../api/failures.ts';
import { finalizeNamespace } from '../api/finalize.ts';
import type { WriteContext } from '../api/write.ts';
import { json, one } from './answer.ts';
import { readBody } from './body.ts';
import type { VirtualResource } from './discovery.ts';
import type { Exchange } from './exchange.ts';
import { writeContext } from './options.ts';

/** Parts of objects that real servers have, and that can't be simulated. */
const UNSIMULATED: ReadonlySet<string> = new Set([
  'nodes/proxy',
  'pods/attach',
  'pods/ephemeralcontainers',
  'pods/exec',
  'pods/log',
  'pods/portforward',
  'pods/proxy',
  'pods/resize',
  'services/proxy',
]);

/** What discovery tells of parts that are of other kinds than their resources. */
export const PART_RESOURCES: readonly VirtualResource[] = [
  partResource('pods', 'binding', 'v1', 'Binding', 'create'),
  partResource('pods', 'eviction', 'policy/v1', 'Eviction', 'create'),
  partResource('namespaces', 'finalize', 'v1', 'Namespace', 'update'),
];

function partResource(plural: string, name: string, apiVersion: string, kind: string, verb: string): VirtualResource {
  const subresource = { group: '', version: 'v1', plural, name };
  return { type: resourceType(apiVersion, kind, plural), singular: '', verbs: [verb], subresource };
}

/** 405: the path is there, and can't be used so. */
export function methodNotAllowed(): StatusError {
  return new StatusError(failure('MethodNotAllowed', 'the server does not allow this method on the requested resource'));
}

type Work = (exchange: Exchange, served: Served, key: ObjectKey, body: unknown, context: WriteContext) => Status;

/** Parts that are only created, and answer with a status. */
const CREATED: Readonly<Record<string, Work>> = {
  'pods/eviction': ({ server }, served, key, body, context) => evict(server, served, key, body, context),
  'pods/binding': ({ server }, served, key, body, context) => bind(server.state, served, key, body, context),
};

/** Answers a request for a part that is neither a status nor a scale; nothing for parts that there aren't. */
export async function answerPart(
  exchange: Exchange,
  served: Served,
  key: ObjectKey,
  subresource: string,
): Promise<Response | undefined> {
  const { request, visit, server } = exchange;
  const name = `${served.collection}/${subresource}`;
  if (UNSIMULATED.has(name)) throw notImplemented(name);
  const create = CREATED[name];
  if (create !== undefined) {
    if (request.method !== 'POST') throw methodNotAllowed();
    const { body, context } = await read(exchange, subresource);
    const status = visit.act(() => create(exchange, served, key, body, context), 201);
    return json(status, 201);
  }
  if (name !== 'namespaces/finalize') return undefined;
  if (request.method !== 'PUT') throw methodNotAllowed();
  const { body, context } = await read(exchange, subresource);
  const namespace = visit.act(() => finalizeNamespace(server.state, served, key, body, context));
  return one(served, namespace, request, server.state.clock.now(), { warnings: context.warnings });
}

async function read(
  { request, query, visit }: Exchange,
  subresource: string,
): Promise<{ readonly body: unknown; readonly context: WriteContext }> {
  const expected = PART_RESOURCES.find((each) => each.subresource?.name === subresource);
  return { body: await readBody(request, expected), context: writeContext(query, request.headers, visit.user, undefined) };
}
