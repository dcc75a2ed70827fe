import { compareText } from '../../../kube/plain/index.ts';
import { age, duration } from './age.ts';
import { at, count, type Fields, isTrue, list, number, text, texts } from './fields.ts';
import { podCells } from './pod-cells.ts';
import { scalerTargets } from './scaler-targets.ts';
import { labelsText, selectorOrNone, selectorText } from './selector-text.ts';

/** The cells of an object behind its name, in the order of the kind's columns. */
export type Cells = (object: Fields, now: number) => readonly unknown[];

const ageOf = (object: Fields, now: number): string => age(at(object, 'metadata').creationTimestamp, now);
const joined = (values: readonly unknown[], otherwise = ''): string => values.map(String).join(',') || otherwise;

/** Containers and images of a workload. */
function containers(template: Fields): readonly string[] {
  const all = list(at(template, 'spec').containers);
  return [joined(all.map(({ name }) => name)), joined(all.map(({ image }) => image))];
}

/** A few of many. */
function some(values: readonly unknown[], most: number, total = values.length): string {
  const shown = joined(values.slice(0, most));
  return total > most && values.length > 0 ? `${shown} + ${total - most} more...` : shown;
}

function balancerText(object: Fields): string {
  const addresses = list(at(object, 'status', 'loadBalancer').ingress).map(({ ip, hostname }) => text(ip, text(hostname)));
  return [...new Set(addresses.filter((address) => address !== ''))].toSorted(compareText).join(',');
}

function externalAddress(object: Fields): string {
  const { type, externalIPs, externalName } = at(object, 'spec');
  const own = texts(externalIPs);
  switch (type) {
    case 'ExternalName':
      return text(externalName);
    case 'LoadBalancer': {
      const given = balancerText(object);
      return joined([...(given === '' ? [] : [given]), ...own], '<pending>');
    }
    default:
      return joined(own, '<none>');
  }
}

const services: Cells = (object, now) => {
  const { type, clusterIPs, ports, selector } = at(object, 'spec');
  const shown = list(ports).map(
    ({ port, nodePort, protocol }) => `${port}${nodePort === undefined ? '' : `:${nodePort}`}/${protocol}`,
  );
  return [
    type,
    texts(clusterIPs)[0] ?? '<none>',
    externalAddress(object),
    joined(shown, '<none>'),
    ageOf(object, now),
    labelsText(at({ selector }, 'selector')),
  ];
};

function nodeStatus(object: Fields): string {
  const ready = list(at(object, 'status').conditions).find(({ type }) => type === 'Ready');
  const known = ready?.status === 'True' ? 'Ready' : 'NotReady';
  const status = ready === undefined ? 'Unknown' : known;
  return at(object, 'spec').unschedulable === true ? `${status},SchedulingDisabled` : status;
}

const ROLE = 'node-role.kubernetes.io/';

const nodes: Cells = (object, now) => {
  const labels = at(object, 'metadata', 'labels');
  const roles = Object.entries(labels).flatMap(([key, value]) => {
    if (key.startsWith(ROLE)) return key === ROLE ? [] : [key.slice(ROLE.length)];
    return key === 'kubernetes.io/role' && value !== '' ? [String(value)] : [];
  });
  const { kubeletVersion, osImage, kernelVersion, containerRuntimeVersion, architecture } = at(object, 'status', 'nodeInfo');
  const address = (wanted: string): string =>
    text(list(at(object, 'status').addresses).find(({ type }) => type === wanted)?.address, '<none>');
  return [
    nodeStatus(object),
    joined([...new Set(roles)].toSorted(compareText), '<none>'),
    ageOf(object, now),
    text(kubeletVersion),
    address('InternalIP'),
    address('ExternalIP'),
    text(osImage, '<unknown>'),
    `${text(kernelVersion, '<unknown>')}${text(architecture) === '' ? '' : ` (${text(architecture)})`}`,
    text(containerRuntimeVersion, '<unknown>'),
  ];
};

const MODES: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};
const modesText = (modes: unknown): string => {
  const given = new Set(texts(modes));
  return joined(Object.entries(MODES).flatMap(([mode, short]) => (given.has(mode) ? [short] : [])));
};
const CLASS = 'volume.beta.kubernetes.io/storage-class';
const storageClass = (object: Fields): string =>
  text(at(object, 'metadata', 'annotations')[CLASS], text(at(object, 'spec').storageClassName));
const phaseOf = (object: Fields): string =>
  at(object, 'metadata').deletionTimestamp === undefined ? text(at(object, 'status').phase) : 'Terminating';

const persistentVolumes: Cells = (object, now) => {
  const { capacity, accessModes, persistentVolumeReclaimPolicy, claimRef, volumeAttributesClassName, volumeMode } = at(
    object,
    'spec',
  );
  const claim = at({ claimRef }, 'claimRef');
  return [
    text(at({ capacity }, 'capacity').storage, '0'),
    modesText(accessModes),
    persistentVolumeReclaimPolicy,
    phaseOf(object),
    claimRef === undefined ? '' : `${text(claim.namespace)}/${text(claim.name)}`,
    storageClass(object),
    text(volumeAttributesClassName, '<unset>'),
    text(at(object, 'status').reason),
    ageOf(object, now),
    text(volumeMode, '<unset>'),
  ];
};

