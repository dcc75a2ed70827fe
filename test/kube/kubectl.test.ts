import { execFile, spawn } from 'node:child_process';
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

const widget = (name: string, spec: Record<string, unknown>) => ({
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  metadata: { name, namespace: 'shop' },
  spec,
});
const DEFINITION = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: {
      plural: 'widgets',
      singular: 'widget',
      kind: 'Widget',
      listKind: 'WidgetList',
      shortNames: ['wd'],
      categories: ['shop'],
    },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {}, scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' } },
        additionalPrinterColumns: [{ name: 'Replicas', type: 'integer', jsonPath: '.spec.replicas' }],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            description: 'A thing that is for sale.',
            properties: {
              spec: {
                type: 'object',
                properties: {
                  replicas: { type: 'integer', description: 'How many there are.', default: 1 },
                  colour: { type: 'string', enum: ['red', 'green'] },
                },
              },
              status: { type: 'object', properties: { replicas: { type: 'integer' } } },
            },
          },
        },
      },
    ],
  },
};

/** An Event of the group that Events have of their own: the core group shows it, too. */
const EVENT = {
  apiVersion: 'events.k8s.io/v1',
  kind: 'Event',
  metadata: { name: 'seen', namespace: 'default' },
  regarding: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'default', name: 'web' },
  note: 'Seen at last',
  eventTime: '2026-01-01T00:00:00.000001Z',
  series: { count: 2, lastObservedTime: '2026-01-01T00:10:00.000000Z' },
  reportingController: 'example.com/watcher',
  reportingInstance: 'watcher-1',
  action: 'Watched',
  reason: 'Seen',
  type: 'Normal',
};

/** Files that the lines name. */
const FILES: Readonly<Record<string, string>> = {
  'namespace.yaml': stringify(NAMESPACE),
  'application.yaml': APPLICATION.map((each) => stringify(each)).join('---\n'),
  'event.yaml': stringify(EVENT),
  'definition.yaml': stringify(DEFINITION),
  'widgets.yaml': [widget('gear', { colour: 'green' }), widget('cog', { replicas: 3 })]
    .map((each) => stringify(each))
    .join('---\n'),
  'widget-changed.yaml': stringify(widget('gear', { colour: 'red', replicas: 2 })),
  'widget-wrong.yaml': stringify(widget('gear', { colour: 'blue' })),
  'widget-unknown.yaml': stringify(widget('gear', { size: 1 })),
};

