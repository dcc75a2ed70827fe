import {
  type AnyObject,
  type Condition,
  compareText,
  type Draft,
  findCondition,
  isRecord,
  stableStringify,
} from '../../kube/plain/index.ts';
import { type Fields, listOf, part } from '../kinds/kind.ts';
import { controllerReference } from './dependents.ts';

export const specOf = (object: AnyObject): Fields => part(object, 'spec');
export const statusOf = (object: AnyObject): Fields => part(object, 'status');

export function numberIn(fields: Fields, name: string, fallback = 0): number {
  const value = fields[name];
  return typeof value === 'number' ? value : fallback;
}

export function textIn(fields: Fields, name: string): string {
  const value = fields[name];
  return typeof value === 'string' ? value : '';
}

export const conditionsOf = (object: AnyObject): readonly Condition[] =>
  listOf(statusOf(object), 'conditions') as unknown as readonly Condition[];

export const phaseOf = (pod: AnyObject): string => textIn(statusOf(pod), 'phase');
export const nodeOf = (pod: AnyObject): string => textIn(specOf(pod), 'nodeName');
export const isTerminal = (pod: AnyObject): boolean => phaseOf(pod) === 'Succeeded' || phaseOf(pod) === 'Failed';
export const isLeaving = (pod: AnyObject): boolean => pod.metadata.deletionTimestamp !== undefined;
export const isActive = (pod: AnyObject): boolean => !isTerminal(pod) && !isLeaving(pod);
export const isPodReady = (pod: AnyObject): boolean => findCondition(conditionsOf(pod), 'Ready')?.status === 'True';

const SECOND = 1000;

/** Whether a pod has been ready for the seconds that its controller asks for. */
export function isAvailable(pod: AnyObject, minReadySeconds: number, now: number): boolean {
  const ready = findCondition(conditionsOf(pod), 'Ready');
  if (ready?.status !== 'True') return false;
  return minReadySeconds === 0 || Date.parse(ready.lastTransitionTime ?? '') + minReadySeconds * SECOND <= now;
}

/** A pod that its controller makes from a template. */
export function podFrom(owner: AnyObject, template: Fields, labels: Readonly<Record<string, string>> = {}): Draft<AnyObject> {
  const metadata = part(template, 'metadata');
  const given = isRecord(metadata.annotations) ? { annotations: metadata.annotations as Readonly<Record<string, string>> } : {};
  const { namespace = '', name } = owner.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `${name}-`,
      namespace,
      labels: { ...(metadata.labels as Readonly<Record<string, string>> | undefined), ...labels },
      ...given,
      ...(Array.isArray(metadata.finalizers) ? { finalizers: metadata.finalizers as readonly string[] } : {}),
      ownerReferences: [controllerReference(owner)],
    },
    spec: part(template, 'spec'),
  };
}

/** Older pods first; those of one second by name. */
export function byAge(a: AnyObject, b: AnyObject): number {
  return (
    compareText(a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '') ||
    compareText(a.metadata.name, b.metadata.name)
  );
}

/** The letters of names that Kubernetes generates, in the order of its safe encoding (API: apimachinery util/rand). */
const LETTERS = 'bcdfghjklmnpqrstvwxz2456789';

/**
 * The hash of a template, in Kubernetes' alphabet. Its value isn't that of a real controller, which hashes how Go prints the structure.
 */
export function templateHash(template: Fields, collisions = 0): string {
  let hash = 0x811c9dc5;
  for (const letter of stableStringify([template, collisions])) {
    hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  return [...String(hash)].map((digit) => LETTERS[(digit.codePointAt(0) ?? 0) % LETTERS.length] ?? '').join('');
}

/** Counts that are nothing are left out, as Go leaves them out. */
export function counted(counts: Readonly<Record<string, number>>): Fields {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0));
}

/** A number, or a part of a total such as `25%` (API: apimachinery IntOrString). */
export function scaledValue(value: unknown, total: number, roundUp: boolean): number {
  if (typeof value === 'number') return value;
  const percent = /^(\d+)%$/.exec(typeof value === 'string' ? value : '')?.[1];
  if (percent === undefined) return 0;
  const exact = (Number(percent) * total) / 100;
  return roundUp ? Math.ceil(exact) : Math.floor(exact);
}
