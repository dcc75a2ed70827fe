import type { Issue } from '../../kube/index.ts';
import { serverUrl } from '../access/address.ts';
import type { ClusterEndpoint } from '../entry.ts';
import { caOf, proxyOf, textOf } from '../mapping/mapping.ts';

/**
 * The endpoint of a kubeconfig's cluster (API: v1 Cluster of client-go), which access providers use, too (KEP-5339). The path of a file with
 * certificates means nothing elsewhere, and isn't followed.
 */
export function endpointOfKubeconfigCluster(
  cluster: Readonly<Record<string, unknown>>,
  field: string,
  issues: Issue[],
): ClusterEndpoint | undefined {
  const read = serverUrl(typeof cluster.server === 'string' ? cluster.server : '');
  if ('problem' in read) {
    issues.push({ field: `${field}.server`, message: `the address ${read.problem}`, mend: read.mend });
    return undefined;
  }
  const tlsServerName = textOf(cluster['tls-server-name']);
  return {
    server: read.url,
    ...caOf(cluster['certificate-authority-data'], `${field}.certificate-authority-data`, issues),
    ...(tlsServerName === undefined ? {} : { tlsServerName }),
    ...proxyOf(cluster['proxy-url'], `${field}.proxy-url`, issues),
    ...(cluster['insecure-skip-tls-verify'] === true ? { disabledTLSValidations: ['*' as const] } : {}),
  };
}
