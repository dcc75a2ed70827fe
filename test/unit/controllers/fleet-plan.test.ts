import { planFleet } from 'clusterset/controllers/propagation';
import { federate, prepare } from 'clusterset/federation';
import { type AnyObject, resourceType } from 'clusterset/kube';
import { simulate } from 'clusterset/testing';
import { describe, expect, it } from 'vitest';

const CRDS = resourceType('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', 'Cluster');
const WIDGETS = federate(resourceType('example.com/v1', 'Widget', 'widgets', 'Cluster'));
const NEWER = resourceType('example.com/v2', 'Widget', 'widgets', 'Cluster');

function definition(version: string): AnyObject {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Cluster',
      names: { kind: 'Widget', plural: 'widgets' },
      versions: [{ name: version, served: true, storage: true, schema }],
    },
  };
}

describe('a plan without a host', () => {
  it('sees an object that a member serves in another version only, and adopts it no more than any other', async () => {
    await using world = await simulate({ members: { old: {}, young: {}, bare: {} } });
    for (const [name, version] of Object.entries({ old: 'v1', young: 'v2' })) {
      await world.connect(name).create(CRDS, definition(version));
    }
    const somebodys = { apiVersion: 'example.com/v2', kind: 'Widget', metadata: { name: 'a' } };
    await world.connect('young').create(NEWER, somebodys);
    const object = {
      apiVersion: 'types.kubefed.io/v1beta1',
      kind: 'FederatedWidget',
      metadata: { name: 'a' },
      spec: { template: {}, placement: { clusterSelector: {} } },
    };
    const plans = await planFleet({
      objects: [prepare(object, { types: [WIDGETS] })],
      members: world.entries.map((entry) => ({ entry, cluster: world.connect(entry) })),
      fieldManager: 'clusterset',
    });
    expect(plans[0]?.steps.map(({ cluster, op }) => [cluster, op])).toEqual([
      ['old', 'create'],
      ['young', 'blocked'],
      ['bare', 'create'],
    ]);
  });
});
