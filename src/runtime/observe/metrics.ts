import { compareText } from '../../kube/plain/index.ts';
import { type Handle, textAnswer } from './answers.ts';

/** The labels of one series: a value for each of the metric's label names. */
export type MetricLabels = Readonly<Record<string, string>>;

/** What a metric is. The fields are called as `prom-client` calls them. */
export interface MetricDefinition {
  /** Letters, digits, `_` and `:`, with no digit at the front. */
  readonly name: string;
  readonly help: string;
  /** Default: none. */
  readonly labelNames?: readonly string[];
}

/** What a histogram is. */
export interface HistogramDefinition extends MetricDefinition {
  /** Upper bounds, ascending, each inclusive; `+Inf` is added. */
  readonly buckets: readonly number[];
}

/** A sum that only grows. */
export interface Counter {
  /** Adds `by`, which must not be negative. Default 1; 0 makes the series appear. */
  inc(labels: MetricLabels, by?: number): void;
  /** Forgets one series. */
  remove(labels: MetricLabels): void;
}

/** A value that goes up and down. */
export interface Gauge {
  /** The value is this from now on. */
  set(labels: MetricLabels, value: number): void;
  /** Forgets one series. */
  remove(labels: MetricLabels): void;
  /** Forgets all series. */
  reset(): void;
}

/** How often values fell below bounds. */
export interface Histogram {
  /** Counts one value. */
  observe(labels: MetricLabels, value: number): void;
  /** Forgets one series. */
  remove(labels: MetricLabels): void;
}

/**
 * Where metrics go: {@link Metrics}, or any registry that can do the same. One of `prom-client`, whose metrics have these very methods, is
 * fed with
 *
 * ```ts
 * const collectors: (() => void)[] = [];
 * const registers = [registry];
 * const sink: MetricSink = {
 *   counter: (definition) => new Counter({ ...definition, labelNames: [...(definition.labelNames ?? [])], registers }),
 *   gauge: (definition) => new Gauge({ ...definition, labelNames: [...(definition.labelNames ?? [])], registers }),
 *   histogram: (definition) =>
 *     new Histogram({ ...definition, labelNames: [...(definition.labelNames ?? [])], buckets: [...definition.buckets], registers }),
 *   collect: (callback) => void collectors.push(callback),
 * };
 * // For a scrape: for (const collect of collectors) collect(); return registry.metrics();
 * ```
 *
 * The other way round, the text of {@link Metrics} may be put behind that of another registry: both are in the same format, as long as no name
 * is in both.
 */
export interface MetricSink {
  /** @throws RangeError for a name or label name that Prometheus doesn't take, and for a name that is there already. */
  counter(definition: MetricDefinition): Counter;
  /** @throws RangeError as {@link MetricSink.counter} does. */
  gauge(definition: MetricDefinition): Gauge;
  /** @throws RangeError as {@link MetricSink.counter} does, and for bounds that don't rise. */
  histogram(definition: HistogramDefinition): Histogram;
  /** Calls back before each scrape: for gauges whose values somebody else has. */
  collect(callback: () => void): void;
}

/**
 * Counters, gauges and histograms, printed in Prometheus' text format 0.0.4. There is no global one: make one, and give it to whoever has
 * something to count. A collector that throws takes nothing with it but its own gauges.
 */
export class Metrics implements MetricSink {
  readonly #metrics = new Map<string, Printed>();
  readonly #collectors: (() => void)[] = [];

  counter(definition: MetricDefinition): Counter {
    return this.#add(new OurCounter(definition, 'counter'));
  }

  /** A new gauge; errors as of {@link MetricSink.gauge}. */
  gauge(definition: MetricDefinition): Gauge {
    return this.#add(new OurGauge(definition, 'gauge'));
  }

  /** A new histogram; errors as of {@link MetricSink.histogram}. */
  histogram(definition: HistogramDefinition): Histogram {
    return this.#add(new OurHistogram(definition));
  }

  collect(callback: () => void): void {
    this.#collectors.push(callback);
  }

