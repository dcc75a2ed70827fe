import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { importSlices, importSourceSlice, type SliceImportPlan } from '../../../src/mcs/slices/import-slices.ts';
import type { EndpointSlice, SliceEndpoint } from '../../../src/mcs/slices/types.ts';
import { addressesOf, HTTP, importFromEast, importOf, pod, pods, sourceSlice, stepsOf } from './slices-fixtures.ts';

const sizes = (slices: readonly EndpointSlice[]): readonly number[] => slices.map(({ endpoints }) => endpoints?.length ?? 0);
const importing = (
  endpoints: readonly SliceEndpoint[],
  current: readonly EndpointSlice[] = [],
  maxEndpoints = 3,
): SliceImportPlan => importFromEast([sourceSlice('s', endpoints)], { current, maxEndpoints });

describe('packing', () => {
  it.each<[number | undefined, number, number[]]>([
    [undefined, 250, [100, 100, 50]],
    [3, 7, [3, 3, 1]],
    [5000, 1500, [1000, 500]],
    [0, 101, [100, 1]],
    [Number.NaN, 101, [100, 1]],
    [-5, 2, [1, 1]],
    [3, 0, []],
  ])('with a maximum of %s, %i endpoints make slices of %j', (maxEndpoints, count, expected) => {
    const plan = importFromEast([sourceSlice('s', pods(count))], maxEndpoints === undefined ? {} : { maxEndpoints });
    expect(sizes(plan.slices)).toEqual(expected);
    expect(addressesOf(plan.slices)).toEqual(addressesOf([sourceSlice('s', pods(count))]));
  });

  const current = importing(pods(8)).slices;
  it.each<[string, readonly SliceEndpoint[], string[], number[]]>([
    ['nothing new', pods(8), [], [3, 3, 2]],
    ['a changed readiness', pods(8).with(4, pod('10.1.0.4', { conditions: {} })), ['update: EndpointsChanged'], [3, 3, 2]],
    ['one more goes where there is room', pods(9), ['update: EndpointsAdded'], [3, 3, 3]],
    ['two more go together', pods(10), ['create: NoRoom'], [3, 3, 2, 2]],
    ['one less shrinks its slice', pods(8).toSpliced(1, 1), ['update: EndpointsRemoved'], [2, 3, 2]],
    [
      'one for another, in the slice that changes anyway',
      pods(9).toSpliced(1, 1),
      ['update: EndpointsAdded EndpointsRemoved'],
      [3, 3, 2],
    ],
    ['a slice without endpoints goes', pods(6), ['delete: Emptied'], [3, 3]],
    ['all gone', [], ['delete: Emptied', 'delete: Emptied', 'delete: Emptied'], []],
  ])('%s', (_, endpoints, steps, expected) => {
    const plan = importing(endpoints, current);
    expect(stepsOf(plan)).toEqual(steps);
    expect(sizes(plan.slices)).toEqual(expected);
    expect(addressesOf(plan.slices)).toEqual(addressesOf([sourceSlice('s', endpoints)]));
  });

  it('fills the fullest slice that has room', () => {
    const gaps = importing([...pods(1), ...pods(2, 3), ...pods(2, 6)], current).slices;
    expect(sizes(gaps)).toEqual([1, 2, 2]);
    expect(sizes(importing([...pods(1), ...pods(2, 3), ...pods(2, 6), pod('10.2.0.1')], gaps).slices)).toEqual([1, 3, 2]);
    const two = [pod('10.2.0.1'), pod('10.2.0.2')];
    expect(sizes(importing([...pods(1), ...pods(2, 3), ...pods(2, 6), ...two], gaps).slices)).toEqual([3, 2, 2]);
  });

  it('fills what changes anyway before what is fuller', () => {
    const plan = importing([...pods(1), ...pods(5, 3), pod('10.2.0.1')], current);
    expect(stepsOf(plan)).toEqual(['update: EndpointsAdded EndpointsRemoved']);
    expect(sizes(plan.slices)).toEqual([2, 3, 2]);
  });

  it('holds each endpoint once, also where somebody wrote it into a second slice', () => {
    const [first, second, third] = current;
    if (first === undefined || second === undefined || third === undefined) throw new Error('too few slices');
    const twice = { ...third, endpoints: [...(third.endpoints ?? []), ...(first.endpoints ?? []).slice(0, 1)] };
    const plan = importing(pods(8), [first, second, twice]);
    expect(stepsOf(plan)).toEqual(['update: EndpointsRemoved']);
    expect(plan.slices).toEqual(current);
  });

  it('never updates a slice of another family, whatever its name', () => {
    const foreign = current.slice(0, 1).map((slice) => ({ ...slice, addressType: 'IPv6' }));
    const plan = importing(pods(1), foreign);
    expect(plan.steps.map(({ op, slice }) => `${op} ${slice.addressType} ${slice.metadata.name.at(-1)}`)).toEqual([
      'create IPv4 1',
    ]);
  });

  it('reuses the number of a slice that is gone', () => {
    const without = importing(pods(5, 3), current).slices;
    expect(without.map(({ metadata }) => metadata.name.at(-1))).toEqual(['1', '2']);
    const more = importing([...pods(5, 3), ...pods(3, 20)], without);
    expect(more.slices.map(({ metadata }) => metadata.name)).toEqual(current.map(({ metadata }) => metadata.name));
  });

  it('empties what is above a maximum that became lower', () => {
    const plan = importing(pods(8), current, 2);
    expect(sizes(plan.slices)).toEqual([2, 2, 2, 2]);
  });

  it('repairs what somebody wrote into a slice', () => {
    const [first, ...others] = current;
    if (first === undefined) throw new Error('nothing was imported');
    const endpoints = [...(first.endpoints ?? []).slice(0, 2), pod('10.9.9.9')].map((each) => ({ ...each, nodeName: 'n1' }));
    const plan = importing(pods(8), [{ ...first, endpoints }, ...others]);
    expect(stepsOf(plan)).toEqual(['update: EndpointsAdded EndpointsRemoved EndpointsChanged']);
    expect(plan.slices).toEqual(current);
  });
});

