import { type AnyObject, checkDnsLabel } from '../../kube/plain/index.ts';
import { forbiddenField, invalidValue, required } from '../api/failures.ts';
import {
  each,
  type Fields,
  filled,
  filling,
  inside,
  type Kind,
  type KindContext,
  listOf,
  numberOf,
  part,
  textOf,
  textsOf,
  without,
  withSpec,
} from './kind.ts';
import {
  address,
  dnsLabel,
  duplicate,
  duplicates,
  labels,
  NONE,
  oneOf,
  PROTOCOLS,
  type Problems,
  portNumber,
  portOrName,
  unsupported,
  when,
} from './problems.ts';

const HAS_ADDRESS: ReadonlySet<unknown> = new Set(['ClusterIP', 'NodePort', 'LoadBalancer']);
const AFFINITY_SECONDS = 10_800;

const isOpen = (spec: Fields): boolean =>
  spec.type === 'NodePort' ||
  spec.type === 'LoadBalancer' ||
  (spec.type === 'ClusterIP' && textsOf(spec, 'externalIPs').length > 0);

function specDefaults(given: Fields): Fields {
  const spec = filled(given, { sessionAffinity: 'None', type: 'ClusterIP' });
  const affine = {
    sessionAffinityConfig: {
      clientIP: { timeoutSeconds: AFFINITY_SECONDS, ...part(part(spec, 'sessionAffinityConfig'), 'clientIP') },
    },
  };
  const balanced = spec.type === 'LoadBalancer' ? { allocateLoadBalancerNodePorts: true } : {};
  return each(
    {
      ...filled(spec, {
        ...(HAS_ADDRESS.has(spec.type) ? { internalTrafficPolicy: 'Cluster' } : {}),
        ...(isOpen(spec) ? { externalTrafficPolicy: 'Cluster' } : {}),
        ...balanced,
      }),
      ...(spec.sessionAffinity === 'ClientIP' ? affine : {}),
    },
    { ports: (port) => filled(port, { protocol: 'TCP', targetPort: port.port ?? 0 }) },
  );
}

const NOT_IN_RANGE = 'provided port is not in the valid range. The range of valid ports is 30000-32767';
const [LOWEST, HIGHEST] = [30_000, 32_767];

const wantsNodePorts = (spec: Fields): boolean =>
  spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false);

/** Node ports stay with their ports. */
function withKeptPorts(spec: Fields, before: Fields): Fields {
  const old = listOf(before, 'ports');
  return each(spec, {
    ports: (port) => {
      const same = old.find((candidate) => candidate.port === port.port && candidate.protocol === port.protocol);
      if (spec.type === 'ClusterIP') return port.nodePort === same?.nodePort ? without(port, 'nodePort') : port;
      return same?.nodePort === undefined ? port : filled(port, { nodePort: same.nodePort });
    },
  });
}