const persistentVolumeClaims: Cells = (object, now) => {
  const { volumeName, volumeAttributesClassName, volumeMode } = at(object, 'spec');
  const isBound = text(volumeName) !== '';
  const { capacity, accessModes } = at(object, 'status');
  return [
    phaseOf(object),
    text(volumeName),
    isBound ? text(at({ capacity }, 'capacity').storage, '0') : '',
    isBound ? modesText(accessModes) : '',
    storageClass(object),
    text(volumeAttributesClassName, '<unset>'),
    ageOf(object, now),
    text(volumeMode, '<unset>'),
  ];
};

const resourceQuotas: Cells = (object, now) => {
  const { hard, used } = at(object, 'status');
  const all = Object.entries(at({ hard }, 'hard')).toSorted(([a], [b]) => compareText(a, b));
  const shown = (isLimit: boolean): string =>
    all
      .filter(([name]) => name.startsWith('limits.') === isLimit)
      .map(([name, value]) => `${name}: ${text(at({ used }, 'used')[name], '0')}/${String(value)}`)
      .join(', ');
  return [shown(false), shown(true), ageOf(object, now)];
};

const ready = (object: Fields): string => `${number(at(object, 'status').readyReplicas)}/${number(at(object, 'spec').replicas)}`;
const templateOf = (object: Fields): Fields => at(object, 'spec', 'template');

const deployments: Cells = (object, now) => {
  const { updatedReplicas, availableReplicas } = at(object, 'status');
  const counts = [number(updatedReplicas), number(availableReplicas)];
  return [
    ready(object),
    ...counts,
    ageOf(object, now),
    ...containers(templateOf(object)),
    selectorText(at(object, 'spec').selector),
  ];
};

const replicaSets: Cells = (object, now) => {
  const { replicas, readyReplicas } = at(object, 'status');
  const counts = [number(at(object, 'spec').replicas), number(replicas), number(readyReplicas)];
  return [...counts, ageOf(object, now), ...containers(templateOf(object)), selectorOrNone(at(object, 'spec').selector)];
};

const DAEMONS = ['desiredNumberScheduled', 'currentNumberScheduled', 'numberReady', 'updatedNumberScheduled', 'numberAvailable'];

const daemonSets: Cells = (object, now) => [
  ...DAEMONS.map((name) => number(at(object, 'status')[name])),
  labelsText(at(templateOf(object), 'spec', 'nodeSelector')),
  ageOf(object, now),
  ...containers(templateOf(object)),
  selectorOrNone(at(object, 'spec').selector),
];

function jobStatus(object: Fields): string {
  if (isTrue(object, 'Complete')) return 'Complete';
  if (isTrue(object, 'Failed')) return 'Failed';
  if (at(object, 'metadata').deletionTimestamp !== undefined) return 'Terminating';
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find((type) => isTrue(object, type)) ?? 'Running';
}

function completions(object: Fields): string {
  const { completions: wanted, parallelism } = at(object, 'spec');
  const done = number(at(object, 'status').succeeded);
  if (wanted !== undefined) return `${done}/${number(wanted)}`;
  return number(parallelism) > 1 ? `${done}/1 of ${number(parallelism)}` : `${done}/1`;
}

function jobDuration(object: Fields, now: number): string {
  const { startTime, completionTime } = at(object, 'status');
  if (typeof startTime !== 'string') return '';
  return duration((typeof completionTime === 'string' ? Date.parse(completionTime) : now) - Date.parse(startTime));
}

const jobs: Cells = (object, now) => [
  jobStatus(object),
  completions(object),
  jobDuration(object, now),
  ageOf(object, now),
  ...containers(templateOf(object)),
  selectorOrNone(at(object, 'spec').selector),
];

const cronJobs: Cells = (object, now) => {
  const { schedule, timeZone, suspend } = at(object, 'spec');
  const { active, lastScheduleTime } = at(object, 'status');
  const jobSpec = at(object, 'spec', 'jobTemplate', 'spec');
  return [
    schedule,
    text(timeZone, '<none>'),
    suspend === true ? 'True' : 'False',
    list(active).length,
    lastScheduleTime === undefined ? '<none>' : age(lastScheduleTime, now),
    ageOf(object, now),
    ...containers(at(jobSpec, 'template')),
    selectorOrNone(jobSpec.selector),
  ];
};

const MOST = 3;

const ingresses: Cells = (object, now) => {
  const { ingressClassName, rules, tls } = at(object, 'spec');
  const all = list(rules);
  const hosts = all.slice(0, MOST).flatMap(({ host }) => (text(host) === '' ? [] : [text(host)]));
  return [
    text(ingressClassName, '<none>'),
    some(hosts, MOST, all.length) || '*',
    balancerText(object),
    list(tls).length > 0 ? '80, 443' : '80',
    ageOf(object, now),
  ];
};

