import {
  type AnyObject,
  apiVersionOf,
  checkDnsSubdomain,
  checkLabelKey,
  checkLabelValue,
  compareText,
  deepEqual,
  failure,
  isRecord,
  stableStringify,
} from '../../kube/plain/index.ts';
import { KINDS } from '../kinds/index.ts';
import { isOtherView } from '../kinds/views.ts';
import type { Served } from './catalogue.ts';
import {
  badRequest,
  type FieldProblem,
  forbiddenField,
  invalidValue,
  required,
  StatusError,
  type Undecodable,
  undecodable,
} from './failures.ts';

/** How a body came. */
export interface Reading {
  /** Whether fields are validated. Default: they are. */
  readonly isStrict?: boolean;
  /** Whether it is what a patch made of an object. */
  readonly isPatched?: boolean;
}

/** Checks that a body is an object of the type that the path names, and gives it the names that it leaves out. */
export function decoded(
  body: unknown,
  served: Served,
  namespace: string | undefined,
  fail: Undecodable = undecodable(served.type, body ?? {}),
  reading: Reading = {},
): AnyObject {
  if (!isRecord(body)) throw badRequest('the body of the request is no object');
  const { kind, scope } = served.type;
  const typeMeta = typeMetaOf(body, served, fail, reading);
  if (!isRecord(body.metadata ?? {})) {
    const type = Array.isArray(body.metadata) ? 'array' : typeof body.metadata;
    const field = served.custom === undefined ? `Go struct field ${kind}.metadata` : 'Go value';
    throw fail(`json: cannot unmarshal ${type === 'boolean' ? 'bool' : type} into ${field} of type v1.ObjectMeta`);
  }
  const { namespace: placed, ...metadata } = isRecord(body.metadata) ? body.metadata : {};
  const place = (placed ?? '') === '' ? namespace : placed;
  const isPlaced = scope === 'Namespaced' && namespace !== undefined;
  const named = { ...metadata, ...(isPlaced ? { namespace: place } : {}) };
  return { ...body, ...typeMeta, metadata: named } as unknown as AnyObject;
}

/** An object may say which namespace it is in, if it is the one that the path names. */
export function checkNamespaceOnUrl({ metadata }: AnyObject, { type }: Served, namespace: string | undefined): void {
  if (type.scope === 'Cluster' || namespace === undefined || metadata.namespace === namespace) return;
  throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
}

/** More levels than objects can have. Bodies are looked at before; a patch can make an object deeper than both. */
const MOST_LEVELS = 600;

/** Whether more lists and objects stand in one another than an object can have. */
export function isTooDeep(value: unknown, levels = MOST_LEVELS): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => isTooDeep(member, levels - 1));
}

const MOST_SHOWN = 30;

type Fields = Readonly<Record<string, unknown>>;

/** Built-in kinds are known by the path, too. */
function typeMetaOf(body: Fields, served: Served, fail: Undecodable, reading: Reading): Pick<AnyObject, 'apiVersion' | 'kind'> {
  const { type, custom } = served;
  if (custom !== undefined) return customTypeMeta(body, served, fail, reading);
  const apiVersion = apiVersionOf(type);
  const [given, version] = [String(body.kind ?? ''), String(body.apiVersion ?? '') || apiVersion];
  if ((given === '' || given === type.kind) && version === apiVersion) return { apiVersion, kind: type.kind };
  if ((given === '' || given === type.kind) && isOtherView(type, version)) checkVersionOnUrl({ apiVersion: version }, served);
  throw fail(`no kind "${given || type.kind}" is registered for version "${version}" in scheme "${SCHEME}"`);
}

/** An object of another kind must say what it is; whether it says the right thing is looked at when the object is checked. */
function customTypeMeta(
  body: Fields,
  { type }: Served,
  fail: Undecodable,
  { isStrict = true, isPatched = false }: Reading,
): Pick<AnyObject, 'apiVersion' | 'kind'> {
  const [kind, apiVersion] = [String(body.kind ?? ''), String(body.apiVersion ?? '')];
  if (kind === '') {
    const text = isPatched ? stableStringify(body) : JSON.stringify(body);
    const why = `Object 'Kind' is missing in '${text}'`;
    if (!isStrict || isPatched) throw fail(why);
    const summary = text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)} ...` : text;
    throw badRequest(`the object provided is unrecognized (must be of type ${type.kind}): ${why} (${summary})`);
  }
  if (isPatched && apiVersion === '') {
    const message = "Object 'apiVersion' is missing in 'object has no apiVersion field'";
    throw new StatusError(failure('InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] }));
  }
  return { apiVersion, kind };
}

/** A custom resource that is sent must be of the version that the path names. */
export function checkVersionOnUrl({ apiVersion }: Pick<AnyObject, 'apiVersion'>, { type }: Served): void {
  const expected = apiVersionOf(type);
  if (apiVersion === expected) return;
  throw badRequest(`the API version in the data (${apiVersion}) does not match the expected API version (${expected})`);
}

/** What is wrong with the kind and the version that a custom resource says it has. */
export function typeMetaProblems(object: AnyObject, { type }: Served): readonly FieldProblem[] {
  const wanted = { kind: type.kind, apiVersion: apiVersionOf(type) };
  return (['kind', 'apiVersion'] as const)
    .filter((field) => object[field] !== wanted[field])
    .map((field) => invalidValue(field, object[field], `must be ${wanted[field]}`));
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
      KINDS[served.resource]?.checkName ??
      (served.type.group === 'rbac.authorization.k8s.io' ? checkPathSegment : checkDnsSubdomain);
    problems.push(...check(name).map((message) => invalidValue('metadata.name', name, message)));
  }
  for (const [key, value] of Object.entries(labels).toSorted(([a], [b]) => compareText(a, b))) {
    for (const message of checkLabelKey(key)) problems.push(invalidValue('metadata.labels', key, message));
    for (const message of checkLabelValue(value)) problems.push(invalidValue('metadata.labels', value, message));
  }
  problems.push(...annotationProblems(annotations), ...ownerProblems(object), ...finalizerNameProblems(object));
  const unqualified = unqualifiedProblems(object, served);
  return [...problems, ...(old === undefined ? [] : finalizerProblems(object, old)), ...unqualified];
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
function unqualifiedProblems({ metadata }: AnyObject, { custom, resource }: Served): readonly FieldProblem[] {
  if (custom !== undefined || LENIENT.has(resource)) return [];
  return (metadata.finalizers ?? []).flatMap((finalizer, index) =>
    finalizer.includes('/') || STANDARD_FINALIZERS.has(finalizer)
      ? []
      : [invalidValue(`metadata.finalizers[${index}]`, finalizer, UNQUALIFIED)],
  );
}

const UNQUALIFIED = 'name is neither a standard finalizer name nor is it fully qualified';
/** Finalizers of Kubernetes itself, which have no domain. */
export const STANDARD_FINALIZERS: ReadonlySet<string> = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);
const LENIENT: ReadonlySet<string> = new Set([
  'events',
  'leases.coordination.k8s.io',
  'customresourcedefinitions.apiextensions.k8s.io',
]);

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
