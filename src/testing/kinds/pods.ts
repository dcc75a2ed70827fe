import { type AnyObject, deepEqual } from '../../kube/plain/index.ts';
import { forbiddenField, invalidValue } from '../api/failures.ts';
import {
  each,
  type Fields,
  filled,
  filling,
  inside,
  type Kind,
  listOf,
  NO_TIMES,
  part,
  textOf,
  withSpec,
  withStatus,
} from './kind.ts';
import { podSpecProblems } from './pod-spec.ts';
import { containersOf, podDefaults } from './pod-template.ts';
import { type Problems, when } from './problems.ts';

/** How well a pod's containers say what they need decides who goes first when a node has too little. */
function qualityOf(spec: Fields): string {
  const containers = containersOf(spec);
  const amounts = containers.map((container) => {
    const resources = part(container, 'resources');
    return ['cpu', 'memory'].map((name) => [part(resources, 'requests')[name], part(resources, 'limits')[name]] as const);
  });
  const all = amounts.flat();
  const isNothing = all.every(([request, limit]) => request === undefined && limit === undefined);
  if (isNothing) return 'BestEffort';
  return all.every(([request, limit]) => request !== undefined && request === limit) ? 'Guaranteed' : 'Burstable';
}

const TAINTS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];
const TOLERATED_SECONDS = 300;

/** Pods stay for a while on nodes that can't be reached (admission: DefaultTolerationSeconds). */
function withTolerations(spec: Fields): Fields {
  const given = listOf(spec, 'tolerations');
  const covers = (taint: string) => (toleration: Fields) =>
    ['', 'NoExecute'].includes(textOf(toleration, 'effect')) && ['', taint].includes(textOf(toleration, 'key'));
  const added = TAINTS.filter((taint) => !given.some(covers(taint))).map((key) => ({
    key,
    operator: 'Exists',
    effect: 'NoExecute',
    tolerationSeconds: TOLERATED_SECONDS,
  }));
  return added.length === 0 ? spec : { ...spec, tolerations: [...given, ...added] };
}

const ENDED = filling({ startedAt: null, finishedAt: null });
const STATE = { running: filling({ startedAt: null }), terminated: ENDED };

/** What a container's status always says. */
function containerStatus(status: Fields): Fields {
  const base = filled(status, { image: '', imageID: '', lastState: {}, name: '', ready: false, restartCount: 0, state: {} });
  return inside(base, { state: (state) => inside(state, STATE), lastState: (state) => inside(state, STATE) });
}

function statusDefaults(status: Fields): Fields {
  return each(status, {
    conditions: filling(NO_TIMES),
    containerStatuses: containerStatus,
    initContainerStatuses: containerStatus,
    ephemeralContainerStatuses: containerStatus,
  });
}

const GATED = 'Scheduling is blocked due to non-empty scheduling gates';
const UPDATABLE =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

/** What of a pod's spec stays as it is. */
function fixed(spec: Fields): Fields {
  const { activeDeadlineSeconds: _a, tolerations: _t, schedulingGates: _s, ...rest } = spec;
  const bare = (container: Fields): Fields => ({ ...container, image: '' });
  return each(rest, { containers: bare, initContainers: bare });
}

function updateProblems(spec: Fields, before: Fields): Problems {
  for (const name of ['containers', 'initContainers']) {
    if (listOf(spec, name).length !== listOf(before, name).length)
      return [forbiddenField(`spec.${name}`, 'pod updates may not add or remove containers')];
  }
  const tolerations = listOf(spec, 'tolerations');
  const isLess = listOf(before, 'tolerations').some((old) => !tolerations.some((toleration) => deepEqual(toleration, old)));
  const onlyAdded = 'existing toleration can not be modified except its tolerationSeconds';
  return [
    ...when(isLess, forbiddenField('spec.tolerations', onlyAdded)),
    ...when(!deepEqual(fixed(spec), fixed(before)), forbiddenField('spec', UPDATABLE)),
  ];
}

/** Tokens are for accounts. */
function tokenProblems(spec: Fields): Problems {
  if (textOf(spec, 'serviceAccountName') !== '') return [];
  return listOf(spec, 'volumes').flatMap((volume, index) =>
    listOf(part(volume, 'projected'), 'sources').flatMap((source, at) =>
      when(
        source.serviceAccountToken !== undefined,
        forbiddenField(
          `spec.volumes[${index}].projected.sources[${at}].serviceAccountToken`,
          'must not be specified when serviceAccountName is not set',
        ),
      ),
    ),
  );
}

export const pod: Kind = {
  defaults: (object) => inside(withSpec(object, podDefaults) as Fields, { status: statusDefaults }) as unknown as AnyObject,
  prepareCreate: (object, { now }) => {
    const spec = part(object, 'spec');
    const time = { lastProbeTime: null, lastTransitionTime: now() };
    const gated = { ...time, message: GATED, reason: 'SchedulingGated', status: 'False', type: 'PodScheduled' };
    const isGated = listOf(spec, 'schedulingGates').length > 0;
    const seconds = spec.terminationGracePeriodSeconds;
    const admitted = filled(withTolerations(spec), { priority: 0, preemptionPolicy: 'PreemptLowerPriority' });
    return {
      ...object,
      spec: typeof seconds === 'number' && seconds < 0 ? { ...admitted, terminationGracePeriodSeconds: 1 } : admitted,
      status: { ...(isGated ? { conditions: [gated] } : {}), phase: 'Pending', qosClass: qualityOf(spec) },
    };
  },
  prepareUpdate: (object, old) => {
    const before = part(old, 'spec');
    // Tolerations that the server added are kept by whoever doesn't know them.
    return withSpec(object, (spec) =>
      filled(withTolerations(spec), { priority: before.priority, preemptionPolicy: before.preemptionPolicy }),
    );
  },
  prepareStatus: (object, old) => withStatus(object, filling({ qosClass: part(old, 'status').qosClass })),
  validate: (object, old) => {
    const spec = part(object, 'spec');
    const problems = [...podSpecProblems(spec, 'spec'), ...tokenProblems(spec)];
    if (old === undefined) return problems;
    const quality = part(object, 'status').qosClass;
    const isOther = quality !== undefined && part(old, 'status').qosClass !== quality;
    return [
      ...problems,
      ...updateProblems(spec, part(old, 'spec')),
      ...when(isOther, invalidValue('status.qosClass', quality, 'Pod QoS is immutable')),
    ];
  },
};
