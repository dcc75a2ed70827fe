import {
  type AnyObject,
  type DeleteOptions,
  keyOf,
  type ObjectKey,
  type OwnerReference,
  parseApiVersion,
} from '../../kube/plain/index.ts';
import type { Cancel } from '../../runtime/time/index.ts';
import type { ApiServer } from '../api/api-server.ts';
import type { Served } from '../api/catalogue.ts';
import { FOREGROUND, ORPHAN } from '../api/delete.ts';
import { StatusError } from '../api/failures.ts';
import type { StoredEvent } from '../api/storage.ts';
import { Agenda } from './agenda.ts';
import { type Dependents, type Located, UNOWNED } from './dependents.ts';
import { writtenBy } from './step.ts';

/** How it stands with an owner: it is there; it is not; it waits for its dependents to go first; or nobody can say. */
export type OwnerState = 'solid' | 'dangling' | 'waiting' | 'unknown';

/** What becomes of an object whose owners were looked up. */
export type Verdict =
  | { readonly keep: 'as-it-is' }
  | { readonly keep: 'without-some-owners'; readonly owners: readonly OwnerReference[] }
  /** It goes. With `unblocked` no owner waits for it any longer, or two would wait for each other. */
  | { readonly keep: 'not'; readonly policy: Policy; readonly unblocked: boolean };

type Policy = NonNullable<DeleteOptions['propagationPolicy']>;

/** What is known of the dependents of an object: whether there are any, and whether one of them waits for its own. */
export interface DependentsState {
  readonly any: boolean;
  readonly waiting: boolean;
}

/**
 * Whether an object goes because of its owners: it does when no owner is left that means to stay; when one is, it forgets the others. An owner
 * that waits for its dependents makes them wait for theirs.
 */
export function judge(object: AnyObject, state: (owner: OwnerReference) => OwnerState, dependents: DependentsState): Verdict {
  const owners = object.metadata.ownerReferences ?? [];
  const states = owners.map(state);
  if (states.length === 0 || states.includes('unknown')) return { keep: 'as-it-is' };
  const solid = owners.filter((_, index) => states[index] === 'solid');
  if (solid.length === owners.length) return { keep: 'as-it-is' };
  if (solid.length > 0) return { keep: 'without-some-owners', owners: solid };
  if (states.includes('waiting') && dependents.any) return { keep: 'not', policy: 'Foreground', unblocked: dependents.waiting };
  return { keep: 'not', policy: policyOf(object), unblocked: false };
}

/** What its own finalizers want, an object gets. */
function policyOf(object: AnyObject): Policy {
  if (hasFinalizer(object, ORPHAN)) return 'Orphan';
  return hasFinalizer(object, FOREGROUND) ? 'Foreground' : 'Background';
}

const hasFinalizer = ({ metadata }: AnyObject, name: string): boolean => metadata.finalizers?.includes(name) ?? false;
const isTerminating = ({ metadata }: AnyObject): boolean => metadata.deletionTimestamp !== undefined;
/** Whether an object goes as soon as its dependents have gone. */
const isWaiting = (object: AnyObject): boolean => isTerminating(object) && hasFinalizer(object, FOREGROUND);
const isOrphaning = (object: AnyObject): boolean => isTerminating(object) && hasFinalizer(object, ORPHAN);
const ownersOf = ({ metadata }: AnyObject): readonly OwnerReference[] => metadata.ownerReferences ?? [];
const blocks = ({ object }: Located, uid: string): boolean =>
  ownersOf(object).some((owner) => owner.uid === uid && owner.blockOwnerDeletion === true);

const CRDS = 'customresourcedefinitions.apiextensions.k8s.io';
/** Milliseconds until what has failed is tried again; longer each time. */
const [FIRST_RETRY, LAST_RETRY] = [5, 1_000_000];

/** Deletes objects whose owners are gone, holds owners until their dependents are gone, and sets dependents free, as the garbage collector does. */
export function collectGarbage(server: ApiServer, dependents: Dependents): Cancel {
  const collector = new Collector(server, dependents);
  const stop = server.state.storage.listen((event) => collector.hear(event));
  return () => {
    stop();
    collector.stop();
  };
}

class Collector {
  readonly #server: ApiServer;
  readonly #dependents: Dependents;
  readonly #agenda: Agenda;
  /** Objects with an owner of a kind that isn't served: their turn comes when it is. */
  readonly #puzzling = new Set<string>();
  readonly #failures = new Map<string, number>();

  constructor(server: ApiServer, dependents: Dependents) {
    this.#server = server;
    this.#dependents = dependents;
    this.#agenda = new Agenda(server.state.clock, (uid) => this.#look(uid));
  }

  stop(): void {
    this.#agenda.stop();
  }

