import { ClustersetError, type ErrorCode, type Issue } from './errors.ts';
import { isRecord } from './object.ts';

/** One cause in a {@link Status} (API: meta/v1 StatusCause). */
export interface StatusCause {
  readonly reason?: string;
  readonly message?: string;
  readonly field?: string;
}

/** How an API server says what happened (API: meta/v1 Status). */
export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: { readonly continue?: string };
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: {
    readonly name?: string;
    readonly group?: string;
    readonly kind?: string;
    readonly uid?: string;
    readonly causes?: readonly StatusCause[];
    readonly retryAfterSeconds?: number;
  };
  readonly code?: number;
}

/** HTTP statuses of the reasons that Kubernetes knows; a reason outranks the status that came with it. */
export const CODE_OF_REASON: Readonly<Record<string, number>> = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Gone: 410,
  Expired: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  ServerTimeout: 500,
  NotImplemented: 501,
  ServiceUnavailable: 503,
  Timeout: 504,
};

const REASON_OF_CODE: Readonly<Record<number, ErrorCode>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Expired',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  501: 'NotImplemented',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

/** Whether a body is a Status object. */
export function isStatus(body: unknown): body is Status {
  return isRecord(body) && body.kind === 'Status' && body.apiVersion === 'v1';
}

/** The code of an answer: by reason first, by HTTP status where the reason is unknown. */
export function codeOf(status: number, reason: string | undefined, causes: readonly StatusCause[] = []): ErrorCode {
  if (reason === 'Gone') return 'Expired';
  if (reason === 'Conflict' && causes.some((cause) => cause.reason === 'FieldManagerConflict')) return 'ApplyConflict';
  if (reason !== undefined && Object.hasOwn(CODE_OF_REASON, reason)) return reason as ErrorCode;
  return REASON_OF_CODE[status] ?? (status >= 500 ? 'InternalError' : 'BadRequest');
}

/** The error that a failed answer stands for. `httpStatus` is used where the body doesn't say. */
export function errorOfStatus(
  body: Status,
  httpStatus: number,
  context: { readonly cluster: string; readonly retryAfterMs?: number | undefined },
): ClustersetError {
  const causes = body.details?.causes ?? [];
  const seconds = body.details?.retryAfterSeconds;
  return new ClustersetError({
    code: codeOf(body.code ?? httpStatus, body.reason, causes),
    message: body.message ?? `the server answered ${body.code ?? httpStatus}`,
    cluster: context.cluster,
    status: body.code ?? httpStatus,
    reason: body.reason,
    issues: causes.map(issueOfCause),
    retryAfterMs: context.retryAfterMs ?? (seconds === undefined || seconds === 0 ? undefined : seconds * 1000),
  });
}

function issueOfCause(cause: StatusCause): Issue {
  return {
    field: cause.field ?? '',
    message: cause.message ?? '',
    ...(cause.reason === undefined ? {} : { reason: cause.reason }),
  };
}

/** A failure as a server writes it; `retryAfterSeconds`, `causes` and the rest go into `details`. */
export function failure(
  reason: string,
  message: string,
  details: NonNullable<Status['details']> = {},
  code = CODE_OF_REASON[reason] ?? 500,
): Status {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, details, code };
}
