import { configMap, lease, limitRange, namespace, node, secret } from './core.ts';
import { customResourceDefinition } from './custom-resource-definition.ts';
import { coreEvent, groupedEvent } from './events.ts';
import { cronJob, job } from './jobs.ts';
import type { Kind } from './kind.ts';
import { endpointSlice, ingress, networkPolicy } from './networking.ts';
import { pod } from './pods.ts';
import { clusterRole, clusterRoleBinding, role, roleBinding } from './rbac.ts';
import { horizontalPodAutoscaler, podDisruptionBudget } from './scaling.ts';
import { service } from './services.ts';
import { persistentVolume, persistentVolumeClaim } from './storage.ts';
import { daemonSet, deployment, replicaSet, statefulSet } from './workloads.ts';

export type { Kind, KindContext } from './kind.ts';

/** The rules of built-in kinds, by group and plural. A kind without rules is stored as it fits its structure. */
export const KINDS: Readonly<Record<string, Kind>> = {
  namespaces: namespace,
  nodes: node,
  configmaps: configMap,
  secrets: secret,
  services: service,
  pods: pod,
  limitranges: limitRange,
  events: coreEvent,
  'events.events.k8s.io': groupedEvent,
  persistentvolumes: persistentVolume,
  persistentvolumeclaims: persistentVolumeClaim,
  'deployments.apps': deployment,
  'replicasets.apps': replicaSet,
  'statefulsets.apps': statefulSet,
  'daemonsets.apps': daemonSet,
  'jobs.batch': job,
  'cronjobs.batch': cronJob,
  'ingresses.networking.k8s.io': ingress,
  'networkpolicies.networking.k8s.io': networkPolicy,
  'endpointslices.discovery.k8s.io': endpointSlice,
  'horizontalpodautoscalers.autoscaling': horizontalPodAutoscaler,
  'poddisruptionbudgets.policy': podDisruptionBudget,
  'leases.coordination.k8s.io': lease,
  'roles.rbac.authorization.k8s.io': role,
  'rolebindings.rbac.authorization.k8s.io': roleBinding,
  'clusterroles.rbac.authorization.k8s.io': clusterRole,
  'clusterrolebindings.rbac.authorization.k8s.io': clusterRoleBinding,
  'customresourcedefinitions.apiextensions.k8s.io': customResourceDefinition,
};
