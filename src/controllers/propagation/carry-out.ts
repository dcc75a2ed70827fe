import type { Step, StepResult } from '../../federation/index.ts';
import { type Cluster, ClustersetError, hasCode } from '../../kube/index.ts';
import { type Clock, sleep, systemClock } from '../../runtime/index.ts';
import { executeStep } from './execute.ts';
import type { FleetMember, ObjectPlan } from './fleet-plan.ts';

/** What {@link carryOut} takes beside the plan. */
export interface CarryOutOptions {
  readonly members: readonly FleetMember[];
  readonly fieldManager: string;
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
  /** Is told of every step that is done or has failed. */
  readonly onResult?: (result: StepResult) => void;
}

/** How long a step waits for what an earlier step of the same plan has brought: a namespace, a definition. */
const PATIENCE_MS = 15_000;
const POLL_MS = 200;

/**
 * Carries out the steps of a plan: each cluster by itself, in the order of the plan, and on to the next step where one has failed. Returns what
 * became of every step.
 */
export async function carryOut(plans: readonly ObjectPlan[], options: CarryOutOptions): Promise<readonly StepResult[]> {
  const steps = plans.flatMap((plan) => plan.steps);
  const results = await Promise.all(
    options.members.map(({ entry, cluster }) =>
      carryOutIn(
        cluster,
        steps.filter((step) => step.cluster === entry.name),
        options,
      ),
    ),
  );
  return results.flat();
}

async function carryOutIn(
  cluster: Cluster | undefined,
  steps: readonly Step[],
  options: CarryOutOptions,
): Promise<readonly StepResult[]> {
  const results: StepResult[] = [];
  const brings = new Set(steps.filter(({ op }) => op === 'create').map(({ type }) => type.kind));
  for (const step of steps) {
    const result = cluster === undefined ? withoutCluster(step) : await patiently(cluster, step, brings, options);
    options.onResult?.(result);
    results.push(result);
  }
  return results;
}

function withoutCluster(step: Step): StepResult {
  const error = new ClustersetError({
    code: 'UnknownCluster',
    message: 'there is no way to this cluster',
    cluster: step.cluster,
  });
  return { step, error };
}

/** Waits for what the plan itself brings; for anything else there is no use in waiting. */
async function patiently(
  cluster: Cluster,
  step: Step,
  brings: ReadonlySet<string>,
  options: CarryOutOptions,
): Promise<StepResult> {
  const { clock = systemClock, fieldManager, signal } = options;
  const deadline = clock.monotonic() + PATIENCE_MS;
  for (;;) {
    const result = await executeStep(cluster, step, { fieldManager, ...(signal === undefined ? {} : { signal }) });
    const isOnItsWay =
      (hasCode(result.error, 'NotServed') && brings.has('CustomResourceDefinition')) ||
      (hasCode(result.error, 'NotFound') && brings.has('Namespace'));
    if (!isOnItsWay || clock.monotonic() > deadline) return result;
    await sleep(clock, POLL_MS, signal);
  }
}
