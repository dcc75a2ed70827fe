import { type AnyObject, checkDnsLabel, deepEqual } from '../../kube/index.ts';
import { type FieldProblem, invalidValue, required } from '../api/failures.ts';
import { type Fields, filled, type Kind, type KindContext, listOf, part, withSpec } from './kind.ts';

const NAME_LABEL = 'kubernetes.io/metadata.name';

export const namespace: Kind = {
  checkName: checkDnsLabel,
  defaults: (object) => ({
    ...object,
    metadata: { ...object.metadata, labels: { ...object.metadata.labels, [NAME_LABEL]: object.metadata.name } },
  }),
  prepareCreate: (object) => ({
    ...withSpec(object, (spec) => filled(spec, { finalizers: ['kubernetes'] })),
    status: { phase: 'Active' },
  }),
};

export const secret: Kind = {
  defaults: (object) => {
    const { stringData, ...rest } = object;
    const typed = rest.type === undefined ? { ...rest, type: 'Opaque' } : rest;
    if (stringData === undefined) return typed as AnyObject;
    const encoded = Object.entries(stringData as Record<string, string>).map(([name, value]) => [name, base64(value)]);
    return { ...typed, data: { ...part(rest, 'data'), ...Object.fromEntries(encoded) } } as AnyObject;
  },
  validate: validateImmutable,
};

export const configMap: Kind = { validate: validateImmutable };

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

function validateImmutable(object: AnyObject, old: AnyObject | undefined): readonly FieldProblem[] {
  if (old?.immutable !== true) return [];
  return ['data', 'stringData', 'binaryData', 'immutable']
    .filter((field) => !deepEqual(old[field], object[field]))
    .map((field) => ({ type: 'Forbidden', field, body: 'Forbidden: field is immutable when `immutable` is set' }));
}

const IS_CLUSTER_IP: ReadonlySet<unknown> = new Set(['ClusterIP', 'NodePort', 'LoadBalancer']);

export const service: Kind = {
  checkName: checkDnsLabel,
  defaults: (object) =>
    withSpec(object, (spec) => ({
      ...filled(spec, {
        sessionAffinity: 'None',
        type: 'ClusterIP',
        ...(spec.type === 'ExternalName' ? {} : { internalTrafficPolicy: 'Cluster' }),
        ...(spec.type === 'NodePort' || spec.type === 'LoadBalancer' ? { externalTrafficPolicy: 'Cluster' } : {}),
        ...(spec.type === 'LoadBalancer' ? { allocateLoadBalancerNodePorts: true } : {}),
      }),
      ...(spec.ports === undefined
        ? {}
        : { ports: listOf(spec, 'ports').map((port) => filled(port, { protocol: 'TCP', targetPort: port.port })) }),
    })),
  prepareCreate: (object, context) => withSpec({ ...object, status: { loadBalancer: {} } }, (spec) => withAddress(spec, context)),
  prepareUpdate: (object, old, context) =>
    withSpec(object, (spec) => {
      const before = part(old, 'spec');
      const kept = ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy', 'healthCheckNodePort']
        .filter((field) => before[field] !== undefined)
        .map((field) => [field, before[field]]);
      return withAddress(filled(withKeptPorts(spec, before), Object.fromEntries(kept)), context);
    }),
  validate: validateService,
};

/** Node ports stay with their ports. */
function withKeptPorts(spec: Fields, before: Fields): Fields {
  if (spec.ports === undefined || spec.type === 'ClusterIP') return spec;
  const old = listOf(before, 'ports');
  const ports = listOf(spec, 'ports').map((port) => {
    const same = old.find((each) => each.port === port.port && each.protocol === port.protocol);
    return same?.nodePort === undefined ? port : filled(port, { nodePort: same.nodePort });
  });
  return { ...spec, ports };
}

function withAddress(spec: Fields, context: KindContext): Fields {
  if (!IS_CLUSTER_IP.has(spec.type)) return spec;
  const address = spec.clusterIP ?? context.allocateAddress();
  const addressed = filled(
    { ...spec, clusterIP: address },
    address === 'None'
      ? { clusterIPs: ['None'], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' }
      : { clusterIPs: [address], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' },
  );
  if (spec.type === 'ClusterIP' || spec.ports === undefined) return addressed;
  return {
    ...addressed,
    ports: listOf(spec, 'ports').map((port) =>
      port.nodePort === undefined ? { ...port, nodePort: context.allocatePort() } : port,
    ),
  };
}

function validateService(object: AnyObject, old: AnyObject | undefined): readonly FieldProblem[] {
  const spec = part(object, 'spec');
  const ports = listOf(spec, 'ports');
  const isHeadless = spec.clusterIP === 'None' || spec.type === 'ExternalName';
  const problems: FieldProblem[] = ports.length === 0 && !isHeadless ? [required('spec.ports')] : [];
  ports.forEach((port, index) => {
    const path = `spec.ports[${index}]`;
    if (ports.length > 1 && (port.name ?? '') === '') problems.push(required(`${path}.name`));
    if (typeof port.port !== 'number' || port.port < 1 || port.port > 65_535) {
      problems.push(invalidValue(`${path}.port`, port.port ?? 0, 'must be between 1 and 65535, inclusive'));
    }
  });
  const before = old === undefined ? undefined : part(old, 'spec');
  if (before?.clusterIP !== undefined && before.clusterIP !== spec.clusterIP && before.type === spec.type) {
    problems.push(invalidValue('spec.clusterIPs[0]', [spec.clusterIP], 'may not change once set'));
  }
  return problems;
}
