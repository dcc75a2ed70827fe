import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { systemClock } from 'clusterset/runtime';
import { simulate, type World } from 'clusterset/testing';
import { type ServedClusters, serve } from 'clusterset/testing/http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { type ControlPlanes, startControlPlanes } from './harness/control-planes.ts';

const NAMESPACE = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
const metadata = { name: 'web', namespace: 'shop', labels: { app: 'web' } };
const container = { name: 'web', image: 'nginx:1.28', ports: [{ containerPort: 80 }] };
const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [container] } };
const selector = { matchLabels: { app: 'web' } };
const APPLICATION = [
  { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { replicas: 2, selector, template } },
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...metadata, annotations: {} }, data: { colour: 'green' } },
  { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } },
];

/** Lines that come one after the other; every one is answered in the same way by both clusters. */
const LINES: readonly (readonly string[])[] = [
  ['get', 'namespaces'],
  ['apply', '-f', 'namespace.yaml'],
  ['apply', '-f', 'application.yaml'],
  ['apply', '-f', 'application.yaml'],
  ['diff', '-f', 'application.yaml'],
  ['apply', '--server-side', '-f', 'application.yaml'],
  ['apply', '--server-side', '--field-manager=other', '-f', 'application.yaml'],
  ['get', 'deploy', 'web', '-o', 'name'],
  ['get', 'deploy,cm,svc', '-l', 'app=web', '-o', 'name'],
  ['get', 'deploy', 'web', '-o', 'jsonpath={.spec.replicas} {.spec.strategy}'],
  ['label', 'configmap', 'web', 'tier=a'],
  ['annotate', 'configmap', 'web', 'note=b'],
  ['patch', 'configmap', 'web', '-p', '{"data":{"colour":"blue"}}'],
  ['patch', 'configmap', 'web', '--type=merge', '-p', '{"data":{"shape":"round"}}'],
  ['patch', 'configmap', 'web', '--type=json', '-p', '[{"op":"add","path":"/data/size","value":"l"}]'],
  ['get', 'configmap', 'web', '-o', 'yaml'],
  ['apply', '--server-side', '-f', 'application.yaml'],
  ['set', 'image', 'deployment/web', 'web=nginx:1.29'],
  ['expose', 'deployment', 'web', '--name=web2', '--port=80'],
  ['get', 'configmap', 'nope'],
  ['get', 'widgets'],
  ['delete', 'configmap', 'web'],
  ['delete', 'configmap', 'web'],
  ['delete', 'deployment,service', '--all'],
  ['get', '--raw', '/readyz'],
];

describe('kubectl', () => {
  let planes: ControlPlanes;
  let world: World;
  let served: ServedClusters;
  let folder: string;

  beforeAll(async () => {
    planes = await startControlPlanes([{ name: 'real' }]);
    world = await simulate({ members: { offline: {} }, clock: systemClock });
    served = await serve([world.cluster('offline')]);
    folder = mkdtempSync(join(tmpdir(), 'clusterset-kubectl-'));
    writeFileSync(join(folder, 'offline'), stringify(served.kubeconfig()), { mode: 0o600 });
    writeFileSync(join(folder, 'namespace.yaml'), stringify(NAMESPACE));
    writeFileSync(join(folder, 'application.yaml'), APPLICATION.map((each) => stringify(each)).join('---\n'));
  });

  afterAll(async () => {
    await planes?.stop();
    await served?.close();
    await world?.[Symbol.asyncDispose]();
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  /** What a command line has printed, without what differs from one moment to the next. */
  async function kubectl(kubeconfig: string, line: readonly string[]): Promise<string> {
    const args = ['--kubeconfig', kubeconfig, '--namespace', 'shop', '--request-timeout=20s', ...line];
    const options = { cwd: folder, env: { ...process.env, HOME: folder }, timeout: 60_000 };
    const { promise, resolve } = Promise.withResolvers<string>();
    execFile(planes.kubectl, args, options, (error, stdout, stderr) => {
      resolve(`${stdout}${stderr}exit code ${error === null ? 0 : error.code}`);
    });
    const printed = await promise;
    return printed
      .replaceAll(/\b(uid|resourceVersion|creationTimestamp): .*/g, '$1: …')
      .replaceAll(/\d+s$/gm, '…')
      .replaceAll(folder, '');
  }

  it.each(LINES.map((line) => [line.join(' '), line] as const))('is answered as by a real API server: %s', async (_, line) => {
    expect(await kubectl(join(folder, 'offline'), line)).toBe(await kubectl(planes.kubeconfig, line));
  });

  it('sees a Deployment of an offline cluster rolled out, and a namespace go', async () => {
    const offline = join(folder, 'offline');
    await kubectl(offline, ['apply', '-f', 'namespace.yaml']);
    await kubectl(offline, ['apply', '-f', 'application.yaml']);
    expect(await kubectl(offline, ['rollout', 'status', 'deployment/web', '--timeout=30s'])).toMatch(
      /successfully rolled out\nexit code 0$/,
    );
    expect(await kubectl(offline, ['get', 'deployments'])).toMatch(/^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +2\/2 +2 +2 /);
    expect(await kubectl(offline, ['delete', 'namespace', 'shop', '--timeout=30s'])).toMatch(
      /^namespace "shop" deleted\n[\s\S]*exit code 0$/,
    );
  });
});
