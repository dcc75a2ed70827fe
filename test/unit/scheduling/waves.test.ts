import { structuralSchema } from 'clusterset/kube';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clustersIn } from '../../../src/scheduling/waves/amount.ts';
import { rolloutWavesSchema } from '../../../src/scheduling/waves/api.ts';
import { checkWaves } from '../../../src/scheduling/waves/check.ts';
import type { PlannedWave, WaveObservation, WavesInput, WavesPlan } from '../../../src/scheduling/waves/contract.ts';
import { planWaves } from '../../../src/scheduling/waves/plan.ts';

interface Named {
  readonly name: string;
}
type Input = WavesInput<Named>;

const at = (seconds: number): string => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();
const named = (names: string): readonly Named[] => names.split(' ').map((name) => ({ name }));

const OLD: WaveObservation = { revision: 'v1', ready: true };
const NEW: WaveObservation = { revision: 'v2', ready: true };
const CHANGING: WaveObservation = { revision: 'v2', ready: false };
const BROKEN: WaveObservation = { revision: 'v1', ready: false };

const TWO_WAVES: readonly PlannedWave<Named>[] = [
  { name: 'canary', clusters: ['a'] },
  { name: 'all', clusters: ['b', 'c', 'd'], maxConcurrency: 2 },
];

function inputOf(observed: Readonly<Record<string, WaveObservation>>, more: Partial<Input> = {}): Input {
  return { revision: 'v2', clusters: named('a b c d'), observed: new Map(Object.entries(observed)), waves: TWO_WAVES, ...more };
}

const steps = (plan: WavesPlan): string => plan.steps.map(({ cluster, because }) => `${cluster} ${because}`).join(', ');
const phases = (plan: WavesPlan): string => plan.waves.map(({ phase }) => phase).join(' ');
const waits = (plan: WavesPlan): readonly string[] =>
  [...plan.waiting].map(([cluster, { reason, ...rest }]) => [cluster, reason, ...Object.values(rest).map(String)].join(' '));

