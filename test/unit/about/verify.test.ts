import {
  CLUSTER_ID_PROPERTY,
  clusterProperty,
  forgetIdentity,
  type MemberFacts,
  parseRemembered,
  type RememberedIdentity,
  type VerifyOptions,
  verifyClusterSet,
} from 'clusterset/about';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { member, saysNothing, withId, withSet } from './fixtures.ts';

const unreadable = (cluster: string): MemberFacts => ({ cluster, state: 'unreadable', message: 'the connection was refused' });
const notInstalled = (cluster: string): MemberFacts => ({ cluster, state: 'notInstalled' });

/** Findings in short: `Renamed eu-1`. */
function found(members: readonly MemberFacts[], options?: VerifyOptions): string[] {
  return verifyClusterSet(members, options).findings.map(({ reason, clusters }) => `${reason} ${clusters.join('+')}`);
}

const entry = (cluster: string, id: string, uid?: string, clusterSet = 'shop'): RememberedIdentity => ({
  cluster,
  id,
  clusterSet,
  ...(uid === undefined ? {} : { uid }),
});

const TWO = [member('eu-1', 'eu-1', 'shop', 'u1'), member('us-1', 'us-1', 'shop', 'u2')];
const REMEMBERED = [entry('eu-1', 'eu-1', 'u1'), entry('us-1', 'us-1', 'u2')];

describe('verifyClusterSet', () => {
  it('finds nothing in a sound set, and remembers it', () => {
    expect(verifyClusterSet(TWO)).toMatchObject({ verdict: 'Sound', clusterSet: 'shop', findings: [], next: REMEMBERED });
  });

  it.each<[string, MemberFacts[], string[]]>([
    ['no id', [...TWO, member('x', undefined, 'shop')], ['IdMissing x']],
    ['an id that is no name', [...TWO, member('x', 'X', 'shop')], ['IdInvalid x']],
    ['no ClusterSet', [...TWO, member('x', 'x')], ['NotMember x']],
    ['neither', [...TWO, member('x')], ['NotMember x']],
    ['a ClusterSet that nobody can type', [...TWO, member('x', 'x', ' ')], ['ClusterSetInvalid x']],
    [
      'an id that says nothing',
      [...TWO, { cluster: 'x', state: 'read', properties: [saysNothing(CLUSTER_ID_PROPERTY), withSet('shop')] }],
      ['NoValue x'],
    ],
    ['the id of another member', [...TWO, member('x', 'eu-1', 'shop', 'u3')], ['DuplicateId eu-1+x']],
    ['the id of two others', [...TWO, member('x', 'eu-1', 'shop'), member('y', 'eu-1', 'shop')], ['DuplicateId eu-1+x+y']],
    ['the id of another while it is in no ClusterSet', [...TWO, member('x', 'eu-1')], ['IdTaken x', 'NotMember x']],
    ['two names', [...TWO, member('admin@eu-1', 'eu-1', 'shop', 'u1')], ['SameCluster admin@eu-1+eu-1']],
    [
      'two names, and no ClusterSet',
      [member('a', 'x', undefined, 'u'), member('b', 'x', undefined, 'u')],
      ['NotMember a', 'SameCluster a+b', 'NotMember b'],
    ],
    ['another ClusterSet, with none said', [...TWO, member('x', 'eu-1', 'test')], ['SeveralClusterSets eu-1+us-1+x']],
    ['no answer', [...TWO, unreadable('x')], ['Unreadable x']],
    ['no About API', [...TWO, notInstalled('x')], ['AboutApiMissing x']],
    ['an id that will not do for Services', [...TWO, member('x', 'a.b', 'shop')], ['NotMcsUsable x']],
    ['a long id', [...TWO, member('x', 'a'.repeat(130), 'shop')], ['Advice x', 'NotMcsUsable x']],
  ])('finds a cluster with %s (KEP-2149, well known properties)', (_name, members, expected) => {
    expect(found(members)).toEqual(expected);
  });

  it('finds members of another ClusterSet where one is meant', () => {
    expect(found([...TWO, member('x', 'eu-1', 'test')], { clusterSet: 'shop' })).toEqual(['OtherClusterSet x']);
    expect(found(TWO, { clusterSet: 'test' })).toEqual(['OtherClusterSet eu-1', 'OtherClusterSet us-1']);
    expect(verifyClusterSet(TWO, { clusterSet: 'test' }).next).toEqual([]);
  });

  it.each<[string, MemberFacts[], string]>([
    ['broken by a problem', [...TWO, member('x'), unreadable('y')], 'Broken'],
    ['unknown where one does not answer', [...TWO, unreadable('y')], 'Unknown'],
    ['broken where the API is missing', [...TWO, notInstalled('y')], 'Broken'],
    ['sound with advice', [...TWO, member('x', 'a.b', 'shop')], 'Sound'],
    ['sound without members', [], 'Sound'],
  ])('is %s', (_name, members, verdict) => {
    expect(verifyClusterSet(members).verdict).toBe(verdict);
  });

  it('takes ids of two labels for Services where it is told to (KEP-1645)', () => {
    expect(found([member('x', 'a.b', 'shop')], { twoLabels: true })).toEqual([]);
  });

  it('shows each member as it was seen', () => {
    expect(verifyClusterSet([unreadable('x'), ...TWO]).members).toMatchObject([
      { cluster: 'eu-1', state: 'read', identity: { id: 'eu-1', clusterSet: 'shop' } },
      { cluster: 'us-1', state: 'read' },
      { cluster: 'x', state: 'unreadable' },
    ]);
  });

  it('names the one who does not answer, and why', () => {
    expect(verifyClusterSet([unreadable('x')]).findings).toEqual([
      {
        reason: 'Unreadable',
        level: 'unknown',
        clusters: ['x'],
        message: 'the connection was refused',
        mend: 'look again when it answers',
      },
    ]);
  });
});

