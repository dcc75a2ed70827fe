import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type KarmadaSelectable,
  type KarmadaSelectInput,
  type KarmadaSelection,
  selectKarmada,
} from '../../../src/scheduling/karmada/select.ts';
import { chooseGroups, type KarmadaSpread, type SpreadGroup } from '../../../src/scheduling/karmada/spread-groups.ts';

const names = (selection: KarmadaSelection): readonly string[] | string =>
  selection.outcome === 'selected' ? selection.clusters.map(({ cluster }) => cluster) : selection.message;
const reasons = (selection: KarmadaSelection): readonly string[] =>
  selection.outcome === 'selected'
    ? [...selection.clusters, ...selection.leftOut].map(({ cluster, reason }) => `${cluster} ${reason}`)
    : [selection.reason];

const to = (minGroups: number, maxGroups: number): KarmadaSpread => ({ minGroups, maxGroups });
/** `a:100:5` or `a:100:5:eu`: name, score, room, region. */
const clusters = (text: string): readonly KarmadaSelectable[] =>
  text.split(' ').map((each) => {
    const [name = '', score = '0', allocatable = '0', region] = each.split(':');
    return { name, score: Number(score), allocatable: Number(allocatable), ...(region === undefined ? {} : { region }) };
  });
const input = (text: string, replicas: number, rest: Partial<KarmadaSelectInput> = {}): KarmadaSelectInput => ({
  candidates: text === '' ? [] : clusters(text),
  replicas,
  strategy: { type: 'DynamicWeighted' },
  ...rest,
});

describe('selectKarmada: the order', () => {
  it.each<[string, readonly KarmadaSelectable[], readonly string[]]>([
    ['by name at last', clusters('c b a'), ['a', 'b', 'c']],
    ['by room before the name', clusters('a:0:1 b:0:2'), ['b', 'a']],
    ['by score before the room', clusters('a:0:9 b:1:2'), ['b', 'a']],
    [
      'by tier before the score',
      [
        { name: 'a', score: 100, overflowOrder: 1 },
        { name: 'b', score: 0 },
      ],
      ['b', 'a'],
    ],
    [
      'with what is held already as room',
      [
        { name: 'a', score: 0, allocatable: 3 },
        { name: 'b', score: 0, allocatable: 1, assigned: 3 },
      ],
      ['b', 'a'],
    ],
  ])('%s', (_, candidates, expected) => {
    const selection = selectKarmada({ candidates, replicas: 1, strategy: { type: 'Aggregated' } });
    expect(names(selection)).toEqual(expected);
    expect(reasons(selection)).toEqual(expected.map((name) => `${name} Unrestricted`));
  });

  it('takes all clusters for static weights, whatever the constraints say', () => {
    const constraints = { cluster: to(9, 1), region: to(9, 9) };
    expect(reasons(selectKarmada(input('a b', 9, { strategy: { type: 'StaticWeighted' }, constraints })))).toEqual([
      'a Unrestricted',
      'b Unrestricted',
    ]);
  });

  it('changes nothing that it was handed', () => {
    const candidates = Object.freeze(clusters('a:0:1:x b:0:9:y c:5:2:x').map((each) => Object.freeze(each)));
    for (const constraints of [{ cluster: to(1, 1) }, { cluster: to(1, 2), region: to(1, 2) }]) {
      expect(selectKarmada({ candidates, replicas: 9, strategy: { type: 'Aggregated' }, constraints }).outcome).toBe('selected');
    }
  });
});

