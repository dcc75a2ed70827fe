import type { Clock } from '../../runtime/time/index.ts';
import { type ClientRequest, isInScope, isWrite, type RequestScope, resourceText } from './request.ts';

/** One request, and what became of it. */
export interface LoggedRequest extends ClientRequest {
  /** Counts the requests of the cluster, from 1. */
  readonly number: number;
  /** When it was answered, in milliseconds since 1970; no skew of the cluster's clock counts. */
  readonly at: number;
  /** Name of the user. */
  readonly user: string;
  /** HTTP status of the answer; 0 where there was none, because the connection broke. */
  readonly code: number;
  /** Whether anything that is stored was changed: a write that changes nothing is written down as a write, and as no change. */
  readonly changed: boolean;
}

/** How many requests are kept at least. */
const KEPT = 10_000;

/**
 * What clients have asked of one cluster, oldest first; the newest 10,000 at least are kept. What the cluster's own controllers do isn't in it.
 *
 * ```ts
 * cluster.requests.clear();
 * await world.advance('10m');
 * expect(cluster.requests.writes()).toEqual([]);
 * ```
 */
export class RequestLog {
  readonly #clock: Clock;
  #kept: LoggedRequest[] = [];
  #count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many requests there were, since the cluster was made. */
  get count(): number {
    return this.#count;
  }

  /** The requests that are meant; all of them by default. */
  all(scope: RequestScope = {}): readonly LoggedRequest[] {
    return this.#kept.filter((request) => isInScope(request, scope));
  }

  /** The requests for a change, whether or not they were granted. */
  writes(scope: RequestScope = {}): readonly LoggedRequest[] {
    return this.all(scope).filter(isWrite);
  }

  /** The requests that have changed something. */
  changes(scope: RequestScope = {}): readonly LoggedRequest[] {
    return this.all(scope).filter(({ changed }) => changed);
  }

  /** A line for each request, for people: `#3 200 update deployments.apps shop/web by clusterset`. */
  lines(scope: RequestScope = {}): readonly string[] {
    return this.all(scope).map(line);
  }

  /** Forgets what was asked so far. */
  clear(): void {
    this.#kept = [];
  }

  /** @internal */
  add(request: ClientRequest, outcome: { readonly user: string; readonly code: number; readonly changed: boolean }): void {
    this.#count += 1;
    this.#kept.push({ ...request, ...outcome, number: this.#count, at: this.#clock.now() });
    if (this.#kept.length >= 2 * KEPT) this.#kept = this.#kept.slice(-KEPT);
  }
}

function line(request: LoggedRequest): string {
  const { number, code, verb, subresource, namespace, name, client, changed } = request;
  const what = `${resourceText(request)}${subresource === undefined ? '' : `/${subresource}`}`;
  const where = [namespace, name].filter((part) => part !== undefined && part !== '').join('/');
  const parts = [`#${number}`, code === 0 ? 'no answer' : String(code), verb, what, where, `by ${client}`];
  return `${parts.filter((part) => part !== '').join(' ')}${isWrite(request) && !changed && code < 400 ? ' (changed nothing)' : ''}`;
}
