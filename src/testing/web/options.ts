import { type DeleteOptions, isRecord, type ListOptions } from '../../kube/index.ts';
import { badRequest } from '../api/failures.ts';
import type { WriteContext } from '../api/write.ts';
import type { RequestUser } from '../front/request.ts';

/** Whether a parameter of a query is set. */
export const isTrue = (value: string | null): boolean => value === 'true' || value === '1';

/** The program behind a user agent: `kubectl` of `kubectl/v1.36.3 (linux/amd64)`. */
export function programOf(headers: Headers): string {
  return (headers.get('user-agent') ?? '').split('/')[0] || 'unknown';
}

/** Which objects a query asks for. */
export function listOptions(query: URLSearchParams, namespace: string | undefined): ListOptions {
  const match = query.get('resourceVersionMatch');
  const limit = Number(query.get('limit') ?? 0);
  return {
    namespace,
    labelSelector: query.get('labelSelector') ?? '',
    fieldSelector: query.get('fieldSelector') ?? '',
    limit: Number.isFinite(limit) ? limit : 0,
    continue: query.get('continue') ?? '',
    resourceVersion: query.get('resourceVersion') ?? '',
    ...(match === 'Exact' || match === 'NotOlderThan' ? { resourceVersionMatch: match } : {}),
  };
}

/** How a write is to be done. */
export function writeContext(
  query: URLSearchParams,
  headers: Headers,
  user: RequestUser,
  subresource: WriteContext['subresource'],
): WriteContext {
  const validation = query.get('fieldValidation') ?? 'Warn';
  if (validation !== 'Ignore' && validation !== 'Warn' && validation !== 'Strict') {
    throw badRequest(
      `fieldValidation: Unsupported value: ${JSON.stringify(validation)}: supported values: "Ignore", "Strict", "Warn"`,
    );
  }
  const dryRun = query.get('dryRun');
  if (dryRun !== null && dryRun !== 'All')
    throw badRequest(`dryRun: Unsupported value: ${JSON.stringify(dryRun)}: supported values: "All"`);
  return {
    fieldManager: query.get('fieldManager') ?? programOf(headers),
    dryRun: dryRun === 'All',
    fieldValidation: validation,
    subresource,
    warnings: [],
    user,
  };
}

/** How a deletion is to be done: the body counts more than the query. */
export function deleteOptions(given: unknown, query: URLSearchParams): DeleteOptions {
  const body = isRecord(given) ? given : {};
  const policy = body.propagationPolicy ?? query.get('propagationPolicy') ?? undefined;
  const dryRun = Array.isArray(body.dryRun) ? body.dryRun.includes('All') : query.get('dryRun') === 'All';
  return {
    ...(policy === 'Foreground' || policy === 'Background' || policy === 'Orphan' ? { propagationPolicy: policy } : {}),
    ...(isRecord(body.preconditions) ? { preconditions: body.preconditions as NonNullable<DeleteOptions['preconditions']> } : {}),
    dryRun,
  };
}
