import { z } from 'zod';
import { compareText, formatFieldPath, shapeError } from '../kube/index.ts';
import { checkClusterId } from './check.ts';

const text = z.string().min(1);

const remembered = z.array(
  z.looseObject({
    cluster: text,
    id: text,
    clusterSet: text,
    uid: text.exactOptional(),
  }),
);

/** Who a member was when it was last seen in good order. Plain JSON, to be kept between two checks. */
export interface RememberedIdentity {
  /** How the cluster is called here. */
  readonly cluster: string;
  readonly id: string;
  readonly clusterSet: string;
  /** Uid of its namespace kube-system: what stays the same for as long as the cluster is the same. Absent where it couldn't be read. */
  readonly uid?: string;
}

/**
 * Reads what was remembered, such as the content of a file.
 *
 * @throws ClustersetError `Invalid`, with the path of each field that is wrong: `[2].id`.
 */
export function parseRemembered(value: unknown): readonly RememberedIdentity[] {
  const result = remembered.safeParse(value);
  const issues = result.success
    ? result.data.flatMap(({ id }, index) => checkClusterId(id).map((issue) => ({ ...issue, field: `[${index}].id` })))
    : result.error.issues.map(({ path, message }) => ({
        field: formatFieldPath(path.map(String), value),
        message: message.replace(/^Invalid input: /, ''),
      }));
  if (issues.length === 0) return value as readonly RememberedIdentity[];
  throw shapeError('RememberedIdentities', undefined, issues);
}

/** What is remembered without an id: after a cluster was rebuilt or renamed on purpose, or has left for good. */
export function forgetIdentity(all: readonly RememberedIdentity[], id: string): readonly RememberedIdentity[] {
  return all.filter((each) => each.id !== id);
}

/** Orders by the cluster's name, by code units. */
export function byCluster(a: { readonly cluster: string }, b: { readonly cluster: string }): number {
  return compareText(a.cluster, b.cluster);
}

/** What is unique: an id within its ClusterSet (KEP-2149, uniqueness). */
export function memberKey(clusterSet: string, id: string): string {
  return JSON.stringify([clusterSet, id]);
}
