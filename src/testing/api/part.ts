import {
  type AnyObject,
  applyJsonPatch,
  applyMergePatch,
  failure,
  isClustersetError,
  isRecord,
  type JsonPatchOperation,
  type ObjectKey,
  type ObjectMeta,
} from '../../kube/plain/index.ts';
import { builtInKinds } from '../schema/built-in.ts';
import { copy } from '../schema/conform.ts';
import type { WirePatch } from './change.ts';
import { badRequest, StatusError } from './failures.ts';

/** A kind that is written through a part of another, and kept nowhere. */
export interface PartKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Versions that are understood beside it. */
  readonly others?: readonly string[];
}

/** The body of a request to a part, once it is known to be of its kind. */
export interface PartBody {
  readonly metadata: Partial<ObjectMeta>;
  readonly [field: string]: unknown;
}

/** Reads a body of such a kind. @throws StatusError 400 for another kind, or another namespace than the path's. */
export function decodedPart(body: unknown, { group, version, kind, others = [] }: PartKind, key: ObjectKey): PartBody {
  if (!isRecord(body)) throw badRequest('the body of the request is no object');
  const given = { apiVersion: '', kind: '', ...body } as { readonly apiVersion: unknown; readonly kind: unknown };
  const versions = [version, ...others].map((each) => (group === '' ? each : `${group}/${each}`));
  const isOurs =
    (given.kind === '' || given.kind === kind) && (given.apiVersion === '' || versions.includes(String(given.apiVersion)));
  if (!isOurs) throw badRequest(otherKind(String(given.kind), String(given.apiVersion), group, version, kind));
  const metadata = isRecord(body.metadata) ? body.metadata : {};
  const { namespace } = metadata;
  if (typeof namespace === 'string' && namespace !== '' && namespace !== key.namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  return { ...body, metadata };
}

/** How the server complains depends on whether it knows the kind. */
function otherKind(kind: string, apiVersion: string, group: string, version: string, wanted: string): string {
  const shortVersion = apiVersion.slice(apiVersion.lastIndexOf('/') + 1);
  const isKnown = builtInKinds().some(
    ({ type }) => type.kind === kind && apiVersion === (type.group === '' ? type.version : `${type.group}/${type.version}`),
  );
  if (!isKnown)
    return `${kind} in version "${shortVersion || version}" cannot be handled as a ${wanted}: no kind "${kind}" is registered for version "${apiVersion}"`;
  const to = `${group === '' ? 'core' : group}.${wanted}`;
  return `${kind} in version "${shortVersion}" cannot be handled as a ${wanted}: converting (${shortVersion}.${kind}) to (${to}): unknown conversion`;
}

/** The part with a patch laid over it. It has no lists, so a strategic patch is one that merges. */
export function patchedPart(target: AnyObject, change: WirePatch): unknown {
  if (change.type !== 'json') {
    if (!isRecord(change.body)) throw badRequest('error decoding patch: json: cannot unmarshal the body into an object');
    return applyMergePatch(copy(target), change.body);
  }
  if (!Array.isArray(change.operations)) throw badRequest('error decoding patch: a JSON patch is a list of operations');
  try {
    return applyJsonPatch(copy(target), change.operations as readonly JsonPatchOperation[]);
  } catch (error) {
    if (!isClustersetError(error) && !(error instanceof TypeError)) throw error;
    throw new StatusError(failure('Invalid', 'the server rejected our request due to an error in our request', {}));
  }
}

/** A success that says nothing but that. */
export function done(code: number): StatusError['status'] {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code };
}

/** A failure without a reason, as the server answers what it didn't foresee. */
export function unreasoned(message: string): StatusError {
  return new StatusError({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, code: 500 });
}

/** 500 with a reason, and the cause in its own words. */
export function internal(message: string): StatusError {
  return new StatusError(failure('InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] }));
}

/** An apply must say whose it is. */
export function requiresManager(): StatusError {
  const message = 'Required value: is required for apply patch';
  const causes = [{ reason: 'FieldValueRequired', message, field: 'fieldManager' }];
  const text = `PatchOptions.meta.k8s.io "" is invalid: fieldManager: ${message}`;
  return new StatusError(failure('Invalid', text, { group: 'meta.k8s.io', kind: 'PatchOptions', causes }));
}
