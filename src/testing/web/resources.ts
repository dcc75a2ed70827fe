import { type AnyObject, apiVersionOf, type ListOptions, type ObjectKey, type ObjectList } from '../../kube/index.ts';
import type { Served } from '../api/catalogue.ts';
import { readRemoval } from '../api/delete-options.ts';
import { badRequest, plain } from '../api/failures.ts';
import { goTypeOf, includeObject, JSON_TYPE, json, one, representation, warned } from './answer.ts';
import { type Expected, readBody } from './body.ts';
import { absent } from './documents.ts';
import type { Exchange } from './exchange.ts';
import { checkObjectFormat, wrongShape } from './negotiate.ts';
import { isTrue, listOptions, writeContext } from './options.ts';
import { answerPart, methodNotAllowed } from './parts.ts';
import { answerReview, DISCOVERED } from './reviews.ts';
import type { ResourceRoute } from './route.ts';
import { watchStream } from './stream.ts';
import { partial, tableOf } from './table.ts';

/** Answers a request for a collection, an object, or a part of an object. */
export async function answerResource(exchange: Exchange, target: ResourceRoute): Promise<Response> {
  const asked = await answerReview(exchange, target);
  if (asked !== undefined) return asked;
  const served = exchange.server.served(target);
  const { subresource } = target;
  if (served === undefined) {
    exchange.visit.note(404);
    return absent({ served: exchange.server.state.catalogue.all(), virtual: DISCOVERED }, target.group);
  }
  const key = keyOfRoute(target, served);
  if (subresource !== undefined && !isPart(served, subresource)) {
    const answer = key === undefined ? undefined : await answerPart(exchange, served, key, subresource);
    if (answer === undefined) exchange.visit.note(404);
    return answer ?? absent({ served: exchange.server.state.catalogue.all(), virtual: DISCOVERED }, target.group);
  }
  const isWatch = exchange.request.method === 'GET' && isTrue(exchange.query.get('watch'));
  checkObjectFormat(exchange.request, { isBuiltIn: served.custom === undefined, isCollection: key === undefined, isWatch });
  return key === undefined ? collection(exchange, served, target) : object(exchange, served, key, target);
}

type Part = 'status' | 'scale' | undefined;

function isPart({ subresources }: Served, name: string): name is 'status' | 'scale' {
  return (name === 'status' || name === 'scale') && subresources.has(name);
}

async function collection(exchange: Exchange, served: Served, { namespace }: ResourceRoute): Promise<Response> {
  const { server, request, query, visit } = exchange;
  switch (request.method) {
    case 'GET': {
      const options = listOptions(query, namespace);
      return isTrue(query.get('watch')) ? watchStream(exchange, served, options) : list(exchange, served, options);
    }
    case 'POST': {
      const body = await readBody(request, served);
      const context = writeContext(query, request.headers, visit.user, undefined);
      const created = visit.act(() => server.create(served, namespace, body, context), 201);
      return one(served, created, request, nowOf(exchange), { status: 201, warnings: context.warnings });
    }
    case 'DELETE': {
      // All namespaces at once, or the namespaces themselves, are too much for one request.
      const isAcross = served.type.scope === 'Namespaced' && namespace === undefined;
      if (isAcross || served.collection === 'namespaces') throw methodNotAllowed();
      const removal = { ...readRemoval(await readBody(request), query), user: visit.user };
      const { list: before, warnings } = visit.act(() => server.deleteCollection(served, listOptions(query, namespace), removal));
      return listAnswer(exchange, served, before, warnings);
    }
    default:
      throw methodNotAllowed();
  }
}