describe('selectKarmada: a constraint of clusters', () => {
  it.each<[string, string, number, KarmadaSpread, 'DynamicWeighted' | 'Aggregated' | 'Duplicated', readonly string[]]>([
    ['takes the first', 'a:9:5 b:8:5 c:7:9', 5, to(1, 2), 'Aggregated', ['a InOrder', 'b InOrder', 'c OverMaxGroups']],
    ['takes all where there are fewer', 'a:9:5 b:8:5', 5, to(1, 5), 'Aggregated', ['a InOrder', 'b InOrder']],
    ['needs the least number', 'a:9:5', 5, to(2, 5), 'Aggregated', ['TooFewClusters']],
    [
      'swaps the last for the largest',
      'a:60:40 b:50:30 c:40:60',
      80,
      to(1, 2),
      'DynamicWeighted',
      ['a InOrder', 'c SwappedIn', 'b SwappedOut'],
    ],
    [
      'swaps for the first of the largest',
      'a:9:1 b:8:1 c:7:5 d:6:5',
      6,
      to(1, 2),
      'DynamicWeighted',
      ['a InOrder', 'c SwappedIn', 'b SwappedOut', 'd OverMaxGroups'],
    ],
    [
      'swaps no further than it must',
      'a:9:1 b:8:1 c:7:5 d:6:6',
      7,
      to(1, 2),
      'DynamicWeighted',
      ['a InOrder', 'd SwappedIn', 'b SwappedOut', 'c OverMaxGroups'],
    ],
    [
      'passes over places where nothing larger is left',
      'a:9:1 b:8:6 c:7:5',
      11,
      to(1, 2),
      'DynamicWeighted',
      ['c SwappedIn', 'b InOrder', 'a SwappedOut'],
    ],
    [
      'lets one come back for a smaller one',
      'a:9:1 b:8:5 c:7:10',
      15,
      to(1, 2),
      'DynamicWeighted',
      ['b SwappedIn', 'c SwappedIn', 'a SwappedOut'],
    ],
    ['swaps for more room only', 'a:9:5 b:8:5', 6, to(1, 1), 'DynamicWeighted', ['NoRoom']],
    ['says when there is no room', 'a:9:1 b:8:2 c:7:2', 5, to(1, 2), 'DynamicWeighted', ['NoRoom']],
    ['has no room in no clusters', 'a:9:1', 0, to(0, 0), 'DynamicWeighted', ['NoRoom']],
    ['looks for no room for copies', 'a:9:1 b:8:9', 5, to(1, 1), 'Duplicated', ['a InOrder', 'b OverMaxGroups']],
    ['selects none for copies if none are allowed', 'a:9:1', 5, to(0, 0), 'Duplicated', ['a OverMaxGroups']],
  ])('%s', (_, text, replicas, cluster, type, expected) => {
    expect(reasons(selectKarmada(input(text, replicas, { strategy: { type }, constraints: { cluster } })))).toEqual(expected);
  });

  it('says who changed places', () => {
    expect(selectKarmada(input('a:9:1 b:8:5 c:7:10', 15, { constraints: { cluster: to(1, 2) } }))).toEqual({
      outcome: 'selected',
      clusters: [
        { cluster: 'b', available: 5, reason: 'SwappedIn', insteadOf: 'a' },
        { cluster: 'c', available: 10, reason: 'SwappedIn', insteadOf: 'b' },
      ],
      leftOut: [{ cluster: 'a', available: 1, reason: 'SwappedOut', inFavourOf: 'b' }],
    });
  });

  it.each<[KarmadaSelectInput, string]>([
    [
      input('a', 1, { constraints: { cluster: to(2, 2) } }),
      'the number of feasible clusters is less than spreadConstraint.MinGroups',
    ],
    [input('a b c', 1, { constraints: { cluster: to(1, 2) } }), 'no enough resource when selecting 2 clusters'],
    [
      input('a:0:1:x b:0:1:x', 1, { constraints: { cluster: to(1, 2), region: to(2, 2) } }),
      'the number of feasible region is less than spreadConstraint.MinGroups',
    ],
    [
      input('a:0:1:x b:0:1:y', 1, { constraints: { cluster: to(3, 3), region: to(1, 2) } }),
      'the number of clusters is less than the cluster spreadConstraint.MinGroups',
    ],
  ])('fails in the words of the original %#', (given, message) => {
    expect(selectKarmada(given)).toMatchObject({ outcome: 'failed', message });
  });
});

