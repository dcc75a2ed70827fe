import {
  adviseOnClusterProperty,
  CLUSTER_ID_PROPERTY,
  CLUSTERSET_PROPERTY,
  checkClusterId,
  checkClusterProperty,
  checkClusterSetName,
  checkPropertyName,
  checkPropertyValue,
  clusterProperty,
  identityOf,
  LONGEST_PROPERTY_VALUE,
  type McsReason,
  mcsUseOf,
  verifyClusterSet,
} from 'clusterset/about';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admittedProperty, saysNothing } from './fixtures.ts';

const messages = (issues: readonly { readonly message: string }[]): string => issues.map(({ message }) => message).join('\n');

describe('the value of a property (KEP-2149, ClusterProperty CRD)', () => {
  it.each([
    ['128,000 letters', 'x'.repeat(LONGEST_PROPERTY_VALUE), true],
    ['128,001 letters', 'x'.repeat(LONGEST_PROPERTY_VALUE + 1), false],
    ['128,000 characters of four bytes, which are two units of UTF-16', '𝄞'.repeat(LONGEST_PROPERTY_VALUE), true],
    ['128,001 characters of four bytes', '𝄞'.repeat(LONGEST_PROPERTY_VALUE + 1), false],
    ['128,000 characters of both kinds', `${'𝄞'.repeat(64_000)}${'x'.repeat(64_000)}`, true],
    ['128,001 characters of both kinds', `${'𝄞'.repeat(64_000)}${'x'.repeat(64_001)}`, false],
    ['3,000,000 letters, which servers admit', 'x'.repeat(3_000_000), false],
    ['nothing', '', false],
  ])('of %s', (_name, value, isGood) => {
    const issues = checkPropertyValue(value);
    expect(issues.length === 0).toBe(isGood);
    if (!isGood) expect(issues).toMatchObject([{ field: 'spec.value' }]);
  });

  it('counts code points as the language does', () => {
    const text = fc.string({ unit: 'binary', maxLength: 20 });
    fc.assert(
      fc.property(text, fc.integer({ min: -3, max: 3 }), (given, off) => {
        const points = [...given].length;
        const padded = `${given}${'x'.repeat(LONGEST_PROPERTY_VALUE - points + off)}`;
        expect(checkPropertyValue(padded).length === 0).toBe(off <= 0);
      }),
      { numRuns: 30 },
    );
  });
});

describe('the name of a property (KEP-2149, additional properties)', () => {
  it.each([
    ['well known', CLUSTER_ID_PROPERTY, undefined],
    ['well known', CLUSTERSET_PROPERTY, undefined],
    ['under a domain', 'fingerprint.mesh.example.com', undefined],
    ['bare, for operators to use', 'fingerprint', undefined],
    ['under a domain that only looks like one of Kubernetes', 'a.myk8s.io', undefined],
    ['reserved', 'fingerprint.k8s.io', 'reserved'],
    ['reserved', 'a.b.kubernetes.io', 'reserved'],
    ['reserved', 'k8s.io', 'reserved'],
    ['reserved', 'sigs.k8s.io', 'reserved'],
    ['too long', `${'a'.repeat(252)}.b`, 'no more than 253'],
    ['in capitals', 'Fingerprint', 'RFC 1123 subdomain'],
    ['empty', '', 'RFC 1123 subdomain'],
  ])('%s: %s', (_name, name, problem) => {
    const issues = checkPropertyName(name);
    expect(issues.length > 0).toBe(problem !== undefined);
    expect(messages(issues)).toContain(problem ?? '');
    for (const issue of issues) expect(issue.field).toBe('metadata.name');
  });

  it('that drafts gave to the cluster id leads to the one of today', () => {
    expect(checkPropertyName('id.k8s.io')).toMatchObject([{ mend: 'the cluster id is called cluster.clusterset.k8s.io' }]);
  });

  it('without a domain is advised against, and allowed', () => {
    expect(checkClusterProperty(clusterProperty('fingerprint', 'a'))).toEqual([]);
    expect(adviseOnClusterProperty(clusterProperty('fingerprint', 'a'))).toMatchObject([{ field: 'metadata.name' }]);
    expect(adviseOnClusterProperty(clusterProperty('fingerprint.example.com', 'a'))).toEqual([]);
  });
});