describe('planWaves', () => {
  it.each<[string, Input, string | undefined, string, string, readonly string[]]>([
    [
      'begins with the first wave',
      inputOf({ a: OLD, b: OLD, c: OLD, d: OLD }),
      undefined,
      'a ItsTurn',
      'Running Waiting',
      ['b WaitsForWave canary', 'c WaitsForWave canary', 'd WaitsForWave canary'],
    ],
    [
      'brings a workload where there is none',
      inputOf({}, { waves: [{ name: 'all', clusters: () => true, maxConcurrency: '50%' }] }),
      undefined,
      'a New, b New',
      'Running',
      ['c OverConcurrency', 'd OverConcurrency'],
    ],
    [
      'waits until the wave is ready',
      inputOf({ a: CHANGING, b: OLD, c: OLD, d: OLD }),
      undefined,
      '',
      'Running Waiting',
      ['a WaitsForReady', 'b WaitsForWave canary', 'c WaitsForWave canary', 'd WaitsForWave canary'],
    ],
    [
      'goes on to the next, as many as may change at a time',
      inputOf({ a: NEW, b: OLD, c: OLD, d: OLD }),
      undefined,
      'b ItsTurn, c ItsTurn',
      'Done Running',
      ['d OverConcurrency'],
    ],
    [
      'fills up what is free',
      inputOf({ a: NEW, b: NEW, c: CHANGING, d: OLD }),
      undefined,
      'd ItsTurn',
      'Done Running',
      ['c WaitsForReady'],
    ],
    [
      'leaves clusters alone that have the revision already',
      inputOf({ a: OLD, b: NEW, c: CHANGING, d: NEW }),
      undefined,
      'a ItsTurn',
      'Running Waiting',
      ['c WaitsForReady'],
    ],
    ['ends', inputOf({ a: NEW, b: NEW, c: NEW, d: NEW }), undefined, '', 'Done Done', []],
    [
      'repairs what is not ready anyway first, and then changes nothing else',
      inputOf({ a: NEW, b: OLD, c: BROKEN, d: BROKEN }),
      undefined,
      'c NotReady, d NotReady',
      'Done Running',
      ['b OverConcurrency'],
    ],
    [
      'counts what is not ready anyway against what may change',
      inputOf({ a: NEW, b: OLD, c: BROKEN, d: OLD }),
      undefined,
      'b ItsTurn, c NotReady',
      'Done Running',
      ['d OverConcurrency'],
    ],
    [
      'begins anew where another revision is wanted',
      inputOf({ a: NEW, b: NEW, c: CHANGING, d: OLD }, { revision: 'v3' }),
      undefined,
      'a ItsTurn',
      'Running Waiting',
      ['b WaitsForWave canary', 'c WaitsForWave canary', 'd WaitsForWave canary'],
    ],
    [
      'holds later waves where a cluster of an earlier one falls back',
      inputOf({ a: CHANGING, b: NEW, c: CHANGING, d: OLD }),
      undefined,
      '',
      'Running Waiting',
      ['a WaitsForReady', 'c WaitsForReady', 'd WaitsForWave canary'],
    ],
    [
      'stops when it is told to',
      inputOf({ a: OLD, b: OLD, c: CHANGING, d: NEW }, { state: 'Stop' }),
      undefined,
      '',
      'Running Waiting',
      ['a Stopped', 'b Stopped', 'c WaitsForReady'],
    ],
    [
      'changes nothing more where a cluster failed',
      inputOf({ a: NEW, b: { ...CHANGING, failed: true }, c: OLD, d: NEW }),
      undefined,
      '',
      'Done Running',
      ['b Failed', 'c TooManyFailures'],
    ],
    [
      'goes on where one may fail, and does not count it as changing',
      inputOf({ a: { ...NEW, failed: true }, b: OLD, c: OLD, d: OLD }, { maxFailures: '25%' }),
      undefined,
      'b ItsTurn, c ItsTurn',
      'Done Running',
      ['a Failed', 'd OverConcurrency'],
    ],
    [
      'forgets the failure of another revision',
      inputOf({ a: { ...OLD, failed: true }, b: NEW, c: NEW, d: NEW }),
      undefined,
      'a ItsTurn',
      'Running Waiting',
      [],
    ],
    [
      'takes a cluster that joins into its wave',
      inputOf({ b: NEW, c: OLD, d: NEW }),
      undefined,
      'a New',
      'Running Waiting',
      ['c WaitsForWave canary'],
    ],
    [
      'makes a last wave of the rest, where it is told to',
      inputOf({ a: NEW, b: OLD, c: OLD, d: OLD }, { waves: TWO_WAVES.slice(0, 1), rest: true }),
      undefined,
      'b ItsTurn',
      'Done Running',
      ['c OverConcurrency', 'd OverConcurrency'],
    ],
    [
      'passes over waves without clusters',
      inputOf(
        { a: OLD },
        {
          clusters: named('a'),
          waves: [
            { name: 'none', clusters: () => false, approvalAfter: true, waitSeconds: 60 },
            { name: 'all', clusters: () => true },
          ],
        },
      ),
      undefined,
      'a ItsTurn',
      'Done Running',
      [],
    ],
    [
      'waits until clusters have been ready for long enough',
      inputOf({ a: { ...NEW, readySince: at(0) }, b: OLD, c: NEW, d: NEW }, { minReadySeconds: 60 }),
      at(59),
      '',
      'Running Waiting',
      [`a WaitsForTime ${at(60)}`, 'b WaitsForWave canary', 'c WaitsForTime undefined', 'd WaitsForTime undefined'],
    ],
    [
      'goes on when they have',
      inputOf({ a: { ...NEW, readySince: at(0) }, b: OLD, c: OLD, d: OLD }, { minReadySeconds: 60 }),
      at(60),
      'b ItsTurn, c ItsTurn',
      'Done Running',
      ['d OverConcurrency'],
    ],
    [
      'does not count the time before the revision was there',
      inputOf(
        { a: { ...NEW, readySince: at(-9999), updatedAt: at(0) }, b: OLD, c: OLD, d: OLD },
        { minReadySeconds: 60, waves: TWO_WAVES },
      ),
      at(59),
      '',
      'Running Waiting',
      [`a WaitsForTime ${at(60)}`, 'b WaitsForWave canary', 'c WaitsForWave canary', 'd WaitsForWave canary'],
    ],
  ])('%s', (_, input, now, changed, phase, waiting) => {
    const plan = planWaves(input, now);
    expect(steps(plan)).toBe(changed);
    expect(phases(plan)).toBe(phase);
    expect(waits(plan)).toEqual(waiting);
    expect(plan.done).toBe(!phase.includes('Waiting') && !phase.includes('Running'));
    const turned = { ...input, clusters: input.clusters.toReversed(), observed: new Map([...input.observed].toReversed()) };
    expect(planWaves(turned, now)).toEqual(plan);
  });

  const soaking = (since: string | undefined, more: Partial<Input> = {}): Input =>
    inputOf(
      { a: { ...NEW, ...(since === undefined ? {} : { readySince: since }) }, b: OLD, c: OLD, d: OLD },
      {
        waves: [
          { name: 'canary', clusters: ['a'], waitSeconds: 300 },
          { name: 'all', clusters: ['b', 'c', 'd'] },
        ],
        ...more,
      },
    );

  it('waits after a wave, and says until when', () => {
    const before = planWaves(soaking(at(0)), at(299));
    expect(phases(before)).toBe('Soaking Waiting');
    expect(before).toMatchObject({ steps: [], nextAt: at(300), waves: [{ until: at(300), done: 1 }, { pending: 3 }] });
    expect(waits(before)).toEqual([`b WaitsForTime ${at(300)}`, `c WaitsForTime ${at(300)}`, `d WaitsForTime ${at(300)}`]);
    const after = planWaves(soaking(at(0)), at(300));
    expect([steps(after), after.nextAt]).toEqual(['b ItsTurn', undefined]);
    expect(phases(planWaves(soaking(at(0), { minReadySeconds: 10 }), at(309)))).toBe('Soaking Waiting');
    expect(phases(planWaves(soaking(at(0), { minReadySeconds: 10 }), at(310)))).toBe('Done Running');
  });

  it('lets no time pass where none is given, and says what is missing', () => {
    expect(phases(planWaves(soaking(at(0))))).toBe('Soaking Waiting');
    const unknown = planWaves(soaking(undefined), at(9999));
    expect(phases(unknown)).toBe('Soaking Waiting');
    expect(unknown.issues).toMatchObject([{ field: 'observed[a].readySince' }]);
    expect(planWaves(soaking(at(0)), 'yesterday').issues).toMatchObject([{ field: 'now' }]);
  });

  it('counts a cluster as failed that takes too long, or that falls back for too long', () => {
    const limited = (seen: Partial<WaveObservation>): Input =>
      inputOf({ a: { ...CHANGING, ...seen }, b: OLD, c: OLD, d: OLD }, { progressDeadlineSeconds: 60 });
    const early = planWaves(limited({ updatedAt: at(0) }), at(59));
    expect(early).toMatchObject({ nextAt: at(60), failures: { failed: 0, allowed: 0 } });
    const late = planWaves(limited({ updatedAt: at(0) }), at(60));
    expect(late).toMatchObject({ failures: { failed: 1, allowed: 0 } });
    expect(late.nextAt).toBeUndefined();
    expect(waits(late)[0]).toBe('a Failed');
    expect(planWaves(limited({ updatedAt: at(0), unreadySince: at(500) }), at(559)).failures.failed).toBe(0);
    expect(planWaves(limited({ updatedAt: at(0), unreadySince: at(500) }), at(560)).failures.failed).toBe(1);
    expect(planWaves(limited({}), at(9999)).failures.failed).toBe(0);
    expect(planWaves(limited({ updatedAt: at(0), ready: true }), at(9999)).failures.failed).toBe(0);
  });

  it('asks for approval before and after a wave', () => {
    const waves = [
      { name: 'canary', clusters: ['a'], approvalBefore: true, approvalAfter: true },
      { name: 'all', clusters: ['b', 'c', 'd'] },
    ];
    const [before, after] = [
      { wave: 'canary', stage: 'Before' as const },
      { wave: 'canary', stage: 'After' as const, revision: 'v2' },
    ];
    const old = { a: OLD, b: OLD, c: OLD, d: OLD };
    const unapproved = planWaves(inputOf(old, { waves, approvals: [after] }));
    expect([steps(unapproved), phases(unapproved)]).toEqual(['', 'NeedsApprovalBefore Waiting']);
    expect(waits(unapproved).slice(0, 2)).toEqual(['a WaitsForApproval canary Before', 'b WaitsForWave canary']);
    expect(steps(planWaves(inputOf(old, { waves, approvals: [before] })))).toBe('a ItsTurn');
    const changed = planWaves(inputOf({ ...old, a: NEW }, { waves, approvals: [{ ...after, revision: 'v1' }] }));
    expect([steps(changed), phases(changed)]).toEqual(['', 'NeedsApprovalAfter Waiting']);
    expect(waits(changed)[0]).toBe('b WaitsForApproval canary After');
    expect(steps(planWaves(inputOf({ ...old, a: NEW }, { waves, approvals: [after] })))).toBe('b ItsTurn');
  });

  it('leaves clusters alone that are in no wave or in two, and goes on with the others', () => {
    const waves = [
      { name: 'one', clusters: ['a', 'b', 'lost'] },
      { name: 'one', clusters: ({ name }: Named) => name === 'b' || name === 'c' },
    ];
    const plan = planWaves(inputOf({ a: OLD, b: OLD, c: OLD, d: OLD }, { waves, clusters: named('d c b a a') }));
    expect(steps(plan)).toBe('a ItsTurn');
    expect(waits(plan)).toEqual(['b NotInOneWave', 'c WaitsForWave one', 'd NotInOneWave']);
    expect(plan.issues.map(({ field, message }) => `${field}: ${message}`)).toEqual([
      'clusters: cluster a is there twice',
      'waves[1].name: "one" is also the name of waves[0]; an approval counts for both',
      'waves[0].clusters[2]: there is no cluster lost',
      'waves[1].clusters: cluster b is also in wave one, and is left alone',
      'waves: cluster d is in no wave, and is left alone',
    ]);
    expect(plan.issues.every(({ mend }) => mend !== undefined)).toBe(true);
    expect(planWaves(inputOf({ a: NEW, b: NEW, c: NEW, d: NEW }, { waves })).done).toBe(false);
  });

  it('takes numbers without sense for the most careful ones, and says so', () => {
    const observed = { a: { ...NEW, readySince: at(0), updatedAt: at(0) }, b: OLD, c: OLD, d: OLD };
    const waves = [{ name: 'all', clusters: () => true, maxConcurrency: '-5%', waitSeconds: -1 }];
    const plan = planWaves(inputOf(observed, { waves, maxFailures: Number.NaN }), at(5));
    expect(steps(plan)).toBe('b ItsTurn');
    expect(plan.issues.map(({ field }) => field)).toEqual(['maxFailures', 'waves[0].maxConcurrency', 'waves[0].waitSeconds']);
    const endless = planWaves(inputOf(observed, { waves, minReadySeconds: Number.NaN, progressDeadlineSeconds: -1 }), at(1e9));
    expect([steps(endless), waits(endless)[0], endless.nextAt]).toEqual(['', 'a WaitsForTime undefined', undefined]);
    expect(endless.issues.map(({ field }) => field)).toContain('progressDeadlineSeconds');
    expect(phases(planWaves(inputOf({ a: NEW, b: NEW, c: NEW, d: NEW }, { waves }), at(1e9)))).toBe('Soaking');
  });

  it('tells names of another kind apart', () => {
    const clusters = named('__proto__ constructor toString');
    const waves = [{ name: '__proto__', clusters: ['__proto__', 'constructor'], maxConcurrency: 2 }];
    expect(steps(planWaves({ revision: 'v2', clusters, observed: new Map(), waves, rest: true }))).toBe(
      '__proto__ New, constructor New',
    );
  });
});

