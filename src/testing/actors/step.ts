import { type AnyObject, type Draft, type ObjectKey, resourceType } from '../../kube/plain/index.ts';
import type { ApiServer } from '../api/api-server.ts';
import { StatusError } from '../api/failures.ts';
import type { WriteContext } from '../api/write.ts';
import type { Fields } from '../kinds/kind.ts';

export const TYPES = {
  nodes: resourceType('v1', 'Node', 'nodes', 'Cluster'),
  pods: resourceType('v1', 'Pod', 'pods'),
  services: resourceType('v1', 'Service', 'services'),
  serviceaccounts: resourceType('v1', 'ServiceAccount', 'serviceaccounts'),
  configmaps: resourceType('v1', 'ConfigMap', 'configmaps'),
  persistentvolumeclaims: resourceType('v1', 'PersistentVolumeClaim', 'persistentvolumeclaims'),
  'deployments.apps': resourceType('apps/v1', 'Deployment', 'deployments'),
  'replicasets.apps': resourceType('apps/v1', 'ReplicaSet', 'replicasets'),
  'statefulsets.apps': resourceType('apps/v1', 'StatefulSet', 'statefulsets'),
  'daemonsets.apps': resourceType('apps/v1', 'DaemonSet', 'daemonsets'),
  'jobs.batch': resourceType('batch/v1', 'Job', 'jobs'),
  'endpointslices.discovery.k8s.io': resourceType('discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices'),
} as const;

/** A collection that actors write to. */
export type Collection = keyof typeof TYPES;

/** One write of an actor. `update` is about everything but the status, `status` about nothing else. */
export type Step =
  | { readonly op: 'create'; readonly of: Collection; readonly object: Draft<AnyObject> }
  | { readonly op: 'update'; readonly of: Collection; readonly object: AnyObject }
  | StatusStep
  | { readonly op: 'delete'; readonly of: Collection; readonly key: ObjectKey; readonly uid: string };

/** A write of a status, and of annotations that go with it. */
export interface StatusStep {
  readonly op: 'status';
  readonly of: Collection;
  readonly object: AnyObject;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What an actor does about an object now, and when it looks again though nothing has happened. */
export interface Decision {
  readonly steps: readonly Step[];
  readonly againInMs?: number | undefined;
}

export const NOTHING: Decision = { steps: [] };

/** The step that gives an object a status. */
export function statusStep(of: Collection, object: AnyObject, status: Fields): StatusStep {
  return { op: 'status', of, object: { ...object, status } };
}

export function deleteStep(of: Collection, { metadata }: AnyObject): Step {
  const { name, namespace, uid = '' } = metadata;
  return { op: 'delete', of, key: namespace === undefined ? { name } : { namespace, name }, uid };
}

/**
 * Carries out the steps, one after the other. What the server refuses is left out, as controllers leave it for their next round: the namespace
 * is going away, or somebody was faster.
 */
export function carryOut(server: ApiServer, steps: readonly Step[], fieldManager = 'kube-controller-manager'): void {
  for (const step of steps) {
    try {
      act(server, step, fieldManager);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
    }
  }
}

/** How an actor writes. */
export function writtenBy(fieldManager: string): WriteContext {
  return { fieldManager, dryRun: false, fieldValidation: 'Ignore', warnings: [] };
}

function act(server: ApiServer, step: Step, fieldManager: string): void {
  const served = server.served(TYPES[step.of]);
  if (served === undefined) return;
  const context = writtenBy(fieldManager);
  switch (step.op) {
    case 'create':
      server.create(served, step.object.metadata.namespace, step.object, context);
      return;
    case 'update':
    case 'status': {
      const { name, namespace } = step.object.metadata;
      const key = namespace === undefined ? { name } : { namespace, name };
      const { resourceVersion: _, ...metadata } = step.object.metadata;
      if (step.op === 'update') server.update(served, key, { ...step.object, metadata }, context);
      // Metadata is written with a status, too: it must be the newest.
      else {
        const newest = server.get(served, key);
        const body = { ...newest, ...annotated(newest, step.annotations), status: step.object.status };
        server.update(served, key, body, { ...context, subresource: 'status' });
      }
      return;
    }
    case 'delete':
      server.delete(served, step.key, { preconditions: { uid: step.uid } });
      return;
    default:
      step satisfies never;
  }
}

function annotated({ metadata }: AnyObject, annotations: StatusStep['annotations']): Pick<AnyObject, 'metadata'> {
  return {
    metadata: annotations === undefined ? metadata : { ...metadata, annotations: { ...metadata.annotations, ...annotations } },
  };
}
