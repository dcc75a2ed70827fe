import { type ResourceType, resourceType as type } from './resource.ts';

/** The kinds that most federations carry, so that they need no discovery. Everything else comes from discovery or configuration. */
export const BUILT_IN: readonly ResourceType[] = [
  type('v1', 'Namespace', 'namespaces', 'Cluster'),
  type('v1', 'Node', 'nodes', 'Cluster'),
  type('v1', 'PersistentVolume', 'persistentvolumes', 'Cluster'),
  type('v1', 'ConfigMap', 'configmaps'),
  type('v1', 'Secret', 'secrets'),
  type('v1', 'Service', 'services'),
  type('v1', 'ServiceAccount', 'serviceaccounts'),
  type('v1', 'Pod', 'pods'),
  type('v1', 'PersistentVolumeClaim', 'persistentvolumeclaims'),
  type('v1', 'ResourceQuota', 'resourcequotas'),
  type('v1', 'LimitRange', 'limitranges'),
  type('apps/v1', 'Deployment', 'deployments'),
  type('apps/v1', 'ReplicaSet', 'replicasets'),
  type('apps/v1', 'StatefulSet', 'statefulsets'),
  type('apps/v1', 'DaemonSet', 'daemonsets'),
  type('batch/v1', 'Job', 'jobs'),
  type('batch/v1', 'CronJob', 'cronjobs'),
  type('networking.k8s.io/v1', 'Ingress', 'ingresses'),
  type('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies'),
  type('autoscaling/v2', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers'),
  type('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets'),
  type('rbac.authorization.k8s.io/v1', 'Role', 'roles'),
  type('rbac.authorization.k8s.io/v1', 'RoleBinding', 'rolebindings'),
  type('rbac.authorization.k8s.io/v1', 'ClusterRole', 'clusterroles', 'Cluster'),
  type('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', 'clusterrolebindings', 'Cluster'),
  type('coordination.k8s.io/v1', 'Lease', 'leases'),
  type('discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices'),
  type('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', 'Cluster'),
];

/** The built-in type of a group and kind, in the version that is known here. */
export function builtIn(group: string, kind: string): ResourceType | undefined {
  return BUILT_IN.find((candidate) => candidate.group === group && candidate.kind === kind);
}
