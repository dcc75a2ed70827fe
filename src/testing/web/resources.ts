import {
  type AnyObject,
  apiVersionOf,
  failure,
  type ListOptions,
  type ObjectKey,
  type ObjectList,
} from '../../kube/plain/index.ts';
import type { Served } from '../api/catalogue.ts';
import { readRemoval } from '../api/delete-options.ts';
import { crude, notFound, plain, StatusError } from '../api/failures.ts';
import { readVersion } from '../api/list.ts';
import type { WriteContext } from '../api/write.ts';
import { failed, goTypeOf, includeObject, JSON_TYPE, json, one, representation, warned } from './answer.ts';
import { type Expected, readBody, readPatch } from './body.ts';
import { absent } from './documents.ts';
import { type Reader, strictReader } from './duplicates.ts';
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
  if (!isThere(target, served)) {
    exchange.visit.note(404);
    return absent({ served: exchange.server.state.catalogue.all(), virtual: DISCOVERED }, target.group);
  }
  const key = keyOfRoute(target, served);
  if (subresource !== undefined && !isPart(served, subresource)) return otherPart(exchange, served, key, subresource);
  const isWatch = exchange.request.method === 'GET' && isTrue(exchange.query.get('watch'));
  checkObjectFormat(exchange.request, { isBuiltIn: served.custom === undefined, isCollection: key === undefined, isWatch });
  return key === undefined ? collection(exchange, served, target) : object(exchange, served, key, target);
}

async function otherPart(exchange: Exchange, served: Served, key: ObjectKey | undefined, part: string): Promise<Response> {
  const answer = key === undefined ? undefined : await answerPart(exchange, served, key, part);
  if (answer !== undefined) return answer;
  // Who serves custom resources takes the missing part for a missing object.
  if (served.custom !== undefined) throw notFound(served.type, key?.name ?? '');
  exchange.visit.note(404);
  return absent({ served: exchange.server.state.catalogue.all(), virtual: DISCOVERED }, served.type.group);
}

/** Whether there are such paths: objects have a namespace exactly where their kind has. */
function isThere({ namespace, name }: ResourceRoute, { type }: Served): boolean {
  return type.scope === 'Namespaced' ? namespace !== undefined || name === undefined : namespace === undefined;
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
      if (served.type.scope === 'Namespaced' && namespace === undefined) throw methodNotAllowed();
      const options = writeContext(query, request.headers, visit.user, undefined);
      const body = await readBody(request, served);
      const context = { ...options, foundByReader: strictReader(body, readerOf(served)) };
      return warning(context, () => {
        const created = visit.act(() => server.create(served, namespace, body, context), 201);
        return one(served, created, request, nowOf(exchange), { status: 201, warnings: context.warnings });
      });
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
  if (part !== undefined && request.method === 'DELETE') throw undeletable(served);
  switch (request.method) {
    case 'GET': {
      if (isTrue(query.get('watch'))) {
        const options = { ...listOptions(query, namespace), fieldSelector: `metadata.name=${key.name}` };
        return watchStream(exchange, served, options);
      }
      readVersion(query.get('resourceVersion') || '0', crude);
      return one(
        served,
        visit.act(() => (part === 'scale' ? server.getScale(served, key) : server.get(served, key))),
        request,
        nowOf(exchange),
      );
    }
    case 'PUT': {
      const options = writeContext(query, request.headers, visit.user, part, 'UpdateOptions');
      const body = await readBody(request, part === 'scale' ? SCALE : served);
      const context = { ...options, foundByReader: strictReader(body, readerOf(served)) };
      return warning(context, () => {
        const { object: updated, created } = visit.act(() => server.put(served, key, body, context));
        return one(served, updated, request, nowOf(exchange), { status: created ? 201 : 200, warnings: context.warnings });
      });
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

function undeletable({ type, custom }: Served): StatusError {
  if (custom === undefined) return methodNotAllowed();
  const { group, plural } = type;
  const message = `delete is not supported on resources of kind "${plural}.${group}"`;
  return new StatusError(failure('MethodNotAllowed', message, { group, kind: plural }));
}

async function patch(exchange: Exchange, served: Served, key: ObjectKey, part: Part): Promise<Response> {
  const { server, request, query, visit } = exchange;
  const type = (request.headers.get('content-type') ?? '').split(';')[0]?.trim() ?? '';
  const accepted = acceptedPatches(served);
  if (!accepted.includes(type)) {
    // The router of the real server knows the types that built-in kinds take.
    if (served.custom === undefined) throw plain('UnsupportedMediaType', '415: Unsupported Media Type');
    const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`;
    throw plain('UnsupportedMediaType', message);
  }
  const options = writeContext(query, request.headers, visit.user, part, 'PatchOptions', type === APPLY);
  const body = await readPatch(request, type);
  const context = { ...options, foundByReader: strictReader(body, READERS[type] ?? 'patch') };
  if (type === APPLY) {
    const forced = { ...context, force: isTrue(query.get('force')) };
    return warning(context, () => {
      const applied = visit.act(() => server.apply(served, key, body, forced));
      const status = applied.created ? 201 : 200;
      return one(served, applied.object, request, nowOf(exchange), { status, warnings: context.warnings });
    });
  }
  const change =
    type === JSON_PATCH ? { type: 'json' as const, operations: body } : { type: PATCH_KINDS[type] ?? ('merge' as const), body };
  return warning(context, () => {
    const patched = visit.act(() => server.patch(served, key, change, context));
    return one(served, patched, request, nowOf(exchange), { warnings: context.warnings });
  });
}

/** Whoever is refused is warned as well. */
function warning({ warnings }: WriteContext, write: () => Response): Response {
  try {
    return write();
  } catch (error) {
    if (!(error instanceof StatusError) || warnings.length === 0) throw error;
    const answer = failed(error);
    for (const [name, value] of warned(warnings)) answer.headers.append(name, value);
    return answer;
  }
}

const readerOf = ({ custom }: Served): Reader => (custom === undefined ? 'built-in' : 'custom');

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

/** What a scale is written as. */
const SCALE: Expected = { type: { group: 'autoscaling', version: 'v1', kind: 'Scale' } };

const APPLY = 'application/apply-patch+yaml';
const JSON_PATCH = 'application/json-patch+json';
const STRATEGIC = 'application/strategic-merge-patch+json';
const PATCH_KINDS: Readonly<Record<string, 'merge' | 'strategic'>> = {
  'application/merge-patch+json': 'merge',
  [STRATEGIC]: 'strategic',
};

const READERS: Readonly<Record<string, Reader>> = { [APPLY]: 'apply', [JSON_PATCH]: 'json-patch' };

function acceptedPatches(served: Served): readonly string[] {
  const common = [JSON_PATCH, 'application/merge-patch+json', APPLY];
  return served.custom === undefined ? [...common, STRATEGIC] : common;
}

function keyOfRoute({ namespace, name }: ResourceRoute, served: Served): ObjectKey | undefined {
  if (name === undefined) return undefined;
  return served.type.scope === 'Namespaced' && namespace !== undefined ? { namespace, name } : { name };
}

const nowOf = ({ server }: Exchange): number => server.state.clock.now();
