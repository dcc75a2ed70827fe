import { type AnyObject, apiVersionOf, isRecord, type ObjectKey, resourceType } from '../../kube/plain/index.ts';
import { type Clock, timestamp } from '../../runtime/time/index.ts';
import type { Attributes, PolicyWrite } from '../access/index.ts';
import type { KindContext } from '../kinds/index.ts';
import type { Random } from '../random.ts';
import type { CelEvaluator } from '../schema/cel.ts';
import { Admission } from './admission.ts';
import { Catalogue, type Served } from './catalogue.ts';
import { Storage } from './storage.ts';

/** What an API server knows. Everything that reads and writes goes by it. */
export interface State {
  readonly storage: Storage;
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly random: Random;
  readonly kinds: KindContext;
  /** Understands the rules of CRDs, where anybody does. */
  readonly cel: CelEvaluator | undefined;
  readonly admission: Admission;
  /** Set where roles are asked. */
  readonly policy: {
    /** Keeps users from giving away what they don't have. */
    check(write: PolicyWrite): void;
    /** Asks about more than what a request says of itself. @throws StatusError 403. */
    authorize(attributes: Attributes): void;
  };
}

/** Namespaces that are there from the beginning. */
export const FIRST_NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'] as const;

export const NAMESPACES = resourceType('v1', 'Namespace', 'namespaces', 'Cluster');

/** An API server that has stored nothing yet. */
export function newState(clock: Clock, random: Random, cel: CelEvaluator | undefined): State {
  const storage = new Storage();
  const catalogue = new Catalogue(cel);
  let address = 10;
  const addresses = new Set<string>();
  const ports = new Set<number>();
  storage.listen(({ collection, type, object }) => {
    if (collection === 'services') noteAllocations(object, type !== 'DELETED', addresses, ports);
  });
  return {
    storage,
    catalogue,
    clock,
    random,
    cel,
    admission: new Admission(random),
    policy: { check: () => undefined, authorize: () => undefined },
    kinds: {
      now: () => timestamp(clock.now()),
      allocateAddress() {
        let found: string;
        do {
          address += 1;
          found = `10.96.${Math.floor(address / 250) % 256}.${(address % 250) + 1}`;
        } while (addresses.has(found));
        return found;
      },
      allocatePort() {
        let port = 30_000 + Math.floor(random() * 2768);
        while (ports.has(port)) port = 30_000 + ((port + 1) % 2768);
        ports.add(port);
        return port;
      },
    },
  };
}

/** Writes down which addresses and ports a Service has, or has no more. */
function noteAllocations({ spec }: AnyObject, isThere: boolean, addresses: Set<string>, ports: Set<number>): void {
  if (!isRecord(spec)) return;
  const note = <T>(set: Set<T>, value: T): unknown => (isThere ? set.add(value) : set.delete(value));
  for (const address of Array.isArray(spec.clusterIPs) ? spec.clusterIPs : []) note(addresses, String(address));
  for (const port of Array.isArray(spec.ports) ? spec.ports : []) {
    if (isRecord(port) && typeof port.nodePort === 'number') note(ports, port.nodePort);
  }
}

/** The stored object in the version that is asked for. */
export function stored({ storage }: State, served: Served, key: ObjectKey): AnyObject | undefined {
  const object = storage.get(served.collection, key);
  return object === undefined ? undefined : inVersion(object, served);
}

/** Versions of a custom resource differ in nothing but their name (conversion "None"); views show what is stored in their own way. */
export function inVersion(object: AnyObject, served: Served): AnyObject {
  const { group, version } = served.type;
  const apiVersion = group === '' ? version : `${group}/${version}`;
  return object.apiVersion === apiVersion ? object : { ...(served.view?.fromStored(object) ?? object), apiVersion };
}

/** The object as it is stored. */
export function inStorageVersion(object: AnyObject, served: Served): AnyObject {
  const { view } = served;
  if (view !== undefined) return { ...view.toStored(object), apiVersion: apiVersionOf(view.of) };
  const version = served.custom?.storageVersion;
  return version === undefined || version === served.type.version
    ? object
    : { ...object, apiVersion: `${served.type.group}/${version}` };
}

export function isTerminating(object: AnyObject | undefined): boolean {
  return object?.metadata.deletionTimestamp !== undefined;
}

/** Whether anything holds an object that is being deleted. A namespace is also held by the finalizers of its spec. */
export function isHeld(object: AnyObject): boolean {
  const spec = isRecord(object.spec) ? object.spec : {};
  const isNamespace = object.kind === 'Namespace' && object.apiVersion === 'v1';
  const own = isNamespace && Array.isArray(spec.finalizers) ? spec.finalizers.length : 0;
  return (object.metadata.finalizers?.length ?? 0) > 0 || own > 0;
}
