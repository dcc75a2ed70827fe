import { installTypes } from 'clusterset/controllers/propagation';
import { type AnyObject, type Cluster, isClustersetError, resourceType } from 'clusterset/kube';
import { describe, expect, it } from 'vitest';
import { type Federation, prepareWorld } from './start.ts';
import { type Call, isWrite, type Tamper, Tap } from './tap.ts';

const definitions = resourceType('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', 'Cluster');

function tapped(federation: Federation, calls: Call[], tamper: Tamper = {}): Cluster {
  return new Tap(federation.world.connect('host'), federation.world.cluster('host'), calls, () => tamper);
}

describe('the installation of federated types', () => {
  it('changes nothing where they are there already', async () => {
    const federation = await prepareWorld();
    const before = federation.versions('host');
    const calls: Call[] = [];
    await installTypes(tapped(federation, calls), federation.types, { clock: federation.world.clock });
    expect(federation.versions('host')).toEqual(before);
    expect(calls.filter(isWrite).every(({ verb, outcome }) => verb === 'apply' && outcome === 'ok')).toBe(true);
  });

  it('brings a definition up to date that is older', async () => {
    const federation = await prepareWorld();
    const name = 'federatedconfigmaps.types.kubefed.io';
    const before = (await federation.as('kubectl', 'host').get(definitions, { name }))?.spec;
    const schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
    const path = '/spec/versions/0/schema/openAPIV3Schema/properties/spec';
    const operations = [{ op: 'replace' as const, path, value: schema }];
    await federation.as('kubectl', 'host').patch(definitions, { name }, { type: 'json', operations });
    await installTypes(federation.world.connect('host'), federation.types, { clock: federation.world.clock });
    expect((await federation.as('kubectl', 'host').get(definitions, { name }))?.spec).toEqual(before);
  });

  it('ends with an error of ours where a definition is not served in time', async () => {
    const federation = await prepareWorld();
    const host = tapped(federation, [], {
      async call(call, go) {
        const answer = await go();
        return call.verb === 'get' ? ({ ...(answer as AnyObject), status: {} } as typeof answer) : answer;
      },
    });
    const installed = installTypes(host, federation.types, { clock: federation.world.clock }).catch((reason: unknown) => reason);
    await federation.advance('31s');
    const error = await installed;
    expect(isClustersetError(error)).toBe(true);
    expect(error).toMatchObject({ code: 'Timeout' });
  });
});
