import { age } from './age.ts';
import { at, type Fields, isTrue, list, number, text } from './fields.ts';

interface Progress {
  readonly reason: string;
  readonly restarts: number;
  readonly lastRestart: string;
  readonly ready: number;
  /** Whether the containers that come first aren't through. */
  readonly initializing: boolean;
}

const state = (status: Fields, name: string): Fields => at(status, 'state', name);
const has = (status: Fields, name: string): boolean => at(status, 'state')[name] !== undefined;
const lastEnd = (status: Fields): string => text(at(status, 'lastState', 'terminated').finishedAt);
const later = (a: string, b: string): string => (Date.parse(b) > (Date.parse(a) || 0) ? b : a);

/** How a container ended: `Error`, `Signal:9`, `ExitCode:1`. */
function ending(terminated: Fields): string {
  if (text(terminated.reason) !== '') return text(terminated.reason);
  return number(terminated.signal) === 0 ? `ExitCode:${number(terminated.exitCode)}` : `Signal:${number(terminated.signal)}`;
}

function initReason(status: Fields, index: number, total: number): string {
  if (has(status, 'terminated')) return `Init:${ending(state(status, 'terminated'))}`;
  const waiting = text(state(status, 'waiting').reason);
  return waiting === '' || waiting === 'PodInitializing' ? `Init:${index}/${total}` : `Init:${waiting}`;
}

/** How far the containers are that come first, and those that stay beside the others. */
function initialProgress(pod: Fields, reason: string): Progress & { readonly beside: { restarts: number; lastRestart: string } } {
  const initial = list(at(pod, 'spec').initContainers);
  const stays = (name: unknown): boolean => initial.some((each) => each.name === name && each.restartPolicy === 'Always');
  const beside = { restarts: 0, lastRestart: '' };
  let progress: Progress = { reason, restarts: 0, lastRestart: '', ready: 0, initializing: false };
  for (const [index, status] of list(at(pod, 'status').initContainerStatuses).entries()) {
    const isBeside = stays(status.name);
    progress = {
      ...progress,
      restarts: progress.restarts + number(status.restartCount),
      lastRestart: later(progress.lastRestart, lastEnd(status)),
    };
    if (isBeside) {
      beside.restarts += number(status.restartCount);
      beside.lastRestart = later(beside.lastRestart, lastEnd(status));
    }
    if (has(status, 'terminated') && number(state(status, 'terminated').exitCode) === 0) continue;
    if (isBeside && status.started === true) {
      progress = { ...progress, ready: progress.ready + (status.ready === true ? 1 : 0) };
      continue;
    }
    return { ...progress, reason: initReason(status, index, initial.length), initializing: true, beside };
  }
  return { ...progress, beside };
}

interface Run {
  readonly reason: string;
  readonly failure: string;
  readonly running: boolean;
  readonly ready: number;
}

function runOf(status: Fields, run: Run): Run {
  const waiting = text(state(status, 'waiting').reason);
  if (waiting !== '') return { ...run, reason: waiting };
  if (has(status, 'terminated')) {
    const terminated = state(status, 'terminated');
    const reason = ending(terminated);
    return { ...run, reason, failure: number(terminated.exitCode) === 0 ? run.failure : reason };
  }
  return status.ready === true && has(status, 'running') ? { ...run, running: true, ready: run.ready + 1 } : run;
}

/** A pod that is done but for some containers goes on. */
function settledReason({ reason, failure, running }: Run, pod: Fields): string {
  if (reason !== 'Completed') return reason;
  if (running && isTrue(pod, 'Ready')) return 'Running';
  if (failure !== '') return failure;
  return running ? 'NotReady' : reason;
}

function progressOf(pod: Fields): Progress {
  const status = at(pod, 'status');
  const isGated = list(status.conditions).some((each) => each.type === 'PodScheduled' && each.reason === 'SchedulingGated');
  const first = isGated ? 'SchedulingGated' : text(status.reason, text(status.phase));
  const initial = initialProgress(pod, first);
  if (initial.initializing && !isTrue(pod, 'Initialized')) return initial;
  let run: Run = { reason: initial.reason, failure: '', running: false, ready: initial.ready };
  let { restarts, lastRestart } = initial.beside;
  for (const each of list(status.containerStatuses).toReversed()) {
    restarts += number(each.restartCount);
    lastRestart = later(lastRestart, lastEnd(each));
    run = runOf(each, run);
  }
  return { ...initial, reason: settledReason(run, pod), restarts, lastRestart, ready: run.ready };
}

function deletedReason(pod: Fields, reason: string): string {
  if (at(pod, 'metadata').deletionTimestamp === undefined) return reason;
  const { reason: why, phase } = at(pod, 'status');
  if (why === 'NodeLost') return 'Unknown';
  return phase === 'Succeeded' || phase === 'Failed' ? reason : 'Terminating';
}

function gates(pod: Fields): string {
  const wanted = list(at(pod, 'spec').readinessGates);
  if (wanted.length === 0) return '<none>';
  return `${wanted.filter((gate) => isTrue(pod, text(gate.conditionType))).length}/${wanted.length}`;
}

/** Ready, Status, Restarts, Age, IP, Node, Nominated Node and Readiness Gates of a pod. */
export function podCells(pod: Fields, now: number): readonly unknown[] {
  const { reason, restarts, lastRestart, ready } = progressOf(pod);
  const spec = at(pod, 'spec');
  const status = at(pod, 'status');
  const beside = list(spec.initContainers).filter((each) => each.restartPolicy === 'Always').length;
  const since = restarts === 0 || lastRestart === '' ? '' : ` (${age(lastRestart, now)} ago)`;
  return [
    `${ready}/${list(spec.containers).length + beside}`,
    deletedReason(pod, reason),
    `${restarts}${since}`,
    age(at(pod, 'metadata').creationTimestamp, now),
    text(list(status.podIPs)[0]?.ip, '<none>'),
    text(spec.nodeName, '<none>'),
    text(status.nominatedNodeName, '<none>'),
    gates(pod),
  ];
}
