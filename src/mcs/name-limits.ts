import { checkDnsLabel, type Issue, type ObjectKey } from '../kube/index.ts';

/**
 * Which cluster ids are taken. `one-label`: `eu-1`; what EndpointSlices, status and DNS servers all can do. `two-labels`: `eu-1.west` as
 * well (KEP-1645 on cluster ids), which CoreDNS can't resolve in the names of single hosts.
 */
export type ClusterIdForm = 'one-label' | 'two-labels';

/** Longest value of a label, in characters: imported EndpointSlices carry the cluster id in one (API: apimachinery validation). */
const LONGEST_LABEL_VALUE = 63;
/** Longest DNS name, in characters (RFC 1035). */
const LONGEST_DNS_NAME = 253;
const LONGEST_HOSTNAME = 63;

/** What is wrong with a cluster id; nothing for a good one. */
export function checkClusterId(id: string, form: ClusterIdForm): readonly string[] {
  if (form === 'one-label') return checkDnsLabel(id);
  const labels = id.split('.');
  if (labels.length > 2) return ['must be one label, or two with a dot'];
  const problems = labels.flatMap(checkDnsLabel);
  return id.length > LONGEST_LABEL_VALUE && problems.length === 0
    ? [`must be no more than ${LONGEST_LABEL_VALUE} characters: EndpointSlices carry it in a label`]
    : problems;
}

/** What is wrong with the key of a service that is to be exported: both names become labels of a DNS name (API: core/v1 Service, Namespace). */
export function checkServiceKey({ namespace, name }: ObjectKey): readonly Issue[] {
  const names = { name, namespace: namespace ?? '' };
  return (['name', 'namespace'] as const).flatMap((part) =>
    checkDnsLabel(names[part]).map((message) => ({ field: `metadata.${part}`, message })),
  );
}

/** How long a host name may be, so that `<host>.<cluster>.<name>.<namespace>.svc.clusterset.local` is a DNS name. */
export function longestHostname({ namespace, name }: ObjectKey, cluster: string): number {
  const rest = `.${cluster}.${name}.${namespace ?? ''}.svc.clusterset.local`;
  return Math.min(LONGEST_HOSTNAME, LONGEST_DNS_NAME - rest.length);
}

/** Whether every host name fits. */
export function fitsEveryHostname(key: ObjectKey, cluster: string): boolean {
  return longestHostname(key, cluster) === LONGEST_HOSTNAME;
}
