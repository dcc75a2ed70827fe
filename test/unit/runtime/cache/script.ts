import type { AnyObject, Cluster, ListOptions, ObjectList, WatchEvent, WatchOptions } from 'clusterset/kube';
import { type Fact, ObjectCache, type ReflectOptions, type ReflectorState, reflect, sleep } from 'clusterset/runtime';
import { VirtualClock } from 'clusterset/testing';
import { CONFIG_MAPS, configMap, forever, handMade } from '../fixtures.ts';

/** What comes over a watch: an event, a pause in milliseconds, how it ends. */
type WatchStep = WatchEvent<AnyObject> | Error | 'end' | number;

/** The answer to one request, in the order in which they are expected. After the last there is none. */
export type Answer =
  | { readonly list: ObjectList<AnyObject> | Error | 'hang' }
  | { readonly watch: readonly WatchStep[]; readonly isDeaf?: boolean };

export const listed = (resourceVersion: string, ...items: AnyObject[]): { readonly list: ObjectList<AnyObject> } => ({
  list: { items, resourceVersion },
});
export const page = (next: string, resourceVersion: string, ...items: AnyObject[]): { readonly list: ObjectList<AnyObject> } => ({
  list: { items, resourceVersion, continue: next },
});
export const event = (type: 'ADDED' | 'MODIFIED' | 'DELETED', object: AnyObject): WatchEvent<AnyObject> => ({ type, object });
export const added = (name: string, version: number): WatchEvent<AnyObject> => event('ADDED', configMap(name, version));
export const bookmark = (resourceVersion: string, initialEventsEnd = false): WatchEvent<AnyObject> => ({
  type: 'BOOKMARK',
  resourceVersion,
  initialEventsEnd,
});

/** A reflector on a cluster that answers as it is written. */
export interface Played {
  readonly clock: VirtualClock;
  readonly cache: ObjectCache;
  /** `800 watch 5`: when what was asked for. */
  readonly asked: readonly string[];
  readonly states: readonly ReflectorState[];
  readonly facts: readonly Fact[];
  readonly stopping: AbortController;
  readonly done: Promise<void>;
}

const MOST_REQUESTS = 100;

/** Plays answers one after the other, and writes down the requests. */
export function scripted(clock: VirtualClock, answers: readonly Answer[], asked: string[]): Cluster {
  const rest = answers[Symbol.iterator]();
  const next = (text: string): Answer | undefined => {
    asked.push(`${clock.monotonic()} ${text}`);
    return asked.length > MOST_REQUESTS ? undefined : rest.next().value;
  };
  return handMade({
    async list(options) {
      const answer = next(textOfList(options));
      if (answer === undefined) return forever(options.signal as AbortSignal);
      if (!('list' in answer)) throw new TypeError('a watch was expected, and a list was asked for');
      if (answer.list === 'hang') return new Promise(() => undefined);
      if (answer.list instanceof Error) throw answer.list;
      return answer.list;
    },
    async *watch(options) {
      const answer = next(textOfWatch(options));
      if (answer !== undefined && !('watch' in answer)) throw new TypeError('a list was expected, and a watch was asked for');
      for (const step of answer?.watch ?? []) {
        if (step instanceof Error) throw step;
        if (step === 'end') return;
        if (typeof step === 'number') await Promise.race([sleep(clock, step), forever(options.signal as AbortSignal)]);
        else yield step;
      }
      await (answer?.isDeaf ? new Promise(() => undefined) : forever(options.signal as AbortSignal));
    },
  });
}

function textOfList({ resourceVersion, resourceVersionMatch, limit, continue: token }: ListOptions): string {
  const version = token === undefined ? (resourceVersion ?? 'newest') : `behind ${token}`;
  const match = resourceVersionMatch === undefined ? '' : ` ${resourceVersionMatch}`;
  return `list ${version}${match}${limit === undefined ? '' : ` by ${limit}`}`;
}

function textOfWatch({ resourceVersion, resourceVersionMatch, sendInitialEvents }: WatchOptions): string {
  const match = resourceVersionMatch === undefined ? '' : ` ${resourceVersionMatch}`;
  return `${sendInitialEvents ? 'stream' : 'watch'} ${resourceVersion ?? 'newest'}${match}`;
}

const running: Played[] = [];

/** Starts a reflector on a script. */
export function play(answers: readonly Answer[], options: Partial<ReflectOptions> = {}): Played {
  const clock = new VirtualClock();
  const asked: string[] = [];
  const states: ReflectorState[] = [];
  const facts: Fact[] = [];
  const stopping = new AbortController();
  const cache = options.cache ?? new ObjectCache({ clock });
  const done = reflect({
    cluster: scripted(clock, answers, asked),
    type: CONFIG_MAPS,
    clock,
    random: () => 0,
    signal: stopping.signal,
    onState: (state) => states.push(state),
    observe: (fact) => facts.push(fact),
    ...options,
    cache,
  });
  const played = { clock, cache, asked, states, facts, stopping, done };
  running.push(played);
  return played;
}

/** Ends everything that was started. */
export async function endAll(): Promise<void> {
  for (const { stopping, done } of running.splice(0)) {
    stopping.abort();
    await done;
  }
}

/** The facts of one sort, in short. */
export function reasonsOf(facts: readonly Fact[], which: 'listed' | 'watch-ended'): string[] {
  return facts.flatMap((fact) => (fact.fact === which && 'reason' in fact ? [fact.reason] : []));
}

/** `a@5`, in the order of names. */
export function contents(cache: ObjectCache): string[] {
  return [...cache.values()].map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`).toSorted();
}