describe('selectKarmada: a constraint of regions', () => {
  it.each<[string, string, number, KarmadaSpread, KarmadaSpread, 'Aggregated' | 'Duplicated', readonly string[]]>([
    [
      'takes one of each region first, then the best of the rest',
      'a:9:5:x b:8:5:x c:1:9:y d:0:9:y e:0:8:y',
      10,
      to(2, 4),
      to(2, 2),
      'Aggregated',
      ['a FirstOfRegion', 'c FirstOfRegion', 'b MoreOfRegion', 'd MoreOfRegion', 'e OverMaxGroups'],
    ],
    [
      'leaves clusters without a region out',
      'a:0:5:x b:9:9',
      1,
      to(1, 9),
      to(1, 1),
      'Aggregated',
      ['a FirstOfRegion', 'b NoRegion'],
    ],
    ['takes an empty region for none', 'a:0:5:x b:9:9:', 1, to(1, 9), to(1, 1), 'Aggregated', ['a FirstOfRegion', 'b NoRegion']],
    [
      'wants the part of one region where none are wanted',
      'a:9:5:x b:0:50:y',
      5,
      to(1, 1),
      to(0, 1),
      'Aggregated',
      ['a FirstOfRegion', 'b RegionNotChosen'],
    ],
    [
      'prefers the region with room for its part',
      'a:9:4:x b:0:5:y',
      5,
      to(1, 1),
      to(1, 1),
      'Aggregated',
      ['b FirstOfRegion', 'a RegionNotChosen'],
    ],
    [
      'counts no more room than the part: then the score decides',
      'a:9:5:x b:0:50:y',
      5,
      to(1, 1),
      to(1, 1),
      'Aggregated',
      ['a FirstOfRegion', 'b RegionNotChosen'],
    ],
    [
      'rounds the part of a region up',
      'a:9:2:x b:9:2:y c:0:3:z',
      5,
      to(2, 2),
      to(2, 2),
      'Aggregated',
      ['c FirstOfRegion', 'a FirstOfRegion', 'b RegionNotChosen'],
    ],
    [
      'takes the average score of the clusters needed for the part',
      'a:9:5:x d:0:5:x b:8:5:y c:8:5:y',
      5,
      to(1, 1),
      to(1, 1),
      'Aggregated',
      ['a FirstOfRegion', 'b RegionNotChosen', 'c RegionNotChosen', 'd OverMaxGroups'],
    ],
    [
      'takes the average of no fewer clusters than there must be',
      'a:9:5:x d:0:5:x b:8:5:y c:8:5:y',
      5,
      to(2, 2),
      to(1, 1),
      'Aggregated',
      ['b FirstOfRegion', 'c MoreOfRegion', 'a RegionNotChosen', 'd RegionNotChosen'],
    ],
    [
      'takes the average of no fewer clusters than there must be regions',
      'a:9:5:x d:0:5:x b:8:5:y c:8:5:y e:8:5:z f:8:5:z',
      5,
      to(1, 2),
      to(2, 2),
      'Aggregated',
      ['b FirstOfRegion', 'e FirstOfRegion', 'a RegionNotChosen', 'c OverMaxGroups', 'f OverMaxGroups', 'd RegionNotChosen'],
    ],
    [
      'counts clusters with room for a copy',
      'a:9:4:x b:9:4:x c:0:5:y d:0:1:y',
      5,
      to(1, 9),
      to(1, 1),
      'Duplicated',
      ['c FirstOfRegion', 'd MoreOfRegion', 'a RegionNotChosen', 'b RegionNotChosen'],
    ],
    [
      'averages the scores of those that have room for a copy',
      'a:9:5:x b:0:4:x c:8:5:y',
      5,
      to(1, 1),
      to(1, 1),
      'Duplicated',
      ['a FirstOfRegion', 'c RegionNotChosen', 'b OverMaxGroups'],
    ],
    [
      'looks for no room for all replicas, as the original',
      'a:0:1:x b:0:1:y',
      100,
      to(1, 2),
      to(2, 2),
      'Aggregated',
      ['a FirstOfRegion', 'b FirstOfRegion'],
    ],
    [
      'takes one of each region where no clusters are allowed, as the original',
      'a:0:1:x b:0:1:y c:0:1:y',
      1,
      to(0, 0),
      to(2, 2),
      'Aggregated',
      ['a FirstOfRegion', 'b FirstOfRegion', 'c OverMaxGroups'],
    ],
  ])('%s', (_, text, replicas, cluster, region, type, expected) => {
    expect(reasons(selectKarmada(input(text, replicas, { strategy: { type }, constraints: { cluster, region } })))).toEqual(
      expected,
    );
  });

  it('forgets the tiers after the first of a region, as the original', () => {
    const candidates: readonly KarmadaSelectable[] = [
      { name: 'a', score: 0, overflowOrder: 0, region: 'x' },
      { name: 'b', score: 0, overflowOrder: 1, region: 'x' },
      { name: 'c', score: 9, overflowOrder: 2, region: 'x' },
    ];
    const constraints = { cluster: to(1, 2), region: to(1, 1) };
    expect(names(selectKarmada({ candidates, replicas: 0, strategy: { type: 'Aggregated' }, constraints }))).toEqual(['a', 'c']);
  });

  it('wants no clusters where only regions are constrained', () => {
    expect(names(selectKarmada(input('a:0:1:x b:0:1:x', 1, { constraints: { region: to(1, 1) } })))).toEqual(['a']);
  });
});