describe('verifyClusterSet with what was remembered', () => {
  const eu = (id: string, uid?: string): MemberFacts => member('eu-1', id, 'shop', uid);
  const us = member('us-1', 'us-1', 'shop', 'u2');

  it.each<[string, MemberFacts[], string[]]>([
    ['nothing has changed', TWO, []],
    ['a cluster is called otherwise here', [member('europe', 'eu-1', 'shop', 'u1'), us], []],
    ['the uid can not be read now', [eu('eu-1'), us], []],
    ['neither the uid nor the name is known', [member('europe', 'eu-1', 'shop'), us], []],
    ['a cluster has another id', [eu('eu-2', 'u1'), us], ['Renamed eu-1']],
    ['a cluster has another id and another name', [member('europe', 'eu-2', 'shop', 'u1'), us], ['Renamed europe']],
    ['a cluster has another id, and its uid is unknown', [eu('eu-2'), us], ['Renamed eu-1']],
    ['a cluster was rebuilt under its name', [eu('eu-1', 'u9'), us], ['Moved eu-1']],
    ['an id has gone to another cluster', [member('new', 'eu-1', 'shop', 'u9'), us], ['Moved new']],
    [
      'an id has gone to another, and its owner has a new one',
      [eu('eu-2', 'u1'), member('new', 'eu-1', 'shop', 'u9'), us],
      ['Renamed eu-1', 'Moved new'],
    ],
    [
      'two have swapped their ids',
      [eu('us-1', 'u1'), member('us-1', 'eu-1', 'shop', 'u2')],
      ['Moved eu-1', 'Renamed eu-1', 'Moved us-1', 'Renamed us-1'],
    ],
    ['another has taken an id, too', [...TWO, member('new', 'eu-1', 'shop', 'u9')], ['DuplicateId eu-1+new']],
    ['a cluster has left', [member('eu-1', 'eu-1', undefined, 'u1'), us], ['NotMember eu-1']],
    [
      'another has the id of one that has left (KEP-2149, reusing names)',
      [member('eu-1', 'old', undefined, 'u1'), member('new', 'eu-1', 'shop', 'u9'), us],
      ['NotMember eu-1'],
    ],
    ['a cluster has gone to another ClusterSet', [member('eu-1', 'eu-1', 'test', 'u1'), us], ['OtherClusterSet eu-1']],
    ['a cluster has lost its id', [member('eu-1', undefined, 'shop', 'u1'), us], ['IdMissing eu-1']],
    ['a cluster does not answer', [unreadable('eu-1'), us], ['Unreadable eu-1']],
    ['a cluster has lost the API', [notInstalled('eu-1'), us], ['AboutApiMissing eu-1']],
    [
      'another cluster has come under the name of one whose name has changed',
      [member('europe', 'eu-1', 'shop', 'u1'), member('eu-1', 'new', 'shop'), us],
      [],
    ],
    ['nobody looked at a cluster', [us], ['Missing eu-1']],
    ['a new one has joined', [...TWO, member('new', 'new', 'shop', 'u9')], []],
  ])('where %s', (_name, members, expected) => {
    expect(found(members, { remembered: REMEMBERED })).toEqual(expected);
  });

  it.each<[string, MemberFacts[], RememberedIdentity[]]>([
    ['has learnt a uid', [eu('eu-1', 'u1'), us], REMEMBERED],
    ['keeps a uid that it can not read', [eu('eu-1'), us], REMEMBERED],
    [
      'has seen another name',
      [member('europe', 'eu-1', 'shop', 'u1'), us],
      [entry('europe', 'eu-1', 'u1'), entry('us-1', 'us-1', 'u2')],
    ],
    [
      'has seen a new member',
      [...TWO, member('new', 'new', 'shop')],
      [entry('eu-1', 'eu-1', 'u1'), entry('new', 'new'), entry('us-1', 'us-1', 'u2')],
    ],
    ['has seen another id', [eu('eu-2', 'u1'), us], REMEMBERED],
    ['has seen an id move', [eu('eu-1', 'u9'), us], REMEMBERED],
    ['has seen an id twice', [...TWO, member('new', 'eu-1', 'shop', 'u9')], REMEMBERED],
    ['has seen no id', [member('eu-1', undefined, 'shop', 'u1'), us], REMEMBERED],
    ['has seen a name of a ClusterSet that is none', [member('eu-1', 'eu-1', ' ', 'u1'), us], REMEMBERED],
    [
      'has seen another id, and under another name none',
      [eu('eu-2', 'u1'), us, member('admin@eu-1', undefined, undefined, 'u1')],
      REMEMBERED,
    ],
    ['has seen nothing', [unreadable('eu-1'), notInstalled('us-1')], REMEMBERED],
    ['was not told of a cluster', [us], REMEMBERED],
    ['has seen one leave', [member('eu-1', 'eu-1', undefined, 'u1'), us], [entry('us-1', 'us-1', 'u2')]],
    ['has seen one go elsewhere', [member('eu-1', 'eu-1', 'test', 'u1'), us], [entry('us-1', 'us-1', 'u2')]],
  ])('remembers what was in good order, when it %s', (_name, members, next) => {
    expect(verifyClusterSet(members, { remembered: REMEMBERED }).next).toEqual(next);
  });

  it('says who had an id first', () => {
    const members = [...TWO, member('a-new', 'eu-1', 'shop', 'u9')];
    const [finding] = verifyClusterSet(members, { remembered: REMEMBERED }).findings;
    expect(finding).toMatchObject({ id: 'eu-1', message: 'they have the same id "eu-1"; eu-1 had it first' });
    expect(finding?.mend).toContain('all but eu-1');
    expect(verifyClusterSet(members).next).toEqual([entry('us-1', 'us-1', 'u2')]);
  });

  it('does not guess which of two is the one that was called otherwise', () => {
    const members = [member('a', 'x', 'shop'), member('b', 'x', 'shop')];
    const remembered = [entry('old', 'x')];
    expect(found(members, { remembered })).toEqual(['Moved a', 'DuplicateId a+b', 'Moved b']);
    expect(verifyClusterSet(members, { remembered }).next).toEqual(remembered);
  });

  it('lets go of a finding when the id is forgotten', () => {
    const members = [eu('eu-1', 'u9'), us];
    const first = verifyClusterSet(members, { remembered: REMEMBERED });
    const second = verifyClusterSet(members, { remembered: forgetIdentity(first.next, 'eu-1') });
    expect(second).toMatchObject({ verdict: 'Sound', next: [entry('eu-1', 'eu-1', 'u9'), entry('us-1', 'us-1', 'u2')] });
  });

  it('knows what a file has kept', () => {
    expect(parseRemembered(JSON.parse(JSON.stringify(REMEMBERED)))).toEqual(REMEMBERED);
  });

  it.each<[string, unknown, string]>([
    ['no list', {}, ''],
    ['an id that is no name', [{ ...REMEMBERED[0], id: 'X' }], '[0].id'],
    ['no cluster', [REMEMBERED[0], { id: 'x', clusterSet: 'shop' }], '[1].cluster'],
  ])('does not read %s', (_name, value, field) => {
    let error: unknown;
    try {
      parseRemembered(value);
    } catch (reason) {
      error = reason;
    }
    expect(error).toMatchObject({ code: 'Invalid', issues: [{ field }] });
  });
});

