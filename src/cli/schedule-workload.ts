import { BUILT_IN_FEDERATED_TYPES } from '../federation/index.ts';
import { type AnyObject, builtIn, ClustersetError, isRecord, type LabelSelector, parseApiVersion } from '../kube/index.ts';
import { podRequirements, type ReplicaRequirements, type SchedulingWorkload } from '../scheduling/index.ts';

/** A workload as it is written down: what is scheduled, and what one replica of it asks for. */
export interface GivenWorkload {
  readonly workload: SchedulingWorkload;
  /** Absent for what has no pods. */
  readonly replica?: ReplicaRequirements;
}

type Members = Readonly<Record<string, unknown>>;

/** Which workload is meant, by its type and name. */
export type WorkloadKey = Pick<SchedulingWorkload, 'apiVersion' | 'kind' | 'namespace' | 'name'>;

const WITH_REPLICAS: ReadonlySet<string> = new Set(['Deployment', 'ReplicaSet', 'StatefulSet', 'ReplicationController']);

/** Whose workload an object is: itself, or that which a federated object is the template of. */
export function workloadKey({ apiVersion, kind, metadata }: AnyObject): WorkloadKey {
  const { group } = parseApiVersion(apiVersion);
  const federated = federatedTarget(kind, group);
  return named(federated ?? { apiVersion, kind }, metadata);
}

/** A key in the namespace that `kubectl` would take where none is written. */
export function named(
  type: Pick<WorkloadKey, 'apiVersion' | 'kind'>,
  { name, namespace }: { readonly name: string; readonly namespace?: string },
): WorkloadKey {
  const { apiVersion, kind } = type;
  const scope = builtIn(parseApiVersion(apiVersion).group, kind)?.scope;
  const where = namespace ?? (scope === 'Namespaced' ? 'default' : undefined);
  return { apiVersion, kind, ...(where === undefined || scope === 'Cluster' ? {} : { namespace: where }), name };
}

/** `FederatedDeployment`, of any group or of the one that is given, stands for `apps/v1` Deployments. */
export function federatedTarget(kind: string, group?: string): Pick<WorkloadKey, 'apiVersion' | 'kind'> | undefined {
  const type = BUILT_IN_FEDERATED_TYPES.find(
    ({ federated }) => federated.kind === kind && (group === undefined || federated.group === group),
  );
  if (type === undefined) return undefined;
  const { target } = type;
  return { apiVersion: target.group === '' ? target.version : `${target.group}/${target.version}`, kind: target.kind };
}

/**
 * Reads what is scheduled from an object: how many replicas, as Kubernetes would count them where the object doesn't say, and what they ask for.
 *
 * @throws ClustersetError `Invalid`, with the field, for numbers of replicas and requests that make no sense.
 */
export function workloadOf(object: AnyObject): GivenWorkload {
  const key = workloadKey(object);
  const isFederated = key.kind !== object.kind;
  const at = isFederated ? 'spec.template.spec' : 'spec';
  const spec = membersOf(isFederated ? membersOf(membersOf(object.spec).template).spec : object.spec);
  const pods = podsOf(key.kind, spec, at, object);
  const { uid } = object.metadata;
  const workload = {
    ...key,
    ...(uid === undefined || isFederated ? {} : { uid }),
    ...numbersOf(key, spec, at),
  };
  if (pods === undefined) return { workload };
  const labels = textsOf(pods.metadata);
  const replica = located(pods.at, () =>
    podRequirements(pods.spec, {
      ...(labels === undefined ? {} : { labels }),
      ...(key.namespace === undefined ? {} : { namespace: key.namespace }),
    }),
  );
  const requests = replica.requests ?? {};
  return {
    workload: { ...workload, ...(Object.keys(requests).length === 0 ? {} : { requests }) },
    replica:
      isRecord(spec.selector) && isRecord(spec.selector.matchLabels)
        ? { ...replica, selector: spec.selector as LabelSelector }
        : replica,
  };
}

type Numbers = Pick<SchedulingWorkload, 'replicas' | 'completions' | 'firstOrdinal'>;

function numbersOf({ kind }: WorkloadKey, spec: Members, at: string): Numbers {
  if (kind === 'Job') {
    const [parallelism, completions] = [whole(spec, 'parallelism', at), whole(spec, 'completions', at)];
    // A Job that says neither runs one pod; one that says how many at a time, and no more, works off a queue (API: batch/v1 JobSpec).
    const all = completions ?? (parallelism === undefined ? 1 : undefined);
    return { replicas: parallelism ?? 1, ...(all === undefined ? {} : { completions: all }) };
  }
  const replicas = whole(spec, 'replicas', at) ?? (WITH_REPLICAS.has(kind) ? 1 : undefined);
  const firstOrdinal = kind === 'StatefulSet' ? whole(membersOf(spec.ordinals), 'start', `${at}.ordinals`) : undefined;
  return { ...(replicas === undefined ? {} : { replicas }), ...(firstOrdinal === undefined ? {} : { firstOrdinal }) };
}

const MOST = 2 ** 31 - 1;

function whole(members: Members, name: string, at: string): number | undefined {
  const value = members[name] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MOST) return value;
  throw new ClustersetError({ code: 'Invalid', field: `${at}.${name}`, message: `must be a whole number from 0 to ${MOST}` });
}

interface Pods {
  readonly at: string;
  readonly spec: unknown;
  readonly metadata: unknown;
}

/** Where the pods of a kind are written down. */
function podsOf(kind: string, spec: Members, at: string, object: AnyObject): Pods | undefined {
  if (kind === 'Pod') return { at, spec, metadata: object.metadata };
  const isCronJob = kind === 'CronJob';
  const owner = isCronJob ? membersOf(membersOf(spec.jobTemplate).spec) : spec;
  const template = membersOf(owner.template);
  if (!isRecord(template.spec)) return undefined;
  const path = isCronJob ? `${at}.jobTemplate.spec.template.spec` : `${at}.template.spec`;
  return { at: path, spec: template.spec, metadata: template.metadata };
}

/** Puts the place of a pod spec in front of the fields of errors, which call it `spec`. */
function located<T>(at: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ClustersetError)) throw error;
    const field = (error.field ?? '').replace(/^spec(?=\.|$)/, at);
    throw new ClustersetError({ code: error.code, message: error.detail, field, mend: error.mend, cause: error });
  }
}

function membersOf(value: unknown): Members {
  return isRecord(value) ? value : {};
}

function textsOf(metadata: unknown): Readonly<Record<string, string>> | undefined {
  const { labels } = membersOf(metadata);
  if (!isRecord(labels)) return undefined;
  return Object.fromEntries(Object.entries(labels).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}
