import { isClustersetError } from 'clusterset/kube';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ServiceImport } from '../../../src/mcs/api.ts';
import {
  advanceExports,
  type ClusterObservation,
  type ExportsInput,
  type ExportsState,
  type ExportsStep,
  NO_EXPORTS,
} from '../../../src/mcs/lifecycle.ts';
import { exported, merged, stored } from './merge-fixtures.ts';

const at = (second: number): string => new Date(Date.UTC(2026, 5, 1, 12, 0, second)).toISOString().replace('.000', '');
const exports = (cluster: string): ClusterObservation => ({ cluster, answer: 'export', export: exported(cluster, 1) });
const nothing = (cluster: string, isSynced = true, isServed = true): ClusterObservation => ({
  cluster,
  answer: 'nothing',
  isSynced,
  isServed,
});
const silent = (cluster: string): ClusterObservation => ({ cluster, answer: 'silent' });
const alive = (cluster: string): ClusterObservation => ({ cluster, answer: 'alive' });
const left = (cluster: string): ClusterObservation => ({ cluster, answer: 'left' });
const imported = (...clusters: string[]): ServiceImport | undefined =>
  stored(merged(clusters.map((cluster) => exported(cluster, 1))));

const step = (
  state: ExportsState,
  second: number,
  observations: readonly ClusterObservation[],
  more: Partial<ExportsInput> = {},
): ExportsStep => advanceExports(state, { observations, now: at(second), ...more });
const seen = (...clusters: string[]): ExportsState => step(NO_EXPORTS, 0, clusters.map(exports)).state;
const counting = ({ exports: all }: ExportsStep): string[] => all.map(({ cluster }) => cluster);
const standings = ({ state }: ExportsStep): string[] =>
  state.clusters.map(({ cluster, standing, reason }) => `${cluster} ${standing} ${reason}`);

describe('an export (§2.5)', () => {
  it.each<[string, string[], ClusterObservation[], string[], string[], object[]]>([
    [
      'counts when it is seen',
      [],
      [exports('a')],
      ['a'],
      ['a exported ExportSeen'],
      [{ op: 'count', cluster: 'a', reason: 'ExportSeen' }],
    ],
    [
      'counts no more when its cluster says that it is gone',
      ['a', 'b'],
      [nothing('b')],
      ['a'],
      ['a exported ExportSeen', 'b unexported Unexported'],
      [{ op: 'drop', cluster: 'b', reason: 'Unexported' }],
    ],
    [
      'counts no more when its cluster has left',
      ['a', 'b'],
      [left('b')],
      ['a'],
      ['a exported ExportSeen', 'b left ClusterLeft'],
      [{ op: 'drop', cluster: 'b', reason: 'ClusterLeft' }],
    ],
    [
      'stays when its cluster is silent',
      ['a', 'b'],
      [silent('b')],
      ['a', 'b'],
      ['a exported ExportSeen', 'b unknown NoAnswer'],
      [{ op: 'hold', cluster: 'b', reason: 'NoAnswer' }],
    ],
    [
      'stays when its cluster had not read its exports (Cilium 47793)',
      ['a', 'b'],
      [nothing('b', false)],
      ['a', 'b'],
      ['a exported ExportSeen', 'b unknown NotSynced'],
      [{ op: 'hold', cluster: 'b', reason: 'NotSynced' }],
    ],
    [
      'stays when its cluster does not serve the type (Cilium 47793)',
      ['a', 'b'],
      [nothing('b', true, false)],
      ['a', 'b'],
      ['a exported ExportSeen', 'b unknown NotServed'],
      [{ op: 'hold', cluster: 'b', reason: 'NotServed' }],
    ],
    ['stays when nothing new is said', ['a'], [alive('a')], ['a'], ['a exported ExportSeen'], []],
    ['is no news when it is seen again', ['a'], [exports('a')], ['a'], ['a exported ExportSeen'], []],
    [
      'is unknown when its cluster never answered',
      [],
      [silent('a')],
      [],
      ['a unknown NeverRead'],
      [{ op: 'hold', cluster: 'a', reason: 'NeverRead' }],
    ],
    ['that never was is nothing to drop', [], [nothing('a')], [], ['a unexported Unexported'], []],
  ])('%s', (_, before, observations, expected, where, changes) => {
    const result = step(seen(...before), 10, observations);
    expect(counting(result)).toEqual(expected);
    expect(standings(result)).toEqual(where);
    expect(result.changes).toEqual(changes);
  });

  it('stays gone in silence, and comes back when it is seen', () => {
    const gone = step(seen('a', 'b'), 10, [nothing('a'), left('b')]);
    const quiet = step(gone.state, 20, [silent('a'), silent('b'), nothing('a', false)]);
    expect(standings(quiet)).toEqual(['a unexported Unexported', 'b left ClusterLeft']);
    expect(quiet.changes).toEqual([]);
    const back = step(quiet.state, 30, [exports('a'), exports('b')]);
    expect(counting(back)).toEqual(['a', 'b']);
    expect(back.changes.map(({ op }) => op)).toEqual(['count', 'count']);
  });

  it('that changes is told, but not when only its conditions do', () => {
    const before = seen('a');
    const base = exported('a', 1);
    const condition = { type: 'Ready', status: 'True', reason: 'Ready', message: '', lastTransitionTime: at(0) } as const;
    const said = step(before, 1, [
      { cluster: 'a', answer: 'export', export: { ...base, export: { ...base.export, conditions: [condition], generation: 2 } } },
    ]);
    expect(said.changes).toEqual([]);
    expect(said.exports[0]?.export.conditions).toEqual([condition]);
    const changed = step(before, 1, [{ cluster: 'a', answer: 'export', export: exported('a', 1, { clusterIP: 'None' }) }]);
    expect(changed.changes).toEqual([{ op: 'count', cluster: 'a', reason: 'ExportSeen' }]);
  });
});

