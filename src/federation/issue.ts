import type { ClustersetError, Issue } from '../kube/index.ts';

/** A problem of one object, and the cluster where it shows, if it shows in one only. */
export interface RenderIssue extends Issue {
  readonly cluster?: string;
}

/** What an error says, as an issue. */
export function issueOf({ field = '', detail, mend }: ClustersetError): RenderIssue {
  return { field, message: detail, ...(mend === undefined ? {} : { mend }) };
}