async function object(
  exchange: Exchange,
  served: Served,
  key: ObjectKey,
  { subresource, namespace }: ResourceRoute,
): Promise<Response> {
  const { server, request, query, visit } = exchange;
  const part = subresource as Part;
  if (part !== undefined && request.method === 'DELETE') throw methodNotAllowed();
  switch (request.method) {
    case 'GET': {
      if (isTrue(query.get('watch'))) {
        const options = { ...listOptions(query, namespace), fieldSelector: `metadata.name=${key.name}` };
        return watchStream(exchange, served, options);
      }
      return one(
        served,
        visit.act(() => (part === 'scale' ? server.getScale(served, key) : server.get(served, key))),
        request,
        nowOf(exchange),
      );
    }
    case 'PUT': {
      const body = await readBody(request, part === 'scale' ? SCALE : served);
      const context = writeContext(query, request.headers, visit.user, part);
      const { object: updated, created } = visit.act(() => server.put(served, key, body, context));
      return one(served, updated, request, nowOf(exchange), { status: created ? 201 : 200, warnings: context.warnings });
    }
    case 'PATCH':
      return patch(exchange, served, key, part);
    case 'DELETE': {
      const options = { ...readRemoval(await readBody(request), query), user: visit.user };
      const { answer, code, warnings } = visit.act(() => server.delete(served, key, options));
      return json(answer, code, JSON_TYPE, warned(warnings));
    }
    default:
      throw methodNotAllowed();
  }
}

async function patch(exchange: Exchange, served: Served, key: ObjectKey, part: Part): Promise<Response> {
  const { server, request, query, visit } = exchange;
  const type = (request.headers.get('content-type') ?? '').split(';')[0]?.trim() ?? '';
  const accepted = acceptedPatches(served);
  if (!accepted.includes(type)) {
    const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`;
    throw plain('UnsupportedMediaType', message);
  }
  const body = await readBody(request);
  const context = writeContext(query, request.headers, visit.user, part);
  if (type === APPLY) {
    const named = { ...context, fieldManager: query.get('fieldManager') ?? '', force: isTrue(query.get('force')) };
    const applied = visit.act(() => server.apply(served, key, body, named));
    const status = applied.created ? 201 : 200;
    return one(served, applied.object, request, nowOf(exchange), { status, warnings: context.warnings });
  }
  if (query.has('force'))
    throw badRequest('PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch');
  const change =
    type === JSON_PATCH ? { type: 'json' as const, operations: body } : { type: PATCH_KINDS[type] ?? ('merge' as const), body };
  const patched = visit.act(() => server.patch(served, key, change, context));
  return one(served, patched, request, nowOf(exchange), { warnings: context.warnings });
}

function list(exchange: Exchange, served: Served, options: ListOptions): Response {
  const { server, visit } = exchange;
  return listAnswer(
    exchange,
    served,
    visit.act(() => server.list(served, options)),
  );
}

function listAnswer(
  exchange: Exchange,
  served: Served,
  { items, resourceVersion, remainingItemCount, ...rest }: ObjectList<AnyObject>,
  warnings: readonly string[] = [],
): Response {
  const { request } = exchange;
  const metadata = {
    resourceVersion,
    ...(rest.continue === undefined ? {} : { continue: rest.continue }),
    ...(remainingItemCount === undefined ? {} : { remainingItemCount }),
  };
  const as = representation(request);
  if (as?.kind === 'Table') {
    return json(tableOf(served, items, metadata, nowOf(exchange), includeObject(request), as.version));
  }
  if (as?.kind === 'PartialObjectMetadata') throw wrongShape(as.kind, `${goTypeOf(served)}List`, true);
  if (as !== undefined) {
    const { kind, version } = as;
    const parts = items.length === 0 ? null : items.map((item) => partial(item, version));
    return json({ kind, apiVersion: `meta.k8s.io/${version}`, metadata, items: parts });
  }
  // The list says of built-in kinds what its items are.
  const listed = served.custom === undefined ? items.map(({ apiVersion: _a, kind: _k, ...item }) => item) : items;
  const body = {
    kind: served.custom?.listKind ?? `${served.type.kind}List`,
    apiVersion: apiVersionOf(served.type),
    // A real server says of custom resources that there is no more, too.
    metadata: served.custom === undefined ? metadata : { continue: '', ...metadata },
    items: listed,
  };
  return json(body, 200, JSON_TYPE, warned(warnings));
}

export { methodNotAllowed } from './parts.ts';

/** What a scale is written as. */
const SCALE: Expected = { type: { group: 'autoscaling', version: 'v1', kind: 'Scale' } };

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

function keyOfRoute({ namespace, name }: ResourceRoute, served: Served): ObjectKey | undefined {
  if (name === undefined) return undefined;
  return served.type.scope === 'Namespaced' && namespace !== undefined ? { namespace, name } : { name };
}

const nowOf = ({ server }: Exchange): number => server.state.clock.now();
