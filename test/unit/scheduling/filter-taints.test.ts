import type { ClusterEntry } from 'clusterset/registry';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { taintFilter } from '../../../src/scheduling/filter/taint-filter.ts';
import { type ClusterTaint, NEVER, toleratedUntil, tolerates } from '../../../src/scheduling/filter/tolerations.ts';
import type { FilterVerdict, SchedulingContext } from '../../../src/scheduling/pipeline/contract.ts';
import type { Toleration } from '../../../src/scheduling/policy/api.ts';

const context = (rest: Partial<SchedulingContext> = {}): SchedulingContext => ({
  policy: {},
  workload: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
  current: new Map(),
  room: new Map(),
  scores: {},
  placements: new Map(),
  ...rest,
});
const RUNNING = new Map([['a', 0]]);
const taint = (effect: ClusterTaint['effect'], rest: Partial<ClusterTaint> = {}): ClusterTaint => ({
  key: 'k',
  value: 'v',
  effect,
  ...rest,
});
const verdict = (
  taints: readonly ClusterTaint[],
  tolerations: readonly Toleration[] = [],
  rest: Partial<SchedulingContext> = {},
): FilterVerdict =>
  taintFilter({ tolerations: [...tolerations] }).judge({ name: 'a', taints: [...taints] } as ClusterEntry, context(rest));
const shown = (found: FilterVerdict): string => {
  const until = found.outcome !== 'rejected' && found.until !== undefined ? ` until ${found.until}` : '';
  return found.outcome === 'accepted' ? `accepted${until}` : `${found.outcome} ${found.rejection.reason}${until}`;
};

describe('tolerates', () => {
  it.each<[string, Toleration, Partial<ClusterTaint>, boolean]>([
    ['the same key and value', { key: 'k', value: 'v' }, {}, true],
    ['another key', { key: 'j', value: 'v' }, {}, false],
    ['another value', { key: 'k', value: 'w' }, {}, false],
    ['no value for a taint with one', { key: 'k' }, {}, false],
    ['no value for a taint with an empty one', { key: 'k' }, { value: '' }, true],
    ['an operator that is said', { key: 'k', operator: 'Equal', value: 'v' }, {}, true],
    ['any value', { key: 'k', operator: 'Exists' }, {}, true],
    ['any value, whatever the value says', { key: 'k', operator: 'Exists', value: 'w' }, {}, true],
    ['any key', { operator: 'Exists' }, {}, true],
    ['any key, said as an empty one', { key: '', operator: 'Exists' }, {}, true],
    ['any key with one value', { operator: 'Equal', value: 'v' }, {}, true],
    ['nothing said but an empty taint value', {}, { value: '' }, true],
    ['nothing said', {}, {}, false],
    ['the same effect', { operator: 'Exists', effect: 'NoExecute' }, {}, true],
    ['another effect', { operator: 'Exists', effect: 'NoSchedule' }, {}, false],
    ['every effect, said as an empty one', { operator: 'Exists', effect: '' as 'NoSchedule' }, {}, true],
    ['an operator that nobody knows', { key: 'k', operator: 'Near' as 'Equal', value: 'v' }, {}, false],
    ['an empty operator', { key: 'k', operator: '' as 'Equal', value: 'v' }, {}, true],
  ])('%s', (_, toleration, rest, expected) => {
    expect(tolerates(toleration, taint('NoExecute', rest))).toBe(expected);
  });
});

const ADDED = '2026-01-01T00:00:00Z';
const ALL: Toleration = { operator: 'Exists' };
const timed = (tolerationSeconds: number): Toleration => ({ operator: 'Exists', tolerationSeconds });

describe('taintFilter: effects', () => {
  it.each<[ClusterTaint['effect'], onNew: string, onRunning: string]>([
    ['NoSchedule', 'rejected Tainted', 'kept Tainted'],
    ['NoSelectIfNew', 'rejected Tainted', 'kept Tainted'],
    ['NoExecute', 'rejected Tainted', 'rejected Tainted'],
    ['NoSelect', 'rejected Tainted', 'rejected Tainted'],
    ['PreferNoSchedule', 'accepted', 'accepted'],
    ['PreferNoSelect', 'accepted', 'accepted'],
  ])('%s, untolerated', (effect, onNew, onRunning) => {
    expect(shown(verdict([taint(effect)]))).toBe(onNew);
    expect(shown(verdict([taint(effect)], [], { current: RUNNING }))).toBe(onRunning);
    expect(shown(verdict([taint(effect)], [ALL]))).toBe('accepted');
  });

  it.each<[ClusterTaint['effect'], before: string, after: string]>([
    ['NoSchedule', 'accepted', 'accepted'],
    ['NoSelectIfNew', 'accepted', 'accepted'],
    ['NoExecute', 'accepted until 2026-01-01T00:01:00Z', 'rejected TolerationExpired'],
    ['NoSelect', 'accepted until 2026-01-01T00:01:00Z', 'rejected TolerationExpired'],
    ['PreferNoSelect', 'accepted', 'accepted'],
  ])('%s, tolerated for a minute', (effect, before, after) => {
    const taints = [taint(effect, { timeAdded: ADDED })];
    expect(shown(verdict(taints, [timed(60)], { now: '2026-01-01T00:00:59.999Z', current: RUNNING }))).toBe(before);
    expect(shown(verdict(taints, [timed(60)], { now: '2026-01-01T00:01:00Z', current: RUNNING }))).toBe(after);
  });
});

