import type { AnyObject } from 'clusterset/kube';

type Fields = Readonly<Record<string, unknown>>;

/** A change of the object that a case created: a merge patch of it, or of its status. Without a body the object is only read. */
export interface Change {
  readonly of: 'object' | 'status';
  readonly body?: Fields;
  /** Through which other version of its kind. */
  readonly as?: string;
}

/** An object that is created, perhaps changed, and read back. Its name says what it is about, and no two cases of a kind share one. */
export interface KindCase {
  readonly object: AnyObject;
  readonly changes: readonly Change[];
}

/** All cases live in this namespace. */
export const NAMESPACE = 'shop';

export const change = (body: Fields): Change => ({ of: 'object', body });
export const status = (body: Fields): Change => ({ of: 'status', body: { status: body } });

/** The object, or a change of it, through another version of its kind. */
export const through = (as: string, body?: Fields): Change => ({ of: 'object', as, ...(body === undefined ? {} : { body }) });

const CLUSTER_SCOPED: ReadonlySet<string> = new Set([
  'Namespace',
  'Node',
  'PersistentVolume',
  'ClusterRole',
  'ClusterRoleBinding',
]);

/** Makes the cases of one kind: each is a name, the fields beside the metadata, and changes. */
export function casesOf(apiVersion: string, kind: string): (name: string, fields: Fields, ...changes: Change[]) => KindCase {
  return (name, { metadata, ...fields }, ...changes) => ({
    object: {
      apiVersion,
      kind,
      metadata: { name, ...(CLUSTER_SCOPED.has(kind) ? {} : { namespace: NAMESPACE }), ...(metadata as Fields | undefined) },
      ...fields,
    } as AnyObject,
    changes,
  });
}

/** A pod template that fits the selector `app: web`. */
export const template = (spec: Fields = {}, labels: Fields = { app: 'web' }): Fields => ({
  metadata: { labels },
  spec: { containers: [{ name: 'web', image: 'shop/web:1' }], ...spec },
});

export const selector = { matchLabels: { app: 'web' } };
