import { compareText, isRecord, stableStringify } from '../../kube/index.ts';
import { MANAGED_BY_LABEL, SERVICE_NAME_LABEL, type ServiceImportPort, SOURCE_CLUSTER_LABEL } from '../api.ts';
import { importedSliceStem, parseImportedName } from './names.ts';
import { type NumberedSlice, packEndpoints } from './packing.ts';
import { clusterIdProblem, type ReadSlice, readSourceSlice, textOf } from './reading.ts';
import { deletion, type SliceContent, type SliceStep, stepFor } from './steps.ts';
import { type EndpointSlice, type ImportedService, type LeftOut, SLICES_MANAGED_BY, type SourceCluster } from './types.ts';

/** What has to be done so that an importing cluster has the slices that it should have. */
export interface SliceImportPlan {
  readonly steps: readonly SliceStep[];
  /** Slices that are as they should be: the very same objects. */
  readonly unchanged: readonly EndpointSlice[];
  /** All slices as they will be, by name. */
  readonly slices: readonly EndpointSlice[];
  readonly leftOut: readonly LeftOut[];
}

/** What {@link importSlices} takes. */
export interface SliceImportInput extends ImportedService {
  /** What the exporting clusters have. A cluster that is listed without slices says that it has none. */
  readonly sources: readonly SourceCluster[];
  /** The slices of the service that the importing cluster has now. Those of others are left alone. */
  readonly current: readonly EndpointSlice[];
  /**
   * Clusters whose endpoints count: those with a lease, say. Slices of all others are deleted. Left out: all count.
   */
  readonly counting?: readonly string[];
  /** Clusters whose slices are not known yet: what was imported from them stays as it is. A silent cluster is not an empty one. */
  readonly pending?: readonly string[];
}

/** One slice of one cluster, for {@link importSourceSlice}. */
export interface SourceSlice {
  readonly cluster: string;
  /** `spec.ports` of the cluster's own Service. */
  readonly ports: readonly ServiceImportPort[];
  /** The slice; `undefined` (say so on purpose) where it is gone. */
  readonly slice: EndpointSlice | undefined;
}

/**
 * The slices that an importing cluster should have for one service, against those that it has (KEP-1645, EndpointSlice).
 *
 * Each source slice has imported slices of its own. So a slice never mixes clusters, families or sets of ports; what happens in one source
 * slice touches nothing that came from another; and whoever knows which source slice changed asks {@link importSourceSlice} for that one
 * alone. The price: many small source slices become many small imported ones. The state is the imported slices themselves, found by name.
 */
export function importSlices(input: SliceImportInput): SliceImportPlan {
  const { sources, current, counting, pending = [] } = input;
  const counts = counting === undefined ? () => true : setOf(counting);
  const waits = setOf(pending);
  const groups = groupByStem(current, input);
  const plans: SliceImportPlan[] = [];
  for (const source of uniqueSources(sources)) {
    if (counts(source.cluster) && !waits(source.cluster)) plans.push(...planCluster(input, source, groups));
  }
  const stay: EndpointSlice[] = [];
  const steps: SliceStep[] = [];
  for (const slice of [...groups.values()].flat()) {
    if (!isOurs(slice, input)) continue;
    const cluster = slice.metadata.labels?.[SOURCE_CLUSTER_LABEL] ?? '';
    if (!counts(cluster)) steps.push(deletion(slice, 'ClusterWithdrawn'));
    else if (waits(cluster)) stay.push(slice);
    else steps.push(deletion(slice, 'SourceGone'));
  }
  return joined([...plans, { steps, unchanged: stay, slices: stay, leftOut: [] }]);
}

/**
 * The same for one source slice. `current` are the slices that were imported from it ({@link sourceOfSlice} tells): the work is in proportion to
 * that one slice, whatever else the service has.
 */
export function importSourceSlice(
  service: ImportedService,
  source: SourceSlice,
  current: readonly EndpointSlice[],
): SliceImportPlan {
  const { cluster, ports, slice } = source;
  const groups = groupByStem(current, service);
  const plans = slice === undefined ? [] : planCluster(service, { cluster, ports, slices: [slice] }, groups);
  const steps = [...groups.values()]
    .flat()
    .filter((each) => isOurs(each, service))
    .map((each) => deletion(each, 'SourceGone'));
  return joined([...plans, { steps, unchanged: [], slices: [], leftOut: [] }]);
}

/**
 * The sources with only those slices of which something would be imported: what a traffic policy should look at. Leave out the sources of
 * clusters that don't count, so that they can't win.
 */
export function importableSources(service: ImportedService, sources: readonly SourceCluster[]): readonly SourceCluster[] {
  return sources
    .filter(({ cluster }) => clusterIdProblem(cluster) === undefined)
    .map((source) => ({
      ...source,
      slices: source.slices.filter((slice) => readSourceSlice(service, { ...source, slice }).source !== undefined),
    }));
}

type Groups = Map<string, EndpointSlice[]>;

/** Takes what it plans for out of the groups. */
function planCluster(service: ImportedService, source: SourceCluster, groups: Groups): readonly SliceImportPlan[] {
  const { cluster, ports, slices } = source;
  const problem = clusterIdProblem(cluster);
  if (problem !== undefined) {
    const message = `the cluster id can't be the value of a label: ${problem}`;
    return [{ steps: [], unchanged: [], slices: [], leftOut: [{ reason: 'ClusterIdDoesNotFit', cluster, message }] }];
  }
  const seen = new Set<string>();
  return inOrder(slices).map((slice) => {
    const { source: read, leftOut } = readSourceSlice(service, { cluster, ports, slice });
    if (read === undefined) return { ...withdrawn(service, cluster, slice, groups), leftOut };
    if (seen.has(read.name)) {
      const message = 'the cluster has two slices of this name';
      return {
        steps: [],
        unchanged: [],
        slices: [],
        leftOut: [{ reason: 'DuplicateSource', cluster, slice: read.name, message }],
      };
    }
    seen.add(read.name);
    const stem = stemOf(service, cluster, read);
    const group = groups.get(stem) ?? [];
    groups.delete(stem);
    return { ...planSlice(service, cluster, read, stem, group), leftOut };
  });
}

