import { failure, type Status } from '../../kube/plain/index.ts';
import { StatusError } from '../api/failures.ts';
import type { RequestScope } from './request.ts';

/** What a request may meet on its way, or its answer on the way back. */
export type Fault = { readonly scope: RequestScope } & (
  | { readonly kind: 'hang' | 'silence' | 'reset' | 'lose' }
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'slow'; readonly buffer: number }
  | { readonly kind: 'fail'; readonly answer: () => StatusError; left: number }
);

/** An answer that a server gives in place of what was asked for. */
export interface FailureAnswer {
  /** HTTP status: 401, 403, 429, 500, 503, 504 and the like. */
  readonly code: number;
  /** Default: the server's own text. */
  readonly message?: string;
  /** Default: 1 for 429 and 503, none for others. */
  readonly retryAfterSeconds?: number;
  /** How many requests meet it; those after them are served. Default: all. */
  readonly times?: number;
}

/** A server that sheds load says so in plain text, with no Status (API: priority and fairness). */
export class PlainError extends StatusError {}

const REASONS: Readonly<Record<number, readonly [reason: string, message: string]>> = {
  400: ['BadRequest', 'the server rejected our request for an unknown reason'],
  401: ['Unauthorized', 'Unauthorized'],
  403: ['Forbidden', 'forbidden'],
  429: ['TooManyRequests', 'Too many requests, please try again later.'],
  500: ['InternalError', 'Internal error occurred: the server could not do it'],
  503: ['ServiceUnavailable', 'the server is currently unable to handle the request'],
  504: ['Timeout', 'Timeout: request did not complete within the allotted timeout'],
};

const RETRIED: ReadonlySet<number> = new Set([429, 503]);

/** The answer as an error that is thrown for each request. */
export function failing({ code, message, retryAfterSeconds }: FailureAnswer): () => StatusError {
  const [reason, text] = REASONS[code] ?? ['', `the server has answered ${code} on purpose`];
  const seconds = retryAfterSeconds ?? (RETRIED.has(code) ? 1 : undefined);
  const status: Status = failure(reason, message ?? text, seconds === undefined ? {} : { retryAfterSeconds: seconds }, code);
  return () => (code === 429 && message === undefined ? new PlainError(status) : new StatusError(status));
}
