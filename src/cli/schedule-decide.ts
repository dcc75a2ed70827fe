import type { Issue } from '../kube/index.ts';
import {
  checkPolicy,
  diffDecisions,
  type FleetSnapshot,
  PlacementPolicy,
  type PlacementPolicySpec,
  type ScheduleDecision,
  type ScheduleInput,
  type SnapshotInput,
  schedule,
  snapshotInput,
} from '../scheduling/index.ts';
import { CommandFailure } from './failure.ts';
import { type FileDocument, type GivenFleet, problemIn, problemsOf } from './schedule-documents.ts';
import { type ByCluster, type Change, changedPolicy, isChange, unknownNames } from './schedule-options.ts';
import { type GivenPolicy, namedClusters, unknownClusters } from './schedule-policy.ts';
import type { ScheduleReport } from './schedule-report.ts';

/** What a decision takes beside a policy and a fleet. */
export interface DecideOptions extends Change {
  readonly current?: ByCluster;
  /** RFC 3339. */
  readonly now: string;
  readonly explain: boolean;
}

/** A decision, or why there is none; and what is worth knowing in either case. */
export type Decided = { readonly notes: readonly string[] } & (
  | { readonly report: ScheduleReport }
  | { readonly problems: readonly string[] }
);

type Fleet = Pick<FleetSnapshot, 'clusters' | 'workloads'>;

/** Decides by one policy. @throws CommandFailure where an option names no cluster of the fleet. */
export function decide(given: GivenPolicy, fleet: GivenFleet | undefined, options: DecideOptions): Decided {
  const { document, workload } = given;
  const snapshot = fleet?.snapshot ?? { clusters: namedClusters(given.policy).map((name) => ({ name })) };
  if (snapshot.clusters.length === 0) {
    const message = 'names no clusters, and there is no fleet';
    return refused(document, given.notes, 'spec', message, 'give the fleet with --fleet');
  }
  const known = new Set(snapshot.clusters.map(({ name }) => name));
  const notes = [
    ...given.notes,
    ...notesOn(given, fleet, snapshot),
    ...(fleet === undefined ? [] : unknownClusters(given, known)),
  ];
  const unknown = unknownNames(options, known);
  if (unknown.length > 0) throw new CommandFailure(unknown);
  const total = given.policy.replicas ?? workload.replicas;
  if (isDivided(given.policy) && total === undefined && options.replicas === undefined) {
    const message = 'is missing, and nothing else says how many replicas there are';
    return refused(document, notes, 'spec.replicas', message, 'say it, use --replicas, or give the file of the workload with -f');
  }
  // Where nothing else says how many replicas there are, the option does, and changes nothing.
  const { replicas, ...others } = options;
  const isTold = total === undefined && replicas !== undefined;
  const policy = isTold ? changedPolicy(given.policy, { replicas }) : given.policy;
  const change: Change = isTold ? others : options;
  const nonsense = nonsenseIn(policy, change);
  if (nonsense.length > 0) return { notes, problems: nonsense.map((issue) => problemIn(document, issue)) };
  try {
    return { notes, report: reportOf({ ...given, policy }, snapshot, change, options) };
  } catch (error) {
    return { notes, problems: problemsOf(document, error) };
  }
}

function isDivided({ division }: PlacementPolicySpec): boolean {
  return (division?.type ?? 'Duplicated') !== 'Duplicated';
}

function refused(document: FileDocument, notes: readonly string[], field: string, message: string, mend: string): Decided {
  return { notes, problems: [problemIn(document, { field, message, mend })] };
}

function notesOn({ document, hasWorkload }: GivenPolicy, fleet: GivenFleet | undefined, { clusters }: Fleet): readonly string[] {
  const names = clusters.map(({ name }) => name).join(', ');
  const noFleet = {
    field: 'spec',
    message: `there is no fleet: decided for the clusters that the policy names, ${names}`,
    mend: 'give the fleet with --fleet',
  };
  const hasRoom = clusters.some(({ summary, nodes }) => summary !== undefined || nodes !== undefined);
  const noRoom = {
    field: 'spec.workload',
    message: 'what a replica asks for is not known, so it is not known either how many fit',
    mend: 'give the file of the workload with -f',
  };
  return [
    ...(fleet === undefined ? [problemIn(document, noFleet)] : []),
    ...(hasRoom && !hasWorkload ? [problemIn(document, noRoom)] : []),
  ];
}

/** What the options would make wrong of a policy that is good. */
function nonsenseIn(policy: PlacementPolicySpec, change: Change): readonly Issue[] {
  const before = new Set(issuesOf(policy).map(({ field, message }) => `${field}: ${message}`));
  const added = issuesOf(changedPolicy(policy, change)).filter(({ field, message }) => !before.has(`${field}: ${message}`));
  return added.map((issue) => ({ ...issue, message: `${issue.message} (with these options)` }));
}

function issuesOf(spec: PlacementPolicySpec): readonly Issue[] {
  const { group, version, kind } = PlacementPolicy;
  return checkPolicy({ apiVersion: `${group}/${version}`, kind, metadata: { name: 'policy' }, spec });
}

function reportOf(given: GivenPolicy, snapshot: Fleet, change: Change, options: DecideOptions): ScheduleReport {
  const { policy, workload, replica } = given;
  const { now, explain, current } = options;
  const input = snapshotInput(snapshot, workload, {
    ...(replica === undefined ? {} : { replica }),
    ...(current === undefined ? {} : { current }),
  });
  const decision = schedule({ policy, workload, ...input, now }, { explain });
  const isDuplicated = !isDivided(policy);
  if (!isChange(change)) return { decision, isDuplicated };
  const then = { policy: changedPolicy(policy, change), workload, ...afterwards(input, decision, change), now };
  const after = schedule(then, { explain });
  return { decision: after, before: decision, diff: diffDecisions(decision, after), isDuplicated };
}

/** The fleet once the first decision is carried out: what it has placed runs, and has taken of the room. */
function afterwards(
  input: SnapshotInput,
  { clusters, group }: ScheduleDecision,
  { without = [] }: Change,
): Omit<ScheduleInput, 'policy' | 'workload'> {
  const placed = new Map(
    clusters.filter(({ outcome }) => outcome === 'Placed').map(({ cluster, replicas }) => [cluster, replicas]),
  );
  const room = [...input.room].map(([name, more]): [string, number] => {
    const all = more + (input.current.get(name) ?? 0);
    return [name, Math.max(0, all - (placed.get(name) ?? 0))];
  });
  return {
    ...input,
    clusters: input.clusters.filter(({ name }) => !without.includes(name)),
    current: placed,
    room: new Map(room),
    ordinals: new Map(
      clusters.flatMap(({ cluster, ordinals }) => (ordinals === undefined ? [] : [[cluster, ordinals] as const])),
    ),
    ...(group === undefined ? {} : { previousGroup: group }),
  };
}
