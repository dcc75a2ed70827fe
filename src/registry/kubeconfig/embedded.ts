import { type Issue, isRecord } from '../../kube/index.ts';
import type { MappedCluster } from '../mapping/mapping.ts';
import { entriesOfKubeconfig, type KubeconfigFile, type KubeconfigItem } from './file.ts';

/** What {@link entryOfKubeconfigSecret} takes. */
export interface KubeconfigSecret {
  /** How the cluster is called. */
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly secret: { readonly namespace: string; readonly name: string; readonly key: string };
  readonly file: KubeconfigFile;
}

/** What of a kubeconfig would run or read something of this machine: whoever may write a Secret must not be able to. */
const FROM_THIS_MACHINE: Readonly<Record<'user' | 'cluster', readonly string[]>> = {
  user: ['exec', 'auth-provider', 'tokenFile', 'client-certificate', 'client-key'],
  cluster: ['certificate-authority'],
};

/**
 * The entry of a cluster whose kubeconfig is in a Secret, as Cluster API and multicluster-runtime keep them. Its current context counts, or
 * its only one. It must be whole in itself: a plugin to run, or the path of a file, would reach into the machine of whoever reads it, and is
 * refused.
 */
export function entryOfKubeconfigSecret({ name, labels, secret, file }: KubeconfigSecret): MappedCluster {
  const { entries, issues: found } = entriesOfKubeconfig(file);
  const context = contextInUse(file)?.name;
  const entry = entries.find((each) => each.name === context);
  const unsafe = selfContainedIssues(file);
  const issues: Issue[] = [...found, ...unsafe];
  if (entry === undefined) {
    const message =
      context === undefined ? 'has no current context, and not exactly one to choose' : 'its current context can not be used';
    issues.push({ field: 'current-context', message, mend: 'name a context that has a cluster and a user' });
  }
  if (entry === undefined || unsafe.length > 0) return { entry: undefined, issues };
  const { endpoints } = entry;
  return {
    entry: {
      name,
      ...(labels === undefined || Object.keys(labels).length === 0 ? {} : { labels: { ...labels } }),
      ...(endpoints === undefined ? {} : { endpoints }),
      auth: { secret: { ...secret } },
    },
    issues,
  };
}

/** The context that counts where nobody names one: the current one, or, where none is set, the only one. */
export function contextInUse({ contexts = [], 'current-context': current = '' }: KubeconfigFile): KubeconfigItem | undefined {
  if (current === '') return contexts.length === 1 ? contexts[0] : undefined;
  return contexts.find(({ name }) => name === current);
}

/** What in a kubeconfig is more than data. Values aren't quoted. */
export function selfContainedIssues(file: KubeconfigFile): readonly Issue[] {
  return (['user', 'cluster'] as const).flatMap((part) =>
    (file[`${part}s`] ?? []).flatMap((item): readonly Issue[] => {
      const content = isRecord(item[part]) ? item[part] : {};
      return FROM_THIS_MACHINE[part]
        .filter((field) => content[field] !== undefined && content[field] !== '')
        .map((field) => ({
          field: `${part}s[${item.name}].${part}.${field}`,
          message: 'is not followed: a kubeconfig from a Secret must be whole in itself',
          mend: 'use a token, or data in place of files',
        }));
    }),
  );
}
