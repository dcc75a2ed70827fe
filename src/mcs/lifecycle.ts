import { ClustersetError, compareText, deepEqual } from '../kube/index.ts';
import type { ServiceImport } from './api.ts';
import { type ExportedService, timeOf } from './merge/exports.ts';

/**
 * What a cluster said of its export of one service.
 *
 * - `export`: here it is. `nothing`: its list holds no such export. That is believed only where the list was complete (`isSynced`) and the
 *   cluster serves the type (`isServed`): an exporter that couldn't read its own exports looks just as empty (Cilium issue 47793).
 * - `alive`: the link works, and nothing was said of this export. `silent`: no answer.
 * - `left`: whoever keeps the list of clusters says that it is no member any more.
 */
export type ClusterAnswer =
  | { readonly answer: 'export'; readonly export: ExportedService }
  | { readonly answer: 'nothing'; readonly isSynced: boolean; readonly isServed: boolean }
  | { readonly answer: 'alive' }
  | { readonly answer: 'silent' }
  | { readonly answer: 'left' };

/** An answer, of whom, and when. */
export type ClusterObservation = ClusterAnswer & {
  readonly cluster: string;
  /** When the cluster was last known to be alive, RFC 3339: for example `renewTime` of its Lease. Default: now, but for `silent` and `left`. */
  readonly at?: string;
};

/**
 * Whether a cluster's export counts.
 *
 * - `exported`: the cluster said so last. `unexported`, `left`: confirmed, and it doesn't count.
 * - `unknown`: the cluster can't be read. What it last exported, if anything is known, goes on counting.
 */
export type ClusterStanding = 'exported' | 'unexported' | 'left' | 'unknown';

/** Why a cluster stands where it does. */
export type StandingReason = 'ExportSeen' | 'Unexported' | 'ClusterLeft' | 'NotSynced' | 'NotServed' | 'NoAnswer' | 'NeverRead';

/** One cluster in the state of {@link advanceExports}. */
export interface ClusterState {
  readonly cluster: string;
  readonly standing: ClusterStanding;
  readonly reason: StandingReason;
  /** The last export that was seen; absent where it doesn't count, or was never seen. */
  readonly export?: ExportedService;
  /** When the cluster was last known to be alive, RFC 3339. */
  readonly aliveAt: string;
  /** Whether its endpoints are withdrawn, since its lease ran out. */
  readonly isExpired: boolean;
}

/** What is known of one service between two steps: plain JSON, to be kept anywhere. */
export interface ExportsState {
  /** By cluster. */
  readonly clusters: readonly ClusterState[];
}

/** Nothing is known yet. */
export const NO_EXPORTS: ExportsState = { clusters: [] };

/** What changed for one cluster. */
export type ExportChange =
  /** Its export counts from now on, or is another now. */
  | { readonly op: 'count'; readonly cluster: string; readonly reason: 'ExportSeen' }
  /** Its export, ports and endpoints go. */
  | { readonly op: 'drop'; readonly cluster: string; readonly reason: 'Unexported' | 'ClusterLeft' }
  /** It can't be read: what is known of it stays. */
  | { readonly op: 'hold'; readonly cluster: string; readonly reason: 'NotSynced' | 'NotServed' | 'NoAnswer' | 'NeverRead' }
  /** Its endpoints go; its ports and its part in the type stay. */
  | { readonly op: 'withdraw'; readonly cluster: string; readonly reason: 'LeaseExpired' }
  /** Its endpoints come back. */
  | { readonly op: 'restore'; readonly cluster: string; readonly reason: 'LeaseRenewed' };

/** What should be done with the import. */
export type ImportVerdict =
  /** Merge the exports that count. */
  | { readonly op: 'merge' }
  /** Leave the import as it is: it may be made of exports of which nothing is known now, and a merge would lose them. */
  | { readonly op: 'hold'; readonly reason: 'ClusterUnknown'; readonly clusters: readonly string[] }
  /** There should be none. */
  | { readonly op: 'remove'; readonly reason: 'NoExports' | 'NamespaceMissing' | 'NamespaceTerminating' };

/** What {@link advanceExports} takes beside the state. */
export interface ExportsInput {
  readonly observations: readonly ClusterObservation[];
  /** RFC 3339. */
  readonly now: string;
  /**
   * The import in the importing cluster, where there is one (`null`, as JSON has it, is none): after a restart it tells whose exports have
   * been in it.
   */
  readonly present?: ServiceImport | null | undefined;
  /** The service's namespace in the importing cluster. Default `exists`. */
  readonly namespace?: 'exists' | 'missing' | 'terminating';
  /** How long the endpoints of a cluster stay without a sign of life, in seconds. Default 60. */
  readonly leaseSeconds?: number;
}

