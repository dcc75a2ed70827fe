import { failure } from '../../kube/index.ts';
import { StatusError } from '../api/failures.ts';
import type { Gatekeeper } from './door.ts';
import { ADMIN, type RequestUser } from './request.ts';

/** Paths that everybody may read (API: ClusterRole system:public-info-viewer). */
const PUBLIC: ReadonlySet<string> = new Set(['/healthz', '/livez', '/readyz', '/version']);
const ANONYMOUS: RequestUser = { name: 'system:anonymous', groups: ['system:unauthenticated'] };

/** Lets everybody do everything who has the token, or is in this process. */
export const OPEN: Gatekeeper = {
  admit({ path = '' }, credentials) {
    if ('user' in credentials) return credentials.user;
    const { headers, adminToken } = credentials;
    if (adminToken === undefined || headers.get('authorization') === `Bearer ${adminToken}`) return ADMIN;
    if (PUBLIC.has(path)) return ANONYMOUS;
    throw new StatusError(failure('Unauthorized', 'Unauthorized'));
  },
};
