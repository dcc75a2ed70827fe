import {
  ANNOUNCED_FIELDS,
  type Announced,
  type Announcement,
  acknowledge,
  announcements,
  type ClusterEntry,
  parseAnnounced,
} from 'clusterset/registry';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const EU: ClusterEntry = {
  name: 'eu-1',
  labels: { env: 'prod' },
  region: 'eu',
  zones: ['a', 'b'],
  endpoints: [{ server: 'https://eu-1.example.com' }, { server: 'https://eu-1.example.org' }],
  auth: { secret: { namespace: 'fleet', name: 'eu-1' } },
  kubernetesVersion: 'v1.35.0',
};
const ready = (status: string, more = {}): ClusterEntry => ({ ...EU, conditions: [{ type: 'Ready', status, ...more }] });
const storeOf = (...entries: readonly ClusterEntry[]): Announced => announcements(undefined, entries).next;

/** What is said, without what is remembered. */
function said(known: Announced | undefined, entries: readonly ClusterEntry[], fields?: readonly string[]): readonly unknown[] {
  const told = announcements(known, entries, fields === undefined ? {} : { fields }).announcements;
  return told.map(({ known: _, ...rest }) => rest);
}

describe('announcements', () => {
  it('tells of everything when nothing has been said, by name', () => {
    expect(said(undefined, [{ name: 'us-1' }, EU, { name: 'ap-1' }])).toEqual([
      { type: 'added', cluster: 'ap-1' },
      { type: 'added', cluster: 'eu-1' },
      { type: 'added', cluster: 'us-1' },
    ]);
  });

  it.each<[string, ClusterEntry, readonly string[]]>([
    ['labels', { ...EU, labels: { env: 'test' } }, ['labels']],
    ['taints', { ...EU, taints: [{ key: 'x', effect: 'NoSelect' }] }, ['taints']],
    ['the region', { ...EU, region: 'us' }, ['region']],
    ['a region that is gone', without('region'), ['region']],
    ['zones', { ...EU, zones: ['a', 'c'] }, ['zones']],
    ['the order of endpoints, which are tried in it', { ...EU, endpoints: EU.endpoints?.toReversed() ?? [] }, ['endpoints']],
    ['where credentials are', { ...EU, auth: { context: 'eu' } }, ['auth']],
    ['the version', { ...EU, kubernetesVersion: 'v1.36.0' }, ['kubernetesVersion']],
    ['several at once, in one order', { ...EU, kubernetesVersion: 'v1.36.0', labels: {} }, ['labels', 'kubernetesVersion']],
    ['nothing, for zones in another order', { ...EU, zones: ['b', 'a'] }, []],
    ['nothing, for what is measured', { ...EU, capacity: { cpu: 8 }, properties: { load: '7' }, apis: ['v1/Pod'] }, []],
    ['nothing, for conditions beside Ready', { ...EU, conditions: [{ type: 'Joined', status: 'False' }] }, []],
    ['nothing, for a heartbeat', ready('True', { lastTransitionTime: '2026-01-01T00:00:00Z' }), []],
  ])('names what changed: %s', (_, entry, fields) => {
    expect(said(storeOf(EU), [entry])).toEqual(fields.length === 0 ? [] : [{ type: 'changed', cluster: 'eu-1', fields }]);
  });

  it('tells why a cluster is unreachable, once, and when it is back', () => {
    const lost = ready('Unknown', { reason: 'ClusterNotReachable', message: 'no answer' });
    const why = { reason: 'ClusterNotReachable', message: 'no answer' };
    expect(said(storeOf(EU), [lost])).toEqual([{ type: 'unreachable', cluster: 'eu-1', ...why }]);
    expect(said(storeOf(lost), [ready('False', { message: 'connection refused' })])).toEqual([]);
    expect(said(storeOf(lost), [ready('True')])).toEqual([{ type: 'reachable', cluster: 'eu-1' }]);
    expect(said(storeOf(lost), [EU])).toEqual([{ type: 'reachable', cluster: 'eu-1' }]);
  });

  it('tells what a cluster is before how it is', () => {
    const lost = { ...ready('False'), region: 'us' };
    expect(said(undefined, [lost])).toMatchObject([{ type: 'added' }, { type: 'unreachable' }]);
    expect(said(storeOf(EU), [lost])).toMatchObject([{ type: 'changed', fields: ['region'] }, { type: 'unreachable' }]);
  });

  it('tells that a cluster has left, whatever else it was, and forgets it', () => {
    const { announcements: told, next } = announcements(storeOf(ready('False'), { name: 'us-1' }), [{ name: 'us-1' }]);
    expect(told).toEqual([{ type: 'removed', cluster: 'eu-1' }]);
    expect(next).toEqual(storeOf({ name: 'us-1' }));
  });

  it('takes fields in without a word that nobody looked at before, and lets go of those that nobody looks at', () => {
    const entry = { ...EU, capacity: { cpu: 8 } };
    const more = [...ANNOUNCED_FIELDS, 'capacity', 'ours'];
    expect(said(storeOf(entry), [entry], more)).toEqual([]);
    const { next } = announcements(storeOf(entry), [entry], { fields: more });
    expect(said(next, [{ ...entry, capacity: { cpu: 16 }, ours: 1 }], more)).toEqual([
      { type: 'changed', cluster: 'eu-1', fields: ['capacity', 'ours'] },
    ]);
    expect(said(next, [{ ...entry, capacity: { cpu: 16 } }])).toEqual([]);
  });

  it('takes the first of two entries with one name', () => {
    expect(storeOf(EU, { name: 'eu-1' })).toEqual(storeOf(EU));
  });

  it('keeps names and digests, and nothing else of an entry', () => {
    const text = JSON.stringify(storeOf({ ...EU, auth: { context: 'hunter2' } }));
    for (const part of ['hunter2', 'prod', 'example.com', 'v1.35.0', 'fleet']) expect(text).not.toContain(part);
  });

  it('calls no cluster anything else than it is called', () => {
    const strange = ['__proto__', 'constructor', 'toString'].map((name) => ({ name, labels: { [name]: 'x' } }));
    const { announcements: told, next } = announcements(undefined, strange, { fields: ['labels', '__proto__', 'constructor'] });
    expect(told.map(({ type, cluster }) => [type, cluster])).toEqual([
      ['added', '__proto__'],
      ['added', 'constructor'],
      ['added', 'toString'],
    ]);
    expect(said(parseAnnounced(JSON.parse(JSON.stringify(next))), strange)).toEqual([]);
    expect(said(next, [])).toHaveLength(3);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });
});

