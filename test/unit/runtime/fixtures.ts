import {
  type AnyObject,
  builtIn,
  type Cluster,
  ClustersetError,
  type ErrorCode,
  type ListOptions,
  type ObjectList,
  type ResourceType,
  type WatchEvent,
  type WatchOptions,
} from 'clusterset/kube';

/** A built-in type that is certain to be there. */
export function typeOf(group: string, kind: string): ResourceType {
  const type = builtIn(group, kind);
  if (type === undefined) throw new TypeError(`${kind} is not built in`);
  return type;
}

export const CONFIG_MAPS = typeOf('', 'ConfigMap');

export function configMap(
  name: string,
  version: number,
  more: { readonly uid?: string; readonly value?: string } = {},
): AnyObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: 'default', name, uid: more.uid ?? `${name}-1`, resourceVersion: String(version) },
    data: { value: more.value ?? '' },
  };
}

export function failed(code: ErrorCode, message = 'no', more: { readonly retryAfterMs?: number } = {}): ClustersetError {
  return new ClustersetError({ code, message, cluster: 'eu-1', ...more });
}

/** The verbs that a reflector and a cluster set need, written by hand. */
export interface Verbs {
  list?(options: ListOptions, type: ResourceType): Promise<ObjectList<AnyObject>>;
  watch?(options: WatchOptions, type: ResourceType): AsyncIterable<WatchEvent<AnyObject>>;
  ready?(signal: AbortSignal): Promise<boolean>;
  close?(): Promise<void>;
}

/** A cluster that can do what it is given, and nothing else. */
export function handMade(verbs: Verbs, name = 'eu-1'): Cluster {
  const none = (): never => {
    throw new TypeError('nobody should have called this');
  };
  const cluster = {
    name,
    list: (type: ResourceType, options: ListOptions) => (verbs.list ?? none)(options, type),
    watch: (type: ResourceType, options: WatchOptions) => (verbs.watch ?? none)(options, type),
    ready: ({ signal }: { readonly signal: AbortSignal }) => (verbs.ready ?? none)(signal),
    close: () => verbs.close?.() ?? Promise.resolve(),
    get: none,
    create: none,
    update: none,
    patch: none,
    apply: none,
    delete: none,
    resources: none,
    version: none,
  };
  return cluster as unknown as Cluster;
}

/** Never resolves; rejects as a call does when its signal fires. */
export function forever(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    const abort = (): void => reject(failed('Aborted', 'the call was ended'));
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
}

/** A watch over which nothing comes. */
export function silence({ signal }: WatchOptions): AsyncIterable<never> {
  return { [Symbol.asyncIterator]: () => ({ next: () => forever(signal as AbortSignal) }) };
}

/** A watch that fails before its first event. */
export function failing(error: Error): AsyncIterable<never> {
  return { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(error) }) };
}
