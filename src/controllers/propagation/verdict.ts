import type { Decision, StepResult } from '../../federation/index.ts';

/** What was decided for one object, and where something of it may be. */
export interface Verdict {
  readonly decision: Decision;
  /** Clusters that may have something of the object, as is written down on the host. */
  readonly record: ReadonlySet<string>;
  /** Members that had not been asked how they are: what is decided for them doesn't count yet. */
  readonly unasked: ReadonlySet<string>;
}

/** What became of a decision in one cluster. */
export interface Settled extends StepResult {
  /** Whether the cluster itself has said that nothing of ours is left there. */
  readonly isAbsent: boolean;
}
