import { execFile } from 'node:child_process';
import { type AnyObject, type Cluster, resourceType } from 'clusterset/kube';
import { EventRecorder, type Fact, systemClock } from 'clusterset/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlanes, startControlPlanes } from './harness/control-planes.ts';

const NAMESPACES = resourceType('v1', 'Namespace', 'namespaces', 'Cluster');
const CONFIG_MAPS = resourceType('v1', 'ConfigMap', 'configmaps');
const CLUSTER_ROLES = resourceType('rbac.authorization.k8s.io/v1', 'ClusterRole', 'clusterroles', 'Cluster');
const EVENTS = resourceType('events.k8s.io/v1', 'Event', 'events');

/** What offline clusters don't serve yet: whether a real server takes events as they are written. */
describe('events on a real API server', () => {
  let planes: ControlPlanes;
  let cluster: Cluster;
  let web: AnyObject;

  beforeAll(async () => {
    planes = await startControlPlanes([{ name: 'eu-1' }]);
    cluster = planes.connect('eu-1');
    await cluster.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
    web = await cluster.create(CONFIG_MAPS, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: 'shop', name: 'web' },
    });
  });
  afterAll(async () => {
    await cluster?.close();
    await planes?.stop();
  });

  /** A recorder, and what it has lost. */
  function recorder(): { readonly events: EventRecorder; readonly facts: Fact[] } {
    const facts: Fact[] = [];
    const events = new EventRecorder({
      cluster,
      controller: 'clusterset.dev/tests',
      instance: `host-${'x'.repeat(200)}`,
      clock: systemClock,
      random: Math.random,
      observe: (fact) => facts.push(fact),
    });
    return { events, facts };
  }
  async function eventsWith(reason: string): Promise<readonly AnyObject[]> {
    const { items } = await cluster.list(EVENTS);
    return items.filter((item) => item.reason === reason);
  }

  it('are stored as they were written, with all their fields at their longest', async () => {
    const { events, facts } = recorder();
    const role = await cluster.create(CLUSTER_ROLES, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'shop:Reader_1' },
    });
    events.record({
      regarding: web,
      related: role,
      type: 'Warning',
      reason: 'R'.repeat(200),
      action: 'Ä'.repeat(100),
      note: '東京\u0000\ud800'.repeat(500),
    });
    await events.close();
    expect(facts).toEqual([]);
    const [event] = await eventsWith('R'.repeat(128));
    expect(event).toMatchObject({
      metadata: { namespace: 'shop', name: expect.stringMatching(/^web\.[0-9a-f]{17}$/) },
      reportingController: 'clusterset.dev/tests',
      type: 'Warning',
      action: 'Ä'.repeat(64),
      regarding: { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'web', uid: web.metadata.uid },
      related: { kind: 'ClusterRole', name: 'shop:Reader_1' },
    });
    expect(Buffer.byteLength(String(event?.reportingInstance))).toBe(128);
    expect(String(event?.note).endsWith('…')).toBe(true);
    expect(event?.series).toBeUndefined();
    // The server keeps all six digits.
    expect(event?.eventTime).toMatch(/\.\d{6}Z$/);
  });

  it('of objects with no namespace and with odd names are in the namespace "default"', async () => {
    const { events, facts } = recorder();
    const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'system:Odd_Name' } };
    events.record({ regarding: role, reason: 'Odd', note: '' });
    await events.close();
    expect(facts).toEqual([]);
    expect((await eventsWith('Odd')).map(({ metadata }) => [metadata.namespace, metadata.name])).toEqual([
      ['default', expect.stringMatching(/^system-odd-name\.[0-9a-f]{17}$/)],
    ]);
  });

  it('become a series by a patch', async () => {
    const { events, facts } = recorder();
    events.record({ regarding: web, reason: 'Again', note: 'one' });
    await expect.poll(async () => (await eventsWith('Again')).length).toBe(1);
    events.record({ regarding: web, reason: 'Again', note: 'two' });
    await expect.poll(async () => (await eventsWith('Again'))[0]?.series).toMatchObject({ count: 2 });
    for (let more = 0; more < 5; more += 1) events.record({ regarding: web, reason: 'Again', note: 'three' });
    await events.close();
    expect(facts).toEqual([]);
    expect(await eventsWith('Again')).toMatchObject([
      { note: 'one', series: { count: 7, lastObservedTime: expect.stringMatching(/\.\d{6}Z$/) } },
    ]);
  });

  it('are written anew, as a series, where the server has lost them', async () => {
    const { events, facts } = recorder();
    events.record({ regarding: web, reason: 'Lost', note: '' });
    await expect.poll(async () => (await eventsWith('Lost')).length).toBe(1);
    for (const { metadata } of await eventsWith('Lost')) await cluster.delete(EVENTS, { namespace: 'shop', name: metadata.name });
    events.record({ regarding: web, reason: 'Lost', note: '' });
    await events.close();
    expect(facts).toEqual([]);
    expect(await eventsWith('Lost')).toMatchObject([{ series: { count: 2 } }]);
  });

  it('are dropped, and not tried again, where their namespace is missing', async () => {
    const { events, facts } = recorder();
    const elsewhere = { ...web, metadata: { ...web.metadata, namespace: 'nowhere' } };
    events.record({ regarding: elsewhere, reason: 'Nowhere', note: '' });
    await expect.poll(() => facts).toMatchObject([{ fact: 'event-dropped', cluster: 'eu-1', reason: 'failed' }]);
    await events.close();
  });

  it('are shown by kubectl where somebody looks at the object', async () => {
    const { events } = recorder();
    events.record({ regarding: web, type: 'Warning', reason: 'Seen', note: 'no room in eu-1' });
    await events.close();
    const { promise, resolve } = Promise.withResolvers<string>();
    const words = ['describe', 'configmap', 'web', '--namespace', 'shop', '--kubeconfig', planes.kubeconfig, '--context', 'eu-1'];
    execFile(planes.kubectl, words, { timeout: 60_000 }, (_, stdout) => resolve(stdout));
    expect(await promise).toMatch(/Warning\s+Seen\s.*clusterset\.dev\/tests.*no room in eu-1/);
  });
});