describe('taintFilter: time', () => {
  const NOW = '2026-01-01T00:00:30Z';
  const evicting = taint('NoExecute', { timeAdded: ADDED });
  it.each<[string, readonly ClusterTaint[], readonly Toleration[], string | undefined, string]>([
    ['without a time added the seconds can not be counted', [taint('NoExecute')], [timed(1)], NOW, 'accepted'],
    ['nor with one that is none', [taint('NoExecute', { timeAdded: 'yesterday' })], [timed(1)], NOW, 'accepted'],
    [
      'nor with one of no certain offset',
      [taint('NoExecute', { timeAdded: '2026-01-01T00:00:00' })],
      [timed(1)],
      NOW,
      'accepted',
    ],
    ['without a now nothing has ended', [evicting], [timed(1)], undefined, 'accepted until 2026-01-01T00:00:01Z'],
    ['nor with one that is none', [evicting], [timed(1)], 'today', 'accepted until 2026-01-01T00:00:01Z'],
    ['no seconds are at once', [evicting], [timed(0)], NOW, 'rejected Tainted'],
    ['fewer than none too', [evicting], [timed(-5)], NOW, 'rejected Tainted'],
    ['at once, also without a now or a time added', [taint('NoExecute')], [timed(0)], undefined, 'rejected Tainted'],
    ['more seconds than there is time', [evicting], [timed(Number.MAX_SAFE_INTEGER)], NOW, 'accepted'],
    [
      'of several tolerations the longest',
      [evicting],
      [timed(10), timed(60), timed(0)],
      NOW,
      'accepted until 2026-01-01T00:01:00Z',
    ],
    ['for ever is longest', [evicting], [timed(10), ALL], NOW, 'accepted'],
    [
      'of several taints the earliest',
      [evicting, taint('NoSelect', { timeAdded: '2026-01-01T00:00:20Z', key: 'z' })],
      [timed(40)],
      NOW,
      'accepted until 2026-01-01T00:00:40Z',
    ],
    [
      'another offset',
      [taint('NoExecute', { timeAdded: '2026-01-01T02:00:00+02:00' })],
      [timed(60)],
      NOW,
      'accepted until 2026-01-01T00:01:00Z',
    ],
    [
      'a fraction',
      [taint('NoExecute', { timeAdded: '2026-01-01T00:00:00.25Z' })],
      [timed(60)],
      NOW,
      'accepted until 2026-01-01T00:01:00.250Z',
    ],
    [
      'any untolerated taint decides',
      [evicting, taint('NoSelect', { key: 'z' })],
      [{ ...timed(60), key: 'k' }],
      NOW,
      'rejected Tainted',
    ],
    ['a tolerated preference has no time', [taint('PreferNoSelect', { timeAdded: ADDED })], [timed(60)], NOW, 'accepted'],
  ])('%s', (_, taints, tolerations, now, expected) => {
    const rest = { current: RUNNING, ...(now === undefined ? {} : { now }) };
    expect(shown(verdict(taints, tolerations, rest))).toBe(expected);
  });

  it('keeps what runs no longer than its other taints are tolerated', () => {
    const found = verdict([taint('NoSchedule', { key: 'z' }), evicting], [{ ...timed(60), key: 'k' }], {
      current: RUNNING,
      now: NOW,
    });
    expect(shown(found)).toBe('kept Tainted until 2026-01-01T00:01:00Z');
  });

  it('ends to the millisecond when the seconds are over', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 ** 9 }), fc.integer({ min: -5, max: 5 }), (seconds, offset) => {
        const end = Date.parse(ADDED) + seconds * 1000;
        expect(toleratedUntil(evicting, [timed(seconds)])).toBe(end);
        const now = new Date(end + offset).toISOString();
        expect(verdict([evicting], [timed(seconds)], { now }).outcome).toBe(offset < 0 ? 'accepted' : 'rejected');
      }),
    );
  });
});

