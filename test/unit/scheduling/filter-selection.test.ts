import type { ClusterEntry } from 'clusterset/registry';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGroups, tierOf } from '../../../src/scheduling/filter/groups.ts';
import { compileSelection, selectionTest } from '../../../src/scheduling/filter/selection.ts';
import { remembering } from '../../../src/scheduling/filter/verdict.ts';
import type { ClusterGroup, ClusterSelection } from '../../../src/scheduling/policy/api.ts';

/** An object with a member whose name means something to JavaScript, as JSON gives it. */
const parsed = (text: string): Readonly<Record<string, string>> => JSON.parse(text);

const EU: ClusterEntry = {
  name: 'eu-1',
  labels: { env: 'prod', tier: 'a' },
  provider: 'acme',
  region: 'eu',
  zones: ['eu-b', 'eu-a'],
  properties: { nodes: '12', memory: '1Gi', version: 'v1.33', empty: '' },
};
const BARE: ClusterEntry = { name: 'bare' };

/** What is said of a cluster: the reason and the message, or that it is taken. */
const said = (selection: ClusterSelection, cluster: ClusterEntry): string => {
  const rejection = compileSelection(selection)(cluster);
  expect(selectionTest(selection)(cluster)).toBe(rejection === undefined);
  return rejection === undefined ? 'taken' : `${rejection.filter} ${rejection.reason}: ${rejection.message}`;
};
const TAKEN = 'taken';

describe('compileSelection: names', () => {
  it.each<[string, ClusterSelection, ClusterEntry, string]>([
    ['nothing said takes all', {}, BARE, TAKEN],
    ['a name on the list', { clusterNames: ['x', 'eu-1'] }, EU, TAKEN],
    [
      'a name off the list',
      { clusterNames: ['y', 'x', 'x'] },
      EU,
      'Names NotListed: the name isn\'t in clusterNames, wanted one of "x", "y"',
    ],
    ['part of a name', { clusterNames: ['eu', 'EU-1', 'eu-1 '] }, EU, expect.stringContaining('NotListed')],
    ['an empty list', { clusterNames: [] }, EU, "Names NotListed: the name isn't in clusterNames, wanted one of an empty list"],
    ['an excluded name', { exclude: ['eu-1'] }, EU, 'Names Excluded: the name is in exclude: "eu-1"'],
    ['another name excluded', { exclude: ['us-1'] }, EU, TAKEN],
    ['an empty exclusion', { exclude: [] }, EU, TAKEN],
    ['listed and excluded', { clusterNames: ['eu-1'], exclude: ['eu-1'] }, EU, expect.stringContaining('Excluded')],
    ['the name of a prototype', { exclude: ['a'] }, { name: '__proto__' }, TAKEN],
    [
      'the name of a prototype, off the list',
      { clusterNames: ['a'] },
      { name: 'constructor' },
      expect.stringContaining('NotListed'),
    ],
    ['the name of a prototype, on the list', { clusterNames: ['__proto__'] }, { name: '__proto__' }, TAKEN],
  ])('%s', (_, selection, cluster, expected) => {
    expect(said(selection, cluster)).toEqual(expected);
  });

  it('shows the first names of a long list only', () => {
    const clusterNames = Array.from({ length: 1000 }, (_, index) => `c${index}`);
    expect(said({ clusterNames }, EU)).toMatch(/"c0", "c1", "c10", "c100", "c101" and 995 more$/);
  });
});

