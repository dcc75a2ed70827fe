import { carryOut, type FleetMember, type ObjectPlan, planFleet } from '../controllers/propagation/index.ts';
import type { Prepared, Step, StepResult } from '../federation/index.ts';
import { formatKey, type ObjectReference } from '../kube/index.ts';
import type { ReplicaSchedulingPreference } from '../scheduling/index.ts';
import { FIELD_MANAGER } from './inputs.ts';
import { type State, type StateReport, stateOfResult } from './state-report.ts';
import { until, type WaitOptions } from './wait.ts';

/** What {@link converge} takes. */
export interface ConvergeOptions extends WaitOptions {
  readonly objects: readonly Prepared[];
  readonly members: readonly FleetMember[];
  readonly preferences: readonly ReplicaSchedulingPreference[];
  /** Last first, as is right for deletions. */
  readonly reversed?: boolean;
  /** Is told of every step. */
  readonly onStep?: (result: StepResult) => void;
  /** Is told what is still being waited for. */
  readonly onWait?: (waiting: readonly State[]) => void;
}

/** What members look like in the end. */
export interface Converged {
  readonly report: StateReport;
  /** Whether there was nothing left to wait for, be it for good or bad. */
  readonly inTime: boolean;
}

/**
 * Makes members what plans say, with no host: plans, carries out, looks again, until everything is rolled out or nothing goes on any more.
 */
export async function converge(options: ConvergeOptions): Promise<Converged> {
  const { members, objects, preferences, signal, onStep, onWait } = options;
  const shared = { members, fieldManager: FIELD_MANAGER, signal };
  let report: StateReport = { clusters: members.map(({ entry }) => entry.name), states: [] };
  const finished = await until(async () => {
    const plans = await planFleet({ ...shared, objects, preferences });
    const ordered = options.reversed ? plans.toReversed() : plans;
    const results = await carryOut(ordered, {
      ...shared,
      onResult: (result) => {
        if (result.step.op !== 'none') onStep?.(result);
      },
    });
    // Steps that were ended are no result: nobody wants to read of them.
    signal.throwIfAborted();
    const byPlace = new Map(results.map((result) => [placeOf(result.step), result]));
    const found = ordered.flatMap((plan) => statesIn(plan, byPlace));
    report = { ...report, states: found.map(({ state }) => state).filter((state) => state !== undefined) };
    const waiting = found.filter(({ isUnderWay }) => isUnderWay).flatMap(({ state }) => state ?? []);
    if (found.some(({ isUnderWay }) => isUnderWay)) onWait?.(waiting);
    return found.some(({ isUnderWay }) => isUnderWay) ? undefined : true;
  }, options);
  return { report, inTime: finished === true };
}

interface Found {
  readonly state: State | undefined;
  /** Whether there is more to come. */
  readonly isUnderWay: boolean;
}

function statesIn({ decision, steps }: ObjectPlan, results: ReadonlyMap<string, StepResult>): readonly Found[] {
  const object = targetOf(decision.prepared);
  const why = new Map(
    decision.clusters.map(({ cluster, share, why: said }) => [cluster.name, share === undefined ? undefined : said]),
  );
  return steps.flatMap((step) => {
    const result = results.get(placeOf(step));
    if (result === undefined) return [];
    const [state] = stateOfResult(object, result, why.get(step.cluster));
    const hasWritten = result.error === undefined && !['none', 'blocked'].includes(result.step.op);
    const isMoving = state?.rollout === 'Progressing' || state?.status === 'WaitingForRemoval';
    return [{ state, isUnderWay: hasWritten || isMoving }];
  });
}

/** Says which object in which cluster a step is about. */
function placeOf({ cluster, type, key }: Step): string {
  return [cluster, type.group, type.kind, formatKey(key)].join(' ');
}

/** The object in the members. */
export function targetOf({ object, type }: Prepared): ObjectReference {
  const { namespace, name } = object.metadata;
  return {
    kind: type.target.kind,
    ...(type.target.scope === 'Namespaced' && namespace !== undefined ? { namespace } : {}),
    name,
  };
}
