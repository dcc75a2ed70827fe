import { type Cluster, ClustersetError, hasCode, isClustersetError } from '../../kube/plain/index.ts';
import { type Clock, sleep } from '../clock.ts';
import { patiently } from '../patiently.ts';
import { jittered, pause } from './back-off.ts';
import type { Look } from './member-state.ts';

/** Asks a cluster whether it is ready. Rejects where there is no answer. */
export type Probe = (cluster: Cluster, signal: AbortSignal) => Promise<boolean>;

/** What one member is attended with. */
export interface AttendOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly random: () => number;
  /** Fires when the member leaves. */
  readonly signal: AbortSignal;
  readonly connect: (signal: AbortSignal) => Cluster | Promise<Cluster>;
  /** After this time without a connection the member counts as unreachable. */
  readonly connectTimeoutMs: number;
  readonly probe: Probe;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** There is a connection; what the member was looked at before is forgotten. */
  readonly onConnected: (cluster: Cluster) => void;
  readonly onLook: (look: Look) => void;
  readonly onError: (error: unknown) => void;
  /** Takes a connection that nobody needs any more. */
  readonly close: (cluster: Cluster) => void;
}

/** An attempt to connect that takes so many times longer than it may is given up, and made anew: what it waits for may be gone for good. */
const ATTEMPT_FACTOR = 6;

/** Connects one member, however many attempts that takes, and asks it again and again how it is, until its signal fires. */
export async function attend(options: AttendOptions): Promise<void> {
  const { clock, random, signal, intervalMs, close, onConnected, onLook } = options;
  const cluster = await connected(options);
  if (cluster === undefined) return;
  if (signal.aborted) {
    close(cluster);
    return;
  }
  onConnected(cluster);
  while (!signal.aborted) {
    const look = await lookAt(cluster, options);
    if (signal.aborted) return;
    onLook(look);
    await sleep(clock, untilTick(clock.monotonic(), jittered(intervalMs, random)), signal).catch(() => undefined);
  }
}

/** Members are asked at ticks of a common beat: to wake up for each of a thousand costs much more than to ask them. */
const TICK_MS = 250;

/** So long until the last tick before a wait is over; a short wait has no use for ticks. */
export function untilTick(now: number, ms: number): number {
  if (ms < 10 * TICK_MS) return ms;
  const due = Math.floor((now + ms) / TICK_MS) * TICK_MS;
  return due - now;
}

/** A connection; `undefined` where the member has left meanwhile. */
async function connected(options: AttendOptions): Promise<Cluster | undefined> {
  const { name, clock, random, signal, connect, connectTimeoutMs: ms, close, onLook, onError } = options;
  for (let failures = 0; !signal.aborted; failures += 1) {
    const cancel = clock.after(ms, () => onLook(unreachable(`no connection within ${ms / 1000} s`)));
    const overdue = (): ClustersetError => timeOut(name, `no connection within ${(ATTEMPT_FACTOR * ms) / 1000} s`);
    try {
      return await patiently(connect, { clock, ms: ATTEMPT_FACTOR * ms, signals: [signal], overdue, onLate: close });
    } catch (error) {
      if (signal.aborted) return undefined;
      onError(error);
      onLook(unreachable(messageOf(error, name)));
      await pause(clock, failures, signal, random);
    } finally {
      cancel();
    }
  }
  return undefined;
}

async function lookAt(cluster: Cluster, { name, clock, signal, probe, timeoutMs: ms }: AttendOptions): Promise<Look> {
  const overdue = (): ClustersetError => timeOut(name, `no answer within ${ms} ms`);
  try {
    const isReady = await patiently((ending) => probe(cluster, ending), { clock, ms, signals: [signal], overdue });
    return isReady ? { seen: 'ready', reason: '' } : { seen: 'degraded', reason: 'its /readyz does not say ok' };
  } catch (error) {
    return { seen: isAnswer(error) ? 'degraded' : 'unreachable', reason: messageOf(error, name) };
  }
}

/** Whether a failure is what the cluster itself has said: then it is there. A gateway says 504 where it isn't. */
function isAnswer(error: unknown): boolean {
  if (hasCode(error, 'Unreachable', 'Timeout', 'Aborted')) return false;
  return hasCode(error, 'Unauthorized', 'Forbidden') || (isClustersetError(error) && error.status !== undefined);
}

function unreachable(reason: string): Look {
  return { seen: 'unreachable', reason };
}

function timeOut(cluster: string, message: string): ClustersetError {
  return new ClustersetError({ code: 'Timeout', message, cluster });
}

/** What an error says, without the name of the cluster: whoever reads it knows that. */
export function messageOf(error: unknown, name: string): string {
  return error instanceof Error ? error.message.replace(`cluster ${name}: `, '') : String(error);
}