describe('chooseGroups', () => {
  const group = (name: string, size: number, score: number): SpreadGroup => ({ name, size, score });
  const chosen = (groups: readonly SpreadGroup[], limits: KarmadaSpread, target: number) =>
    chooseGroups(groups, limits, target)?.map(({ name }) => name);

  it.each<[string, readonly SpreadGroup[], KarmadaSpread, number, readonly string[] | undefined]>([
    ['the best by score', [group('a', 1, 1), group('b', 1, 3), group('c', 1, 2)], to(2, 2), 0, ['b', 'c']],
    ['groups that have enough clusters', [group('a', 1, 9), group('b', 2, 1), group('c', 1, 8)], to(2, 2), 3, ['a', 'b']],
    ['of the same score, more clusters', [group('a', 1, 5), group('b', 3, 5)], to(1, 1), 1, ['b']],
    ['of the same score and clusters, the first found', [group('b', 1, 5), group('a', 1, 5)], to(1, 1), 1, ['a']],
    ['more groups where these have more score', [group('a', 1, 4), group('b', 1, 1), group('c', 2, 3)], to(1, 3), 2, ['a', 'c']],
    ['no more groups than the best of them', [group('a', 1, 2), group('b', 1, 2), group('c', 2, 3)], to(1, 3), 2, ['c']],
    ['the beginning that will do', [group('a', 3, 9), group('b', 1, 5), group('c', 1, 4)], to(1, 3), 3, ['a']],
    ['none where too few have clusters', [group('a', 1, 9), group('b', 1, 9)], to(1, 2), 3, undefined],
    ['none where too few may be taken', [group('a', 2, 9), group('b', 2, 9)], to(1, 1), 3, undefined],
    ['none where there are too few', [group('a', 2, 9)], to(2, 3), 1, undefined],
    ['none where a billion are wanted', [group('a', 2, 9)], to(1e9, 1e9), 1, undefined],
    ['none of none', [], to(1, 1), 1, undefined],
    ['nothing where nothing is asked for', [group('a', 2, 9)], to(0, 3), 0, []],
    ['none where none are allowed', [group('a', 2, 9)], to(0, 0), 1, undefined],
    ['none where fewer than none are allowed', [group('a', 2, 9)], to(0, -1), 0, undefined],
  ])('takes %s', (_, groups, limits, target, expected) => {
    expect(chosen(groups, limits, target)).toEqual(expected);
  });

  const arbitraryGroups = fc.uniqueArray(
    fc.record({
      name: fc.stringMatching(/^[a-z]{1,2}$/),
      size: fc.integer({ min: 1, max: 5 }),
      score: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 5000 }), fc.integer({ min: -3, max: 3 })),
    }),
    { selector: ({ name }) => name, maxLength: 9 },
  );
  const arbitraryLimits = fc.record({ minGroups: fc.integer({ min: -1, max: 6 }), maxGroups: fc.integer({ min: -1, max: 11 }) });

  it('finds what walking all combinations finds', () => {
    let found = 0;
    let shorter = 0;
    fc.assert(
      fc.property(arbitraryGroups, arbitraryLimits, fc.integer({ min: -1, max: 18 }), (groups, limits, target) => {
        const walked = walkAll(groups, limits.minGroups, limits.maxGroups, target);
        if (walked !== undefined) found += 1;
        if (walked?.isBeginning) shorter += 1;
        expect(chosen(groups, limits, target)).toEqual(walked?.names);
      }),
      { numRuns: 10_000 },
    );
    // The comparison is worth something only if it comes upon both.
    expect(found).toBeGreaterThan(1000);
    expect(shorter).toBeGreaterThan(50);
  });

  it('does not walk the billions of combinations of many regions', () => {
    const many = Array.from({ length: 120 }, (_, index) => group(`r${index}`, 1 + (index % 7), (index * 37) % 101));
    expect(chosen(many, to(60, 60), 200)).toHaveLength(60);
    expect(chosen(many, to(1, 120), 470)).toBeDefined();
    expect(chosen(many, to(60, 60), 9999)).toBeUndefined();
  });
});