  /** All metrics, by name, each series by the values of its labels. A metric with no series isn't printed. */
  text(): string {
    for (const collect of this.#collectors) {
      try {
        collect();
      } catch {
        // What one can't tell must not hide what the others do.
      }
    }
    const lines: string[] = [];
    for (const [, metric] of [...this.#metrics].sort(([a], [b]) => compareText(a, b))) metric.print(lines);
    return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
  }

  /** Answers `GET /metrics`; 404 for other paths, 405 for other methods. */
  readonly handle: Handle = (request) => textAnswer(request, '/metrics', CONTENT_TYPE, () => this.text());

  #add<M extends Printed>(metric: M): M {
    if (this.#metrics.has(metric.name)) throw new RangeError(`there is a metric ${metric.name} already`);
    this.#metrics.set(metric.name, metric);
    return metric;
  }
}

const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
/** Two underscores at the front are Prometheus' own. */
const LABEL_NAME = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/;

interface Printed {
  readonly name: string;
  print(lines: string[]): void;
}

/** One series: its labels as they are printed, and its value. */
interface Series<V> {
  /** Sorts series: the values of the labels. */
  readonly key: string;
  /** `a="b",c="d"`. */
  readonly labels: string;
  value: V;
}

abstract class Family<V> implements Printed {
  readonly name: string;
  readonly #help: string;
  readonly #type: string;
  readonly #labelNames: readonly string[];
  readonly #series = new Map<string, Series<V>>();
  /** Most scrapes find the series of the one before. */
  #sorted: readonly Series<V>[] | undefined;

  constructor({ name, help, labelNames = [] }: MetricDefinition, type: string) {
    if (!NAME.test(name)) throw new RangeError(`${JSON.stringify(name)} is no name of a metric`);
    const bad = labelNames.find((label, at) => !LABEL_NAME.test(label) || labelNames.indexOf(label) !== at);
    if (bad !== undefined)
      throw new RangeError(`metric ${name}: ${JSON.stringify(bad)} is no name of a label, or is there twice`);
    this.name = name;
    this.#help = help;
    this.#type = type;
    this.#labelNames = labelNames;
  }

  protected abstract zero(): V;
  protected abstract printSeries(series: Series<V>, lines: string[]): void;

  protected series(labels: MetricLabels): Series<V> {
    const key = this.#key(labels);
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    const printed = this.#labelNames.map((name) => `${name}="${escapedLabel(labels[name] ?? '')}"`).join(',');
    const made = { key, labels: printed, value: this.zero() };
    this.#series.set(key, made);
    this.#sorted = undefined;
    return made;
  }

  remove(labels: MetricLabels): void {
    if (this.#series.delete(this.#key(labels))) this.#sorted = undefined;
  }

  reset(): void {
    this.#series.clear();
    this.#sorted = undefined;
  }

  print(lines: string[]): void {
    if (this.#series.size === 0) return;
    lines.push(`# HELP ${this.name} ${escapedHelp(this.#help)}`, `# TYPE ${this.name} ${this.#type}`);
    this.#sorted ??= [...this.#series.values()].sort((a, b) => compareText(a.key, b.key));
    for (const series of this.#sorted) this.printSeries(series, lines);
  }

  /** The values one after the other. What ends a value can't stand in one, so that no two sets of labels have the same key. */
  #key(labels: MetricLabels): string {
    let key = '';
    for (const name of this.#labelNames) {
      const value = labels[name] ?? '';
      key += value.includes('\u0000') ? value.replaceAll('\u0000', '\u0000\u0002') : value;
      key += '\u0000\u0001';
    }
    return key;
  }
}

class OurCounter extends Family<number> implements Counter {
  protected override zero(): number {
    return 0;
  }

  inc(labels: MetricLabels, by = 1): void {
    // A sum that has once become NaN never says anything again.
    if (by >= 0) this.series(labels).value += by;
  }

  protected override printSeries({ labels, value }: Series<number>, lines: string[]): void {
    lines.push(`${this.name}${braced(labels)} ${formatValue(value)}`);
  }
}

class OurGauge extends OurCounter implements Gauge {
  set(labels: MetricLabels, value: number): void {
    this.series(labels).value = value;
  }
}

interface Distribution {
  /** Values at most as large as the bound at the same place, and larger than the one before; the last is above all bounds. */
  readonly counts: Float64Array;
  sum: number;
}

class OurHistogram extends Family<Distribution> implements Histogram {
  readonly #buckets: readonly number[];
  /** The bounds as they are printed. */
  readonly #bounds: readonly string[];

  constructor(definition: HistogramDefinition) {
    super(definition, 'histogram');
    const { name, buckets, labelNames = [] } = definition;
    const ascends = buckets.every((bound, at) => Number.isFinite(bound) && bound > (buckets[at - 1] ?? Number.NEGATIVE_INFINITY));
    if (!ascends) throw new RangeError(`metric ${name}: its buckets must be finite and ascend`);
    if (labelNames.includes('le')) throw new RangeError(`metric ${name}: the label "le" is for the bounds of its buckets`);
    this.#buckets = buckets;
    this.#bounds = [...buckets.map(formatBound), '+Inf'];
  }

  protected override zero(): Distribution {
    return { counts: new Float64Array(this.#bounds.length), sum: 0 };
  }

  observe(labels: MetricLabels, value: number): void {
    // It belongs into no bucket, and a sum that has once become NaN never says anything again.
    if (Number.isNaN(value)) return;
    const { value: distribution } = this.series(labels);
    const at = this.#place(value);
    distribution.counts[at] = (distribution.counts[at] ?? 0) + 1;
    distribution.sum += value;
  }

  /** The first bucket whose bound the value doesn't exceed. */
  #place(value: number): number {
    let low = 0;
    let high = this.#buckets.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (value <= (this.#buckets[middle] ?? 0)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  protected override printSeries({ labels, value: { counts, sum } }: Series<Distribution>, lines: string[]): void {
    const head = `${this.name}_bucket{${labels === '' ? '' : `${labels},`}le="`;
    let below = 0;
    for (const [at, bound] of this.#bounds.entries()) {
      below += counts[at] ?? 0;
      lines.push(`${head}${bound}"} ${below}`);
    }
    lines.push(`${this.name}_sum${braced(labels)} ${formatValue(sum)}`, `${this.name}_count${braced(labels)} ${below}`);
  }
}

const braced = (labels: string): string => (labels === '' ? '' : `{${labels}}`);

/** In the format `\`, `"` and line ends are written with a `\` (Prometheus text format 0.0.4). */
function escapedLabel(value: string): string {
  return escapedHelp(value).replaceAll('"', '\\"');
}

function escapedHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function formatValue(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}

/** As Go prints it: the text of a bound is a label, and queries that were written for programs in Go ask for that very text. */
function formatBound(bound: number): string {
  const [mantissa = '', exponent = '0'] = bound.toExponential().split('e');
  const power = Number(exponent);
  if (bound === 0 || (power >= -4 && power < 6)) return String(bound);
  return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}

/** `count` bounds, the first `start`, each `factor` times the one before. */
export function exponentialBuckets(start: number, factor: number, count: number): readonly number[] {
  const bounds: number[] = [];
  for (let bound = start; bounds.length < count; bound *= factor) bounds.push(bound);
  return bounds;
}
