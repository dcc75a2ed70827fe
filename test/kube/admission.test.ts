import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type AnyObject, type Cluster, isClustersetError, resourceType } from 'clusterset/kube';
import { type AdmissionReview, OfflineCluster } from 'clusterset/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loopbackCertificate } from '../../src/testing/http/certificate.ts';
import { ADMISSION_CASES, type AdmissionCase } from './admission/cases.ts';
import { type ControlPlanes, startControlPlanes } from './harness/control-planes.ts';

const namespaces = resourceType('v1', 'Namespace', 'namespaces', 'Cluster');
const GROUP = 'admissionregistration.k8s.io/v1';
const CONFIGURATIONS = {
  Validating: resourceType(GROUP, 'ValidatingWebhookConfiguration', 'validatingwebhookconfigurations', 'Cluster'),
  Mutating: resourceType(GROUP, 'MutatingWebhookConfiguration', 'mutatingwebhookconfigurations', 'Cluster'),
};

const nameOf = (index: number, hook: number): string => `hook-${index}-${hook}.example.com`;
const label = (index: number): Record<string, string> => ({ case: String(index) });

/** The webhooks of all cases behind one port. */
async function startHooks(): Promise<{ readonly server: Server; readonly ca: string }> {
  const { key, cert } = await loopbackCertificate();
  const server = createServer({ key, cert }, (request, response) => {
    const [, index = '', hook = ''] = (request.url ?? '').split('?')[0]?.split('/') ?? [];
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const review = JSON.parse(Buffer.concat(chunks).toString()) as AdmissionReview;
      const answer = ADMISSION_CASES[Number(index)]?.hooks[Number(hook)]?.review(review) ?? { allowed: true };
      response.setHeader('content-type', 'application/json');
      const { apiVersion, kind } = review;
      response.end(JSON.stringify({ apiVersion, kind, response: { ...answer, uid: review.request.uid } }));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return { server, ca: cert };
}

/** One configuration for each hook: they are asked in the order of their names. */
function configurations(
  port: number,
  ca: string,
): readonly { readonly type: 'Validating' | 'Mutating'; readonly object: AnyObject }[] {
  return ADMISSION_CASES.flatMap(({ hooks }, index) =>
    hooks.map(({ type, operations = ['CREATE', 'UPDATE'] }, hook) => ({
      type,
      object: {
        apiVersion: GROUP,
        kind: `${type}WebhookConfiguration`,
        metadata: { name: nameOf(index, hook) },
        webhooks: [
          {
            name: nameOf(index, hook),
            clientConfig: { url: `https://127.0.0.1:${port}/${index}/${hook}`, caBundle: btoa(ca) },
            rules: [{ apiGroups: ['', 'apps'], apiVersions: ['v1'], operations, resources: ['configmaps', 'deployments'] }],
            namespaceSelector: { matchLabels: label(index) },
            sideEffects: 'None',
            admissionReviewVersions: ['v1'],
          },
        ],
      },
    })),
  );
}

/** What came of a case, without what differs from one cluster to the next. */
async function outcome(act: () => Promise<unknown>): Promise<unknown> {
  const clean = (value: unknown): unknown =>
    JSON.parse(
      JSON.stringify(value)
        .replaceAll(/"(uid|resourceVersion|creationTimestamp|time)":"[^"]*"/g, '"$1":"…"')
        .replaceAll(/shop-\d+/g, 'shop'),
    );
  try {
    return clean((await act()) ?? 'nothing');
  } catch (error) {
    if (!isClustersetError(error)) throw error;
    const { status, reason, detail, issues } = error;
    // How the library that applies patches says what doesn't fit is its own affair.
    if (/nothing/.test(detail)) return { status, reason, detail: detail.split(':')[0] };
    return clean({ status, reason, detail, issues });
  }
}

describe('a webhook of a real API server, and the same function as a hook of an offline cluster', () => {
  let planes: ControlPlanes;
  let real: Cluster;
  let hooks: Awaited<ReturnType<typeof startHooks>>;

  beforeAll(async () => {
    planes = await startControlPlanes([{ name: 'real' }]);
    real = planes.connect('real');
    hooks = await startHooks();
    const { port } = hooks.server.address() as AddressInfo;
    for (const { type, object } of configurations(port, hooks.ca)) await real.create(CONFIGURATIONS[type], object);
    for (const [index] of ADMISSION_CASES.entries()) {
      const metadata = { name: `shop-${index}`, labels: label(index) };
      await real.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata });
    }
    await untilAsked(real);
  });

  afterAll(async () => {
    hooks?.server.closeAllConnections();
    hooks?.server.close();
    await real?.close();
    await planes?.stop();
  });

  it.each(ADMISSION_CASES.map((each, index) => [each.name, each, index] as const))('%s', async (_, each, index) => {
    expect(await offlineOutcome(each, index)).toEqual(await outcome(() => each.act(real, `shop-${index}`)));
  });
});

async function offlineOutcome({ hooks, act }: AdmissionCase, index: number): Promise<unknown> {
  const offline = new OfflineCluster({ name: 'real', rollouts: false });
  const cluster = offline.connect();
  await cluster.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: `shop-${index}` } });
  for (const [hook, each] of hooks.entries()) offline.admit({ ...each, name: nameOf(index, hook) });
  const result = await outcome(() => act(cluster, `shop-${index}`));
  offline.stop();
  return result;
}

/** An API server hears of its configurations a little later. */
async function untilAsked(cluster: Cluster): Promise<void> {
  const configMaps = resourceType('v1', 'ConfigMap', 'configmaps');
  const denying = ADMISSION_CASES.map(({ hooks }, index) => ({ hooks, index }))
    .filter(({ hooks }) => hooks.some(({ type }) => type === 'Validating') && hooks.length === 1)
    .filter(
      ({ index }) =>
        ADMISSION_CASES[index]?.name.startsWith('denies') || ADMISSION_CASES[index]?.name === 'is told of a creation',
    );
  for (const { index } of denying) {
    const canary = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: `shop-${index}`, name: 'canary' } };
    for (let tries = 0; tries < 100; tries += 1) {
      const refused = await cluster.create(configMaps, canary, { dryRun: true }).then(
        () => false,
        () => true,
      );
      if (refused) break;
      await new Promise((resolve) => {
        setTimeout(resolve, 100);
      });
    }
  }
  // Mutating configurations are read by another informer at about the same time.
  await new Promise((resolve) => {
    setTimeout(resolve, 1000);
  });
}
