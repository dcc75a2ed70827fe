import { compareQuantities, compareText, parseQuantity } from '../../kube/plain/index.ts';
import { type FieldProblem, forbiddenField, invalidValue, required } from '../api/failures.ts';
import { type Fields, listOf, numberOf, part, textOf, textsOf } from './kind.ts';
import {
  checkPortName,
  dnsLabel,
  duplicate,
  invalidBy,
  NONE,
  notNegative,
  oneOf,
  PROTOCOLS,
  type Problems,
  portNumber,
  portOrName,
  unsupported,
  when,
} from './problems.ts';

/** What is wrong with the containers of a pod. `volumes` are the names of those that are good. */
export function containerProblems(spec: Fields, path: string, volumes: ReadonlySet<string>): Problems {
  const containers = listOf(spec, 'containers');
  const names = new Set<string>();
  const own =
    containers.length === 0
      ? [required(`${path}.containers`)]
      : containers.flatMap((container, index) => {
          const at = `${path}.containers[${index}]`;
          return [...commonProblems(container, at, volumes), ...twin(names, container, at), ...probeProblems(container, at)];
        });
  const initial = listOf(spec, 'initContainers').flatMap((container, index) => {
    const at = `${path}.initContainers[${index}]`;
    const later = container.restartPolicy === 'Always' ? probeProblems(container, at) : forbiddenProbes(container, at);
    return [...commonProblems(container, at, volumes), ...twin(names, container, at), ...later];
  });
  return [...own, ...initial];
}

function twin(names: Set<string>, container: Fields, path: string): Problems {
  const name = textOf(container, 'name');
  const isKnown = names.has(name);
  names.add(name);
  return when(isKnown, duplicate(`${path}.name`, name));
}

function commonProblems(container: Fields, path: string, volumes: ReadonlySet<string>): Problems {
  const name = textOf(container, 'name');
  return [
    ...(name === '' ? [required(`${path}.name`)] : dnsLabel(`${path}.name`, name)),
    ...when(textOf(container, 'image') === '', required(`${path}.image`)),
    ...oneOf(`${path}.terminationMessagePolicy`, container.terminationMessagePolicy, ['File', 'FallbackToLogsOnError']),
    ...portProblems(listOf(container, 'ports'), `${path}.ports`),
    ...listOf(container, 'env').flatMap((variable, index) => envProblems(variable, `${path}.env[${index}]`)),
    ...mountProblems(listOf(container, 'volumeMounts'), `${path}.volumeMounts`, volumes),
    ...oneOf(`${path}.imagePullPolicy`, container.imagePullPolicy, ['Always', 'IfNotPresent', 'Never']),
    ...resourceProblems(part(container, 'resources'), `${path}.resources`),
  ];
}

function portProblems(ports: readonly Fields[], path: string): Problems {
  const names = new Set<string>();
  return ports.flatMap((port, index) => {
    const at = `${path}[${index}]`;
    const name = textOf(port, 'name');
    const isKnown = names.has(name);
    const wrong = name === '' ? NONE : invalidBy(`${at}.name`, name, checkPortName(name));
    if (name !== '' && wrong.length === 0) names.add(name);
    return [
      ...(wrong.length === 0 ? when(isKnown, duplicate(`${at}.name`, name)) : wrong),
      ...(numberOf(port, 'containerPort') === 0
        ? [required(`${at}.containerPort`)]
        : portNumber(`${at}.containerPort`, port.containerPort)),
      ...(numberOf(port, 'hostPort') === 0 ? NONE : portNumber(`${at}.hostPort`, port.hostPort)),
      ...oneOf(`${at}.protocol`, port.protocol, PROTOCOLS),
    ];
  });
}

