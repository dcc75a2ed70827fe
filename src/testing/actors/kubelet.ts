import { type AnyObject, type Condition, deepEqual, findCondition, setCondition } from '../../kube/plain/index.ts';
import { timestamp } from '../../runtime/time/index.ts';
import { type Fields, listOf, part } from '../kinds/kind.ts';
import { conditionsOf, isTerminal, numberIn, phaseOf, specOf, statusOf, textIn } from './pod-facts.ts';

/** What the containers of a pod do, once it has a node. */
export type PodBehaviour = 'Run' | 'NeverReady' | 'CrashLoop' | 'ImageError' | 'Complete' | 'Fail';

/** The annotation of a pod (or of the template that it is made from) that says how it behaves. */
export const SIMULATE = 'clusterset.dev/simulate';

const BEHAVIOURS: ReadonlySet<string> = new Set(['Run', 'NeverReady', 'CrashLoop', 'ImageError', 'Complete', 'Fail']);

/** What a pod's annotation asks for. Pods of Jobs complete, others run. */
export function behaviourOf(pod: AnyObject): PodBehaviour {
  const asked = pod.metadata.annotations?.[SIMULATE];
  if (asked !== undefined && BEHAVIOURS.has(asked)) return asked as PodBehaviour;
  return pod.metadata.ownerReferences?.some(({ kind }) => kind === 'Job') ? 'Complete' : 'Run';
}

/** What the kubelet goes by. Times are in milliseconds. */
export interface KubeletFacts {
  readonly behaviour: PodBehaviour;
  /** Since the pod came to its node, or last changed there. */
  readonly elapsed: number;
  /** From its coming to its containers' running. */
  readonly startMs: number;
  /** From then to the end of containers that end. */
  readonly runMs: number;
  readonly podIp: string;
  readonly hostIp: string;
  readonly now: number;
}

/** A new status of a pod, and when to look again. */
export interface PodStep {
  readonly status?: Fields;
  readonly againInMs?: number | undefined;
}

const SECOND = 1000;
const FIRST_BACKOFF = 10 * SECOND;
const LONGEST_BACKOFF = 300 * SECOND;

/** What the kubelet does next about a pod on its node: containers are created, run, become ready, fail and end (API: core/v1 PodStatus). */
export function runPod(pod: AnyObject, facts: KubeletFacts): PodStep {
  if (isTerminal(pod)) return {};
  const containers = listOf(statusOf(pod), 'containerStatuses');
  if (containers.length === 0) return { status: creating(pod, facts), againInMs: facts.startMs };
  const isCreating = containers.some((each) => waitingReason(each) === 'ContainerCreating');
  const left = facts.startMs - facts.elapsed;
  if (isCreating && left > 0) return { againInMs: left };
  return stage(pod, facts);
}

function stage(pod: AnyObject, facts: KubeletFacts): PodStep {
  const { behaviour } = facts;
  switch (behaviour) {
    case 'Run':
      return unlessSame(pod, running(pod, facts, true));
    case 'NeverReady':
      return unlessSame(pod, running(pod, facts, false));
    case 'ImageError':
      return unlessSame(pod, pulling(pod, facts));
    case 'CrashLoop':
      return crashing(pod, facts, 1);
    case 'Complete':
    case 'Fail':
      return ending(pod, facts, behaviour === 'Fail' ? 1 : 0);
    default:
      return behaviour satisfies never;
  }
}

function unlessSame(pod: AnyObject, status: Fields): PodStep {
  return deepEqual(status, statusOf(pod)) ? {} : { status };
}

const waitingReason = (container: Fields): string => textIn(part(part(container, 'state'), 'waiting'), 'reason');
const isRunning = (container: Fields): boolean => part(container, 'state').running !== undefined;

/** The status with its containers, and the conditions that follow from them. */
function statusWith(pod: AnyObject, facts: KubeletFacts, phase: string, statuses: readonly Fields[], isStarted = true): Fields {
  const { now, podIp, hostIp } = facts;
  const before = statusOf(pod);
  const { podIP: _p, podIPs: _ps, ...rest } = before;
  const unready = statuses.filter(({ ready }) => ready !== true).map((each) => textIn(each, 'name'));
  const hasEnded = phase === 'Succeeded' || phase === 'Failed';
  const isReady = unready.length === 0 && !hasEnded;
  const why = phase === 'Succeeded' ? { reason: 'PodCompleted' } : unreadyReason(phase, unready);
  const gates = listOf(specOf(pod), 'readinessGates').every(
    ({ conditionType }) => findCondition(conditionsOf(pod), String(conditionType))?.status === 'True',
  );
  const condition = (type: string, isTrue: boolean, more: Partial<Condition> = {}): Condition => ({
    type,
    status: isTrue ? 'True' : 'False',
    ...(isTrue ? {} : more),
  });
  const notGated = { reason: 'ReadinessGatesNotReady', message: 'not all readiness gates of the pod are True' };
  const conditions = [
    condition('PodReadyToStartContainers', isStarted && !hasEnded),
    { ...condition('Initialized', true), ...(phase === 'Succeeded' ? why : {}) },
    condition('Ready', isReady && gates, isReady ? notGated : why),
    condition('ContainersReady', isReady, why),
  ].reduce((list, next) => setCondition(list, next, timestamp(now)), conditionsOf(pod));
  const inits = listOf(specOf(pod), 'initContainers').map((each) => initStatus(each, now));
  const known = listOf(before, 'initContainerStatuses');
  return {
    ...rest,
    phase,
    conditions,
    hostIP: hostIp,
    hostIPs: [{ ip: hostIp }],
    ...(isStarted ? { podIP: podIp, podIPs: [{ ip: podIp }] } : {}),
    startTime: textIn(before, 'startTime') || timestamp(now),
    ...(inits.length === 0 || !isStarted ? {} : { initContainerStatuses: known.length > 0 ? known : inits }),
    containerStatuses: statuses,
  };
}

