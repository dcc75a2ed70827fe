import { compareText, type Issue } from '../../kube/index.ts';
import { clustersIn } from './amount.ts';
import type { PlannedWave, WavePhase, WaveStatus, WaveStep, WavesInput, WavesPlan, WaveWait } from './contract.ts';
import { membershipOf } from './membership.ts';
import { type Progress, progressOf, textOf, timeOf } from './progress.ts';

/**
 * What to change now, so that all clusters come to have a revision, wave after wave. It decides from what is seen alone, so that it may be asked
 * at any time, and by somebody else than before:
 *
 * - A wave is done when all of its clusters have the revision and have been ready for `minReadySeconds`, `waitSeconds` have passed since, and
 *   it is approved where it wants to be. Failed clusters, as far as there may be any, don't hold it up. The next wave begins only then.
 * - A cluster that falls back after its wave was done makes that wave not done: later waves go on with nothing new until it is ready again. It
 *   counts as failed once `progressDeadlineSeconds` have passed since it fell back (`unreadySince`), and has to be ready for long enough anew.
 * - Never are more than `maxConcurrency` clusters of a wave not ready because of a change: a ready cluster is only changed where those that are
 *   changing, and those that aren't ready anyway, leave room for it. Clusters that aren't ready anyway come first; new ones break nothing.
 * - A cluster of a later wave that has the revision already is left as it is. Where another revision becomes the desired one, the first wave
 *   begins again; approvals that name a revision count for that one only.
 * - More failures than there may be: nothing more is changed. What has the revision is never changed back.
 *
 * Numbers that make no sense are issues, and count as the most careful ones. Each cluster belongs to exactly one wave; one that doesn't is an
 * issue, and is left alone, while the others go on.
 *
 * @param now RFC 3339. Without it no time passes: what waits for it waits.
 */
export function planWaves<Cluster extends { readonly name: string }>(input: WavesInput<Cluster>, now?: string): WavesPlan {
  const all = input.clusters.toSorted((a, b) => compareText(a.name, b.name));
  const sorted = all.filter(({ name }, index) => index === 0 || all[index - 1]?.name !== name);
  const membership = membershipOf(sorted, input.waves, input.rest ?? false);
  const settings = settingsOf(input, now);
  const rules = { ...settings, revision: input.revision };
  const progress = new Map(sorted.map(({ name }) => [name, progressOf(input.observed.get(name), rules)]));
  const isFailed = (name: string): boolean => progress.get(name)?.state === 'Failed';
  const failed = membership.waves.reduce((sum, { clusters }) => sum + clusters.filter(isFailed).length, 0);
  const isHeld = failed > settings.allowed;
  const waves: WaveStatus[] = [];
  let current: Member<Cluster> | undefined;
  for (const { wave, clusters } of membership.waves) {
    const members = clusters.map((name) => ({ name, progress: progress.get(name) ?? UNKNOWN }));
    const status = statusOf({ wave, members, isOpen: current === undefined, isHeld, input, settings });
    waves.push(status);
    if (current === undefined && status.phase !== 'Done') current = { wave, members, status };
  }
  const mayChange = !isHeld && input.state !== 'Stop';
  const steps = mayChange && current?.status.phase === 'Running' ? stepsOf(current, input.revision) : [];
  const waiting = waitingOf({ input, progress, steps, current: current?.status, isHeld, outside: membership.outside });
  const next = nextTime(progress.values(), waves);
  return {
    steps,
    waiting,
    waves,
    failures: { failed, allowed: settings.allowed },
    done: current === undefined && membership.outside.length === 0,
    ...(next === undefined ? {} : { nextAt: next }),
    issues: [
      ...(sorted.length < all.length ? twice(all) : []),
      ...settings.issues,
      ...membership.issues,
      ...missingTimes(waves, progress, settings),
    ],
  };
}

const UNKNOWN: Progress = { state: 'Pending', isNew: true, isBroken: false };

interface ClusterProgress {
  readonly name: string;
  readonly progress: Progress;
}

interface Member<Cluster> {
  readonly wave: PlannedWave<Cluster>;
  readonly members: readonly ClusterProgress[];
  readonly status: WaveStatus;
}

interface Settings {
  readonly now: number | undefined;
  readonly minReadyMs: number;
  readonly deadlineMs: number | undefined;
  readonly allowed: number;
  readonly issues: readonly Issue[];
}

/** Of clusters that are sorted by name. */
function twice(clusters: readonly { readonly name: string }[]): readonly Issue[] {
  const names = clusters.map(({ name }) => name);
  const found = new Set(names.filter((name, index) => names[index - 1] === name));
  return [...found].map((name) => ({ field: 'clusters', message: `cluster ${name} is there twice`, mend: 'list it once' }));
}

