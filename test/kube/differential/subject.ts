import type { Fields } from './step.ts';

/** A kind that sequences are about, and what can be done to its objects. */
export interface Subject {
  readonly kind: string;
  readonly apiVersion: string;
  /** Path of the collection. */
  readonly collection: string;
  /** Paths of the collection in other versions. */
  readonly versions?: readonly (readonly [apiVersion: string, collection: string])[];
  readonly names: readonly string[];
  /** The least that an object needs. */
  readonly base: Fields;
  /** What can be laid over it, as merge patches. */
  readonly changes: readonly Fields[];
  /** What makes an object, or a change, wrong. */
  readonly wrong: readonly Fields[];
  /** Fields that the kind hasn't. */
  readonly unknown: readonly Fields[];
  readonly json: readonly unknown[];
  /** Strategic patches; none for custom resources. */
  readonly strategic: readonly Fields[];
  /** What can be applied, on top of what the kind needs. */
  readonly applied: readonly Fields[];
  /** Changes of a status. Kinds without the subresource have none. */
  readonly status: readonly Fields[];
  readonly hasScale?: true;
  /** Selectors by field, right and wrong ones. */
  readonly fieldSelectors: readonly string[];
}

const uid = (digit: string): string => `${digit.repeat(8)}-1111-4111-8111-${digit.repeat(12)}`;
const owner = (name: string, digit: string, more: Fields = {}): Fields => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name,
  uid: uid(digit),
  ...more,
});

/** Metadata that any object may have. */
export const METADATA: readonly Fields[] = [
  { labels: { app: 'web' } },
  { labels: { app: 'db', tier: 'back' } },
  { labels: { tier: 'front' } },
  { labels: { app: null } },
  { labels: null },
  { annotations: { note: 'one' } },
  { annotations: { note: 'two', other: 'x' } },
  { annotations: { other: null } },
  { annotations: null },
  { finalizers: ['example.test/one'] },
  { finalizers: ['example.test/one', 'example.test/two'] },
  { finalizers: ['example.test/two'] },
  { finalizers: null },
  { finalizers: [] },
  { ownerReferences: [owner('o1', '1')] },
  { ownerReferences: [owner('o1', '1', { controller: true, blockOwnerDeletion: true }), owner('o2', '2')] },
  { ownerReferences: [owner('o2', '2', { controller: true })] },
  { ownerReferences: null },
];

/** Metadata that can be applied: without nulls, which an apply knows nothing of. */
export const APPLIED_METADATA: readonly Fields[] = METADATA.filter((each) => !JSON.stringify(each).includes('null'));

export const WRONG_METADATA: readonly Fields[] = [
  { labels: { '-bad': 'x' } },
  { labels: { app: 'not a value!' } },
  { labels: { app: 'x'.repeat(64) } },
  { labels: { 'a/b/c': 'x' } },
  { annotations: { 'no way': 'x' } },
  { finalizers: ['unqualified'] },
  { finalizers: ['not a name/x'] },
  { ownerReferences: [owner('o1', '1', { controller: true }), owner('o2', '2', { controller: true })] },
  { ownerReferences: [owner('', '1')] },
  { ownerReferences: [{ kind: 'ConfigMap', name: 'o1', uid: '' }] },
  { labels: { app: 5 } },
  { labels: ['app'] },
  { annotations: { note: true } },
  { finalizers: 'example.test/one' },
  { name: 'another-name' },
  { name: 'Not_A_Name' },
  { namespace: 'another-namespace' },
  { generation: 17 },
  { selfLink: '/somewhere' },
  { creationTimestamp: '2020-01-01T00:00:00Z' },
  { deletionTimestamp: '2020-01-01T00:00:00Z' },
];

export const metadataPatches = (kind: string): readonly unknown[] => [
  [{ op: 'add', path: '/metadata/labels', value: { j: '1' } }],
  [{ op: 'add', path: '/metadata/labels/j', value: '2' }],
  [{ op: 'remove', path: '/metadata/labels/j' }],
  [{ op: 'remove', path: '/metadata/labels' }],
  [{ op: 'replace', path: '/metadata/annotations/none', value: 'x' }],
  [{ op: 'test', path: '/metadata/name', value: 'nobody' }],
  [
    { op: 'test', path: '/kind', value: kind },
    { op: 'add', path: '/metadata/annotations', value: { 'a/b': 'tested' } },
  ],
  [{ op: 'replace', path: '/metadata/annotations/a~1b', value: 'replaced' }],
  [{ op: 'move', from: '/metadata/labels/j', path: '/metadata/labels/k' }],
  [{ op: 'copy', from: '/metadata/labels', path: '/metadata/annotations' }],
  [{ op: 'add', path: '/metadata/finalizers', value: ['example.test/j'] }],
  [{ op: 'add', path: '/metadata/finalizers/-', value: 'example.test/k' }],
  [{ op: 'remove', path: '/metadata/finalizers/0' }],
  [{ op: 'frobnicate', path: '/metadata/labels' }],
  [{ op: 'add', path: 'metadata/labels', value: {} }],
  [{ op: 'add', value: {} }],
  { op: 'add', path: '/metadata/labels', value: {} },
  [{ op: 'add', path: '/metadata/labels', value: 'text' }],
  [],
];
