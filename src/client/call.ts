import type { Clock } from '../runtime/index.ts';
import type { Access } from './access.ts';
import type { HttpRequest } from './connection.ts';

/** A request on its way, with all its attempts. */
export interface Call {
  readonly request: HttpRequest;
  /** Fires when whoever has asked leaves, and when the connection is closed. */
  readonly ended: AbortSignal;
  /** Fires when its time is over; for a stream, the time until it begins. */
  readonly deadline: AbortSignal;
  /** From now on it may take as long as it likes. */
  readonly begun: () => void;
  /** Lets go of everything that lives longer than the call. */
  readonly finish: () => void;
  /** How often `Retry-After` was waited for. */
  waits: number;
  /** The credentials of the last attempt. */
  access: Access | undefined;
  /** Credentials that the server has refused: that happens once. */
  refused: Access | undefined;
  /** The request that is on its way, for whoever is told of it. */
  sent: { readonly host: string; readonly at: number } | undefined;
}

/** Begins a call, which must be finished: signals that live long know of it until then. */
export function beginCall(request: HttpRequest, closing: AbortSignal, clock: Clock, timeoutMs: number): Call {
  const ending = new AbortController();
  const patience = new AbortController();
  const begun = clock.after(timeoutMs, () => patience.abort());
  // Not AbortSignal.any: a signal that lives long remembers what was made of it until the garbage collector comes by.
  const links = [closing, request.signal].map((signal) => linked(signal, ending));
  return {
    request,
    ended: ending.signal,
    deadline: patience.signal,
    begun,
    finish: () => {
      begun();
      for (const unlink of links) unlink();
    },
    waits: 0,
    refused: undefined,
    access: undefined,
    sent: undefined,
  };
}

/** Aborts with a signal, until what is returned is called. */
function linked(signal: AbortSignal | undefined, controller: AbortController): () => void {
  const onAbort = (): void => controller.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted) onAbort();
  return () => signal?.removeEventListener('abort', onAbort);
}
