import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  estimateKarmada,
  gradeOf,
  graderOf,
  KARMADA_DEFAULT_MODELS,
  type KarmadaEstimate,
  type KarmadaRequirements,
  type KarmadaResourceModel,
  type KarmadaResourceSummary,
  karmadaEstimator,
  type ResourceAmounts,
} from '../../../src/scheduling/karmada/estimate.ts';

const asks = (resourceRequest: ResourceAmounts): KarmadaRequirements => ({ resourceRequest });
const has = (allocatable: ResourceAmounts, rest: Partial<KarmadaResourceSummary> = {}): KarmadaResourceSummary => ({
  allocatable,
  ...rest,
});
const by = (replicas: number, reason: 'Pods' | 'Models'): KarmadaEstimate => ({ replicas, reason });
const byResource = (replicas: number, resource: string): KarmadaEstimate => ({ replicas, reason: 'Resource', resource });

describe('estimateKarmada: all of a cluster at once', () => {
  it.each<[string, KarmadaResourceSummary | undefined, KarmadaRequirements | undefined, KarmadaEstimate]>([
    ['nothing without a summary', undefined, asks({ cpu: '1' }), { replicas: 0, reason: 'NoSummary' }],
    ['nothing where nothing is allocatable', {}, undefined, by(0, 'Pods')],
    [
      'the pods that may still run',
      has({ pods: '9' }, { allocated: { pods: '3' }, allocating: { pods: '2' } }),
      undefined,
      by(4, 'Pods'),
    ],
    [
      'nothing where no pods may run',
      has({ pods: '5', cpu: '9' }, { allocated: { pods: '5' } }),
      asks({ cpu: '1' }),
      by(0, 'Pods'),
    ],
    ['nothing where too many pods wait', has({ pods: '5' }, { allocating: { pods: '7' } }), undefined, by(0, 'Pods')],
    ['pods where nothing is asked for', has({ pods: '9' }), asks({}), by(9, 'Pods')],
    ['pods where no request is stated', has({ pods: '9' }), {}, by(9, 'Pods')],
    ['pods where none of something is asked for', has({ pods: '9' }), asks({ cpu: '0', gpu: '-1' }), by(9, 'Pods')],
    ['pods where these are scarcer', has({ pods: '3', cpu: '9' }), asks({ cpu: '1' }), by(3, 'Pods')],
    ['whole replicas', has({ pods: '99', cpu: '2' }), asks({ cpu: '300m' }), byResource(6, 'cpu')],
    [
      'what is left of the resource',
      has({ pods: '99', cpu: '4' }, { allocated: { cpu: '500m' }, allocating: { cpu: '1500m' } }),
      asks({ cpu: '1' }),
      byResource(2, 'cpu'),
    ],
    [
      'the scarcest resource',
      has({ pods: '99', cpu: '8', memory: '4Gi' }),
      asks({ cpu: '1', memory: '1Gi' }),
      byResource(4, 'memory'),
    ],
    [
      'of equally scarce ones the first by name',
      has({ pods: '99', b: '4', a: '4' }),
      asks({ b: '1', a: '1' }),
      byResource(4, 'a'),
    ],
    ['none of a resource that it lacks', has({ pods: '99', cpu: '8' }), asks({ cpu: '1', gpu: '1' }), byResource(0, 'gpu')],
    [
      'none of a resource that is used up',
      has({ pods: '9', cpu: '2' }, { allocated: { cpu: '2' } }),
      asks({ cpu: '1' }),
      byResource(0, 'cpu'),
    ],
    [
      'none where more is used than there is',
      has({ pods: '9', cpu: '2' }, { allocated: { cpu: '3' } }),
      asks({ cpu: '1' }),
      byResource(0, 'cpu'),
    ],
    ['CPU in thousandths, rounded up', has({ pods: '9', cpu: '2m' }), asks({ cpu: '1500u' }), byResource(1, 'cpu')],
    [
      'other requests in whole units, rounded up',
      has({ pods: '9', memory: '4' }),
      asks({ memory: '1500m' }),
      byResource(2, 'memory'),
    ],
    [
      'other free amounts in whole units, rounded up',
      has({ pods: '99', memory: '3500m' }),
      asks({ memory: '1' }),
      byResource(4, 'memory'),
    ],
    [
      'amounts beyond the safe whole numbers',
      has({ pods: '10E', memory: '9007199254740993' }),
      asks({ memory: '3' }),
      byResource(3002399751580331, 'memory'),
    ],
    ['a request named like a part of every object', has({ pods: '9' }), asks({ constructor: '1' }), byResource(0, 'constructor')],
  ])('counts %s', (_, summary, requirements, expected) => {
    expect(estimateKarmada(summary, requirements)).toEqual(expected);
  });

  it('refuses what is no quantity', () => {
    expect(() => estimateKarmada(has({ pods: 'many' }))).toThrow('quantities must match the regular expression');
  });
});

