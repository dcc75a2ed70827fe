import { type AnyObject, type ClusterReader, ClustersetError, isRecord, resourceType } from '../../kube/index.ts';
import {
  contextInUse,
  type KubeconfigFile,
  type KubeconfigItem,
  readKubeconfigFile,
  selfContainedIssues,
} from '../../registry/index.ts';
import { parseKubeconfigYaml } from '../yaml.ts';
import type { Credentials } from './credentials.ts';

const SECRETS = resourceType('v1', 'Secret', 'secrets');

/** A Secret of the host, and where in it a kubeconfig is. */
export interface SecretReference {
  readonly namespace: string;
  readonly name: string;
  readonly key?: string;
}

/**
 * The credentials in a Secret, as registries keep them: `token` with `ca.crt` (kubefed), or a kubeconfig under the key that the reference
 * names, or under `kubeconfig`, `value` (Cluster API) or `Config` (the Cluster Inventory's old convention). No message quotes what is in it.
 *
 * @throws ClustersetError `NotFound` where there is no such Secret; `Invalid` where it holds no credentials, or half of some.
 */
export async function credentialsOfSecret(host: ClusterReader, reference: SecretReference): Promise<Credentials> {
  const { namespace, name } = reference;
  const secret = await host.get<AnyObject>(SECRETS, { namespace, name });
  if (secret === undefined) {
    throw new ClustersetError({
      code: 'NotFound',
      message: 'the Secret with its credentials is not there',
      cluster: host.name,
      object: { kind: 'Secret', namespace, name },
      mend: 'create it, or correct the reference',
    });
  }
  const data = decoded(isRecord(secret.data) ? secret.data : {});
  const key = reference.key ?? ['kubeconfig', 'value', 'Config'].find((each) => data.has(each));
  if (key !== undefined) return fromKubeconfig(data.get(key), reference, key, host.name);
  const token = data.get('token')?.trim() ?? '';
  if (token === '')
    throw invalid(reference, host.name, 'holds neither a kubeconfig nor a token', 'put a bearer token under "token"');
  const ca = data.get('ca.crt');
  return { token, ...(ca === undefined || ca === '' ? {} : { ca }) };
}

function decoded(data: Readonly<Record<string, unknown>>): ReadonlyMap<string, string> {
  const texts = Object.entries(data).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return new Map(texts.map(([name, value]) => [name, Buffer.from(value, 'base64').toString('utf8')]));
}

function fromKubeconfig(text: string | undefined, reference: SecretReference, key: string, host: string): Credentials {
  const called = `in Secret ${reference.namespace}/${reference.name}, key "${key}"`;
  if (text === undefined) throw invalid(reference, host, `has no key "${key}"`, 'name the key with the kubeconfig');
  const { file } = readKubeconfigFile(parseKubeconfigYaml(text, called));
  const [unsafe] = selfContainedIssues(file);
  if (unsafe !== undefined) throw invalid(reference, host, `${unsafe.field} ${unsafe.message}`, unsafe.mend ?? 'use a token');
  const { context, user } = partsInUse(file);
  const content = isRecord(user?.user) ? user.user : {};
  const ca = contentOf(file.clusters, context?.cluster, 'cluster')['certificate-authority-data'];
  return { ...credentialsOfUser(content, reference, host), ...(typeof ca === 'string' && ca !== '' ? { ca: base64(ca) } : {}) };
}

function partsInUse(file: KubeconfigFile): {
  readonly context: Readonly<Record<string, unknown>> | undefined;
  readonly user: KubeconfigItem | undefined;
} {
  const item = contextInUse(file);
  const context = isRecord(item?.context) ? item.context : undefined;
  return { context, user: file.users?.find(({ name }) => name === context?.user) };
}

function contentOf(list: readonly KubeconfigItem[] | undefined, name: unknown, part: string): Readonly<Record<string, unknown>> {
  const content = list?.find((item) => item.name === name)?.[part];
  return isRecord(content) ? content : {};
}

function credentialsOfUser(user: Readonly<Record<string, unknown>>, reference: SecretReference, host: string): Credentials {
  const { token, username, password, 'client-certificate-data': cert, 'client-key-data': key } = user;
  const hasCert = typeof cert === 'string' && cert !== '';
  const hasKey = typeof key === 'string' && key !== '';
  if (hasCert !== hasKey) throw invalid(reference, host, 'holds a half of a certificate and its key', 'add the other half');
  const pair = hasCert && hasKey ? { cert: base64(cert), key: base64(key) } : {};
  if (typeof token === 'string' && token !== '') return { token, ...pair };
  if (typeof username === 'string' && typeof password === 'string') return { basic: { username, password }, ...pair };
  if (hasCert) return pair;
  throw invalid(
    reference,
    host,
    'its kubeconfig has no credentials in its current context',
    'add a token or a client certificate',
  );
}

const base64 = (text: string): string => Buffer.from(text, 'base64').toString('utf8');

function invalid({ namespace, name }: SecretReference, cluster: string, message: string, mend: string): ClustersetError {
  return new ClustersetError({ code: 'Invalid', message, cluster, object: { kind: 'Secret', namespace, name }, mend });
}
