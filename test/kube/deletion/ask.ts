import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { parse } from 'yaml';

/** One request, as it goes over the wire. `NS` in it stands for the namespace. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly type?: string;
  /** The answer isn't what the story is about. */
  readonly quiet?: boolean;
}

/** What came back. */
export interface Answer {
  readonly code: number;
  readonly warning?: string;
  readonly body: unknown;
}

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string } }[];
  readonly users: readonly { readonly user: { readonly token: string } }[];
}

/** Sends requests to the first cluster of a kubeconfig. */
export function asker(file: string): (asked: Asked) => Promise<Answer> {
  const { clusters, users } = parse(readFileSync(file, 'utf8')) as Kubeconfig;
  const [first] = clusters;
  if (first === undefined) throw new Error('there is no cluster');
  const ca = Buffer.from(first.cluster['certificate-authority-data'], 'base64');
  const token = users[0]?.user.token ?? '';
  return ({ method, path, body, type = 'application/json' }) =>
    new Promise((resolve, reject) => {
      const text = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
      const sent = request(
        `${first.cluster.server}${path}`,
        {
          method,
          ca,
          agent: false,
          headers: {
            authorization: `Bearer ${token}`,
            'user-agent': 'asker/1',
            ...(text === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(text) }),
          },
        },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('end', () => {
            const all = Buffer.concat(chunks).toString();
            const { warning } = answer.headers;
            resolve({
              code: answer.statusCode ?? 0,
              ...(warning === undefined ? {} : { warning: String(warning) }),
              body: readBody(all),
            });
          });
        },
      );
      sent.on('error', reject);
      sent.end(text);
    });
}

function readBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
