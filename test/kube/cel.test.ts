import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import type { Cluster } from 'clusterset/kube';
import { OfflineCluster } from 'clusterset/testing';
import { celEvaluator } from 'clusterset/testing/cel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answers, askAll } from '../unit/testing/cel-ask.ts';
import { type ControlPlanes, startControlPlanes } from './harness/control-planes.ts';

const RECORDED = `${import.meta.dirname}/../unit/testing/cel-answers.json`;

/** With `RECORD=1` in the environment, the answers are recorded anew. */
describe('rules in CEL on a real API server', () => {
  let planes: ControlPlanes;
  let cluster: Cluster;
  let real: Answers;

  beforeAll(async () => {
    planes = await startControlPlanes([{ name: 'real' }]);
    cluster = planes.connect('real');
    real = await askAll(cluster);
  }, 300_000);

  afterAll(async () => {
    await cluster?.close();
    await planes?.stop();
  });

  it('are answered as they were recorded', () => {
    if (process.env.RECORD === '1') writeFileSync(RECORDED, `${JSON.stringify(real, null, 2)}\n`);
    expect(JSON.parse(readFileSync(RECORDED, 'utf8'))).toEqual(real);
  });

  it('are answered as an offline cluster answers them', async () => {
    const offline = new OfflineCluster({ name: 'offline', cel: celEvaluator() });
    expect(Object.keys(real.cases).length).toBeGreaterThan(100);
    expect(await askAll(offline.connect())).toEqual(real);
    offline.stop();
  });
});
