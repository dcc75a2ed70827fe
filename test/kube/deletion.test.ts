import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OfflineCluster, VirtualClock } from 'clusterset/testing';
import { type ServedClusters, serve } from 'clusterset/testing/http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { type Answer, type Asked, asker } from './deletion/ask.ts';
import { STORIES } from './deletion/stories.ts';
import { type ControlPlanes, startControlPlanes } from './harness/control-planes.ts';

type Ask = (asked: Asked) => Promise<Answer>;

const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g;
const UID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** An answer without what differs from one cluster to the other: times, uids, versions, and where things are stored. */
function pictured({ code, warning, body }: Answer): unknown {
  const text = JSON.stringify(body)
    .replaceAll(TIME, 'TIME')
    .replaceAll(UID, 'UID')
    .replaceAll(/"(resourceVersion|continue)":"\w*",?/g, (_, name) => (name === 'continue' ? '' : '"resourceVersion":"1",'))
    .replaceAll(/ResourceVersion in record \(\d+\)/g, 'ResourceVersion in record (1)')
    .replaceAll(/Key: [^,]*,/g, 'Key,')
    .replaceAll(/,}/g, '}');
  return { code, warning, body: withoutRepetition(JSON.parse(text)) };
}

/** The server says some things twice. */
function withoutRepetition(body: { readonly details?: { readonly causes?: readonly unknown[] } }): unknown {
  const causes = body.details?.causes;
  if (causes === undefined) return body;
  const unique = new Map(causes.map((cause) => [JSON.stringify(cause), cause]));
  return { ...body, details: { ...body.details, causes: [...unique.values()] } };
}

async function tell(ask: Ask, namespace: string, asked: readonly Asked[]): Promise<readonly unknown[]> {
  await ask({ method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: namespace } } });
  const answers: unknown[] = [];
  for (const each of asked) {
    const one = JSON.parse(JSON.stringify(each).replaceAll('NS', namespace)) as Asked;
    if (one.method === 'WAIT') await untilServed(ask, one.path);
    else if (one.quiet === true) await ask(one);
    else
      answers.push({ asked: `${one.method} ${one.path} ${JSON.stringify(one.body)}`, ...(pictured(await ask(one)) as object) });
  }
  return answers;
}

/** A real server takes a while to serve what a CRD defines, and answers 404 in between. */
async function untilServed(ask: Ask, path: string): Promise<void> {
  for (let tries = 0; (await ask({ method: 'GET', path })).code !== 200; tries += 1) {
    if (tries > 100) throw new Error(`${path} is not served`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await new Promise((resolve) => setTimeout(resolve, 500));
}

describe('an offline cluster answers as a real one: ', () => {
  let planes: ControlPlanes;
  let served: ServedClusters;
  let folder: string;
  // Time stands still, so that no controller does anything.
  const offline = new OfflineCluster({ name: 'offline', clock: new VirtualClock(), workloads: { nodes: 0 } });

  beforeAll(async () => {
    planes = await startControlPlanes([{ name: 'real' }]);
    served = await serve([offline]);
    folder = mkdtempSync(join(tmpdir(), 'clusterset-deletion-'));
    writeFileSync(join(folder, 'offline'), stringify(served.kubeconfig()), { mode: 0o600 });
  });

  afterAll(async () => {
    offline.stop();
    await served?.close();
    await planes?.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  it.each(STORIES.map((story, index) => ({ ...story, namespace: `story-${index}` })))('$name', async ({ asked, namespace }) => {
    const here = await tell(asker(join(folder, 'offline')), namespace, asked);
    const there = await tell(asker(planes.kubeconfig), namespace, asked);
    expect(here).toEqual(there);
  });
});
