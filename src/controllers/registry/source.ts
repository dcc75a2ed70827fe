import {
  type ClusterReader,
  type ClusterSource,
  type ClusterWatcher,
  type Issue,
  keyOf,
  type ObjectKey,
} from '../../kube/index.ts';
import { type ClusterEntry, combineEntries, type RegistryKind } from '../../registry/index.ts';
import { type Clock, watchedObjects } from '../../runtime/index.ts';

/** What {@link registrySource} takes. */
export interface RegistrySourceOptions {
  /** The cluster that the registry is in. */
  readonly host: ClusterReader & ClusterWatcher;
  /** What stands for a cluster there: one of `REGISTRY_KINDS` of `clusterset/registry`. */
  readonly kind: RegistryKind;
  /** One namespace; all of them where it is absent, and then entries are called `namespace/name`. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  /** Numbers from 0 up to 1, which spread retries. Default: `Math.random`. */
  readonly random?: () => number;
  /** Is told what of the registry could not be used, after each change. */
  readonly onIssues?: (issues: readonly (Issue & { readonly object: ObjectKey })[]) => void;
  /** Is told when the registry can't be read. What was known stays. */
  readonly onError?: (error: unknown) => void;
}

/**
 * The clusters of a registry, as they come and go. Where the registry can't be read, or its type isn't served for a while, the last membership
 * stays: not to know isn't the same as to know of nobody. A cluster whose object is being deleted is a member until the object is gone.
 */
export function registrySource(options: RegistrySourceOptions): ClusterSource<ClusterEntry> {
  const { host, kind, namespace, onIssues, ...rest } = options;
  const naming = namespace === undefined ? 'namespace/name' : 'name';
  return {
    async *watch(signal) {
      const which = { ...rest, cluster: host, type: kind.type, namespace };
      for await (const objects of watchedObjects(which, signal as globalThis.AbortSignal)) {
        const mapped = objects.map((object) => ({ key: keyOf(object), ...kind.entryOf(object, naming) }));
        onIssues?.(mapped.flatMap(({ key, issues }) => issues.map((issue) => ({ ...issue, object: key }))));
        yield combineEntries([mapped.flatMap(({ entry }) => entry ?? [])]).entries;
      }
    },
  };
}