function unreadyReason(phase: string, unready: readonly string[]): Partial<Condition> {
  if (phase === 'Failed') return { reason: 'PodFailed' };
  return { reason: 'ContainersNotReady', message: `containers with unready status: [${unready.join(' ')}]` };
}

function initStatus(container: Fields, now: number): Fields {
  const time = timestamp(now);
  const isSidecar = container.restartPolicy === 'Always';
  const state = isSidecar
    ? { running: { startedAt: time } }
    : { terminated: { exitCode: 0, reason: 'Completed', startedAt: time, finishedAt: time } };
  return { ...identity(container), ready: true, restartCount: 0, started: isSidecar, state };
}

function identity(container: Fields): Fields {
  return { name: textIn(container, 'name'), image: textIn(container, 'image'), imageID: '' };
}

const containersOf = (pod: AnyObject): readonly Fields[] => listOf(specOf(pod), 'containers');

function knownStatus(pod: AnyObject, container: Fields): Fields {
  return listOf(statusOf(pod), 'containerStatuses').find(({ name }) => name === container.name) ?? {};
}

/** The status of a container in a state, with what stays of its former life. */
function containerStatus(pod: AnyObject, container: Fields, ready: boolean, state: Fields, more: Fields = {}): Fields {
  const { lastState = {}, restartCount = 0 } = knownStatus(pod, container);
  return { ...identity(container), ready, started: state.running !== undefined, restartCount, lastState, state, ...more };
}

function creating(pod: AnyObject, facts: KubeletFacts): Fields {
  const state = { waiting: { reason: 'ContainerCreating' } };
  const statuses = containersOf(pod).map((each) => containerStatus(pod, each, false, state));
  return statusWith(pod, facts, 'Pending', statuses, false);
}

function running(pod: AnyObject, facts: KubeletFacts, ready: boolean): Fields {
  const statuses = containersOf(pod).map((each) => {
    const before = knownStatus(pod, each);
    const state = isRunning(before) ? part(before, 'state') : { running: { startedAt: timestamp(facts.now) } };
    return containerStatus(pod, each, ready, state);
  });
  return statusWith(pod, facts, 'Running', statuses);
}

function pulling(pod: AnyObject, facts: KubeletFacts): Fields {
  const statuses = containersOf(pod).map((each) => {
    const message = `Back-off pulling image "${textIn(each, 'image')}"`;
    return containerStatus(pod, each, false, { waiting: { reason: 'ImagePullBackOff', message } });
  });
  return statusWith(pod, facts, phaseOf(pod) === 'Running' ? 'Running' : 'Pending', statuses);
}

/** Each restart ends at once; the time to the next one doubles. */
function crashing(pod: AnyObject, facts: KubeletFacts, exitCode: number): PodStep {
  const containers = containersOf(pod);
  const restarts = Math.max(0, ...containers.map((each) => numberIn(knownStatus(pod, each), 'restartCount')));
  const isBackingOff = containers.some((each) => waitingReason(knownStatus(pod, each)) === 'CrashLoopBackOff');
  const wait = (times: number): number => Math.min(FIRST_BACKOFF * 2 ** Math.max(0, times - 1), LONGEST_BACKOFF);
  if (isBackingOff && facts.elapsed < wait(restarts)) return { againInMs: wait(restarts) - facts.elapsed };
  const time = timestamp(facts.now);
  const count = restarts + 1;
  const { name, namespace = '', uid = '' } = pod.metadata;
  const statuses = containers.map((each) => {
    const backoff = `back-off ${duration(wait(count))} restarting failed container=${textIn(each, 'name')} pod=${name}_${namespace}(${uid})`;
    const terminated = { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error', startedAt: time, finishedAt: time };
    const state = { waiting: { reason: 'CrashLoopBackOff', message: backoff } };
    return containerStatus(pod, each, false, state, { restartCount: count, lastState: { terminated } });
  });
  return { status: statusWith(pod, facts, 'Running', statuses), againInMs: wait(count) };
}

/** As Go prints it: `40s`, `1m20s`. */
function duration(ms: number): string {
  const seconds = Math.round(ms / SECOND);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}

/** Containers run for a while and end. Where they are restarted whenever they end, or fail, the pod goes on. */
function ending(pod: AnyObject, facts: KubeletFacts, exitCode: number): PodStep {
  const { restartPolicy } = specOf(pod);
  const isUp = containersOf(pod).every((each) => isRunning(knownStatus(pod, each)));
  const isBackingOff = listOf(statusOf(pod), 'containerStatuses').some((each) => waitingReason(each) === 'CrashLoopBackOff');
  if (!isUp && !isBackingOff) return { status: running(pod, facts, true), againInMs: facts.runMs };
  if (isUp && facts.elapsed < facts.runMs) return { againInMs: facts.runMs - facts.elapsed };
  if (restartPolicy === 'Always' || (restartPolicy === 'OnFailure' && exitCode !== 0)) return crashing(pod, facts, exitCode);
  const time = timestamp(facts.now);
  const statuses = containersOf(pod).map((each) => {
    const startedAt = textIn(part(part(knownStatus(pod, each), 'state'), 'running'), 'startedAt') || time;
    const terminated = { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error', startedAt, finishedAt: time };
    return containerStatus(pod, each, false, { terminated });
  });
  return { status: statusWith(pod, facts, exitCode === 0 ? 'Succeeded' : 'Failed', statuses) };
}