const SOURCES = ['fieldRef', 'resourceFieldRef', 'configMapKeyRef', 'secretKeyRef', 'fileKeyRef'];
const ENV_NAME = "a valid environment variable name must consist only of printable ASCII characters other than '='";
const NO_SOURCE = 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`';

function envProblems(variable: Fields, path: string): Problems {
  const name = textOf(variable, 'name');
  const isBad = !/^[ -<>-~]+$/.test(name);
  const named = name === '' ? required(`${path}.name`) : invalidValue(`${path}.name`, name, ENV_NAME);
  const from = variable.valueFrom === undefined ? NONE : sourceProblems(variable, `${path}.valueFrom`);
  return [...when(isBad, named), ...from];
}

function sourceProblems(variable: Fields, path: string): Problems {
  const source = part(variable, 'valueFrom');
  const given = SOURCES.filter((name) => source[name] !== undefined);
  if (given.length === 0) return [invalidValue(path, '', NO_SOURCE)];
  if (textOf(variable, 'value') !== '') return [invalidValue(path, '', 'may not be specified when `value` is not empty')];
  const keys = ['configMapKeyRef', 'secretKeyRef'].flatMap((name) =>
    source[name] === undefined ? NONE : when(textOf(part(source, name), 'key') === '', required(`${path}.${name}.key`)),
  );
  return [...keys, ...when(given.length > 1, invalidValue(path, '', 'may not have more than one field specified at a time'))];
}

function mountProblems(mounts: readonly Fields[], path: string, volumes: ReadonlySet<string>): Problems {
  const seen = new Set<string>();
  return mounts.flatMap((mount, index) => {
    const at = `${path}[${index}]`;
    const [name, mountPath] = [textOf(mount, 'name'), textOf(mount, 'mountPath')];
    const isKnown = seen.has(mountPath);
    seen.add(mountPath);
    return [
      ...when(name === '', required(`${at}.name`)),
      ...when(!volumes.has(name), notFoundValue(`${at}.name`, name)),
      ...when(mountPath === '', required(`${at}.mountPath`)),
      ...when(isKnown, invalidValue(`${at}.mountPath`, mountPath, 'must be unique')),
    ];
  });
}

function notFoundValue(field: string, value: string): FieldProblem {
  return { type: 'NotFound', field, body: `Not found: ${JSON.stringify(value)}` };
}

const STANDARD = new Set(['cpu', 'memory', 'ephemeral-storage', 'storage']);
const NOT_STANDARD = ['must be a standard resource type or fully qualified', 'must be a standard resource for containers'];
const isOvercommitted = (name: string): boolean => !name.includes('/') && !name.startsWith('hugepages-');

function resourceProblems(resources: Fields, path: string): Problems {
  const limits = part(resources, 'limits');
  return [
    ...namedQuantities(limits).flatMap(([name, value]) => quantityProblems(name, value, `${path}.limits[${name}]`)),
    ...namedQuantities(part(resources, 'requests')).flatMap(([name, value]) => [
      ...quantityProblems(name, value, `${path}.requests[${name}]`),
      ...limitProblems(name, value, limits[name], path),
    ]),
  ];
}

function namedQuantities(fields: Fields): readonly (readonly [string, string])[] {
  return Object.entries(fields)
    .map(([name, value]) => [name, String(value)] as const)
    .toSorted(([a], [b]) => compareText(a, b));
}

function quantityProblems(name: string, value: string, path: string): Problems {
  const isUnknown = isOvercommitted(name) && !STANDARD.has(name);
  return [
    ...(isUnknown ? invalidBy(path, name, NOT_STANDARD) : NONE),
    ...when(value.startsWith('-'), invalidValue(path, value, 'must be greater than or equal to 0')),
  ];
}

function limitProblems(name: string, value: string, limit: unknown, path: string): Problems {
  if (limit === undefined) {
    return when(!isOvercommitted(name), required(`${path}.limits`, 'Limit must be set for non overcommitable resources'));
  }
  const order = compareQuantities(parseQuantity(value), parseQuantity(String(limit)));
  const equal = `must be equal to ${name} limit of ${String(limit)}`;
  if (!isOvercommitted(name)) return when(order !== 0, invalidValue(`${path}.requests`, value, equal));
  const less = `must be less than or equal to ${name} limit of ${String(limit)}`;
  return when(order > 0, invalidValue(`${path}.requests`, value, less));
}

const PROBES = ['livenessProbe', 'readinessProbe', 'startupProbe'];
const TIMES = ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'];

function probeProblems(container: Fields, path: string): Problems {
  const lifecycle = ['postStart', 'preStop'].flatMap((name) => {
    const hook = part(container, 'lifecycle')[name];
    return hook === undefined ? NONE : handlerProblems(hook as Fields, `${path}.lifecycle.${name}`);
  });
  const probes = PROBES.filter((name) => container[name] !== undefined).flatMap((name) => {
    const probe = part(container, name);
    const at = `${path}.${name}`;
    const isOnce = name === 'readinessProbe' || probe.successThreshold === 1;
    return [
      ...handlerProblems(probe, at),
      ...notNegative(at, probe, ...TIMES),
      ...when(!isOnce, invalidValue(`${at}.successThreshold`, probe.successThreshold, 'must be 1')),
    ];
  });
  return [...lifecycle, ...probes];
}

function forbiddenProbes(container: Fields, path: string): Problems {
  return ['lifecycle', ...PROBES]
    .filter((name) => container[name] !== undefined)
    .map((name) => forbiddenField(`${path}.${name}`, 'may not be set for init containers without restartPolicy=Always'));
}

const HANDLERS: Readonly<Record<string, (handler: Fields, path: string) => Problems>> = {
  exec: (handler, path) => when(textsOf(handler, 'command').length === 0, required(`${path}.command`)),
  httpGet: (handler, path) => [
    ...portOrName(`${path}.port`, handler.port),
    ...when(
      !['HTTP', 'HTTPS'].includes(textOf(handler, 'scheme')),
      unsupported(`${path}.scheme`, handler.scheme, ['HTTP', 'HTTPS']),
    ),
  ],
  tcpSocket: (handler, path) => portOrName(`${path}.port`, handler.port),
  grpc: (handler, path) => portNumber(`${path}.port`, handler.port),
  sleep: () => NONE,
};

function handlerProblems(handler: Fields, path: string): Problems {
  const given = Object.keys(HANDLERS).filter((name) => handler[name] !== undefined);
  if (given.length === 0) return [required(path, 'must specify a handler type')];
  return given.flatMap((name, index) =>
    index === 0
      ? (HANDLERS[name]?.(part(handler, name), `${path}.${name}`) ?? NONE)
      : [forbiddenField(`${path}.${name}`, 'may not specify more than 1 handler type')],
  );
}
