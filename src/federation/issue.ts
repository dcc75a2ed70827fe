import type { Issue } from '../kube/index.ts';

/** A problem of one object, and the cluster where it shows, if it shows in one only. */
export interface RenderIssue extends Issue {
  readonly cluster?: string;
}