/** Lines that come one after the other; every one is answered in the same way by both clusters. */
const LINES: readonly (readonly string[])[] = [
  ['get', 'namespaces'],
  ['apply', '-f', 'namespace.yaml'],
  ['apply', '-f', 'application.yaml'],
  ['apply', '-f', 'application.yaml'],
  ['diff', '-f', 'application.yaml'],
  ['apply', '--server-side', '-f', 'application.yaml'],
  ['apply', '--server-side', '--field-manager=other', '-f', 'application.yaml'],
  ['apply', '--server-side', '--field-manager=other', '--force-conflicts', '-f', 'application.yaml'],
  ['apply', '--dry-run=server', '-f', 'application.yaml'],
  ['get', 'deploy', 'web', '-o', 'name'],
  ['get', 'deploy,cm,svc', '-l', 'app=web', '-o', 'name'],
  ['get', 'deploy', '-l', 'app in (web, api),!missing', '-o', 'name'],
  ['get', 'cm', '--field-selector', 'metadata.name=web', '-o', 'name'],
  ['get', 'deploy', 'web', '-o', 'jsonpath={.spec.replicas} {.spec.strategy}'],
  ['get', 'deploy', 'web', '-o', 'yaml'],
  ['get', 'deploy', 'web', '-o', 'yaml', '--show-managed-fields'],
  [
    'get',
    'service',
    'web',
    '-o',
    'wide',
    '--show-labels',
    '--no-headers',
    '-o',
    'custom-columns=N:.metadata.name,P:.spec.ports[0].port',
  ],
  ['get', 'all', '-o', 'name'],
  ['get', 'cm', '--chunk-size=1', '-o', 'name', '--ignore-not-found'],
  ['label', 'configmap', 'web', 'tier=a'],
  ['label', 'configmap', 'web', 'tier-'],
  ['annotate', 'configmap', 'web', 'note=b'],
  ['patch', 'configmap', 'web', '-p', '{"data":{"colour":"blue"}}'],
  ['patch', 'configmap', 'web', '--type=merge', '-p', '{"data":{"shape":"round"}}'],
  ['patch', 'configmap', 'web', '--type=json', '-p', '[{"op":"add","path":"/data/size","value":"l"}]'],
  ['patch', 'configmap', 'web', '--type=json', '-p', '[{"op":"test","path":"/data/size","value":"xl"}]'],
  ['patch', 'deployment', 'web', '-p', '{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"nginx:1.27"}]}}}}'],
  ['patch', 'deployment', 'web', '--subresource=status', '--type=merge', '-p', '{"status":{"replicas":2}}'],
  ['get', 'configmap', 'web', '-o', 'yaml'],
  ['edit', 'configmap', 'web'],
  ['get', 'configmap', 'web', '-o', 'jsonpath={.data}'],
  ['apply', '--server-side', '-f', 'application.yaml'],
  ['set', 'image', 'deployment/web', 'web=nginx:1.29'],
  ['set', 'env', 'deployment/web', 'A=b'],
  ['rollout', 'restart', 'deployment/web'],
  ['scale', 'deployment', 'web', '--replicas=4'],
  ['scale', 'deployment', 'web', '--replicas=4', '--current-replicas=3'],
  ['get', 'deploy', 'web', '--subresource=scale', '-o', 'jsonpath={.spec} {.kind}'],
  ['get', 'deploy', 'web', '--subresource=status', '-o', 'jsonpath={.kind}'],
  ['autoscale', 'deployment', 'web', '--min=1', '--max=5', '--cpu=80%'],
  ['expose', 'deployment', 'web', '--name=web2', '--port=80'],
  ['create', 'configmap', 'made', '--from-literal=a=b'],
  ['get', 'configmap', 'made', '-o', 'yaml'],
  ['create', 'secret', 'generic', 'made', '--from-literal=a=b'],
  ['get', 'secret', 'made', '-o', 'yaml'],
  ['create', 'deployment', 'made', '--image=nginx:1.28', '--replicas=2'],
  ['get', 'deployment', 'made', '-o', 'yaml'],
  ['create', 'job', 'made', '--image=busybox', '--', 'true'],
  ['create', 'cronjob', 'made', '--image=busybox', '--schedule=*/5 * * * *'],
  ['create', 'role', 'reader', '--verb=get,list', '--resource=pods,deployments.apps'],
  ['create', 'rolebinding', 'readers', '--role=reader', '--user=alice', '--serviceaccount=shop:default'],
  ['create', 'serviceaccount', 'robot'],
  ['create', 'ingress', 'web', '--rule=shop.example/*=web:80'],
  ['create', 'quota', 'small', '--hard=pods=10'],
  ['create', 'poddisruptionbudget', 'web', '--selector=app=web', '--min-available=1'],
  ['create', 'configmap', 'made'],
  ['create', 'namespace', 'other'],
  ['delete', 'namespace', 'default'],
  ['wait', '--for=jsonpath={.data.a}=b', 'configmap/made', '--timeout=5s'],
  ['wait', '--for=condition=Available', 'deployment/made', '--timeout=1s'],
  ['wait', '--for=delete', 'configmap/nope', '--timeout=5s'],
  ['auth', 'can-i', 'create', 'deployments'],
  ['auth', 'can-i', '*', '*', '--all-namespaces'],
  ['apply', '-n', 'default', '-f', 'event.yaml'],
  ['apply', '-n', 'default', '-f', 'event.yaml'],
  ['get', 'events', '-n', 'default'],
  ['get', 'events.events.k8s.io', '-n', 'default', '-o', 'wide'],
  ['get', 'ev', '-n', 'default', '-o', 'jsonpath={.items[*].message}'],
  ['get', 'events.events.k8s.io', '-n', 'default', '-o', 'jsonpath={.items[*].note}'],
  ['events', '-n', 'default'],
  ['delete', 'events', '-n', 'default', '--all'],
  ['get', 'configmap', 'nope'],
  ['get', 'widgets'],
  ['create', '-f', 'definition.yaml'],
  ['wait', '--for=condition=Established', 'crd/widgets.example.com', '--timeout=20s'],
  ['get', 'crd', 'widgets.example.com', '-o', 'jsonpath={.status.acceptedNames} {.status.storedVersions}'],
  ['create', '-f', 'widgets.yaml'],
  ['get', 'wd'],
  ['get', 'shop', '-o', 'name'],
  ['get', 'widgets', '-o', 'yaml'],
  ['apply', '-f', 'widget-changed.yaml'],
  ['apply', '-f', 'widget-wrong.yaml'],
  ['apply', '-f', 'widget-unknown.yaml'],
  ['diff', '-f', 'widget-changed.yaml'],
  ['patch', 'widget', 'gear', '-p', '{"spec":{"replicas":5}}'],
  ['patch', 'widget', 'gear', '--type=merge', '-p', '{"spec":{"replicas":5}}'],
  ['scale', 'widget', 'gear', '--replicas=7'],
  ['get', 'widgets'],
  ['explain', 'widget.spec'],
  ['explain', 'widget.spec.replicas'],
  ['explain', 'widget', '--recursive'],
  ['delete', 'widget', 'gear'],
  ['delete', 'widgets', '--all'],
  ['delete', 'crd', 'widgets.example.com'],
  ['delete', 'configmap', 'web'],
  ['delete', 'configmap', 'web'],
  ['delete', 'configmap', 'web', '--ignore-not-found'],
  ['delete', 'job', 'made', '--cascade=orphan', '--wait=false'],
  ['delete', 'cronjob', 'made', '--cascade=background'],
  ['delete', 'deployment', 'made', '--cascade=foreground', '--wait=false'],
  ['get', 'deployment', 'made', '-o', 'jsonpath={.metadata.finalizers}'],
  ['delete', 'deployment,service', '--all', '--cascade=background', '--wait=false'],
  ['get', '--raw', '/readyz'],
  ['get', '--raw', '/api/v1/namespaces/shop/configmaps/nope'],
  ['replace', '--raw', '/nowhere', '-f', 'namespace.yaml'],
];

