import { EXCEEDED, Limited } from './limited.ts';
import type { Gauge, MetricDefinition, MetricSink } from './metrics.ts';

/** A gauge whose values are read when somebody asks for them. */
export interface GaugeDefinition extends MetricDefinition {
  readonly labelNames: readonly string[];
  /** What becomes of values whose labels fall together, because there are too many clusters or priorities. */
  readonly together: 'sum' | 'max';
}

/** One value, now. */
export interface GaugeReading {
  readonly gauge: GaugeDefinition;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Something that can tell how it is doing: a queue, a controller, the event loop. It is asked before each scrape, and must not wait. */
export interface GaugeSource {
  /** Its numbers, at this moment. */
  gauges(): Iterable<GaugeReading>;
}

const QUEUE = ['name', 'controller', 'cluster'];

/** The gauges that queues and controllers tell of, called as controller-runtime calls them. */
export const GAUGES = {
  /** Keys that are ready, by priority. */
  depth: {
    name: 'workqueue_depth',
    help: 'Keys that are ready to be worked on, by priority.',
    labelNames: [...QUEUE, 'priority'],
    together: 'sum',
  },
  /** Seconds of work under way, of all keys that are worked on: it grows where a reconcile hangs. */
  unfinishedWork: {
    name: 'workqueue_unfinished_work_seconds',
    help: 'Seconds of work that is under way and has not been seen by work_duration. Large values mean stuck work.',
    labelNames: QUEUE,
    together: 'sum',
  },
  /** Seconds since the oldest work under way began. */
  longestRunning: {
    name: 'workqueue_longest_running_processor_seconds',
    help: 'Seconds since the oldest work that is under way began.',
    labelNames: QUEUE,
    together: 'max',
  },
  /** Reconciles under way. */
  activeWorkers: {
    name: 'controller_runtime_active_workers',
    help: 'Reconciles that are under way.',
    labelNames: ['controller', 'cluster'],
    together: 'sum',
  },
  /** How many reconciles a controller may do at once. */
  maxConcurrent: {
    name: 'controller_runtime_max_concurrent_reconciles',
    help: 'How many reconciles may be under way at once.',
    labelNames: ['controller'],
    together: 'max',
  },
  /** Keys that wait while the breaker of their cluster is open. */
  parked: {
    name: 'clusterset_workqueue_parked',
    help: 'Keys that wait until the breaker of their cluster closes.',
    labelNames: QUEUE,
    together: 'sum',
  },
  /** Seconds since the server last said how new a cache is. */
  cacheAge: {
    name: 'clusterset_cache_age_seconds',
    help: 'Seconds since a cache last heard from its cluster.',
    labelNames: ['cluster', 'resource'],
    together: 'max',
  },
  /** Objects in a cache. */
  cacheObjects: {
    name: 'clusterset_cache_objects',
    help: 'Objects in a cache.',
    labelNames: ['cluster', 'resource'],
    together: 'sum',
  },
} as const satisfies Record<string, GaugeDefinition>;

/** What {@link collectGauges} takes. */
export interface CollectGaugesOptions {
  readonly metrics: MetricSink;
  /** Who is asked, at each scrape anew: sources may come and go. */
  readonly sources: () => Iterable<GaugeSource>;
  /** How many clusters have a label of their own; the others share `exceeded_cardinality_limit`. Default 1,000. */
  readonly clusters?: number;
}

/** As many priorities have a label of their own (controller-runtime). */
const MOST_PRIORITIES = 25;

/**
 * Reads gauges from their sources at each scrape. What no source tells of any more is gone from the metrics, too. A source that throws is left
 * out.
 */
export function collectGauges({ metrics, sources, clusters = 1000 }: CollectGaugesOptions): void {
  const gauges = new Map<string, Gauge>();
  const gaugeOf = (definition: GaugeDefinition): Gauge => {
    const gauge = gauges.get(definition.name) ?? metrics.gauge(definition);
    gauges.set(definition.name, gauge);
    return gauge;
  };
  metrics.collect(() => {
    for (const gauge of gauges.values()) gauge.reset();
    for (const { gauge, labels, value } of gathered(sources(), clusters)) gaugeOf(gauge).set(labels, value);
  });
}

/** The readings, those with the same labels as one. */
function gathered(sources: Iterable<GaugeSource>, clusters: number): Iterable<GaugeReading> {
  // Only those that are there now count: who has left leaves room for others.
  const limits = { cluster: new Limited(clusters), priority: new Limited(MOST_PRIORITIES) };
  const all = new Map<string, GaugeReading>();
  for (const { gauge, labels, value } of readings(sources)) {
    const own = limited(labels, limits);
    const key = JSON.stringify([gauge.name, ...gauge.labelNames.map((label) => own[label] ?? '')]);
    const before = all.get(key)?.value;
    all.set(key, { gauge, labels: own, value: before === undefined ? value : joined(gauge, before, value) });
  }
  return all.values();
}

function joined({ together }: GaugeDefinition, a: number, b: number): number {
  return together === 'sum' ? a + b : Math.max(a, b);
}

function* readings(sources: Iterable<GaugeSource>): Generator<GaugeReading> {
  for (const source of sources) {
    try {
      yield* source.gauges();
    } catch {
      // Who can't tell how it is doing must not hide how the others do.
    }
  }
}

function limited(
  labels: Readonly<Record<string, string>>,
  limits: { readonly cluster: Limited; readonly priority: Limited },
): Readonly<Record<string, string>> {
  const { cluster, priority } = labels;
  const own = { ...labels };
  if (cluster !== undefined) own.cluster = limits.cluster.admit(cluster) ? cluster : EXCEEDED;
  if (priority !== undefined) own.priority = limits.priority.admit(priority) ? priority : EXCEEDED;
  return own;
}
