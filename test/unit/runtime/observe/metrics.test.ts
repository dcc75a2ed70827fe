import { exponentialBuckets, Metrics } from 'clusterset/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPrometheusText, sampleOf } from './prometheus-text.ts';

const get = (path: string, method = 'GET'): Request => new Request(`http://127.0.0.1${path}`, { method });
const anyText = fc.string({
  unit: fc.oneof(fc.constantFrom('\\', '"', '\n', 'n', '\u0000', '\u0001', '\u0002', ','), fc.string()),
});

describe('the text of metrics', () => {
  it('is the same to the letter, whatever came first', () => {
    const metrics = new Metrics();
    const waits = metrics.histogram({
      name: 'wait_seconds',
      help: 'How long\nit took: \\o/ "quoted".',
      labelNames: ['cluster'],
      buckets: [1e-8, 0.5, 1, 2e6],
    });
    const adds = metrics.counter({ name: 'adds_total', help: 'Adds.', labelNames: ['cluster', 'path'] });
    const up = metrics.gauge({ name: 'up', help: 'Whether it is up.' });
    metrics.gauge({ name: 'never_set', help: 'Nobody has said anything.' });
    adds.inc({ cluster: 'us-1', path: 'C:\\temp\n"x"' }, 2);
    adds.inc({ cluster: 'eu-1', path: '' });
    adds.inc({ cluster: 'eu-1', path: '' }, 0.5);
    for (const value of [0.5, 0.500001, 3e6, 0]) waits.observe({ cluster: 'eu-1' }, value);
    up.set({}, Number.NEGATIVE_INFINITY);
    expect(metrics.text()).toBe(String.raw`# HELP adds_total Adds.
# TYPE adds_total counter
adds_total{cluster="eu-1",path=""} 1.5
adds_total{cluster="us-1",path="C:\\temp\n\"x\""} 2
# HELP up Whether it is up.
# TYPE up gauge
up -Inf
# HELP wait_seconds How long\nit took: \\o/ "quoted".
# TYPE wait_seconds histogram
wait_seconds_bucket{cluster="eu-1",le="1e-08"} 1
wait_seconds_bucket{cluster="eu-1",le="0.5"} 2
wait_seconds_bucket{cluster="eu-1",le="1"} 3
wait_seconds_bucket{cluster="eu-1",le="2e+06"} 3
wait_seconds_bucket{cluster="eu-1",le="+Inf"} 4
wait_seconds_sum{cluster="eu-1"} 3000001.000001
wait_seconds_count{cluster="eu-1"} 4
`);
  });

  it('is empty where there is nothing to tell', () => {
    const metrics = new Metrics();
    metrics.counter({ name: 'adds_total', help: 'Adds.' });
    expect(metrics.text()).toBe('');
  });

  it('holds whatever text is in a label or a help, and reads back as it was', () => {
    fc.assert(
      fc.property(anyText, fc.uniqueArray(fc.tuple(anyText, anyText), { selector: String, minLength: 1 }), (help, values) => {
        const metrics = new Metrics();
        const gauge = metrics.gauge({ name: 'g', help, labelNames: ['a', 'b'] });
        const expected = new Map(values.map(([a, b], at) => [JSON.stringify({ a, b }), at]));
        for (const [a, b] of values) gauge.set({ a, b }, expected.get(JSON.stringify({ a, b })) ?? -1);
        const [family, ...others] = readPrometheusText(metrics.text());
        expect(others).toEqual([]);
        expect(family?.help).toBe(help);
        expect(new Map(family?.samples.map(({ labels, value }) => [JSON.stringify(labels), value]))).toEqual(expected);
      }),
    );
  });

  it('counts what falls below each bound as a naive count does', () => {
    const value = fc.oneof(fc.integer({ min: -3, max: 9 }), fc.double({ noNaN: true, min: -10, max: 10 }));
    const bounds = fc.uniqueArray(fc.integer({ min: -3, max: 9 }), { minLength: 1 }).map((all) => all.sort((a, b) => a - b));
    fc.assert(
      fc.property(bounds, fc.array(value), (buckets, values) => {
        const metrics = new Metrics();
        const histogram = metrics.histogram({ name: 'h', help: 'H.', buckets });
        for (const each of values) histogram.observe({}, each);
        for (const le of values.length === 0 ? [] : [...buckets, Number.POSITIVE_INFINITY]) {
          const label = le === Number.POSITIVE_INFINITY ? '+Inf' : String(le);
          expect(sampleOf(metrics.text(), 'h_bucket', { le: label })).toBe(values.filter((each) => each <= le).length);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('has bounds for queues as client-go has them, to the letter', () => {
    const metrics = new Metrics();
    metrics.histogram({ name: 'h', help: 'H.', buckets: exponentialBuckets(10e-9, 10, 12) }).observe({}, 1);
    const bounds = readPrometheusText(metrics.text()).flatMap(({ samples }) => samples.map(({ labels }) => labels.le));
    // Ten times ten times … in binary: queries that were written for programs in Go ask for these.
    expect(bounds.slice(0, 6)).toEqual(['1e-08', '1e-07', '1e-06', '9.999999999999999e-06', '9.999999999999999e-05', '0.001']);
    expect(bounds.filter((bound) => bound !== undefined)).toHaveLength(13);
  });
});

describe('a metric', () => {
  it.each(['', '1st', 'with-dash', 'with space', 'ä', 'a{}'])('can not be called %j', (name) => {
    expect(() => new Metrics().counter({ name, help: '' })).toThrow(RangeError);
  });

  it.each([[['a-b']], [['__name']], [['']], [['a', 'a']], [['a:b']]])('can not have the labels %j', (labelNames) => {
    expect(() => new Metrics().gauge({ name: 'g', help: '', labelNames })).toThrow(RangeError);
  });

  it.each([[[2, 1]], [[1, 1]], [[Number.POSITIVE_INFINITY]], [[Number.NaN]]])('can not have the bounds %j', (buckets) => {
    expect(() => new Metrics().histogram({ name: 'h', help: '', buckets })).toThrow(RangeError);
  });

  it('can not have a bound and a label of one name', () => {
    expect(() => new Metrics().histogram({ name: 'h', help: '', buckets: [1], labelNames: ['le'] })).toThrow(RangeError);
  });

  it('is there once under its name', () => {
    const metrics = new Metrics();
    metrics.counter({ name: 'a', help: '' });
    expect(() => metrics.gauge({ name: 'a', help: '' })).toThrow(RangeError);
  });

  it('forgets one series, or all', () => {
    const metrics = new Metrics();
    const gauge = metrics.gauge({ name: 'g', help: '', labelNames: ['a'] });
    for (const a of ['x', 'y']) gauge.set({ a }, 1);
    expect(metrics.text()).toContain('a="x"');
    gauge.remove({ a: 'x' });
    expect(metrics.text()).toBe('# HELP g \n# TYPE g gauge\ng{a="y"} 1\n');
    gauge.reset();
    expect(metrics.text()).toBe('');
  });

  it('never counts down, and a value that is no number spoils no sum', () => {
    const metrics = new Metrics();
    const counter = metrics.counter({ name: 'c', help: '' });
    const histogram = metrics.histogram({ name: 'h', help: '', buckets: [1] });
    counter.inc({}, 3);
    for (const by of [-1, Number.NaN]) counter.inc({}, by);
    for (const value of [1, Number.NaN]) histogram.observe({}, value);
    expect([sampleOf(metrics.text(), 'c'), sampleOf(metrics.text(), 'h_sum'), sampleOf(metrics.text(), 'h_count')]).toEqual([
      3, 1, 1,
    ]);
  });

  it('is read when somebody asks, and one that fails hides no other', () => {
    const metrics = new Metrics();
    const gauge = metrics.gauge({ name: 'g', help: '' });
    let value = 1;
    metrics.collect(() => {
      throw new Error('broken');
    });
    metrics.collect(() => gauge.set({}, value));
    expect(sampleOf(metrics.text(), 'g')).toBe(1);
    value = 2;
    expect(sampleOf(metrics.text(), 'g')).toBe(2);
  });
});

describe('a scrape', () => {
  const metrics = new Metrics();
  metrics.gauge({ name: 'up', help: 'Up.' }).set({}, 1);

  it.each([
    ['GET', '/metrics', 200, metrics.text()],
    ['GET', '/metrics?name[]=up', 200, metrics.text()],
    ['HEAD', '/metrics', 200, ''],
    ['GET', '/', 404, '404 page not found\n'],
    ['POST', '/metrics', 405, 'method not allowed\n'],
  ])('by %s %s is answered with %i', async (method, path, status, body) => {
    const response = await metrics.handle(get(path, method));
    expect([response.status, await response.text()]).toEqual([status, body]);
  });

  it('says which format it is in', async () => {
    const { headers } = await metrics.handle(get('/metrics'));
    expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  });
});
