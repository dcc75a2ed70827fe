/** How a reconcile came out, in controller-runtime's words, and `terminal`: an error that waiting can't mend. */
export type ReconcileOutcome = 'success' | 'error' | 'requeue' | 'requeue_after' | 'terminal' | 'timeout';

/** Why objects are listed anew. */
export type ListReason = 'first' | 'expired' | 'restored' | 'broken' | 'fallback';

/** Why a watch ended. */
export type WatchEnd = 'time' | 'short' | 'expired' | 'silent' | 'failed' | 'stopped';

/**
 * Something that happened, for whoever counts, logs or traces: one narrow stream of plain data that metrics, logs and diagnostics are made of.
 * Times are in milliseconds. Nothing in it is secret, but for what an `error` may hold: that is the value that was thrown, which may have a cause
 * with a whole request in it, and servers quote values in what they say. Take of it what `errorFields` takes.
 */
export type Fact =
  /** A key was put into a queue. `isRetry`: after a failure. */
  | {
      readonly fact: 'queued';
      readonly queue: string;
      readonly cluster: string;
      readonly priority: number;
      readonly isRetry: boolean;
    }
  /** A key was handed out, so long after it was ready. */
  | { readonly fact: 'taken'; readonly queue: string; readonly cluster: string; readonly waitedMs: number }
  /** The breaker of a cluster: its keys are parked while it is open. */
  | {
      readonly fact: 'breaker';
      readonly queue: string;
      readonly cluster: string;
      readonly state: 'closed' | 'open' | 'half-open';
    }
  | {
      readonly fact: 'reconciled';
      readonly controller: string;
      readonly cluster: string;
      /** `namespace/name`. */
      readonly key: string;
      /** 1 for the first try, one more for every failure in a row before it. */
      readonly attempt: number;
      readonly outcome: ReconcileOutcome;
      readonly durationMs: number;
      readonly error?: unknown;
    }
  | {
      readonly fact: 'listed';
      readonly cluster: string;
      /** `deployments.apps`. */
      readonly resource: string;
      readonly reason: ListReason;
      readonly objects: number;
      readonly durationMs: number;
    }
  | { readonly fact: 'watch-began'; readonly cluster: string; readonly resource: string }
  | {
      readonly fact: 'watch-ended';
      readonly cluster: string;
      readonly resource: string;
      readonly reason: WatchEnd;
      readonly events: number;
      readonly error?: unknown;
    }
  /** A member of a set has changed its state; it came where `before` is absent, and is gone where `state` is. */
  | {
      readonly fact: 'member';
      readonly cluster: string;
      readonly before?: string;
      readonly state?: string;
      readonly reason: string;
    }
  | {
      readonly fact: 'leading';
      readonly lease: string;
      readonly identity: string;
      readonly isLeading: boolean;
      readonly epoch: number;
    }
  /** The lease could not be read or written; it is tried again. While that goes on, nobody may lead. */
  | { readonly fact: 'lease-failed'; readonly lease: string; readonly identity: string; readonly error: unknown }
  | {
      readonly fact: 'shard';
      readonly group: string;
      readonly identity: string;
      readonly clusters: number;
      readonly members: number;
    }
  /** One request to an API server was answered, or failed: the answer to a watch counts when it begins. Every attempt of a call is one. */
  | {
      readonly fact: 'request';
      readonly cluster: string;
      /** `GET`, `PATCH`. */
      readonly method: string;
      /** Host and port of the server. */
      readonly host: string;
      /** The path with names and query left out: `/apis/apps/v1/namespaces/{namespace}/deployments/{name}`. */
      readonly path: string;
      /** Status of the answer; where there was none, the code of the error. */
      readonly code: number | string;
      readonly durationMs: number;
    }
  /** An event could not be written, or there were too many. */
  | {
      readonly fact: 'event-dropped';
      readonly cluster: string;
      readonly reason: 'full' | 'failed';
      /** What the last try failed with. */
      readonly error?: unknown;
    };

/** Takes facts. Must not throw and must not wait; whoever tells of a fact shields itself with {@link told}. */
export type Observe = (fact: Fact) => void;

/** An {@link Observe} that may throw without doing harm; `undefined` for none stays cheap. */
export function told(observe: Observe | undefined): Observe {
  if (observe === undefined) return () => undefined;
  return (fact) => {
    try {
      observe(fact);
    } catch {
      // Who listens may fail; the work goes on.
    }
  };
}

/** Several listeners as one. */
export function observers(...all: readonly Observe[]): Observe {
  const shielded = all.map(told);
  return (fact) => {
    for (const observe of shielded) observe(fact);
  };
}
