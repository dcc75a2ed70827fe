import { describe, expect, it } from 'vitest';
import {
  decideLease,
  isCurrent,
  type LeaseFacts,
  type LeaseRecord,
  microTime,
  observe,
  readRecord,
  releasedRecord,
  withRecord,
} from '../../../../src/runtime/election/lease.ts';

const WALL = Date.UTC(2026, 0, 1, 12, 0, 0, 7);
const NOW = '2026-01-01T12:00:00.007000Z';

function record(more: Partial<LeaseRecord> = {}): LeaseRecord {
  return {
    holderIdentity: 'a',
    leaseDurationSeconds: 15,
    acquireTime: '2025-01-01T00:00:00.000000Z',
    renewTime: '2025-01-01T00:00:00.000000Z',
    leaseTransitions: 3,
    ...more,
  };
}

function facts(more: Partial<LeaseFacts>): LeaseFacts {
  return {
    record: undefined,
    observed: undefined,
    identity: 'a',
    now: 100_000,
    wallNow: WALL,
    leaseDurationSeconds: 15,
    ...more,
  };
}

describe('decideLease', () => {
  it.each<[string, Partial<LeaseFacts>, ReturnType<typeof decideLease>]>([
    ['looks where nothing is known', {}, { action: 'look' }],
    [
      'renews without a look what it holds itself, with its time and number of changes kept',
      { observed: { record: record(), at: 85_001 } },
      { action: 'renew', record: record({ renewTime: NOW }) },
    ],
    ['looks where what it held has run out', { observed: { record: record(), at: 85_000 } }, { action: 'look' }],
    [
      'looks where another is known to hold it',
      { observed: { record: record({ holderIdentity: 'b' }), at: 99_999 } },
      { action: 'look' },
    ],
    [
      'creates what is not there',
      { record: null },
      { action: 'create', record: record({ acquireTime: NOW, renewTime: NOW, leaseTransitions: 0 }) },
    ],
    [
      'waits for another that it sees for the first time',
      { record: record({ holderIdentity: 'b' }) },
      { action: 'wait', holder: 'b' },
    ],
    [
      'waits for another until the duration has passed',
      { record: record({ holderIdentity: 'b' }), observed: { record: record({ holderIdentity: 'b' }), at: 85_001 } },
      { action: 'wait', holder: 'b' },
    ],
    [
      'takes what has not changed for the duration, and counts one more change',
      { record: record({ holderIdentity: 'b' }), observed: { record: record({ holderIdentity: 'b' }), at: 85_000 } },
      { action: 'acquire', record: record({ acquireTime: NOW, renewTime: NOW, leaseTransitions: 4 }) },
    ],
    [
      'waits anew where another has renewed meanwhile, whatever the time that it has written',
      {
        record: record({ holderIdentity: 'b', renewTime: '1999-01-01T00:00:00.000000Z' }),
        observed: { record: record({ holderIdentity: 'b' }), at: 0 },
      },
      { action: 'wait', holder: 'b' },
    ],
    [
      'judges by the duration that the holder has written, not by its own',
      {
        record: record({ holderIdentity: 'b', leaseDurationSeconds: 60 }),
        observed: { record: record({ holderIdentity: 'b', leaseDurationSeconds: 60 }), at: 50_000 },
      },
      { action: 'wait', holder: 'b' },
    ],
    [
      'takes at once what was given back',
      { record: record({ holderIdentity: '', leaseDurationSeconds: 1 }) },
      { action: 'acquire', record: record({ acquireTime: NOW, renewTime: NOW, leaseTransitions: 4 }) },
    ],
    [
      'renews its own after a look, also where it had run out',
      { record: record(), observed: { record: record(), at: 0 } },
      { action: 'renew', record: record({ renewTime: NOW }) },
    ],
  ])('%s', (_, more, decision) => {
    expect(decideLease(facts(more))).toEqual(decision);
  });
});

describe('a record', () => {
  it('has times with six digits of a second', () => {
    expect(microTime(0)).toBe('1970-01-01T00:00:00.000000Z');
    expect(microTime(WALL)).toBe(NOW);
  });

  it('is as old as before when it says the same, and new when it says anything else', () => {
    const first = observe(undefined, record(), 10);
    expect(observe(first, record(), 20)).toBe(first);
    expect(observe(first, record({ renewTime: NOW }), 20)).toEqual({ record: record({ renewTime: NOW }), at: 20 });
    expect([isCurrent(first, 15_009), isCurrent(first, 15_010)]).toEqual([true, false]);
  });

  it('is given back with nobody as its holder, for a second, and the number of changes kept', () => {
    expect(releasedRecord(record(), WALL)).toEqual(
      record({ holderIdentity: '', leaseDurationSeconds: 1, acquireTime: NOW, renewTime: NOW }),
    );
  });

  it('is read from whatever stands there, and what is not ours stays', () => {
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'x' } };
    const empty = record({ holderIdentity: '', leaseDurationSeconds: 0, acquireTime: '', renewTime: '', leaseTransitions: 0 });
    expect(readRecord(lease)).toEqual(empty);
    expect(readRecord({ ...lease, spec: { holderIdentity: 7, leaseTransitions: 'many' } as never })).toEqual(empty);
    const kept = withRecord({ ...lease, spec: { strategy: 'OldestEmulationVersion', holderIdentity: 'z' } }, record());
    expect(kept.spec).toEqual({ strategy: 'OldestEmulationVersion', ...record() });
  });
});
