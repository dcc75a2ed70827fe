import {
  type ClusterDecision,
  type Decision,
  decide,
  type FederatedObject,
  type Observed,
  type Prepared,
  planStep,
  replicasOf,
  type Step,
} from '../../federation/index.ts';
import {
  type AnyObject,
  type Cluster,
  deepEqual,
  isAborted,
  isClustersetError,
  keyOf,
  type ObjectKey,
} from '../../kube/index.ts';
import type { ClusterEntry } from '../../registry/index.ts';
import type { ReplicaSchedulingPreference } from '../../scheduling/index.ts';
import { executeStep } from './execute.ts';
import { getInAnyVersion } from './served-version.ts';

/** A member: what is known of it, and the way to it. Without a cluster it is planned for as if it were empty. */
export interface FleetMember {
  readonly entry: ClusterEntry;
  readonly cluster?: Cluster;
}

/** What {@link planFleet} takes. */
export interface FleetPlanInput {
  readonly objects: readonly Prepared[];
  readonly members: readonly FleetMember[];
  readonly preferences?: readonly ReplicaSchedulingPreference[];
  readonly fieldManager: string;
  readonly signal?: AbortSignal;
}

/** What is to be done for one federated object, or what is wrong with it. */
export interface ObjectPlan {
  readonly decision: Decision;
  /** One for each cluster, in their order; none where the object has issues. */
  readonly steps: readonly Step[];
}

/** How many questions are asked of all members at the same time. */
const IN_FLIGHT = 32;

/** Kinds that others depend on come first. */
const FIRST: readonly string[] = ['Namespace', 'CustomResourceDefinition', 'ServiceAccount', 'Secret', 'ConfigMap'];

/**
 * Looks at all members and plans what to do in each, for every object: definitions and namespaces first. Nothing is written; a change is tried
 * as a dry run, so that a plan shows only what a server would really change.
 */
export async function planFleet(input: FleetPlanInput): Promise<readonly ObjectPlan[]> {
  const slots = new Slots(IN_FLIGHT);
  const namespaces = new Map(input.objects.filter(isNamespace).map(({ object }) => [object.metadata.name, object]));
  const plans = await Promise.all(input.objects.map((prepared) => planObject(prepared, input, namespaces, slots)));
  return plans.toSorted((a, b) => rankOf(a) - rankOf(b));
}

function rankOf({ decision }: ObjectPlan): number {
  const rank = FIRST.indexOf(decision.prepared.type.target.kind);
  return rank < 0 ? FIRST.length : rank;
}

function isNamespace({ type }: Prepared): boolean {
  return type.target.kind === 'Namespace' && type.target.group === '';
}

async function planObject(
  prepared: Prepared,
  input: FleetPlanInput,
  namespaces: ReadonlyMap<string, FederatedObject>,
  slots: Slots,
): Promise<ObjectPlan> {
  const observed = new Map(
    await Promise.all(
      input.members.map(
        async (member) => [member.entry.name, await slots.run(() => observe(prepared, member, input.signal))] as const,
      ),
    ),
  );
  const running = new Map(
    [...observed].flatMap(([name, seen]) => {
      const replicas = seen.reachable ? replicasOf(seen.live) : undefined;
      return replicas === undefined ? [] : [[name, replicas] as const];
    }),
  );
  const namespace = namespaces.get(prepared.object.metadata.namespace ?? '');
  const decision = decide({
    prepared,
    clusters: input.members.map(({ entry }) => withReadiness(entry, observed.get(entry.name))),
    running,
    preference: preferenceFor(prepared, input.preferences ?? []),
    // A FederatedNamespace that isn't among the objects may well be elsewhere: that it is missing is no reason to take anything away.
    ...(prepared.type.target.scope === 'Namespaced' && namespace !== undefined ? { namespace } : {}),
  });
  const steps = await Promise.all(
    decision.clusters.map((own) => slots.run(() => planOne(prepared, own, observed.get(own.cluster.name), input))),
  );
  return { decision, steps };
}

function preferenceFor(
  { object, type }: Prepared,
  preferences: readonly ReplicaSchedulingPreference[],
): ReplicaSchedulingPreference | undefined {
  const { namespace, name } = object.metadata;
  return preferences.find(
    ({ metadata, spec }) => metadata.namespace === namespace && metadata.name === name && spec.targetKind === type.federated.kind,
  );
}

/** A cluster that gave no answer takes no replicas. */
function withReadiness(entry: ClusterEntry, observed: Observed | undefined): ClusterEntry {
  if (observed?.reachable !== false) return entry;
  const unready = { type: 'Ready', status: 'False', message: observed.message };
  return { ...entry, conditions: [...(entry.conditions ?? []).filter(({ type }) => type !== 'Ready'), unready] };
}

function targetKey({ object, type }: Prepared): ObjectKey {
  const { name } = object.metadata;
  return type.target.scope === 'Namespaced' ? keyOf(object) : { name };
}

async function observe(prepared: Prepared, { cluster }: FleetMember, signal: AbortSignal | undefined): Promise<Observed> {
  if (cluster === undefined) return { reachable: true, live: undefined };
  try {
    // Without the type there are no objects of it: it may come with this very plan.
    return { reachable: true, live: await getInAnyVersion(cluster, prepared.type.target, targetKey(prepared), signal) };
  } catch (error) {
    if (isAborted(error) || !isClustersetError(error)) throw error;
    return { reachable: false, message: error.detail };
  }
}

async function planOne(
  prepared: Prepared,
  decision: ClusterDecision,
  observed: Observed | undefined,
  input: FleetPlanInput,
): Promise<Step> {
  const { fieldManager, signal, members } = input;
  const step = planStep({ prepared, decision, observed: observed ?? { reachable: true, live: undefined }, fieldManager });
  const cluster = members.find(({ entry }) => entry.name === step.cluster)?.cluster;
  if (step.op !== 'update' || cluster === undefined) return step;
  const tried = await executeStep(cluster, step, { fieldManager, dryRun: true, ...(signal === undefined ? {} : { signal }) });
  const isNoChange = tried.error === undefined && tried.live !== undefined && isSameContent(tried.live, step.live);
  if (!isNoChange) return step;
  const { changes: _c, object: _o, resourceVersion: _r, ...rest } = step;
  return { ...rest, op: 'none' };
}

/** Whether two versions of an object say the same: what the server counts and who wrote last doesn't matter. */
function isSameContent(a: AnyObject, b: AnyObject): boolean {
  const content = ({
    metadata: { managedFields: _m, resourceVersion: _r, generation: _g, ...metadata },
    ...rest
  }: AnyObject): unknown => ({ ...rest, metadata });
  return deepEqual(content(a), content(b));
}

/** Lets a few things run at the same time. */
class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}
