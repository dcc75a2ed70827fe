import type { Fact, Observe } from './facts.ts';
import { EXCEEDED, Limited } from './limited.ts';
import { type Counter, exponentialBuckets, type Gauge, type Histogram, type MetricLabels, type MetricSink } from './metrics.ts';

/** What {@link runtimeMetrics} takes. */
export interface RuntimeMetricsOptions {
  readonly metrics: MetricSink;
  /** How many clusters have a label of their own; the others share `exceeded_cardinality_limit`. Default 1,000. */
  readonly clusters?: number;
  /**
   * How many of them have histograms of their own; those of the others are together under that label. The histograms of a cluster have about a
   * hundred lines: with a thousand clusters each scrape would be ten megabytes and more. Default 100.
   */
  readonly histogramClusters?: number;
}

/** Bounds in seconds of `controller_runtime_reconcile_time_seconds`. */
const RECONCILE_BUCKETS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5, 1.75, 2, 2.5, 3,
  3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
];
/** Bounds in seconds of `rest_client_request_duration_seconds` (component-base). */
const REQUEST_BUCKETS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];
const RESULTS = ['success', 'error', 'requeue', 'requeue_after'];
const BREAKER_STATES = ['closed', 'open', 'half-open'];

/** How many of those that have left are remembered: what they still do is over soon. */
const MOST_GONE = 1000;

/** Metrics that have the same labels, so that a cluster's series can be forgotten together. */
type Group = readonly (Counter | Gauge | Histogram)[];

type Folds = { readonly [K in Fact['fact']]?: (fact: Extract<Fact, { readonly fact: K }>) => void };

/**
 * Makes metrics of facts. The names are those of controller-runtime and client-go, with a label `cluster` more; what they have no name for is
 * called `clusterset_…`. Labels `name` and `controller` of `workqueue_…` both say how the queue is called, as in controller-runtime.
 *
 * A cluster that leaves takes its series along, and what is told of it later isn't counted. Where more clusters are there at once than `clusters`, those that came last share a label;
 * of histograms, where there are more than `histogramClusters`. Sums over the label `cluster` are right in each case. Where clusters share a label, nothing is said of their breakers, as one gauge can't speak for several.
 *
 * @throws RangeError where one of the names is in `metrics` already: call it once for each registry.
 */
export function runtimeMetrics({ metrics, clusters = 1000, histogramClusters = 100 }: RuntimeMetricsOptions): Observe {
  const series = new ClusterSeries(clusters, histogramClusters);
  const folds: Folds = {
    ...queueFolds(metrics, series),
    ...reconcileFolds(metrics, series),
    ...cacheFolds(metrics, series),
    ...setFolds(metrics, series),
    ...requestFolds(metrics, series),
  };
  return (fact) => {
    // Whoever leaves still has something to end: that must not bring its series back.
    if (fact.fact !== 'member' && 'cluster' in fact && series.isGone(fact.cluster)) return;
    (folds[fact.fact] as ((fact: Fact) => void) | undefined)?.(fact);
  };
}

