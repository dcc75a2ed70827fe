import { hasCode } from '../../kube/plain/index.ts';

/** What a lease could not be read or written for, with what to do about it where that is certain: nobody leads until then. */
export function explainedLeaseError(error: unknown, namespace: string, verbs: readonly string[]): unknown {
  if (hasCode(error, 'Forbidden')) {
    return error.with({ mend: `grant ${verbs.join(', ')} on leases.coordination.k8s.io in the namespace ${namespace}` });
  }
  // A lease that was removed just now isn't found either, and is made anew.
  if (hasCode(error, 'NotFound') && error.detail.startsWith('namespaces '))
    return error.with({ mend: `create the namespace ${namespace}, or name another for the lease` });
  return error;
}
