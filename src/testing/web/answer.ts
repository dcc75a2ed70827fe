import { type AnyObject, CODE_OF_REASON } from '../../kube/plain/index.ts';
import type { Served } from '../api/catalogue.ts';
import { badRequest, crude, type StatusError } from '../api/failures.ts';
import { PlainError } from '../front/faults.ts';
import { objectFormat, type Shape, wrongShape } from './negotiate.ts';
import { partial, tableOf } from './table.ts';

export const JSON_TYPE = 'application/json';

const texts = new WeakMap<Response, string>();

/** A JSON answer. */
export function json(body: unknown, status = 200, type = JSON_TYPE, headers = new Headers()): Response {
  headers.set('content-type', type);
  const text = `${JSON.stringify(body)}\n`;
  const answer = new Response(text, { status, headers });
  texts.set(answer, text);
  return answer;
}

/** The whole text of an answer, where it is known: to read it from the answer's stream takes longer than to make it. */
export function textOf(answer: Response): string | undefined {
  return texts.get(answer);
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

/** The shape that a client asks for, of those that it accepts: `as=Table` and the like. */
export function representation(request: Request): Shape | undefined {
  return objectFormat(request)?.as;
}

/** An object in the shape that the client asks for. */
export function represented(served: Served, object: AnyObject, request: Request, now: number): unknown {
  const as = representation(request);
  switch (as?.kind) {
    case 'Table': {
      const { resourceVersion } = object.metadata;
      return tableOf(served, [object], { resourceVersion }, now, includeObject(request), as.version);
    }
    case 'PartialObjectMetadata':
      return partial(object, as.version);
    case 'PartialObjectMetadataList':
      throw served.custom === undefined ? wrongShape(as.kind, goTypeOf(served), false) : crude('content is not a list');
    default:
      return object;
  }
}

/** The type that a real server has for a kind in Go: its messages say it. */
export function goTypeOf({ type, custom, view }: Served): string {
  if (custom !== undefined) return '*unstructured.Unstructured';
  const { group } = view?.of ?? type;
  return `*${group === '' ? 'core' : group.split('.')[0]}.${type.kind}`;
}

const INCLUDED: ReadonlySet<string> = new Set(['', 'None', 'Metadata', 'Object']);

/**
 * How much of an object a row of a table holds.
 *
 * @throws StatusError 400
 */
export function includeObject(request: Request): string {
  const included = new URL(request.url).searchParams.get('includeObject') ?? '';
  if (INCLUDED.has(included)) return included || 'Metadata';
  const problem = `includeObject: Invalid value: ${JSON.stringify(included)}: must be 'Metadata', 'Object', 'None', or empty`;
  throw badRequest(`Unable to convert to Table as requested: ${problem}`);
}

/** A success, with warnings for whoever is interested. */
export interface Success {
  readonly status?: number;
  readonly warnings?: readonly string[];
}

/** Headers that tell a client of warnings (RFC 7234). */
export function warned(warnings: readonly string[]): Headers {
  const headers = new Headers();
  for (const warning of warnings) headers.append('warning', `299 - ${JSON.stringify(warning)}`);
  return headers;
}

/** The answer that holds one object. */
export function one(
  served: Served,
  object: AnyObject,
  request: Request,
  now: number,
  { status = 200, warnings = [] }: Success = {},
): Response {
  return json(represented(served, object, request, now), status, JSON_TYPE, warned(warnings));
}
