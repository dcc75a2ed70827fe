import { type AnyObject, CODE_OF_REASON } from '../../kube/index.ts';
import type { Served } from '../api/catalogue.ts';
import type { StatusError } from '../api/failures.ts';
import { PlainError } from '../front/faults.ts';
import { partial, tableOf } from './table.ts';

export const JSON_TYPE = 'application/json';

/** A JSON answer. */
export function json(body: unknown, status = 200, type = JSON_TYPE, headers = new Headers()): Response {
  headers.set('content-type', type);
  return new Response(`${JSON.stringify(body)}\n`, { status, headers });
}

/** What a path answers that means nothing. */
export function nowhere(): Response {
  return new Response('404 page not found\n', { status: 404, headers: { 'content-type': 'text/plain; charset=utf-8' } });
}

/** A document, or nothing of that name. */
export function found(document: unknown): Response {
  return document === undefined ? nowhere() : json(document);
}

/** A failure as the server writes it. */
export function failed(error: StatusError): Response {
  const { status } = error;
  const code = status.code ?? CODE_OF_REASON[status.reason ?? ''] ?? 500;
  const headers = new Headers();
  const seconds = status.details?.retryAfterSeconds;
  if (seconds !== undefined && seconds > 0) headers.set('retry-after', String(seconds));
  if (!(error instanceof PlainError)) return json(status, code, JSON_TYPE, headers);
  headers.set('content-type', 'text/plain; charset=utf-8');
  return new Response(`${status.message}\n`, { status: code, headers });
}

/** `as=Table` and the like, where a client accepts it. */
export function representation(request: Request): string | undefined {
  const [first = ''] = (request.headers.get('accept') ?? '').split(',');
  return /;\s*as=([A-Za-z]+)/.exec(first)?.[1];
}

/** An object in the shape that the client asks for. */
export function represented(served: Served, object: AnyObject, request: Request, now: number): unknown {
  const as = representation(request);
  if (as === 'Table') {
    const { resourceVersion } = object.metadata;
    return tableOf(served, [object], { resourceVersion }, now, includeObject(request));
  }
  return as === 'PartialObjectMetadata' ? partial(object) : object;
}

/** How much of an object a row of a table holds. */
export function includeObject(request: Request): string {
  return new URL(request.url).searchParams.get('includeObject') ?? 'Metadata';
}

/** A success, with warnings for whoever is interested. */
export interface Success {
  readonly status?: number;
  readonly warnings?: readonly string[];
}

/** The answer that holds one object. */
export function one(
  served: Served,
  object: AnyObject,
  request: Request,
  now: number,
  { status = 200, warnings = [] }: Success = {},
): Response {
  const headers = new Headers();
  for (const warning of warnings) headers.append('warning', `299 - ${JSON.stringify(warning)}`);
  return json(represented(served, object, request, now), status, JSON_TYPE, headers);
}
