import { compareText, type Health, type HealthThresholds, healthAfter, setCondition } from '../kube/index.ts';
import type { ClusterEntry } from './entry.ts';

/** What a look at a cluster has shown (kubefed asked `/healthz`; today's question is `/readyz`). */
export type ClusterProbe =
  | { readonly answer: 'ok'; readonly kubernetesVersion?: string }
  /** It answers, and says that it isn't well. */
  | { readonly answer: 'not-ok'; readonly message: string }
  | { readonly answer: 'none'; readonly message: string }
  /** There is no way to ask: no credentials, no address. */
  | { readonly answer: 'misconfigured'; readonly message: string };

/** How patient one is. */
export interface ClusterHealthOptions extends Partial<HealthThresholds> {
  /**
   * How long a cluster that isn't ready stays engaged, in milliseconds, from the look on that found it so: also the first, because a controller
   * that starts anew must not take a slip for a loss. Default 60,000; 0 disengages at once.
   */
  readonly graceMs?: number;
}

/** What is thought of a cluster: plain data, to be kept between looks. */
export interface ClusterHealth {
  readonly health: Health;
  /** Since when it has not been ready; absent while it is. RFC 3339. */
  readonly notReadySince?: string;
  /** Whether controllers should go on working with it. */
  readonly engaged: boolean;
  /** `Ready`, `Offline` and `ConfigMalformed`: always all of them. */
  readonly conditions: NonNullable<ClusterEntry['conditions']>;
  readonly kubernetesVersion?: string;
}

const THRESHOLDS: HealthThresholds = { successes: 1, failures: 3 };
const GRACE_MS = 60_000;

/**
 * Takes one look at a cluster in, at a time. Only looks in a row that contradict what is thought count, so that one slip changes nothing
 * (kubefed issue 1496); a cluster that isn't ready stays engaged for a while, and is engaged again as soon as it is ready. Where nothing
 * changed the very same value comes back, and there is nothing to write; conditions carry no heartbeat for that reason.
 */
export function clusterHealth(
  kept: ClusterHealth | null | undefined,
  probe: ClusterProbe,
  now: string,
  { successes = THRESHOLDS.successes, failures = THRESHOLDS.failures, graceMs = GRACE_MS }: ClusterHealthOptions = {},
): ClusterHealth {
  // A store that holds nothing yet often says null.
  const before = kept ?? undefined;
  const health = healthAfter(before?.health, probe.answer === 'ok', { successes, failures });
  const isHeld = before !== undefined && health.ready !== (probe.answer === 'ok');
  const conditions = isHeld ? before.conditions : conditionsAfter(before?.conditions ?? [], probe, now);
  const notReadySince = health.ready ? undefined : (before?.notReadySince ?? now);
  const engaged = notReadySince === undefined || Date.parse(now) - Date.parse(notReadySince) < graceMs;
  // A version that could not be read just now is still the last that was seen.
  const kubernetesVersion = (probe.answer === 'ok' ? probe.kubernetesVersion : undefined) ?? before?.kubernetesVersion;
  const after: ClusterHealth = {
    health,
    engaged,
    conditions,
    ...(notReadySince === undefined ? {} : { notReadySince }),
    ...(kubernetesVersion === undefined ? {} : { kubernetesVersion }),
  };
  return before !== undefined && isSame(before, after) ? before : after;
}

function isSame(a: ClusterHealth, b: ClusterHealth): boolean {
  return (
    a.health === b.health &&
    a.engaged === b.engaged &&
    a.conditions === b.conditions &&
    a.notReadySince === b.notReadySince &&
    a.kubernetesVersion === b.kubernetesVersion
  );
}

type Conditions = ClusterHealth['conditions'];
type Said = readonly [ready: Sentence, offline: Sentence, malformed: Sentence];
type Sentence = readonly [status: 'True' | 'False' | 'Unknown', reason: string, message: string];

const CONFIGURED: Sentence = ['False', 'ClusterConfigured', 'the cluster can be asked'];
const REACHABLE: Sentence = ['False', 'ClusterReachable', 'the cluster is reachable'];

function conditionsAfter(before: Conditions, probe: ClusterProbe, now: string): Conditions {
  const types = ['Ready', 'Offline', 'ConfigMalformed'] as const;
  const said = sayings(probe);
  return types.reduce<Conditions>((conditions, type, index) => {
    const [status, reason, message] = said[index] ?? CONFIGURED;
    const old = conditions.find((each) => each.type === type);
    // The words of a failure often differ from one to the next; the state has not changed.
    const isSameState = old?.status === status && old.reason === reason;
    return isSameState ? conditions : [...setCondition(conditions, { type, status, reason, message }, now)];
  }, before);
}

function sayings(probe: ClusterProbe): Said {
  switch (probe.answer) {
    case 'ok':
      return [['True', 'ClusterReady', '/readyz responded with ok'], REACHABLE, CONFIGURED];
    case 'not-ok':
      return [['False', 'ClusterNotReady', probe.message], REACHABLE, CONFIGURED];
    case 'none':
      return [['Unknown', 'ClusterNotReachable', probe.message], ['True', 'ClusterNotReachable', probe.message], CONFIGURED];
    case 'misconfigured':
      return [
        ['Unknown', 'ClusterConfigMalformed', probe.message],
        ['Unknown', 'ClusterConfigMalformed', 'the cluster could not be asked'],
        ['True', 'ClusterConfigMalformed', probe.message],
      ];
  }
}

/** A node, as far as its place matters. */
export interface PlacedNode {
  readonly metadata: { readonly labels?: Readonly<Record<string, string>> };
}

/**
 * Where a cluster is, by its nodes: all their zones, and the region that most of them are in (API: well-known labels
 * `topology.kubernetes.io/zone` and `…/region`; the old beta labels count where a node has only those). Nodes that don't say leave what was
 * known before.
 */
export function topologyOf(
  nodes: readonly PlacedNode[],
  before: Pick<ClusterEntry, 'region' | 'zones'> = {},
): Pick<ClusterEntry, 'region' | 'zones'> {
  const zones = new Set<string>();
  const regions = new Map<string, number>();
  for (const { metadata } of nodes) {
    const zone = place(metadata.labels, 'zone');
    const region = place(metadata.labels, 'region');
    if (zone !== undefined) zones.add(zone);
    if (region !== undefined) regions.set(region, (regions.get(region) ?? 0) + 1);
  }
  const [most] = [...regions].sort(([a, x], [b, y]) => y - x || compareText(a, b));
  const region = most?.[0] ?? before.region;
  const known = zones.size === 0 ? before.zones : [...zones].sort(compareText);
  return { ...(region === undefined ? {} : { region }), ...(known === undefined ? {} : { zones: known }) };
}

function place(labels: Readonly<Record<string, string>> | undefined, part: 'zone' | 'region'): string | undefined {
  const value = labels?.[`topology.kubernetes.io/${part}`] ?? labels?.[`failure-domain.beta.kubernetes.io/${part}`];
  return value === '' ? undefined : value;
}
