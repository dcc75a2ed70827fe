/** An API server with many Deployments and ConfigMaps, which it has ready as bytes: what is measured is the client. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import process from 'node:process';
import { withoutManagedFields } from 'clusterset/kube';
import { certificates } from '../../test/unit/client/certificates.ts';
import { answer, type Outgoing, startServer } from '../../test/unit/client/server.ts';
import { endWithParent, tellParent } from './child.ts';
import { configMap, deployment } from './objects.ts';

/** What the server says when it can be asked; the paths of its servers by how many objects they have. */
export interface StoreReady {
  readonly ca: string;
  readonly servers: Readonly<Record<string, string>>;
  /** JSON of one Deployment, and without its managedFields. */
  readonly bytes: { readonly deployment: number; readonly stripped: number; readonly configMap: number };
}

const CHUNK = 64 * 1024;

interface Stored {
  readonly list: Buffer;
  readonly stream: Buffer;
}

function stored(kind: 'Deployment' | 'ConfigMap', count: number): Stored {
  const make = kind === 'Deployment' ? deployment : configMap;
  const objects = Array.from({ length: count }, (_, index) => make(index, index + 1));
  const apiVersion = kind === 'Deployment' ? 'apps/v1' : 'v1';
  const metadata = { resourceVersion: String(count) };
  const items = objects.map(({ apiVersion: _, kind: __, ...item }) => item);
  const annotations = { 'k8s.io/initial-events-end': 'true' };
  const end = { type: 'BOOKMARK', object: { kind, apiVersion, metadata: { ...metadata, annotations } } };
  const lines = [...objects.map((object) => ({ type: 'ADDED', object })), end].map((event) => `${JSON.stringify(event)}\n`);
  return {
    list: Buffer.from(JSON.stringify({ kind: `${kind}List`, apiVersion, metadata, items })),
    stream: Buffer.from(lines.join('')),
  };
}

/** Sends bytes as fast as they are taken, and keeps the answer open where it is a watch. */
async function send(response: Outgoing, closed: Promise<void>, bytes: Buffer, isOpen: boolean): Promise<void> {
  response.statusCode = 200;
  response.setHeader('content-type', 'application/json');
  (response as ServerResponse).flushHeaders();
  for (let at = 0; at < bytes.length && !response.destroyed; at += CHUNK) {
    const isFull = !(response as ServerResponse).write(bytes.subarray(at, at + CHUNK));
    if (isFull) await Promise.race([once(response, 'drain'), closed]);
  }
  if (!isOpen) response.end();
}

endWithParent();
const { ca, server: certificate } = await certificates();
const servers: Record<string, string> = {};
for (const count of process.argv.slice(2).map(Number)) {
  const stores: Readonly<Record<string, Stored>> = {
    '/apis/apps/v1/deployments': stored('Deployment', count),
    '/api/v1/configmaps': stored('ConfigMap', count),
  };
  const server = await startServer(
    ({ path, closed }, response) => {
      const { pathname, searchParams } = new URL(path, 'https://server');
      const store = stores[pathname];
      if (store === undefined) return answer(response, 200, { gitVersion: 'v1.36.0', major: '1', minor: '36' });
      const isWatch = searchParams.get('watch') === 'true';
      const isStream = searchParams.get('sendInitialEvents') === 'true';
      if (!isWatch) return send(response, closed, store.list, false);
      return send(response, closed, isStream ? store.stream : Buffer.alloc(0), true);
    },
    { certificate },
  );
  servers[count] = server.url;
}
const size = (object: object): number => JSON.stringify(object).length;
const one = deployment(1234, 1234);
tellParent<StoreReady>({
  ca,
  servers,
  bytes: {
    deployment: size(one),
    stripped: size(withoutManagedFields(one)),
    configMap: size(configMap(1234, 1234)),
  },
});