describe('compileSelection: labels', () => {
  const expression = (key: string, operator: string, ...values: string[]): ClusterSelection => ({
    labelSelector: { matchExpressions: [{ key, operator, ...(values.length === 0 ? {} : { values }) }] },
  });
  it.each<[string, ClusterSelection, ClusterEntry, string]>([
    ['an empty selector', { labelSelector: {} }, BARE, TAKEN],
    ['a label that is so', { labelSelector: { matchLabels: { env: 'prod' } } }, EU, TAKEN],
    [
      'a label that is otherwise',
      { labelSelector: { matchLabels: { env: 'dev' } } },
      EU,
      'Labels LabelsDoNotMatch: label "env" is "prod", wanted "dev"',
    ],
    [
      'a label that is missing',
      { labelSelector: { matchLabels: { env: 'dev' } } },
      BARE,
      'Labels LabelsDoNotMatch: label "env" is missing, wanted "dev"',
    ],
    ['In', expression('env', 'In', 'dev', 'prod'), EU, TAKEN],
    ['In, not so', expression('env', 'In', 'test', 'dev'), EU, expect.stringContaining('is "prod", wanted one of "dev", "test"')],
    ['NotIn', expression('env', 'NotIn', 'dev'), EU, TAKEN],
    ['NotIn, without the label', expression('env', 'NotIn', 'dev'), BARE, TAKEN],
    ['NotIn, not so', expression('env', 'NotIn', 'prod'), EU, expect.stringContaining('is "prod", wanted other than "prod"')],
    ['NotIn of several', expression('env', 'NotIn', 'prod', 'dev'), EU, expect.stringContaining('wanted none of "dev", "prod"')],
    ['Exists', expression('env', 'Exists'), EU, TAKEN],
    ['Exists, not so', expression('env', 'Exists'), BARE, expect.stringContaining('is missing, wanted any value')],
    ['DoesNotExist', expression('gpu', 'DoesNotExist'), EU, TAKEN],
    ['DoesNotExist, not so', expression('env', 'DoesNotExist'), EU, expect.stringContaining('is "prod", wanted no value')],
    [
      'a label that every object has',
      expression('constructor', 'Exists'),
      EU,
      expect.stringContaining('"constructor" is missing'),
    ],
    [
      'of several the first by key',
      { labelSelector: { matchLabels: { tier: 'b', env: 'dev' } } },
      EU,
      expect.stringContaining('label "env"'),
    ],
  ])('%s', (_, selection, cluster, expected) => {
    expect(said(selection, cluster)).toEqual(expected);
  });

  it.each<[string, ClusterSelection]>([
    ['an unknown operator', expression('env', 'Near', 'prod')],
    ['In without values', expression('env', 'In')],
    ['a key that is none', { labelSelector: { matchLabels: { 'a b': 'x' } } }],
  ])('refuses %s, and names the field', (_, selection) => {
    expect(() => compileSelection(selection, 'spec.groups[2]')).toThrow(
      expect.objectContaining({ code: 'Invalid', field: 'spec.groups[2].labelSelector' }),
    );
    expect(() => selectionTest(selection)).toThrow(expect.objectContaining({ field: 'spec.labelSelector' }));
  });
});

type Field = NonNullable<ClusterSelection['fields']>[number];

describe('compileSelection: fields', () => {
  const field = (name: Field['field'], operator: Field['operator'], ...values: string[]): ClusterSelection => ({
    fields: [{ field: name, operator, ...(values.length === 0 ? {} : { values }) }],
  });
  it.each<[string, ClusterSelection, ClusterEntry, string]>([
    ['region in', field('region', 'In', 'us', 'eu'), EU, TAKEN],
    [
      'region not in',
      field('region', 'In', 'us', 'ap'),
      EU,
      'Fields FieldDoesNotMatch: region is "eu", wanted one of "ap", "us"',
    ],
    ['part of a region', field('region', 'In', 'e', 'EU'), EU, expect.stringContaining('FieldDoesNotMatch')],
    ['no region', field('region', 'In', 'eu'), BARE, 'Fields FieldMissing: region is missing, wanted "eu"'],
    ['an empty region is none', field('region', 'In', ''), { name: 'a', region: '' }, expect.stringContaining('FieldMissing')],
    ['a region that is not excluded', field('region', 'NotIn', 'us'), EU, TAKEN],
    ['an excluded region', field('region', 'NotIn', 'eu'), EU, expect.stringContaining('region is "eu", wanted other than "eu"')],
    ['no region, which is not excluded', field('region', 'NotIn', 'eu'), BARE, TAKEN],
    ['a provider that is there', field('provider', 'Exists'), EU, TAKEN],
    [
      'a provider that is missing',
      field('provider', 'Exists'),
      BARE,
      'Fields FieldMissing: provider is missing, wanted any value',
    ],
    [
      'a provider that must not be',
      field('provider', 'DoesNotExist'),
      EU,
      'Fields FieldDoesNotMatch: provider is "acme", wanted no value',
    ],
    ['a provider that must not be and is not', field('provider', 'DoesNotExist'), BARE, TAKEN],
    ['any of the zones', field('zone', 'In', 'eu-a', 'eu-z'), EU, TAKEN],
    ['none of the zones', field('zone', 'In', 'us-a'), EU, 'Fields FieldDoesNotMatch: zone is "eu-a", "eu-b", wanted "us-a"'],
    ['no zones', field('zone', 'In', 'eu-a'), BARE, expect.stringContaining('FieldMissing')],
    ['an empty list of zones', field('zone', 'Exists'), { name: 'a', zones: [] }, expect.stringContaining('FieldMissing')],
    ['one excluded zone of two', field('zone', 'NotIn', 'eu-a'), EU, expect.stringContaining('FieldDoesNotMatch')],
    ['no excluded zone', field('zone', 'NotIn', 'us-a'), EU, TAKEN],
    ['no zones, none excluded', field('zone', 'NotIn', 'us-a'), BARE, TAKEN],
    ['zones that are there', field('zone', 'Exists'), EU, TAKEN],
    ['zones that must not be', field('zone', 'DoesNotExist'), EU, expect.stringContaining('wanted no value')],
    ['zones that must not be and are not', field('zone', 'DoesNotExist'), BARE, TAKEN],
    ['an empty list of wanted ones', field('region', 'In'), EU, expect.stringContaining('wanted one of an empty list')],
    ['an empty list of excluded ones', field('region', 'NotIn'), EU, TAKEN],
  ])('%s', (_, selection, cluster, expected) => {
    expect(said(selection, cluster)).toEqual(expected);
  });
});