describe('the lease (§2.5)', () => {
  it('runs out without a sign of life: endpoints go, ports and type stay', () => {
    const before = seen('a', 'b');
    const result = step(before, 60, [alive('a'), silent('b')]);
    expect(result.endpointsFrom).toEqual(['a']);
    expect(counting(result)).toEqual(['a', 'b']);
    expect(result.changes).toEqual([
      { op: 'hold', cluster: 'b', reason: 'NoAnswer' },
      { op: 'withdraw', cluster: 'b', reason: 'LeaseExpired' },
    ]);
    expect(result.verdict).toEqual({ op: 'merge' });
    const back = step(result.state, 70, [alive('b')]);
    expect(back.endpointsFrom).toEqual(['a', 'b']);
    expect(back.changes).toEqual([{ op: 'restore', cluster: 'b', reason: 'LeaseRenewed' }]);
  });

  it.each<[string, number, ClusterObservation[], Partial<ExportsInput>, string[]]>([
    ['not a second too early', 59, [], {}, ['a']],
    ['after the time that was asked for', 31, [], { leaseSeconds: 30 }, []],
    ['not at all where it never ends', 50_000, [], { leaseSeconds: Number.POSITIVE_INFINITY }, ['a']],
    ['counted from when the cluster was seen', 100, [{ cluster: 'a', answer: 'alive', at: at(50) }], {}, ['a']],
    ['whatever an older sign says', 61, [{ cluster: 'a', answer: 'alive', at: at(-50) }], {}, []],
    ['whatever a time says that is none', 61, [{ cluster: 'a', answer: 'alive', at: 'soon' }], {}, []],
    ['not by silence', 61, [silent('a')], {}, []],
    ['by silence of one that is known to live', 61, [{ ...silent('a'), at: at(30) }], {}, ['a']],
    ['with an answer that shows nothing but life', 61, [nothing('a', false, false)], {}, ['a']],
  ])('%s', (_, second, observations, more, endpoints) => {
    expect(step(seen('a'), second, observations, more).endpointsFrom).toEqual(endpoints);
  });

  it('isn’t longer for a clock that is ahead', () => {
    const ahead = step(seen('a'), 10, [{ cluster: 'a', answer: 'alive', at: at(5000) }]);
    expect(step(ahead.state, 70, []).endpointsFrom).toEqual([]);
    const wrong = { clusters: ahead.state.clusters.map((each) => ({ ...each, aliveAt: at(5000) })) };
    expect(step(step(wrong, 10, []).state, 70, []).endpointsFrom).toEqual([]);
  });

  it('says when it runs out next', () => {
    expect(step(NO_EXPORTS, 0, [exports('a'), { ...exports('b'), at: at(-20) }]).wakeAt).toBe('2026-06-01T12:00:40.000Z');
    expect(step(NO_EXPORTS, 0, [{ ...silent('a'), at: at(-20) }, silent('b')], { present: imported('b') }).wakeAt).toBe(
      '2026-06-01T12:00:40.000Z',
    );
    expect(step(NO_EXPORTS, 0, [nothing('a')])).not.toHaveProperty('wakeAt');
    expect(step(seen('a'), 60, [])).not.toHaveProperty('wakeAt');
    expect(step(seen('a'), 1, [], { leaseSeconds: 1e15 })).not.toHaveProperty('wakeAt');
  });

  it('means nothing for who has left', () => {
    const result = step(step(seen('a'), 60, []).state, 61, [left('a')]);
    expect(result.endpointsFrom).toEqual([]);
    expect(result.changes).toEqual([{ op: 'drop', cluster: 'a', reason: 'ClusterLeft' }]);
  });
});

