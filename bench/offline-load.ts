/** The clients of the benchmark of offline clusters, in a thread of their own. */
import { parentPort, workerData } from 'node:worker_threads';
import { Agent } from 'undici';
import { inFlight as together } from './measure.ts';

/** What is asked of which server. */
export interface Load {
  readonly server: string;
  readonly token: string;
  readonly ca: string;
  readonly namespace: string;
  readonly objects: number;
  readonly inFlight: number;
}

/** Answers per second. */
export interface LoadResult {
  readonly creates: number;
  readonly gets: number;
}

const { server, token, ca, namespace, objects, inFlight } = workerData as Load;
const agent = new Agent({ connections: inFlight, connect: { ca } });
const path = `/api/v1/namespaces/${namespace}/configmaps`;
const names = Array.from({ length: objects }, (_, index) => `x-${index}`);
const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };

async function send(method: 'POST' | 'GET', target: string, body?: string): Promise<void> {
  const answer = await agent.request({ origin: server, path: target, method, headers, ...(body === undefined ? {} : { body }) });
  await answer.body.dump();
  if (answer.statusCode >= 400) throw new Error(`${method} ${target}: ${answer.statusCode}`);
}

async function measured(call: (name: string) => Promise<void>): Promise<number> {
  const started = performance.now();
  await together(names, inFlight, call);
  return objects / ((performance.now() - started) / 1000);
}

// Connections are opened before anything is measured.
await together(names.slice(0, inFlight), inFlight, () => send('GET', path));
const creates = await measured((name) => {
  const metadata = { name, namespace, labels: { app: 'shop' } };
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { colour: 'green', size: 'l' } };
  return send('POST', path, JSON.stringify(object));
});
const gets = await measured((name) => send('GET', `${path}/${name}`));
await agent.close();
parentPort?.postMessage({ creates, gets } satisfies LoadResult);