function withAddress(spec: Fields, context: KindContext): Fields {
  if (!HAS_ADDRESS.has(spec.type)) return spec;
  const clusterIP = spec.clusterIP ?? context.allocateAddress();
  const addressed = filled(
    { ...spec, clusterIP },
    { clusterIPs: [clusterIP], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' },
  );
  const isChecked = spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local';
  const checked = isChecked ? filled(addressed, { healthCheckNodePort: context.allocatePort() }) : addressed;
  if (!wantsNodePorts(spec)) return checked;
  return each(checked, { ports: (port) => (port.nodePort === undefined ? { ...port, nodePort: context.allocatePort() } : port) });
}

const KEPT = ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy', 'healthCheckNodePort'];

/** What a service keeps, and what it gives up, when it is changed. */
function keptSpec(spec: Fields, before: Fields, context: KindContext): Fields {
  if (spec.type === 'ExternalName') return before.type === 'ExternalName' ? spec : without(spec, ...KEPT);
  const kept = KEPT.filter((field) => before[field] !== undefined).map((field) => [field, before[field]]);
  const closed = !isOpen(spec) && isOpen(before) && spec.externalTrafficPolicy === before.externalTrafficPolicy;
  const open = closed ? without(spec, 'externalTrafficPolicy') : spec;
  return withAddress(filled(withKeptPorts(open, before), Object.fromEntries(kept)), context);
}

const statusDefaults =
  (type: unknown) =>
  (status: Fields): Fields =>
    inside(status, {
      loadBalancer: (balancer) =>
        each(balancer, {
          ingress: (ingress) =>
            type === 'LoadBalancer' && ingress.ip !== undefined ? filling({ ipMode: 'VIP' })(ingress) : ingress,
        }),
    });

export const service: Kind = {
  checkName: checkDnsLabel,
  defaults: (object) => {
    const changed = withSpec(object, (spec) => withoutAffinity(specDefaults(spec)));
    return inside(changed, { status: statusDefaults(part(changed, 'spec').type) }) as AnyObject;
  },
  prepareCreate: (object, context) =>
    withSpec({ ...object, status: { loadBalancer: {} } }, (spec) => (isReady(spec) ? withAddress(spec, context) : spec)),
  prepareUpdate: (object, old, context) => withSpec(object, (spec) => keptSpec(spec, part(old, 'spec'), context)),
  validate: (object, old) => [
    ...serviceProblems(part(object, 'spec')),
    ...updateProblems(object, old),
    ...outsideProblems(object),
  ],
};

/** Without affinity there is nothing to be said of it. */
function withoutAffinity(spec: Fields): Fields {
  return spec.sessionAffinity === 'None' ? without(spec, 'sessionAffinityConfig') : spec;
}

/** Only load balancers have addresses outside. */
function outsideProblems(object: AnyObject): Problems {
  const addresses = listOf(part(part(object, 'status'), 'loadBalancer'), 'ingress');
  const isStray = addresses.length > 0 && part(object, 'spec').type !== 'LoadBalancer';
  const detail = "may only be used when `spec.type` is 'LoadBalancer'";
  return when(isStray, forbiddenField('status.loadBalancer.ingress', detail));
}

/** Nothing is given out to a service that will be refused anyway. */
const isReady = (spec: Fields): boolean => serviceProblems(spec).length === 0;

function serviceProblems(spec: Fields): Problems {
  const { type } = spec;
  const ports = listOf(spec, 'ports');
  const isHeadless = spec.clusterIP === 'None' || type === 'ExternalName';
  const isNowhere = type === 'ExternalName' && textOf(spec, 'externalName') === '';
  const isStray = type !== undefined && type !== 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== undefined;
  return [
    ...when(ports.length === 0 && !isHeadless, required('spec.ports')),
    ...when(isNowhere, required('spec.externalName')),
    ...portProblems(ports),
    ...labels('spec.selector', part(spec, 'selector')),
    ...oneOf('spec.sessionAffinity', spec.sessionAffinity, ['ClientIP', 'None']),
    ...addressProblems(spec),
    ...when(
      !HAS_ADDRESS.has(type) && type !== 'ExternalName',
      unsupported('spec.type', type, ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']),
    ),
    ...nodePortProblems(spec, ports),
    ...twinPorts(ports),
    ...when(isStray, forbiddenField('spec.allocateLoadBalancerNodePorts', "may only be used when `type` is 'LoadBalancer'")),
    ...trafficProblems(spec),
  ];
}

function portProblems(ports: readonly Fields[]): Problems {
  const twins = duplicates('spec.ports', ports, 'name');
  return ports.flatMap((port, index) => {
    const path = `spec.ports[${index}]`;
    const name = textOf(port, 'name');
    return [
      ...when(ports.length > 1 && name === '', required(`${path}.name`)),
      ...(name === '' ? NONE : [...dnsLabel(`${path}.name`, name), ...(twins[index] ?? NONE)]),
      ...portNumber(`${path}.port`, port.port),
      ...oneOf(`${path}.protocol`, port.protocol, PROTOCOLS),
      ...portOrName(`${path}.targetPort`, port.targetPort),
    ];
  });
}

function addressProblems(spec: Fields): Problems {
  if (spec.type === 'ExternalName') return NONE;
  const given =
    spec.clusterIPs === undefined && spec.clusterIP !== undefined ? [String(spec.clusterIP)] : textsOf(spec, 'clusterIPs');
  const isOther = spec.clusterIP !== undefined && given[0] !== spec.clusterIP;
  return [
    ...when(isOther, invalidValue('spec.clusterIPs', given, 'first value must match `clusterIP`')),
    ...given.flatMap((each_, index) => (each_ === 'None' && index === 0 ? NONE : address(`spec.clusterIPs[${index}]`, each_))),
    ...textsOf(spec, 'externalIPs').flatMap((each_, index) => address(`spec.externalIPs[${index}]`, each_)),
  ];
}

function nodePortProblems(spec: Fields, ports: readonly Fields[]): Problems {
  return ports.flatMap((port, index) => {
    const field = `spec.ports[${index}].nodePort`;
    const number = numberOf(port, 'nodePort');
    if (number === 0) return NONE;
    if (spec.type === 'ClusterIP' || spec.type === 'ExternalName')
      return [forbiddenField(field, `may not be used when \`type\` is '${String(spec.type)}'`)];
    return when(number < LOWEST || number > HIGHEST, invalidValue(field, number, NOT_IN_RANGE));
  });
}

function twinPorts(ports: readonly Fields[]): Problems {
  const seen = new Set<string>();
  return ports.flatMap((port, index) => {
    const key = `${String(port.port)}/${String(port.protocol)}`;
    const isKnown = seen.has(key);
    seen.add(key);
    const shown = { Name: '', Protocol: port.protocol, AppProtocol: null, Port: port.port, TargetPort: 0, NodePort: 0 };
    return when(isKnown, duplicate(`spec.ports[${index}]`, shown));
  });
}

function trafficProblems(spec: Fields): Problems {
  const { externalTrafficPolicy: outside, internalTrafficPolicy: within } = spec;
  const field = 'spec.externalTrafficPolicy';
  const external = isOpen(spec)
    ? oneOf(field, outside, ['Cluster', 'Local'])
    : when(outside !== undefined, invalidValue(field, outside, 'may only be set for externally-accessible services'));
  return [...external, ...oneOf('spec.internalTrafficPolicy', within, ['Cluster', 'Local'])];
}

function updateProblems(object: AnyObject, old: AnyObject | undefined): Problems {
  const [spec, before] = [part(object, 'spec'), part(old ?? {}, 'spec')];
  const isOther = before.clusterIP !== undefined && before.clusterIP !== spec.clusterIP && before.type === spec.type;
  return when(isOther, invalidValue('spec.clusterIPs[0]', [spec.clusterIP], 'may not change once set'));
}
