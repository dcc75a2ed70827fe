import { compareText } from '../../kube/index.ts';
import { SOURCE_CLUSTER_LABEL } from '../api.ts';
import type { IPFamily } from '../merge/ip-families.ts';
import { endpointKey, hasAddresses, isReady } from '../slices/reading.ts';
import type { EndpointSlice, SliceEndpoint } from '../slices/types.ts';
import { type ClusterUse, isWeight, type TrafficCluster, type TrafficPolicy, type TrafficReason } from './policy.ts';
import { chooseSubset, countsByWeight } from './subset.ts';

/** The slices of one cluster. */
export interface ClusterSlices {
  readonly cluster: string;
  readonly slices: readonly EndpointSlice[];
}

/** What {@link shapeTraffic} takes. */
export interface TrafficInput<Source extends ClusterSlices = ClusterSlices> {
  readonly policy: TrafficPolicy;
  /** Id of the cluster that the traffic comes from: the importing one. */
  readonly local: string;
  /** Labels of clusters by their id; a cluster without an entry has none. */
  readonly labels?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Slices of one service. */
  readonly sources: readonly Source[];
  /**
   * How an endpoint that isn't used looks: `NotReady` (default) marks it so, which keeps its place in its slice and lets others see it;
   * `LeftOut` takes it out.
   */
  readonly unused?: 'NotReady' | 'LeftOut';
}

/** What one cluster gets of one family's traffic. */
export interface ClusterShare {
  readonly cluster: string;
  readonly addressType: IPFamily;
  readonly ready: number;
  /** Ready endpoints that are used. */
  readonly used: number;
  /** From 0 to 1: the part of connections that ends there, if each used endpoint gets the same, as with kube-proxy. */
  readonly share: number;
  /** The same for each of its used endpoints. */
  readonly perEndpoint: number;
  /** The part that the policy's weight asked for, where it gave one. */
  readonly wanted?: number;
  readonly reason: TrafficReason;
}

/** Where traffic goes, why, and the slices that say so. */
export interface ShapedTraffic<Source extends ClusterSlices = ClusterSlices> {
  /** By family, then cluster. */
  readonly shares: readonly ClusterShare[];
  /** The sources, with what isn't used marked or taken out. Slices and sources without any change are the very same objects. */
  readonly sources: readonly Source[];
}

/**
 * Applies a traffic policy to the slices of one service, as seen from one cluster.
 *
 * EndpointSlices can say of an endpoint that it takes part or that it doesn't, and nothing between. So local preference, failover and
 * draining are exact; weights are approximated by using a part of the endpoints (see {@link ClusterShare.wanted} beside `share`). Each family
 * is decided on its own, because a client can't change its family. Policies look at what is passed: pass `importableSources`, so that
 * endpoints that are never imported can't win, and import what comes back, so that only `importSlices` compares with what is there.
 */
export function shapeTraffic<Source extends ClusterSlices>(input: TrafficInput<Source>): ShapedTraffic<Source> {
  const families: readonly IPFamily[] = ['IPv4', 'IPv6'];
  const decisions = families.map((addressType) => decide(input, addressType));
  return {
    shares: decisions.flatMap(({ shares }) => shares),
    sources: input.sources.map((source) => shapedSource(source, decisions, input.unused ?? 'NotReady')),
  };
}

/** Slices by the cluster of their label; slices without one belong to no cluster, and are left out. */
export function slicesByCluster(slices: readonly EndpointSlice[]): readonly ClusterSlices[] {
  const found = new Map<string, EndpointSlice[]>();
  for (const slice of slices) {
    const cluster: unknown = slice?.metadata?.labels?.[SOURCE_CLUSTER_LABEL];
    if (typeof cluster !== 'string') continue;
    const list = found.get(cluster);
    if (list === undefined) found.set(cluster, [slice]);
    else list.push(slice);
  }
  return [...found].map(([cluster, list]) => ({ cluster, slices: list })).sort((a, b) => compareText(a.cluster, b.cluster));
}

/** What of one cluster's endpoints is used. */
interface Selection {
  /** Keys of the ready endpoints that are. */
  readonly keys: ReadonlySet<string>;
  /** Whether the policy keeps the cluster out, also where nobody has a ready endpoint. */
  readonly isOut: boolean;
}

interface Decision {
  readonly addressType: IPFamily;
  readonly shares: readonly ClusterShare[];
  readonly selections: ReadonlyMap<string, Selection>;
}

interface Decided {
  readonly cluster: TrafficCluster;
  readonly use: ClusterUse;
}

function decide(input: TrafficInput, addressType: IPFamily): Decision {
  const ready = readyKeys(input.sources, addressType);
  const clusters = clustersOf(ready, input);
  const uses = clusters.length === 0 ? new Map<string, ClusterUse>() : input.policy({ addressType, clusters });
  const decided = clusters.map(
    (cluster): Decided => ({ cluster, use: uses.get(cluster.name) ?? { use: 'None', reason: 'NotDecided' } }),
  );
  const counts = countsByWeight(
    decided.map(({ cluster, use }) => ({
      name: cluster.name,
      ready: cluster.ready,
      weight: use.use === 'Weight' ? use.weight : 0,
    })),
  );
  const selections = new Map(
    decided.map(({ cluster, use }): [string, Selection] => {
      const count = use.use === 'All' ? cluster.ready : (counts.get(cluster.name) ?? 0);
      const isOut = use.use === 'None' && use.reason !== 'NoReadyEndpoint';
      return [cluster.name, { keys: chooseSubset(ready.get(cluster.name) ?? [], count, input.local), isOut }];
    }),
  );
  return { addressType, shares: sharesOf(addressType, decided, selections), selections };
}