type Property = NonNullable<ClusterSelection['properties']>[number];

describe('compileSelection: properties', () => {
  const property = (name: string, operator: Property['operator'], ...values: string[]): ClusterSelection => ({
    properties: [{ name, operator, ...(values.length === 0 ? {} : { values }) }],
  });
  it.each<[Property['operator'], less: boolean, equal: boolean, more: boolean]>([
    ['Gt', false, false, true],
    ['Ge', false, true, true],
    ['Eq', false, true, false],
    ['Ne', true, false, true],
    ['Le', true, true, false],
    ['Lt', true, false, false],
  ])('%s compares amounts', (operator, less, equal, more) => {
    const taken = (value: string): boolean => selectionTest(property('memory', operator, value))(EU);
    expect([taken('2Gi'), taken('1024Mi'), taken('1023Mi')]).toEqual([less, equal, more]);
  });

  it.each<[string, ClusterSelection, ClusterEntry, string]>([
    [
      'too few',
      property('nodes', 'Gt', '12'),
      EU,
      'Properties PropertyDoesNotMatch: property "nodes" is "12", wanted more than "12"',
    ],
    ['at least', property('nodes', 'Ge', '13'), EU, expect.stringContaining('wanted at least "13"')],
    ['missing', property('gpus', 'Ge', '1'), EU, 'Properties PropertyMissing: property "gpus" is missing, wanted at least "1"'],
    [
      'no amount',
      property('version', 'Gt', '1'),
      EU,
      'Properties PropertyUnreadable: property "version" is "v1.33", which is no amount, wanted more than "1"',
    ],
    ['an empty text', property('empty', 'Lt', '1'), EU, expect.stringContaining('PropertyUnreadable')],
    ['unequal, as it is missing', property('gpus', 'Ne', '1'), EU, TAKEN],
    ['unequal, as it is no amount', property('version', 'Ne', '1'), EU, TAKEN],
    ['unequal, not so', property('nodes', 'Ne', '12000m'), EU, expect.stringContaining('wanted anything but "12000m"')],
    ['In compares texts', property('memory', 'In', '1024Mi'), EU, expect.stringContaining('PropertyDoesNotMatch')],
    ['In', property('version', 'In', 'v1.32', 'v1.33'), EU, TAKEN],
    ['In, missing', property('gpus', 'In', '1'), EU, expect.stringContaining('PropertyMissing')],
    ['NotIn', property('version', 'NotIn', 'v1.32'), EU, TAKEN],
    ['NotIn, missing', property('gpus', 'NotIn', '1'), EU, TAKEN],
    ['NotIn, not so', property('version', 'NotIn', 'v1.33'), EU, expect.stringContaining('wanted other than "v1.33"')],
    ['Exists', property('empty', 'Exists'), EU, TAKEN],
    ['Exists, not so', property('gpus', 'Exists'), EU, expect.stringContaining('PropertyMissing')],
    ['DoesNotExist', property('gpus', 'DoesNotExist'), EU, TAKEN],
    ['DoesNotExist, not so', property('nodes', 'DoesNotExist'), EU, expect.stringContaining('wanted no value')],
    ['what every object has', property('toString', 'Exists'), EU, expect.stringContaining('PropertyMissing')],
    ['the name of a prototype', property('__proto__', 'Eq', '1'), { name: 'a', properties: parsed('{"__proto__":"1"}') }, TAKEN],
  ])('%s', (_, selection, cluster, expected) => {
    expect(said(selection, cluster)).toEqual(expected);
  });

  it.each<[string, ClusterSelection, string]>([
    ['no value', property('nodes', 'Gt'), 'spec.properties[0].values'],
    ['two values', property('nodes', 'Gt', '1', '2'), 'spec.properties[0].values'],
    ['a value that is no amount', property('nodes', 'Gt', 'many'), 'spec.properties[0].values[0]'],
  ])('refuses %s, and names the field', (_, selection, field) => {
    expect(() => compileSelection(selection)).toThrow(expect.objectContaining({ code: 'Invalid', field }));
  });

  it('cuts a long value in a message', () => {
    const long: ClusterEntry = { name: 'a', properties: { nodes: 'x'.repeat(100_000) } };
    expect(said(property('nodes', 'Gt', '1'), long).length).toBeLessThan(200);
  });

  it('says the same of the thousandth value as of the first', () => {
    const matcher = compileSelection(property('nodes', 'Gt', '5000'));
    for (let nodes = 0; nodes < 1000; nodes += 1) {
      const rejection = matcher({ name: 'a', properties: { nodes: String(nodes) } });
      expect(rejection?.message).toBe(`property "nodes" is "${nodes}", wanted more than "5000"`);
    }
  });
});

