import { CLUSTER_ID_PROPERTY, CLUSTERSET_PROPERTY, ClusterProperty, clusterProperty, type MemberFacts } from 'clusterset/about';
import { type AnyObject, type Cluster, type CustomResourceDefinition, resourceType } from 'clusterset/kube';
import fc from 'fast-check';

const CRDS = resourceType('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', 'Cluster');

/** Installs the About API, in all its versions or some. */
export async function install(cluster: Cluster, versions: readonly string[] = ['v1alpha1', 'v1beta1']): Promise<void> {
  const crd = ClusterProperty.crd();
  const chosen = crd.spec.versions.filter(({ name }) => versions.includes(name));
  const served: CustomResourceDefinition = {
    ...crd,
    spec: { ...crd.spec, versions: chosen.map((version, index) => ({ ...version, storage: index === chosen.length - 1 })) },
  };
  await cluster.create(CRDS, served as unknown as AnyObject);
}

export const withId = (value: string): ClusterProperty => clusterProperty(CLUSTER_ID_PROPERTY, value);
export const withSet = (value: string): ClusterProperty => clusterProperty(CLUSTERSET_PROPERTY, value);

/** A property as upstream's CRD admits it: its spec is missing. */
export const saysNothing = (name: string): ClusterProperty => ({
  apiVersion: 'about.k8s.io/v1beta1',
  kind: 'ClusterProperty',
  metadata: { name },
});

/** A member `eu-1` of `shop`, with the id and uid that are given. */
export function member(cluster: string, id?: string, clusterSet?: string, uid?: string): MemberFacts {
  return {
    cluster,
    state: 'read',
    properties: [...(id === undefined ? [] : [withId(id)]), ...(clusterSet === undefined ? [] : [withSet(clusterSet)])],
    ...(uid === undefined ? {} : { uid }),
  };
}

const anyValue = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('eu-1', 'us-1', 'shop', 'a.b', 'a.b.c', 'x'.repeat(64), 'EU_1') },
  { weight: 4, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 300 }) },
  { weight: 2, arbitrary: fc.constantFrom('\u0000\u001b[31m', ' ', '\u202e', '𝄞'.repeat(70_000), '\ud834', '{"a":[', '1e999') },
  { weight: 1, arbitrary: fc.constant('x'.repeat(3_000_000)) },
);

const anyName = fc.constantFrom(
  CLUSTER_ID_PROPERTY,
  CLUSTERSET_PROPERTY,
  'id.k8s.io',
  'fingerprint.example.com',
  'bare',
  '__proto__',
);

const GOING = { deletionTimestamp: '2026-01-01T00:00:00Z' };

/** Whatever upstream's CRD admits: any value, or no spec at all, and unknown metadata. */
export const admittedProperty: fc.Arbitrary<ClusterProperty> = fc
  .record({
    apiVersion: fc.constantFrom('about.k8s.io/v1beta1', 'about.k8s.io/v1alpha1'),
    kind: fc.constant('ClusterProperty'),
    metadata: fc.tuple(anyName, fc.nat(9)).map(([name, chance]) => ({ name, ...(chance === 0 ? GOING : {}) })),
    spec: fc.option(fc.record({ value: anyValue }), { nil: undefined }),
  })
  .map(({ spec, ...rest }) => (spec === undefined ? rest : { ...rest, spec })) as fc.Arbitrary<ClusterProperty>;
