import { type Issue, isRecord } from '../../kube/index.ts';
import type { MappedCluster } from '../mapping/mapping.ts';
import { entriesOfKubeconfig, type KubeconfigFile } from './file.ts';

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
  const issues: Issue[] = [];
  const { entries, issues: found } = entriesOfKubeconfig(file);
  const current = file['current-context'];
  const context = current === undefined || current === '' ? onlyOf(entries.map((each) => each.name)) : current;
  const entry = entries.find((each) => each.name === context);
  issues.push(...found, ...selfContainedIssues(file));
  if (entry === undefined) {
    const message =
      context === undefined ? 'has no current context, and not exactly one to choose' : 'its current context can not be used';
    issues.push({ field: 'current-context', message, mend: 'name a context that has a cluster and a user' });
  }
  if (entry === undefined || selfContainedIssues(file).length > 0) return { entry: undefined, issues };
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

function onlyOf(names: readonly string[]): string | undefined {
  return names.length === 1 ? names[0] : undefined;
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
