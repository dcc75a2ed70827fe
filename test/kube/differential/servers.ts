import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { parse } from 'yaml';
import { OfflineCluster } from '../../../src/testing/offline-cluster.ts';
import { Handler } from '../../../src/testing/web/handler.ts';
import { DEFINITIONS } from './custom.ts';
import type { Sent, Server, Stream } from './side.ts';
import type { Answer } from './step.ts';

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string } }[];
  readonly users: readonly { readonly user: { readonly token: string } }[];
}

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const HEADERS = { accept: 'application/json', 'content-type': 'application/json' };
const post = (path: string, body: unknown): Sent => ({ method: 'POST', path, headers: HEADERS, body: JSON.stringify(body) });

const warningsOf = (text: string): readonly string[] =>
  [...text.matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)].map(([, warning]) => warning ?? '');

function readText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** An offline cluster without anybody in it who acts by himself. */
export async function offlineServer(): Promise<Server> {
  const cluster = new OfflineCluster({ name: 'offline', rollouts: false });
  cluster.stop();
  const handler = new Handler(cluster);
  const fetch = (sent: Sent): Promise<Response> => {
    const { method, path, headers, body } = sent;
    return handler.handle(new Request(`http://offline${path}`, { method, headers, ...(body === undefined ? {} : { body }) }));
  };
  const answerOf = async (response: Response): Promise<Answer> => ({
    status: response.status,
    type: response.headers.get('content-type') ?? '',
    warnings: warningsOf(response.headers.get('warning') ?? ''),
    body: readText(await response.text()),
  });
  for (const definition of DEFINITIONS) await fetch(post(CRDS, definition));
  return {
    send: async (sent) => answerOf(await fetch(sent)),
    watch: async (sent) => {
      const response = await fetch(sent);
      return response.status === 200 ? streamOf(response) : answerOf(response);
    },
    settle: () => Promise.resolve(),
  };
}

function streamOf(response: Response): Stream {
  const events: unknown[] = [];
  const reader = response.body?.getReader();
  const lines = new Lines((line) => events.push(line));
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder();
    for (let chunk = await reader?.read(); chunk !== undefined && !chunk.done; chunk = await reader?.read()) {
      lines.add(decoder.decode(chunk.value, { stream: true }));
    }
  };
  void read();
  return { events, close: () => void reader?.cancel() };
}

/** Events stand one to a line. */
class Lines {
  readonly #take: (event: unknown) => void;
  #rest = '';

  constructor(take: (event: unknown) => void) {
    this.#take = take;
  }

  add(text: string): void {
    const lines = `${this.#rest}${text}`.split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#take(readText(line));
  }
}

/** The first cluster of a kubeconfig. */
export async function realServer(kubeconfig: string): Promise<Server & { close(): void }> {
  const { clusters, users } = parse(readFileSync(kubeconfig, 'utf8')) as Kubeconfig;
  const cluster = clusters[0]?.cluster;
  if (cluster === undefined) throw new Error(`${kubeconfig} has no cluster`);
  const ca = Buffer.from(cluster['certificate-authority-data'], 'base64');
  const agent = new Agent({ keepAlive: true, ca, maxSockets: 64 });
  const authorization = `Bearer ${users[0]?.user.token}`;
  const open = ({ method, path, headers, body }: Sent): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
      const sent = request(
        `${cluster.server}${path}`,
        { method, agent, headers: { ...headers, ...length, authorization } },
        resolve,
      );
      sent.on('error', reject);
      sent.end(body);
    });
  const answerOf = async (response: IncomingMessage): Promise<Answer> => ({
    status: response.statusCode ?? 0,
    type: response.headers['content-type'] ?? '',
    warnings: warningsOf([response.headers.warning ?? []].flat().join(', ')),
    body: readText(Buffer.concat(await response.toArray()).toString('utf8')),
  });
  const send = async (sent: Sent): Promise<Answer> => answerOf(await open(sent));
  await define(send);
  return {
    send,
    watch: async (sent) => {
      const response = await open(sent);
      if (response.statusCode !== 200) return answerOf(response);
      const events: unknown[] = [];
      const lines = new Lines((line) => events.push(line));
      response
        .setEncoding('utf8')
        .on('data', (text: string) => lines.add(text))
        .on('error', () => undefined);
      return { events, close: () => response.destroy() };
    },
    // A list of what is there now comes from a cache that has first heard of all writes.
    settle: async (path) => {
      await send({ method: 'GET', path: `${path}?limit=1`, headers: { accept: 'application/json' }, body: undefined });
    },
    close: () => agent.destroy(),
  };
}

async function define(send: Server['send']): Promise<void> {
  for (const definition of DEFINITIONS) {
    await send(post(CRDS, definition));
    const { spec } = definition as { readonly spec: { readonly group: string; readonly names: { readonly plural: string } } };
    const path = `/apis/${spec.group}/v1/${spec.names.plural}`;
    for (let tries = 0; tries < 200; tries += 1) {
      const { status } = await send({ method: 'GET', path, headers: HEADERS, body: undefined });
      if (status === 200) break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