const endpointSlices: Cells = (object, now) => {
  const ports = list(object.ports).map(({ port, name }) => text(port, text(name, '*')));
  const endpoints = list(object.endpoints).flatMap(({ addresses }) => texts(addresses));
  return [text(object.addressType), some(ports, MOST) || '<unset>', some(endpoints, MOST) || '<unset>', ageOf(object, now)];
};

const bindings: Cells = (object, now) => {
  const of = (kind: string): readonly Fields[] => list(object.subjects).filter((subject) => subject.kind === kind);
  const names = (subjects: readonly Fields[]): string => subjects.map(({ name }) => text(name)).join(', ');
  const role = at(object, 'roleRef');
  const accounts = of('ServiceAccount').map((subject) => `${text(subject.namespace)}/${text(subject.name)}`);
  return [
    `${text(role.kind)}/${text(role.name)}`,
    ageOf(object, now),
    names(of('User')),
    names(of('Group')),
    accounts.join(', '),
  ];
};

const scalers: Cells = (object, now) => {
  const { scaleTargetRef, minReplicas, maxReplicas } = at(object, 'spec');
  const target = at({ scaleTargetRef }, 'scaleTargetRef');
  return [
    `${text(target.kind)}/${text(target.name)}`,
    scalerTargets(object),
    text(minReplicas, '<unset>'),
    number(maxReplicas),
    number(at(object, 'status').currentReplicas),
    ageOf(object, now),
  ];
};

const budgets: Cells = (object, now) => {
  const { minAvailable, maxUnavailable } = at(object, 'spec');
  return [
    text(minAvailable, 'N/A'),
    text(maxUnavailable, 'N/A'),
    number(at(object, 'status').disruptionsAllowed),
    ageOf(object, now),
  ];
};

function eventSource(object: Fields): string {
  const { component, host } = at(object, 'source');
  const who = text(component, text(object.reportingComponent));
  const where = text(host, text(object.reportingInstance));
  return where === '' ? who : `${who}, ${where}`;
}

/** All cells of an event: its name comes last. */
const events: Cells = (object, now) => {
  const { firstTimestamp, lastTimestamp, eventTime, series, reason, message, type } = object;
  const first = age(firstTimestamp ?? eventTime, now);
  const last = typeof lastTimestamp === 'string' ? age(lastTimestamp, now) : first;
  const { kind, name, fieldPath } = at(object, 'involvedObject');
  const target = [text(kind).toLowerCase(), text(name)].filter((part) => part !== '').join('/');
  const repeated = at({ series }, 'series');
  return [
    series === undefined ? last : age(repeated.lastObservedTime, now),
    text(type),
    text(reason),
    target,
    text(fieldPath),
    eventSource(object),
    text(message).trim(),
    first,
    series === undefined ? number(object.count) || 1 : number(repeated.count),
    at(object, 'metadata').name,
  ];
};

/** Name and time of creation, where a kind has no columns of its own. */
const created: Cells = (object) => [at(object, 'metadata').creationTimestamp];

/** The cells of built-in kinds, by collection. */
export const CELLS: Readonly<Record<string, Cells>> = {
  events,
  namespaces: (object, now) => [text(at(object, 'status').phase), ageOf(object, now)],
  nodes,
  persistentvolumes: persistentVolumes,
  persistentvolumeclaims: persistentVolumeClaims,
  configmaps: (object, now) => [count(object.data) + count(object.binaryData), ageOf(object, now)],
  secrets: (object, now) => [text(object.type), count(object.data), ageOf(object, now)],
  services,
  serviceaccounts: (object, now) => [ageOf(object, now)],
  pods: podCells,
  resourcequotas: resourceQuotas,
  limitranges: created,
  'deployments.apps': deployments,
  'replicasets.apps': replicaSets,
  'statefulsets.apps': (object, now) => [ready(object), ageOf(object, now), ...containers(templateOf(object))],
  'daemonsets.apps': daemonSets,
  'jobs.batch': jobs,
  'cronjobs.batch': cronJobs,
  'ingresses.networking.k8s.io': ingresses,
  'networkpolicies.networking.k8s.io': (object, now) => [selectorOrNone(at(object, 'spec').podSelector), ageOf(object, now)],
  'horizontalpodautoscalers.autoscaling': scalers,
  'poddisruptionbudgets.policy': budgets,
  'roles.rbac.authorization.k8s.io': created,
  'clusterroles.rbac.authorization.k8s.io': created,
  'rolebindings.rbac.authorization.k8s.io': bindings,
  'clusterrolebindings.rbac.authorization.k8s.io': bindings,
  'leases.coordination.k8s.io': (object, now) => [text(at(object, 'spec').holderIdentity), ageOf(object, now)],
  'endpointslices.discovery.k8s.io': endpointSlices,
  'customresourcedefinitions.apiextensions.k8s.io': created,
};
