import type { AnyObject, Issue } from '../../kube/index.ts';
import { accessProvidersOf } from '../access/providers.ts';
import type { ClusterEndpoint } from '../entry.ts';
import { endpointOfKubeconfigCluster } from '../kubeconfig/cluster.ts';
import {
  conditionsOf,
  type EntryNaming,
  entryName,
  fromLabels,
  type MappedCluster,
  mapParts,
  readyBy,
  recordOf,
  textOf,
} from './mapping.ts';

/**
 * The entry of a ClusterProfile (API: multicluster.x-k8s.io/v1alpha1, KEP-4322), also as older versions stored it. The condition
 * `ControlPlaneHealthy` says whether it is ready. Access providers under their old name (`credentialProviders`) count where the new list
 * hasn't one of the same name; each that says where the server is gives an endpoint.
 */
export function entryOfClusterProfile(profile: AnyObject, naming: EntryNaming = 'name'): MappedCluster {
  return mapParts(profile, (parts) => {
    const { status, issues } = parts;
    const accessProviders = accessProvidersOf(status, issues);
    const endpoints = accessProviders.flatMap(({ name, cluster }): readonly ClusterEndpoint[] => {
      if (cluster?.server === undefined) return [];
      const endpoint = endpointOfKubeconfigCluster(cluster, `status.accessProviders[${name}].cluster`, issues);
      return endpoint === undefined ? [] : [endpoint];
    });
    const properties = propertiesOf(status.properties, issues);
    const kubernetesVersion = textOf(recordOf(status.version).kubernetes);
    return {
      name: entryName(parts, naming),
      ...fromLabels(parts.labels),
      ...(properties.size === 0 ? {} : { properties: Object.fromEntries(properties) }),
      ...readyBy(conditionsOf(parts), 'ControlPlaneHealthy'),
      ...(endpoints.length === 0 ? {} : { endpoints: withoutTwins(endpoints) }),
      ...(accessProviders.length === 0 ? {} : { auth: { accessProviders: [...accessProviders] } }),
      ...(kubernetesVersion === undefined ? {} : { kubernetesVersion }),
    };
  });
}

function propertiesOf(list: unknown, issues: Issue[]): ReadonlyMap<string, string> {
  const properties = new Map<string, string>();
  (Array.isArray(list) ? list : []).forEach((item: unknown, index) => {
    const { name, value } = recordOf(item);
    const field = `status.properties[${index}]`;
    if (typeof name !== 'string' || name === '' || typeof value !== 'string') {
      issues.push({ field, message: 'has no name or no value, and is left out' });
    } else if (properties.has(name)) {
      issues.push({ field, message: `"${name}" is there already: the first counts` });
    } else {
      properties.set(name, value);
    }
  });
  return properties;
}

/** Several providers often lead to one and the same server. */
function withoutTwins(endpoints: readonly ClusterEndpoint[]): ClusterEndpoint[] {
  if (endpoints.length < 2) return [...endpoints];
  return [...new Map(endpoints.map((endpoint) => [JSON.stringify(endpoint), endpoint])).values()];
}