function clustersOf(
  ready: ReadonlyMap<string, readonly string[]>,
  { local, labels = {} }: TrafficInput,
): readonly TrafficCluster[] {
  return [...ready].map(([name, keys]) => ({
    name,
    labels: Object.hasOwn(labels, name) ? (labels[name] ?? {}) : {},
    ready: keys.length,
    isLocal: name === local,
  }));
}

function sharesOf(
  addressType: IPFamily,
  decided: readonly Decided[],
  selections: ReadonlyMap<string, Selection>,
): readonly ClusterShare[] {
  const usedOf = (cluster: TrafficCluster): number => selections.get(cluster.name)?.keys.size ?? 0;
  const weightOf = ({ cluster, use }: Decided): number =>
    use.use === 'Weight' && isWeight(use.weight) && cluster.ready > 0 ? use.weight : 0;
  const total = decided.reduce((sum, { cluster }) => sum + usedOf(cluster), 0);
  const weights = decided.reduce((sum, each) => sum + weightOf(each), 0);
  return decided.map((each) => {
    const { cluster, use } = each;
    const used = usedOf(cluster);
    return {
      cluster: cluster.name,
      addressType,
      ready: cluster.ready,
      used,
      share: total === 0 ? 0 : used / total,
      perEndpoint: used === 0 ? 0 : 1 / total,
      ...(weightOf(each) === 0 ? {} : { wanted: weightOf(each) / weights }),
      reason: use.reason,
    };
  });
}

/** Ready endpoints by cluster, each once: a slice may hold what another already has, while Kubernetes moves endpoints. */
function readyKeys(sources: readonly ClusterSlices[], family: IPFamily): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, Set<string>>();
  for (const { cluster, slices } of sources) {
    const ofFamily = slices.filter((slice) => slice?.addressType === family);
    if (ofFamily.length === 0) continue;
    const keys = found.get(cluster) ?? new Set<string>();
    found.set(cluster, keys);
    for (const slice of ofFamily) for (const endpoint of endpointsOf(slice)) if (isReady(endpoint)) keys.add(keyOf(endpoint));
  }
  return new Map([...found].sort(([a], [b]) => compareText(a, b)).map(([cluster, keys]) => [cluster, [...keys]]));
}

function shapedSource<Source extends ClusterSlices>(
  source: Source,
  decisions: readonly Decision[],
  unused: 'NotReady' | 'LeftOut',
): Source {
  const slices = source.slices.map((slice) => {
    const decision = decisions.find(({ addressType }) => addressType === slice?.addressType);
    const selection = decision?.selections.get(source.cluster);
    return selection === undefined ? slice : shapedSlice(slice, selection, unused);
  });
  return slices.every((slice, index) => slice === source.slices[index]) ? source : { ...source, slices };
}

/** A slice whose endpoints are all taken out stays, empty: the import then deletes what was made of it. */
function shapedSlice(slice: EndpointSlice, selection: Selection, unused: 'NotReady' | 'LeftOut'): EndpointSlice {
  const list = Array.isArray(slice.endpoints) ? slice.endpoints : [];
  const endpoints =
    unused === 'LeftOut'
      ? list.filter((endpoint) => isUsed(endpoint, selection))
      : list.map((endpoint) => (isUsed(endpoint, selection) ? endpoint : notReady(endpoint)));
  const same = endpoints.length === list.length && endpoints.every((endpoint, index) => endpoint === list[index]);
  return same ? slice : { ...slice, endpoints };
}

/**
 * Whether an endpoint stays as it is. One that is going away but still serves gets traffic where nobody is ready (API: discovery.k8s.io/v1
 * EndpointConditions), so it is taken out with its cluster only.
 */
function isUsed(endpoint: SliceEndpoint, { keys, isOut }: Selection): boolean {
  if (!hasAddresses(endpoint)) return true;
  if (isReady(endpoint)) return keys.has(keyOf(endpoint));
  return !isOut || endpoint.conditions?.serving !== true;
}

function notReady(endpoint: SliceEndpoint): SliceEndpoint {
  const { conditions } = endpoint;
  const serving = conditions?.serving === true ? { serving: false } : {};
  return { ...endpoint, conditions: { ...conditions, ready: false, ...serving } };
}

function endpointsOf(slice: EndpointSlice): readonly SliceEndpoint[] {
  return Array.isArray(slice.endpoints) ? slice.endpoints.filter(hasAddresses) : [];
}

function keyOf(endpoint: SliceEndpoint): string {
  return endpointKey(endpoint.addresses, endpoint.hostname);
}
