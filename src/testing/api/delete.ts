import { type AnyObject, isRecord, type ObjectKey, type Status } from '../../kube/plain/index.ts';
import { timestamp } from '../../runtime/time/index.ts';
import type { Served } from './catalogue.ts';
import { checkRemoval, type Removal } from './delete-options.ts';
import { conflict, forbidden, notFound } from './failures.ts';
import { inStorageVersion, inVersion, isHeld, isTerminating, type State, stored } from './state.ts';

/** The finalizer of an object that goes after its dependents. */
export const FOREGROUND = 'foregroundDeletion';
/** The finalizer of an object whose dependents stay behind. */
export const ORPHAN = 'orphan';

/** What a deletion answers: the object where it is still there, and a success, for most kinds, where it is gone. */
export type Deleted = {
  /** What goes over the wire, with its HTTP status. */
  readonly answer: AnyObject | Status;
  readonly code: 200 | 202;
  readonly warnings: readonly string[];
} & (
  | { readonly gone: false; readonly object: AnyObject }
  | { readonly gone: true; readonly status: Status; readonly object: AnyObject }
);

/** How many seconds an object gets to stop; nothing for kinds that need none. */
export type Grace = (object: AnyObject, asked: number | undefined) => number | undefined;

/** Kinds that answer with what they have lost. */
const RETURNING: ReadonlySet<string> = new Set([
  'namespaces',
  'persistentvolumeclaims',
  'persistentvolumes',
  'pods',
  'resourcequotas',
  'serviceaccounts',
  'services',
]);

/** The warning of a kind whose dependents stay behind where a client doesn't say what becomes of them. */
const JOB_WARNING =
  'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning';

/** DELETE of one object */
export function remove(state: State, served: Served, key: ObjectKey, options: Removal, grace: Grace): Deleted {
  checkRemoval(options);
  const object = stored(state, served, key);
  if (object === undefined) throw notFound(served.type, key.name);
  checkAllowed(served, key);
  const isNamespace = served.collection === 'namespaces';
  if (isNamespace) checkNamespacePreconditions(served, object, options.preconditions);
  checkPreconditions(served, object, options.preconditions);
  const warnings = [...warningsOf(served, options)];
  if (!isUnderWay(object)) admit(state, served, object, options, warnings);
  const outcome = isNamespace && isOpen(object) ? endNamespace(state, served, object, options) : undefined;
  const { gone, object: last } = outcome ?? endObject(state, served, object, options, grace);
  const status = success(served, last);
  const answer = gone && !RETURNING.has(served.collection) ? status : last;
  const code = !gone && options.orphanDependents === false ? 202 : 200;
  const told = { answer, code, warnings } as const;
  return gone ? { ...told, gone, object: last, status } : { ...told, gone, object: last };
}

/** What a deletion is to be told about, whatever comes of it. */
export function warningsOf({ collection }: Served, { propagationPolicy, orphanDependents }: Removal): readonly string[] {
  const isSaid = propagationPolicy !== undefined || orphanDependents !== undefined;
  return collection === 'jobs.batch' && !isSaid ? [JOB_WARNING] : [];
}

function admit(state: State, served: Served, old: AnyObject, { user, dryRun = false }: Removal, warnings: string[]): void {
  const context = { ...(user === undefined ? {} : { user }), dryRun, warnings };
  const subject = { served, operation: 'DELETE', object: undefined, old, context } as const;
  state.admission.mutate(subject);
  state.admission.validate(subject);
}

/** What has time left to stop is deleted already: nobody is asked a second time. */
const isUnderWay = ({ metadata }: AnyObject): boolean => (metadata.deletionGracePeriodSeconds ?? 0) > 0;

interface Outcome {
  readonly gone: boolean;
  readonly object: AnyObject;
}