function queueFolds(metrics: MetricSink, series: ClusterSeries): Folds {
  const labelNames = ['name', 'controller', 'cluster'];
  const adds = metrics.counter({ name: 'workqueue_adds_total', help: 'Keys that were put into a queue.', labelNames });
  const retries = metrics.counter({
    name: 'workqueue_retries_total',
    help: 'Keys that were put into a queue again after a failure.',
    labelNames,
  });
  const waits = metrics.histogram({
    name: 'workqueue_queue_duration_seconds',
    help: 'How long keys were ready before they were worked on.',
    labelNames,
    buckets: exponentialBuckets(10e-9, 10, 12),
  });
  const breakers = metrics.gauge({
    name: 'clusterset_breaker_state',
    help: 'The breaker of a cluster: 1 for the state that it is in.',
    labelNames: [...labelNames, 'state'],
  });
  const queues: Group = [adds, retries];
  const queue = (cluster: string, name: string): MetricLabels =>
    series.labels(queues, cluster, name, (label) => {
      const labels = { name, controller: name, cluster: label };
      retries.inc(labels, 0);
      return labels;
    });
  return {
    queued: ({ queue: name, cluster, isRetry }) => {
      const labels = queue(cluster, name);
      adds.inc(labels);
      if (isRetry) retries.inc(labels);
    },
    taken: ({ queue: name, cluster, waitedMs }) => {
      const labels = series.histogramLabels([waits], cluster, name, (label) => ({ name, controller: name, cluster: label }));
      waits.observe(labels, waitedMs / 1000);
    },
    breaker: ({ queue: name, cluster, state }) => {
      for (const each of BREAKER_STATES) {
        const more = (label: string): MetricLabels => ({ name, controller: name, cluster: label, state: each });
        const labels = series.labels([breakers], cluster, `${each} ${name}`, more);
        if (labels.cluster !== EXCEEDED) breakers.set(labels, each === state ? 1 : 0);
      }
    },
  };
}

function reconcileFolds(metrics: MetricSink, series: ClusterSeries): Folds {
  const labelNames = ['controller', 'cluster'];
  const counterOf = (name: string, help: string): Counter =>
    metrics.counter({ name: `controller_runtime_${name}`, help, labelNames });
  const errors = counterOf('reconcile_errors_total', 'Reconciles that failed.');
  const terminal = counterOf('terminal_reconcile_errors_total', 'Reconciles that failed and are not tried again.');
  const timeouts = counterOf('reconcile_timeouts_total', 'Reconciles that took longer than they may.');
  const times = metrics.histogram({
    name: 'controller_runtime_reconcile_time_seconds',
    help: 'How long reconciles took.',
    labelNames,
    buckets: RECONCILE_BUCKETS,
  });
  const work = metrics.histogram({
    name: 'workqueue_work_duration_seconds',
    help: 'How long keys were worked on.',
    labelNames: ['name', 'controller', 'cluster'],
    buckets: exponentialBuckets(10e-9, 10, 12),
  });
  const results = metrics.counter({
    name: 'controller_runtime_reconcile_total',
    help: 'Reconciles by result.',
    labelNames: [...labelNames, 'result'],
  });
  const group: Group = [errors, terminal, timeouts];
  const histograms: Group = [times, work];
  const resultOf = (cluster: string, controller: string, result: string): MetricLabels =>
    series.labels([results], cluster, `${result} ${controller}`, (label) => ({ controller, cluster: label, result }));
  return {
    reconciled: ({ controller, cluster, outcome, durationMs }) => {
      const labels = series.labels(group, cluster, controller, (label) => {
        const made = { controller, cluster: label };
        // All results are there from the first on, so that the rate of the first error can be seen.
        for (const result of RESULTS) results.inc(resultOf(cluster, controller, result), 0);
        for (const counter of [errors, terminal, timeouts]) counter.inc(made, 0);
        return made;
      });
      const isError = !RESULTS.includes(outcome) || outcome === 'error';
      results.inc(resultOf(cluster, controller, isError ? 'error' : outcome));
      if (isError) errors.inc(labels);
      if (outcome === 'terminal') terminal.inc(labels);
      if (outcome === 'timeout') timeouts.inc(labels);
      const own = (label: string): MetricLabels => ({ controller, name: controller, cluster: label });
      const measured = series.histogramLabels(histograms, cluster, controller, own);
      times.observe(measured, durationMs / 1000);
      work.observe(measured, durationMs / 1000);
    },
  };
}

