import { type ClusterProfile, type ProfileFacts, profileStatus } from 'clusterset/registry';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const NOW = '2026-01-01T00:00:00Z';
const LATER = '2026-01-02T00:00:00Z';
type Status = NonNullable<ClusterProfile['status']>;

const completeness = (status: Status) => status.conditions?.find(({ type }) => type === 'PropertiesComplete');
const valuesIn = ({ properties }: Status) => properties?.map(({ name, value }) => [name, value]);

describe('profileStatus', () => {
  it('writes version, properties in the order of names, conditions and ways in', () => {
    const status = profileStatus(
      undefined,
      {
        kubernetesVersion: 'v1.34.1',
        properties: [
          { name: 'b', value: '2', lastObservedTime: NOW },
          { name: 'a', value: '1' },
        ],
        conditions: [{ type: 'ControlPlaneHealthy', status: 'True', reason: 'Fine', message: '' }],
        accessProviders: [{ name: 'gke', cluster: { server: 'https://a' } }],
      },
      NOW,
    );
    expect(status).toEqual({
      version: { kubernetes: 'v1.34.1' },
      properties: [
        { name: 'a', value: '1' },
        { name: 'b', value: '2', lastObservedTime: NOW },
      ],
      conditions: [
        { type: 'ControlPlaneHealthy', status: 'True', reason: 'Fine', message: '', lastTransitionTime: NOW },
        { type: 'PropertiesComplete', status: 'True', reason: 'AllCopied', message: '', lastTransitionTime: NOW },
      ],
      accessProviders: [{ name: 'gke', cluster: { server: 'https://a' } }],
    });
  });

  // KEP-4322 copies properties unchanged, a ClusterProperty may have 128,000 characters, and a profile's 1 to 1,024: they don't fit.
  it.each([
    ['1,024 characters', 'x'.repeat(1024), true],
    ['1,025 characters', 'x'.repeat(1025), false],
    ['1,024 characters that are two units each', '😀'.repeat(1024), true],
    ['1,025 of those', '😀'.repeat(1025), false],
    ['128,000 characters', 'x'.repeat(128_000), false],
    ['no characters', '', false],
  ])('copies a value of %s unchanged, or names it in a condition', (_, value, fits) => {
    const status = profileStatus(
      undefined,
      {
        properties: [
          { name: 'long', value },
          { name: 'short', value: '1' },
        ],
      },
      NOW,
    );
    expect(valuesIn(status)).toEqual(
      fits
        ? [
            ['long', value],
            ['short', '1'],
          ]
        : [['short', '1']],
    );
    expect(completeness(status)).toMatchObject(
      fits
        ? { status: 'True' }
        : { status: 'False', reason: 'PropertyTooLong', message: expect.stringMatching(/1024 characters: long$/) },
    );
  });

  it.each([
    ['a', true],
    ['n'.repeat(253), true],
    ['n'.repeat(254), false],
    ['', false],
  ])('copies a property of the name %j: %s', (name, fits) => {
    expect(profileStatus(undefined, { properties: [{ name, value: '1' }] }, NOW).properties).toHaveLength(fits ? 1 : 0);
  });

  it('keeps its message short, and says how many it doesn’t name', () => {
    const properties = Array.from({ length: 500 }, (_, index) => ({ name: `${'n'.repeat(200)}${index}`, value: '' }));
    const { message } = completeness(profileStatus(undefined, { properties }, NOW)) ?? { message: '' };
    expect(message).toMatch(/ and 480 more$/);
    expect(message.length).toBeLessThan(2000);
  });

  it('is complete again when what was too long has gone', () => {
    const before = profileStatus(undefined, { properties: [{ name: 'a', value: '' }] }, NOW);
    const after = profileStatus(before, { properties: [{ name: 'a', value: '1' }] }, LATER);
    expect(completeness(after)).toMatchObject({ status: 'True', lastTransitionTime: LATER });
  });

  it('keeps the time at which an unchanged value was seen, unless it is asked to refresh it', () => {
    const facts = (value: string, lastObservedTime: string): ProfileFacts => ({
      properties: [{ name: 'a', value, lastObservedTime }],
    });
    const before = profileStatus(undefined, facts('1', NOW), NOW);
    expect(profileStatus(before, facts('1', LATER), LATER)).toEqual(before);
    expect(profileStatus(before, facts('2', LATER), LATER).properties?.[0]?.lastObservedTime).toBe(LATER);
    expect(profileStatus(before, facts('1', LATER), LATER, { refresh: true }).properties?.[0]?.lastObservedTime).toBe(LATER);
  });

  it('leaves what nothing is said of', () => {
    const before = profileStatus(undefined, { kubernetesVersion: 'v1', properties: [{ name: 'a', value: '1' }] }, NOW);
    const odd = { ...before, credentialProviders: [{ name: 'old' }] } as Status;
    expect(profileStatus(odd, {}, LATER)).toEqual(odd);
    expect(profileStatus(odd, { kubernetesVersion: 'v2' }, LATER)).toEqual({ ...odd, version: { kubernetes: 'v2' } });
  });

  it('is the same a second time, whatever the time is', () => {
    const property = fc.record({
      name: fc.string(),
      value: fc.string({ maxLength: 5 }),
      lastObservedTime: fc.constantFrom(NOW, LATER),
    });
    const facts = fc.record({
      properties: fc.uniqueArray(property, { selector: ({ name }) => name }),
      conditions: fc.constantFrom([], [{ type: 'Joined', status: 'True', reason: 'R', message: '' }]),
    });
    fc.assert(
      fc.property(facts, (said) => {
        const once = profileStatus(undefined, said, NOW);
        expect(profileStatus(once, said, LATER)).toEqual(once);
        for (const { name, value } of once.properties ?? []) {
          expect(said.properties.some((each) => each.name === name && each.value === value)).toBe(true);
        }
      }),
    );
  });
});