describe('remembering', () => {
  it('makes a rejection once for what was found, and remembers only so many', () => {
    const make = remembering((found) => ({ filter: 'Labels', reason: 'LabelsDoNotMatch', message: `found ${found}` }));
    const values = [undefined, ...Array.from({ length: 300 }, (_, index) => String(index))];
    const first = values.map(make);
    expect(values.map(make)).toEqual(first);
    expect(values.filter((value, index) => make(value) === first[index])).toHaveLength(256);
  });
});

describe('groups', () => {
  const groups: ClusterGroup[] = [
    { name: 'near', fields: [{ field: 'region', operator: 'In', values: ['eu'] }] },
    { name: 'named', clusterNames: ['eu-1', 'bare'] },
    { name: 'rest', exclude: ['far'] },
  ];
  it.each<[string, ClusterEntry, number | undefined]>([
    ['in the first of several', EU, 0],
    ['in the second', BARE, 1],
    ['in the last', { name: 'else' }, 2],
    ['in none', { name: 'far' }, undefined],
  ])('%s', (_, cluster, tier) => {
    const compiled = compileGroups({ groups });
    expect(tierOf(compiled, cluster)).toBe(tier);
    expect(compiled.map(({ name }) => name)).toEqual(['near', 'named', 'rest']);
    for (const group of compiled) expect(group.why(cluster) === undefined).toBe(group.matches(cluster));
  });

  it('are none where the policy has none', () => {
    expect(compileGroups({})).toEqual([]);
    expect(tierOf([], EU)).toBeUndefined();
  });

  it('name their field where they can not be read', () => {
    const bad: ClusterGroup = { name: 'b', properties: [{ name: 'x', operator: 'Gt', values: ['y'] }] };
    expect(() => compileGroups({ groups: [{ name: 'a' }, bad] })).toThrow(
      expect.objectContaining({ field: 'spec.groups[1].properties[0].values[0]' }),
    );
  });
});