function cacheFolds(metrics: MetricSink, series: ClusterSeries): Folds {
  const labelNames = ['cluster', 'resource'];
  const counter = (name: string, help: string, more: readonly string[] = []): Counter =>
    metrics.counter({ name: `clusterset_${name}`, help, labelNames: [...labelNames, ...more] });
  const lists = counter('lists_total', 'Lists for caches, by why they were needed.', ['reason']);
  const listed = counter('listed_objects_total', 'Objects that lists for caches came back with.');
  const began = counter('watches_total', 'Watches that began.');
  const ended = counter('watch_ends_total', 'Watches that ended, by why.', ['reason']);
  const events = counter('watch_events_total', 'Events of watches that have ended.');
  const plain: Group = [listed, began, events];
  const labelsOf = (cluster: string, resource: string): MetricLabels =>
    series.labels(plain, cluster, resource, (label) => ({ cluster: label, resource }));
  const withReason = (metric: Counter, cluster: string, resource: string, reason: string): MetricLabels => {
    return series.labels([metric], cluster, `${metric === lists ? 'l' : 'w'} ${reason} ${resource}`, (label) => ({
      cluster: label,
      resource,
      reason,
    }));
  };
  return {
    listed: ({ cluster, resource, reason, objects }) => {
      lists.inc(withReason(lists, cluster, resource, reason));
      listed.inc(labelsOf(cluster, resource), objects);
    },
    'watch-began': ({ cluster, resource }) => began.inc(labelsOf(cluster, resource)),
    'watch-ended': ({ cluster, resource, reason, events: count }) => {
      ended.inc(withReason(ended, cluster, resource, reason));
      events.inc(labelsOf(cluster, resource), count);
    },
  };
}

function setFolds(metrics: MetricSink, series: ClusterSeries): Folds {
  const members = metrics.gauge({ name: 'clusterset_members', help: 'Members of the set by state.', labelNames: ['state'] });
  const changes = metrics.counter({
    name: 'clusterset_member_state_changes_total',
    help: 'How often members came into a state.',
    labelNames: ['cluster', 'state'],
  });
  const leading = metrics.gauge({
    name: 'leader_election_master_status',
    help: 'Whether this process leads: 1 for the leader, 0 for those in wait.',
    labelNames: ['name'],
  });
  const shardClusters = metrics.gauge({
    name: 'clusterset_shard_clusters',
    help: 'Clusters of this replica.',
    labelNames: ['group'],
  });
  const shardMembers = metrics.gauge({
    name: 'clusterset_shard_members',
    help: 'Replicas that share the clusters.',
    labelNames: ['group'],
  });
  const dropped = metrics.counter({
    name: 'clusterset_events_dropped_total',
    help: 'Events that were never written, by why.',
    labelNames: ['cluster', 'reason'],
  });
  const states = new Map<string, string>();
  const counts = new Map<string, number>();
  const move = (state: string | undefined, by: number): void => {
    if (state === undefined) return;
    const count = (counts.get(state) ?? 0) + by;
    counts.set(state, count);
    members.set({ state }, count);
  };
  return {
    member: ({ cluster, state }) => {
      move(states.get(cluster), -1);
      move(state, 1);
      if (state === undefined) {
        states.delete(cluster);
        series.forget(cluster);
        return;
      }
      states.set(cluster, state);
      series.welcome(cluster);
      changes.inc(series.labels([changes], cluster, state, (label) => ({ cluster: label, state })));
    },
    leading: ({ lease, isLeading }) => leading.set({ name: lease }, isLeading ? 1 : 0),
    shard: ({ group, clusters, members: replicas }) => {
      shardClusters.set({ group }, clusters);
      shardMembers.set({ group }, replicas);
    },
    'event-dropped': ({ cluster, reason }) =>
      dropped.inc(series.labels([dropped], cluster, reason, (label) => ({ cluster: label, reason }))),
  };
}