function endObject(state: State, served: Served, object: AnyObject, options: Removal, grace: Grace): Outcome {
  const { dryRun = false } = options;
  const collection = served.collection;
  const put = (changed: AnyObject): AnyObject =>
    dryRun || isSame(changed, object)
      ? changed
      : inVersion(state.storage.put(collection, inStorageVersion(changed, served)), served);
  const takeAway = (last: AnyObject): Outcome => ({
    gone: true,
    object: dryRun ? last : inVersion(state.storage.remove(collection, last.metadata) ?? last, served),
  });
  const stay = (changed: AnyObject): Outcome => ({ gone: false, object: put(changed) });
  const slowly = gracefully(state, object, options, grace);
  if (slowly === 'under-way') return { gone: false, object };
  const marked = withFinalizers(slowly ?? object, finalizersAfter(served, object, options));
  if (slowly === undefined) return isHeld(marked) ? stay(terminating(state, marked)) : takeAway(object);
  if (isHeld(marked) || (marked.metadata.deletionGracePeriodSeconds ?? 0) > 0) return stay(marked);
  return takeAway(put(marked));
}

/**
 * The object with its time to stop, if it gets any (API: core/v1 PodSpec.terminationGracePeriodSeconds). Once it has begun, it can only be made
 * shorter: whoever asks for more finds it under way.
 */
function gracefully(state: State, object: AnyObject, options: Removal, grace: Grace): AnyObject | 'under-way' | undefined {
  const asked = options.gracePeriodSeconds;
  const least = asked === undefined ? undefined : atLeastOne(asked);
  const { deletionTimestamp, deletionGracePeriodSeconds: left = 0, generation } = object.metadata;
  const now = state.clock.now();
  if (deletionTimestamp !== undefined) {
    if (left === 0) return undefined;
    if (least === undefined || least >= left) return 'under-way';
    const due = Date.parse(deletionTimestamp) + (least - left) * SECOND;
    const isLate = due < now;
    return withGrace(object, isLate ? now : due, isLate && least !== 0 ? 1 : least);
  }
  const period = grace(object, least);
  if (period === undefined) return undefined;
  const marked = withGrace(object, now + period * SECOND, period);
  return generation === undefined ? marked : { ...marked, metadata: { ...marked.metadata, generation: generation + 1 } };
}

const SECOND = 1000;

/** A negative time counts as the shortest that is one. */
const atLeastOne = (seconds: number): number => (seconds < 0 ? 1 : seconds);

function withGrace(object: AnyObject, due: number, seconds: number): AnyObject {
  return {
    ...object,
    metadata: { ...object.metadata, deletionTimestamp: timestamp(due), deletionGracePeriodSeconds: seconds },
  };
}

/** The object as it waits for its finalizers. */
function terminating(state: State, object: AnyObject): AnyObject {
  const { generation, deletionTimestamp } = object.metadata;
  const now = state.clock.now();
  const isDue = deletionTimestamp !== undefined && Date.parse(deletionTimestamp) <= now;
  return {
    ...object,
    metadata: {
      ...object.metadata,
      deletionTimestamp: isDue ? deletionTimestamp : timestamp(now),
      deletionGracePeriodSeconds: 0,
      ...(generation === undefined || deletionTimestamp !== undefined ? {} : { generation: generation + 1 }),
    },
  };
}

/**
 * Finalizers of the garbage collector as the options want them (API: meta/v1 DeleteOptions.propagationPolicy). What the options leave open, the
 * finalizers that are there decide, and then the kind: Jobs leave their pods behind.
 */
function finalizersAfter({ collection }: Served, { metadata }: AnyObject, options: Removal): readonly string[] {
  const before = metadata.finalizers ?? [];
  if (collection === 'events') return before.filter((each) => each !== ORPHAN && each !== FOREGROUND);
  const wanted = policyFinalizer(options) ?? before.find((each) => each === ORPHAN || each === FOREGROUND);
  const chosen = wanted ?? (collection === 'jobs.batch' ? ORPHAN : 'none');
  const rest = before.filter((each) => each !== ORPHAN && each !== FOREGROUND);
  const after = chosen === 'none' ? rest : [...rest, chosen];
  return after.length === before.length && after.every((each) => before.includes(each)) ? before : after;
}

function policyFinalizer({ propagationPolicy, orphanDependents }: Removal): string | undefined {
  if (orphanDependents !== undefined) return orphanDependents ? ORPHAN : 'none';
  if (propagationPolicy === 'Orphan') return ORPHAN;
  if (propagationPolicy === 'Foreground') return FOREGROUND;
  return propagationPolicy === undefined ? undefined : 'none';
}

function withFinalizers(object: AnyObject, finalizers: readonly string[]): AnyObject {
  if (finalizers === object.metadata.finalizers) return object;
  const { finalizers: _, ...metadata } = object.metadata;
  return { ...object, metadata: { ...metadata, ...(finalizers.length === 0 ? {} : { finalizers }) } };
}

