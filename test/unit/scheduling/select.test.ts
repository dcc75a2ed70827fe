import { describe, expect, it } from 'vitest';
import type { SpreadConstraint } from '../../../src/scheduling/policy/api.ts';
import { selectClusters } from '../../../src/scheduling/select/select.ts';
import {
  type ClusterSelectionInput,
  type ClusterSelectionResult,
  explainSelection,
  explainSelectionNote,
  type SelectionCandidate,
} from '../../../src/scheduling/select/selection.ts';

/** `a:9:eu:3`: name, score, region, room. */
const clusters = (text: string): readonly SelectionCandidate[] =>
  text
    .split(' ')
    .filter((each) => each !== '')
    .map((each) => {
      const [name = '', score = '0', region = '', room = ''] = each.split(':');
      const entry = { name, ...(region === '' ? {} : { region }) };
      return { name, entry, score: Number(score), runs: false, current: 0, ...(room === '' ? {} : { room: Number(room) }) };
    });
const reasons = (result: ClusterSelectionResult): readonly string[] =>
  result.outcome === 'selected'
    ? [
        ...result.clusters.map((each) => `${each.cluster} ${each.reason}`),
        ...result.leftOut.map((each) => `- ${each.cluster} ${each.reason}`),
      ]
    : [result.message];
const names = (result: ClusterSelectionResult): string =>
  result.outcome === 'selected' ? result.clusters.map((each) => each.cluster).join(' ') : result.reason;
const select = (text: string, rest: Omit<ClusterSelectionInput, 'candidates'> = {}): ClusterSelectionResult =>
  selectClusters({ candidates: clusters(text), ...rest });
const region = (rest: Omit<SpreadConstraint, 'topologyKey'>): SpreadConstraint => ({ topologyKey: 'region', ...rest });
const cluster = (rest: Omit<SpreadConstraint, 'topologyKey'>): SpreadConstraint => ({ topologyKey: 'cluster', ...rest });
const soft = { whenUnsatisfiable: 'ScheduleAnyway' } as const;
const pickN = (numberOfClusters: number) => ({ type: 'N', numberOfClusters }) as const;

describe('selectClusters: the order of preference', () => {
  const one = (name: string, rest: Partial<SelectionCandidate>): SelectionCandidate => ({
    name,
    entry: { name },
    score: 0,
    runs: false,
    current: 0,
    ...rest,
  });
  it.each<[string, Partial<SelectionCandidate>, Partial<SelectionCandidate>]>([
    ['the lower tier before the higher score', { tier: 1, score: 1 }, { tier: 2, score: 9 }],
    ['no tier as tier 0', {}, { tier: 1, score: 9 }],
    ['the higher score before what runs', { score: 2 }, { score: 1, runs: true }],
    ['what runs before more room', { runs: true, room: 1 }, { room: 9 }],
    ['more room before the name', { room: 2 }, { room: 1 }],
    ['room that is not known before any that is', {}, { room: 1_000_000 }],
    ['any room before that of a cluster that takes no more', { room: 1 }, { keptOnly: true }],
    ['any score before none', { score: -1e300 }, { score: Number.NaN }],
    ['no room for room below 0', { room: 1 }, { room: -5 }],
  ])('prefers %s', (_, better, worse) => {
    const candidates = [one('a', worse), one('b', better)];
    expect(names(selectClusters({ candidates }))).toBe('b a');
    expect(names(selectClusters({ candidates, pick: pickN(1) }))).toBe('b');
  });

  it('goes by name where all else is equal', () => {
    expect(names(select('c a B'))).toBe('B a c');
  });

  it('counts a name that is there twice once, the preferred one', () => {
    expect(reasons(select('a:1:eu b:2 a:3:us', { spread: [region({ minGroups: 1 })] }))).toEqual([
      'a Best',
      '- b NoTopologyValue',
    ]);
  });
});

