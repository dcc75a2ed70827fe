import { type Fact, type MetricSink, Metrics, type ReconcileOutcome, runtimeMetrics } from 'clusterset/runtime';
import { describe, expect, it } from 'vitest';
import { readPrometheusText, sampleOf } from './prometheus-text.ts';

const EXCEEDED = 'exceeded_cardinality_limit';

const reconciled = (outcome: ReconcileOutcome, more: { readonly cluster?: string; readonly durationMs?: number } = {}): Fact => ({
  fact: 'reconciled',
  controller: 'placement',
  cluster: more.cluster ?? 'eu-1',
  key: 'shop/web',
  attempt: 1,
  outcome,
  durationMs: more.durationMs ?? 10,
});
const member = (cluster: string, state: string | undefined): Fact => ({
  fact: 'member',
  cluster,
  ...(state === undefined ? {} : { state }),
  reason: 'Said',
});

/** What comes of facts. */
function folded(facts: readonly Fact[], options: { readonly clusters?: number; readonly histogramClusters?: number } = {}) {
  const metrics = new Metrics();
  const observe = runtimeMetrics({ metrics, ...options });
  for (const fact of facts) observe(fact);
  return {
    text: () => metrics.text(),
    value: (name: string, labels: Readonly<Record<string, string>> = {}) => sampleOf(metrics.text(), name, labels),
    observe,
  };
}

const queue = { name: 'q', controller: 'q', cluster: 'eu-1' };
const controller = { controller: 'placement', cluster: 'eu-1' };
const caches = { cluster: 'eu-1', resource: 'deployments.apps' };