/** Nothing but times, finalizers and the generation is changed by a deletion. */
function isSame({ metadata: a }: AnyObject, { metadata: b }: AnyObject): boolean {
  return (
    a.deletionTimestamp === b.deletionTimestamp &&
    a.deletionGracePeriodSeconds === b.deletionGracePeriodSeconds &&
    (a.finalizers ?? []).join(' ') === (b.finalizers ?? []).join(' ')
  );
}

/** Whether a namespace hasn't ended, or isn't emptied yet. */
function isOpen(namespace: AnyObject): boolean {
  const { finalizers } = isRecord(namespace.spec) ? namespace.spec : {};
  return !isTerminating(namespace) || (Array.isArray(finalizers) && finalizers.length > 0);
}

/** A namespace ends in steps of its own: it is marked, then emptied, then deleted like anything else. */
function endNamespace(state: State, served: Served, namespace: AnyObject, options: Removal): Outcome {
  if (isTerminating(namespace)) return { gone: false, object: namespace };
  const before = namespace.metadata.finalizers ?? [];
  const isForeground = options.orphanDependents === false || options.propagationPolicy === 'Foreground';
  const isOrphan = options.orphanDependents === true || options.propagationPolicy === 'Orphan';
  const isSaid = options.orphanDependents !== undefined || options.propagationPolicy !== undefined;
  const rest = before.filter((each) => each !== ORPHAN && each !== FOREGROUND);
  const after = isSaid ? [...rest, ...(isOrphan ? [ORPHAN] : []), ...(isForeground ? [FOREGROUND] : [])] : before;
  const { finalizers: _, ...metadata } = namespace.metadata;
  const marked: AnyObject = {
    ...namespace,
    metadata: {
      ...metadata,
      deletionTimestamp: timestamp(state.clock.now()),
      ...(after.length === 0 ? {} : { finalizers: after }),
    },
    status: { ...(isRecord(namespace.status) ? namespace.status : {}), phase: 'Terminating' },
  };
  return { gone: false, object: options.dryRun ? marked : inVersion(state.storage.put(served.collection, marked), served) };
}

/** Namespaces that can't be deleted (API: admission plugin NamespaceLifecycle). */
const IMMORTAL: ReadonlySet<string> = new Set(['default', 'kube-system', 'kube-public']);

function checkAllowed(served: Served, { name }: ObjectKey): void {
  const isFirst = served.collection === 'namespaces' && IMMORTAL.has(name);
  if (isFirst) throw forbidden(served.type, name, 'this namespace may not be deleted');
}

function checkNamespacePreconditions({ type }: Served, { metadata }: AnyObject, preconditions: Removal['preconditions']): void {
  const mismatch = (what: string, wanted: string, found = ''): never => {
    const why = `Precondition failed: ${what} in precondition: ${wanted}, ${what} in object meta: ${found}`;
    throw conflict(type, metadata.name, why);
  };
  const { uid, resourceVersion } = preconditions ?? {};
  if (uid !== undefined && uid !== metadata.uid) mismatch('UID', uid, metadata.uid);
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion)
    mismatch('ResourceVersion', resourceVersion, metadata.resourceVersion);
}

/** The message names the kind in the place of the resource. */
export function checkPreconditions({ type }: Served, { metadata }: AnyObject, preconditions: Removal['preconditions']): void {
  const { uid, resourceVersion } = preconditions ?? {};
  const mismatch = (what: string, wanted: string, found: string, then: string): never => {
    const why = `the ${what} in the precondition (${wanted}) does not match the ${what} in record (${found}). The object might have been ${then}`;
    throw conflict({ ...type, plural: type.kind }, metadata.name, why);
  };
  if (uid !== undefined && uid !== metadata.uid) mismatch('UID', uid, metadata.uid ?? '', 'deleted and then recreated');
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion)
    mismatch('ResourceVersion', resourceVersion, metadata.resourceVersion ?? '', 'modified');
}

function success({ type }: Served, { metadata }: AnyObject): Status {
  const { group, plural } = type;
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name: metadata.name, ...(group === '' ? {} : { group }), kind: plural, uid: metadata.uid ?? '' },
  };
}
