import { formatKey, type ObjectKey } from './object.ts';

/**
 * What went wrong, in one word. Most are Kubernetes' own reasons; the last group is ours:
 *
 * - `NotServed`: the cluster doesn't serve the resource (its CRD is missing, or the version is too new).
 * - `ApplyConflict`: server-side apply met fields of other managers.
 * - `Unreachable`: no answer: refused, reset, silent, or a name that doesn't resolve.
 * - `Aborted`: the caller's signal fired.
 * - `NotImplemented`: an offline cluster was asked for something that it doesn't simulate.
 * - `UnknownCluster`: a name that no source of clusters knows.
 * - `Fenced`: this process may not write there any more, because another holds the lease by now, or may soon. Not worth a retry.
 */
export type ErrorCode =
  | 'BadRequest'
  | 'Unauthorized'
  | 'Forbidden'
  | 'NotFound'
  | 'MethodNotAllowed'
  | 'NotAcceptable'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Expired'
  | 'RequestEntityTooLarge'
  | 'UnsupportedMediaType'
  | 'Invalid'
  | 'TooManyRequests'
  | 'InternalError'
  | 'ServerTimeout'
  | 'ServiceUnavailable'
  | 'Timeout'
  | 'ApplyConflict'
  | 'NotServed'
  | 'NotImplemented'
  | 'Unreachable'
  | 'UnknownCluster'
  | 'Fenced'
  | 'Aborted';

/** The object that an error speaks of. */
export interface ObjectReference extends ObjectKey {
  readonly kind: string;
}

/** One thing that is wrong with one field. */
export interface Issue {
  /** Path of the field, as Kubernetes prints it: `spec.overrides[0].clusterName`. */
  readonly field: string;
  /** What is wrong, without the field. */
  readonly message: string;
  /** What to do about it. */
  readonly mend?: string;
  /** Kubernetes' cause type, where the server said one: `FieldValueRequired`, `FieldManagerConflict`, … */
  readonly reason?: string;
}

/** What {@link ClustersetError} is made of. */
export interface ErrorDetails {
  readonly code: ErrorCode;
  /** What went wrong, without the cluster and the object: they are put in front. */
  readonly message: string;
  readonly cluster?: string | undefined;
  readonly object?: ObjectReference | undefined;
  readonly field?: string | undefined;
  readonly mend?: string | undefined;
  readonly issues?: readonly Issue[] | undefined;
  /** HTTP status of the answer, where there was one. */
  readonly status?: number | undefined;
  /** Kubernetes' `reason`, where the server gave one. */
  readonly reason?: string | undefined;
  /** How long the server asks to wait, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

const BRAND = Symbol.for('clusterset.error');

/**
 * The one error class. Branch on `code` (or with {@link hasCode} and the predicates beside it), never on the message; the brand behind
 * them also recognises errors of another copy of this package. The message names the cluster, the object, the field and the mend, and
 * never holds a header, a token or a body.
 */
export class ClustersetError extends Error {
  override readonly name = 'ClustersetError';
  readonly code: ErrorCode;
  readonly cluster: string | undefined;
  readonly object: ObjectReference | undefined;
  readonly field: string | undefined;
  readonly mend: string | undefined;
  readonly issues: readonly Issue[];
  readonly status: number | undefined;
  readonly reason: string | undefined;
  readonly retryAfterMs: number | undefined;
  /** The message without cluster, object, field and mend. */
  readonly detail: string;

  constructor(details: ErrorDetails) {
    super(sentence(details), details.cause === undefined ? undefined : { cause: details.cause });
    Object.defineProperty(this, BRAND, { value: true });
    this.code = details.code;
    this.cluster = details.cluster;
    this.object = details.object;
    this.field = details.field;
    this.mend = details.mend;
    this.issues = details.issues ?? [];
    this.status = details.status;
    this.reason = details.reason;
    this.retryAfterMs = details.retryAfterMs;
    this.detail = details.message;
  }

  /** The same error with more context; what is known already stays. */
  with(context: Pick<ErrorDetails, 'cluster' | 'object' | 'field' | 'mend'>): ClustersetError {
    return new ClustersetError({
      code: this.code,
      message: this.detail,
      cluster: this.cluster ?? context.cluster,
      object: this.object ?? context.object,
      field: this.field ?? context.field,
      mend: this.mend ?? context.mend,
      issues: this.issues,
      status: this.status,
      reason: this.reason,
      retryAfterMs: this.retryAfterMs,
      cause: this.cause,
    });
  }
}

/** What an apply with `ifAbsent` failed with, told apart: a conflict, of fields or versions, means that there is an object already. */
export function ifAbsentError(error: unknown): unknown {
  if (!hasCode(error, 'Conflict', 'ApplyConflict')) return error;
  const { cluster, object, status } = error;
  return new ClustersetError({
    code: 'AlreadyExists',
    message: 'an object of that name exists already',
    cluster,
    object,
    status,
    cause: error,
  });
}

function sentence(details: ErrorDetails): string {
  const subject = [
    details.cluster === undefined ? undefined : `cluster ${details.cluster}`,
    details.object === undefined ? undefined : formatReference(details.object),
    details.field,
  ].filter((part) => part !== undefined && part !== '');
  const head = subject.length === 0 ? '' : `${subject.join(': ')}: `;
  return `${head}${details.message}${details.mend === undefined ? '' : `; ${details.mend}`}`;
}

/** `FederatedDeployment shop/web`. */
export function formatReference(reference: ObjectReference): string {
  return `${reference.kind} ${formatKey(reference)}`;
}

/** Whether an error is ours, also when it comes from another copy of this package. */
export function isClustersetError(error: unknown): error is ClustersetError {
  return typeof error === 'object' && error !== null && (error as Record<symbol, unknown>)[BRAND] === true;
}

/** Whether an error is ours and has one of the codes. */
export function hasCode(error: unknown, ...codes: readonly ErrorCode[]): error is ClustersetError {
  return isClustersetError(error) && codes.includes(error.code);
}

/** The object isn't there. */
export const isNotFound = (error: unknown): error is ClustersetError => hasCode(error, 'NotFound');
/** The cluster doesn't serve the resource: its CRD is missing. */
export const isNotServed = (error: unknown): error is ClustersetError => hasCode(error, 'NotServed');
/** Something of that name is there already. */
export const isAlreadyExists = (error: unknown): error is ClustersetError => hasCode(error, 'AlreadyExists');
/** The object changed in the meantime: read it again. */
export const isConflict = (error: unknown): error is ClustersetError => hasCode(error, 'Conflict');
/** The history that a watch or a page needs is gone: list again. */
export const isExpired = (error: unknown): error is ClustersetError => hasCode(error, 'Expired');
/** The object was refused for what it says. */
export const isInvalid = (error: unknown): error is ClustersetError => hasCode(error, 'Invalid', 'BadRequest');
/** The cluster gave no answer. */
export const isUnreachable = (error: unknown): error is ClustersetError => hasCode(error, 'Unreachable', 'Timeout');
/** The caller's own signal ended the call. */
export const isAborted = (error: unknown): error is ClustersetError => hasCode(error, 'Aborted');

const WORTH_RETRYING: ReadonlySet<ErrorCode> = new Set([
  'Conflict',
  'TooManyRequests',
  'InternalError',
  'ServerTimeout',
  'ServiceUnavailable',
  'Timeout',
  'Unreachable',
  'Expired',
]);

/** Whether the same call may succeed later with nothing changed by the caller. An error that isn't ours is taken for a passing one. */
export function isRetryable(error: unknown): boolean {
  return isClustersetError(error) ? WORTH_RETRYING.has(error.code) : true;
}
