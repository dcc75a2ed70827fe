import {
  type AnyObject,
  apiVersionOf,
  base64Encode,
  ClustersetError,
  formatFieldPath,
  isRecord,
  parseApiVersion,
  type ResourceType,
  unsafeIntegers,
  utf8,
} from '../kube/index.ts';
import { type FederatedObject, MANAGED_LABEL, OWNER_ANNOTATION } from './api.ts';
import type { RenderIssue } from './issue.ts';

/** Why a field of a template's metadata is left out. All but labels and annotations are. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  finalizers: 'finalizers belong to the member cluster',
  ownerReferences: 'owner references name uids of another cluster',
};
/** Left out without a word: they say what is known anyway, or nothing. */
const SILENT: ReadonlySet<string> = new Set(['name', 'namespace', 'creationTimestamp', 'labels', 'annotations']);

/** A template on its way to the members: the object before overrides, and what was left out of it. */
export interface Template {
  readonly base: AnyObject;
  readonly warnings: readonly string[];
}

/** The object that a template stands for: its own fields, the identity of the federated object, and the marks of management. */
export function baseObject(object: FederatedObject, target: ResourceType, owner: string): Template {
  const { apiVersion, kind: _kind, metadata: given, status, ...fields } = (object.spec.template ?? {}) as Record<string, unknown>;
  const metadata = isRecord(given) ? given : {};
  const { labels, annotations } = metadata as { labels?: Record<string, string>; annotations?: Record<string, string> };
  const base: AnyObject = {
    apiVersion: versionOf(apiVersion, target),
    kind: target.kind,
    metadata: {
      name: object.metadata.name,
      ...(target.scope === 'Namespaced' ? { namespace: object.metadata.namespace ?? '' } : {}),
      labels: { ...labels, [MANAGED_LABEL]: 'true' },
      annotations: { ...annotations, [OWNER_ANNOTATION]: owner },
    },
    ...fields,
  };
  const dropped = [
    ...Object.keys(metadata)
      .filter((field) => !SILENT.has(field))
      .map((field) => `spec.template.metadata.${field} is left out: ${LEFT_OUT[field] ?? 'it belongs to the member cluster'}`),
    ...(status === undefined ? [] : ['spec.template.status is left out: it belongs to the member cluster']),
  ];
  return { base, warnings: dropped };
}

/** The template's own apiVersion, as long as it is of the target's group; else the target's. */
function versionOf(apiVersion: unknown, target: ResourceType): string {
  const isOwn = typeof apiVersion === 'string' && apiVersion !== '' && parseApiVersion(apiVersion).group === target.group;
  return isOwn ? apiVersionOf(parseApiVersion(apiVersion)) : apiVersionOf(target);
}

/**
 * The object with the marks of management, whatever an override did to labels and annotations.
 *
 * @throws ClustersetError `Invalid` where an override made something else of them than maps of text.
 */
export function withMarks(object: AnyObject, base: AnyObject, cluster: string): AnyObject {
  const { metadata } = object;
  if (metadata === base.metadata) return object;
  for (const field of ['labels', 'annotations'] as const) checkTexts(metadata[field], `/metadata/${field}`, cluster);
  const label = base.metadata.labels?.[MANAGED_LABEL] ?? '';
  const owner = base.metadata.annotations?.[OWNER_ANNOTATION] ?? '';
  if (metadata.labels?.[MANAGED_LABEL] === label && metadata.annotations?.[OWNER_ANNOTATION] === owner) return object;
  return {
    ...object,
    metadata: {
      ...metadata,
      labels: withText(metadata.labels, MANAGED_LABEL, label),
      annotations: withText(metadata.annotations, OWNER_ANNOTATION, owner),
    },
  };
}

function withText(
  texts: Readonly<Record<string, string>> | undefined,
  name: string,
  text: string,
): Readonly<Record<string, string>> {
  return texts?.[name] === text ? texts : { ...texts, [name]: text };
}

function checkTexts(value: unknown, pointer: string, cluster: string): void {
  if (value === undefined || value === null) return;
  if (isRecord(value) && Object.values(value).every((text) => typeof text === 'string')) return;
  throw new ClustersetError({
    code: 'Invalid',
    message: `"${pointer}" becomes ${JSON.stringify(value)}, which is no map of text`,
    cluster,
    field: 'spec.overrides',
    mend: 'write the values in quotes',
  });
}

/** A Secret's `stringData` is write-only: as `data` it can be compared with what a cluster has. Other objects come back as they are. */
export function withEncodedData(object: AnyObject): AnyObject {
  if (object.kind !== 'Secret' || object.apiVersion !== 'v1' || !isRecord(object.stringData)) return object;
  const { stringData, ...rest } = object;
  const encoded = Object.entries(stringData).map(([name, value]) => [name, base64Encode(utf8(String(value)))]);
  return { ...rest, data: { ...(isRecord(rest.data) ? rest.data : {}), ...Object.fromEntries(encoded) } } as AnyObject;
}

/** Integers that JavaScript can't hold exactly: written as they were read, they would be others. */
export function precisionIssues(object: FederatedObject): readonly RenderIssue[] {
  return unsafeIntegers(object.spec).map((pointer) => ({
    field: formatFieldPath(['spec', ...pointer], object),
    message: 'an integer beyond 2^53 has lost its last digits when it was read',
    mend: 'write it as a string, where the type allows one',
  }));
}
