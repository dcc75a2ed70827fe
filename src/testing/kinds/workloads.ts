import {
  type AnyObject,
  deepEqual,
  isClustersetError,
  type LabelSelector,
  matchesLabels,
  requirementsOf,
} from '../../kube/plain/index.ts';
import { forbiddenField, invalidValue, required } from '../api/failures.ts';
import { type Fields, filled, filling, inside, type Kind, listOf, numberOf, part, textOf, withSpec, withStatus } from './kind.ts';
import { podSpecProblems } from './pod-spec.ts';
import { templateDefaults } from './pod-template.ts';
import {
  atMostAll,
  countOrPercent,
  dnsLabel,
  IMMUTABLE,
  labelSelector,
  NONE,
  notNegative,
  type Problems,
  unsupported,
  when,
} from './problems.ts';
import { claimTemplate } from './storage.ts';

/** The defaults of a workload's spec: its own, those of its strategy when it rolls, and those of its template. */
interface WorkloadDefaults {
  readonly spec: Fields;
  readonly strategy?: { readonly field: string; readonly rolling: Fields };
  /** What the status says from the beginning. */
  readonly status?: Fields;
}

function defaultsOf({ spec: defaults, strategy, status = {} }: WorkloadDefaults): (object: AnyObject) => AnyObject {
  return (object) => {
    const changed = withSpec(object, (spec) => ({
      ...filled(spec, defaults),
      ...(strategy === undefined ? {} : { [strategy.field]: rolled(part(spec, strategy.field), strategy.rolling) }),
      template: templateDefaults(part(spec, 'template')),
    }));
    return withStatus(changed, (given) => {
      const conditions = listOf(given, 'conditions').map(
        filling({ lastTransitionTime: null, ...(textOf(object, 'kind') === 'Deployment' ? { lastUpdateTime: null } : {}) }),
      );
      return { ...filled(given, status), ...(conditions.length === 0 ? {} : { conditions }) };
    });
  };
}

function rolled(strategy: Fields, rolling: Fields): Fields {
  const typed = filled(strategy, { type: 'RollingUpdate' });
  if (typed.type !== 'RollingUpdate') return typed;
  return { ...typed, rollingUpdate: filled(part(typed, 'rollingUpdate'), rolling) };
}

const SELECTS = '`selector` does not match template `labels`';

/** What is wrong with a selector and the template that it should select. */
export function templateProblems(spec: Fields, path: string): Problems {
  const labels = part(part(spec, 'template'), 'metadata').labels;
  const selector = spec.selector as LabelSelector | undefined;
  const isMatch =
    selector !== undefined && matchesLabels(requirementsOf(selector), (labels ?? {}) as Readonly<Record<string, string>>);
  return when(!isMatch, invalidValue(`${path}.template.metadata.labels`, labels ?? null, SELECTS));
}

interface SelectorWords {
  readonly kind: string;
  /** What is said of a selector that can't be read. */
  readonly unreadable: string;
  /** Whether nothing is said of a selector that is missing, beyond that it selects nothing. */
  readonly isSilent?: boolean;
}

function isReadable(selector: unknown): boolean {
  try {
    requirementsOf(selector as LabelSelector);
    return true;
  } catch (error) {
    if (isClustersetError(error)) return false;
    throw error;
  }
}

/** A workload selects its own pods, and runs them for ever. */
function selectionProblems(spec: Fields, { kind, unreadable, isSilent = false }: SelectorWords): Problems {
  const { selector } = spec;
  const given = part(spec, 'selector');
  const isEmpty = selector !== undefined && Object.keys(given).length === 0;
  const missing = selector === undefined && !isSilent ? [required('spec.selector')] : NONE;
  const own = [
    ...missing,
    ...labelSelector('spec.selector', given),
    ...when(isEmpty, invalidValue('spec.selector', given, `empty selector is invalid for ${kind}`)),
  ];
  if (selector !== undefined && !isReadable(selector)) return [...own, invalidValue('spec.selector', selector, unreadable)];
  return [...own, ...(isEmpty ? NONE : templateProblems(spec, 'spec'))];
}

