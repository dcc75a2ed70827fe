import { z } from 'zod';
import {
  checkLabelKey,
  checkLabelValue,
  compareText,
  formatFieldPath,
  type Issue,
  isConditionTrue,
  parseQuantity,
  shapeError,
} from '../kube/index.ts';

const text = z.string().min(1);

const taint = z.object({
  key: text,
  value: z.string().exactOptional(),
  effect: z.enum(['NoSelect', 'NoSelectIfNew', 'PreferNoSelect', 'NoSchedule', 'PreferNoSchedule', 'NoExecute']),
  timeAdded: z.string().exactOptional(),
});

const condition = z.looseObject({
  type: text,
  status: z.string(),
  reason: z.string().exactOptional(),
  message: z.string().exactOptional(),
  lastTransitionTime: z.string().exactOptional(),
});

const endpoint = z.object({
  /** URL of the API server. */
  server: text,
  /** Clients in this range should use this endpoint; absent: everyone. */
  clientCIDR: z.string().exactOptional(),
  /** PEM bundle, base64. */
  caData: z.string().exactOptional(),
  /** The name that the server's certificate is checked for, where it isn't the one in the URL. */
  tlsServerName: text.exactOptional(),
  /** URL of a proxy: http, https or socks5. */
  proxyUrl: text.exactOptional(),
  /** What isn't checked of the server's certificate (API: core.kubefed.io disabledTLSValidations). `*`, which stands alone: nothing is checked. */
  disabledTLSValidations: z.array(z.enum(['*', 'SubjectName', 'ValidityPeriod'])).exactOptional(),
});

/** One way of a manager of clusters to give access (API: multicluster.x-k8s.io/v1alpha1 AccessProvider, KEP-5339). It holds nothing secret. */
const accessProvider = z.looseObject({
  name: text,
  cluster: z.looseObject({ server: z.string().exactOptional() }).exactOptional(),
});

/** Where credentials are, never the credentials themselves. */
const authReference = z.object({
  /** A context of a kubeconfig: the default one, or the file that `kubeconfig` names. */
  context: text.exactOptional(),
  kubeconfig: text.exactOptional(),
  /** A Secret of the host: with a kubeconfig under `key`, or with `token` (and `ca.crt`). */
  secret: z.object({ namespace: text, name: text, key: text.exactOptional() }).exactOptional(),
  /** Ways to get in that the inventory knows; whoever wants in must have a plugin for one of them. */
  accessProviders: z.array(accessProvider).exactOptional(),
  /** A service account of the cluster itself: the other credentials are used only to ask for its short-lived tokens. */
  serviceAccount: z
    .object({
      namespace: text,
      name: text,
      audiences: z.array(text).exactOptional(),
      expirationSeconds: z.int().min(600).exactOptional(),
    })
    .exactOptional(),
});

/** Schema of a {@link ClusterEntry}. Unknown fields are kept. */
export const clusterEntrySchema = z.looseObject({
  name: z.string(),
  labels: z.record(z.string(), z.string()).exactOptional(),
  properties: z.record(z.string(), z.string()).exactOptional(),
  taints: z.array(taint).exactOptional(),
  conditions: z.array(condition).exactOptional(),
  provider: text.exactOptional(),
  region: text.exactOptional(),
  zones: z.array(text).exactOptional(),
  capacity: z.record(z.string(), z.union([z.string(), z.number()])).exactOptional(),
  apis: z.array(text).exactOptional(),
  endpoints: z.array(endpoint).exactOptional(),
  auth: authReference.exactOptional(),
  kubernetesVersion: z.string().exactOptional(),
});

