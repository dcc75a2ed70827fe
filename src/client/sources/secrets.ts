import {
  type AnyObject,
  type ClusterReader,
  type ClusterSource,
  type ClusterWatcher,
  type Issue,
  isClustersetError,
  isRecord,
  type ObjectKey,
  resourceType,
} from '../../kube/index.ts';
import {
  type ClusterEntry,
  combineEntries,
  entryName,
  entryOfKubeconfigSecret,
  readKubeconfigFile,
} from '../../registry/index.ts';
import { type Clock, watchedObjects } from '../../runtime/index.ts';
import { parseKubeconfigYaml } from '../yaml.ts';

/** How somebody keeps kubeconfigs in Secrets. */
export interface KubeconfigSecrets {
  readonly labelSelector: string;
  readonly key: string;
  /** The name of the cluster that a Secret stands for; `undefined` where it stands for none. */
  readonly clusterOf: (secret: AnyObject) => string | undefined;
}

/** Secrets as multicluster-runtime knows them: labelled, with the kubeconfig under `kubeconfig`, and called like the cluster. */
export const KUBECONFIG_SECRETS: KubeconfigSecrets = {
  labelSelector: 'sigs.k8s.io/multicluster-runtime-kubeconfig=true',
  key: 'kubeconfig',
  clusterOf: ({ metadata }) => metadata.name,
};

const CLUSTER_API_LABEL = 'cluster.x-k8s.io/cluster-name';

/** The Secrets of Cluster API: `<cluster>-kubeconfig`, with the kubeconfig under `value`. Others with its label hold keys, and are none. */
export const CLUSTER_API_SECRETS: KubeconfigSecrets = {
  labelSelector: CLUSTER_API_LABEL,
  key: 'value',
  clusterOf: ({ metadata }) => {
    const cluster = metadata.labels?.[CLUSTER_API_LABEL];
    return cluster !== undefined && metadata.name === `${cluster}-kubeconfig` ? cluster : undefined;
  },
};

/** What {@link secretSource} takes. */
export interface SecretSourceOptions {
  /** The cluster that the Secrets are in. */
  readonly host: ClusterReader & ClusterWatcher;
  /** Default: {@link KUBECONFIG_SECRETS}. */
  readonly secrets?: KubeconfigSecrets;
  /** One namespace; all of them where it is absent, and then clusters are called `namespace/name`. */
  readonly namespace?: string;
  readonly clock?: Clock;
  /** Numbers from 0 up to 1, which spread retries. Default: `Math.random`. */
  readonly random?: () => number;
  /** Is told what could not be used, after each change; nothing of what the Secrets hold is quoted. */
  readonly onIssues?: (issues: readonly (Issue & { readonly object: ObjectKey })[]) => void;
  /** Is told when the Secrets can't be read. What was known stays. */
  readonly onError?: (error: unknown) => void;
}

const SECRETS = resourceType('v1', 'Secret', 'secrets');

/**
 * The clusters whose kubeconfigs are in Secrets of a host. Entries say which Secret; connecting reads it anew, so that credentials may rotate
 * without anybody leaving. A kubeconfig that would run a program or read a file here is refused.
 */
export function secretSource(options: SecretSourceOptions): ClusterSource<ClusterEntry> {
  const { host, secrets = KUBECONFIG_SECRETS, namespace, onIssues, ...rest } = options;
  return {
    async *watch(signal) {
      const which = { ...rest, cluster: host, type: SECRETS, namespace, labelSelector: secrets.labelSelector };
      for await (const objects of watchedObjects(which, signal as globalThis.AbortSignal)) {
        const issues: (Issue & { readonly object: ObjectKey })[] = [];
        const entries = objects.flatMap((secret) => entryOf(secret, secrets, namespace === undefined, issues));
        onIssues?.(issues);
        yield combineEntries([entries]).entries;
      }
    },
  };
}

function entryOf(
  secret: AnyObject,
  { key, clusterOf }: KubeconfigSecrets,
  isWide: boolean,
  issues: (Issue & { readonly object: ObjectKey })[],
): readonly ClusterEntry[] {
  const { name, namespace = '', labels } = secret.metadata;
  const cluster = clusterOf(secret);
  if (cluster === undefined) return [];
  const object = { namespace, name };
  const content = isRecord(secret.data) ? secret.data[key] : undefined;
  if (typeof content !== 'string') {
    issues.push({ object, field: `data[${key}]`, message: 'there is no kubeconfig', mend: 'put one there' });
    return [];
  }
  try {
    const parsed = parseKubeconfigYaml(Buffer.from(content, 'base64').toString('utf8'), `in Secret ${namespace}/${name}`);
    const { file, issues: found } = readKubeconfigFile(parsed);
    const mapped = entryOfKubeconfigSecret({
      name: entryName({ name: cluster, namespace }, isWide ? 'namespace/name' : 'name'),
      ...(labels === undefined ? {} : { labels }),
      secret: { namespace, name, key },
      file,
    });
    issues.push(...[...found, ...mapped.issues].map((issue) => ({ ...issue, object })));
    return mapped.entry === undefined ? [] : [mapped.entry];
  } catch (error) {
    if (!isClustersetError(error)) throw error;
    issues.push({ object, field: `data[${key}]`, message: error.detail, mend: 'correct it' });
    return [];
  }
}