function podProblems(spec: Fields, kind: string): Problems {
  const pod = part(part(spec, 'template'), 'spec');
  const path = 'spec.template.spec';
  return [
    ...podSpecProblems(pod, path),
    ...when(pod.restartPolicy !== 'Always', unsupported(`${path}.restartPolicy`, pod.restartPolicy, ['Always'])),
    ...when(
      pod.activeDeadlineSeconds !== undefined,
      forbiddenField(`${path}.activeDeadlineSeconds`, `activeDeadlineSeconds in ${kind} is not Supported`),
    ),
  ];
}

/** A strategy of no known type, as Go writes it. */
const shownStrategy = (strategy: Fields): Fields => ({ Type: strategy.type, RollingUpdate: null });
const isZero = (value: unknown): boolean => value === 0 || value === '0%';

function deploymentStrategy(strategy: Fields): Problems {
  const path = 'spec.strategy';
  const rolling = part(strategy, 'rollingUpdate');
  if (strategy.type === 'Recreate') {
    const detail = "may not be specified when strategy `type` is 'Recreate'";
    return when(strategy.rollingUpdate !== undefined, forbiddenField(`${path}.rollingUpdate`, detail));
  }
  if (strategy.type !== 'RollingUpdate') return [unsupported(path, shownStrategy(strategy), ['Recreate', 'RollingUpdate'])];
  const { maxUnavailable, maxSurge } = rolling;
  const at = `${path}.rollingUpdate`;
  return [
    ...countOrPercent(`${at}.maxUnavailable`, maxUnavailable),
    ...countOrPercent(`${at}.maxSurge`, maxSurge),
    ...when(
      isZero(maxUnavailable) && isZero(maxSurge),
      invalidValue(`${at}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0'),
    ),
    ...atMostAll(`${at}.maxUnavailable`, maxUnavailable),
  ];
}

function selectorUpdate(object: AnyObject, old: AnyObject | undefined): Problems {
  const { selector } = part(object, 'spec');
  const isOther = old !== undefined && !deepEqual(part(old, 'spec').selector, selector);
  return when(isOther, invalidValue('spec.selector', selector, IMMUTABLE));
}

function statusCounts(status: Fields, ...names: readonly string[]): Problems {
  const all = numberOf(status, 'replicas');
  const detail = 'cannot be greater than status.replicas';
  return [
    ...notNegative('status', status, 'replicas', ...names, 'observedGeneration'),
    ...names.flatMap((name) =>
      when(numberOf(status, name) > all, invalidValue(`status.${name}`, numberOf(status, name), detail)),
    ),
    ...when(
      numberOf(status, 'availableReplicas') > numberOf(status, 'readyReplicas'),
      invalidValue('status.availableReplicas', status.availableReplicas, 'cannot be greater than readyReplicas'),
    ),
  ];
}

function validateDeployment(object: AnyObject, old: AnyObject | undefined): Problems {
  const spec = part(object, 'spec');
  const deadline = numberOf(spec, 'progressDeadlineSeconds');
  return [
    ...notNegative('spec', spec, 'replicas'),
    ...selectionProblems(spec, { kind: 'deployment', unreadable: 'invalid label selector' }),
    ...(isReadable(spec.selector ?? {}) ? podProblems(spec, 'ReplicaSet') : NONE),
    ...deploymentStrategy(part(spec, 'strategy')),
    ...notNegative('spec', spec, 'minReadySeconds', 'revisionHistoryLimit', 'progressDeadlineSeconds'),
    ...when(
      deadline <= numberOf(spec, 'minReadySeconds'),
      invalidValue('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds'),
    ),
    ...selectorUpdate(object, old),
    ...statusCounts(part(object, 'status'), 'updatedReplicas', 'readyReplicas', 'availableReplicas'),
  ];
}

function validateReplicaSet(object: AnyObject, old: AnyObject | undefined): Problems {
  const spec = part(object, 'spec');
  return [
    ...notNegative('spec', spec, 'replicas', 'minReadySeconds'),
    ...selectionProblems(spec, { kind: 'deployment', unreadable: 'invalid label selector' }),
    ...(isReadable(spec.selector ?? {}) ? podProblems(spec, 'ReplicaSet') : NONE),
    ...selectorUpdate(object, old),
    ...statusCounts(part(object, 'status'), 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'),
  ];
}

const CHANGEABLE =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
const LASTING = ['selector', 'serviceName', 'podManagementPolicy', 'volumeClaimTemplates'];

/** The volumes of a template, with those that claims bring. */
function withClaims(spec: Fields): Fields {
  const claims = listOf(spec, 'volumeClaimTemplates').map((claim) => textOf(part(claim, 'metadata'), 'name'));
  const template = part(spec, 'template');
  const pod = part(template, 'spec');
  const own = listOf(pod, 'volumes').filter((volume) => !claims.includes(textOf(volume, 'name')));
  const brought = claims.map((name) => ({ name, persistentVolumeClaim: { claimName: name } }));
  return { ...spec, template: { ...template, spec: { ...pod, volumes: [...brought, ...own] } } };
}

function validateStatefulSet(object: AnyObject, old: AnyObject | undefined): Problems {
  const spec = part(object, 'spec');
  const { type } = part(spec, 'updateStrategy');
  const policy = textOf(spec, 'podManagementPolicy');
  const before = old === undefined ? spec : part(old, 'spec');
  const name = textOf(spec, 'serviceName');
  return [
    ...when(
      policy !== 'OrderedReady' && policy !== 'Parallel',
      invalidValue('spec.podManagementPolicy', policy, "must be 'OrderedReady' or 'Parallel'"),
    ),
    ...when(
      type !== 'RollingUpdate' && type !== 'OnDelete',
      invalidValue('spec.updateStrategy', shownStrategy(part(spec, 'updateStrategy')), "must be 'RollingUpdate' or 'OnDelete'"),
    ),
    ...notNegative('spec', spec, 'replicas', 'minReadySeconds'),
    ...notNegative('spec.ordinals', part(spec, 'ordinals'), 'start'),
    ...(old === undefined && name !== '' ? dnsLabel('spec.serviceName', name) : NONE),
    ...selectionProblems(spec, { kind: 'statefulset', unreadable: '' }),
    ...(isReadable(spec.selector ?? {}) ? podProblems(withClaims(spec), 'StatefulSet') : NONE),
    ...when(
      LASTING.some((field) => !deepEqual(spec[field], before[field])),
      forbiddenField('spec', CHANGEABLE),
    ),
  ];
}

function daemonSetStrategy(strategy: Fields): Problems {
  if (strategy.type === 'OnDelete') return NONE;
  const path = 'spec.updateStrategy';
  if (strategy.type !== 'RollingUpdate') return [unsupported(path, shownStrategy(strategy), ['RollingUpdate', 'OnDelete'])];
  const { maxUnavailable, maxSurge } = part(strategy, 'rollingUpdate');
  const at = `${path}.rollingUpdate`;
  const [noneDown, noneMore] = [isZero(maxUnavailable), isZero(maxSurge)];
  return [
    ...countOrPercent(`${at}.maxUnavailable`, maxUnavailable),
    ...countOrPercent(`${at}.maxSurge`, maxSurge),
    ...atMostAll(`${at}.maxUnavailable`, maxUnavailable),
    ...atMostAll(`${at}.maxSurge`, maxSurge),
    ...when(!noneDown && !noneMore, invalidValue(`${at}.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero')),
    ...when(noneDown && noneMore, required(`${at}.maxUnavailable`, 'cannot be 0 when maxSurge is 0')),
  ];
}

function validateDaemonSet(object: AnyObject, old: AnyObject | undefined): Problems {
  const spec = part(object, 'spec');
  return [
    ...selectorUpdate(object, old),
    ...selectionProblems(spec, { kind: 'daemonset', unreadable: '', isSilent: true }),
    ...podProblems(spec, 'DaemonSet'),
    ...notNegative('spec', spec, 'minReadySeconds'),
    ...daemonSetStrategy(part(spec, 'updateStrategy')),
    ...notNegative('spec', spec, 'revisionHistoryLimit'),
  ];
}

const GENERATION = 'deprecated.daemonset.template.generation';

/** How often the template has changed, kept for clients from before v1. */
function withTemplateGeneration(object: AnyObject, generation: number): AnyObject {
  const annotations = { ...object.metadata.annotations, [GENERATION]: String(generation) };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

const deploymentDefaults = defaultsOf({
  spec: { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 },
  strategy: { field: 'strategy', rolling: { maxUnavailable: '25%', maxSurge: '25%' } },
});

const POINTERS: ReadonlySet<string> = new Set(['collisionCount', 'terminatingReplicas']);

/** Most counts of a Deployment are left out where they are 0. */
function withoutZeros(object: AnyObject): AnyObject {
  if (object.status === undefined) return object;
  const isKept = ([name, value]: [string, unknown]): boolean => value !== 0 || POINTERS.has(name);
  return { ...object, status: Object.fromEntries(Object.entries(part(object, 'status')).filter(isKept)) };
}

export const deployment: Kind = {
  defaults: (object) => withoutZeros(deploymentDefaults(object)),
  validate: validateDeployment,
};

const NO_REPLICAS = { replicas: 0 };

export const replicaSet: Kind = {
  defaults: defaultsOf({ spec: { replicas: 1 }, status: NO_REPLICAS }),
  prepareCreate: (object) => ({ ...object, status: NO_REPLICAS }),
  validate: validateReplicaSet,
};

const NO_STATEFUL = { replicas: 0, availableReplicas: 0 };
const RETAINED = { whenDeleted: 'Retain', whenScaled: 'Retain' };
const statefulDefaults = defaultsOf({
  spec: {
    replicas: 1,
    podManagementPolicy: 'OrderedReady',
    revisionHistoryLimit: 10,
    persistentVolumeClaimRetentionPolicy: {},
  },
  strategy: { field: 'updateStrategy', rolling: { partition: 0 } },
  status: NO_STATEFUL,
});

/** The name of a service is written even where there is none, and belongs to nobody then. */
const named = (object: AnyObject): AnyObject => withSpec(object, filling({ serviceName: '' }));

export const statefulSet: Kind = {
  defaults: (object) =>
    withSpec(statefulDefaults(object), (spec) => {
      const claims = listOf(spec, 'volumeClaimTemplates').map(claimTemplate);
      return {
        ...inside(spec, { persistentVolumeClaimRetentionPolicy: filling(RETAINED) }),
        ...(claims.length === 0 ? {} : { volumeClaimTemplates: claims }),
      };
    }),
  prepareCreate: (object) => ({ ...named(object), status: NO_STATEFUL }),
  prepareUpdate: named,
  validate: validateStatefulSet,
};

const NO_DAEMONS = { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 };

const daemonDefaults = defaultsOf({
  spec: { revisionHistoryLimit: 10 },
  strategy: { field: 'updateStrategy', rolling: { maxUnavailable: 1, maxSurge: 0 } },
  status: NO_DAEMONS,
});

export const daemonSet: Kind = {
  defaults: (object) => withTemplateGeneration(daemonDefaults(object), Number(object.metadata.annotations?.[GENERATION] ?? 1)),
  prepareCreate: (object) => withTemplateGeneration({ ...object, status: NO_DAEMONS }, 1),
  prepareUpdate: (object, old) => {
    const before = Number(old.metadata.annotations?.[GENERATION] ?? 0);
    const isOther = !deepEqual(part(object, 'spec').template, part(old, 'spec').template);
    return withTemplateGeneration(object, isOther ? before + 1 : before);
  },
  validate: validateDaemonSet,
};
