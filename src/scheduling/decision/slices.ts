import {
  apiVersionOf,
  ClustersetError,
  checkDnsLabel,
  checkDnsSubdomain,
  checkLabelValue,
  compareKeys,
  contentHash,
} from '../../kube/index.ts';
import {
  DECISION_INDEX_LABEL,
  DECISION_KEY_LABEL,
  DECISION_REVISION_LABEL,
  LARGEST_SLICE,
  PLACEMENT_KEY_LABEL,
  PlacementDecision,
} from './api.ts';

/** A cluster that was chosen, by its ClusterProfile. */
export interface ChosenCluster {
  readonly name: string;
  /** Default: the namespace of the decision. */
  readonly namespace?: string;
  /** For people. */
  readonly reason?: string;
}

/** What {@link placementDecisionsOf} takes. */
export interface PlacementDecisionInput {
  /** Of the decision: the slices are called `<name>-0`, `<name>-1`, … */
  readonly name: string;
  readonly namespace: string;
  /** Of several entries for one cluster the first counts. */
  readonly clusters: readonly ChosenCluster[];
  readonly schedulerName: string;
  /** What is placed, as its own label `multicluster.x-k8s.io/placement-key` says. */
  readonly placementKey?: string;
  /**
   * Text that changes whenever the chosen clusters do. With it a reader can tell a decision that is half written from a whole one; the price is
   * that every change writes all slices. Default: none, so that a change writes only the slices that it touches.
   */
  readonly revision?: string;
}

/** Longest value of a label, and how much of it is a hash where the text itself doesn't fit. */
const LONGEST_LABEL = 63;
const LABEL_HASH = 16;
/** Leaves room for the index behind the name of an object. */
const LONGEST_BASE = 240;

/**
 * The slices of a decision: clusters in the order of their names, {@link LARGEST_SLICE} to a slice; one empty slice where nothing is chosen, so
 * that readers know that much. The same clusters, in whatever order, give the same slices.
 *
 * What is no value for a label, because it is too long or has other characters, is shortened, with a hash behind it.
 *
 * @throws ClustersetError `Invalid` for names that no object can have.
 */
export function placementDecisionsOf(input: PlacementDecisionInput): readonly PlacementDecision[] {
  checkNames(input);
  const decisions = chosen(input).map(({ name, namespace, reason }) => ({
    clusterProfileRef: { name, ...(namespace === undefined ? {} : { namespace }) },
    ...(reason === undefined || reason === '' ? {} : { reason }),
  }));
  const count = Math.max(1, Math.ceil(decisions.length / LARGEST_SLICE));
  return Array.from({ length: count }, (_, index) => ({
    apiVersion: apiVersionOf(PlacementDecision),
    kind: PlacementDecision.kind,
    metadata: {
      name: `${baseOf(input.name)}-${index}`,
      namespace: input.namespace,
      labels: labelsOf(input, index),
    },
    decisions: decisions.slice(index * LARGEST_SLICE, (index + 1) * LARGEST_SLICE),
    schedulerName: input.schedulerName,
  }));
}

/** The value of the label {@link DECISION_KEY_LABEL} for a decision of some name: what its slices are listed by. */
export function decisionKeyOf(name: string): string {
  return labelValueOf(name);
}

function labelsOf({ name, placementKey, revision }: PlacementDecisionInput, index: number): Readonly<Record<string, string>> {
  return {
    [DECISION_KEY_LABEL]: decisionKeyOf(name),
    [DECISION_INDEX_LABEL]: String(index),
    ...(placementKey === undefined ? {} : { [PLACEMENT_KEY_LABEL]: labelValueOf(placementKey) }),
    ...(revision === undefined ? {} : { [DECISION_REVISION_LABEL]: labelValueOf(revision) }),
  };
}

/** Each cluster once; the namespace is only named where it isn't that of the decision. */
function chosen({ namespace: own, clusters }: PlacementDecisionInput): readonly ChosenCluster[] {
  const byKey = new Map<string, ChosenCluster>();
  for (const { namespace, name, reason } of clusters) {
    const isElsewhere = namespace !== undefined && namespace !== '' && namespace !== own;
    const key = `${isElsewhere ? namespace : own}/${name}`;
    if (byKey.has(key)) continue;
    byKey.set(key, { name, ...(isElsewhere ? { namespace } : {}), ...(reason === undefined ? {} : { reason }) });
  }
  const withNamespace = (each: ChosenCluster) => ({ name: each.name, namespace: each.namespace ?? own });
  return [...byKey.values()].sort((a, b) => compareKeys(withNamespace(a), withNamespace(b)));
}

function baseOf(name: string): string {
  if (name.length <= LONGEST_BASE) return name;
  const hash = contentHash(name).slice(0, LABEL_HASH);
  return `${name.slice(0, LONGEST_BASE - LABEL_HASH - 1).replace(/[-.]+$/, '')}-${hash}`;
}

function labelValueOf(text: string): string {
  if (text !== '' && checkLabelValue(text).length === 0) return text;
  const hash = contentHash(text).slice(0, LABEL_HASH);
  const readable = text
    .slice(0, LONGEST_LABEL - LABEL_HASH - 1)
    .replace(/[^A-Za-z0-9_.-]/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '');
  return readable === '' ? hash : `${readable}-${hash}`;
}

function checkNames({ name, namespace, clusters }: PlacementDecisionInput): void {
  refuse('name', name, checkDnsSubdomain(name));
  refuse('namespace', namespace, checkDnsLabel(namespace));
  for (const [index, cluster] of clusters.entries()) {
    refuse(`clusters[${index}].name`, cluster.name, checkDnsSubdomain(cluster.name));
    const { namespace: other = '' } = cluster;
    if (other !== '') refuse(`clusters[${index}].namespace`, other, checkDnsLabel(other));
  }
}

function refuse(field: string, value: string, [problem]: readonly string[]): void {
  if (problem === undefined) return;
  throw new ClustersetError({
    code: 'Invalid',
    message: `${JSON.stringify(value)} is the name of no object: ${problem}`,
    field,
    mend: 'give the name of the object itself; a decision refers to objects',
  });
}