describe('selectClusters: how many', () => {
  it.each<[string, string, Omit<ClusterSelectionInput, 'candidates'>, readonly string[]]>([
    ['takes all', 'a b', {}, ['a Unrestricted', 'b Unrestricted']],
    ['takes none of none', '', { need: 3 }, []],
    ['takes the best N', 'a:1 b:2 c:3', { pick: pickN(2) }, ['c Best', 'b Best', '- a OverNumber']],
    ['takes none where none are wanted', 'a', { pick: pickN(0) }, ['- a OverNumber']],
    ['takes none for less than none', 'a', { pick: pickN(-1) }, ['- a OverNumber']],
    ['has no limit without a number', 'a b', { pick: { type: 'N' } }, ['a Best', 'b Best']],
    [
      'takes the named ones and says who else is named',
      'a b c',
      { pick: { type: 'Fixed', clusterNames: ['c', 'z', 'a', 'x', 'z'] } },
      ['a Named', 'c Named', '- b NotNamed', '- x NotACandidate', '- z NotACandidate'],
    ],
    ['takes none where none are named', 'a', { pick: { type: 'Fixed' } }, ['- a NotNamed']],
    [
      'holds named ones to the constraints',
      'a:1:eu b:2:eu c:3:us',
      { pick: { type: 'Fixed', clusterNames: ['a', 'b'] }, spread: [region({ maxSkew: 1 }), cluster({ maxGroups: 1 })] },
      ['b Named', '- c NotNamed', '- a OverMaxGroups'],
    ],
  ])('%s', (_, text, rest, expected) => {
    const result = select(text, rest);
    expect(result.outcome).toBe('selected');
    expect(reasons(result).toSorted()).toEqual(expected.toSorted());
  });

  it('notes that there are fewer than N', () => {
    expect(select('a b', { pick: pickN(5) })).toMatchObject({ notes: [{ reason: 'FewerThanNumber', found: 2, wanted: 5 }] });
    expect(select('a b', { pick: pickN(2) })).toMatchObject({ notes: [] });
    expect(select('a b', { pick: { type: 'N' } })).toMatchObject({ notes: [] });
  });

  it('lists everyone that is left out in the order of preference', () => {
    const result = select('a:9 b:8:eu c:7 d:6:us e:5:us', { spread: [region({ maxGroups: 1 })] });
    expect(reasons(result)).toEqual(['d Best', 'e Best', '- a NoTopologyValue', '- b OverMaxGroups', '- c NoTopologyValue']);
  });
});

describe('selectClusters: groups', () => {
  const at = (name: string, entry: Omit<SelectionCandidate['entry'], 'name'>): SelectionCandidate => ({
    name,
    entry: { name, ...entry },
    score: 0,
    runs: false,
    current: 0,
  });
  const groups = (topologyKey: string, candidates: readonly SelectionCandidate[]): number => {
    const result = selectClusters({ candidates, spread: [{ topologyKey, minGroups: 99 }] });
    return result.outcome === 'failed' ? (result.found ?? -1) : -1;
  };
  it.each<[string, string, readonly Omit<SelectionCandidate['entry'], 'name'>[], number]>([
    ['provider', 'by provider', [{ provider: 'p' }, { provider: 'q' }, { region: 'p' }], 2],
    ['region', 'by region', [{ region: 'eu' }, { region: 'eu' }, {}], 1],
    [
      'zone',
      'by all zones together, in any order',
      [{ zones: ['x', 'y'] }, { zones: ['y', 'x'] }, { zones: ['x'] }, { zones: [] }],
      2,
    ],
    ['rack', 'by label', [{ labels: { rack: '1' } }, { labels: { rack: '2' } }, { labels: { rack: '' } }, { labels: {} }], 2],
    [
      'constructor',
      'by labels that are there, not by what objects inherit',
      [{ labels: {} }, { labels: { constructor: 'a' } }],
      1,
    ],
    ['__proto__', 'by a label with a strange name', [{ labels: JSON.parse('{"__proto__":"a"}') }, { labels: {} }], 1],
    ['region', 'whose names may be strange', [{ region: '__proto__' }, { region: 'constructor' }, { region: 'toString' }], 3],
    ['cluster', 'of one cluster each', [{}, {}, {}], 3],
  ])('%s: %s', (key, _, entries, expected) => {
    expect(
      groups(
        key,
        entries.map((entry, index) => at(`c${index}`, entry)),
      ),
    ).toBe(expected);
  });

  it('leaves clusters in no group out for a hard constraint, and keeps them for a soft one', () => {
    const one = { minGroups: 1, maxGroups: 1 };
    expect(reasons(select('a:9 b:1:eu', { spread: [region(one)] }))).toEqual(['b Best', '- a NoTopologyValue']);
    expect(reasons(select('a:9 b:1:eu', { spread: [region({ ...one, ...soft })] }))).toEqual([
      'a Unrestricted',
      'b Unrestricted',
    ]);
  });
});

