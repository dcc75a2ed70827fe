import { z } from 'zod';
import { bytesSchema, conditionsSchema, defineResource, type Resource, timeSchema } from '../kube/index.ts';

const objectReference = z.object({
  kind: z.string().exactOptional(),
  name: z.string().exactOptional(),
  namespace: z.string().exactOptional(),
});

const clusterSpec = z.object({
  kubernetesApiEndpoints: z
    .object({
      serverEndpoints: z
        .array(
          z.object({
            clientCIDR: z.string().exactOptional().describe('Clients in this range should use this address.'),
            serverAddress: z.string().exactOptional().describe('Host, host:port, IP or IP:port of the API server.'),
          }),
        )
        .exactOptional()
        .describe('Addresses of the API server, in the order in which they are tried.'),
      caBundle: bytesSchema.exactOptional().describe('PEM certificates that the server is checked with.'),
    })
    .exactOptional(),
  authInfo: z
    .object({
      user: objectReference.exactOptional().describe('Where a person finds how to get credentials.'),
      controller: objectReference.exactOptional().describe('Where a controller finds how to get credentials.'),
    })
    .exactOptional(),
});

const clusterStatus = z.object({
  conditions: z
    .array(
      z.object({
        type: z.string(),
        status: z.string(),
        lastHeartbeatTime: timeSchema.exactOptional(),
        lastTransitionTime: timeSchema.exactOptional(),
        reason: z.string().exactOptional(),
        message: z.string().exactOptional(),
      }),
    )
    .exactOptional(),
});

/**
 * A cluster of the cluster registry (API: clusterregistry.k8s.io/v1alpha1, its last shape). It has no status subresource: whoever may write
 * the one may write the other.
 */
export const RegistryCluster = defineResource({
  group: 'clusterregistry.k8s.io',
  version: 'v1alpha1',
  kind: 'Cluster',
  plural: 'clusters',
  scope: 'Namespaced',
  description: 'A cluster: where its API server is, and where credentials for it are described.',
  spec: clusterSpec,
  annotations: { 'api-approved.kubernetes.io': 'unapproved, from the time before approvals' },
  specOptional: true,
  status: clusterStatus,
  statusSubresource: false,
});

/** An object of {@link RegistryCluster}. */
export type RegistryCluster = Resource<z.infer<typeof clusterSpec>, z.infer<typeof clusterStatus>, true>;

const kubeFedClusterSpec = z.object({
  apiEndpoint: z.string().describe('Host, host:port, IP, IP:port or URL of the API server.'),
  caBundle: bytesSchema.exactOptional().describe('PEM certificates that the server is checked with.'),
  secretRef: z.object({ name: z.string() }).describe('Secret of the same namespace with a token under "token".'),
  disabledTLSValidations: z
    .array(z.string())
    .exactOptional()
    .describe('What is not checked: "*", "SubjectName", "ValidityPeriod".'),
  proxyURL: z.string().exactOptional().describe('Proxy to the API server: http, https or socks5.'),
});

const kubeFedClusterStatus = z.object({
  conditions: z.array(
    z.object({
      type: z.string(),
      status: z.string(),
      lastProbeTime: timeSchema,
      lastTransitionTime: timeSchema.exactOptional(),
      reason: z.string().exactOptional(),
      message: z.string().exactOptional(),
    }),
  ),
  kubernetesVersion: z.string().exactOptional(),
  region: z.string().exactOptional(),
  zones: z.array(z.string()).exactOptional(),
});

/** A member of a federation as kubefed kept it (API: core.kubefed.io/v1beta1, v0.10.0). */
export const KubeFedCluster = defineResource({
  group: 'core.kubefed.io',
  version: 'v1beta1',
  kind: 'KubeFedCluster',
  plural: 'kubefedclusters',
  scope: 'Namespaced',
  shortNames: ['kfc'],
  description: 'A member cluster: its address, and the Secret with its token.',
  spec: kubeFedClusterSpec,
  status: kubeFedClusterStatus,
  printerColumns: [
    { name: 'age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    { name: 'ready', type: 'string', jsonPath: ".status.conditions[?(@.type=='Ready')].status" },
    { name: 'kubernetes-version', type: 'string', jsonPath: '.status.kubernetesVersion' },
  ],
});

/** An object of {@link KubeFedCluster}. */
export type KubeFedCluster = Resource<z.infer<typeof kubeFedClusterSpec>, z.infer<typeof kubeFedClusterStatus>>;

const byName = { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] };

const accessProviders = z
  .array(
    z.object({
      name: z.string(),
      cluster: z
        .object({
          server: z.string(),
          'tls-server-name': z.string().exactOptional(),
          'insecure-skip-tls-verify': z.boolean().exactOptional(),
          'certificate-authority': z.string().exactOptional(),
          'certificate-authority-data': bytesSchema.exactOptional(),
          'proxy-url': z.string().exactOptional(),
          'disable-compression': z.boolean().exactOptional(),
          extensions: z.array(z.object({ name: z.string(), extension: z.looseObject({}) })).exactOptional(),
        })
        .exactOptional(),
    }),
  )
  .meta(byName);

const clusterProfileSpec = z.object({
  displayName: z.string().exactOptional().describe('Name for people; may change.'),
  clusterManager: z
    .object({ name: z.string() })
    .meta({ 'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'ClusterManager is immutable' }] })
    .describe('Who keeps this object up to date.'),
});

const clusterProfileStatus = z.object({
  conditions: conditionsSchema.exactOptional(),
  version: z.object({ kubernetes: z.string().exactOptional() }).exactOptional(),
  properties: z
    .array(
      z.object({
        name: z.string().min(1).max(253),
        value: z.string().min(1).max(1024),
        lastObservedTime: timeSchema.exactOptional().describe('When the value was seen in the cluster.'),
      }),
    )
    .meta(byName)
    .exactOptional(),
  accessProviders: accessProviders.exactOptional().describe('Ways to get into the cluster.'),
  credentialProviders: accessProviders.exactOptional().describe('The same under its old name.'),
});

/** A cluster in an inventory (API: multicluster.x-k8s.io/v1alpha1 ClusterProfile, KEP-4322 and KEP-5339). */
export const ClusterProfile = defineResource({
  group: 'multicluster.x-k8s.io',
  version: 'v1alpha1',
  kind: 'ClusterProfile',
  plural: 'clusterprofiles',
  scope: 'Namespaced',
  description: 'A cluster of an inventory: who manages it, its version and properties, and how to get in.',
  spec: clusterProfileSpec,
  status: clusterProfileStatus,
});

/** An object of {@link ClusterProfile}. */
export type ClusterProfile = Resource<z.infer<typeof clusterProfileSpec>, z.infer<typeof clusterProfileStatus>>;
