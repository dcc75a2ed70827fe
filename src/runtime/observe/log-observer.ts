import { isClustersetError } from '../../kube/plain/index.ts';
import type { Fact, Observe } from './facts.ts';
import type { LogFields, Logger } from './log.ts';

/** How a fact reads: its level, its words, and what is left out of its fields. */
interface Line {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
}

type Lines = { readonly [K in Fact['fact']]?: (fact: Extract<Fact, { readonly fact: K }>) => Line };

const line = (level: Line['level'], message: string): Line => ({ level, message });

const LINES: Lines = {
  reconciled: ({ outcome }) => {
    if (outcome === 'terminal') return line('error', 'the reconcile failed and is not tried again');
    if (outcome === 'error') return line('warn', 'the reconcile failed');
    return outcome === 'timeout' ? line('warn', 'the reconcile took too long') : line('debug', 'reconciled');
  },
  // That somebody wanted it to end is no failure.
  'watch-ended': ({ error, reason }) => line(error === undefined || reason === 'stopped' ? 'debug' : 'warn', 'the watch ended'),
  breaker: ({ state }) => line(state === 'closed' ? 'info' : 'warn', `the breaker is ${state}`),
  member: ({ state }) => line('info', state === undefined ? 'the member has left' : `the member is ${state}`),
  leading: ({ isLeading }) => line('info', isLeading ? 'became the leader' : 'stopped leading'),
  'lease-failed': () => line('warn', 'the lease could not be read or written'),
  shard: () => line('info', 'the clusters were shared out'),
  'event-dropped': ({ reason }) =>
    line('warn', reason === 'full' ? 'an event was dropped: too many wait' : 'an event could not be written'),
};

/**
 * Tells facts to a logger: failures as `warn`, those that nobody tries to mend any more as `error`, changes of state as `info`, the rest as
 * `debug`. The fields of a fact become the fields of its line; of an error only what {@link errorFields} takes.
 */
export function logObserver(logger: Logger): Observe {
  return (fact) => {
    const { level, message } = (LINES[fact.fact] as ((fact: Fact) => Line) | undefined)?.(fact) ?? line('debug', fact.fact);
    const fields: Record<string, string | number | boolean> = {};
    for (const [name, value] of Object.entries(fact)) {
      if (isPlain(value)) fields[name] = value;
    }
    logger.log(level, message, 'error' in fact && fact.error !== undefined ? { ...fields, ...errorFields(fact.error) } : fields);
  };
}

function isPlain(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/**
 * What a log may say of an error: the message, and the code of one of ours or the name of a foreign one. Never its cause, its stack or its other
 * fields: errors of HTTP clients carry whole requests there, with their headers.
 */
export function errorFields(error: unknown): LogFields {
  try {
    if (isClustersetError(error)) return { error: error.message, code: error.code };
    if (error instanceof Error) return { error: String(error.message), errorName: String(error.name) };
  } catch {
    // An error may have been made to fail when it is looked at.
  }
  return { error: `no error was thrown, but a value of type ${typeof error}` };
}
