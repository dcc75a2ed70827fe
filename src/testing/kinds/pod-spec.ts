import { checkDnsSubdomain, checkLabelKey, checkLabelValue } from '../../kube/plain/index.ts';
import { forbiddenField, invalidValue, required } from '../api/failures.ts';
import { containerProblems } from './containers.ts';
import { type Fields, listOf, numberOf, part, textOf } from './kind.ts';
import {
  dnsLabel,
  duplicate,
  invalidBy,
  labelSelector,
  labels,
  NONE,
  oneOf,
  type Problems,
  unsupported,
  when,
} from './problems.ts';

const MOST_SECONDS = 2 ** 31 - 1;
const POLICIES = ['Always', 'OnFailure', 'Never'];
const DNS_POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];
export const EFFECTS: readonly string[] = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

/** What is wrong with a pod spec (API: core/v1 PodSpec), in the order in which the server says it. */
export function podSpecProblems(spec: Fields, path: string): Problems {
  const volumes = listOf(spec, 'volumes');
  const found = volumeProblems(volumes, `${path}.volumes`);
  const good = new Set(volumes.filter((_, index) => found[index]?.length === 0).map((volume) => textOf(volume, 'name')));
  const deadline = spec.activeDeadlineSeconds;
  const isGoodDeadline = typeof deadline !== 'number' || (deadline >= 1 && deadline <= MOST_SECONDS);
  const range = `must be between 1 and ${MOST_SECONDS}, inclusive`;
  const account = textOf(spec, 'serviceAccountName');
  return [
    ...found.flat(),
    ...containerProblems(spec, path, good),
    ...oneOf(`${path}.restartPolicy`, spec.restartPolicy, POLICIES),
    ...oneOf(`${path}.dnsPolicy`, spec.dnsPolicy, DNS_POLICIES),
    ...labels(`${path}.nodeSelector`, part(spec, 'nodeSelector')),
    ...listOf(spec, 'topologySpreadConstraints').flatMap((constraint, index) =>
      spreadProblems(constraint, `${path}.topologySpreadConstraints[${index}]`),
    ),
    ...(account === '' ? NONE : invalidBy(`${path}.serviceAccountName`, account, checkDnsSubdomain(account))),
    ...when(!isGoodDeadline, invalidValue(`${path}.activeDeadlineSeconds`, deadline, range)),
    ...['hostname', 'subdomain'].flatMap((name) =>
      textOf(spec, name) === '' ? NONE : dnsLabel(`${path}.${name}`, textOf(spec, name)),
    ),
    ...listOf(spec, 'tolerations').flatMap((toleration, index) =>
      tolerationProblems(toleration, `${path}.tolerations[${index}]`),
    ),
  ];
}

function spreadProblems(constraint: Fields, path: string): Problems {
  const skew = numberOf(constraint, 'maxSkew');
  const choices = ['DoNotSchedule', 'ScheduleAnyway'];
  return [
    ...when(skew <= 0, invalidValue(`${path}.maxSkew`, skew, 'must be greater than zero')),
    ...when(textOf(constraint, 'topologyKey') === '', required(`${path}.topologyKey`, 'can not be empty')),
    ...oneOf(`${path}.whenUnsatisfiable`, constraint.whenUnsatisfiable ?? '', choices),
    ...labelSelector(`${path}.labelSelector`, part(constraint, 'labelSelector')),
  ];
}

const MATCHES_ALL = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';

function tolerationProblems(toleration: Fields, path: string): Problems {
  const [key, operator, effect] = ['key', 'operator', 'effect'].map((name) => textOf(toleration, name)) as [
    string,
    string,
    string,
  ];
  const isTimed = toleration.tolerationSeconds !== undefined && effect !== 'NoExecute';
  return [
    ...(key === '' ? NONE : invalidBy(`${path}.key`, key, checkLabelKey(key))),
    ...when(key === '' && operator !== 'Exists', invalidValue(`${path}.operator`, operator, MATCHES_ALL)),
    ...when(isTimed, invalidValue(`${path}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set")),
    ...operatorProblems(operator, textOf(toleration, 'value'), `${path}.operator`),
    ...when(effect !== '' && !EFFECTS.includes(effect), unsupported(`${path}.effect`, effect, EFFECTS)),
  ];
}

function operatorProblems(operator: string, value: string, path: string): Problems {
  switch (operator) {
    case '':
    case 'Equal': {
      const messages = checkLabelValue(value);
      return when(messages.length > 0, invalidValue(path, value, messages.join(';')));
    }
    case 'Exists':
      return when(value !== '', invalidValue(path, value, "value must be empty when `operator` is 'Exists'"));
    default:
      return [unsupported(path, operator, ['Equal', 'Exists'])];
  }
}

/** What kinds of volumes must say, in the order in which they are looked at. */
const VOLUMES: Readonly<Record<string, readonly string[]>> = {
  emptyDir: [],
  hostPath: ['path'],
  gitRepo: ['repository'],
  gcePersistentDisk: ['pdName'],
  awsElasticBlockStore: ['volumeID'],
  secret: ['secretName'],
  nfs: ['server', 'path'],
  iscsi: ['targetPortal', 'iqn'],
  glusterfs: ['endpoints', 'path'],
  flocker: [],
  persistentVolumeClaim: ['claimName'],
  rbd: ['monitors', 'image'],
  cinder: ['volumeID'],
  cephfs: ['monitors'],
  quobyte: [],
  downwardAPI: [],
  fc: [],
  azureFile: ['secretName', 'shareName'],
  configMap: ['name'],
  vsphereVolume: ['volumePath'],
  photonPersistentDisk: [],
  portworxVolume: ['volumeID'],
  azureDisk: ['diskName', 'diskURI'],
  storageos: [],
  projected: [],
  scaleIO: [],
  csi: ['driver'],
  ephemeral: [],
  image: [],
};

/** What is wrong with the source of a volume: none or several of them, or one without what it needs. */
export function sourceProblems(volume: Fields, path: string, none: string): Problems {
  const given = Object.keys(VOLUMES).filter((name) => volume[name] !== undefined);
  if (given.length === 0) return [required(path, none)];
  return given.flatMap((name, index) =>
    index > 0
      ? [forbiddenField(`${path}.${name}`, 'may not specify more than 1 volume type')]
      : (VOLUMES[name] ?? []).flatMap((field) =>
          when((part(volume, name)[field] ?? '') === '', required(`${path}.${name}.${field}`)),
        ),
  );
}

/** Whether a field of a volume is a source of it. */
export const isVolumeSource = (name: string): boolean => VOLUMES[name] !== undefined || ['local', 'flexVolume'].includes(name);

function volumeProblems(volumes: readonly Fields[], path: string): readonly Problems[] {
  const names = new Set<string>();
  return volumes.map((volume, index) => {
    const at = `${path}[${index}]`;
    const name = textOf(volume, 'name');
    const isFlexible = volume.flexVolume !== undefined;
    const problems = [
      ...(isFlexible ? NONE : sourceProblems(volume, at, 'must specify a volume type')),
      ...(name === '' ? [required(`${at}.name`)] : dnsLabel(`${at}.name`, name)),
      ...when(names.has(name), duplicate(`${at}.name`, name)),
    ];
    if (problems.length === 0) names.add(name);
    return problems;
  });
}
