import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CONFLICT_REASONS } from '../../../src/mcs/api.ts';
import { type ExportedService, exportedService } from '../../../src/mcs/merge/exports.ts';
import { isSamePort } from '../../../src/mcs/merge/ports.ts';
import { exported, LATER, merged, port, service, serviceExport, settled, stored } from './merge-fixtures.ts';

const some = <T>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const serviceSpec = fc.record(
  {
    clusterIP: some('10.0.0.1', 'None'),
    ipFamilies: some<string[] | undefined>(['IPv4'], ['IPv6'], ['IPv4', 'IPv6'], ['IPv6', 'IPv4'], undefined),
    sessionAffinity: some('None', 'ClientIP'),
    sessionAffinityConfig: some<object | undefined>(undefined, { clientIP: { timeoutSeconds: 5 } }),
    internalTrafficPolicy: some('Cluster', 'Local'),
    trafficDistribution: some<string | undefined>(undefined, 'PreferClose'),
    ports: fc
      .uniqueArray(some('80', 'http 80', 'web 80', 'http 81', 'http 80/UDP', 'dns 53/UDP', 'dns 53', '53/UDP'), { maxLength: 5 })
      .map((ports) => ports.map(port)),
  },
  { requiredKeys: [] },
);
const maps = some<Record<string, string> | undefined>(undefined, {}, { a: '1' }, { a: '2' }, { a: '1', b: '2' });
const exportSpec = fc
  .record({ exportedLabels: maps, exportedAnnotations: maps })
  .map(({ exportedLabels, exportedAnnotations }) => ({
    ...(exportedLabels === undefined ? {} : { exportedLabels }),
    ...(exportedAnnotations === undefined ? {} : { exportedAnnotations }),
  }));
const clusters = some('a', 'b', 'c', 'd', 'e', 'f');
const oneExport = (cluster: fc.Arbitrary<string>): fc.Arbitrary<ExportedService> =>
  fc.tuple(cluster, fc.nat(3), serviceSpec, exportSpec).map(([name, second, spec, more]) => exported(name, second, spec, more));
const exportsOf = fc.uniqueArray(oneExport(clusters), { selector: ({ cluster }) => cluster, minLength: 1, maxLength: 6 });
const bad = fc
  .tuple(some('bad', 'Bad', 'b.ad'), fc.nat(3), some('NoService', 'ExternalName', 'BadId', 'Going'))
  .map(([name, second, how]) => {
    if (how === 'NoService') return exportedService(name, serviceExport(second), undefined);
    if (how === 'ExternalName') return exported(name, second, { type: 'ExternalName' });
    if (how === 'BadId') return exported(`${name}_`, second, { clusterIP: 'None' });
    return { ...exported(name, second), export: { ...exported(name, second).export, isBeingDeleted: true } };
  });

describe('mergeExports, whatever the exports', () => {
  it('doesn’t depend on their order, also where clusters are there twice', () => {
    const shuffled = fc
      .array(oneExport(clusters), { maxLength: 8 })
      .chain((exports) => fc.tuple(fc.constant(exports), fc.shuffledSubarray(exports, { minLength: exports.length })));
    fc.assert(
      fc.property(shuffled, ([exports, others]) => {
        expect(merged(others)).toEqual(merged(exports));
      }),
    );
  });

  it('doesn’t depend on the cluster that computes it, whatever import that cluster has', () => {
    fc.assert(
      fc.property(exportsOf, exportsOf, (exports, earlier) => {
        const here = merged(exports, { present: stored(merged(earlier)) });
        const there = merged(exports);
        expect(here.decisions).toEqual(there.decisions);
        expect(here.exports).toEqual(there.exports);
        expect(here.serviceImport?.spec).toEqual(there.serviceImport?.spec);
        expect(here.serviceImport?.status?.clusters).toEqual(there.serviceImport?.status?.clusters);
      }),
    );
  });

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(
        exportsOf,
        some<'rederive' | 'keep-type'>('rederive', 'keep-type'),
        exportsOf,
        (exports, afterOldestLeaves, earlier) => {
          const before = stored(merged(earlier, { afterOldestLeaves }));
          const first = merged(exports, { afterOldestLeaves, present: before });
          const second = merged(settled(exports, first), { afterOldestLeaves, present: stored(first), now: LATER });
          expect(second.serviceImport).toEqual(first.serviceImport);
          expect(second.exports).toEqual(first.exports);
          expect(second.changes).toEqual({ object: false, status: false });
        },
      ),
    );
  });

  it('isn’t touched by a bad export', () => {
    fc.assert(
      fc.property(exportsOf, bad, fc.nat(6), (exports, wrong, at) => {
        const alone = merged(exports);
        const result = merged(exports.toSpliced(at, 0, wrong));
        expect(result.serviceImport).toEqual(alone.serviceImport);
        expect(result.decisions).toEqual(alone.decisions);
        expect(result.exports.filter(({ cluster }) => cluster !== wrong.cluster)).toEqual(alone.exports);
      }),
    );
  });

  it('has ports that a client can tell apart, each from an export, and no export’s port lost without a word', () => {
    fc.assert(
      fc.property(exportsOf, (exports) => {
        const { ports, serviceImport } = merged(exports);
        const all = serviceImport?.spec?.ports ?? [];
        expect(new Set(all.map(({ name }) => name ?? '')).size).toBe(all.length);
        expect(new Set(all.map(({ port: number, protocol }) => `${number}/${protocol}`)).size).toBe(all.length);
        for (const { cluster, service: facts } of exports) {
          if (facts === undefined || facts.type === 'NotExportable') continue;
          for (const each of facts.ports) {
            const isThere = all.some((other) => isSamePort(other, each));
            expect(isThere || ports.dropped.some((other) => other.cluster === cluster && isSamePort(other.port, each))).toBe(
              true,
            );
          }
        }
      }),
    );
  });

  it('tells the same conflicts on every export, in the order of the API, and none where all are equal', () => {
    fc.assert(
      fc.property(exportsOf, (exports) => {
        const result = merged(exports);
        const said = result.exports.map(({ conditions }) => conditions.find(({ type }) => type === 'Conflict'));
        expect(new Set(said.map((each) => JSON.stringify({ ...each, observedGeneration: 0 }))).size).toBe(1);
        const reasons = said[0]?.reason.split(',') ?? [];
        const known: readonly string[] = said[0]?.status === 'False' ? ['NoConflicts'] : CONFLICT_REASONS;
        expect(reasons).toEqual(known.filter((each) => reasons.includes(each)));
      }),
    );
    fc.assert(
      fc.property(serviceSpec, exportSpec, (spec, more) => {
        const same = ['a', 'b', 'c'].map((cluster, index) => exported(cluster, index, spec, more));
        expect(merged(same).decisions.filter(({ conflict }) => conflict !== undefined)).toEqual([]);
      }),
    );
  });

  it('leaves what it was given as it was', () => {
    fc.assert(
      fc.property(exportsOf, (exports) => {
        const present = stored(merged(exports));
        const before = JSON.stringify([exports, present]);
        merged(exports, { present, now: LATER });
        expect(JSON.stringify([exports, present])).toBe(before);
      }),
    );
  });

  it('reads one Service as it reads it alone', () => {
    const read = exportedService('a', serviceExport(1), service());
    expect(merged([read])).toEqual(merged([exported('a', 1)]));
  });
});
