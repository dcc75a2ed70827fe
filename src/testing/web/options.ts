import type { ListOptions } from '../../kube/index.ts';
import type { User } from '../access/index.ts';
import { badRequest } from '../api/failures.ts';
import type { WriteContext } from '../api/write.ts';

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
  user: User,
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