/** What {@link advanceExports} returns. */
export interface ExportsStep {
  readonly state: ExportsState;
  /** By cluster. */
  readonly changes: readonly ExportChange[];
  readonly verdict: ImportVerdict;
  /** The exports that count, for `mergeExports`; by cluster. */
  readonly exports: readonly ExportedService[];
  /** Clusters whose endpoints may be offered, by name. */
  readonly endpointsFrom: readonly string[];
  /** When the next lease runs out, RFC 3339: step again then, unless something is seen before. */
  readonly wakeAt?: string;
}

const DEFAULT_LEASE_SECONDS = 60;

/**
 * One step in the life of an exported service, as an importing cluster sees it (KEP-1645, which recommends leases against stale endpoints):
 *
 * - An export counts from when it is seen until its cluster says that it is gone, or until the cluster leaves. Silence changes nothing of
 *   what is exported, and neither does an empty answer of a cluster that hadn't read its exports, or doesn't serve the type.
 * - Without a sign of life for `leaseSeconds` the endpoints of a cluster are withdrawn. Ports and type stay: they would change under
 *   clients in every cluster for a fault of one.
 * - An import that is made of a cluster of which nothing is known (the controller has just started, and the cluster can't be read) is held.
 *   A cluster that isn't a member any more has to be told as `left`, or it is held for good.
 * - Where the namespace is missing, or going, there is nothing: nobody makes namespaces here.
 *
 * The state is plain JSON. The same observations again change nothing.
 *
 * @throws ClustersetError `Invalid` where `now` is no time.
 */
export function advanceExports(state: ExportsState, input: ExportsInput): ExportsStep {
  const now = timeOf(input.now);
  if (now === undefined) {
    throw new ClustersetError({ code: 'Invalid', message: `"${input.now}" is no time in RFC 3339`, field: 'now' });
  }
  const moment = { text: input.now, ms: now };
  const leaseMs = (input.leaseSeconds ?? DEFAULT_LEASE_SECONDS) * 1000;
  const before = new Map(state.clusters.map((cluster) => [cluster.cluster, cluster]));
  const seen = new Map(state.clusters.map((cluster) => [cluster.cluster, withTime(cluster, moment)]));
  for (const observation of input.observations) {
    const { cluster, at } = observation;
    const known = seen.get(cluster) ?? neverRead(cluster, signOf(at, moment) ?? input.now);
    seen.set(cluster, afterAnswer(known, observation, moment));
  }
  for (const cluster of clustersOf(input.present)) {
    if (!seen.has(cluster)) seen.set(cluster, neverRead(cluster, input.now));
  }
  const clusters = [...seen.values()]
    .map((cluster) => withLease(cluster, now, leaseMs))
    .toSorted((a, b) => compareText(a.cluster, b.cluster));
  return {
    state: { clusters },
    changes: clusters.flatMap((cluster) => changesOf(before.get(cluster.cluster), cluster)),
    verdict: verdictOf(clusters, input),
    exports: clusters.flatMap((cluster) => cluster.export ?? []),
    endpointsFrom: clusters.filter((cluster) => !cluster.isExpired && !isOver(cluster)).map(({ cluster }) => cluster),
    ...wakeUp(clusters, leaseMs),
  };
}

interface Moment {
  readonly text: string;
  readonly ms: number;
}

const clustersOf = (present: ServiceImport | null | undefined): readonly string[] =>
  (present?.status?.clusters ?? []).map(({ cluster }) => cluster);

const neverRead = (cluster: string, now: string): ClusterState => ({
  cluster,
  standing: 'unknown',
  reason: 'NeverRead',
  aliveAt: now,
  isExpired: false,
});

/** A time that can't be read, or that is still to come, starts a new lease. */
function withTime(state: ClusterState, now: Moment): ClusterState {
  const aliveAt = timeOf(state.aliveAt);
  return aliveAt === undefined || aliveAt > now.ms ? { ...state, aliveAt: now.text } : state;
}

function afterAnswer(before: ClusterState, observation: ClusterObservation, now: Moment): ClusterState {
  const isSilent = observation.answer === 'silent' || observation.answer === 'left';
  const sign = observation.at === undefined && !isSilent ? now.text : signOf(observation.at, now);
  const alive = { ...before, aliveAt: latest(before.aliveAt, sign) };
  switch (observation.answer) {
    case 'export':
      return { ...alive, standing: 'exported', reason: 'ExportSeen', export: { ...observation.export, cluster: before.cluster } };
    case 'nothing':
      return afterNothing(alive, observation);
    case 'alive':
      return alive;
    case 'silent':
      return afterSilence(alive);
    case 'left':
      return without(alive, 'left', 'ClusterLeft');
    default:
      return observation satisfies never;
  }
}

/** What is confirmed stays so: silence says nothing new. */
function afterSilence(state: ClusterState): ClusterState {
  if (isOver(state)) return state;
  return { ...state, standing: 'unknown', reason: state.reason === 'NeverRead' ? 'NeverRead' : 'NoAnswer' };
}

