import { type AnyObject, checkDnsSubdomain } from '../../kube/plain/index.ts';
import { type FieldProblem, forbiddenField, invalidValue, required } from '../api/failures.ts';
import { each, type Fields, filling, type Kind, listOf, numberOf, part, textOf, textsOf, withSpec } from './kind.ts';
import {
  address,
  checkPortName,
  dnsLabel,
  dnsSubdomain,
  duplicate,
  IMMUTABLE,
  invalidBy,
  isIPv4,
  isIPv6,
  labelSelector,
  NONE,
  oneOf,
  PROTOCOLS,
  type Problems,
  portNumber,
  unsupported,
  when,
} from './problems.ts';

const WILDCARD =
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

function hostName(field: string, host: string): Problems {
  if (!host.includes('*')) return dnsSubdomain(field, host);
  const isGood = host.startsWith('*.') && checkDnsSubdomain(host.slice(2)).length === 0;
  return when(!isGood, invalidValue(field, host, WILDCARD));
}

function backendProblems(backend: Fields, path: string): Problems {
  const isBoth = backend.resource !== undefined && backend.service !== undefined;
  if (isBoth) return [invalidValue(path, '', 'cannot set both resource and service backends')];
  if (backend.resource !== undefined) {
    return ['kind', 'name'].flatMap((field) =>
      when(textOf(part(backend, 'resource'), field) === '', required(`${path}.resource.${field}`)),
    );
  }
  if (backend.service === undefined) return [invalidValue(path, '', 'resource or service backend is required')];
  const service = part(backend, 'service');
  const name = textOf(service, 'name');
  const named = name === '' ? [required(`${path}.service.name`)] : dnsLabel(`${path}.service.name`, name);
  return [...named, ...backendPort(part(service, 'port'), path)];
}

function backendPort(port: Fields, path: string): Problems {
  const [name, number] = [textOf(port, 'name'), numberOf(port, 'number')];
  if (name !== '' && number !== 0) return [invalidValue(path, '', 'cannot set both port name & port number')];
  if (name !== '') return invalidBy(`${path}.service.port.name`, name, checkPortName(name));
  return number === 0 ? [required(path, 'port name or number is required')] : portNumber(`${path}.service.port.number`, number);
}

const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix'];
const FORBIDDEN_PARTS = ['//', '/./', '/../', '%2f', '%2F'];
const FORBIDDEN_ENDS = ['/..', '/.'];

function pathProblems(path: Fields, at: string): Problems {
  const { pathType } = path;
  if (pathType === undefined) return [required(`${at}.pathType`, 'pathType must be specified')];
  const text = textOf(path, 'path');
  const isLoose = pathType === 'ImplementationSpecific';
  const isKnown = PATH_TYPES.includes(String(pathType));
  const isRelative = isKnown && !text.startsWith('/') && !(isLoose && text === '');
  const wrong =
    isLoose || !isKnown
      ? []
      : [
          ...FORBIDDEN_PARTS.filter((part_) => text.includes(part_)).map((part_) => `must not contain '${part_}'`),
          ...FORBIDDEN_ENDS.filter((end) => text.endsWith(end)).map((end) => `cannot end with '${end}'`),
        ];
  return [
    ...when(isRelative, invalidValue(`${at}.path`, text, 'must be an absolute path')),
    ...invalidBy(`${at}.path`, text, wrong),
    ...when(!isKnown, unsupported(`${at}.pathType`, pathType, PATH_TYPES)),
    ...backendProblems(part(path, 'backend'), `${at}.backend`),
  ];
}

function ruleProblems(rule: Fields, path: string): Problems {
  const host = textOf(rule, 'host');
  const isAddress = isIPv4(host) || isIPv6(host);
  const paths = listOf(part(rule, 'http'), 'paths');
  return [
    ...when(isAddress, invalidValue(`${path}.host`, host, 'must be a DNS name, not an IP address')),
    ...(host === '' ? NONE : hostName(`${path}.host`, host)),
    ...when(rule.http !== undefined && paths.length === 0, required(`${path}.http.paths`)),
    ...paths.flatMap((each_, index) => pathProblems(each_, `${path}.http.paths[${index}]`)),
  ];
}

const NOTHING = 'either `defaultBackend` or `rules` must be specified';