describe('kubectl', () => {
  let planes: ControlPlanes;
  let world: World;
  let served: ServedClusters;
  let folder: string;

  beforeAll(async () => {
    planes = await startControlPlanes([{ name: 'real' }]);
    world = await simulate({ members: { offline: {}, running: { nodes: 2 } }, rollouts: false, clock: systemClock });
    served = await serve([world.cluster('offline'), world.cluster('running')]);
    folder = mkdtempSync(join(tmpdir(), 'clusterset-kubectl-'));
    writeFileSync(join(folder, 'offline'), stringify(served.kubeconfig()), { mode: 0o600 });
    for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text);
    // What `kubectl edit` opens: it changes a value, as a person would.
    writeFileSync(join(folder, 'editor'), '#!/bin/sh\nsed -i "s/colour: .*/colour: edited/" "$1"\n', { mode: 0o700 });
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
    const options = { cwd: folder, env: { ...process.env, HOME: folder, KUBE_EDITOR: join(folder, 'editor') }, timeout: 60_000 };
    const { promise, resolve } = Promise.withResolvers<string>();
    execFile(planes.kubectl, args, options, (error, stdout, stderr) => {
      resolve(`${stdout}${stderr}exit code ${error === null ? 0 : error.code}`);
    });
    const printed = await promise;
    return (
      printed
        .replaceAll(/\b(uid|resourceVersion|creationTimestamp): .*/g, '$1: …')
        .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '<time>')
        .replaceAll(/10\.\d+\.\d+\.\d+/g, '<address>')
        .replaceAll(/\b\d+(ms|s)\b/g, '<duration>')
        .replaceAll(/https:\/\/[^/]*/g, '<server>')
        // The order of the fields of an object that is quoted is nobody's promise.
        .replaceAll(/Invalid value: "\{.*\}"/g, 'Invalid value: <object>')
        .replaceAll(folder, '')
    );
  }

  it.each(LINES.map((line) => [line.join(' '), line] as const))('is answered as by a real API server: %s', async (_, line) => {
    expect(await kubectl(join(folder, 'offline'), line)).toBe(await kubectl(planes.kubeconfig, line));
  });

  it('lists the resources that both serve in the same way', async () => {
    const rowsOf = async (kubeconfig: string): Promise<readonly string[]> =>
      (await kubectl(kubeconfig, ['api-resources', '--no-headers', '-o', 'wide']))
        .split('\n')
        .map((row) => row.replaceAll(/ +/g, ' '));
    const [offline, real] = await Promise.all([rowsOf(join(folder, 'offline')), rowsOf(planes.kubeconfig)]);
    expect(offline.length).toBeGreaterThan(30);
    expect(offline.filter((row) => !real.includes(row))).toEqual([]);
  });

  it('watches, and sees changes in the same way', async () => {
    const sides = [join(folder, 'offline'), planes.kubeconfig];
    const seen = await Promise.all(
      sides.map(async (kubeconfig) => {
        await kubectl(kubeconfig, ['create', 'configmap', 'watched', '--from-literal=a=b']);
        const args = ['--kubeconfig', kubeconfig, '--namespace', 'shop', 'get', 'configmap', 'watched'];
        const watching = spawn(planes.kubectl, [...args, '--watch', '--output-watch-events'], {
          env: { ...process.env, HOME: folder },
        });
        let printed = '';
        watching.stdout.on('data', (chunk: Buffer) => {
          printed += chunk.toString();
        });
        try {
          await expect.poll(() => printed, { timeout: 20_000 }).toContain('ADDED');
          await kubectl(kubeconfig, ['label', 'configmap', 'watched', 'tier=a']);
          await expect.poll(() => printed, { timeout: 20_000 }).toContain('MODIFIED');
          await kubectl(kubeconfig, ['delete', 'configmap', 'watched']);
          await expect.poll(() => printed, { timeout: 20_000 }).toContain('DELETED');
        } finally {
          watching.kill();
        }
        return printed.replaceAll(/\d+s\b/g, '<age>').replaceAll(/ +/g, ' ');
      }),
    );
    expect(seen[0]).toBe(seen[1]);
  });

  it('sees a Deployment of an offline cluster rolled out, and a namespace go', async () => {
    const kubeconfig = join(folder, 'offline');
    const running = (line: readonly string[]): Promise<string> => kubectl(kubeconfig, ['--context', 'running', ...line]);
    await running(['apply', '-f', 'namespace.yaml']);
    await running(['apply', '-f', 'application.yaml']);
    expect(await running(['rollout', 'status', 'deployment/web', '--timeout=30s'])).toMatch(
      /successfully rolled out\nexit code 0$/,
    );
    expect(await running(['get', 'deployments'])).toMatch(/^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +2\/2 +2 +2 /);
    const rolledOut = async (): Promise<void> => {
      expect(await running(['rollout', 'status', 'deployment/web', '--timeout=30s'])).toMatch(
        /successfully rolled out\nexit code 0$/,
      );
    };
    const imageOf = (): Promise<string> =>
      running(['get', 'deployment', 'web', '-o', 'jsonpath={.spec.template.spec.containers[0].image}']);
    await running(['set', 'image', 'deployment/web', 'web=nginx:1.29']);
    await rolledOut();
    expect(await running(['rollout', 'undo', 'deployment/web'])).toContain('deployment.apps/web rolled back');
    await rolledOut();
    expect(await imageOf()).toBe('nginx:1.28exit code 0');
    expect(await running(['rollout', 'history', 'deployment/web'])).toMatch(/REVISION +CHANGE-CAUSE\n2 +<none>\n3 +<none>\n/);
    await running(['rollout', 'restart', 'deployment/web']);
    await rolledOut();
    expect(await running(['wait', '--for=condition=Available', 'deployment/web', '--timeout=30s'])).toContain('condition met');
    expect(await running(['delete', 'namespace', 'shop', '--timeout=30s'])).toMatch(
      /^namespace "shop" deleted\n[\s\S]*exit code 0$/,
    );
  });
});
