import {
  type AnyObject,
  checkDnsSubdomain,
  checkLabelKey,
  checkLabelValue,
  compareText,
  deepEqual,
  isRecord,
} from '../../kube/index.ts';
import { KINDS } from '../kinds/index.ts';
import type { Served } from './catalogue.ts';
import {
  badRequest,
  type FieldProblem,
  forbiddenField,
  invalidValue,
  required,
  type Undecodable,
  undecodable,
} from './failures.ts';

/** Checks that a body is an object of the type that the path names, and gives it the names that it leaves out. */
export function decoded(
  body: unknown,
  served: Served,
  namespace: string | undefined,
  fail: Undecodable = undecodable(served.type, body ?? {}),
  isStrict = true,
): AnyObject {
  if (!isRecord(body)) throw badRequest('the body of the request is no object');
  const { group, version, kind, scope } = served.type;
  const apiVersion = group === '' ? version : `${group}/${version}`;
  checkKind(body, served, apiVersion, fail, isStrict);
  if (body.apiVersion !== undefined && body.apiVersion !== '' && body.apiVersion !== apiVersion) {
    throw badRequest(
      `the API version in the data (${String(body.apiVersion)}) does not match the expected API version (${apiVersion})`,
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

const MOST_SHOWN = 30;

/** Built-in kinds are known by the path, too; an object of another must say what it is. */
function checkKind(
  body: Readonly<Record<string, unknown>>,
  { type, custom }: Served,
  apiVersion: string,
  fail: Undecodable,
  isStrict: boolean,
): void {
  const [given, version] = [String(body.kind ?? ''), String(body.apiVersion ?? '') || apiVersion];
  const text = JSON.stringify(body);
  if (given === '' && custom !== undefined) {
    const why = `Object 'Kind' is missing in '${text}'`;
    if (!isStrict) throw fail(why);
    const summary = text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)} ...` : text;
    throw badRequest(`the object provided is unrecognized (must be of type ${type.kind}): ${why} (${summary})`);
  }
  const isKnown = (given === '' || given === type.kind) && (custom !== undefined || version === apiVersion);
  if (isKnown) return;
  throw fail(`no kind "${given || type.kind}" is registered for version "${version}" in scheme "${SCHEME}"`);
}

/** Where the server's code keeps its kinds: messages say so. */
const SCHEME = 'pkg/runtime/scheme.go:111';

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
  for (const [key, value] of Object.entries(labels).toSorted(([a], [b]) => compareText(a, b))) {
    for (const message of checkLabelKey(key)) problems.push(invalidValue('metadata.labels', key, message));
    for (const message of checkLabelValue(value)) problems.push(invalidValue('metadata.labels', value, message));
  }
  problems.push(...annotationProblems(annotations), ...ownerProblems(object), ...finalizerNameProblems(object));
  problems.push(...unqualifiedProblems(object, served));
  return old === undefined ? problems : [...problems, ...finalizerProblems(object, old)];
}

function checkPathSegment(name: string): readonly string[] {
  return ['/', '%'].filter((character) => name.includes(character)).map((character) => `may not contain '${character}'`);
}

const MOST_ANNOTATION_BYTES = 256 * 1024;

function annotationProblems(annotations: Readonly<Record<string, string>>): readonly FieldProblem[] {
  const entries = Object.entries(annotations).toSorted(([a], [b]) => compareText(a, b));
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
  const [first] = owners.filter(({ controller }) => controller === true);
  return owners.flatMap((owner) => {
    const problems = (['apiVersion', 'kind', 'name', 'uid'] as const)
      .filter((field) => (owner[field] ?? '') === '')
      .map((field) => {
        const what = field === 'apiVersion' ? 'version ' : '';
        return invalidValue(`metadata.ownerReferences.${field}`, '', `${what}must not be empty`);
      });
    if (owner.controller !== true || owner === first) return problems;
    const both = `${first?.kind}/${first?.name} and ${owner.kind}/${owner.name}`;
    const detail = `Only one reference can have Controller set to true. Found "true" in references for ${both}`;
    return [...problems, invalidValue('metadata.ownerReferences', owners, detail)];
  });
}

function finalizerNameProblems({ metadata }: AnyObject): readonly FieldProblem[] {
  return (metadata.finalizers ?? []).flatMap((finalizer) =>
    checkLabelKey(finalizer).map((message) => invalidValue('metadata.finalizers', finalizer, message)),
  );
}

/** Kinds of others, and a few of Kubernetes itself, may have finalizers without a domain. */
function unqualifiedProblems({ metadata }: AnyObject, { custom, collection }: Served): readonly FieldProblem[] {
  if (custom !== undefined || LENIENT.has(collection)) return [];
  return (metadata.finalizers ?? []).flatMap((finalizer, index) =>
    finalizer.includes('/') || STANDARD_FINALIZERS.has(finalizer)
      ? []
      : [invalidValue(`metadata.finalizers[${index}]`, finalizer, UNQUALIFIED)],
  );
}

const UNQUALIFIED = 'name is neither a standard finalizer name nor is it fully qualified';
/** Finalizers of Kubernetes itself, which have no domain. */
export const STANDARD_FINALIZERS: ReadonlySet<string> = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);
const LENIENT: ReadonlySet<string> = new Set(['leases.coordination.k8s.io', 'customresourcedefinitions.apiextensions.k8s.io']);

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
  if (!deepEqual(spec(object), spec(old))) return true;
  // Annotations of Deployments tell their controller something.
  return served.collection === 'deployments.apps' && !deepEqual(object.metadata.annotations, old.metadata.annotations);
}
