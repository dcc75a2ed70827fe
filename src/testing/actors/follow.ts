import { type AnyObject, formatKey, keyOf, parseKey } from '../../kube/plain/index.ts';
import type { Cancel } from '../../runtime/time/index.ts';
import type { ApiServer } from '../api/api-server.ts';
import type { StoredEvent } from '../api/storage.ts';
import { Agenda } from './agenda.ts';
import { controllerOf } from './dependents.ts';
import { type Collection, carryOut, type Decision, TYPES } from './step.ts';

/** What an actor hears of: objects that came, changed or went. */
export type Heard = Pick<StoredEvent, 'collection' | 'type' | 'object' | 'previous'>;

/** Tells of all objects that are there, and of every change from now on. */
export function follow(server: ApiServer, listener: (event: Heard) => void): Cancel {
  const { storage } = server.state;
  for (const collection of [...storage.collections()]) {
    for (const object of [...storage.list(collection)]) listener({ collection, type: 'ADDED', object, previous: undefined });
  }
  return storage.listen(listener);
}

/** A loop that looks at objects of one collection when they, or what they control, change. */
export interface Loop {
  readonly of: Collection;
  /** Pure: what is to be done about an object. */
  readonly decide: (object: AnyObject) => Decision;
  /** Who writes. Default: `kube-controller-manager`. */
  readonly fieldManager?: string;
  /** Keys of other objects that an event is about. */
  readonly keysOf?: (event: Heard) => readonly string[];
  readonly forget?: (object: AnyObject) => void;
}

/** Runs a loop: listens, looks, decides, carries out. */
export function runLoop(server: ApiServer, { of, decide, fieldManager, keysOf, forget }: Loop): Cancel {
  const { storage, clock } = server.state;
  const { kind } = TYPES[of];
  const agenda = new Agenda(clock, (key) => {
    const object = storage.get(of, parseKey(key));
    if (object === undefined) return undefined;
    const { steps, againInMs } = decide(object);
    carryOut(server, steps, fieldManager);
    return againInMs;
  });
  const stop = follow(server, (event) => {
    const { collection, type, object } = event;
    if (collection === of && type !== 'DELETED') agenda.add(formatKey(keyOf(object)));
    if (collection === of && type === 'DELETED') forget?.(object);
    const owner = controllerOf(object);
    if (owner?.kind === kind) agenda.add(formatKey({ namespace: object.metadata.namespace ?? '', name: owner.name }));
    for (const key of keysOf?.(event) ?? []) agenda.add(key);
  });
  return () => {
    stop();
    agenda.stop();
  };
}
