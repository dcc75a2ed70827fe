import type { AnyObject, Issue } from '../../kube/index.ts';
import { serverUrl } from '../access/address.ts';
import { rangeIssue } from '../access/endpoints.ts';
import type { ClusterEndpoint, ClusterEntry } from '../entry.ts';
import {
  caOf,
  conditionsOf,
  type EntryNaming,
  entryName,
  fromLabels,
  type MappedCluster,
  mapParts,
  type Parts,
  readyBy,
  recordOf,
  textOf,
} from './mapping.ts';

/**
 * The entry of a Cluster of the cluster registry, in any shape that it ever had (API: clusterregistry.k8s.io/v1alpha1, from October 2017 on):
 * lists of URLs or of addresses with ranges, under `spec.kubernetesApiEndpoints`, `spec` or `state.kubeApiServer`. An address that can't be
 * read is left out and reported; the others count. The condition `OK` says whether the cluster is ready. Credentials are those of the Secret
 * that `spec.authInfo.controller` names, where it names one.
 *
 * The Secret may be in any namespace, as in the registry, and goes to the address beside it: whoever may write a Cluster may have the host's
 * Secrets sent to a server of their own, unless the one who reads Secrets may read only those that are meant for it.
 */
export function entryOfRegistryCluster(cluster: AnyObject, naming: EntryNaming = 'name'): MappedCluster {
  return mapParts(cluster, (parts) => {
    const endpoints = endpointsOf(addressesOf(parts, cluster.state), parts.issues);
    const auth = authOf(parts);
    return {
      name: entryName(parts, naming),
      ...fromLabels(parts.labels),
      ...readyBy(conditionsOf(parts), 'OK'),
      ...(endpoints.length === 0 ? {} : { endpoints }),
      ...(auth === undefined ? {} : { auth }),
    };
  });
}

interface Addresses {
  readonly found: readonly unknown[];
  readonly caBundle: unknown;
  readonly at: string;
  readonly field: string;
}

/** Where a Cluster's addresses stand, by the shape that it has. The newest shape wins. */
function addressesOf({ spec }: Parts, state: unknown): Addresses {
  const endpoints = recordOf(spec.kubernetesApiEndpoints);
  const server = recordOf(recordOf(state).kubeApiServer);
  const shapes = [
    {
      found: endpoints.serverEndpoints,
      caBundle: endpoints.caBundle,
      at: 'spec.kubernetesApiEndpoints',
      field: 'serverEndpoints',
    },
    { found: spec.serverEndpoints, caBundle: spec.caBundle, at: 'spec', field: 'serverEndpoints' },
    { found: server.servers, caBundle: server.caBundle, at: 'state.kubeApiServer', field: 'servers' },
  ];
  const lists = shapes.flatMap(({ found, ...rest }) =>
    Array.isArray(found) ? [{ found: found as readonly unknown[], ...rest }] : [],
  );
  return lists.find(({ found }) => found.length > 0) ?? { found: [], caBundle: undefined, at: '', field: '' };
}

function endpointsOf({ found, caBundle, at, field }: Addresses, issues: Issue[]): ClusterEndpoint[] {
  const ca = caOf(caBundle, `${at}.caBundle`, issues);
  return found.flatMap((item, index) => endpointOf(item, `${at}.${field}[${index}]`, ca, issues) ?? []);
}

function endpointOf(
  item: unknown,
  field: string,
  ca: Pick<ClusterEndpoint, 'caData'>,
  issues: Issue[],
): ClusterEndpoint | undefined {
  const isBare = typeof item === 'string';
  const { serverAddress, clientCIDR } = isBare ? { serverAddress: item, clientCIDR: undefined } : recordOf(item);
  const read = serverUrl(typeof serverAddress === 'string' ? serverAddress : '');
  if ('problem' in read) {
    const at = isBare ? field : `${field}.serverAddress`;
    issues.push({ field: at, message: `the address ${read.problem}`, mend: read.mend });
    return undefined;
  }
  const range = clientCIDR ?? '';
  if (typeof range !== 'string') {
    issues.push({ field: `${field}.clientCIDR`, message: 'is no text: the address is left out, rather than given to everyone' });
    return undefined;
  }
  const issue = rangeIssue(range);
  if (issue !== undefined) issues.push({ field: `${field}.clientCIDR`, ...issue });
  return { server: read.url, ...(range === '' ? {} : { clientCIDR: range }), ...ca };
}

/**
 * The Secret that a controller is pointed to; what is meant for people, or is of another kind, is none. The final field counts whole, or the
 * one of May 2018 does: parts of two references could name a Secret that nobody meant.
 */
function authOf({ spec, namespace: own }: Parts): ClusterEntry['auth'] {
  const { controller, controllerAuthInfo } = recordOf(spec.authInfo);
  const reference = [controller, controllerAuthInfo].map(recordOf).find((each) => Object.keys(each).length > 0);
  const name = textOf(reference?.name);
  const namespace = textOf(reference?.namespace) ?? own;
  return reference?.kind === 'Secret' && name !== undefined && namespace !== '' ? { secret: { namespace, name } } : undefined;
}