function without(field: keyof ClusterEntry): ClusterEntry {
  return Object.fromEntries(Object.entries(EU).filter(([name]) => name !== field)) as ClusterEntry;
}

describe('what has been announced', () => {
  it.each<[string, unknown, RegExp]>([
    ['nothing', null, /expected object/],
    ['another version', { version: 2, clusters: [] }, /version/],
    ['a map', { version: 1, clusters: {} }, /clusters/],
    ['a cluster without a name', { version: 1, clusters: [{ ready: true, fields: {} }] }, /clusters\[0\].name/],
  ])('is refused when it is %s', (_, value, message) => {
    expect(() => parseAnnounced(value)).toThrowError(message);
  });

  it('is not quoted when it is refused', () => {
    expect(() => parseAnnounced({ version: 'hunter2' })).toThrowError(/^(?!.*hunter2)/);
  });
});

describe('any history of clusters', () => {
  const name = fc.constantFrom('a', 'b', 'c', '__proto__');
  const entry: fc.Arbitrary<ClusterEntry> = fc.record(
    {
      name,
      region: fc.constantFrom('eu', 'us'),
      labels: fc.dictionary(fc.constantFrom('x', '__proto__'), fc.constantFrom('1', '2')),
      conditions: fc.constantFrom([], [{ type: 'Ready', status: 'True' }], [{ type: 'Ready', status: 'False' }]),
    },
    { requiredKeys: ['name'] },
  );
  const fleet = fc.uniqueArray(entry, { selector: (each) => each.name, maxLength: 4 });

  it('leads to the same store step by step and at once', () => {
    fc.assert(
      fc.property(fc.array(fleet), fleet, (looks, last) => {
        const step = (known: Announced | undefined, look: readonly ClusterEntry[]): Announced => announcements(known, look).next;
        expect([...looks, last].reduce<Announced | undefined>(step, undefined)).toEqual(step(undefined, last));
      }),
    );
  });

  it('is silent when the same clusters are seen again, in any order, after a restart', () => {
    fc.assert(
      fc.property(fc.option(fleet, { nil: undefined }), fleet, (before, now) => {
        const { next } = announcements(before && storeOf(...before), now);
        const restored = parseAnnounced(JSON.parse(JSON.stringify(next)));
        expect(announcements(restored, now.toReversed())).toEqual({ announcements: [], next });
      }),
    );
  });

  it('goes on where it was interrupted: what is left to say after some of it is the rest of it', () => {
    fc.assert(
      fc.property(fleet, fleet, fc.nat(8), (before, now, count) => {
        const known = storeOf(...before);
        const { announcements: told, next } = announcements(known, now);
        const some = acknowledge(known, told.slice(0, count));
        expect(announcements(some, now)).toEqual({ announcements: told.slice(count), next });
        const oneByOne = told.reduce<Announced>((so, each: Announcement) => acknowledge(so, [each]), known);
        expect([oneByOne, acknowledge(known, told)]).toEqual([next, next]);
      }),
    );
  });

  it('is told in such a way that whoever listened knows the clusters and how they are', () => {
    fc.assert(
      fc.property(fc.array(fleet, { minLength: 1 }), (looks) => {
        const heard = new Map<string, boolean>();
        let known: Announced | undefined;
        for (const look of looks) {
          const { announcements: told, next } = announcements(known, look);
          for (const { type, cluster } of told) {
            if (type === 'removed') heard.delete(cluster);
            else if (type !== 'changed') heard.set(cluster, type !== 'unreachable');
          }
          known = next;
        }
        const [last = []] = looks.slice(-1);
        const isFine = (each: ClusterEntry): boolean => each.conditions?.[0]?.status !== 'False';
        expect(heard).toEqual(new Map(last.map((each) => [each.name, isFine(each)])));
      }),
    );
  });
});
