import { OfflineCluster } from 'clusterset/testing';
import { BEHAVIOURS } from 'clusterset/testing/behaviours';
import { celEvaluator } from 'clusterset/testing/cel';
import { describe, it } from 'vitest';
import { contextFor } from './context.ts';

describe('an offline cluster behaves: ', () => {
  it.each(BEHAVIOURS.map((behaviour) => [behaviour.name, behaviour] as const))('%s', async (_, behaviour) => {
    const offline = new OfflineCluster({ name: 'offline', rollouts: false, cel: celEvaluator() });
    try {
      await behaviour.check(await contextFor(offline.connect()));
    } finally {
      offline.stop();
    }
  });
});
