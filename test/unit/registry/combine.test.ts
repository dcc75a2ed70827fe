import { type ClusterEntry, combineEntries } from 'clusterset/registry';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('combineEntries', () => {
  it('gives all clusters in the order of their names', () => {
    const { entries, issues } = combineEntries([[{ name: 'b' }, { name: 'c' }], [{ name: 'a' }]]);
    expect(entries.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    expect(issues).toEqual([]);
  });

  it('lets the list that stands first win, whole, and says what it hides', () => {
    const first: ClusterEntry = { name: 'a', region: 'eu' };
    const { entries, issues } = combineEntries([[first], [{ name: 'a', provider: 'gke', region: 'us' }]]);
    expect(entries[0]).toBe(first);
    expect(issues).toMatchObject([{ field: 'a', message: expect.stringContaining('in more than one source') }]);
  });

  it('says nothing where two sources agree', () => {
    const a: ClusterEntry = { name: 'a', region: 'eu', endpoints: [{ server: 'https://a' }] };
    expect(combineEntries([[a], [structuredClone(a)]])).toEqual({ entries: [a], issues: [] });
  });

  it('fills what the first leaves open, labels and properties by key', () => {
    const { entries } = combineEntries(
      [
        [{ name: 'a', region: 'eu', labels: { x: '1' }, zones: ['a'] }],
        [{ name: 'a', region: 'us', provider: 'gke', labels: { x: '2', y: '2' }, properties: { p: '2' }, zones: ['b', 'c'] }],
      ],
      { twins: 'fill' },
    );
    expect(entries).toEqual([
      { name: 'a', region: 'eu', provider: 'gke', labels: { x: '1', y: '2' }, properties: { p: '2' }, zones: ['a'] },
    ]);
  });

  // Credentials must never travel to an address from somewhere else.
  it.each<[string, Partial<ClusterEntry>, Partial<ClusterEntry>, Partial<ClusterEntry>]>([
    [
      'credentials without an address',
      { auth: { context: 'a' } },
      { endpoints: [{ server: 'https://evil' }] },
      { auth: { context: 'a' } },
    ],
    [
      'an address without credentials',
      { endpoints: [{ server: 'https://a' }] },
      { auth: { context: 'b' } },
      { endpoints: [{ server: 'https://a' }] },
    ],
    [
      'both',
      { endpoints: [], auth: {} },
      { endpoints: [{ server: 'https://b' }], auth: { context: 'b' } },
      { endpoints: [], auth: {} },
    ],
    [
      'neither',
      {},
      { endpoints: [{ server: 'https://b' }], auth: { context: 'b' } },
      { endpoints: [{ server: 'https://b' }], auth: { context: 'b' } },
    ],
  ])('takes the way to a cluster in one piece where the first has %s', (_, first, second, expected) => {
    const { entries } = combineEntries([[{ name: 'a', ...first }], [{ name: 'a', ...second }]], { twins: 'fill' });
    expect(entries).toEqual([{ name: 'a', ...expected }]);
  });

  it('reports two names for one server, and keeps both', () => {
    const at = (name: string, ...servers: string[]): ClusterEntry => ({ name, endpoints: servers.map((server) => ({ server })) });
    const { entries, issues } = combineEntries([
      [at('b', 'https://x', 'https://x')],
      [at('a', 'https://x'), at('c', 'https://y')],
    ]);
    expect(entries).toHaveLength(3);
    expect(issues).toMatchObject([{ field: 'b', message: '"a", "b" have the same server https://x' }]);
  });

  it('does not list thousands of names', () => {
    const many = Array.from({ length: 5000 }, (_, index) => ({ name: `c${index}`, endpoints: [{ server: 'https://proxy' }] }));
    const { issues } = combineEntries([many]);
    expect(issues).toHaveLength(1);
    expect(issues[0]?.message).toMatch(/ and 4995 more|, 4995 more/);
    expect(issues[0]?.message.length).toBeLessThan(200);
  });

  const anyName = fc.constantFrom('a', 'b', 'c');
  const text = fc.constantFrom('1', '2');
  const byKey = fc.dictionary(fc.constantFrom('x', 'y', '__proto__'), text);
  const entryOf: fc.Arbitrary<ClusterEntry> = fc.record(
    {
      name: anyName,
      labels: byKey,
      properties: byKey,
      region: text,
      provider: text,
      zones: fc.array(text),
      endpoints: fc.array(text.map((each) => ({ server: `https://${each}` }))),
      auth: text.map((context) => ({ context })),
    },
    { requiredKeys: ['name'] },
  );
  const lists = fc.array(fc.uniqueArray(entryOf, { selector: (each) => each.name }), { maxLength: 4 });

  it.each(['first', 'fill'] as const)('with %s doesn’t depend on how lists are put together', (twins) => {
    const combined = (...all: (readonly ClusterEntry[])[]) => combineEntries(all, { twins }).entries;
    fc.assert(
      fc.property(lists, lists, lists, (a, b, c) => {
        const flat = combined(...a, ...b, ...c);
        expect(combined(combined(...a), combined(...b, ...c))).toEqual(flat);
        expect(combined(combined(...a, ...b), combined(...c))).toEqual(flat);
      }),
    );
  });

  it.each(['first', 'fill'] as const)('with %s gives the same when it is done again', (twins) => {
    fc.assert(
      fc.property(lists, (all) => {
        const once = combineEntries(all, { twins });
        const again = combineEntries([once.entries, once.entries, ...all], { twins });
        expect(again.entries).toEqual(once.entries);
        expect(combineEntries([once.entries], { twins }).entries).toEqual(once.entries);
      }),
    );
  });

  it.each(['first', 'fill'] as const)('with %s never puts one source’s credentials to another’s address', (twins) => {
    fc.assert(
      fc.property(lists, (all) => {
        for (const { name: each, endpoints, auth } of combineEntries(all, { twins }).entries) {
          if (endpoints === undefined && auth === undefined) continue;
          const sources = all.flat().filter((entry) => entry.name === each);
          expect(sources.some((entry) => entry.endpoints === endpoints && entry.auth === auth)).toBe(true);
        }
      }),
    );
  });
});
