import { type FederatedType, MANAGED_LABEL } from '../../federation/index.ts';
import { type AnyObject, type Cluster, isNotServed, keyOf, type ObjectKey } from '../../kube/index.ts';
import type { Environment, ObjectCache, ReflectorState } from '../../runtime/index.ts';
import { Blindness } from './blindness.ts';
import { type ObjectId, objectId, readObjectId } from './object-id.ts';
import { warnOfType } from './warn-of-type.ts';

/** What {@link MemberView} is made with. */
export interface MemberViewOptions {
  readonly types: readonly FederatedType[];
  readonly environment: Environment;
  readonly controller: string;
  /** After this time a member that answers, but not with a list, is not waited for any longer. */
  readonly patienceMs: number;
  /** Whether the member answers at all. */
  readonly answers: () => boolean;
  /** Something of an object has changed there, by somebody else. */
  readonly onChange: (id: ObjectId) => void;
  /** The member's objects of a type are known now, or it is known why not, or it has taken too long. */
  readonly onKnown: (typeIndex: number) => void;
}

/** What is seen of one member: a cache for each type, shared with whoever else looks at the same. */
export class MemberView {
  readonly #options: MemberViewOptions;
  readonly #caches: ObjectCache[] = [];
  readonly #states: (ReflectorState | undefined)[];
  readonly #blindness: Blindness;
  /** What is put into a cache just now, after our own write: that is no news. */
  #remembering: ObjectId | undefined;
  #patientUntil = Number.POSITIVE_INFINITY;

  constructor(options: MemberViewOptions) {
    this.#options = options;
    this.#states = options.types.map(() => undefined);
    this.#blindness = new Blindness(options.environment.clock);
  }

  /** Follows the member's objects until the signal fires; a second call does nothing. */
  follow(cluster: Cluster, signal: AbortSignal): void {
    if (this.#caches.length > 0 || signal.aborted) return;
    const { types, environment, patienceMs, onChange, onKnown } = this.#options;
    this.#patientUntil = environment.clock.monotonic() + patienceMs;
    const cancel = environment.clock.after(patienceMs, () => {
      for (const index of types.keys()) onKnown(index);
    });
    signal.addEventListener('abort', cancel, { once: true });
    // Field managers tell what is ours, and what has drifted. A type that isn't served for a moment keeps its objects.
    const labelSelector = `${MANAGED_LABEL}=true`;
    const opened = types.map(({ target }) => environment.caches.open(cluster, target, { labelSelector, shape: 'full' }, signal));
    this.#caches.push(...opened.map(({ cache }) => cache));
    for (const [index, { cache, state, onState }] of opened.entries()) {
      const listener = (each: ReflectorState): void => this.#become(cluster.name, index, each);
      onState(listener);
      if (state !== undefined) listener(state);
      const onEvent: Parameters<ObjectCache['listen']>[0] = (event) => {
        const id = this.#idOf(index, keyOf(event.type === 'removed' ? event.previous : event.object));
        if (id !== this.#remembering) onChange(id);
      };
      cache.listen(onEvent, { replay: true, signal });
    }
  }

  /** What the member has of an object, as last seen. */
  live(id: ObjectId): AnyObject | undefined {
    const { index, key } = readObjectId(id);
    return this.#caches[index]?.get(this.targetKey(index, key));
  }

  /** The key of a federated object's counterpart. */
  targetKey(index: number, key: ObjectKey): ObjectKey {
    return this.#options.types[index]?.target.scope === 'Cluster' ? { name: key.name } : key;
  }

  isFilled(index: number): boolean {
    return this.#caches[index]?.synced === true;
  }

  state(index: number): ReflectorState | undefined {
    return this.#states[index];
  }

  /** Whether it could not be read for so long that what was seen last counts no more. */
  isBlind(index: number): boolean {
    return this.#blindness.isBlind(index);
  }

  /** Whether the member's objects of a type have been seen, it is known why they can't be, or it has taken too long. */
  knows(index: number): boolean {
    const isPatienceOver = this.#options.environment.clock.monotonic() >= this.#patientUntil;
    return this.isFilled(index) || this.#states[index] !== undefined || isPatienceOver;
  }

  /** Takes in what a write has answered. It is no news. */
  remember(id: ObjectId, live: AnyObject): void {
    this.#remembering = id;
    this.#caches[readObjectId(id).index]?.put(live);
    this.#remembering = undefined;
  }

  #become(cluster: string, index: number, state: ReflectorState): void {
    const { answers, onChange, onKnown, environment, controller, types } = this.#options;
    const before = this.#states[index];
    this.#states[index] = state;
    const wasBlind = this.#blindness.isBlind(index);
    if (state.synced) this.#blindness.sees(index);
    else if (answers()) this.#blindness.fails(index, isNotServed(state.error) ? 'not-served' : 'other');
    if (wasBlind !== this.#blindness.isBlind(index)) {
      for (const object of this.#caches[index]?.values() ?? []) onChange(this.#idOf(index, keyOf(object)));
    }
    const type = types[index]?.target;
    if (type !== undefined && answers()) warnOfType(environment, { controller, cluster, type }, before, state);
    if (before?.synced !== state.synced) onKnown(index);
  }

  /** The federated object behind a member object. That of a namespace lives in the namespace itself. */
  #idOf(index: number, { namespace, name }: ObjectKey): ObjectId {
    const isInside = this.#options.types[index]?.federated.scope === 'Namespaced';
    return objectId(index, isInside ? { namespace: namespace ?? name, name } : { name });
  }
}