describe('selectClusters: constraints', () => {
  const FIVE = 'a:9:eu b:8:eu c:7:eu d:2:us e:1:asia';
  it.each<[string, string, Omit<ClusterSelectionInput, 'candidates'>, readonly string[]]>([
    [
      'takes a cluster for its group',
      FIVE,
      { pick: pickN(2), spread: [region({ minGroups: 2 })] },
      ['a Best', 'd ForMinGroups', '- b OverNumber', '- c OverNumber', '- e OverNumber'],
    ],
    [
      'takes no more groups than it may',
      FIVE,
      { spread: [region({ maxGroups: 2 })] },
      ['a Best', 'b Best', 'c Best', 'd Best', '- e OverMaxGroups'],
    ],
    [
      'takes the most clusters, not the best',
      'a:9:eu b:1:us c:1:us',
      { spread: [region({ maxGroups: 1 })] },
      ['b Best', 'c Best', '- a OverMaxGroups'],
    ],
    [
      'keeps groups even',
      FIVE,
      { spread: [region({ maxSkew: 1 })] },
      ['a Best', 'b Best', 'd Best', 'e Best', '- c OverMaxSkew'],
    ],
    [
      'keeps only the chosen groups even where not all may be chosen',
      FIVE,
      { pick: pickN(3), spread: [region({ minGroups: 2, maxSkew: 1, maxGroups: 2 })] },
      ['a Best', 'b Best', 'd ForMinGroups', '- c OverMaxSkew', '- e OverNumber'],
    ],
    [
      'counts groups without a selected cluster, too',
      FIVE,
      { pick: pickN(2), spread: [region({ maxSkew: 1 })] },
      ['a Best', 'd Best', '- b OverMaxSkew', '- c OverMaxSkew', '- e OverNumber'],
    ],
    [
      'takes no more clusters than it may',
      FIVE,
      { spread: [cluster({ maxGroups: 1 })] },
      ['a Best', '- b OverMaxGroups', '- c OverMaxGroups', '- d OverMaxGroups', '- e OverMaxGroups'],
    ],
    [
      'obeys three constraints at once',
      FIVE,
      { spread: [cluster({ maxGroups: 3 }), region({ minGroups: 3 }), region({ maxSkew: 1 })] },
      ['a Best', 'd ForMinGroups', 'e ForMinGroups', '- b OverMaxGroups', '- c OverMaxGroups'],
    ],
    [
      'takes all or none without any skew of clusters',
      'a b',
      { spread: [cluster({ maxSkew: 0 })] },
      ['a Unrestricted', 'b Unrestricted'],
    ],
    [
      'takes numbers that are none for not given',
      'a:1:eu b:1:us',
      { spread: [region({ minGroups: Number.NaN, maxGroups: Number.NaN, maxSkew: Number.NaN })] },
      ['a Unrestricted', 'b Unrestricted'],
    ],
    [
      'takes huge numbers as they are',
      'a:1:eu',
      { spread: [region({ maxGroups: 2 ** 31, maxSkew: 1e300 })] },
      ['a Unrestricted'],
    ],
  ])('%s', (_, text, rest, expected) => {
    expect(reasons(select(text, rest))).toEqual(expected);
  });

  it('names the group and the constraint', () => {
    expect(
      select('a:9:eu b:8:eu d:2:us', { pick: pickN(2), spread: [cluster({}), region({ minGroups: 2, maxSkew: 1 })] }),
    ).toEqual({
      outcome: 'selected',
      clusters: [
        { cluster: 'a', reason: 'Best' },
        { cluster: 'd', reason: 'ForMinGroups', constraint: 1, topologyKey: 'region', group: 'us' },
      ],
      leftOut: [{ cluster: 'b', reason: 'OverNumber' }],
      notes: [],
      missing: 0,
    });
  });

  it.each<[string, string, Omit<ClusterSelectionInput, 'candidates'>, object]>([
    [
      'few groups',
      'a:1:eu b:1:us',
      { spread: [region({ minGroups: 3 })] },
      { reason: 'TooFewGroups', field: 'spec.spread[0].minGroups', found: 2, wanted: 3 },
    ],
    [
      'few groups since few clusters are picked',
      'a:1:eu b:1:us',
      { pick: pickN(1), spread: [region({ minGroups: 2 })] },
      { reason: 'TooFewGroups', found: 1, wanted: 2 },
    ],
    [
      'few groups beside another constraint',
      'a:1:eu b:1:us',
      { spread: [cluster({ maxGroups: 1 }), region({ minGroups: 2 })] },
      { field: 'spec.spread[1].minGroups', constraint: 1, found: 1, wanted: 2 },
    ],
    [
      'few clusters',
      'a',
      { spread: [cluster({ minGroups: 2 })] },
      { reason: 'TooFewGroups', field: 'spec.spread[0].minGroups', found: 1, wanted: 2 },
    ],
    ['no clusters', '', { spread: [region({ maxSkew: 1 })] }, { reason: 'TooFewGroups', found: 0, wanted: 1 }],
    [
      'many groups',
      'a:1:eu b:1:us',
      { spread: [cluster({ minGroups: 2 }), region({ maxGroups: 1 })] },
      { reason: 'TooManyGroups', field: 'spec.spread[1].maxGroups', found: 2, wanted: 1 },
    ],
    [
      'much skew',
      'a:1:eu b:1:eu c:1:eu d:1:us',
      { spread: [cluster({ minGroups: 4 }), region({ maxSkew: 1 })] },
      { reason: 'TooMuchSkew', field: 'spec.spread[1].maxSkew', found: 2, wanted: 1 },
    ],
    [
      'a contradiction',
      'a:1:eu b:1:us c:1:us',
      { spread: [cluster({ minGroups: 3 }), region({ maxGroups: 1, minGroups: 4 })] },
      { reason: 'Contradiction', field: 'spec.spread[1]' },
    ],
  ])('fails for %s', (_, text, rest, expected) => {
    const result = select(text, rest);
    expect(result).toMatchObject({ outcome: 'failed', ...expected });
    if (result.outcome === 'failed') expect(result.message.startsWith(`${result.field}`)).toBe(true);
  });

  it('says in the message what there is and what is wanted, and who is out of the question', () => {
    expect(select('a:1:eu b', { spread: [region({ minGroups: 3 })] })).toEqual({
      outcome: 'failed',
      reason: 'TooFewGroups',
      constraint: 0,
      field: 'spec.spread[0].minGroups',
      found: 1,
      wanted: 3,
      message: 'spec.spread[0].minGroups: there must be 3 or more groups by region, and there can be no more than 1',
      leftOut: [{ cluster: 'b', reason: 'NoTopologyValue', constraint: 0, topologyKey: 'region' }],
    });
  });

  it('keeps soft constraints as far as it can, and notes the rest', () => {
    expect(select('a:9:eu b:8:eu c:7:us', { pick: pickN(2), spread: [region({ minGroups: 3, ...soft })] })).toMatchObject({
      clusters: [{ cluster: 'a' }, { cluster: 'c', reason: 'ForMinGroups' }],
      notes: [{ reason: 'SoftUnmet', constraint: 0, topologyKey: 'region', limit: 'minGroups', found: 2, wanted: 3 }],
    });
    const uneven = 'a:9:eu b:8:eu c:7:eu d:6:eu e:5:us';
    expect(select(uneven, { spread: [cluster({ minGroups: 4 }), region({ maxSkew: 1, ...soft })] })).toMatchObject({
      clusters: [{ cluster: 'a' }, { cluster: 'b' }, { cluster: 'c' }, { cluster: 'e' }],
      notes: [{ limit: 'maxSkew', found: 2, wanted: 1 }],
    });
  });

  it('prefers clusters of a soft constraint to more of them', () => {
    expect(names(select('a:9:eu b:8:eu c:7:us', { spread: [region({ maxGroups: 1, ...soft })] }))).toBe('a b');
  });
});

