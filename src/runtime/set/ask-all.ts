import { ClustersetError } from '../../kube/plain/index.ts';
import type { Clock } from '../clock.ts';
import { patiently } from '../patiently.ts';
import { fanOut } from './fan-out.ts';
import type { ConnectedMember, Member } from './member.ts';
import type { MemberState } from './member-state.ts';
import type { ClusterResult } from './results.ts';

/** How all clusters of a set are asked something. */
export interface MapOptions {
  /** Ends it all: the call rejects with `Aborted`. */
  readonly signal?: AbortSignal | undefined;
  /**
   * How many clusters are worked on at the same time. Default 16. One that is slow loses its place after a share of `timeoutMs` (as many parts as
   * there are rounds) and goes on beside the others, so that the last cluster has its turn after one `timeoutMs`, however many hang.
   */
  readonly concurrency?: number | undefined;
  /** How long the work may take for one cluster, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number | undefined;
  /** Clusters in other states are left out. Default: none is left out. */
  readonly states?: readonly MemberState[] | undefined;
}

/** What is done for one cluster. The signal fires when the time is up, when the cluster leaves, and with the caller's own. */
export type MapFunction<Entry, T> = (member: ConnectedMember<Entry>, signal: AbortSignal) => T | Promise<T>;

/** The set, as far as it matters here. */
export interface Asked<Entry> {
  readonly clock: Clock;
  readonly members: ReadonlyMap<string, Member<Entry>>;
}

const CONCURRENCY = 16;
const TIMEOUT_MS = 30_000;

/** Results as they come. Those that are asked are those that are there now. Leaving the loop ends what is under way. */
export function askAll<Entry, T>(
  set: Asked<Entry>,
  work: MapFunction<Entry, T>,
  options: MapOptions = {},
): AsyncGenerator<ClusterResult<T>, void, undefined> {
  const { states } = options;
  const members = [...set.members.values()].filter(({ state }) => states?.includes(state) ?? true);
  const names = members.map(({ name }) => name);
  return results(set, names, work, options);
}

async function* results<Entry, T>(
  set: Asked<Entry>,
  names: readonly string[],
  work: MapFunction<Entry, T>,
  options: MapOptions,
): AsyncGenerator<ClusterResult<T>, void, undefined> {
  const { signal, timeoutMs = TIMEOUT_MS } = options;
  const concurrency = Math.max(1, options.concurrency ?? CONCURRENCY);
  const holdMs = Math.min(timeoutMs, (timeoutMs * concurrency) / Math.max(1, names.length));
  const stopping = new AbortController();
  const stop = (): void => stopping.abort(signal?.reason);
  if (signal?.aborted) stop();
  else signal?.addEventListener('abort', stop, { once: true });
  const { clock } = set;
  let ready: ClusterResult<T>[] = [];
  let isDone = false;
  let wake = (): void => undefined;
  const one = async (index: number): Promise<void> => {
    const result = await askOne(set, names[index] ?? '', work, { timeoutMs, signal: stopping.signal });
    ready.push(result);
    wake();
  };
  void fanOut({ count: names.length, work: one, concurrency, holdMs, clock, signal: stopping.signal }).then(() => {
    isDone = true;
    wake();
  });
  try {
    for (;;) {
      const batch = ready;
      ready = [];
      for (const result of batch) {
        throwIfEnded(signal);
        yield result;
      }
      throwIfEnded(signal);
      if (ready.length > 0) continue;
      if (isDone) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    stopping.abort();
  }
}

async function askOne<Entry, T>(
  { clock, members }: Asked<Entry>,
  name: string,
  work: MapFunction<Entry, T>,
  { timeoutMs: ms, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<ClusterResult<T>> {
  const overdue = (): ClustersetError => failure('Timeout', name, `no answer within ${ms} ms`);
  try {
    const member = members.get(name);
    if (member === undefined) throw failure('Unreachable', name, 'it has left the set');
    if (!isConnected(member)) throw failure('Unreachable', name, member.reason);
    const value = await patiently((ending) => work(member, ending), { clock, ms, signals: [signal, member.signal], overdue });
    return { cluster: name, ok: true, value };
  } catch (error) {
    return { cluster: name, ok: false, error, state: members.get(name)?.state ?? 'leaving' };
  }
}

/** Whether there is a connection to a member. */
function isConnected<Entry>(member: Member<Entry>): member is ConnectedMember<Entry> {
  return member.cluster !== undefined;
}

function throwIfEnded(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  throw new ClustersetError({ code: 'Aborted', message: 'the call was ended', cause: signal.reason });
}

function failure(code: 'Timeout' | 'Unreachable', cluster: string, message: string): ClustersetError {
  return new ClustersetError({ code, message, cluster });
}
