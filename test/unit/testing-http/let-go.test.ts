import { connectServer } from 'clusterset/client';
import { type AnyObject, resourceType } from 'clusterset/kube';
import { OfflineCluster, VirtualClock } from 'clusterset/testing';
import { type ServedClusters, serve } from 'clusterset/testing/http';
import { Agent, request } from 'undici';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const configMaps = resourceType('v1', 'ConfigMap', 'configmaps');
const configMap = (name: string): AnyObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace: 'default', name },
});

/** A watch holds a timer as long as it lasts: none is left when nobody watches. */
describe('a watch over HTTPS is let go of', () => {
  let clock: VirtualClock;
  let offline: OfflineCluster;
  let served: ServedClusters;
  let server: string;

  beforeEach(async () => {
    clock = new VirtualClock();
    offline = new OfflineCluster({ name: 'offline', clock });
    served = await serve([offline]);
    server = served.clusters[0]?.server ?? '';
  });

  afterEach(async () => {
    await served.close();
    offline.stop();
  });

  /** Opens a watch by HTTP/2, and hears one event of it. */
  async function watching(signal: AbortSignal): Promise<{ readonly ended: Promise<void>; close(): Promise<void> }> {
    const cluster = connectServer({ name: 'offline', server, ca: served.ca, token: served.token });
    const heard = Promise.withResolvers<void>();
    const run = async (): Promise<void> => {
      for await (const _ of cluster.watch(configMaps, { namespace: 'default', signal })) heard.resolve();
    };
    const ended = run().catch(() => undefined);
    await offline.connect().create(configMaps, configMap(`x-${Math.floor(offline.requests.count)}`));
    await heard.promise;
    expect(clock.waiting).toBeGreaterThan(0);
    return { ended, close: () => cluster.close() };
  }

  it('when its client ends it', async () => {
    const control = new AbortController();
    const watch = await watching(control.signal);
    control.abort();
    await watch.ended;
    await expect.poll(() => clock.waiting).toBe(0);
    await watch.close();
  });

  it('when its client goes away', async () => {
    const watch = await watching(new AbortController().signal);
    await watch.close();
    await watch.ended;
    await expect.poll(() => clock.waiting).toBe(0);
  });

  it('when the network is cut', async () => {
    const watch = await watching(new AbortController().signal);
    offline.network.cut()[Symbol.dispose]();
    await watch.ended;
    await expect.poll(() => clock.waiting).toBe(0);
    await watch.close();
  });

  it('when the servers are closed', async () => {
    const watch = await watching(new AbortController().signal);
    await served.close();
    await watch.ended;
    await expect.poll(() => clock.waiting).toBe(0);
    await watch.close();
  });

  it('by HTTP/1.1, too', async () => {
    const dispatcher = new Agent({ allowH2: false, connect: { ca: served.ca } });
    const headers = { authorization: `Bearer ${served.token}` };
    const answer = await request(`${server}/api/v1/configmaps?watch=1`, { dispatcher, headers });
    expect(clock.waiting).toBeGreaterThan(0);
    answer.body.on('error', () => undefined);
    answer.body.destroy();
    await expect.poll(() => clock.waiting).toBe(0);
    await dispatcher.close();
  });
});
