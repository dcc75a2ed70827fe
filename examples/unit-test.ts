/**
 * Federation logic at a desk: a host and two members in this process, driven by a virtual clock. One of them goes away and comes back; what
 * would take minutes takes milliseconds.
 *
 * Run it with `node --test examples/unit-test.ts`.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resourceType } from 'clusterset';
import { installTypes, PropagationController } from 'clusterset/controllers/propagation';
import { federate } from 'clusterset/federation';
import { ClusterSet, staticSource } from 'clusterset/runtime';
import { simulate } from 'clusterset/testing';

const namespaces = resourceType('v1', 'Namespace', 'namespaces', 'Cluster');
const configMaps = resourceType('v1', 'ConfigMap', 'configmaps');
const namespaceType = federate(namespaces);
const configMapType = federate(configMaps);
const types = [namespaceType, configMapType];

const apiVersion = 'types.kubefed.io/v1beta1';
const metadata = { namespace: 'shop', name: 'shop' };
const placement = { clusterSelector: {} };

test('a ConfigMap reaches a cluster that was away when it was written', async () => {
  await using world = await simulate({ host: {}, members: { 'eu-1': { labels: { region: 'eu' } }, 'us-1': {} } });
  const { clock, entries } = world;
  const host = world.connect('host');
  const members = new ClusterSet({ source: staticSource(entries), connect: (entry) => world.connect(entry), clock });
  const stopping = new AbortController();
  await installTypes(host, types, { clock });
  const running = new PropagationController({ host, members, types, clock }).run(stopping.signal);

  {
    using _partition = world.partition('us-1');
    await host.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
    const namespace = { apiVersion, kind: 'FederatedNamespace', metadata, spec: { template: {}, placement } };
    await host.create(namespaceType.federated, namespace);
    const settings = { template: { data: { currency: 'EUR' } }, placement };
    await host.create(configMapType.federated, { apiVersion, kind: 'FederatedConfigMap', metadata, spec: settings });
    await world.advance('1m');
    const written = await world.connect('eu-1').get(configMaps, metadata);
    assert.deepEqual(written?.data, { currency: 'EUR' });
  }

  await world.advance('1m');
  assert.ok(await world.connect('us-1').get(configMaps, metadata));
  stopping.abort();
  await running;
  await members.stop();
});
