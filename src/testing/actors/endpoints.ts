import { type AnyObject, type Draft, deepEqual } from '../../kube/plain/index.ts';
import { type Fields, listOf, part } from '../kinds/kind.ts';
import { controllerReference } from './dependents.ts';
import { byAge, isLeaving, isPodReady, isTerminal, nodeOf, specOf, statusOf, textIn } from './pod-facts.ts';
import { deleteStep, type Step } from './step.ts';

const SERVICE_NAME = 'kubernetes.io/service-name';
const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
const HEADLESS = 'service.kubernetes.io/headless';
const CONTROLLER = 'endpointslice-controller.k8s.io';
const SLICES = 'endpointslices.discovery.k8s.io';
/** Most endpoints that the controller puts into one slice. */
const MOST = 100;

/** What the slices of a Service are made from. */
export interface EndpointFacts {
  /** The pods of its namespace. */
  readonly pods: readonly AnyObject[];
  /** The nodes by name. */
  readonly nodes: ReadonlyMap<string, AnyObject>;
  /** The EndpointSlices that it controls. */
  readonly slices: readonly AnyObject[];
}

/**
 * What the endpointslice controller does next: the pods that a Service selects stand in its slices, with their ports as numbers; pods that name
 * the same port differently stand in slices of their own (API: discovery.k8s.io/v1 EndpointSlice).
 */
export function sliceEndpoints(service: AnyObject, facts: EndpointFacts): readonly Step[] {
  const selector = part(specOf(service), 'selector');
  const isSelecting = Object.keys(selector).length > 0 && specOf(service).type !== 'ExternalName';
  if (!isSelecting || service.metadata.deletionTimestamp !== undefined) return [];
  const wanted = contentsOf(service, selector, facts);
  const left = facts.slices.toSorted(byAge).filter((slice) => !isLeaving(slice));
  const steps = wanted.flatMap((content): readonly Step[] => {
    const index = bestMatch(left, content);
    const [slice] = index === -1 ? [] : left.splice(index, 1);
    const labels = labelsOf(service);
    if (slice === undefined) return [{ op: 'create', of: SLICES, object: newSlice(service, labels, content) }];
    const isSame =
      deepEqual(slice.endpoints ?? [], content.endpoints) &&
      deepEqual(slice.ports ?? [], content.ports) &&
      deepEqual(slice.metadata.labels, labels);
    return isSame
      ? []
      : [{ op: 'update', of: SLICES, object: { ...slice, metadata: { ...slice.metadata, labels }, ...content } }];
  });
  return [...steps, ...left.map((slice) => deleteStep(SLICES, slice))];
}

interface Content {
  readonly endpoints: readonly Fields[];
  readonly ports: readonly Fields[];
}

/** A slice that has these ports already; else any that is left. */
function bestMatch(slices: readonly AnyObject[], content: Content): number {
  const same = slices.findIndex(({ ports }) => deepEqual(ports ?? [], content.ports));
  return same === -1 && slices.length > 0 ? 0 : same;
}

function contentsOf(service: AnyObject, selector: Fields, { pods, nodes }: EndpointFacts): readonly Content[] {
  const groups = new Map<string, Content>();
  const selected = pods.filter((pod) => Object.entries(selector).every(([name, value]) => pod.metadata.labels?.[name] === value));
  for (const pod of selected.toSorted(byAge)) {
    if (isTerminal(pod) || textIn(statusOf(pod), 'podIP') === '') continue;
    const ports = portsOf(service, pod);
    const key = JSON.stringify(ports);
    const group = groups.get(key) ?? { endpoints: [], ports };
    groups.set(key, { ports, endpoints: [...group.endpoints, endpointOf(service, pod, nodes.get(nodeOf(pod)))] });
  }
  const chunks = [...groups.values()].flatMap(({ endpoints, ports }) =>
    Array.from({ length: Math.ceil(endpoints.length / MOST) }, (_, index) => ({
      ports,
      endpoints: endpoints.slice(index * MOST, (index + 1) * MOST),
    })),
  );
  // A Service without pods has one empty slice.
  return chunks.length === 0 ? [{ endpoints: [], ports: [] }] : chunks;
}

function portsOf(service: AnyObject, pod: AnyObject): readonly Fields[] {
  return listOf(specOf(service), 'ports').flatMap((port) => {
    const number = targetPort(port, pod);
    if (number === undefined) return [];
    const { appProtocol } = port;
    return [
      {
        name: textIn(port, 'name'),
        port: number,
        protocol: port.protocol ?? 'TCP',
        ...(appProtocol === undefined ? {} : { appProtocol }),
      },
    ];
  });
}

function targetPort(port: Fields, pod: AnyObject): number | undefined {
  const target = port.targetPort ?? port.port;
  if (typeof target === 'number') return target;
  const named = listOf(specOf(pod), 'containers')
    .flatMap((container) => listOf(container, 'ports'))
    .find(({ name, protocol }) => name === target && (protocol ?? 'TCP') === (port.protocol ?? 'TCP'));
  return typeof named?.containerPort === 'number' ? named.containerPort : undefined;
}

function endpointOf(service: AnyObject, pod: AnyObject, node: AnyObject | undefined): Fields {
  const serving = isPodReady(pod);
  const terminating = isLeaving(pod);
  const { namespace = '', name, uid = '' } = pod.metadata;
  const ready = specOf(service).publishNotReadyAddresses === true || (serving && !terminating);
  const zone = node?.metadata.labels?.['topology.kubernetes.io/zone'];
  const hostname = textIn(specOf(pod), 'hostname');
  const isNamed = hostname !== '' && specOf(pod).subdomain === service.metadata.name;
  return {
    addresses: [textIn(statusOf(pod), 'podIP')],
    conditions: { ready, serving, terminating },
    ...(isNamed ? { hostname } : {}),
    targetRef: { kind: 'Pod', namespace, name, uid },
    ...(nodeOf(pod) === '' ? {} : { nodeName: nodeOf(pod) }),
    ...(zone === undefined ? {} : { zone }),
  };
}

function labelsOf(service: AnyObject): Readonly<Record<string, string>> {
  const own = Object.entries(service.metadata.labels ?? {}).filter(
    ([name]) => ![SERVICE_NAME, MANAGED_BY, HEADLESS].includes(name),
  );
  const isHeadless = specOf(service).clusterIP === 'None';
  return {
    ...Object.fromEntries(own),
    ...(isHeadless ? { [HEADLESS]: '' } : {}),
    [SERVICE_NAME]: service.metadata.name,
    [MANAGED_BY]: CONTROLLER,
  };
}

function newSlice(service: AnyObject, labels: Readonly<Record<string, string>>, content: Content): Draft<AnyObject> {
  const { name, namespace = '' } = service.metadata;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { generateName: `${name}-`, namespace, labels, ownerReferences: [controllerReference(service)] },
    addressType: 'IPv4',
    ...content,
  };
}