const NUMBERS = 'give a whole number that is not negative';
const AMOUNTS = `${NUMBERS}, or a percentage such as "25%"`;
const isSeconds = (value: number): boolean => Number.isFinite(value) && value >= 0;

function settingsOf<Cluster extends { readonly name: string }>(input: WavesInput<Cluster>, now: string | undefined): Settings {
  const { clusters, waves, maxFailures = 0, minReadySeconds = 0, progressDeadlineSeconds: deadline } = input;
  const issues: Issue[] = [];
  const unless = (isGood: boolean, field: string, value: unknown, mend: string): void => {
    if (!isGood) issues.push({ field, message: `${JSON.stringify(value) ?? 'nothing'} makes no sense here`, mend });
  };
  const allowed = clustersIn(maxFailures, clusters.length);
  unless(allowed !== undefined, 'maxFailures', maxFailures, AMOUNTS);
  unless(isSeconds(minReadySeconds), 'minReadySeconds', minReadySeconds, NUMBERS);
  unless(deadline === undefined || isSeconds(deadline), 'progressDeadlineSeconds', deadline, NUMBERS);
  unless(now === undefined || timeOf(now) !== undefined, 'now', now, 'give a time as in 2026-01-31T12:00:00Z');
  for (const [index, { maxConcurrency = 1, waitSeconds = 0 }] of waves.entries()) {
    const isAmount = maxConcurrency !== 0 && clustersIn(maxConcurrency, 1) !== undefined;
    unless(isAmount, `waves[${index}].maxConcurrency`, maxConcurrency, AMOUNTS.replace('not negative', 'at least 1'));
    unless(isSeconds(waitSeconds), `waves[${index}].waitSeconds`, waitSeconds, NUMBERS);
  }
  return {
    now: timeOf(now),
    minReadyMs: isSeconds(minReadySeconds) ? minReadySeconds * 1000 : Number.POSITIVE_INFINITY,
    deadlineMs: deadline !== undefined && isSeconds(deadline) ? deadline * 1000 : undefined,
    allowed: allowed ?? 0,
    issues,
  };
}

interface StatusInput<Cluster extends { readonly name: string }> {
  readonly wave: PlannedWave<Cluster>;
  readonly members: readonly ClusterProgress[];
  readonly isOpen: boolean;
  readonly isHeld: boolean;
  readonly input: WavesInput<Cluster>;
  readonly settings: Settings;
}

function statusOf<Cluster extends { readonly name: string }>(all: StatusInput<Cluster>): WaveStatus {
  const { wave, members } = all;
  const states = { Pending: 0, Updating: 0, Settling: 0, Failed: 0, Done: 0 };
  for (const { progress } of members) states[progress.state] += 1;
  const counts = {
    pending: states.Pending,
    updating: states.Updating + states.Settling,
    failed: states.Failed,
    done: states.Done,
  };
  const soaked = soakedAt(wave, members);
  const phase = phaseOf(all, counts, soaked);
  const until = phase === 'Soaking' ? textOf(soaked) : undefined;
  const clusters = members.map(({ name }) => name);
  return { name: wave.name, phase, clusters, ...counts, ...(until === undefined ? {} : { until }) };
}

/** When a wave of which all clusters are done has waited long enough; in no time where it doesn't wait, never where that isn't known. */
function soakedAt({ waitSeconds = 0 }: { readonly waitSeconds?: number }, members: readonly ClusterProgress[]): number {
  if (waitSeconds === 0) return Number.NEGATIVE_INFINITY;
  if (!isSeconds(waitSeconds)) return Number.POSITIVE_INFINITY;
  const times = members.map(({ progress }) =>
    progress.state === 'Done' ? (progress.since ?? Number.POSITIVE_INFINITY) : Number.NEGATIVE_INFINITY,
  );
  return times.reduce((last, time) => Math.max(last, time), Number.NEGATIVE_INFINITY) + waitSeconds * 1000;
}

function phaseOf<Cluster extends { readonly name: string }>(
  { wave, members, isOpen, isHeld, input, settings }: StatusInput<Cluster>,
  { pending, updating, failed }: Pick<WaveStatus, 'pending' | 'updating' | 'failed'>,
  soaked: number,
): WavePhase {
  if (!isOpen) return 'Waiting';
  if (members.length === 0) return 'Done';
  const isApproved = (stage: 'Before' | 'After'): boolean =>
    input.approvals?.some(
      (each) => each.wave === wave.name && each.stage === stage && (each.revision ?? input.revision) === input.revision,
    ) ?? false;
  if (pending > 0 && wave.approvalBefore === true && !isApproved('Before')) return 'NeedsApprovalBefore';
  if (pending > 0 || updating > 0 || (isHeld && failed > 0)) return 'Running';
  if (soaked > (settings.now ?? Number.NEGATIVE_INFINITY)) return 'Soaking';
  return wave.approvalAfter === true && !isApproved('After') ? 'NeedsApprovalAfter' : 'Done';
}