describe('properties', () => {
  const endpoint = fc.record({
    address: fc.integer({ min: 0, max: 40 }),
    ready: fc.constantFrom(true, false, undefined),
    hostname: fc.constantFrom(undefined, 'a', 'b'),
  });
  const endpointsOf = fc
    .uniqueArray(endpoint, { selector: ({ address, hostname }) => `${address}/${hostname}`, maxLength: 30 })
    .map((list) =>
      list.map(({ address, ready, hostname }) =>
        pod(`10.1.0.${address}`, {
          conditions: ready === undefined ? {} : { ready },
          ...(hostname === undefined ? {} : { hostname }),
        }),
      ),
    );
  const world = fc.uniqueArray(
    fc.record({
      cluster: fc.constantFrom('east', 'west', 'north'),
      name: fc.constantFrom('a', 'b', 'c'),
      endpoints: endpointsOf,
    }),
    { maxLength: 6, selector: ({ cluster, name }) => `${cluster}/${name}` },
  );
  const sourcesOf = (list: readonly { cluster: string; name: string; endpoints: readonly SliceEndpoint[] }[]) =>
    list.map(({ cluster, name, endpoints }) => ({ cluster, ports: [HTTP], slices: [sourceSlice(name, endpoints)] }));
  const planFor = (list: Parameters<typeof sourcesOf>[0], current: readonly EndpointSlice[] = []): SliceImportPlan =>
    importSlices({ serviceImport: importOf(), sources: sourcesOf(list), current, maxEndpoints: 4 });

  it('does not depend on the order of sources, endpoints or current slices', () => {
    fc.assert(
      fc.property(world, world, fc.infiniteStream(fc.nat()), (before, after, random) => {
        const shuffled = <T>(items: readonly T[]): T[] =>
          items
            .map((item) => ({ item, rank: random.next().value as number }))
            .sort((a, b) => a.rank - b.rank)
            .map(({ item }) => item);
        const current = planFor(before).slices;
        const plan = planFor(after, current);
        const mixed = after.map((each) => ({ ...each, endpoints: shuffled(each.endpoints) }));
        expect(planFor(shuffled(mixed), shuffled(current)).slices).toEqual(plan.slices);
      }),
    );
  });

  it('takes one of two source slices of one name, whichever comes first, and says so', () => {
    const twice = [sourceSlice('a', [pod('10.1.0.1')]), sourceSlice('a', [pod('10.1.0.2')])];
    const plan = importFromEast(twice);
    expect(plan).toEqual(importFromEast(twice.toReversed()));
    expect(plan.leftOut).toMatchObject([{ reason: 'DuplicateSource', slice: 'a' }]);
    expect(plan.slices).toHaveLength(1);
  });

  it('comes to rest: what it made needs no further step, and untouched slices are the very same objects', () => {
    fc.assert(
      fc.property(world, world, (before, after) => {
        const current = planFor(before).slices;
        const plan = planFor(after, current);
        const again = planFor(after, plan.slices);
        expect(again.steps).toEqual([]);
        expect(again.unchanged).toHaveLength(plan.slices.length);
        expect(again.unchanged.every((slice) => plan.slices.includes(slice))).toBe(true);
        expect(plan.unchanged.every((slice) => current.includes(slice))).toBe(true);
        expect(plan.slices.every(({ endpoints }) => (endpoints?.length ?? 0) <= 4 && (endpoints?.length ?? 0) > 0)).toBe(true);
      }),
    );
  });

  it('changes exactly one slice for one flip, one more or one less endpoint, and asks for no more in the incremental form', () => {
    fc.assert(
      fc.property(endpointsOf, fc.nat(), fc.constantFrom('flip', 'add', 'remove'), (endpoints, at, change) => {
        fc.pre(endpoints.length > 0);
        const index = at % endpoints.length;
        const flipped = { ...endpoints[index], conditions: { ready: endpoints[index]?.conditions?.ready === false } };
        const next = {
          flip: endpoints.with(index, flipped as SliceEndpoint),
          add: [...endpoints, pod('10.2.0.1')],
          remove: endpoints.toSpliced(index, 1),
        }[change];
        const others = [{ cluster: 'west', name: 'a', endpoints }];
        const current = planFor([{ cluster: 'east', name: 'a', endpoints }, ...others]).slices;
        const plan = planFor([{ cluster: 'east', name: 'a', endpoints: next }, ...others], current);
        expect(plan.steps).toHaveLength(1);
        const written = plan.steps[0]?.op === 'create' ? 0 : 1;
        expect(current.filter((slice) => !plan.unchanged.includes(slice))).toHaveLength(written);
        const derived = current.filter(
          ({ metadata }) => metadata.labels?.['multicluster.kubernetes.io/source-cluster'] === 'east',
        );
        const source = { cluster: 'east', ports: [HTTP], slice: sourceSlice('a', next) };
        const alone = importSourceSlice({ serviceImport: importOf(), maxEndpoints: 4 }, source, derived);
        expect(alone.steps).toEqual(plan.steps);
      }),
    );
  });

  it('changes one slice of a thousand when one of 100,000 endpoints flips', () => {
    const slices = Array.from({ length: 1000 }, (_, number) =>
      sourceSlice(
        `s-${number}`,
        Array.from({ length: 100 }, (_each, index) => pod(`10.${number >> 8}.${number & 255}.${index + 1}`)),
      ),
    );
    const { slices: current, steps } = importFromEast(slices);
    expect(steps).toHaveLength(1000);
    const old = slices[500];
    if (old === undefined) throw new Error('too few slices');
    const flipped = { ...old, endpoints: (old.endpoints ?? []).with(50, pod('10.1.244.51', { conditions: { ready: false } })) };
    const plan = importFromEast(slices.with(500, flipped), { current });
    expect(stepsOf(plan)).toEqual(['update: EndpointsChanged']);
    expect(plan.unchanged).toHaveLength(999);
    expect(new Set(plan.unchanged).difference(new Set(current)).size).toBe(0);
  });

  it('takes any objects without throwing, and keeps what is good beside them', () => {
    const loose = fc.oneof(
      fc.anything(),
      fc.record(
        {
          metadata: fc.oneof(
            fc.anything(),
            fc.record(
              {
                name: fc.oneof(fc.string(), fc.anything()),
                namespace: fc.constantFrom('shop', 5),
                labels: fc.oneof(fc.anything(), fc.constant({ 'kubernetes.io/service-name': 'web' })),
              },
              { requiredKeys: [] },
            ),
          ),
          addressType: fc.constantFrom('IPv4', 'IPv6', 'FQDN', 7),
          ports: fc.oneof(fc.anything(), fc.array(fc.anything()), fc.constant([{ name: 'http', port: 1 }])),
          endpoints: fc.oneof(
            fc.anything(),
            fc.array(
              fc.oneof(
                fc.anything(),
                fc.record(
                  {
                    addresses: fc.oneof(fc.anything(), fc.array(fc.oneof(fc.anything(), fc.ipV4(), fc.ipV6()))),
                    conditions: fc.anything(),
                    hostname: fc.anything(),
                    zone: fc.anything(),
                  },
                  { requiredKeys: [] },
                ),
              ),
            ),
          ),
        },
        { requiredKeys: [] },
      ),
    );
    fc.assert(
      fc.property(fc.array(loose, { maxLength: 4 }), fc.array(loose, { maxLength: 4 }), (slices, current) => {
        const good = sourceSlice('the-good-one', [pod('10.200.0.1')]);
        const plan = importFromEast([...(slices as EndpointSlice[]), good], { current: current as EndpointSlice[] });
        expect(addressesOf(plan.slices)).toContain('10.200.0.1');
        expect(plan.steps.every(({ op }) => op === 'create')).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});