/**
 * What a cluster is, wherever that is written down: a fleet file, a registry, a kubeconfig. Every source of clusters is mapped to this one
 * shape, and every decision reads it.
 *
 * - `labels`: what selectors see. `properties`: facts under any name, compared by schedulers.
 * - `taints`, `conditions`: `Ready` is False or Unknown for a cluster that shouldn't get anything new; a cluster without conditions counts as ready.
 * - `capacity`: quantities by resource name. `apis`: what it serves, as `group/version/Kind`; absent where unknown.
 * - `endpoints`, `auth`: how to reach it; `auth` says where credentials are and never holds them.
 * - `kubernetesVersion`: the server's `gitVersion`, as it was last seen.
 */
export type ClusterEntry = Readonly<z.infer<typeof clusterEntrySchema>>;

/** One address of a cluster's API server, and how it is checked. */
export type ClusterEndpoint = Readonly<z.infer<typeof endpoint>>;

/** A way to get into a cluster that its inventory names (KEP-5339). */
export type AccessProviderReference = Readonly<z.infer<typeof accessProvider>>;

/** Longest name of a cluster, in characters: that of a Kubernetes object. */
const LONGEST_NAME = 253;

/**
 * Reads a fleet: a list of cluster entries, such as the content of a `fleet.yaml`. Returns them in the order of their names.
 *
 * @throws ClustersetError `Invalid`, with every problem and the path of its field: `[2].labels[-x]`.
 */
export function parseFleet(value: unknown): readonly ClusterEntry[] {
  const issues = fleetIssues(value);
  if (issues.length > 0) throw shapeError('Fleet', { metadata: { name: 'fleet' } }, issues);
  return (value as readonly ClusterEntry[]).toSorted((a, b) => compareText(a.name, b.name));
}

/** What is wrong with a fleet; nothing for a good one. */
export function fleetIssues(value: unknown): readonly Issue[] {
  if (!Array.isArray(value)) {
    return [{ field: '', message: 'a fleet is a list of clusters', mend: 'start each cluster with "- name: …"' }];
  }
  const result = z.array(clusterEntrySchema).safeParse(value);
  if (!result.success) {
    return result.error.issues.map((issue) => ({
      field: formatFieldPath(issue.path.map(String), value),
      message: issue.message.replace(/^Invalid input: /, ''),
    }));
  }
  const first = new Map<string, number>();
  return result.data.flatMap((entry, index) => {
    const earlier = first.get(entry.name);
    first.set(entry.name, earlier ?? index);
    const twice =
      earlier === undefined ? [] : [{ field: `[${index}].name`, message: `"${entry.name}" is also the name of [${earlier}]` }];
    return [...twice, ...entryIssues(entry as ClusterEntry).map((issue) => ({ ...issue, field: `[${index}].${issue.field}` }))];
  });
}

function entryIssues(entry: ClusterEntry): readonly Issue[] {
  const labels = Object.entries(entry.labels ?? {}).flatMap(([key, value]) =>
    [...checkLabelKey(key), ...checkLabelValue(value)].map((message) => ({ field: `labels[${key}]`, message })),
  );
  const capacity = Object.entries(entry.capacity ?? {}).flatMap(([resource, amount]) => {
    try {
      parseQuantity(String(amount));
      return [];
    } catch (error) {
      return [{ field: `capacity[${resource}]`, message: (error as Error).message }];
    }
  });
  return [...nameIssues(entry.name), ...labels, ...capacity];
}

/** A name may be that of a kubeconfig context, so more is allowed than for a Kubernetes object. */
function nameIssues(name: string): readonly Issue[] {
  if (name === '') return [{ field: 'name', message: 'must not be empty' }];
  if (name.length > LONGEST_NAME) return [{ field: 'name', message: `must be no more than ${LONGEST_NAME} characters` }];
  return /^[^\s,\p{Cc}]+$/u.test(name)
    ? []
    : [{ field: 'name', message: 'must not contain blanks, commas or control characters' }];
}

/** Whether the cluster should get anything: its condition `Ready` is True, or it has none. */
export function isReady(entry: ClusterEntry): boolean {
  const known = entry.conditions?.some((each) => each.type === 'Ready') ?? false;
  return !known || isConditionTrue(entry.conditions, 'Ready');
}