describe('the metrics of the runtime', () => {
  it.each<[string, readonly Fact[], string, Readonly<Record<string, string>>, number | undefined]>([
    ['keys', queued(false, false), 'workqueue_adds_total', queue, 2],
    ['retries', queued(false, true), 'workqueue_retries_total', queue, 1],
    ['no retries', queued(false), 'workqueue_retries_total', queue, 0],
    ['waits', [taken(1500)], 'workqueue_queue_duration_seconds_sum', queue, 1.5],
    ['waits by length', [taken(1500)], 'workqueue_queue_duration_seconds_bucket', { ...queue, le: '1' }, 0],
    ['open breakers', [breaker('open')], 'clusterset_breaker_state', { ...queue, state: 'open' }, 1],
    ['one state at a time', [breaker('open'), breaker('half-open')], 'clusterset_breaker_state', { ...queue, state: 'open' }, 0],
    ['work', [reconciled('success', { durationMs: 250 })], 'controller_runtime_reconcile_time_seconds_sum', controller, 0.25],
    [
      'work of queues',
      [reconciled('success', { durationMs: 250 })],
      'workqueue_work_duration_seconds_sum',
      { ...controller, name: 'placement' },
      0.25,
    ],
    ['lists', [listed('expired')], 'clusterset_lists_total', { ...caches, reason: 'expired' }, 1],
    ['objects', [listed('expired')], 'clusterset_listed_objects_total', caches, 7],
    ['watches', [{ fact: 'watch-began', ...caches }], 'clusterset_watches_total', caches, 1],
    ['ends of watches', [watchEnded()], 'clusterset_watch_ends_total', { ...caches, reason: 'silent' }, 1],
    ['events of watches', [watchEnded()], 'clusterset_watch_events_total', caches, 3],
    ['leaders', [leading(true)], 'leader_election_master_status', { name: 'shop/main' }, 1],
    ['leaders no more', [leading(true), leading(false)], 'leader_election_master_status', { name: 'shop/main' }, 0],
    ['shards', [shard()], 'clusterset_shard_clusters', { group: 'g' }, 4],
    ['replicas', [shard()], 'clusterset_shard_members', { group: 'g' }, 2],
    ['requests', [request(200)], 'rest_client_requests_total', { ...REQUEST, code: '200', method: 'GET' }, 1],
    [
      'requests with no answer',
      [request('Timeout')],
      'rest_client_requests_total',
      { ...REQUEST, code: 'Timeout', method: 'GET' },
      1,
    ],
    ['time of requests', [request(200)], 'rest_client_request_duration_seconds_sum', { ...REQUEST, verb: 'GET' }, 0.02],
    [
      'lost events',
      [{ fact: 'event-dropped', cluster: 'eu-1', reason: 'full' }],
      'clusterset_events_dropped_total',
      { cluster: 'eu-1', reason: 'full' },
      1,
    ],
    ['members', [member('eu-1', 'ready'), member('us-1', 'ready')], 'clusterset_members', { state: 'ready' }, 2],
    ['members on the move', [member('eu-1', 'joining'), member('eu-1', 'ready')], 'clusterset_members', { state: 'joining' }, 0],
    ['members that left', [member('eu-1', 'ready'), member('eu-1', undefined)], 'clusterset_members', { state: 'ready' }, 0],
  ])('count %s', (_, facts, name, labels, expected) => {
    expect(folded(facts).value(name, labels)).toBe(expected);
  });

  it.each<[ReconcileOutcome, { result: string; errors: number; terminal: number; timeouts: number }]>([
    ['success', { result: 'success', errors: 0, terminal: 0, timeouts: 0 }],
    ['requeue', { result: 'requeue', errors: 0, terminal: 0, timeouts: 0 }],
    ['requeue_after', { result: 'requeue_after', errors: 0, terminal: 0, timeouts: 0 }],
    ['error', { result: 'error', errors: 1, terminal: 0, timeouts: 0 }],
    ['terminal', { result: 'error', errors: 1, terminal: 1, timeouts: 0 }],
    ['timeout', { result: 'error', errors: 1, terminal: 0, timeouts: 1 }],
  ])('count the outcome %s as controller-runtime does, and all others as none', (outcome, expected) => {
    const { value } = folded([reconciled(outcome)]);
    const total = (result: string) => value('controller_runtime_reconcile_total', { ...controller, result });
    for (const result of ['success', 'error', 'requeue', 'requeue_after']) {
      expect(total(result), result).toBe(result === expected.result ? 1 : 0);
    }
    expect({
      result: expected.result,
      errors: value('controller_runtime_reconcile_errors_total', controller),
      terminal: value('controller_runtime_terminal_reconcile_errors_total', controller),
      timeouts: value('controller_runtime_reconcile_timeouts_total', controller),
    }).toEqual(expected);
  });

  it('let so many clusters have their own label, and count the others together', () => {
    const facts = ['a', 'b', 'c', 'd', 'a', 'c'].map((cluster) => reconciled('success', { cluster }));
    const { value } = folded(facts, { clusters: 2 });
    const of = (cluster: string) =>
      value('controller_runtime_reconcile_total', { controller: 'placement', cluster, result: 'success' });
    expect([of('a'), of('b'), of('c'), of(EXCEEDED)]).toEqual([2, 1, undefined, 3]);
  });

  it('let so many clusters have histograms of their own, and the sum is right', () => {
    const facts = ['a', 'b', 'c', 'd', 'a', 'c'].flatMap((cluster): Fact[] => [
      reconciled('success', { cluster }),
      { fact: 'taken', queue: 'placement', cluster, waitedMs: 1 },
      { fact: 'request', cluster, method: 'GET', host: `${cluster}:6443`, path: '/version', code: 200, durationMs: 1 },
    ]);
    const { value } = folded([...facts, member('a', undefined), ...facts], { histogramClusters: 2 });
    const of = (name: string, labels: Readonly<Record<string, string>>) =>
      ['a', 'b', 'c', EXCEEDED].map((cluster) => value(`${name}_count`, { cluster, ...labels }));
    // The place of the one that has left goes to another.
    const expected = [undefined, 2, 2, 4];
    expect(of('controller_runtime_reconcile_time_seconds', { controller: 'placement' })).toEqual(expected);
    expect(of('workqueue_work_duration_seconds', { controller: 'placement', name: 'placement' })).toEqual(expected);
    expect(of('workqueue_queue_duration_seconds', { controller: 'placement', name: 'placement' })).toEqual(expected);
    expect(value('rest_client_request_duration_seconds_count', { cluster: 'b', host: 'b:6443', verb: 'GET' })).toBe(2);
    expect(value('controller_runtime_reconcile_errors_total', { cluster: 'd', controller: 'placement' })).toBe(0);
  });

  it('have no series for each address of clusters that share a label', () => {
    const facts = Array.from({ length: 50 }, (_, index): Fact => {
      const cluster = `eu-${index}`;
      return { fact: 'request', cluster, method: 'GET', host: `${cluster}:6443`, path: '/version', code: 200, durationMs: 1 };
    });
    const { text, value } = folded(facts, { clusters: 2, histogramClusters: 1 });
    const shared = { host: EXCEEDED, cluster: EXCEEDED };
    expect(value('rest_client_requests_total', { code: '200', method: 'GET', ...shared })).toBe(48);
    expect(value('rest_client_request_duration_seconds_count', { verb: 'GET', ...shared })).toBe(49);
    expect(text().match(/^rest_client_requests_total/gm)).toHaveLength(3);
    expect(text().match(/^rest_client_request_duration_seconds_count/gm)).toHaveLength(2);
  });

  it('of a thousand clusters are few enough to be asked for', () => {
    const facts = Array.from({ length: 1000 }, (_, index): Fact[] => {
      const cluster = `eu-${index}`;
      const asked = { fact: 'request', cluster, host: `${cluster}:6443`, path: '/', code: 200, durationMs: 1 } as const;
      return [
        reconciled('success', { cluster }),
        { fact: 'taken', queue: 'placement', cluster, waitedMs: 1 },
        ...['GET', 'PATCH'].map((method): Fact => ({ ...asked, method })),
      ];
    }).flat();
    expect(folded(facts).text().length).toBeLessThan(3_000_000);
  });

  it('say nothing of the breakers of clusters that share a label', () => {
    const facts = ['a', 'b'].map((cluster): Fact => ({ fact: 'breaker', queue: 'q', cluster, state: 'open' }));
    const states = readPrometheusText(folded(facts, { clusters: 1 }).text()).flatMap(({ samples }) => samples);
    expect(new Set(states.map(({ labels }) => labels.cluster))).toEqual(new Set(['a']));
  });

  it('forget a cluster that has left, in all of them, and give its place to another', () => {
    const of = (cluster: string): Fact[] => [
      member(cluster, 'ready'),
      { fact: 'queued', queue: 'q', cluster, priority: 0, isRetry: true },
      { fact: 'taken', queue: 'q', cluster, waitedMs: 1 },
      { fact: 'breaker', queue: 'q', cluster, state: 'open' },
      reconciled('error', { cluster }),
      { fact: 'listed', ...caches, cluster, reason: 'first', objects: 1, durationMs: 1 },
      { fact: 'watch-began', ...caches, cluster },
      { fact: 'watch-ended', ...caches, cluster, reason: 'time', events: 1 },
      { fact: 'event-dropped', cluster, reason: 'failed' },
      { ...request(200), cluster } as Fact,
    ];
    const { text, observe } = folded([...of('eu-1'), ...of('us-1')], { clusters: 2 });
    const clusters = () =>
      new Set(readPrometheusText(text()).flatMap(({ samples }) => samples.map(({ labels }) => labels.cluster)));
    expect(clusters()).toEqual(new Set(['eu-1', 'us-1', undefined]));
    observe(member('eu-1', undefined));
    expect(clusters()).toEqual(new Set(['us-1', undefined]));
    // What is still ended there doesn't bring it back.
    for (const fact of of('eu-1').slice(1)) observe(fact);
    expect(clusters()).toEqual(new Set(['us-1', undefined]));
    for (const fact of of('ap-1')) observe(fact);
    expect(clusters()).toEqual(new Set(['ap-1', 'us-1', undefined]));
    observe(member('us-1', undefined));
    for (const fact of of('eu-1')) observe(fact);
    expect(clusters()).toEqual(new Set(['ap-1', 'eu-1', undefined]));
  });

  it('have a help and a type each, and read back', () => {
    const families = readPrometheusText(
      folded([reconciled('error'), request(200), leading(true), shard(), listed('first')]).text(),
    );
    expect(families.length).toBeGreaterThan(8);
    for (const { name, help, type } of families) expect([name, help !== '', type !== '']).toEqual([name, true, true]);
  });

  it('take whatever registry can do the same', () => {
    const calls: string[] = [];
    const metric = (name: string) => ({
      inc: (labels: object, by = 1) => void calls.push(`${name} ${JSON.stringify(labels)} +${by}`),
      observe: () => undefined,
      set: () => undefined,
      remove: () => undefined,
      reset: () => undefined,
    });
    const sink: MetricSink = {
      counter: ({ name }) => metric(name),
      gauge: ({ name }) => metric(name),
      histogram: ({ name }) => metric(name),
      collect: () => undefined,
    };
    runtimeMetrics({ metrics: sink })(request(429));
    expect(calls).toEqual([
      'rest_client_requests_total {"code":"429","method":"GET","host":"eu-1.example:6443","cluster":"eu-1"} +1',
    ]);
  });

  it('let facts pass that they know nothing of', () => {
    const { text, observe } = folded([]);
    observe({ fact: 'something-new', cluster: 'eu-1' } as unknown as Fact);
    expect(text()).toBe('');
  });
});