describe('selectClusters: room', () => {
  it.each<[string, string, Omit<ClusterSelectionInput, 'candidates'>, readonly string[], number]>([
    ['swaps nothing where there is enough', 'a:9::5 b:8::5', { pick: pickN(1), need: 5 }, ['a Best', '- b OverNumber'], 0],
    [
      'swaps the last for the largest',
      'a:60::40 b:50::30 c:40::60',
      { pick: pickN(2), need: 80 },
      ['a Best', 'c SwappedIn', '- b SwappedOut'],
      0,
    ],
    [
      'swaps no further than it must',
      'a:9::1 b:8::1 c:7::5 d:6::6',
      { pick: pickN(2), need: 7 },
      ['a Best', 'd SwappedIn', '- b SwappedOut', '- c OverNumber'],
      0,
    ],
    [
      'takes what is not known for enough',
      'a:9::1 b:8',
      { pick: pickN(1), need: 1_000_000 },
      ['b SwappedIn', '- a SwappedOut'],
      0,
    ],
    ['says what is missing', 'a:9::1 b:8::2', { pick: pickN(1), need: 5 }, ['b SwappedIn', '- a SwappedOut'], 3],
    [
      'swaps within a group where groups must stay',
      'a:9:eu:1 b:8:us:1 c:7:us:5',
      { pick: pickN(2), need: 6, spread: [region({ minGroups: 2 })] },
      ['a Best', 'c SwappedIn', '- b SwappedOut'],
      0,
    ],
    [
      'changes the group where only one may be',
      'a:9:eu:1 b:8:eu:1 c:7:us:5 d:6:us:5',
      { need: 9, spread: [region({ maxGroups: 1 })] },
      ['c SwappedIn', 'd SwappedIn', '- a SwappedOut', '- b SwappedOut'],
      0,
    ],
    [
      'takes fewer clusters where these have the room',
      'a:9:eu:1 b:8:eu:1 c:7:us:5',
      { need: 5, spread: [region({ maxGroups: 1 })] },
      ['c SwappedIn', '- a OverMaxGroups', '- b SwappedOut'],
      0,
    ],
    [
      'gives up a soft constraint for room',
      'a:9:eu:5 b:8:eu:5 c:7:us:5',
      { need: 15, spread: [region({ maxGroups: 1, ...soft })] },
      ['a Unrestricted', 'b Unrestricted', 'c Unrestricted'],
      0,
    ],
    [
      'keeps a soft constraint where room is short anyway',
      'a:9:eu:5 b:8:us:5',
      { pick: pickN(1), need: 15, spread: [region({ maxGroups: 1, ...soft })] },
      ['a Best', '- b OverNumber'],
      10,
    ],
    [
      'keeps hard constraints whatever is missing',
      'a:9:eu:1 b:8:us:1',
      { need: 9, spread: [region({ maxGroups: 1 })] },
      ['a Best', '- b OverMaxGroups'],
      8,
    ],
  ])('%s', (_, text, rest, expected, missing) => {
    const result = select(text, rest);
    expect(reasons(result)).toEqual(expected);
    expect(result).toMatchObject({ missing });
  });

  it('says who changed places', () => {
    expect(select('a:9::1 b:8::5', { pick: pickN(1), need: 5 })).toMatchObject({
      clusters: [{ cluster: 'b', reason: 'SwappedIn', insteadOf: 'a' }],
      leftOut: [{ cluster: 'a', reason: 'SwappedOut', inFavourOf: 'b' }],
    });
  });

  it('counts what is there as room, and nothing more of a cluster that takes no more', () => {
    const [a, b] = clusters('a:9::9 b:8::9');
    const candidates = [
      { ...a, keptOnly: true, current: 2 },
      { ...b, current: 1 },
    ] as SelectionCandidate[];
    expect(selectClusters({ candidates, need: 20 })).toMatchObject({ missing: 20 - 2 - 10 });
  });

  it('needs nothing where the number is none', () => {
    expect(select('a:1::1', { need: Number.NaN })).toMatchObject({ missing: 0 });
    expect(select('a:1::1', { need: Number.POSITIVE_INFINITY })).toMatchObject({ missing: Number.POSITIVE_INFINITY });
    expect(select('a:1', { need: Number.POSITIVE_INFINITY })).toMatchObject({ missing: 0 });
  });
});