export const ingress: Kind = {
  prepareCreate: (object) => ({ ...object, status: { loadBalancer: {} } }),
  validate: (object) => {
    const spec = part(object, 'spec');
    const rules = listOf(spec, 'rules');
    const { defaultBackend } = spec;
    return [
      ...when(rules.length === 0 && defaultBackend === undefined, invalidValue('spec', null, NOTHING)),
      ...(defaultBackend === undefined ? NONE : backendProblems(defaultBackend as Fields, 'spec.defaultBackend')),
      ...rules.flatMap((rule, index) => ruleProblems(rule, `spec.rules[${index}]`)),
      ...listOf(spec, 'tls').flatMap((tls, index) => {
        const path = `spec.tls[${index}]`;
        const name = textOf(tls, 'secretName');
        return [
          ...textsOf(tls, 'hosts').flatMap((host, at) => hostName(`${path}.hosts[${at}]`, host)),
          ...(name === '' ? NONE : dnsSubdomain(`${path}.secretName`, name)),
        ];
      }),
      ...(textOf(spec, 'ingressClassName') === ''
        ? NONE
        : dnsSubdomain('spec.ingressClassName', textOf(spec, 'ingressClassName'))),
    ];
  },
};

const TCP = filling({ protocol: 'TCP' });
const withPorts = (rule: Fields): Fields => each(rule, { ports: TCP });
const DIRECTIONS = ['Ingress', 'Egress'];

function policyPort(port: Fields, path: string): Problems {
  const protocol = oneOf(`${path}.protocol`, port.protocol, ['TCP', 'UDP', 'SCTP']);
  const end = port.endPort;
  if (port.port === undefined) {
    const detail = 'may not be specified when `port` is not specified';
    return [...protocol, ...when(end !== undefined, invalidValue(`${path}.endPort`, end, detail))];
  }
  if (typeof port.port === 'string') {
    const detail = 'may not be specified when `port` is non-numeric';
    const ended = when(end !== undefined, invalidValue(`${path}.endPort`, end, detail));
    return [...protocol, ...ended, ...invalidBy(`${path}.port`, port.port, checkPortName(port.port))];
  }
  const isReversed = typeof end === 'number' && end < numberOf(port, 'port');
  return [
    ...protocol,
    ...portNumber(`${path}.port`, port.port),
    // The server shows the port here, and not its end.
    ...when(isReversed, invalidValue(`${path}.endPort`, port.port, 'must be greater than or equal to `port`')),
    ...(end === undefined ? NONE : portNumber(`${path}.endPort`, end)),
  ];
}

const CIDR = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

interface Block {
  readonly bits: string;
  readonly isV6: boolean;
}

/** The bits of a block of addresses that are the same in all of them. */
function blockOf(text: string): Block | undefined {
  const [ip = '', lengthText = '', ...more] = text.split('/');
  const isV6 = isIPv6(ip);
  const length = /^\d+$/.test(lengthText) ? Number(lengthText) : -1;
  const isGood = more.length === 0 && (isV6 || isIPv4(ip)) && length >= 0 && length <= (isV6 ? 128 : 32);
  if (!isGood) return undefined;
  const bits = isV6
    ? bitsOfV6(ip)
    : ip
        .split('.')
        .map((byte) => Number(byte).toString(2).padStart(8, '0'))
        .join('');
  return { bits: bits.slice(0, length), isV6 };
}

function bitsOfV6(ip: string): string {
  const [head = '', tail] = ip.split('::');
  const words = (text: string): readonly string[] => (text === '' ? [] : text.split(':'));
  const [before, after] = [words(head), tail === undefined ? [] : words(tail)];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].map((word) => Number.parseInt(word, 16).toString(2).padStart(16, '0')).join('');
}

function blockProblems(block: Fields, path: string): Problems {
  const cidr = textOf(block, 'cidr');
  if (cidr === '') return [required(`${path}.cidr`)];
  const outer = blockOf(cidr);
  if (outer === undefined) return [invalidValue(`${path}.cidr`, cidr, CIDR)];
  return textsOf(block, 'except').flatMap((text, index): readonly FieldProblem[] => {
    const field = `${path}.except[${index}]`;
    const inner = blockOf(text);
    if (inner === undefined) return [invalidValue(field, text, CIDR)];
    const isWithin = inner.isV6 === outer.isV6 && inner.bits.length > outer.bits.length && inner.bits.startsWith(outer.bits);
    return when(!isWithin, invalidValue(field, text, 'must be a strict subset of `cidr`'));
  });
}