const REQUEST = { host: 'eu-1.example:6443', cluster: 'eu-1' };

function queued(...retries: readonly boolean[]): Fact[] {
  return retries.map((isRetry) => ({ fact: 'queued', queue: 'q', cluster: 'eu-1', priority: 0, isRetry }));
}
function taken(waitedMs: number): Fact {
  return { fact: 'taken', queue: 'q', cluster: 'eu-1', waitedMs };
}
function breaker(state: 'closed' | 'open' | 'half-open'): Fact {
  return { fact: 'breaker', queue: 'q', cluster: 'eu-1', state };
}
function listed(reason: 'first' | 'expired'): Fact {
  return { fact: 'listed', ...caches, reason, objects: 7, durationMs: 30 };
}
function watchEnded(): Fact {
  return { fact: 'watch-ended', ...caches, reason: 'silent', events: 3 };
}
function leading(isLeading: boolean): Fact {
  return { fact: 'leading', lease: 'shop/main', identity: 'a', isLeading, epoch: 1 };
}
function shard(): Fact {
  return { fact: 'shard', group: 'g', identity: 'a', clusters: 4, members: 2 };
}
function request(code: number | string): Fact {
  return { fact: 'request', cluster: 'eu-1', method: 'GET', host: 'eu-1.example:6443', path: '/version', code, durationMs: 20 };
}