function planSlice(
  service: ImportedService,
  cluster: string,
  source: ReadSlice,
  stem: string,
  group: readonly EndpointSlice[],
): Omit<SliceImportPlan, 'leftOut'> {
  const numbered: readonly NumberedSlice[] = group.map((slice) => ({
    slice,
    index: parseImportedName(slice.metadata.name)?.index ?? 0,
  }));
  const [usable, others] = split(numbered, ({ slice }) => isUsable(slice, source.addressType));
  const most = Math.min(1000, Math.max(1, Math.floor(service.maxEndpoints ?? 100) || 100));
  const packed = packEndpoints(usable, source.endpoints, most, new Set(others.map(({ index }) => index)));
  const content: SliceContent = { service, cluster, source };
  const results = packed.map((each) => stepFor(content, each, `${stem}-${each.index}`, usable.length === 0));
  const steps = results.flatMap(({ step }) => (step === undefined ? [] : [step]));
  const unchanged = results.flatMap(({ step, slice }) => (step === undefined && slice !== undefined ? [slice] : []));
  return { steps, unchanged, slices: results.flatMap(({ slice }) => (slice === undefined ? [] : [slice])) };
}

/** A slice of ours under a name of ours, unless somebody else has claimed it or it is on its way out. */
function isUsable({ metadata, addressType }: EndpointSlice, wanted: string): boolean {
  const keeper = metadata.labels?.[MANAGED_BY_LABEL];
  const claimed = keeper !== undefined && keeper !== SLICES_MANAGED_BY;
  return !claimed && metadata.deletionTimestamp === undefined && addressType === wanted;
}

/** A source slice that can't be imported any more takes its imported slices with it. */
function withdrawn(
  service: ImportedService,
  cluster: string,
  slice: EndpointSlice,
  groups: Groups,
): Omit<SliceImportPlan, 'leftOut'> {
  const name = isRecord(slice) && isRecord(slice.metadata) ? slice.metadata.name : undefined;
  const stem = typeof name === 'string' ? stemOf(service, cluster, { name, addressType: textOf(slice.addressType) }) : '';
  const group = groups.get(stem) ?? [];
  groups.delete(stem);
  const steps = group.filter((each) => isOurs(each, service)).map((each) => deletion(each, 'SourceLeftOut'));
  return { steps, unchanged: [], slices: [] };
}

function stemOf(
  { serviceImport }: ImportedService,
  cluster: string,
  { name, addressType }: { readonly name: string; readonly addressType: string },
): string {
  const { namespace = '', name: service } = serviceImport.metadata;
  return importedSliceStem({ namespace, service, cluster, slice: name, addressType });
}

function groupByStem(current: readonly EndpointSlice[], { serviceImport }: ImportedService): Groups {
  const groups: Groups = new Map();
  for (const slice of current) {
    const parsed = parseImportedName(textOf(slice?.metadata?.name));
    if (parsed === undefined || slice.metadata.namespace !== serviceImport.metadata.namespace) continue;
    const group = groups.get(parsed.stem);
    if (group === undefined) groups.set(parsed.stem, [slice]);
    else group.push(slice);
  }
  return groups;
}

/** Only what we keep, and for this service, is ever deleted. */
function isOurs({ metadata }: EndpointSlice, { serviceImport }: ImportedService): boolean {
  const { labels, deletionTimestamp } = metadata;
  const ours = labels?.[MANAGED_BY_LABEL] === SLICES_MANAGED_BY && labels[SERVICE_NAME_LABEL] === serviceImport.metadata.name;
  return ours && deletionTimestamp === undefined;
}

/** By name; where two have one name, the order they came in must not decide. */
function inOrder(slices: readonly EndpointSlice[]): readonly EndpointSlice[] {
  if (slices.length < 2) return slices;
  const nameOf = (slice: EndpointSlice): string => textOf(slice?.metadata?.name);
  return slices.toSorted(
    (a, b) =>
      compareText(nameOf(a), nameOf(b)) || (nameOf(a) === nameOf(b) ? compareText(stableStringify(a), stableStringify(b)) : 0),
  );
}

/** One entry for each cluster: two for one cluster are put together, with the ports of the first. */
function uniqueSources(sources: readonly SourceCluster[]): readonly SourceCluster[] {
  const found = new Map<string, SourceCluster>();
  for (const source of sources) {
    const earlier = found.get(source.cluster);
    found.set(source.cluster, earlier === undefined ? source : { ...earlier, slices: [...earlier.slices, ...source.slices] });
  }
  return [...found.values()].sort((a, b) => compareText(a.cluster, b.cluster));
}

function joined(plans: readonly SliceImportPlan[]): SliceImportPlan {
  const slices = plans.flatMap((plan) => plan.slices);
  return {
    steps: plans.flatMap((plan) => plan.steps),
    unchanged: plans.flatMap((plan) => plan.unchanged),
    slices: slices.sort((a, b) => compareText(a.metadata.name, b.metadata.name)),
    leftOut: plans.flatMap((plan) => plan.leftOut),
  };
}

function setOf(names: readonly string[]): (name: string) => boolean {
  const set = new Set(names);
  return (name) => set.has(name);
}

function split<T>(items: readonly T[], test: (item: T) => boolean): readonly [readonly T[], readonly T[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}