  hear({ type, collection, object, previous }: StoredEvent): void {
    if (collection === CRDS) this.#lookAgain();
    if (collection === UNOWNED) return;
    const { uid = '' } = object.metadata;
    if (type === 'DELETED') {
      this.#hearOfDeletion(object);
      return;
    }
    // An object may come with an owner that has gone in the meantime.
    if (ownersOf(object).some((owner) => !hasSame(previous, owner))) this.#agenda.add(uid);
    for (const owner of released(previous, object)) this.#agenda.add(owner);
    const wasWaiting = previous !== undefined && isWaiting(previous);
    const wasOrphaning = previous !== undefined && isOrphaning(previous);
    if (isOrphaning(object) && !wasOrphaning) this.#agenda.add(uid);
    else if (isWaiting(object) && !wasWaiting) {
      for (const each of this.#dependents.of(uid)) this.#agenda.add(uidOf(each));
      this.#agenda.add(uid);
    }
  }

  #hearOfDeletion(object: AnyObject): void {
    const { uid = '' } = object.metadata;
    this.#puzzling.delete(uid);
    this.#failures.delete(uid);
    for (const each of this.#dependents.of(uid)) this.#agenda.add(uidOf(each));
    for (const owner of ownersOf(object)) {
      const found = this.#dependents.get(owner.uid)?.object;
      if (found !== undefined && isWaiting(found)) this.#agenda.add(owner.uid);
    }
  }

  /** What is served has changed. */
  #lookAgain(): void {
    for (const uid of this.#puzzling) this.#agenda.add(uid);
    this.#puzzling.clear();
  }

  #look(uid: string): number | undefined {
    const located = this.#dependents.get(uid);
    const served = located && this.#server.state.catalogue.collection(located.collection);
    if (located === undefined || served === undefined) return undefined;
    try {
      this.#settle(served, located);
      this.#failures.delete(uid);
      return undefined;
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      if (error.status.reason === 'NotFound') return undefined;
      const failures = this.#failures.get(uid) ?? 0;
      this.#failures.set(uid, failures + 1);
      return Math.min(LAST_RETRY, FIRST_RETRY * 2 ** failures);
    }
  }

  #settle(served: Served, located: Located): void {
    const { object } = located;
    if (isOrphaning(object)) this.#orphan(served, located);
    else if (isWaiting(object)) this.#awaitDependents(served, located);
    else if (!isTerminating(object)) this.#judge(served, located);
  }

  #judge(served: Served, located: Located): void {
    const { object } = located;
    const below = this.#dependents.of(uidOf(located));
    const verdict = judge(object, (owner) => this.#stateOf(object, owner), {
      any: below.length > 0,
      waiting: below.some((each) => isWaiting(each.object)),
    });
    const key = keyOf(object);
    if (verdict.keep === 'without-some-owners') this.#write(served, key, { ownerReferences: verdict.owners });
    if (verdict.keep !== 'not') return;
    if (verdict.unblocked) {
      const ownerReferences = ownersOf(object).map((owner) => ({ ...owner, blockOwnerDeletion: false }));
      this.#write(served, key, { ownerReferences });
    }
    this.#server.delete(served, key, { propagationPolicy: verdict.policy, preconditions: { uid: uidOf(located) } });
  }

  /** Lets an owner go when nothing is left that it waits for. */
  #awaitDependents(served: Served, located: Located): void {
    const uid = uidOf(located);
    const blocking = this.#dependents.of(uid).filter((each) => blocks(each, uid));
    if (blocking.length === 0) this.#withoutFinalizer(served, located.object, FOREGROUND);
    for (const each of blocking) if (!isWaiting(each.object)) this.#agenda.add(uidOf(each));
  }

  /** Sets the dependents free, and then lets the owner go. */
  #orphan(served: Served, located: Located): void {
    const uid = uidOf(located);
    for (const each of this.#dependents.of(uid)) {
      const type = this.#server.state.catalogue.collection(each.collection);
      const ownerReferences = ownersOf(each.object).filter((owner) => owner.uid !== uid);
      if (type !== undefined) this.#write(type, keyOf(each.object), { ownerReferences });
    }
    this.#withoutFinalizer(served, located.object, ORPHAN);
  }

  #withoutFinalizer(served: Served, object: AnyObject, name: string): void {
    const finalizers = (object.metadata.finalizers ?? []).filter((each) => each !== name);
    this.#write(served, keyOf(object), { finalizers });
  }

  #write(served: Served, key: ObjectKey, lists: Readonly<Record<string, readonly unknown[]>>): void {
    const metadata = Object.fromEntries(Object.entries(lists).map(([name, list]) => [name, list.length === 0 ? null : list]));
    this.#server.patch(served, key, { type: 'merge', body: { metadata } }, writtenBy('kube-controller-manager'));
  }

  /** An owner counts where the name says that it is: in the namespace of its dependent, or in none. */
  #stateOf(object: AnyObject, owner: OwnerReference): OwnerState {
    const { group, version } = parseApiVersion(owner.apiVersion);
    const served = this.#server.state.catalogue
      .all()
      .find(({ type }) => type.kind === owner.kind && type.group === group && type.version === version);
    const { namespace, uid = '' } = object.metadata;
    if (served === undefined) {
      this.#puzzling.add(uid);
      return 'unknown';
    }
    const isNamespaced = served.type.scope === 'Namespaced';
    // What belongs to no namespace can't have an owner in one; the collector leaves it alone for good.
    if (isNamespaced && namespace === undefined) return 'unknown';
    const key = isNamespaced && namespace !== undefined ? { namespace, name: owner.name } : { name: owner.name };
    const found = this.#server.state.storage.get(served.collection, key);
    if (found === undefined || found.metadata.uid !== owner.uid) return 'dangling';
    return isWaiting(found) ? 'waiting' : 'solid';
  }
}

const uidOf = ({ object }: Located): string => object.metadata.uid ?? '';

function hasSame(object: AnyObject | undefined, { uid, name, kind, apiVersion }: OwnerReference): boolean {
  return (object?.metadata.ownerReferences ?? []).some(
    (owner) => owner.uid === uid && owner.name === name && owner.kind === kind && owner.apiVersion === apiVersion,
  );
}

/** Owners that waited for an object, and wait for it no more. */
function released(previous: AnyObject | undefined, object: AnyObject): readonly string[] {
  const before = (previous?.metadata.ownerReferences ?? []).filter(({ blockOwnerDeletion }) => blockOwnerDeletion === true);
  const isStill = (uid: string): boolean =>
    ownersOf(object).some((owner) => owner.uid === uid && owner.blockOwnerDeletion === true);
  return before.map(({ uid }) => uid).filter((uid) => !isStill(uid));
}
