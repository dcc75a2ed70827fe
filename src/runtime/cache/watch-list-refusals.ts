import type { ResourceType } from '../../kube/plain/index.ts';

/** Which types a cluster connection has refused to stream the list of: they are listed at once, for as long as the connection is used. */
export class WatchListRefusals {
  readonly #types = new WeakMap<object, Set<string>>();

  /** Whether streamed lists of a type were refused over a connection. */
  has(cluster: object, type: ResourceType): boolean {
    return this.#types.get(cluster)?.has(nameOf(type)) ?? false;
  }

  /** Remembers that they were. */
  add(cluster: object, type: ResourceType): void {
    const types = this.#types.get(cluster) ?? new Set();
    this.#types.set(cluster, types.add(nameOf(type)));
  }
}

function nameOf({ group, version, plural }: ResourceType): string {
  return `${group}/${version}/${plural}`;
}
