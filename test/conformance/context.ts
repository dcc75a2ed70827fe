import { type Cluster, resourceType } from 'clusterset/kube';
import type { BehaviourContext } from 'clusterset/testing/behaviours';

const namespaces = resourceType('v1', 'Namespace', 'namespaces', 'Cluster');
let count = 0;

/** Makes a namespace for one behaviour case. */
export async function contextFor(cluster: Cluster): Promise<BehaviourContext> {
  const unique = (prefix: string): string => {
    count += 1;
    return `${prefix}-${process.pid}-${count}`;
  };
  const namespace = unique('case');
  await cluster.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  return { cluster, namespace, unique };
}
