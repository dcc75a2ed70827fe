import { fleetIssues, isReady, parseFleet } from 'clusterset/registry';
import { describe, expect, it } from 'vitest';

describe('parseFleet', () => {
  it('reads clusters, in the order of their names, and keeps what it does not know', () => {
    const fleet = [
      { name: 'us-1', labels: { region: 'us' }, future: { kept: true } },
      {
        name: 'arn:aws:eks:eu/eu-1',
        capacity: { cpu: '16', memory: '64Gi', pods: 110 },
        zones: ['a', 'b'],
        auth: { context: 'eu' },
      },
    ];
    expect(parseFleet(fleet).map(({ name }) => name)).toEqual(['arn:aws:eks:eu/eu-1', 'us-1']);
    expect(parseFleet(fleet)[1]).toBe(fleet[0]);
  });

  it.each<[string, unknown, string, RegExp]>([
    ['no list', { clusters: [] }, '', /a fleet is a list/],
    ['a cluster without a name', [{}], '[0].name', /expected string/],
    ['an empty name', [{ name: '' }], '[0].name', /must not be empty/],
    ['a name with blanks', [{ name: 'eu 1' }], '[0].name', /must not contain blanks/],
    ['a name with a comma, which separates contexts', [{ name: 'eu,us' }], '[0].name', /commas/],
    ['an endless name', [{ name: 'x'.repeat(254) }], '[0].name', /no more than 253/],
    ['a name that stands twice', [{ name: 'a' }, { name: 'b' }, { name: 'a' }], '[2].name', /"a" is also the name of \[0\]/],
    ['a label that is none', [{ name: 'a', labels: { '-x': 'y' } }], '[0].labels[-x]', /alphanumeric/],
    ['a label value that is none', [{ name: 'a', labels: { x: 'y z' } }], '[0].labels[x]', /valid label/],
    ['a label value of another type', [{ name: 'a', labels: { x: 1 } }], '[0].labels.x', /expected string/],
    ['capacity that is no quantity', [{ name: 'a', capacity: { cpu: 'many' } }], '[0].capacity[cpu]', /quantities must match/],
    ['a taint with an unknown effect', [{ name: 'a', taints: [{ key: 'x', effect: 'Go' }] }], '[0].taints[0].effect', /option/],
  ])('names %s', (_, fleet, field, message) => {
    const issue = fleetIssues(fleet).find((each) => each.field === field);
    expect(issue?.message).toMatch(message);
    expect(() => parseFleet(fleet)).toThrowError(message);
  });
});

describe('isReady', () => {
  it.each([
    [undefined, true],
    [[], true],
    [[{ type: 'Other', status: 'False' }], true],
    [[{ type: 'Ready', status: 'True' }], true],
    [[{ type: 'Ready', status: 'False' }], false],
    [[{ type: 'Ready', status: 'Unknown' }], false],
  ])('of conditions %j is %s', (conditions, expected) => {
    expect(isReady({ name: 'a', ...(conditions === undefined ? {} : { conditions }) })).toBe(expected);
  });
});