describe('a whole rollout', () => {
  interface Cluster extends Named {
    readonly wave: number;
    seen: WaveObservation;
  }

  const arbitrary = fc.record({
    sizes: fc.array(fc.nat(5), { minLength: 1, maxLength: 4 }),
    concurrency: fc.array(fc.constantFrom<number | string>(1, 2, 3, '50%', '100%'), { minLength: 4, maxLength: 4 }),
    minReadySeconds: fc.constantFrom(0, 0, 20),
    waitSeconds: fc.constantFrom(0, 0, 45),
    hasRest: fc.boolean(),
    isNew: fc.boolean(),
    seed: fc.nat(),
  });

  function rolling(seed: number): () => number {
    let state = seed;
    return () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
      return state >>> 16;
    };
  }

  /** Lets a rollout run until it ends; `look` sees every plan. */
  function simulate(
    drawn: typeof arbitrary extends fc.Arbitrary<infer T> ? T : never,
    disturb: (cluster: Cluster, roll: () => number, now: number) => void,
    look: (plan: WavesPlan, clusters: readonly Cluster[], now: number) => void,
  ): WavesPlan {
    const { sizes, concurrency, minReadySeconds, waitSeconds, hasRest, isNew, seed } = drawn;
    const roll = rolling(seed);
    const clusters = sizes.flatMap((size, wave) =>
      Array.from({ length: size }, (_, index): Cluster => {
        const seen = isNew ? { ready: false } : { revision: 'v1', ready: true, readySince: at(-1000) };
        return { name: `c${wave}${(index * 7) % 5}`, wave, seen };
      }),
    );
    const all = sizes.map((_, wave): PlannedWave<Cluster> => {
      return {
        name: `w${wave}`,
        clusters: (cluster) => cluster.wave === wave,
        maxConcurrency: concurrency[wave] ?? 1,
        waitSeconds,
      };
    });
    const waves = hasRest ? all.slice(0, -1) : all;
    for (let now = 0; now < 20_000; now += 10) {
      const observed = new Map(clusters.map(({ name, seen }) => [name, seen]));
      const input = { revision: 'v2', clusters, observed, waves, rest: hasRest, minReadySeconds };
      const plan = planWaves(input, at(now));
      look(plan, clusters, now);
      expect(planWaves({ ...input, clusters: clusters.toReversed() }, at(now))).toEqual(plan);
      if (plan.done) return plan;
      for (const step of plan.steps) {
        const cluster = clusters.find(({ name }) => name === step.cluster);
        // A controller that is restarted, or a write that fails: some steps aren't carried out.
        if (cluster !== undefined && roll() % 4 > 0)
          cluster.seen = { revision: step.revision, ready: false, updatedAt: at(now), unreadySince: at(now) };
      }
      for (const cluster of clusters) {
        if (cluster.seen.revision !== undefined && !cluster.seen.ready && roll() % 3 === 0) {
          cluster.seen = { ...cluster.seen, ready: true, readySince: at(now) };
        }
        disturb(cluster, roll, now);
      }
    }
    throw new Error('it does not end');
  }

  it('ends where nothing fails, with never too many clusters changing, and no wave before its time', () => {
    let longest = 0;
    fc.assert(
      fc.property(arbitrary, (drawn) => {
        let rounds = 0;
        const plan = simulate(
          drawn,
          () => undefined,
          ({ steps: begun, waves }, clusters) => {
            rounds += 1;
            for (const [index, { clusters: members }] of waves.entries()) {
              const changing = clusters.filter(
                ({ name, seen }) => members.includes(name) && seen.revision === 'v2' && !seen.ready,
              ).length;
              const starting = begun.filter(({ cluster }) => members.includes(cluster)).length;
              const isRest = drawn.hasRest && index === waves.length - 1;
              const most = isRest ? 1 : Math.max(1, clustersIn(drawn.concurrency[index] ?? 1, members.length) ?? 1);
              expect(changing + starting).toBeLessThanOrEqual(most);
              if (starting > 0) expect(waves.slice(0, index).every(({ phase }) => phase === 'Done')).toBe(true);
            }
          },
        );
        expect(plan.waiting.size).toBe(0);
        longest = Math.max(longest, rounds);
      }),
      { numRuns: 200 },
    );
    expect(longest).toBeGreaterThan(20);
  });

  it('never takes a ready cluster where too many are not ready, whatever falls back by itself, and ends when that is over', () => {
    fc.assert(
      fc.property(arbitrary, (drawn) => {
        simulate(
          drawn,
          (cluster, roll, now) => {
            const { seen } = cluster;
            if (now < 2000 && seen.revision !== undefined && seen.ready && roll() % 20 === 0) {
              const { readySince: _, ...rest } = seen;
              cluster.seen = { ...rest, ready: false, unreadySince: at(now) };
            }
          },
          ({ steps: begun, waves }, clusters) => {
            for (const [index, { clusters: members }] of waves.entries()) {
              const unready = clusters.filter(
                ({ name, seen }) => members.includes(name) && seen.revision !== undefined && !seen.ready,
              ).length;
              const taken = begun.filter(({ cluster, because }) => members.includes(cluster) && because === 'ItsTurn').length;
              const isRest = drawn.hasRest && index === waves.length - 1;
              const most = isRest ? 1 : Math.max(1, clustersIn(drawn.concurrency[index] ?? 1, members.length) ?? 1);
              if (taken > 0) expect(unready + taken).toBeLessThanOrEqual(most);
            }
          },
        );
      }),
      { numRuns: 150 },
    );
  });

  it('says when to ask again: until then time alone changes nothing', () => {
    fc.assert(
      fc.property(arbitrary, (drawn) => {
        let last: { readonly plan: WavesPlan; readonly seen: string; readonly now: number } | undefined;
        simulate(
          drawn,
          () => undefined,
          (plan, clusters, now) => {
            const seen = JSON.stringify(clusters);
            if (last?.seen === seen && (last.plan.nextAt === undefined || last.plan.nextAt > at(now)))
              expect(plan).toEqual(last.plan);
            if (plan.nextAt !== undefined) expect(plan.nextAt > at(now)).toBe(true);
            last = { plan, seen, now };
          },
        );
      }),
      { numRuns: 100 },
    );
  });
});

