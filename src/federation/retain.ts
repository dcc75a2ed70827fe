import { type AnyObject, deepEqual, isRecord, parseFieldsV1, type ResourceType } from '../kube/index.ts';
import { appliedFields } from './changes.ts';

/** What {@link retain} goes by. */
export interface RetainOptions {
  readonly target: ResourceType;
  /** `spec.retainReplicas` of the federated object. */
  readonly retainReplicas: boolean;
  readonly fieldManager: string;
  /** Whether an override, or a division of replicas, says what the field should be in this cluster: then it isn't the member's. Default: nothing is. */
  readonly isDecided?: (pointer: string) => boolean;
}

/** A desired object that leaves to the member what is the member's. */
export interface Retained {
  readonly object: AnyObject;
  /** Whether a value of the live object was taken over, so that the write must fail if the live object has changed since. */
  readonly readsLive: boolean;
}

/**
 * Leaves to the live object what belongs to its cluster: `spec.replicas` on request, and the addresses and node ports of a Service. A field
 * that somebody else has set is left out, so that its manager keeps it; one that only we have set keeps its live value, because leaving it
 * out would remove it. What an override says stands above all of this.
 */
export function retain(desired: AnyObject, live: AnyObject, options: RetainOptions): Retained {
  const { target, retainReplicas, isDecided = () => false } = options;
  const isReplicas = retainReplicas && !isDecided('/spec/replicas');
  const first = isReplicas ? retainField(desired, live, 'replicas', options.fieldManager) : { object: desired, readsLive: false };
  if (target.group !== '' || target.kind !== 'Service') return first;
  return retainService(first.object, live, isDecided);
}

function retainField(desired: AnyObject, live: AnyObject, field: string, fieldManager: string): Retained {
  const value = specOf(live)[field];
  if (value === undefined) return { object: desired, readsLive: false };
  if (isOwnedByOthers(live, field, fieldManager)) {
    const { [field]: _, ...rest } = specOf(desired);
    return { object: { ...desired, spec: rest }, readsLive: false };
  }
  return { object: { ...desired, spec: { ...specOf(desired), [field]: value } }, readsLive: true };
}

function isOwnedByOthers(live: AnyObject, field: string, fieldManager: string): boolean {
  const isOurs = appliedFields(live, fieldManager)?.get('f:spec')?.children.has(`f:${field}`) ?? false;
  if (!isOurs) return true;
  return (live.metadata.managedFields ?? []).some(
    (entry) => entry.manager !== fieldManager && parseFieldsV1(entry.fieldsV1).get('f:spec')?.children.has(`f:${field}`),
  );
}

const CLUSTER_FIELDS = ['clusterIP', 'clusterIPs', 'healthCheckNodePort'] as const;

/** Values that a cluster has given to a Service stand above those of the template. */
function retainService(desired: AnyObject, live: AnyObject, isDecided: (pointer: string) => boolean): Retained {
  const [wanted, given] = [specOf(desired), specOf(live)];
  const kept = CLUSTER_FIELDS.filter(
    (field) => wanted[field] !== undefined && isGiven(given[field]) && !isDecided(`/spec/${field}`),
  ).map((field) => [field, given[field]]);
  const hasPorts = Array.isArray(wanted.ports) && Array.isArray(given.ports) && !isDecided('/spec/ports');
  const ports = hasPorts ? { ports: retainNodePorts(wanted.ports as unknown[], given.ports as unknown[]) } : {};
  const spec = { ...wanted, ...ports, ...Object.fromEntries(kept) };
  return { object: { ...desired, spec }, readsLive: !deepEqual(spec, wanted) };
}

function isGiven(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== '' && value !== 0;
}

function retainNodePorts(desired: readonly unknown[], live: readonly unknown[]): readonly unknown[] {
  return desired.map((port) => {
    if (!isRecord(port) || port.nodePort === undefined) return port;
    const same = live.find((other) => isRecord(other) && isSamePort(port, other));
    return isRecord(same) && same.nodePort !== undefined ? { ...port, nodePort: same.nodePort } : port;
  });
}

function isSamePort(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): boolean {
  return (a.name ?? '') === (b.name ?? '') && (a.protocol ?? 'TCP') === (b.protocol ?? 'TCP') && a.port === b.port;
}

function specOf(object: AnyObject): Readonly<Record<string, unknown>> {
  return isRecord(object.spec) ? object.spec : {};
}