interface Path {
  readonly groups: readonly SpreadGroup[];
  readonly score: number;
  readonly size: number;
}

/** Every combination, word by word: recorded in the order found, sorted, then shortened. */
function walkAll(
  groups: readonly SpreadGroup[],
  min: number,
  max: number,
  target: number,
): { readonly names: readonly string[]; readonly isBeginning: boolean } | undefined {
  const byName = (a: SpreadGroup, b: SpreadGroup): number => (a.name < b.name ? -1 : 1);
  const ordered = [...groups].sort((a, b) => a.size - b.size || b.score - a.score || byName(a, b));
  const paths: Path[] = [];
  const walk = (path: readonly SpreadGroup[], from: number): void => {
    let [size, score] = [0, 0];
    for (const each of path) {
      size += each.size;
      score += each.score;
    }
    if (size >= target && path.length >= min && path.length <= max) {
      paths.push({ groups: [...path].sort((a, b) => b.score - a.score || byName(a, b)), score, size });
      return;
    }
    if (path.length >= max) return;
    for (let next = from; next < ordered.length; next += 1) walk([...path, ...ordered.slice(next, next + 1)], next + 1);
  };
  walk([], 0);
  // Sorting is stable, so what is left equal stays in the order found.
  paths.sort((a, b) => b.score - a.score || b.size - a.size);
  const [winner, ...later] = paths;
  if (winner === undefined) return undefined;
  let final = winner;
  for (const path of later) {
    const begins = path.groups.every((each, index) => final.groups[index]?.name === each.name);
    if (path.groups.length < final.groups.length && begins) final = path;
  }
  return { names: final.groups.map(({ name }) => name), isBeginning: final !== winner };
}

/** The whole selection, written once more after the description: names in order, or the message. */
function naive({ candidates, replicas, strategy, constraints = {} }: KarmadaSelectInput): readonly string[] | string {
  type Each = KarmadaSelectable & { room: number };
  const all: Each[] = candidates.map((each) => ({ ...each, room: (each.allocatable ?? 0) + (each.assigned ?? 0) }));
  const key = (each: Each, tiers: boolean): readonly (number | string)[] => [
    tiers ? (each.overflowOrder ?? 0) : 0,
    -each.score,
    -each.room,
    each.name,
  ];
  const compare = (tiers: boolean) => (a: Each, b: Each) => {
    const [x, y] = [key(a, tiers), key(b, tiers)];
    const at = x.findIndex((part, index) => part !== y[index]);
    if (at < 0) return 0;
    return (x[at] ?? 0) < (y[at] ?? 0) ? -1 : 1;
  };
  all.sort(compare(true));
  const list = (some: readonly Each[]) => some.map(({ name }) => name);
  const total = (some: readonly Each[]) => some.reduce((sum, { room }) => sum + room, 0);
  if (strategy.type === 'StaticWeighted' || (!constraints.cluster && !constraints.region)) return list(all);
  const cluster = constraints.cluster ?? { minGroups: 0, maxGroups: 0 };
  if (!constraints.region) {
    if (all.length < cluster.minGroups) return 'the number of feasible clusters is less than spreadConstraint.MinGroups';
    const count = Math.min(all.length, cluster.maxGroups);
    if (strategy.type === 'Duplicated') return list(all.slice(0, count));
    for (let at = count - 1; at >= 0; at -= 1) {
      if (total(all.slice(0, count)) >= replicas) break;
      const largest = Math.max(...all.slice(count).map(({ room }) => room));
      const from = all.findIndex(({ room }, index) => index >= count && room === largest);
      const [mine, theirs] = [all[at], all[from]];
      if (mine && theirs && theirs.room > mine.room) [all[at], all[from]] = [theirs, mine];
    }
    const result = all.slice(0, count);
    return count > 0 && total(result) >= replicas ? list(result) : `no enough resource when selecting ${count} clusters`;
  }
  const { region } = constraints;
  const regions = [...new Set(all.map((each) => each.region))].filter((each) => each !== undefined);
  if (regions.length < region.minGroups) return 'the number of feasible region is less than spreadConstraint.MinGroups';
  const membersOf = (name: string) => all.filter((each) => each.region === name);
  const scoreOf = (members: readonly Each[]): number => {
    const average = (some: readonly Each[]) => Math.floor(some.reduce((sum, { score }) => sum + score, 0) / some.length);
    if (strategy.type === 'Duplicated') {
      const fit = members.filter((each) => each.room >= replicas);
      return fit.length === 0 ? 0 : fit.length * 1000 + average(fit);
    }
    const part = Math.ceil(replicas / region.minGroups);
    let seen = Math.min(members.length, Math.max(cluster.minGroups, region.minGroups));
    while (seen < members.length && total(members.slice(0, seen)) < part) seen += 1;
    const room = total(members.slice(0, seen));
    return room < part ? room * 1000 + average(members) : part * 1000 + average(members.slice(0, seen));
  };
  const groups = regions.map((name) => ({ name, size: membersOf(name).length, score: scoreOf(membersOf(name)) }));
  const path = walkAll(groups, region.minGroups, region.maxGroups, cluster.minGroups);
  if (!path || path.names.length === 0) return 'the number of clusters is less than the cluster spreadConstraint.MinGroups';
  const result = path.names.flatMap((name) => membersOf(name).slice(0, 1));
  const others = path.names.flatMap((name) => membersOf(name).slice(1)).sort(compare(false));
  while (result.length < cluster.maxGroups && others.length > 0) result.push(...others.splice(0, 1));
  return list(result);
}

