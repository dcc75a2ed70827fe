import { collectGauges, GAUGES, type GaugeReading, type GaugeSource, Metrics } from 'clusterset/runtime';
import { describe, expect, it } from 'vitest';
import { readPrometheusText, sampleOf } from './prometheus-text.ts';

const queue = { name: 'q', controller: 'q' };
const source = (...readings: readonly GaugeReading[]): GaugeSource => ({ gauges: () => readings });
const depth = (cluster: string, value: number, priority = '0'): GaugeReading => ({
  gauge: GAUGES.depth,
  labels: { ...queue, cluster, priority },
  value,
});

describe('gauges that are read at a scrape', () => {
  it('are what their sources say at that moment, and gone with them', () => {
    const metrics = new Metrics();
    let sources = [
      source(depth('eu-1', 3)),
      source({ gauge: GAUGES.activeWorkers, labels: { controller: 'p', cluster: 'eu-1' }, value: 1 }),
    ];
    collectGauges({ metrics, sources: () => sources });
    expect(sampleOf(metrics.text(), 'workqueue_depth', { ...queue, cluster: 'eu-1', priority: '0' })).toBe(3);
    expect(sampleOf(metrics.text(), 'controller_runtime_active_workers', { controller: 'p', cluster: 'eu-1' })).toBe(1);
    sources = [source(depth('us-1', 2))];
    expect(readPrometheusText(metrics.text()).flatMap(({ samples }) => samples)).toEqual([
      { name: 'workqueue_depth', labels: { ...queue, cluster: 'us-1', priority: '0' }, value: 2 },
    ]);
  });

  it('add up, or are the largest, where clusters share a label', () => {
    const metrics = new Metrics();
    const running = (cluster: string, value: number): GaugeReading => ({
      gauge: GAUGES.longestRunning,
      labels: { ...queue, cluster },
      value,
    });
    const readings = ['a', 'b', 'c'].flatMap((cluster, at) => [depth(cluster, at + 1), running(cluster, 10 - at)]);
    collectGauges({ metrics, sources: () => [source(...readings)], clusters: 1 });
    const rest = { ...queue, cluster: 'exceeded_cardinality_limit' };
    expect(sampleOf(metrics.text(), 'workqueue_depth', { ...rest, priority: '0' })).toBe(5);
    expect(sampleOf(metrics.text(), 'workqueue_longest_running_processor_seconds', rest)).toBe(9);
    expect(sampleOf(metrics.text(), 'workqueue_depth', { ...queue, cluster: 'a', priority: '0' })).toBe(1);
  });

  it('have 25 priorities of their own, and one for all others', () => {
    const metrics = new Metrics();
    const readings = Array.from({ length: 30 }, (_, at) => depth('eu-1', 1, String(at)));
    collectGauges({ metrics, sources: () => [source(...readings)] });
    const values = readPrometheusText(metrics.text()).flatMap(({ samples }) => samples);
    expect(values).toHaveLength(26);
    expect(values.find(({ labels }) => labels.priority === 'exceeded_cardinality_limit')?.value).toBe(5);
  });

  it('leave out a source that fails', () => {
    const metrics = new Metrics();
    const broken: GaugeSource = {
      gauges: () => {
        throw new Error('broken');
      },
    };
    collectGauges({ metrics, sources: () => [broken, source(depth('eu-1', 3))] });
    expect(sampleOf(metrics.text(), 'workqueue_depth', { ...queue, cluster: 'eu-1', priority: '0' })).toBe(3);
  });
});
