import {
  type AnyObject,
  deepEqual,
  type Json,
  type KubeObject,
  type LabelSelector,
  matchesLabels,
  requirementsOf,
} from '../../kube/plain/index.ts';

/** A change of an object: new where `previous` is absent, gone where `object` is. */
export interface Change<T = AnyObject> {
  readonly cluster: string;
  readonly object?: T;
  readonly previous?: T;
  /** Whether the object was there when the cache was filled for the first time. */
  readonly isInitial: boolean;
}

/** Whether a change concerns a controller. Caches hold what changes anyway. */
export type Predicate<T = AnyObject> = (change: Change<T>) => boolean;

/** A change of both: anything else passes, because there is nothing to compare. */
const between =
  (differs: (object: KubeObject, previous: KubeObject) => boolean): Predicate<KubeObject> =>
  ({ object, previous }) =>
    object === undefined || previous === undefined || differs(object, previous);

/** The desired state has changed: metadata and status don't move the generation. A deletion that begins, and another object of the name, count as well. */
export const generationChanged: Predicate<KubeObject> = between(
  ({ metadata: now }, { metadata: before }) =>
    now.generation !== before.generation || now.deletionTimestamp !== before.deletionTimestamp || now.uid !== before.uid,
);

/** Labels have changed. */
export const labelsChanged: Predicate<KubeObject> = between(
  (object, previous) => !deepEqual((object.metadata.labels ?? {}) as Json, (previous.metadata.labels ?? {}) as Json),
);

/** Annotations have changed. */
export const annotationsChanged: Predicate<KubeObject> = between(
  (object, previous) => !deepEqual((object.metadata.annotations ?? {}) as Json, (previous.metadata.annotations ?? {}) as Json),
);

/** The object matches a selector now, or did before: who leaves a selection concerns its controller too. */
export function matching(selector: LabelSelector): Predicate<KubeObject> {
  const requirements = requirementsOf(selector);
  const matches = (object: KubeObject | undefined): boolean =>
    object !== undefined && matchesLabels(requirements, object.metadata.labels ?? {});
  return ({ object, previous }) => matches(object) || matches(previous);
}

/** All of several. */
export function allOf<T>(...predicates: readonly Predicate<T>[]): Predicate<T> {
  return (change) => predicates.every((predicate) => predicate(change));
}

/** One of several at least. */
export function anyOf<T>(...predicates: readonly Predicate<T>[]): Predicate<T> {
  return (change) => predicates.some((predicate) => predicate(change));
}
