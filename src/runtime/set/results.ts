import { ClustersetError, type ErrorCode, isClustersetError } from '../../kube/plain/index.ts';
import { messageOf } from './attend.ts';
import type { MemberState } from './member-state.ts';

/** A cluster for which the work was done. */
export interface ClusterSuccess<T> {
  /** The cluster's name. */
  readonly cluster: string;
  readonly ok: true;
  readonly value: T;
}

/** A cluster for which it was not. */
export interface ClusterFailure {
  readonly cluster: string;
  readonly ok: false;
  /**
   * What the work threw; or a `ClustersetError`: `Timeout` where it took too long, `Unreachable` where there is no connection, or the cluster
   * has left the set.
   */
  readonly error: unknown;
  /** How the cluster was doing when the work ended. */
  readonly state: MemberState;
}

/** What came of one cluster. */
export type ClusterResult<T> = ClusterSuccess<T> | ClusterFailure;

/** How many failures an error quotes. */
const QUOTED = 3;

/** What came of each cluster of a set: that some fail is the normal case. */
export class ClusterResults<T> {
  /** By the clusters' names, in the order of the set. */
  readonly results: ReadonlyMap<string, ClusterResult<T>>;

  constructor(results: ReadonlyMap<string, ClusterResult<T>>) {
    this.results = results;
  }

  /** What was made, by the names of the clusters for which it was. */
  values(): ReadonlyMap<string, T> {
    return new Map([...this.results].flatMap(([name, result]) => (result.ok ? [[name, result.value] as const] : [])));
  }

  /** What went wrong, by the names of the clusters. */
  failures(): ReadonlyMap<string, ClusterFailure> {
    return new Map([...this.results].flatMap(([name, result]) => (result.ok ? [] : [[name, result] as const])));
  }

  /**
   * The values, where there are enough.
   *
   * `min` says how many clusters must have succeeded. Default: all.
   * @throws ClustersetError that names the clusters and quotes the first reasons. Its code is that of the failures where all have the same, and
   * `Unreachable` otherwise; its cause is an `AggregateError` of all of them.
   */
  orThrow({ min = this.results.size }: { readonly min?: number } = {}): ReadonlyMap<string, T> {
    const values = this.values();
    if (values.size >= min) return values;
    throw this.#error(min);
  }

  #error(min: number): ClustersetError {
    const failures = [...this.failures()];
    const quoted = failures.slice(0, QUOTED).map(([name, { error }]) => `${name} (${messageOf(error, name)})`);
    const others = failures.slice(QUOTED).map(([name]) => name);
    const wanted = min === this.results.size ? '' : ` where ${min} must succeed`;
    const list = failures.length === 0 ? '' : `: ${[...quoted, ...others].join(', ')}`;
    const [only] = failures;
    return new ClustersetError({
      code: commonCode(failures.map(([, { error }]) => error)),
      message: `${failures.length} of ${this.results.size} clusters failed${wanted}${list}`,
      ...(failures.length === 1 && only !== undefined ? { cluster: only[0] } : {}),
      cause: new AggregateError(failures.map(([, { error }]) => error)),
    });
  }
}

function commonCode(errors: readonly unknown[]): ErrorCode {
  const codes = new Set(errors.map((error) => (isClustersetError(error) ? error.code : undefined)));
  const [code] = codes;
  return codes.size === 1 && code !== undefined ? code : 'Unreachable';
}