const NAMES = ['a', 'b', 'c', 'd', 'e'];
const anyUid = fc.option(fc.constantFrom('u1', 'u2', 'u3'), { nil: undefined });
const facts = (cluster: string): fc.Arbitrary<MemberFacts> => anyUid.chain((uid) => factsOf(cluster, uid));
const factsOf = (cluster: string, uid: string | undefined): fc.Arbitrary<MemberFacts> =>
  fc.oneof(
    { weight: 1, arbitrary: fc.constant(unreadable(cluster)) },
    { weight: 1, arbitrary: fc.constant(notInstalled(cluster)) },
    {
      weight: 8,
      arbitrary: fc
        .tuple(
          fc.option(fc.constantFrom('x', 'y', 'z', 'X', 'a.b'), { nil: undefined }),
          fc.option(fc.constantFrom('shop', 'shop', 'shop', 'test', ' '), { nil: undefined }),
        )
        .map(([id, clusterSet]) => member(cluster, id, clusterSet, uid)),
    },
  );
/** Sets in which no two names lead to one cluster: then each look says the same, whatever was seen in between. */
const consistentSet = fc
  .tuple(fc.subarray(NAMES), fc.shuffledSubarray(['u1', 'u2', 'u3', 'u4', 'u5'], { minLength: 5 }), fc.nat(31))
  .chain(([names, uids, known]) =>
    fc.tuple(...names.map((name, at) => factsOf(name, ((known >> at) & 1) === 0 ? undefined : uids[at]))),
  )
  .map((members) => members as readonly MemberFacts[]);