const models: readonly KarmadaResourceModel[] = [
  {
    grade: 0,
    ranges: [
      { name: 'cpu', min: '0' },
      { name: 'memory', min: '0' },
    ],
  },
  {
    grade: 1,
    ranges: [
      { name: 'cpu', min: '1' },
      { name: 'memory', min: '4Gi' },
    ],
  },
  {
    grade: 2,
    ranges: [
      { name: 'cpu', min: '2' },
      { name: 'memory', min: '16Gi' },
    ],
  },
];
const nodes = (...counts: readonly number[]): Partial<KarmadaResourceSummary> => ({
  allocatableModelings: counts.map((count, grade) => ({ grade, count })),
});

describe('estimateKarmada: by resource models', () => {
  it.each<[string, KarmadaResourceSummary, KarmadaRequirements | undefined, readonly KarmadaResourceModel[], KarmadaEstimate]>([
    ['the least that each grade allows', has({ pods: '999' }, nodes(5, 3, 2)), asks({ cpu: '1' }), models, by(3 + 4, 'Models')],
    [
      'the scarcest resource of each node',
      has({ pods: '999' }, nodes(0, 3, 2)),
      asks({ cpu: '500m', memory: '4Gi' }),
      models,
      by(3 + 8, 'Models'),
    ],
    ['what is left over on no node', has({ pods: '999' }, nodes(0, 3, 0)), asks({ cpu: '600m' }), models, by(3, 'Models')],
    ['no more than 110 pods on a node', has({ pods: '999' }, nodes(0, 1, 1)), asks({ cpu: '1m' }), models, by(220, 'Models')],
    [
      '110 pods on every node where nothing is asked for',
      has({ pods: '999' }, nodes(1, 1, 1)),
      asks({ cpu: '0' }),
      models,
      by(330, 'Models'),
    ],
    ['pods where these are scarcer', has({ pods: '5' }, nodes(0, 3, 2)), asks({ cpu: '1' }), models, by(5, 'Pods')],
    ['pods where requirements are not stated', has({ pods: '5' }, nodes(0, 0, 0)), undefined, models, by(5, 'Pods')],
    [
      'nothing of a resource that the grades lack',
      has({ pods: '999', gpu: '9' }, nodes(9, 9, 9)),
      asks({ gpu: '1' }),
      models,
      by(0, 'Models'),
    ],
    ['110 pods of a node as a resource', has({ pods: '999' }, nodes(0, 1, 0)), asks({ pods: '3' }), models, by(36, 'Models')],
    [
      'all at once without a count of nodes',
      has({ pods: '99', cpu: '7' }, nodes()),
      asks({ cpu: '1' }),
      models,
      byResource(7, 'cpu'),
    ],
    ['all at once without models', has({ pods: '99', cpu: '7' }, nodes(1, 1)), asks({ cpu: '1' }), [], byResource(7, 'cpu')],
    ['no nodes of a grade without a model', has({ pods: '999' }, nodes(0, 0, 0, 9)), asks({ cpu: '0' }), models, by(0, 'Models')],
    ['CPU in thousandths', has({ pods: '999' }, nodes(0, 1, 0)), asks({ cpu: '300m' }), models, by(3, 'Models')],
  ])('counts %s', (_, summary, requirements, given, expected) => {
    expect(estimateKarmada(summary, requirements, given)).toEqual(expected);
  });
});