const isOver = ({ standing }: ClusterState): boolean => standing === 'unexported' || standing === 'left';

function afterNothing(
  alive: ClusterState,
  { isServed, isSynced }: { readonly isServed: boolean; readonly isSynced: boolean },
): ClusterState {
  if (isServed && isSynced) return without(alive, 'unexported', 'Unexported');
  if (isOver(alive)) return alive;
  return { ...alive, standing: 'unknown', reason: isServed ? 'NotSynced' : 'NotServed' };
}

function without(state: ClusterState, standing: 'unexported' | 'left', reason: 'Unexported' | 'ClusterLeft'): ClusterState {
  const { export: _, ...rest } = state;
  return { ...rest, standing, reason };
}

/** A time that can be believed; nobody lives in the future, however wrong clocks are. */
function signOf(said: string | undefined, now: Moment): string | undefined {
  const time = timeOf(said);
  if (time === undefined) return undefined;
  return time > now.ms ? now.text : said;
}

function latest(known: string, sign: string | undefined): string {
  return sign !== undefined && (timeOf(sign) ?? 0) > (timeOf(known) ?? 0) ? sign : known;
}

function withLease(state: ClusterState, now: number, leaseMs: number): ClusterState {
  const isExpired = !isOver(state) && now - (timeOf(state.aliveAt) ?? now) >= leaseMs;
  return isExpired === state.isExpired ? state : { ...state, isExpired };
}

function changesOf(before: ClusterState | undefined, after: ClusterState): readonly ExportChange[] {
  return [...standingChange(before, after), ...leaseChange(before, after)];
}

function standingChange(before: ClusterState | undefined, after: ClusterState): readonly ExportChange[] {
  const { cluster, reason } = after;
  const isSame = before?.reason === reason;
  switch (reason) {
    case 'ExportSeen':
      return isSame && isSameExport(before?.export, after.export) ? [] : [{ op: 'count', cluster, reason }];
    case 'Unexported':
    case 'ClusterLeft':
      return before === undefined || isOver(before) ? [] : [{ op: 'drop', cluster, reason }];
    default:
      return isSame ? [] : [{ op: 'hold', cluster, reason }];
  }
}

/** Whether two versions of an export are the same to other clusters, whatever is said of them. */
function isSameExport(a: ExportedService | undefined, b: ExportedService | undefined): boolean {
  const said = (exported: ExportedService | undefined): unknown => ({
    service: exported?.service ?? undefined,
    export: { ...exported?.export, conditions: undefined, generation: undefined },
  });
  return deepEqual(said(a), said(b));
}

function leaseChange(before: ClusterState | undefined, after: ClusterState): readonly ExportChange[] {
  const { cluster } = after;
  const wasExpired = before?.isExpired ?? false;
  if (wasExpired === after.isExpired || isOver(after)) return [];
  return after.isExpired
    ? [{ op: 'withdraw', cluster, reason: 'LeaseExpired' }]
    : [{ op: 'restore', cluster, reason: 'LeaseRenewed' }];
}

function verdictOf(clusters: readonly ClusterState[], { namespace = 'exists', present }: ExportsInput): ImportVerdict {
  if (namespace === 'missing') return { op: 'remove', reason: 'NamespaceMissing' };
  if (namespace === 'terminating') return { op: 'remove', reason: 'NamespaceTerminating' };
  const counts = clusters.some((cluster) => cluster.export !== undefined);
  const blank = clusters.filter((cluster) => cluster.standing === 'unknown' && cluster.export === undefined);
  const unknown = blank.map(({ cluster }) => cluster);
  if (counts) {
    const members = new Set(clustersOf(present));
    const missed = unknown.filter((cluster) => members.has(cluster));
    return missed.length === 0 ? { op: 'merge' } : { op: 'hold', reason: 'ClusterUnknown', clusters: missed };
  }
  // The last export is gone only when every cluster has said so, not when none has been asked.
  const isConfirmed = unknown.length === 0 && clusters.length > 0;
  if (present === undefined || present === null || isConfirmed) return { op: 'remove', reason: 'NoExports' };
  return { op: 'hold', reason: 'ClusterUnknown', clusters: unknown };
}

/** The latest time that a Date can hold, in milliseconds (ECMA-262, Time Values). */
const LATEST_TIME = 8.64e15;

function wakeUp(clusters: readonly ClusterState[], leaseMs: number): Pick<ExportsStep, 'wakeAt'> {
  const waiting = clusters.filter((state) => !isOver(state) && !state.isExpired);
  const next = Math.min(...waiting.map(({ aliveAt }) => (timeOf(aliveAt) ?? 0) + leaseMs));
  return next <= LATEST_TIME ? { wakeAt: new Date(next).toISOString() } : {};
}
