import { configMap, namespace, secret, service } from './core.ts';
import { customResourceDefinition } from './custom-resource-definition.ts';
import type { Kind } from './kind.ts';
import { daemonSet, deployment, pod, replicaSet, statefulSet } from './workloads.ts';

export type { Kind, KindContext } from './kind.ts';

/** The rules of built-in kinds, by collection. A kind without rules is stored as it fits its structure. */
export const KINDS: Readonly<Record<string, Kind>> = {
  namespaces: namespace,
  configmaps: configMap,
  secrets: secret,
  services: service,
  pods: pod,
  'deployments.apps': deployment,
  'replicasets.apps': replicaSet,
  'statefulsets.apps': statefulSet,
  'daemonsets.apps': daemonSet,
  'customresourcedefinitions.apiextensions.k8s.io': customResourceDefinition,
};
