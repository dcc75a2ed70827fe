import { OfflineCluster } from '../../../../src/testing/offline-cluster.ts';
import { Handler } from '../../../../src/testing/web/handler.ts';
import type { Send } from './ask.ts';

/** Sends to a new offline cluster. */
export function sendOffline(): Send {
  const handler = new Handler(new OfflineCluster({ name: 'offline', rollouts: false }));
  return async ({ method, path, accept, body }) => {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const headers = { accept, 'content-type': type };
    const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const response = await handler.handle(new Request(`http://offline${path}`, init));
    return { status: response.status, body: await response.json() };
  };
}
