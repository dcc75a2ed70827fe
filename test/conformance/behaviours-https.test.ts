import { connectServer } from 'clusterset/client';
import { type Clock, systemClock } from 'clusterset/runtime';
import { OfflineCluster } from 'clusterset/testing';
import { BEHAVIOURS } from 'clusterset/testing/behaviours';
import { celEvaluator } from 'clusterset/testing/cel';
import { serve } from 'clusterset/testing/http';
import { describe, it } from 'vitest';
import { contextFor } from './context.ts';

/** The machine's clock, but for what controllers do at once: the API server is alone, as the real one is in these cases. */
const alone: Clock = {
  ...systemClock,
  after: (ms, callback) => (ms === 0 ? () => undefined : systemClock.after(ms, callback)),
};

describe('an offline cluster behaves over HTTPS: ', () => {
  it.each(BEHAVIOURS.map((behaviour) => [behaviour.name, behaviour] as const))('%s', async (_, behaviour) => {
    const offline = new OfflineCluster({ name: 'offline', clock: alone, rollouts: false, cel: celEvaluator() });
    await using served = await serve([offline]);
    const { server = '' } = served.clusters[0] ?? {};
    const cluster = connectServer({ name: 'offline', server, ca: served.ca, token: served.token });
    try {
      await behaviour.check(await contextFor(cluster));
    } finally {
      await cluster.close();
      offline.stop();
    }
  });
});
