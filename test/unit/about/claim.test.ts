import {
  CLUSTER_ID_PROPERTY,
  CLUSTERSET_PROPERTY,
  type ClaimOptions,
  type ClaimStep,
  type ClusterProperty,
  claimIdentity,
  identityOf,
  valueOfProperty,
  type WantedIdentity,
} from 'clusterset/about';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admittedProperty, saysNothing, withId, withSet } from './fixtures.ts';

const EU: WantedIdentity = { id: 'eu-1', clusterSet: 'shop' };

function stepsOf(present: readonly ClusterProperty[], wanted: WantedIdentity, options: ClaimOptions = {}): string[] {
  const claim = claimIdentity(present, wanted, options);
  if (claim.op === 'refuse') return [`refuse ${claim.refusal.reason}`];
  return claim.steps.map(inWords);
}

function inWords(step: ClaimStep): string {
  return step.op === 'delete'
    ? `delete ${step.name}`
    : `create ${step.property.metadata.name}=${String(valueOfProperty(step.property))}`;
}

/** The properties after the steps. */
function carriedOut(present: readonly ClusterProperty[], steps: readonly ClaimStep[]): readonly ClusterProperty[] {
  let now = present;
  for (const step of steps) {
    if (step.op === 'create') {
      expect(now.some(({ metadata }) => metadata.name === step.property.metadata.name)).toBe(false);
      now = [...now, step.property];
    } else now = now.filter(({ metadata }) => metadata.name !== step.name);
    // The id exists for as long as the cluster is a member (KEP-2149, cluster.clusterset.k8s.io, lifespan).
    if (now.some(({ metadata }) => metadata.name === CLUSTERSET_PROPERTY)) {
      expect(now.some(({ metadata }) => metadata.name === CLUSTER_ID_PROPERTY)).toBe(true);
    }
  }
  return now;
}

const createId = 'create cluster.clusterset.k8s.io=eu-1';
const createSet = 'create clusterset.k8s.io=shop';
const deleteId = 'delete cluster.clusterset.k8s.io';
const deleteSet = 'delete clusterset.k8s.io';

