import { type ClusterSource, ClustersetError } from '../../kube/index.ts';
import type { ClusterEntry } from '../../registry/index.ts';
import { staticSource } from '../../runtime/index.ts';
import { readKubeconfig } from '../kubeconfig.ts';

/** What {@link kubeconfigSource} takes. */
export interface KubeconfigSourceOptions {
  /** Default: `$KUBECONFIG`, or `~/.kube/config`. */
  readonly kubeconfig?: string;
  /** The contexts that are clusters of the set, each by its own name. Default: all. */
  readonly contexts?: readonly string[];
  /** Labels by context, for placement. */
  readonly labels?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/**
 * The contexts of a kubeconfig as clusters. The file is read once, now.
 *
 * @throws ClustersetError `Invalid` where the kubeconfig can't be read, or has no context of a name.
 */
export async function kubeconfigSource(options: KubeconfigSourceOptions = {}): Promise<ClusterSource<ClusterEntry>> {
  const { kubeconfig, labels = {} } = options;
  const { contexts: known, files } = await readKubeconfig(kubeconfig);
  const { contexts = known } = options;
  const missing = contexts.find((context) => !known.includes(context));
  if (missing !== undefined) {
    throw new ClustersetError({
      code: 'Invalid',
      message: `kubeconfig ${files.join(', ')}: has no context "${missing}"`,
      mend: `it has ${known.join(', ') || 'none at all'}`,
    });
  }
  const entries = contexts.map((name): ClusterEntry => {
    const own = labels[name];
    const auth = { context: name, ...(kubeconfig === undefined ? {} : { kubeconfig }) };
    return { name, auth, ...(own === undefined ? {} : { labels: { ...own } }) };
  });
  return staticSource(entries);
}
