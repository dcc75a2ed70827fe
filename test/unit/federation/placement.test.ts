import { type FederatedObject, placementOf } from 'clusterset/federation';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { federatedDeployment, federatedNamespace, fleet } from './fixtures.ts';

const placed = (placement: unknown, options: Parameters<typeof placementOf>[2] = {}): string[] => {
  const object = federatedDeployment({ placement }) as unknown as FederatedObject;
  return [...placementOf(object, fleet, options).clusters].filter(([, { selected }]) => selected).map(([name]) => name);
};
const namespace = (placement: Record<string, unknown>): FederatedObject =>
  federatedNamespace(placement) as unknown as FederatedObject;

describe('placementOf', () => {
  it.each<[string, unknown, string[]]>([
    ['no placement selects nothing', undefined, []],
    ['an empty placement selects nothing', {}, []],
    ['an empty selector selects everything', { clusterSelector: {} }, ['eu-1', 'eu-2', 'us-1']],
    ['empty matchLabels select everything', { clusterSelector: { matchLabels: {} } }, ['eu-1', 'eu-2', 'us-1']],
    ['labels are joined by and', { clusterSelector: { matchLabels: { region: 'eu', tier: 'prod' } } }, ['eu-1']],
    [
      'expressions select',
      { clusterSelector: { matchExpressions: [{ key: 'region', operator: 'NotIn', values: ['us'] }] } },
      ['eu-1', 'eu-2'],
    ],
    [
      'NotIn takes clusters without the label',
      { clusterSelector: { matchExpressions: [{ key: 'x', operator: 'NotIn', values: ['y'] }] } },
      ['eu-1', 'eu-2', 'us-1'],
    ],
    ['an empty list selects nothing, whatever the selector', { clusters: [], clusterSelector: {} }, []],
    [
      'a list outranks the selector',
      { clusters: [{ name: 'us-1' }], clusterSelector: { matchLabels: { region: 'eu' } } },
      ['us-1'],
    ],
    [
      'a list hides an invalid selector',
      { clusters: [{ name: 'us-1' }], clusterSelector: { matchExpressions: [{ key: 'x', operator: 'Nope' }] } },
      ['us-1'],
    ],
    [
      'doubles and unknown names select nothing more',
      { clusters: [{ name: 'us-1' }, { name: 'us-1' }, { name: 'mars' }] },
      ['us-1'],
    ],
  ])('%s', (_, placement, expected) => {
    expect(placed(placement)).toEqual(expected);
  });

  it.each<[string, unknown, Record<string, unknown>, string[]]>([
    ['both select', { clusterSelector: {} }, { clusterSelector: { matchLabels: { region: 'eu' } } }, ['eu-1', 'eu-2']],
    ['lists are intersected too', { clusters: [{ name: 'eu-1' }, { name: 'us-1' }] }, { clusters: [{ name: 'us-1' }] }, ['us-1']],
    ['a namespace without placement holds everything back', { clusterSelector: {} }, {}, []],
  ])('intersects with the namespace: %s', (_, placement, ofNamespace, expected) => {
    expect(placed(placement, { namespace: namespace(ofNamespace) })).toEqual(expected);
  });

  it('places nothing in a namespace that is not federated, and says so', () => {
    const object = federatedDeployment() as unknown as FederatedObject;
    const placement = placementOf(object, fleet, { namespace: undefined });
    expect(placement.namespaceNotFederated).toBe(true);
    expect(placement.clusters.get('eu-1')).toEqual({ selected: false, reason: 'NamespaceNotFederated' });
  });

  it('tells the names that are no cluster', () => {
    const object = federatedDeployment({ placement: { clusters: [{ name: 'mars' }, { name: 'eu-1' }, { name: 'venus' }] } });
    expect(placementOf(object as unknown as FederatedObject, fleet).unknown).toEqual(['mars', 'venus']);
  });

  it('says why for every cluster', () => {
    const object = federatedDeployment({
      placement: { clusterSelector: { matchLabels: { region: 'us' } } },
    }) as unknown as FederatedObject;
    expect([...placementOf(object, fleet).clusters]).toEqual([
      ['eu-1', { selected: false, reason: 'LabelsDoNotMatch' }],
      ['eu-2', { selected: false, reason: 'LabelsDoNotMatch' }],
      ['us-1', { selected: true, reason: 'LabelsMatch' }],
    ]);
  });

  it('refuses a selector that does not parse, with its field', () => {
    expect(() => placed({ clusterSelector: { matchExpressions: [{ key: 'x', operator: 'Nope' }] } })).toThrowError(
      'spec.placement.clusterSelector: "Nope" is not a valid label selector operator',
    );
  });

  it('does not depend on the order of clusters, and never selects more with a namespace', () => {
    const labels = fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('x', 'y'));
    const placement = fc.record(
      {
        clusters: fc.array(fc.constantFrom('c0', 'c1', 'c2', 'nowhere').map((name) => ({ name }))),
        clusterSelector: fc.record({ matchLabels: labels }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.array(labels, { maxLength: 4 }), placement, placement, (entries, own, ofNamespace) => {
        const clusters = entries.map((each, index) => ({ name: `c${index}`, labels: each }));
        const object = federatedDeployment({ placement: own }) as unknown as FederatedObject;
        const alone = placementOf(object, clusters).clusters;
        const reversed = placementOf(object, clusters.toReversed()).clusters;
        const within = placementOf(object, clusters, { namespace: namespace(ofNamespace) }).clusters;
        for (const { name } of clusters) {
          expect(reversed.get(name)).toEqual(alone.get(name));
          if (within.get(name)?.selected) expect(alone.get(name)?.selected).toBe(true);
        }
      }),
    );
  });
});