const word = fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor');
const amount = fc.constantFrom('1', '2', '1500m', '2Gi', 'none', '');
const dictionary = fc.array(fc.tuple(word, fc.oneof(word, amount)), { maxLength: 4 }).map((pairs) => {
  // As JSON makes them: members of their own, whatever their names.
  const object: Record<string, string> = {};
  for (const [key, value] of pairs) Object.defineProperty(object, key, { value, enumerable: true, configurable: true });
  return object;
});
const entry = fc.record(
  {
    name: word,
    labels: dictionary,
    properties: dictionary,
    region: word,
    provider: word,
    zones: fc.array(word, { maxLength: 3 }),
  },
  { requiredKeys: ['name'] },
) as fc.Arbitrary<ClusterEntry>;
const operators = fc.constantFrom('In' as const, 'NotIn' as const, 'Exists' as const, 'DoesNotExist' as const);
const words = fc.array(word, { maxLength: 3 });
const labelExpression = fc
  .tuple(fc.constantFrom('a', 'b', 'c', 'constructor'), operators, fc.constantFrom('a', 'b'))
  .map(([key, kind, value]) => ({
    key,
    operator: kind,
    ...(kind === 'In' || kind === 'NotIn' ? { values: [value] } : {}),
  }));
const propertyRequirement = fc.oneof(
  fc.record({ name: word, operator: operators, values: words }),
  fc.record({
    name: word,
    operator: fc.constantFrom('Gt' as const, 'Ge' as const, 'Eq' as const, 'Ne' as const, 'Le' as const, 'Lt' as const),
    values: fc.constantFrom(['1'], ['1500m'], ['2Gi']),
  }),
);
const selections = fc.record(
  {
    clusterNames: words,
    exclude: words,
    labelSelector: fc.record({ matchExpressions: fc.array(labelExpression, { maxLength: 3 }) }),
    fields: fc.array(
      fc.record({
        field: fc.constantFrom('provider' as const, 'region' as const, 'zone' as const),
        operator: operators,
        values: words,
      }),
      { maxLength: 3 },
    ),
    properties: fc.array(propertyRequirement, { maxLength: 3 }),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<ClusterSelection>;

describe('compileSelection: always', () => {
  it('takes no more clusters when more is asked', () => {
    fc.assert(
      fc.property(selections, selections, entry, (one, other, cluster) => {
        const both: ClusterSelection = {
          ...one,
          exclude: [...(one.exclude ?? []), ...(other.exclude ?? [])],
          fields: [...(one.fields ?? []), ...(other.fields ?? [])],
          properties: [...(one.properties ?? []), ...(other.properties ?? [])],
          labelSelector: {
            matchExpressions: [...(one.labelSelector?.matchExpressions ?? []), ...(other.labelSelector?.matchExpressions ?? [])],
          },
        };
        const [before, after] = [selectionTest(one)(cluster), selectionTest(both)(cluster)];
        if (after) expect(before).toBe(true);
        const narrower = { ...one, clusterNames: (one.clusterNames ?? [cluster.name]).slice(1) };
        if (selectionTest(narrower)(cluster)) expect(before).toBe(true);
      }),
    );
  });

  it('gives the same answer and reason in whatever order lists are', () => {
    const reversed = (selection: ClusterSelection): ClusterSelection =>
      JSON.parse(JSON.stringify(selection), (_, value) => (Array.isArray(value) ? value.toReversed() : value));
    fc.assert(
      fc.property(selections, entry, (selection, cluster) => {
        const zones = cluster.zones?.toReversed();
        const other = zones === undefined ? cluster : { ...cluster, zones };
        expect(compileSelection(reversed(selection))(other)).toEqual(compileSelection(selection)(cluster));
      }),
    );
  });

  it('answers opposite questions oppositely', () => {
    const opposites = [
      ['In', 'NotIn'],
      ['Exists', 'DoesNotExist'],
    ] as const;
    fc.assert(
      fc.property(entry, word, words, fc.constantFrom(...opposites), (cluster, name, values, [is, not]) => {
        const takes = (selection: ClusterSelection): boolean => selectionTest(selection)(cluster);
        expect(takes({ properties: [{ name, operator: is, values }] })).toBe(
          !takes({ properties: [{ name, operator: not, values }] }),
        );
        expect(takes({ fields: [{ field: 'zone', operator: is, values }] })).toBe(
          !takes({ fields: [{ field: 'zone', operator: not, values }] }),
        );
        expect(takes({ properties: [{ name, operator: 'Eq', values: ['2'] }] })).toBe(
          !takes({ properties: [{ name, operator: 'Ne', values: ['2'] }] }),
        );
      }),
    );
  });
});