/** Clusters that aren't ready anyway first, then as many others as may be not ready beside them. */
function stepsOf<Cluster>({ wave, members, status }: Member<Cluster>, revision: string): readonly WaveStep[] {
  const most = Math.max(1, clustersIn(wave.maxConcurrency ?? 1, members.length) ?? 1);
  const pending = members.flatMap(({ name, progress }) => (progress.state === 'Pending' ? [{ name, ...progress }] : []));
  const broken = pending.filter(({ isBroken }) => isBroken);
  const others = pending.filter(({ isBroken }) => !isBroken);
  const free = Math.max(0, most - status.updating);
  const chosen = [...broken.slice(0, free), ...others.slice(0, Math.max(0, free - broken.length))];
  return chosen
    .sort((a, b) => compareText(a.name, b.name))
    .map(({ name, isNew, isBroken }) => {
      const turn = isBroken ? 'NotReady' : 'ItsTurn';
      return { op: 'update', cluster: name, wave: wave.name, revision, because: isNew ? 'New' : turn };
    });
}

interface WaitingInput {
  readonly input: { readonly state?: 'Run' | 'Stop' };
  readonly progress: ReadonlyMap<string, Progress>;
  readonly steps: readonly WaveStep[];
  readonly current: WaveStatus | undefined;
  readonly isHeld: boolean;
  readonly outside: readonly string[];
}

function waitingOf({ input, progress, steps, current, isHeld, outside }: WaitingInput): ReadonlyMap<string, WaveWait> {
  const left = new Set(outside);
  const begun = new Set(steps.map(({ cluster }) => cluster));
  const inCurrent = new Set(current?.clusters);
  const inTurn = pendingReason(input.state, isHeld, current, true);
  const later = pendingReason(input.state, isHeld, current, false);
  const waiting = new Map<string, WaveWait>();
  for (const [name, each] of progress) {
    if (left.has(name)) waiting.set(name, { reason: 'NotInOneWave' });
    else if (each.state === 'Updating') waiting.set(name, { reason: 'WaitsForReady' });
    else if (each.state === 'Settling') waiting.set(name, { reason: 'WaitsForTime', until: textOf(each.doneAt) });
    else if (each.state === 'Failed') waiting.set(name, { reason: 'Failed' });
    else if (each.state === 'Pending' && !begun.has(name)) waiting.set(name, inCurrent.has(name) ? inTurn : later);
  }
  return waiting;
}

function pendingReason(
  state: 'Run' | 'Stop' | undefined,
  isHeld: boolean,
  current: WaveStatus | undefined,
  isInCurrent: boolean,
): WaveWait {
  if (state === 'Stop') return { reason: 'Stopped' };
  if (isHeld) return { reason: 'TooManyFailures' };
  const { name: wave = '', phase = 'Running', until } = current ?? {};
  if (isInCurrent)
    return phase === 'NeedsApprovalBefore'
      ? { reason: 'WaitsForApproval', wave, stage: 'Before' }
      : { reason: 'OverConcurrency' };
  if (phase === 'Soaking') return { reason: 'WaitsForTime', until };
  return phase === 'NeedsApprovalAfter' ? { reason: 'WaitsForApproval', wave, stage: 'After' } : { reason: 'WaitsForWave', wave };
}

/** The first time at which something is ready for long enough, fails, or has waited long enough: all of them are yet to come. */
function nextTime(progress: Iterable<Progress>, waves: readonly WaveStatus[]): string | undefined {
  let first = Number.POSITIVE_INFINITY;
  for (const each of progress) {
    if (each.state === 'Settling') first = Math.min(first, each.doneAt ?? first);
    else if (each.state === 'Updating') first = Math.min(first, each.failsAt ?? first);
  }
  for (const { until } of waves) first = Math.min(first, timeOf(until) ?? first);
  return textOf(first);
}

/** Clusters that wait for ever, since nobody says since when they are ready. */
function missingTimes(
  waves: readonly WaveStatus[],
  progress: ReadonlyMap<string, Progress>,
  { minReadyMs }: Settings,
): readonly Issue[] {
  const soaking = new Set(
    waves.flatMap(({ phase, until, clusters }) => (phase === 'Soaking' && until === undefined ? clusters : [])),
  );
  const issues: Issue[] = [];
  for (const [name, each] of progress) {
    const isSettling = each.state === 'Settling' && each.doneAt === undefined && Number.isFinite(minReadyMs);
    const isSoaking = each.state === 'Done' && each.since === undefined && soaking.has(name);
    if (!isSettling && !isSoaking) continue;
    const message = 'is needed to know when the cluster has been ready for long enough';
    issues.push({ field: `observed[${name}].readySince`, message, mend: 'say since when it is ready' });
  }
  return issues;
}
