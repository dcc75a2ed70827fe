import type { Cluster } from 'clusterset/kube';
import { BEHAVIOURS } from 'clusterset/testing/behaviours';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { contextFor } from '../conformance/context.ts';
import { type ControlPlanes, startControlPlanes } from './harness/control-planes.ts';

describe('a real API server behaves: ', () => {
  let planes: ControlPlanes;
  let cluster: Cluster;

  beforeAll(async () => {
    planes = await startControlPlanes([{ name: 'real' }]);
    cluster = planes.connect('real');
  });

  afterAll(async () => {
    await cluster?.close();
    await planes?.stop();
  });

  it.each(BEHAVIOURS.map((behaviour) => [behaviour.name, behaviour] as const))('%s', async (_, behaviour) => {
    await behaviour.check(await contextFor(cluster));
  });
});