describe('selectClusters: large fleets', () => {
  const many = (count: number): readonly SelectionCandidate[] =>
    Array.from({ length: count }, (_, at) => ({
      name: `c${at}`,
      entry: { name: `c${at}`, region: `r${(at * 7) % 11}`, provider: `p${(at * at) % 5}`, zones: [`z${(at * 13) % 17}`] },
      score: (at * 37) % 101,
      runs: false,
      current: 0,
    }));

  it('finds a selection for constraints that cross each other, though not always the best', () => {
    const keys = ['region', 'provider'];
    const result = selectClusters({ candidates: many(300), spread: keys.map((topologyKey) => ({ topologyKey, maxSkew: 1 })) });
    const chosen = many(300).filter(({ name }) => names(result).split(' ').includes(name));
    const skews = (['region', 'provider'] as const).map((key) => {
      const counts = [...new Set(many(300).map(({ entry }) => entry[key]))].map(
        (value) => chosen.filter(({ entry }) => entry[key] === value).length,
      );
      return Math.max(...counts) - Math.min(...counts);
    });
    expect(result.outcome).toBe('selected');
    expect(chosen.length).toBeGreaterThan(5);
    expect(Math.max(...skews)).toBeLessThanOrEqual(1);
  });

  it('takes what it was handed for reading only', () => {
    const freeze = <T>(value: T): T => {
      if (typeof value === 'object' && value !== null) for (const each of Object.values(Object.freeze(value))) freeze(each);
      return value;
    };
    const spread = freeze([
      region({ minGroups: 2, maxSkew: 2 }),
      { topologyKey: 'zone', maxGroups: 5 },
      cluster({ maxGroups: 9 }),
    ]);
    expect(selectClusters({ candidates: freeze(many(60)), spread, need: 4 }).outcome).toBe('selected');
  });
});

