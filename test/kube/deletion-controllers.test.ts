import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { systemClock } from 'clusterset/runtime';
import { OfflineCluster } from 'clusterset/testing';
import { type ServedClusters, serve } from 'clusterset/testing/http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { asker } from './deletion/ask.ts';
import { SCENARIOS, type Side } from './deletion/scenarios.ts';
import { canRollOut } from './harness/binaries.ts';
import { type ControlPlanes, startControlPlanes } from './harness/control-planes.ts';

const NODES = 2;
const WAIT_MS = 60_000;

async function sideOf(kubeconfig: string, namespace: string): Promise<Side> {
  const ask = asker(kubeconfig);
  await ask({ method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: namespace } } });
  return {
    namespace,
    ask,
    async until(what, check) {
      const started = performance.now();
      while (!(await check())) {
        if (performance.now() - started > WAIT_MS) throw new Error(`${kubeconfig}: ${what}: not within ${WAIT_MS / 1000} s`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
  };
}

/** Lines that come one after the other, with a Deployment of two replicas; both clusters answer each in the same way. */
const LINES: readonly (readonly string[])[] = [
  ['apply', '-f', 'deployment.yaml'],
  ['rollout', 'status', 'deployment/web', '--timeout=60s'],
  ['scale', 'deployment/web', '--replicas=3'],
  ['rollout', 'status', 'deployment/web', '--timeout=60s'],
  ['scale', 'deployment/web', '--replicas=4', '--current-replicas=9'],
  ['scale', 'deployment/web', '--replicas=4', '--current-replicas=3'],
  ['scale', 'deployment', 'none', '--replicas=4'],
  ['scale', 'configmap', 'kube-root-ca.crt', '--replicas=4'],
  ['autoscale', 'deployment/web', '--min=2', '--max=5', '--cpu=80%'],
  ['get', 'hpa', 'web', '-o', 'jsonpath={.spec.scaleTargetRef.name} {.spec.maxReplicas}'],
  ['delete', 'hpa', 'web'],
  ['drain', 'node-0', '--ignore-daemonsets', '--timeout=60s'],
  ['get', 'node', 'node-0', '-o', 'jsonpath={.spec.unschedulable}'],
  ['uncordon', 'node-0'],
  ['delete', 'deployment', 'web', '--cascade=foreground', '--timeout=60s'],
  ['get', 'deployments,replicasets,pods'],
  ['apply', '-f', 'deployment.yaml'],
  ['rollout', 'status', 'deployment/web', '--timeout=60s'],
  ['delete', 'deployment', 'web', '--cascade=orphan', '--timeout=60s'],
  ['get', 'replicasets', '-o', 'jsonpath={.items[*].metadata.ownerReferences}'],
];

describe.skipIf(!canRollOut())('deletions where controllers run', () => {
  let planes: ControlPlanes;
  let served: ServedClusters;
  let folder: string;
  let offline: OfflineCluster;

  beforeAll(async () => {
    planes = await startControlPlanes([{ name: 'real', controllers: true, nodes: NODES }]);
    offline = new OfflineCluster({ name: 'offline', clock: systemClock, nodes: NODES });
    served = await serve([offline]);
    folder = mkdtempSync(join(tmpdir(), 'clusterset-deletion-'));
    writeFileSync(join(folder, 'offline'), stringify(served.kubeconfig()), { mode: 0o600 });
    const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'shop/web:1' }] } };
    const spec = { replicas: 2, selector: { matchLabels: { app: 'web' } }, template };
    const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec };
    writeFileSync(join(folder, 'deployment.yaml'), stringify(deployment));
  });

  afterAll(async () => {
    offline?.stop();
    await served?.close();
    await planes?.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  it.each(SCENARIOS.map((scenario, index) => ({ ...scenario, namespace: `scenario-${index}` })))(
    'end the same: $name',
    { timeout: 120_000 },
    async ({ act, namespace }) => {
      const [here, there] = await Promise.all([
        sideOf(join(folder, 'offline'), namespace).then(act),
        sideOf(planes.kubeconfig, namespace).then(act),
      ]);
      expect(here).toEqual(there);
    },
  );

  it('are the same for kubectl', { timeout: 240_000 }, async () => {
    for (const line of LINES) {
      const [here, there] = await Promise.all([kubectl(join(folder, 'offline'), line), kubectl(planes.kubeconfig, line)]);
      expect(`${line.join(' ')}: ${here}`).toBe(`${line.join(' ')}: ${there}`);
    }
  });

  /** What a command line has printed, without names that are made up, and in order. */
  function kubectl(kubeconfig: string, line: readonly string[]): Promise<string> {
    const args = ['--kubeconfig', kubeconfig, '--namespace', 'default', '--request-timeout=60s', ...line];
    const options = { cwd: folder, env: { ...process.env, HOME: folder }, timeout: 90_000 };
    const { promise, resolve } = Promise.withResolvers<string>();
    execFile(planes.kubectl, args, options, (error, stdout, stderr) => {
      const lines = `${stdout}${stderr}`
        .replaceAll(/web-[a-z0-9]{8,10}-[a-z0-9]{5}/g, 'POD')
        .split('\n')
        .filter((each) => !/^Waiting for |POD/.test(each));
      resolve(`${lines.join('\n')}exit code ${error === null ? 0 : error.code}`);
    });
    return promise;
  }
});
