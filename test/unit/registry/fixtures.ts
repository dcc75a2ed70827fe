import type { AnyObject } from 'clusterset/kube';
import fc from 'fast-check';

/** A CA as fields of bytes hold it. */
export const CA = Buffer.from('-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n').toString('base64');

/** Names that reach into JavaScript's own objects, beside names that readers look for. */
const NAMES = ['__proto__', 'constructor', 'toString', 'name', 'server', 'type', 'status', 'cluster', 'extension', 'args'];

/** Any JSON, also under names like `__proto__`, which JSON.parse makes members like others. */
export const junk: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, 0, -1, '', ' ', '*', 'https://', '::/999', '[]', [null], [[]], [{}], {}),
  fc.object({
    key: fc.oneof(fc.constantFrom(...NAMES), fc.string()),
    values: [fc.string(), fc.integer(), fc.boolean(), fc.constant(null)],
    maxDepth: 3,
  }),
  fc.jsonValue({ maxDepth: 3 }),
);

type Path = readonly (string | number)[];

function pathsIn(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const children = Object.entries(value).flatMap(([name, child]) =>
    pathsIn(child, [...path, Array.isArray(value) ? Number(name) : name]),
  );
  return path.length === 0 ? children : [path, ...children];
}

function replaced(value: unknown, [name, ...rest]: Path, by: unknown): unknown {
  if (name === undefined) return by;
  if (Array.isArray(value)) return value.map((item, index) => (index === name ? replaced(item, rest, by) : item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, key === name ? replaced(child, rest, by) : child]));
}

/** A good value in which anything may stand in place of some fields: what CRDs without schemas, and files, let pass. */
export function spoiled(good: unknown): fc.Arbitrary<unknown> {
  const change = fc.tuple(fc.constantFrom(...pathsIn(good)), junk);
  return fc
    .array(change, { minLength: 1, maxLength: 4 })
    .map((changes) => changes.reduce((value, [path, by]) => replaced(value, path, by), good));
}

/** A Cluster of the registry in its last shape. */
export const registryCluster = (rest: Record<string, unknown> = {}, metadata: Record<string, unknown> = {}): AnyObject => ({
  apiVersion: 'clusterregistry.k8s.io/v1alpha1',
  kind: 'Cluster',
  metadata: { name: 'eu-1', namespace: 'inventory', ...metadata },
  ...rest,
});

export const clusterProfile = (status: Record<string, unknown> = {}, metadata: Record<string, unknown> = {}): AnyObject => ({
  apiVersion: 'multicluster.x-k8s.io/v1alpha1',
  kind: 'ClusterProfile',
  metadata: { name: 'eu-1', namespace: 'fleet', ...metadata },
  spec: { clusterManager: { name: 'ocm' } },
  status,
});

export const kubeFedCluster = (
  spec: Record<string, unknown> = {},
  status: Record<string, unknown> = {},
  metadata: Record<string, unknown> = {},
): AnyObject => ({
  apiVersion: 'core.kubefed.io/v1beta1',
  kind: 'KubeFedCluster',
  metadata: { name: 'eu-1', namespace: 'kube-federation-system', ...metadata },
  spec: { apiEndpoint: 'https://eu-1.example:6443', secretRef: { name: 'eu-1-token' }, ...spec },
  status,
});
