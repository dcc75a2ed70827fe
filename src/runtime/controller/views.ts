import {
  ClustersetError,
  type KubeObject,
  qualifiedPlural,
  type ResourceAddress,
  type ResourceType,
} from '../../kube/plain/index.ts';
import type { ClusterView } from './cluster-view.ts';
import type { Cached, CachedWhere } from './input.ts';

/** All that a controller sees. */
export class Views {
  /** Of the clusters that it works in. */
  readonly own = new Map<string, ClusterView>();
  /** Of where it only watches. One cluster may be there several times: each `oneCluster` is a place of its own. */
  readonly others = new Set<ClusterView>();

  /**
   * What is seen of a type, from a call that works in a cluster.
   *
   * @throws as `ReconcileInput.cached` does.
   */
  cached<T extends KubeObject>(from: ClusterView, type: ResourceType<T>, where: string | CachedWhere = {}): Cached<T> {
    const sought = typeof where === 'string' ? { cluster: where } : where;
    const { cluster: name = from.name } = sought;
    const own = name === from.name ? from : this.own.get(name);
    const others = [...this.others].filter((view) => view.name === name);
    // What is watched elsewhere on purpose is meant where a cluster is named: the host may be a member, too.
    const views = sought.cluster === undefined ? [own, ...others] : [...others, own];
    for (const view of views) {
      const cached = view?.cached(type, sought);
      if (cached !== undefined) return cached;
    }
    if (views.some((view) => view !== undefined)) throw notWatched(from.controller, type, name);
    throw new ClustersetError({
      code: 'Unreachable',
      message: 'nothing is watched there now',
      cluster: name,
      mend: 'check the name, and that the cluster is connected',
    });
  }
}

function notWatched(controller: string, type: ResourceAddress, cluster: string): TypeError {
  const plural = qualifiedPlural(type);
  return new TypeError(
    `the controller ${controller} does not watch ${plural} in ${cluster} like that: say so with owns or watches`,
  );
}