describe('clustersIn', () => {
  it.each<[number | string, number, number | undefined]>([
    [3, 10, 3],
    ['25%', 10, 2],
    ['100%', 7, 7],
    ['0%', 7, 0],
    ['101%', 7, undefined],
    ['25', 7, undefined],
    ['-1%', 7, undefined],
    [-1, 7, undefined],
    [1.5, 7, undefined],
    [Number.NaN, 7, undefined],
  ])('takes %j of %i for %j', (amount, total, expected) => {
    expect(clustersIn(amount, total)).toBe(expected);
  });
});

describe('rolloutWavesSchema', () => {
  it('is structural, so that a CRD can hold it', () => {
    expect(structuralSchema(rolloutWavesSchema)).toMatchObject({
      type: 'object',
      required: ['waves'],
      properties: {
        maxFailures: { 'x-kubernetes-int-or-string': true },
        waves: {
          type: 'array',
          items: { required: ['name'], properties: { maxConcurrency: { 'x-kubernetes-int-or-string': true } } },
        },
      },
    });
  });
});

describe('checkWaves', () => {
  it.each<[string, unknown, readonly string[]]>([
    [
      'nothing',
      { waves: [{ name: 'a', clusterNames: ['x'], maxConcurrency: '50%' }], rest: true, maxFailures: 1, minReadySeconds: 5 },
      [],
    ],
    ['nothing of one wave for all', { waves: [{ name: 'a' }] }, []],
    [
      'nothing of names beside a selector',
      {
        waves: [
          { name: 'a', clusterNames: ['x'] },
          { name: 'b', clusterNames: ['x'], labelSelector: { matchLabels: { a: 'b' } } },
        ],
      },
      [],
    ],
    [
      'nothing of a name that is excluded',
      {
        waves: [
          { name: 'a', clusterNames: ['x'] },
          { name: 'b', clusterNames: ['y'], exclude: ['x'] },
        ],
      },
      [],
    ],
    ['no waves', { waves: [] }, ['waves']],
    [
      'its shape, and typos',
      { waves: [{ maxConcurency: 1 }], state: 'Pause' },
      ['waves[0].name', 'state', 'waves[0].maxConcurency'],
    ],
    ['no object', 'all', ['']],
    [
      'a name twice',
      {
        waves: [
          { name: 'a', clusterNames: ['x'] },
          { name: 'a', clusterNames: ['y'] },
        ],
      },
      ['waves[1].name'],
    ],
    ['the name of the rest', { waves: [{ name: 'rest', clusterNames: ['x'] }], rest: true }, ['waves[0].name']],
    [
      'a cluster in two waves',
      {
        waves: [
          { name: 'a', clusterNames: ['x'] },
          { name: 'b', clusterNames: ['y', 'x'] },
        ],
      },
      ['waves[1].clusterNames[1]'],
    ],
    ['a cluster twice in one wave, once', { waves: [{ name: 'a', clusterNames: ['x', 'x'] }] }, ['waves[0].clusterNames[1]']],
    ['a wave of all clusters beside others', { waves: [{ name: 'a', labelSelector: {} }], rest: true }, ['waves[0]']],
    ['a bad selector', { waves: [{ name: 'a', labelSelector: { matchLabels: { 'a b': 'c' } } }] }, ['waves[0].labelSelector']],
    [
      'amounts and times',
      {
        waves: [{ name: 'a', maxConcurrency: 0, waitSeconds: -1 }],
        maxFailures: 'many',
        minReadySeconds: -1,
        progressDeadlineSeconds: 0,
      },
      ['waves[0].maxConcurrency', 'waves[0].waitSeconds', 'maxFailures', 'minReadySeconds', 'progressDeadlineSeconds'],
    ],
    ['percentages beyond all', { waves: [{ name: 'a', maxConcurrency: '150%' }] }, ['waves[0].maxConcurrency']],
  ])('complains about %s', (_, value, fields) => {
    expect(checkWaves(value).map(({ field }) => field)).toEqual(fields);
  });
});
