import { type AnyObject, checkDnsSubdomain, checkLabelKey, checkLabelValue, deepEqual, isRecord } from '../../kube/index.ts';
import { KINDS } from '../kinds/index.ts';
import type { Served } from './catalogue.ts';
import { badRequest, type FieldProblem, forbiddenField, invalidValue, required } from './failures.ts';

/** Checks that a body is an object of the type that the path names, and gives it the names that it leaves out. */
export function decoded(body: unknown, served: Served, namespace: string | undefined): AnyObject {
  if (!isRecord(body)) throw badRequest('the body of the request is no object');
  const { group, version, kind, scope } = served.type;
  const apiVersion = group === '' ? version : `${group}/${version}`;
  if (body.apiVersion !== undefined && body.apiVersion !== '' && body.apiVersion !== apiVersion) {
    throw badRequest(
      `the API version in the data (${String(body.apiVersion)}) does not match the expected API version (${apiVersion})`,
    );
  }
  if (body.kind !== undefined && body.kind !== '' && body.kind !== kind) {
    throw badRequest(
      `${String(body.kind)} in version "${version}" cannot be handled as a ${kind}: no kind "${String(body.kind)}" is registered for version "${apiVersion}"`,
    );
  }
  const metadata = isRecord(body.metadata) ? body.metadata : {};
  const given = typeof metadata.namespace === 'string' ? metadata.namespace : '';
  if (scope === 'Namespaced' && given !== '' && given !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  const { namespace: _, ...rest } = metadata;
  return {
    ...body,
    apiVersion,
    kind,
    metadata: { ...rest, ...(scope === 'Namespaced' && namespace !== undefined ? { namespace } : {}) },
  } as unknown as AnyObject;
}

/** What is wrong with metadata (API: apimachinery ValidateObjectMeta). */
export function metadataProblems(object: AnyObject, served: Served, old: AnyObject | undefined): readonly FieldProblem[] {
  const { name, labels = {}, annotations = {} } = object.metadata;
  const problems: FieldProblem[] = [];
  if ((name ?? '') === '') problems.push(required('metadata.name', 'name or generateName is required'));
  else if (old === undefined) {
    const check =
      KINDS[served.collection]?.checkName ??
      (served.type.group === 'rbac.authorization.k8s.io' ? checkPathSegment : checkDnsSubdomain);
    problems.push(...check(name).map((message) => invalidValue('metadata.name', name, message)));
  }
  for (const [key, value] of Object.entries(labels)) {
    for (const message of checkLabelKey(key)) problems.push(invalidValue('metadata.labels', key, message));
    for (const message of checkLabelValue(value)) problems.push(invalidValue('metadata.labels', value, message));
  }
  problems.push(...annotationProblems(annotations), ...ownerProblems(object));
  return old === undefined ? problems : [...problems, ...finalizerProblems(object, old)];
}

function checkPathSegment(name: string): readonly string[] {
  return ['/', '%'].filter((character) => name.includes(character)).map((character) => `may not contain '${character}'`);
}

const MOST_ANNOTATION_BYTES = 256 * 1024;

function annotationProblems(annotations: Readonly<Record<string, string>>): readonly FieldProblem[] {
  const entries = Object.entries(annotations);
  const size = entries.reduce((total, [key, value]) => total + key.length + value.length, 0);
  const problems = entries.flatMap(([key]) =>
    checkLabelKey(key.toLowerCase()).map((message) => invalidValue('metadata.annotations', key, message)),
  );
  if (size <= MOST_ANNOTATION_BYTES) return problems;
  return [
    ...problems,
    { type: 'TooLong', field: 'metadata.annotations', body: `Too long: may not be more than ${MOST_ANNOTATION_BYTES} bytes` },
  ];
}

function ownerProblems(object: AnyObject): readonly FieldProblem[] {
  const owners = object.metadata.ownerReferences ?? [];
  const controllers = owners.filter(({ controller }) => controller === true);
  const problems = owners.flatMap((owner, index) =>
    (['apiVersion', 'kind', 'name', 'uid'] as const)
      .filter((field) => (owner[field] ?? '') === '')
      .map((field) => invalidValue(`metadata.ownerReferences[${index}].${field}`, '', `${field} must not be empty`)),
  );
  if (controllers.length < 2) return problems;
  const names = controllers.map(({ kind, name }) => `"${kind}/${name}"`).join(', ');
  return [
    ...problems,
    invalidValue(
      'metadata.ownerReferences',
      owners,
      `Only one reference can have Controller set to true. Found "true" in references for ${names}`,
    ),
  ];
}

function finalizerProblems(object: AnyObject, old: AnyObject): readonly FieldProblem[] {
  if (old.metadata.deletionTimestamp === undefined) return [];
  const before = new Set(old.metadata.finalizers ?? []);
  const added = (object.metadata.finalizers ?? []).filter((finalizer) => !before.has(finalizer));
  if (added.length === 0) return [];
  const list = added.map((finalizer) => JSON.stringify(finalizer)).join(', ');
  return [
    forbiddenField(
      'metadata.finalizers',
      `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`,
    ),
  ];
}

/** What of an object a generation counts: everything but metadata, and status where it is a subresource. */
export function isSpecChanged(object: AnyObject, old: AnyObject, served: Served): boolean {
  const hasStatus = served.subresources.has('status');
  const spec = ({ metadata: _m, status, apiVersion: _a, ...rest }: AnyObject): unknown =>
    hasStatus ? rest : { ...rest, status };
  return !deepEqual(spec(object), spec(old));
}