function peerProblems(peer: Fields, path: string): Problems {
  const given = ['podSelector', 'namespaceSelector', 'ipBlock'].filter((name) => peer[name] !== undefined);
  return [
    ...labelSelector(`${path}.podSelector`, part(peer, 'podSelector')),
    ...labelSelector(`${path}.namespaceSelector`, part(peer, 'namespaceSelector')),
    ...(peer.ipBlock === undefined ? NONE : blockProblems(part(peer, 'ipBlock'), `${path}.ipBlock`)),
    ...when(given.length === 0, required(path, 'must specify a peer')),
    ...when(
      given.length > 1 && peer.ipBlock !== undefined,
      forbiddenField(path, 'may not specify both ipBlock and another peer'),
    ),
  ];
}

export const networkPolicy: Kind = {
  defaults: (object) =>
    withSpec(object, (spec) => {
      const isTyped = textsOf(spec, 'policyTypes').length > 0;
      const types = isTyped ? spec.policyTypes : DIRECTIONS.slice(0, listOf(spec, 'egress').length > 0 ? 2 : 1);
      return { ...each(spec, { ingress: withPorts, egress: withPorts }), policyTypes: types };
    }),
  validate: (object) => {
    const spec = part(object, 'spec');
    const types = textsOf(spec, 'policyTypes');
    const rules = (
      [
        ['ingress', 'from'],
        ['egress', 'to'],
      ] as const
    ).flatMap(([direction, peers]) =>
      listOf(spec, direction).flatMap((rule, index) => {
        const path = `spec.${direction}[${index}]`;
        return [
          ...listOf(rule, 'ports').flatMap((port, at) => policyPort(port, `${path}.ports[${at}]`)),
          ...listOf(rule, peers).flatMap((peer, at) => peerProblems(peer, `${path}.${peers}[${at}]`)),
        ];
      }),
    );
    const tooMany = types.length > DIRECTIONS.length;
    return [
      ...labelSelector('spec.podSelector', part(spec, 'podSelector')),
      ...rules,
      ...when(tooMany, invalidValue('spec.policyTypes', types, 'may not specify more than two policyTypes')),
      ...(tooMany ? NONE : types.flatMap((type, index) => oneOf(`spec.policyTypes[${index}]`, type, DIRECTIONS))),
    ];
  },
};

const LOOPBACK = 'may not be in the loopback range (127.0.0.0/8, ::1/128)';

function endpointAddress(field: string, text: string, type: unknown): Problems {
  if (type === 'FQDN') return dnsSubdomain(field, text);
  const wrong = address(field, text);
  if (wrong.length > 0) return wrong;
  const isOther = type === 'IPv4' ? !isIPv4(text) : !isIPv6(text);
  const list = field.replace(/\[\d+\]$/, '');
  return [
    ...when(isOther, invalidValue(list, text, `must be an ${String(type)} address`)),
    ...when(text.startsWith('127.') || text === '::1', invalidValue(field, text, LOOPBACK)),
    ...when(text === '0.0.0.0' || text === '::', invalidValue(field, text, `may not be unspecified (${text})`)),
  ];
}

function slicePorts(ports: readonly Fields[]): Problems {
  const names = new Set<string>();
  return ports.flatMap((port, index) => {
    const path = `ports[${index}]`;
    const name = textOf(port, 'name');
    const isKnown = names.has(name);
    names.add(name);
    return [
      ...(name === '' ? NONE : dnsLabel(`${path}.name`, name)),
      ...when(isKnown, duplicate(`${path}.name`, name)),
      ...oneOf(`${path}.protocol`, port.protocol, PROTOCOLS),
    ];
  });
}

function validateSlice(object: AnyObject, old: AnyObject | undefined): Problems {
  const { addressType: type } = object;
  const endpoints = listOf(object, 'endpoints').flatMap((endpoint, index) => {
    const path = `endpoints[${index}].addresses`;
    const addresses = textsOf(endpoint, 'addresses');
    return [
      ...when(addresses.length === 0, required(path, 'must contain at least 1 address')),
      ...addresses.flatMap((text, at) => endpointAddress(`${path}[${at}]`, text, type)),
    ];
  });
  const isTyped = ['IPv4', 'IPv6', 'FQDN'].includes(String(type));
  return [
    ...when((type ?? '') === '', required('addressType')),
    ...oneOf('addressType', (type ?? '') === '' ? undefined : type, ['FQDN', 'IPv4', 'IPv6']),
    ...slicePorts(listOf(object, 'ports')),
    ...(isTyped ? endpoints : NONE),
    ...when(old !== undefined && old.addressType !== type, invalidValue('addressType', type, IMMUTABLE)),
  ];
}

export const endpointSlice: Kind = {
  defaults: (object) =>
    object.ports === null ? object : (each(object, { ports: filling({ name: '', protocol: 'TCP' }) }) as AnyObject),
  validate: validateSlice,
};
