import { CLUSTERS_ANNOTATION, formatRecord, recordedClusters } from 'clusterset/federation';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const recorded = (record: string, status?: unknown): string[] => {
  const metadata = { namespace: 'shop', name: 'web', annotations: { [CLUSTERS_ANNOTATION]: record } };
  return [...recordedClusters({ metadata, status } as never)];
};

describe('the record of clusters that may have something of an object', () => {
  it.each<[string, readonly string[], string]>([
    ['nothing', [], ''],
    ['names in their order, whatever the order in which they came', ['us-1', 'eu-2', 'eu-1'], 'eu-1,eu-2,us-1'],
    ['names of contexts as they are', ['kind@eu', 'arn:aws:eks:eu-1:1:cluster/a'], 'arn:aws:eks:eu-1:1:cluster/a,kind@eu'],
    ['a comma so that it divides nothing', ['a,b', '100%'], '100%25,a%2Cb'],
  ])('is written with %s', (_, names, text) => {
    expect(formatRecord(names)).toBe(text);
    expect(recorded(text)).toEqual(names.toSorted());
  });

  it('is read as it was written, whatever the names', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ minLength: 1 })), (names) => {
        expect(new Set(recorded(formatRecord(names)))).toEqual(new Set(names));
      }),
    );
  });

  it('counts, also where it is empty, and not the status beside it', () => {
    expect(recorded('', { clusters: [{ name: 'eu-1' }] })).toEqual([]);
  });

  it.each<[string, unknown, readonly string[]]>([
    ['names clusters', { clusters: [{ name: 'eu-1' }, { name: 'us-1', status: 'ClusterNotReady' }] }, ['eu-1', 'us-1']],
    ['names none', { clusters: [] }, []],
    ['is none', undefined, []],
    ['is something else', 'broken', []],
    ['has something else in it', { clusters: 'eu-1' }, []],
  ])('is taken from a status of earlier times that %s, where there is no record', (_, status, names) => {
    const object = { metadata: { namespace: 'shop', name: 'web' }, status };
    expect([...recordedClusters(object as never)]).toEqual(names);
  });
});
