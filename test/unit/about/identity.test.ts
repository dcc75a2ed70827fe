import { CLUSTER_ID_PROPERTY, CLUSTERSET_PROPERTY, type ClusterProperty, clusterProperty, identityOf } from 'clusterset/about';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admittedProperty, saysNothing, withId, withSet } from './fixtures.ts';

describe('identityOf', () => {
  it('knows a member by its two properties', () => {
    expect(identityOf([clusterProperty('other.example.com', 'x'), withSet('shop'), withId('eu-1')])).toEqual({
      id: 'eu-1',
      clusterSet: 'shop',
      isMember: true,
      mcs: { usable: true },
      problems: [],
      advice: [],
    });
  });

  it.each<[string, ClusterProperty[], object]>([
    ['nothing: it is nobody yet', [], { isMember: false, problems: [] }],
    ['an id before membership', [withId('eu-1')], { id: 'eu-1', isMember: false, problems: [] }],
    ['membership without an id', [withSet('shop')], { clusterSet: 'shop', isMember: true, problems: [{ reason: 'IdMissing' }] }],
    [
      'membership and the old name of the id',
      [withSet('shop'), clusterProperty('id.k8s.io', 'eu-1')],
      { problems: [{ reason: 'IdMissing', mend: expect.stringContaining('id.k8s.io is its old name') }], advice: [] },
    ],
    ['the old name alone', [clusterProperty('id.k8s.io', 'eu-1')], { problems: [], advice: [{ property: 'id.k8s.io' }] }],
    ['an id that is no name', [withId('EU_1'), withSet('shop')], { clusterSet: 'shop', problems: [{ reason: 'IdInvalid' }] }],
    ['an id without a value', [saysNothing(CLUSTER_ID_PROPERTY)], { isMember: false, problems: [{ reason: 'NoValue' }] }],
    [
      'a ClusterSet without a value',
      [withId('eu-1'), saysNothing(CLUSTERSET_PROPERTY)],
      { id: 'eu-1', isMember: true, problems: [{ reason: 'NoValue', property: CLUSTERSET_PROPERTY }] },
    ],
    ['a ClusterSet that nobody can type', [withId('eu-1'), withSet('a\u0000')], { problems: [{ reason: 'ClusterSetInvalid' }] }],
    ['an id of two labels', [withId('eu.prod')], { id: 'eu.prod', mcs: { usable: false, reason: 'TwoLabels' }, problems: [] }],
    ['a long id', [withId('a'.repeat(128))], { advice: [{ property: CLUSTER_ID_PROPERTY }] }],
    [
      'an id that is going',
      [{ ...withId('eu-1'), metadata: { name: CLUSTER_ID_PROPERTY, deletionTimestamp: '2026-01-01T00:00:00Z' } }],
      { id: 'eu-1', advice: [{ field: 'metadata.deletionTimestamp' }] },
    ],
  ])('of a cluster with %s (KEP-2149, well known properties)', (_name, properties, expected) => {
    expect(identityOf(properties)).toMatchObject(expected);
  });

  it('leaves out an id and a ClusterSet that are wrong', () => {
    const identity = identityOf([withId('EU_1'), withSet(' ')]);
    expect(identity).not.toHaveProperty('id');
    expect(identity).not.toHaveProperty('mcs');
    expect(identity).not.toHaveProperty('clusterSet');
  });

  it('allows two labels where it is told to (KEP-1645)', () => {
    expect(identityOf([withId('eu.prod')], { twoLabels: true }).mcs).toMatchObject({ usable: true });
  });

  it('says the same whatever the order, and changes nothing', () => {
    const properties = fc.uniqueArray(admittedProperty, { selector: ({ metadata }) => metadata.name, maxLength: 5 });
    fc.assert(
      fc.property(properties, (given) => {
        const before = given.map((each) => Object.freeze(each));
        expect(identityOf(before.toReversed())).toEqual(identityOf(before));
      }),
      { numRuns: 60 },
    );
  });
});
