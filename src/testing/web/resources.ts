import { apiVersionOf, failure, type ListOptions, type ObjectKey } from '../../kube/index.ts';
import type { Served } from '../api/catalogue.ts';
import { badRequest, notImplemented, StatusError } from '../api/failures.ts';
import { includeObject, json, nowhere, one, representation } from './answer.ts';
import { readBody } from './body.ts';
import type { Exchange } from './exchange.ts';
import { deleteOptions, isTrue, listOptions, writeContext } from './options.ts';
import type { ResourceRoute } from './route.ts';
import { watchStream } from './stream.ts';
import { partial, tableOf } from './table.ts';

/** Answers a request for a collection, an object, or a part of an object. */
export async function answerResource(exchange: Exchange, target: ResourceRoute): Promise<Response> {
  const served = exchange.server.served(target);
  const { subresource } = target;
  if (served === undefined) {
    exchange.visit.note(404);
    return nowhere();
  }
  if (subresource === 'scale' && served.subresources.has('scale')) throw notImplemented('the scale subresource');
  if (subresource !== undefined && !(subresource === 'status' && served.subresources.has('status'))) {
    exchange.visit.note(404);
    return nowhere();
  }
  const key = keyOfRoute(target, served);
  return key === undefined ? collection(exchange, served, target) : object(exchange, served, key, target);
}

async function collection(exchange: Exchange, served: Served, { namespace }: ResourceRoute): Promise<Response> {
  const { server, request, query, visit } = exchange;
  switch (request.method) {
    case 'GET': {
      const options = listOptions(query, namespace);
      return isTrue(query.get('watch')) ? watchStream(exchange, served, options) : list(exchange, served, options);
    }
    case 'POST': {
      const body = await readBody(request);
      const context = writeContext(query, request.headers, visit.user, undefined);
      const created = visit.act(() => server.create(served, namespace, body, context), 201);
      return one(served, created, request, nowOf(exchange), { status: 201, warnings: context.warnings });
    }
    case 'DELETE':
      throw notImplemented('deletion of whole collections');
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
  const part = subresource === 'status' ? 'status' : undefined;
  switch (request.method) {
    case 'GET': {
      if (isTrue(query.get('watch'))) {
        const options = { ...listOptions(query, namespace), fieldSelector: `metadata.name=${key.name}` };
        return watchStream(exchange, served, options);
      }
      return one(
        served,
        visit.act(() => server.get(served, key)),
        request,
        nowOf(exchange),
      );
    }
    case 'PUT': {
      const body = await readBody(request);
      const context = writeContext(query, request.headers, visit.user, part);
      const updated = visit.act(() => server.update(served, key, body, context));
      return one(served, updated, request, nowOf(exchange), { warnings: context.warnings });
    }
    case 'PATCH':
      return patch(exchange, served, key, part);
    case 'DELETE': {
      const options = deleteOptions(await readBody(request), query);
      const deleted = visit.act(() => server.delete(served, key, options));
      return json(deleted.gone ? deleted.status : deleted.object);
    }
    default:
      throw methodNotAllowed();
  }
}

async function patch(exchange: Exchange, served: Served, key: ObjectKey, part: 'status' | undefined): Promise<Response> {
  const { server, request, query, visit } = exchange;
  const type = (request.headers.get('content-type') ?? '').split(';')[0]?.trim() ?? '';
  const accepted = acceptedPatches(served);
  if (!accepted.includes(type)) {
    const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`;
    throw new StatusError(failure('UnsupportedMediaType', message));
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
  const { server, request, visit } = exchange;
  const { items, resourceVersion, remainingItemCount, ...rest } = visit.act(() => server.list(served, options));
  const metadata = {
    resourceVersion,
    ...(rest.continue === undefined ? {} : { continue: rest.continue }),
    ...(remainingItemCount === undefined ? {} : { remainingItemCount }),
  };
  const as = representation(request);
  if (as === 'Table') return json(tableOf(served, items, metadata, nowOf(exchange), includeObject(request)));
  if (as === 'PartialObjectMetadataList') {
    return json({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata, items: items.map(partial) });
  }
  return json({ kind: `${served.type.kind}List`, apiVersion: apiVersionOf(served.type), metadata, items });
}

/** 405: the path is there, and can't be used so. */
export function methodNotAllowed(): StatusError {
  return new StatusError(failure('MethodNotAllowed', 'the server does not allow this method on the requested resource'));
}

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
