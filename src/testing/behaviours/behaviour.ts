import {
  type AnyObject,
  type Cluster,
  deepEqual,
  diff,
  type ErrorCode,
  isClustersetError,
  type ObjectMeta,
  resourceType,
} from '../../kube/plain/index.ts';

/** What a behaviour case is run with. */
export interface BehaviourContext {
  readonly cluster: Cluster;
  /** A namespace of its own. */
  readonly namespace: string;
  /** A name that nobody else uses, also for cluster-scoped objects. */
  unique(prefix: string): string;
}

/**
 * One thing that every cluster behind the port does, real or offline. Cases are data: any test framework can run them, and anybody who writes
 * an adapter.
 */
export interface Behaviour {
  readonly name: string;
  /** Where it is written down. */
  readonly source: string;
  /** Does it, and throws where the cluster answers otherwise. */
  check(context: BehaviourContext): Promise<void>;
}

export const configMaps = resourceType('v1', 'ConfigMap', 'configmaps');
export const deployments = resourceType('apps/v1', 'Deployment', 'deployments');
export const services = resourceType('v1', 'Service', 'services');
export const namespaces = resourceType('v1', 'Namespace', 'namespaces', 'Cluster');
export const crds = resourceType('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', 'Cluster');

/** A ConfigMap; metadata is laid over its name and namespace. */
export function configMap(
  namespace: string,
  name: string,
  data: Record<string, string> = {},
  metadata: Partial<ObjectMeta> = {},
): AnyObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name, ...metadata }, data };
}

/** A Deployment of one container. */
export function deployment(namespace: string, name: string, spec: Record<string, unknown> = {}): AnyObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace, name },
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'web', image: 'shop/web:1', ports: [{ containerPort: 80 }] }] },
      },
      ...spec,
    },
  };
}

/** Fails with what differs. */
export function same(actual: unknown, expected: unknown, what = 'the result'): void {
  if (deepEqual(actual, expected)) return;
  const changes = diff(expected, actual).map(
    ({ path, before, after }) => `  ${path}: expected ${JSON.stringify(before)}, found ${JSON.stringify(after)}`,
  );
  throw new Error(`${what} is not as expected:\n${changes.join('\n')}`);
}

/** Fails unless the claim holds. */
export function holds(claim: boolean, what: string): void {
  if (!claim) throw new Error(`expected: ${what}`);
}

/** Runs what must fail, and compares the code, the HTTP status, the message (without the cluster) and the causes. */
export async function fails(
  act: () => Promise<unknown>,
  expected: {
    readonly code: ErrorCode;
    readonly status: number;
    readonly message?: string | RegExp;
    readonly issues?: readonly { readonly field: string; readonly reason: string; readonly message?: string }[];
  },
): Promise<void> {
  const error = await act().then(
    (value) => {
      throw new Error(`expected ${expected.code}, but it succeeded: ${JSON.stringify(value)?.slice(0, 200)}`);
    },
    (failure: unknown) => failure,
  );
  if (!isClustersetError(error)) throw error;
  same(
    { code: error.code, status: error.status },
    { code: expected.code, status: expected.status },
    `the failure "${error.message}"`,
  );
  const { message } = expected;
  if (typeof message === 'string') same(error.detail, message, 'the message');
  else if (message !== undefined) holds(message.test(error.detail), `a message like ${message}, found "${error.detail}"`);
  if (expected.issues === undefined) return;
  // The server says some things twice.
  const unique = new Map(error.issues.map((issue) => [`${issue.field} ${issue.reason} ${issue.message}`, issue]));
  const issues = [...unique.values()].map(({ field, reason = '', message: text }) => ({ field, reason, message: text }));
  same(
    issues.map((issue, index) =>
      expected.issues?.[index]?.message === undefined ? { field: issue.field, reason: issue.reason } : issue,
    ),
    expected.issues,
    'the causes',
  );
}