describe('taintFilter: words', () => {
  it.each<[string, readonly ClusterTaint[], readonly Toleration[], string]>([
    ['key, value and effect', [taint('NoSchedule')], [], 'the taint "k=v:NoSchedule" isn\'t tolerated'],
    ['without a value', [{ key: 'k', effect: 'NoSelect' }], [], 'the taint "k:NoSelect" isn\'t tolerated'],
    [
      'since when',
      [taint('NoExecute', { timeAdded: ADDED })],
      [timed(60)],
      'the taint "k=v:NoExecute" was tolerated until 2026-01-01T00:01:00Z',
    ],
    [
      'of what drives away first',
      [taint('NoSchedule', { key: 'a' }), taint('NoSelect')],
      [],
      'the taint "k=v:NoSelect" isn\'t tolerated',
    ],
    [
      'of the first by text',
      [taint('NoSelect', { key: 'z' }), taint('NoSelect', { key: 'y' })],
      [],
      'the taint "y=v:NoSelect" isn\'t tolerated',
    ],
  ])('%s', (_, taints, tolerations, message) => {
    expect(verdict(taints, tolerations, { now: '2027-01-01T00:00:00Z' })).toMatchObject({
      rejection: { filter: 'Taints', message },
    });
  });
});

const EFFECTS = ['NoSelect', 'NoSelectIfNew', 'PreferNoSelect', 'NoSchedule', 'PreferNoSchedule', 'NoExecute'] as const;
const taintLists = fc.array(
  fc.record(
    {
      key: fc.constantFrom('k', 'l', '__proto__'),
      value: fc.constantFrom('', 'v'),
      effect: fc.constantFrom(...EFFECTS),
      timeAdded: fc.constantFrom(ADDED, '2026-01-01T00:00:10Z', 'never'),
    },
    { requiredKeys: ['key', 'effect'] },
  ) as fc.Arbitrary<ClusterTaint>,
  { maxLength: 5 },
);
const tolerationList = fc.array(
  fc.record(
    {
      key: fc.constantFrom('', 'k', 'l', '__proto__'),
      operator: fc.constantFrom('Equal' as const, 'Exists' as const),
      value: fc.constantFrom('', 'v'),
      effect: fc.constantFrom(...EFFECTS),
      tolerationSeconds: fc.constantFrom(-1, 0, 5, 15, 25, 1e15),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<Toleration>,
  { maxLength: 5 },
);
const situation = fc.record({
  now: fc.constantFrom(ADDED, '2026-01-01T00:00:12Z', '2026-01-01T00:00:20Z'),
  current: fc.constantFrom(new Map<string, number>(), RUNNING),
});
const RANK = { rejected: 0, kept: 1, accepted: 2 } as const;

describe('taintFilter: always', () => {
  it('does not look at the order of taints and tolerations', () => {
    fc.assert(
      fc.property(taintLists, tolerationList, situation, (some, tolerations, rest) => {
        expect(verdict(some.toReversed(), tolerations.toReversed(), rest)).toEqual(verdict(some, tolerations, rest));
      }),
    );
  });

  it('is no stricter with one more toleration, and no milder with one more taint', () => {
    fc.assert(
      fc.property(taintLists, tolerationList, situation, (some, tolerations, rest) => {
        const rank = RANK[verdict(some, tolerations, rest).outcome];
        expect(RANK[verdict(some, tolerations.slice(1), rest).outcome]).toBeLessThanOrEqual(rank);
        expect(RANK[verdict(some.slice(1), tolerations, rest).outcome]).toBeGreaterThanOrEqual(rank);
      }),
    );
  });

  it('announces the time at which it changes its mind, and not before', () => {
    fc.assert(
      fc.property(taintLists, tolerationList, situation, (some, tolerations, rest) => {
        const found = verdict(some, tolerations, rest);
        if (found.outcome === 'rejected' || found.until === undefined) return;
        const before = new Date(Date.parse(found.until) - 1).toISOString();
        expect(verdict(some, tolerations, { ...rest, now: before })).toEqual(found);
        expect(verdict(some, tolerations, { ...rest, now: found.until }).outcome).toBe('rejected');
      }),
    );
  });

  it('agrees with what is said of each single taint', () => {
    fc.assert(
      fc.property(taintLists, tolerationList, situation, (some, tolerations, rest) => {
        const single = some.map((each) => RANK[verdict([each], tolerations, rest).outcome]);
        expect(RANK[verdict(some, tolerations, rest).outcome]).toBe(Math.min(2, ...single));
      }),
    );
  });

  it('tolerates for no time at all what no toleration matches', () => {
    fc.assert(
      fc.property(taintLists, tolerationList, (some, tolerations) => {
        for (const each of some) {
          if (!tolerations.some((toleration) => tolerates(toleration, each)))
            expect(toleratedUntil(each, tolerations)).toBe(NEVER);
        }
      }),
    );
  });
});