describe('a cluster id (KEP-2149, cluster.clusterset.k8s.io, contents)', () => {
  it.each([
    ['eu-1', true],
    ['721ab723-13bc-11e5-aec2-42010af0021e', true],
    ['eu.example.com', true],
    [`${'a'.repeat(251)}.b`, true],
    [`${'a'.repeat(252)}.b`, false],
    ['eu_1', false],
    ['EU', false],
    ['-eu', false],
    ['eu-1\n', false],
    ['ü', false],
    ['', false],
  ])('%j', (id, isGood) => {
    const issues = checkClusterId(id);
    expect(issues.length === 0).toBe(isGood);
    for (const issue of issues) expect(issue).toMatchObject({ field: 'spec.value', mend: expect.stringContaining('eu-1') });
    expect(checkClusterProperty(clusterProperty(CLUSTER_ID_PROPERTY, id)).length === 0).toBe(isGood);
  });

  it('should be shorter than 128 characters', () => {
    const advice = (length: number) => adviseOnClusterProperty(clusterProperty(CLUSTER_ID_PROPERTY, 'a'.repeat(length)));
    expect(advice(127)).toEqual([]);
    expect(advice(128)).toMatchObject([{ field: 'spec.value' }]);
  });
});

describe('the name of a ClusterSet (KEP-2149, clusterset.k8s.io, has no syntax)', () => {
  it.each([
    ['shop', true],
    ['Läden der Stadt', true],
    ['x'.repeat(64), true],
    [' shop', false],
    ['shop ', false],
    ['shop\u0000', false],
    ['sh\u001bop', false],
    ['', false],
  ])('%j', (name, isGood) => {
    expect(checkClusterSetName(name).length === 0).toBe(isGood);
    expect(checkClusterProperty(clusterProperty(CLUSTERSET_PROPERTY, name)).length === 0).toBe(isGood);
  });

  it.each([
    ['shop', 0],
    ['Läden der Stadt', 1],
    ['x'.repeat(64), 1],
  ])('%j had better be the value of a label', (name, count) => {
    expect(adviseOnClusterProperty(clusterProperty(CLUSTERSET_PROPERTY, name))).toHaveLength(count);
  });
});

describe('use for multi-cluster Services (KEP-1645, cluster id: one DNS label, or two)', () => {
  it.each<[string, boolean, McsReason | undefined]>([
    ['eu-1', false, undefined],
    ['1', false, undefined],
    ['a'.repeat(63), false, undefined],
    ['a'.repeat(64), false, 'TooLong'],
    ['eu.prod', false, 'TwoLabels'],
    ['eu.prod', true, undefined],
    [`${'a'.repeat(31)}.${'b'.repeat(31)}`, true, undefined],
    [`${'a'.repeat(31)}.${'b'.repeat(32)}`, true, 'TooLong'],
    ['eu.prod.example', true, 'ManyLabels'],
    ['eu.prod.example', false, 'ManyLabels'],
    ['EU', false, 'InvalidId'],
    ['', true, 'InvalidId'],
  ])('%j, with two labels allowed: %j', (id, twoLabels, reason) => {
    const use = mcsUseOf(id, { twoLabels });
    expect(use.usable).toBe(reason === undefined);
    if (!use.usable) expect(use).toMatchObject({ reason, message: expect.any(String), mend: expect.any(String) });
  });

  it('says of two labels what is not resolved', () => {
    expect(mcsUseOf('eu.prod', { twoLabels: true })).toMatchObject({ advice: expect.stringContaining('CoreDNS') });
    expect(mcsUseOf('eu', { twoLabels: true })).toEqual({ usable: true });
  });
});

describe('whatever upstream admits', () => {
  it('never throws, and never quotes a long value', () => {
    fc.assert(
      fc.property(fc.array(admittedProperty, { maxLength: 4 }), (properties) => {
        const found = [
          ...properties.flatMap(checkClusterProperty),
          ...properties.flatMap(adviseOnClusterProperty),
          ...identityOf(properties).problems,
          ...verifyClusterSet([{ cluster: 'a', state: 'read', properties }]).findings,
        ];
        for (const { message } of found) expect(message.length).toBeLessThan(400);
      }),
      { numRuns: 60 },
    );
  });

  it('without a value says how to mend it', () => {
    expect(checkClusterProperty(saysNothing('a.example.com'))).toEqual([
      { field: 'spec.value', message: 'it says nothing', mend: 'write a value, or delete ClusterProperty a.example.com' },
    ]);
  });

  it.each([null, 5, [], {}, { apiVersion: 'about.k8s.io/v1beta1', kind: 'ClusterProperty' }])('%j is no property', (value) => {
    expect(checkClusterProperty(value).length).toBeGreaterThan(0);
  });
});