describe('explainSelection', () => {
  it.each<[Parameters<typeof explainSelection>[0], string]>([
    [{ cluster: 'a', reason: 'Unrestricted' }, 'nothing restricts the clusters'],
    [{ cluster: 'a', reason: 'Named' }, 'the policy names it'],
    [{ cluster: 'a', reason: 'Best' }, 'one of the best that may be taken'],
    [
      { cluster: 'a', reason: 'ForMinGroups', constraint: 1, topologyKey: 'region', group: 'eu' },
      'its region eu is needed for spec.spread[1].minGroups',
    ],
    [{ cluster: 'a', reason: 'SwappedIn', insteadOf: 'b' }, 'has more room than b, whose place it takes'],
    [{ cluster: 'a', reason: 'SwappedOut', inFavourOf: 'b' }, 'has too little room; b takes its place'],
    [{ cluster: 'a', reason: 'OverNumber' }, 'there are as many clusters as the policy picks'],
    [
      { cluster: 'a', reason: 'OverMaxGroups', constraint: 0, topologyKey: 'cluster', group: 'a' },
      'there are as many clusters as spec.spread[0].maxGroups allows',
    ],
    [
      { cluster: 'a', reason: 'OverMaxGroups', constraint: 0, topologyKey: 'region', group: 'eu' },
      'its region eu would be one more than spec.spread[0].maxGroups allows',
    ],
    [
      { cluster: 'a', reason: 'OverMaxSkew', constraint: 0, topologyKey: 'region', group: 'eu' },
      'its region eu has as many clusters as spec.spread[0].maxSkew allows',
    ],
    [
      { cluster: 'a', reason: 'NoTopologyValue', constraint: 2, topologyKey: 'zone' },
      'has no zone, which spec.spread[2] asks for',
    ],
    [{ cluster: 'a', reason: 'NotNamed' }, 'the policy does not name it'],
    [{ cluster: 'a', reason: 'NotACandidate' }, 'the policy names it, but it did not pass the filters, or does not exist'],
    [{ cluster: 'a', reason: 'NotCombinable' }, 'no selection was found that has it beside the others'],
  ])('%j', (reason, text) => {
    expect(explainSelection(reason)).toBe(text);
  });

  it('explains notes, too', () => {
    expect(
      explainSelectionNote({
        reason: 'SoftUnmet',
        constraint: 0,
        topologyKey: 'region',
        limit: 'minGroups',
        found: 2,
        wanted: 3,
      }),
    ).toBe('spec.spread[0].minGroups of region is not met: 2 instead of 3');
    expect(explainSelectionNote({ reason: 'FewerThanNumber', found: 2, wanted: 5 })).toBe('2 of 5 clusters could be selected');
    expect(explainSelectionNote({ reason: 'SearchLimit' })).toBe(
      'the search was cut short: a larger or better selection may exist',
    );
  });
});