describe('the import (§1.7, §2.5)', () => {
  it.each<[string, ExportsState, ClusterObservation[], Partial<ExportsInput>, object]>([
    ['is merged while somebody exports', NO_EXPORTS, [exports('a')], {}, { op: 'merge' }],
    [
      'is removed when the last export is gone',
      seen('a'),
      [nothing('a')],
      { present: imported('a') },
      { op: 'remove', reason: 'NoExports' },
    ],
    [
      'is removed when the last exporter has left',
      seen('a'),
      [left('a')],
      { present: imported('a') },
      { op: 'remove', reason: 'NoExports' },
    ],
    ['stays when the last exporter is silent', seen('a'), [silent('a')], { present: imported('a') }, { op: 'merge' }],
    [
      'stays when the last exporter looks empty',
      seen('a'),
      [nothing('a', true, false)],
      { present: imported('a') },
      { op: 'merge' },
    ],
    [
      'is held after a restart while one of its clusters is silent',
      NO_EXPORTS,
      [exports('a'), silent('b')],
      { present: imported('a', 'b') },
      { op: 'hold', reason: 'ClusterUnknown', clusters: ['b'] },
    ],
    [
      'is held after a restart while one of its clusters wasn’t asked',
      NO_EXPORTS,
      [exports('a')],
      { present: imported('a', 'b') },
      { op: 'hold', reason: 'ClusterUnknown', clusters: ['b'] },
    ],
    [
      'is held after a restart while nobody was asked',
      NO_EXPORTS,
      [],
      { present: imported('a') },
      { op: 'hold', reason: 'ClusterUnknown', clusters: ['a'] },
    ],
    [
      'is held while anybody might still export it',
      NO_EXPORTS,
      [nothing('a'), silent('b')],
      { present: imported('a') },
      { op: 'hold', reason: 'ClusterUnknown', clusters: ['b'] },
    ],
    [
      'without a status is held, too',
      NO_EXPORTS,
      [],
      { present: { ...imported('a'), status: {} } as ServiceImport },
      { op: 'hold', reason: 'ClusterUnknown', clusters: [] },
    ],
    [
      'is merged without clusters that never were in it',
      NO_EXPORTS,
      [exports('a'), silent('c')],
      { present: imported('a') },
      { op: 'merge' },
    ],
    [
      'is merged when the missing cluster turns out to have left',
      NO_EXPORTS,
      [exports('a'), left('b')],
      { present: imported('a', 'b') },
      { op: 'merge' },
    ],
    ['isn’t made where nobody exports', NO_EXPORTS, [nothing('a'), silent('b')], {}, { op: 'remove', reason: 'NoExports' }],
    [
      'isn’t made where JSON says that there is none',
      NO_EXPORTS,
      [silent('b')],
      { present: null },
      { op: 'remove', reason: 'NoExports' },
    ],
    ['isn’t there without its namespace', seen('a'), [], { namespace: 'missing' }, { op: 'remove', reason: 'NamespaceMissing' }],
    [
      'isn’t made in a namespace that is going',
      seen('a'),
      [],
      { namespace: 'terminating' },
      { op: 'remove', reason: 'NamespaceTerminating' },
    ],
    ['is there again with its namespace', seen('a'), [], { namespace: 'exists' }, { op: 'merge' }],
  ])('%s', (_, state, observations, more, verdict) => {
    expect(step(state, 1, observations, more).verdict).toEqual(verdict);
  });
});

describe('advanceExports', () => {
  const observation: fc.Arbitrary<ClusterObservation> = fc
    .tuple(
      fc.constantFrom('a', 'b', 'c'),
      fc.constantFrom(
        exports,
        nothing,
        silent,
        alive,
        left,
        (cluster: string) => nothing(cluster, false),
        (cluster: string) => nothing(cluster, true, false),
      ),
      fc.option(fc.integer({ min: -10, max: 300 }), { nil: undefined }),
    )
    .map(([cluster, make, second]) => ({ ...make(cluster), ...(second === undefined ? {} : { at: at(second) }) }));
  const steps = fc.array(fc.tuple(fc.nat(100), fc.array(observation, { maxLength: 4 })), { maxLength: 8 });

  it('goes on from JSON, says nothing twice, and never forgets an export without being told', () => {
    fc.assert(
      fc.property(steps, (all) => {
        let state = NO_EXPORTS;
        let now = 0;
        for (const [pause, observations] of all) {
          now += pause;
          const result = step(state, now, observations);
          const resumed = step(JSON.parse(JSON.stringify(state)) as ExportsState, now, observations);
          expect(resumed).toEqual(result);
          expect(step(result.state, now, []).changes).toEqual([]);
          expect(step(result.state, now, []).state).toEqual(result.state);
          const told = new Set(
            observations.filter(({ answer }) => answer === 'nothing' || answer === 'left').map(({ cluster }) => cluster),
          );
          for (const { cluster, export: before } of state.clusters) {
            if (before !== undefined && !told.has(cluster)) expect(counting(result)).toContain(cluster);
          }
          state = result.state;
        }
      }),
    );
  });

  it('refuses a time that is none', () => {
    try {
      advanceExports(NO_EXPORTS, { observations: [], now: 'now' });
      expect.unreachable();
    } catch (error) {
      expect(isClustersetError(error) && error.field).toBe('now');
    }
  });
});