const anySet = fc
  .subarray(NAMES)
  .chain((names) => fc.tuple(...names.map(facts)))
  .map((members) => members as readonly MemberFacts[]);
const shuffled = fc.tuple(anySet, fc.infiniteStream(fc.nat())).map(([members, random]) => {
  const keys = new Map(members.map((each) => [each, random.next().value as number]));
  return { members, other: members.toSorted((a, b) => (keys.get(a) ?? 0) - (keys.get(b) ?? 0)) };
});

describe('whatever the set', () => {
  it('the answer does not depend on the order of members, nor of what was remembered', () => {
    fc.assert(
      fc.property(anySet, shuffled, (earlier, { members, other }) => {
        const remembered = verifyClusterSet(earlier, { clusterSet: 'shop' }).next;
        const turned = verifyClusterSet(other, { remembered: remembered.toReversed() });
        expect(turned).toEqual(verifyClusterSet(members, { remembered }));
      }),
      { numRuns: 500 },
    );
  });

  it('a second look says what the first has said', () => {
    fc.assert(
      fc.property(consistentSet, consistentSet, (earlier, members) => {
        const clusterSet = 'shop';
        const { next: remembered } = verifyClusterSet(earlier, { clusterSet });
        const first = verifyClusterSet(members, { clusterSet, remembered });
        const second = verifyClusterSet(members, { clusterSet, remembered: first.next });
        expect(second.next).toEqual(first.next);
        expect(second.verdict).toBe(first.verdict);
      }),
      { numRuns: 500 },
    );
  });

  it('a sound set has one id for each member, and what is remembered has no id twice', () => {
    fc.assert(
      fc.property(anySet, anySet, (earlier, members) => {
        const { next: remembered } = verifyClusterSet(earlier, { clusterSet: 'shop' });
        const { verdict, next, members: seen } = verifyClusterSet(members, { clusterSet: 'shop', remembered });
        expect(new Set(next.map(({ id }) => id)).size).toBe(next.length);
        if (verdict !== 'Sound') return;
        expect(new Set(seen.map(({ identity }) => identity?.id)).size).toBe(members.length);
        expect(seen.every(({ identity }) => identity?.clusterSet === 'shop')).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('leaves its arguments alone', () => {
    const members = Object.freeze([member('b', 'x', 'shop'), member('a', 'x', 'shop')]);
    const remembered = Object.freeze([entry('b', 'x')]);
    verifyClusterSet(members, { remembered });
    expect(members.map(({ cluster }) => cluster)).toEqual(['b', 'a']);
  });

  it('other properties play no part', () => {
    const properties = [withId('eu-1'), withSet('shop'), clusterProperty('long.example.com', 'x'.repeat(200_000))];
    expect(found([{ cluster: 'eu-1', state: 'read', properties }])).toEqual([]);
  });
});
