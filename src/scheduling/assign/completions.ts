import { divideCompletions } from '../karmada/divide.ts';

/** What one cluster does of a Job. */
export interface CompletionShare {
  readonly cluster: string;
  /** How many pods may run there at a time: the replicas that it was given. */
  readonly parallelism: number;
  /** How many pods have to succeed there. A cluster with 0 needs no Job. */
  readonly completions: number;
}

/**
 * Divides the completions of a Job whose parallelism is divided: in proportion to it, after Webster, as `divideCompletions` does for Karmada.
 * Their sum is `completions`, unless no cluster was given any parallelism. More completions never take one from any cluster.
 *
 * @returns by cluster, in the order of the shares. Whether a Job is under way already plays no part: completions of a Job can't be changed.
 */
export function assignCompletions(
  shares: readonly { readonly cluster: string; readonly replicas: number }[],
  completions: number,
  uid?: string,
): readonly CompletionShare[] {
  const divided = divideCompletions(shares, completions, uid);
  return shares.map(({ cluster, replicas }, index) => ({
    cluster,
    parallelism: replicas,
    completions: divided[index]?.completions ?? 0,
  }));
}