describe('karmadaEstimator', () => {
  it('says of each cluster what is said of it alone, whatever was asked before', () => {
    const quantity = fc.oneof(
      fc.nat({ max: 5000 }).map((amount) => `${amount}m`),
      fc.nat({ max: 99 }).map(String),
      fc.constantFrom('0.5', '1500u', '9007199254740993', '10E', '1Ki'),
    );
    const some = fc.record({ cpu: quantity, memory: quantity, pods: quantity, gpu: quantity }, { requiredKeys: [] });
    const summary = fc.option(
      fc.record({
        allocatable: some,
        allocated: some,
        allocating: some,
        allocatableModelings: fc.array(fc.record({ grade: fc.nat({ max: 3 }), count: fc.nat({ max: 9 }) }), { maxLength: 3 }),
      }),
      { nil: undefined },
    );
    const list = fc.constantFrom<readonly KarmadaResourceModel[]>([], models, KARMADA_DEFAULT_MODELS);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(summary, list), { maxLength: 6 }),
        fc.option(some, { nil: undefined }),
        (clusters, request) => {
          const requirements = request === undefined ? undefined : asks(request);
          const estimate = karmadaEstimator(requirements);
          for (const [each, given] of clusters) expect(estimate(each, given)).toEqual(estimateKarmada(each, requirements, given));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('reads quantities that are written as numbers', () => {
    const written = JSON.parse('{"allocatable":{"pods":9,"cpu":4}}') as KarmadaResourceSummary;
    expect(karmadaEstimator(asks({ cpu: '500m' }))(written)).toEqual(byResource(8, 'cpu'));
  });

  it('goes by the first of two models of a grade', () => {
    const twice = [1, 3].map((cpu) => ({ grade: 1, ranges: [{ name: 'cpu', min: String(cpu) }] }));
    expect(karmadaEstimator(asks({ cpu: '1' }))(has({ pods: '99' }, nodes(0, 5)), twice)).toEqual(by(5, 'Models'));
  });

  it('refuses what is no quantity before any cluster is asked', () => {
    expect(() => karmadaEstimator(asks({ cpu: 'lots' }))).toThrow('quantities must match the regular expression');
    expect(() => karmadaEstimator(asks({ cpu: '1' }))(has({ pods: '9', cpu: 'lots' }))).toThrow('quantities must match');
    expect(() => karmadaEstimator(asks({ cpu: '1' }))(has({ pods: '9', cpu: '1' }, { allocated: { cpu: '1 ' } }))).toThrow();
  });
});

describe('graderOf', () => {
  it('grades one node after the other', () => {
    const grade = graderOf(models);
    expect([{ cpu: '2', memory: '16Gi' }, { cpu: '1' }, { cpu: '1', memory: '4Gi' }].map(grade)).toEqual([2, 0, 1]);
  });
});

describe('gradeOf', () => {
  it.each<[string, ResourceAmounts, number | undefined]>([
    ['the last grade that it has enough for', { cpu: '1', memory: '4Gi' }, 1],
    ['the grade below where it has a little less', { cpu: '999m', memory: '4Gi' }, 0],
    ['the lowest of its resources', { cpu: '64', memory: '15Gi' }, 1],
    ['the lowest, whichever resource it is', { cpu: '1500m', memory: '2Ti' }, 1],
    ['the last of all', { cpu: '128', memory: '1Ti' }, 8],
    ['grade 0 where it has nothing of one', { cpu: '128' }, 0],
    ['the grade of what the models name', { cpu: '2', memory: '16Gi', gpu: '0' }, 2],
    ['decimal bytes are fewer', { cpu: '9', memory: '4G' }, 0],
  ])('is %s', (_, node, expected) => {
    expect(gradeOf(node)).toBe(expected);
  });

  it('reads models in any order', () => {
    expect(gradeOf({ cpu: '3', memory: '5Gi' }, models.toReversed())).toBe(1);
  });

  it('is none where a node is too small for every grade', () => {
    expect(gradeOf({ cpu: '1' }, [{ grade: 3, ranges: [{ name: 'cpu', min: '2' }] }])).toBeUndefined();
    expect(gradeOf({ cpu: '1' }, [])).toBeUndefined();
  });

  it('is found by looking at every grade', () => {
    // In thousandths of a CPU, and in MiB.
    const cpus = [0, 1, 2, 4, 8, 16, 32, 64, 128].map((cpu) => cpu * 1000);
    const memories = [0, 4, 16, 32, 64, 128, 256, 512, 1024].map((memory) => memory * 1024);
    const near = (mins: readonly number[]) =>
      fc.tuple(fc.constantFrom(...mins), fc.integer({ min: -1, max: 1 })).map(([min, off]) => Math.max(0, min + off));
    fc.assert(
      fc.property(near(cpus), near(memories), (cpu, memory) => {
        const place = (mins: readonly number[], amount: number) => mins.filter((min) => min <= amount).length - 1;
        const expected = Math.min(place(cpus, cpu), place(memories, memory));
        expect(gradeOf({ cpu: `${cpu}m`, memory: `${memory}Mi` })).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('KARMADA_DEFAULT_MODELS', () => {
  it('begins at nothing, has no gaps and no end', () => {
    expect(KARMADA_DEFAULT_MODELS.map(({ grade }) => grade)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    for (const place of [0, 1]) {
      const ranges = KARMADA_DEFAULT_MODELS.map((model) => model.ranges[place]);
      expect(ranges[0]?.min).toBe('0');
      expect(ranges.at(-1)?.max).toBe('9223372036854775807');
      expect(ranges.slice(0, -1).map((range) => range?.max)).toEqual(ranges.slice(1).map((range) => range?.min));
    }
  });
});

describe('estimateKarmada against placing pods one by one', () => {
  /** Thousandths of everything, as text in one of several ways. */
  const written = (thousandths: number, way: number): string => {
    if (way === 0) return `${thousandths}m`;
    if (way === 1) return `${thousandths * 1000}u`;
    return `${Math.floor(thousandths / 1000)}.${String(thousandths % 1000).padStart(3, '0')}`;
  };
  const kinds = ['cpu', 'memory', 'gpu'] as const;
  type Amounts = Partial<Record<(typeof kinds)[number] | 'pods', number>>;
  const amount = fc.oneof(
    fc.integer({ min: 0, max: 9000 }),
    fc.integer({ min: 0, max: 12 }).map((whole) => whole * 1000),
  );
  const amounts = (each: fc.Arbitrary<number>): fc.Arbitrary<Amounts> =>
    fc.record({ cpu: each, memory: each, gpu: each }, { requiredKeys: [] });
  const pods = fc.integer({ min: 0, max: 20 }).map((count) => count * 1000);
  const withPods = (each: fc.Arbitrary<Amounts>, count: fc.Arbitrary<number>): fc.Arbitrary<Amounts> =>
    fc.tuple(each, count).map(([some, many]) => ({ ...some, pods: many }));
  const text = (some: Amounts, way: number): ResourceAmounts =>
    Object.fromEntries(Object.entries(some).map(([name, value]) => [name, written(value, way)]));
  /** CPU stays in thousandths; anything else is whole. */
  const unit = (name: string, value: number): number => (name === 'cpu' ? value : Math.ceil(value / 1000));

  function place(free: Amounts, request: Amounts, limit: number): number {
    const left = new Map<string, number>(kinds.map((name) => [name, unit(name, free[name] ?? 0)]));
    let placed = 0;
    for (; placed < limit; placed += 1) {
      for (const name of kinds) left.set(name, (left.get(name) ?? 0) - unit(name, request[name] ?? 0));
      if (kinds.some((name) => (request[name] ?? 0) > 0 && (left.get(name) ?? 0) < 0)) break;
    }
    return placed;
  }

  it('agrees for the cluster as a whole', () => {
    const seen = new Map<string, number>();
    const few = fc.integer({ min: 0, max: 2000 });
    fc.assert(
      fc.property(
        withPods(amounts(amount), pods),
        withPods(amounts(few), fc.constantFrom(0, 1000)),
        withPods(amounts(few), fc.constantFrom(0, 2000)),
        amounts(few),
        fc.integer({ min: 0, max: 2 }),
        (all, used, waiting, request, way) => {
          const free = Object.fromEntries(
            [...kinds, 'pods' as const].map((name) => [name, (all[name] ?? 0) - (used[name] ?? 0) - (waiting[name] ?? 0)]),
          );
          const missing = kinds.some((name) => (request[name] ?? 0) > 0 && all[name] === undefined);
          const room = Math.max(0, (free.pods ?? 0) / 1000);
          const summary = { allocatable: text(all, way), allocated: text(used, way), allocating: text(waiting, way) };
          const estimate = estimateKarmada(summary, { resourceRequest: text(request, way) });
          seen.set(estimate.reason, (seen.get(estimate.reason) ?? 0) + 1);
          expect(estimate.replicas).toBe(missing ? 0 : place(free, request, room));
        },
      ),
      { numRuns: 5000 },
    );
    expect(seen.get('Pods')).toBeGreaterThan(200);
    expect(seen.get('Resource')).toBeGreaterThan(200);
  });

  it('agrees for nodes by grade', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(amounts(amount), fc.integer({ min: 0, max: 4 })), { minLength: 1, maxLength: 4 }),
        amounts(fc.integer({ min: 0, max: 2000 })),
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 0, max: 2 }),
        (grades, request, limit, way) => {
          const summary = {
            allocatable: { pods: String(limit) },
            allocatableModelings: grades.map(([, count], grade) => ({ grade, count })),
          };
          const given = grades.map(([mins], grade) => ({
            grade,
            ranges: Object.entries(text(mins, way)).map(([name, min]) => ({ name, min })),
          }));
          const sum = grades.reduce((total, [mins, count]) => total + count * place(mins, request, 110), 0);
          expect(estimateKarmada(summary, { resourceRequest: text(request, way) }, given).replicas).toBe(Math.min(limit, sum));
        },
      ),
      { numRuns: 3000 },
    );
  });
});