function requestFolds(metrics: MetricSink, series: ClusterSeries): Folds {
  const total = metrics.counter({
    name: 'rest_client_requests_total',
    help: 'Requests to API servers by status, method and host. Without an answer the code is that of the error.',
    labelNames: ['code', 'method', 'host', 'cluster'],
  });
  const durations = metrics.histogram({
    name: 'rest_client_request_duration_seconds',
    help: 'How long API servers took to begin their answers.',
    labelNames: ['verb', 'host', 'cluster'],
    buckets: REQUEST_BUCKETS,
  });
  return {
    request: ({ cluster, method, host: server, code: status, durationMs }) => {
      const code = String(status);
      // Each cluster has an address of its own: where clusters share a label, addresses do, too.
      const host = series.isOwn(cluster) ? server : EXCEEDED;
      total.inc(
        series.labels([total], cluster, `${method} ${code} ${host}`, (label) => ({ code, method, host, cluster: label })),
      );
      const at = series.hasHistograms(cluster) ? server : EXCEEDED;
      const verbs = (label: string): MetricLabels => ({ verb: method, host: at, cluster: label });
      durations.observe(series.histogramLabels([durations], cluster, `${method} ${at}`, verbs), durationMs / 1000);
    },
  };
}

/** The labels that a cluster's series have: made once, and forgotten with the cluster. */
class ClusterSeries {
  readonly #limit: Limited;
  readonly #histogramLimit: Limited;
  /** By cluster, then by metric and what else is in the labels. */
  readonly #clusters = new Map<string, Map<unknown, Map<string, MetricLabels>>>();
  readonly #groups = new Map<unknown, Group>();
  /** The last that have left, the oldest first. */
  readonly #gone = new Set<string>();

  constructor(most: number, mostHistograms: number) {
    this.#limit = new Limited(most);
    this.#histogramLimit = new Limited(mostHistograms);
  }

  /** The labels of a cluster in a group of metrics; `rest` says what is in them beside the cluster. */
  labels(group: Group, cluster: string, rest: string, make: (cluster: string) => MetricLabels): MetricLabels {
    return this.#labels(group, this.isOwn(cluster) ? cluster : EXCEEDED, rest, make);
  }

  /** The same for histograms. */
  histogramLabels(group: Group, cluster: string, rest: string, make: (cluster: string) => MetricLabels): MetricLabels {
    return this.#labels(group, this.hasHistograms(cluster) ? cluster : EXCEEDED, rest, make);
  }

  /** Whether a cluster has a label of its own. */
  isOwn(cluster: string): boolean {
    return this.#limit.admit(cluster);
  }

  /** Whether it has a label of its own in histograms, too. */
  hasHistograms(cluster: string): boolean {
    return this.isOwn(cluster) && this.#histogramLimit.admit(cluster);
  }

  #labels(group: Group, label: string, rest: string, make: (cluster: string) => MetricLabels): MetricLabels {
    const byGroup = entry(this.#clusters, label, () => new Map<unknown, Map<string, MetricLabels>>());
    const [first] = group;
    const byRest = entry(byGroup, first, () => new Map<string, MetricLabels>());
    const known = byRest.get(rest);
    if (known !== undefined) return known;
    const labels = make(label);
    byRest.set(rest, labels);
    this.#groups.set(first, group);
    return labels;
  }

  /** Whether a cluster has left not long ago. */
  isGone(cluster: string): boolean {
    return this.#gone.has(cluster);
  }

  /** The cluster is there, again or for the first time. */
  welcome(cluster: string): void {
    this.#gone.delete(cluster);
  }

  /** Removes what metrics have of a cluster. What several share stays. */
  forget(cluster: string): void {
    this.#gone.add(cluster);
    const [oldest] = this.#gone;
    if (oldest !== undefined && this.#gone.size > MOST_GONE) this.#gone.delete(oldest);
    this.#limit.release(cluster);
    this.#histogramLimit.release(cluster);
    if (cluster === EXCEEDED) return;
    for (const [first, all] of this.#clusters.get(cluster) ?? []) {
      for (const labels of all.values()) for (const metric of this.#groups.get(first) ?? []) metric.remove(labels);
    }
    this.#clusters.delete(cluster);
  }
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
