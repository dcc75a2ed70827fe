import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { parse } from 'yaml';
import type { Send } from './ask.ts';

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string } }[];
  readonly users: readonly { readonly user: { readonly token: string } }[];
}

/** Sends to the first cluster of a kubeconfig. */
export function sendTo(kubeconfig: string): Send {
  const { clusters, users } = parse(readFileSync(kubeconfig, 'utf8')) as Kubeconfig;
  const cluster = clusters[0]?.cluster;
  if (cluster === undefined) throw new Error(`${kubeconfig} has no cluster`);
  const ca = Buffer.from(cluster['certificate-authority-data'], 'base64');
  return ({ method, path, accept, body }) =>
    new Promise((resolve, reject) => {
      const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
      const headers = { accept, 'content-type': type, authorization: `Bearer ${users[0]?.user.token}` };
      const sent = request(`${cluster.server}${path}`, { method, ca, headers }, async (response) => {
        const chunks = await response.toArray();
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString('utf8')) });
      });
      sent.on('error', reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
}
