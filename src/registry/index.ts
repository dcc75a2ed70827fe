export { type ServerUrl, serverUrl } from './access/address.ts';
export { type ChosenEndpoints, chooseEndpoints, type EndpointChoice, type EndpointQuestion } from './access/endpoints.ts';
export {
  type AccessProviderConfig,
  type ExecPlugin,
  type ProfileArgsPolicy,
  type ProfileEnvPolicy,
  type ResolvedAccess,
  resolveAccess,
} from './access/providers.ts';
export {
  ANNOUNCED_FIELDS,
  type Announced,
  type Announcement,
  type AnnouncementOptions,
  type Announcements,
  acknowledge,
  announcedSchema,
  announcements,
  parseAnnounced,
} from './announcements.ts';
export { ClusterProfile, KubeFedCluster, RegistryCluster } from './api.ts';
export {
  getCluster,
  labelCluster,
  listClusters,
  type PublishedProfile,
  publishProfile,
  REGISTRY_KINDS,
  type RegistryEvent,
  type RegistryKind,
  type RegistryListing,
  type RegistryOptions,
  type RegistryWriteOptions,
  registerCluster,
  removeCluster,
  setClusterCondition,
  watchClusters,
} from './client.ts';
export { type CombinedEntries, type CombineOptions, combineEntries } from './combine.ts';
export {
  type AccessProviderReference,
  type ClusterEndpoint,
  type ClusterEntry,
  clusterEntrySchema,
  fleetIssues,
  isReady,
  parseFleet,
} from './entry.ts';
export {
  type ClusterHealth,
  type ClusterHealthOptions,
  type ClusterProbe,
  clusterHealth,
  type PlacedNode,
  topologyOf,
} from './health.ts';
export { contextInUse, entryOfKubeconfigSecret, type KubeconfigSecret, selfContainedIssues } from './kubeconfig/embedded.ts';
export {
  entriesOfKubeconfig,
  type KubeconfigEntriesOptions,
  type KubeconfigFile,
  type KubeconfigItem,
  type ReadKubeconfig,
  readKubeconfigFile,
} from './kubeconfig/file.ts';
export {
  MANAGED_EXTENSION,
  type ManagedKubeconfigOptions,
  type MergedKubeconfig,
  mergeKubeconfig,
} from './kubeconfig/managed.ts';
export { entryOfClusterProfile } from './mapping/cluster-profile.ts';
export { entryOfKubeFedCluster } from './mapping/kubefed-cluster.ts';
export { type EntryNaming, entryName, type MappedCluster } from './mapping/mapping.ts';
export { entryOfRegistryCluster } from './mapping/registry-cluster.ts';
export { CLUSTER_MANAGER_LABEL, CLUSTERSET_LABEL, type ProfileFacts, profileStatus } from './profile.ts';