describe('claimIdentity', () => {
  it.each<[string, ClusterProperty[], WantedIdentity, string[]]>([
    ['gives a new cluster an id, then its ClusterSet', [], EU, [createId, createSet]],
    ['gives an id before membership', [], { id: 'eu-1' }, [createId]],
    ['lets a cluster with an id join', [withId('eu-1')], EU, [createSet]],
    ['gives a member the id that it lacks', [withSet('shop')], { id: 'eu-1' }, [createId]],
    ['does nothing where all is there', [withId('eu-1'), withSet('shop')], EU, []],
    ['leaves membership as it is where none is wanted', [withId('eu-1'), withSet('shop')], { id: 'eu-1' }, []],
    ['refuses an id that is no name', [], { id: 'EU_1' }, ['refuse IdInvalid']],
    ['refuses a ClusterSet that nobody can type', [], { id: 'eu-1', clusterSet: ' ' }, ['refuse ClusterSetInvalid']],
    ['refuses another id of a member', [withId('us-1'), withSet('shop')], EU, ['refuse IdFixed']],
    ['refuses another id before membership, which somebody has given', [withId('us-1')], { id: 'eu-1' }, ['refuse OtherId']],
    ['refuses another ClusterSet', [withId('eu-1'), withSet('test')], EU, ['refuse MemberOfOtherSet']],
    ['refuses to fill in an id', [saysNothing(CLUSTER_ID_PROPERTY)], EU, ['refuse NoValue']],
    ['refuses to fill in a ClusterSet', [withId('eu-1'), saysNothing(CLUSTERSET_PROPERTY)], EU, ['refuse NoValue']],
    ['refuses what is wrong whoever wrote it', [withId('eu-1'), withSet(' ')], { id: 'eu-1' }, ['refuse ClusterSetInvalid']],
  ])('%s (KEP-2149, lifespan)', (_name, present, wanted, expected) => {
    expect(stepsOf(present, wanted)).toEqual(expected);
  });

  it.each<[string, ClusterProperty[], WantedIdentity, string[]]>([
    ['leaves, and joins with another id', [withId('us-1'), withSet('shop')], EU, [deleteSet, deleteId, createId, createSet]],
    ['rejoins where it was', [withId('us-1'), withSet('shop')], { id: 'eu-1' }, [deleteSet, deleteId, createId, createSet]],
    ['moves to another ClusterSet with its id', [withId('eu-1'), withSet('test')], EU, [deleteSet, createSet]],
    ['changes an id before membership', [withId('us-1')], { id: 'eu-1' }, [deleteId, createId]],
    ['does nothing where all is there', [withId('eu-1'), withSet('shop')], EU, []],
    [
      'replaces what says nothing',
      [saysNothing(CLUSTER_ID_PROPERTY), saysNothing(CLUSTERSET_PROPERTY)],
      EU,
      [deleteSet, deleteId, createId, createSet],
    ],
    [
      'takes a ClusterSet away that says nothing',
      [withId('eu-1'), saysNothing(CLUSTERSET_PROPERTY)],
      { id: 'eu-1' },
      [deleteSet],
    ],
    ['refuses what is wrong', [withId('us-1')], { id: 'EU_1' }, ['refuse IdInvalid']],
  ])('with leave: %s (KEP-2149, renaming a cluster)', (_name, present, wanted, expected) => {
    expect(stepsOf(present, wanted, { leave: true })).toEqual(expected);
  });

  it('deletes only what was seen', () => {
    const present = [{ ...withId('us-1'), metadata: { name: CLUSTER_ID_PROPERTY, uid: 'u', resourceVersion: '7' } }];
    expect(claimIdentity(present, { id: 'eu-1' }, { leave: true })).toMatchObject({
      steps: [{ op: 'delete', preconditions: { uid: 'u', resourceVersion: '7' } }, { op: 'create' }],
    });
  });

  it.each([true, false])('waits for what is being deleted, with leave: %j', (leave) => {
    const metadata = { name: CLUSTER_ID_PROPERTY, deletionTimestamp: '2026-01-01T00:00:00Z' };
    expect(stepsOf([{ ...withId('eu-1'), metadata }], EU, { leave })).toEqual(['refuse BeingDeleted']);
  });

  describe('with others known (KEP-2149, uniqueness)', () => {
    const others = [{ cluster: 'other', id: 'eu-1', clusterSet: 'shop' }];

    it.each<[string, ClusterProperty[], WantedIdentity, string[]]>([
      ['does not join with the id of another', [withId('eu-1')], EU, ['refuse IdTaken']],
      [
        'joins another ClusterSet with the same id',
        [withId('eu-1')],
        { id: 'eu-1', clusterSet: 'test' },
        ['create clusterset.k8s.io=test'],
      ],
      ['may have the id while it is no member', [], { id: 'eu-1' }, [createId]],
      ['leaves alone who is there already', [withId('eu-1'), withSet('shop')], EU, []],
      ['joins with another id', [], { id: 'eu-2', clusterSet: 'shop' }, ['create cluster.clusterset.k8s.io=eu-2', createSet]],
    ])('%s', (_name, present, wanted, expected) => {
      expect(stepsOf(present, wanted, { others })).toEqual(expected);
    });
  });

  it('says with each refusal what to do', () => {
    const properties = fc.uniqueArray(admittedProperty, { selector: ({ metadata }) => metadata.name, maxLength: 3 });
    fc.assert(
      fc.property(properties, (present) => {
        const claim = claimIdentity(present, EU);
        if (claim.op === 'claim') return;
        expect(claim.refusal.message.length).toBeLessThan(400);
        expect(claim.refusal.mend).not.toBe('');
      }),
      { numRuns: 100 },
    );
  });

  it('once carried out has nothing left to do, and the cluster is who it should be', () => {
    const properties = fc.uniqueArray(admittedProperty, { selector: ({ metadata }) => metadata.name, maxLength: 4 });
    const wanted = fc.record(
      { id: fc.constantFrom('eu-1', 'us-1', 'a.b'), clusterSet: fc.constantFrom('shop', 'test') },
      { requiredKeys: ['id'] },
    );
    fc.assert(
      fc.property(properties, wanted, fc.boolean(), (present, want, leave) => {
        const claim = claimIdentity(present, want, { leave });
        if (claim.op === 'refuse') return;
        const now = carriedOut(present, claim.steps);
        expect(claimIdentity(now, want, { leave })).toEqual({ op: 'claim', steps: [] });
        const identity = identityOf(now);
        expect(identity).toMatchObject(want.clusterSet === undefined ? { id: want.id } : want);
        expect(identity.problems).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});