describe('selectKarmada against the description written once more', () => {
  const arbitrarySpread = fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 4 }))
    .map(([minGroups, more]) => ({ minGroups, maxGroups: minGroups + more }));
  const small = fc.integer({ min: 0, max: 6 });
  const arbitraryInput: fc.Arbitrary<KarmadaSelectInput> = fc.record({
    candidates: fc.uniqueArray(
      fc.record(
        {
          name: fc.stringMatching(/^[a-z]{1,2}$/),
          score: fc.constantFrom(0, 0, 100, 7),
          allocatable: small,
          assigned: fc.constantFrom(0, 0, 3),
          region: fc.constantFrom('n', 's', 'e', 'w', 'm'),
          overflowOrder: fc.constantFrom(0, 0, 1),
        },
        { requiredKeys: ['name', 'score'] },
      ),
      { selector: ({ name }) => name, maxLength: 12 },
    ),
    replicas: fc.integer({ min: 0, max: 30 }),
    strategy: fc.constantFrom('Duplicated', 'DynamicWeighted', 'Aggregated').map((type) => ({ type })),
    constraints: fc.oneof(
      fc.record({ cluster: arbitrarySpread }),
      fc.record({ cluster: fc.oneof(arbitrarySpread, fc.constant(to(0, 0))), region: arbitrarySpread }),
    ),
  });

  it('selects the same clusters in the same order, or fails in the same words', () => {
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(arbitraryInput, (given) => {
        const selection = selectKarmada(given);
        for (const reason of new Set(reasons(selection).map((text) => text.split(' ').at(-1) ?? ''))) {
          seen.set(reason, (seen.get(reason) ?? 0) + 1);
        }
        expect(names(selection)).toEqual(naive(given));
        if (selection.outcome === 'failed') return;
        const both = [...selection.clusters, ...selection.leftOut].map(({ cluster }) => cluster);
        expect(both.toSorted()).toEqual(given.candidates.map(({ name }) => name).toSorted());
      }),
      { numRuns: 8000 },
    );
    for (const reason of ['InOrder', 'SwappedIn', 'SwappedOut', 'OverMaxGroups', 'FirstOfRegion', 'MoreOfRegion']) {
      expect(seen.get(reason), reason).toBeGreaterThan(100);
    }
    for (const reason of [
      'RegionNotChosen',
      'NoRegion',
      'TooFewClusters',
      'NoRoom',
      'TooFewRegions',
      'TooFewClustersInRegions',
    ]) {
      expect(seen.get(reason), reason).toBeGreaterThan(20);
    }
  });

  it('gives the same answer whatever the order of the candidates', () => {
    fc.assert(
      fc.property(arbitraryInput, (given) => {
        expect(selectKarmada({ ...given, candidates: given.candidates.toReversed() })).toEqual(selectKarmada(given));
      }),
    );
  });
});
