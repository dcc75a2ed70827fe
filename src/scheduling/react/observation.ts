import { compareText } from '../../kube/index.ts';

/** What can be wrong with a cluster, as far as one workload goes. */
export type TroubleKind =
  /** Its API server doesn't answer. Pods may run on. */
  | 'Unreachable'
  /** It has a taint that drives the workload out. */
  | 'Tainted'
  /** The workload there is unhealthy. */
  | 'Unhealthy'
  /** Pods find no node. Not the cluster is given up then, but the replicas that don't fit. */
  | 'Unschedulable';

/** What is seen of one cluster now. */
export interface ClusterObservation {
  readonly cluster: string;
  /** Whether its API server answered. Where it didn't, `assigned` and `ready` are what was seen last. */
  readonly reachable: boolean;
  /** Replicas that the workload asks for there; 1 for what has no replicas. Absent: it isn't there, which counts as 0. */
  readonly assigned?: number;
  /** Replicas that are ready. Absent: all, unless the workload is unhealthy. */
  readonly ready?: number;
  /** Pods that find no node at this moment. How long that has been so is kept in the state. Default 0. */
  readonly unschedulable?: number;
  /** Whether the workload does its work there. Absent: not known, which isn't a trouble. */
  readonly healthy?: boolean;
  /**
   * A taint that the workload doesn't tolerate, or only until a time (RFC 3339). `NoExecute` and `NoSelect` drive it out; with
   * `NoSelectIfNew` and `NoSchedule` it keeps what it has and gets no more.
   */
  readonly taint?: {
    readonly effect: 'NoExecute' | 'NoSelect' | 'NoSelectIfNew' | 'NoSchedule';
    readonly until?: string;
  };
}

/** An observation whose numbers are whole, and hang together. */
export interface Sight {
  readonly cluster: string;
  readonly reachable: boolean;
  readonly assigned: number;
  /** Never more than is assigned: pods beyond that are on their way out. 0 where nobody can see them. */
  readonly ready: number;
  readonly unschedulable: number;
  readonly unhealthy: boolean;
  readonly taint: 'Evicts' | 'KeepsOut' | undefined;
  /** When the taint begins to count. */
  readonly taintedFrom: number | undefined;
}

/** By name, one for each cluster. Of several of one name the worst counts, whatever their order. */
export function sightsOf(observations: readonly ClusterObservation[], now: number): readonly Sight[] {
  const all = observations.map((each) => sightOf(each, now)).sort((a, b) => compareText(a.cluster, b.cluster));
  if (all.every(({ cluster }, index) => index === 0 || all[index - 1]?.cluster !== cluster)) return all;
  const sights: Sight[] = [];
  for (const sight of all) {
    const other = sights.at(-1);
    if (other?.cluster === sight.cluster) sights[sights.length - 1] = worst(sight, other);
    else sights.push(sight);
  }
  return sights;
}

const MOST = 2 ** 31 - 1;

function wholeNumber(value: number | undefined, otherwise: number): number {
  if (value === undefined || Number.isNaN(value)) return otherwise;
  return Math.min(MOST, Math.max(0, Math.floor(value)));
}

function sightOf(observation: ClusterObservation, now: number): Sight {
  const { cluster, reachable, healthy, taint } = observation;
  const assigned = wholeNumber(observation.assigned, 0);
  const ready = Math.min(assigned, wholeNumber(observation.ready, healthy === false ? 0 : assigned));
  const from = taint?.until === undefined ? Number.NaN : Date.parse(taint.until);
  const isTolerated = from > now;
  const effect = taint?.effect === 'NoExecute' || taint?.effect === 'NoSelect' ? 'Evicts' : 'KeepsOut';
  return {
    cluster,
    reachable,
    assigned,
    ready: reachable ? ready : 0,
    unschedulable: Math.min(assigned, wholeNumber(observation.unschedulable, 0)),
    unhealthy: healthy === false,
    taint: taint === undefined || isTolerated ? undefined : effect,
    taintedFrom: isTolerated ? from : undefined,
  };
}

function worst(a: Sight, b: Sight): Sight {
  const taints = [a.taint, b.taint];
  const from = Math.min(a.taintedFrom ?? Number.POSITIVE_INFINITY, b.taintedFrom ?? Number.POSITIVE_INFINITY);
  const kept = taints.includes('KeepsOut') ? 'KeepsOut' : undefined;
  return {
    cluster: a.cluster,
    reachable: a.reachable && b.reachable,
    assigned: Math.max(a.assigned, b.assigned),
    ready: Math.min(a.ready, b.ready),
    unschedulable: Math.max(a.unschedulable, b.unschedulable),
    unhealthy: a.unhealthy || b.unhealthy,
    taint: taints.includes('Evicts') ? 'Evicts' : kept,
    taintedFrom: Number.isFinite(from) ? from : undefined,
  };
}
