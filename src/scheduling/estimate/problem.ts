import { ClustersetError, compareKeys, compareText, type Issue, type ObjectReference } from '../../kube/index.ts';

/** What of a node or a pod could not be read, and so counts as not said. */
export interface EstimateProblem extends Issue {
  readonly object: ObjectReference;
}

/** Takes what is wrong with a field. */
export type Report = (field: string, message: string) => void;

const MOST_PROBLEMS = 100;

/** Where nothing may be wrong. @throws ClustersetError `Invalid` with the field. */
export function refuse(field: string, message: string): never {
  throw new ClustersetError({ code: 'Invalid', field, message });
}

/** The first hundred, in an order of their own. */
export function inOrder(problems: readonly EstimateProblem[]): readonly EstimateProblem[] {
  const byObject = (a: EstimateProblem, b: EstimateProblem): number =>
    compareText(a.object.kind, b.object.kind) || compareKeys(a.object, b.object);
  return problems
    .toSorted((a, b) => byObject(a, b) || compareText(a.field, b.field) || compareText(a.message, b.message))
    .slice(0, MOST_PROBLEMS);
}
