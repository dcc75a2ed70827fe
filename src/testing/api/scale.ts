import {
  type AnyObject,
  type CustomResourceDefinition,
  formatLabelSelector,
  isRecord,
  type LabelSelector,
  memberOf,
  type ObjectKey,
  requirementsOf,
  valueAt,
} from '../../kube/plain/index.ts';
import { conflictsOf } from '../apply/managers.ts';
import { part } from '../kinds/kind.ts';
import type { Served } from './catalogue.ts';
import { settle, type WirePatch } from './change.ts';
import {
  applyConflict,
  badRequest,
  conflict,
  invalid,
  invalidPatch,
  invalidValue,
  notFound,
  type Undecodable,
} from './failures.ts';
import { decodedPart, internal, type PartBody, type PartKind, patchedPart, requiresManager, unreasoned } from './part.ts';
import { afterScaleApply, afterScaleUpdate } from './scale-managers.ts';
import { type State, stored } from './state.ts';
import { checkNameOnUrl, checkVersion, type WriteContext } from './write.ts';

/** API: autoscaling/v1 Scale */
const SCALE: PartKind = { group: 'autoscaling', version: 'v1', kind: 'Scale' };

/** Where a resource keeps what its scale shows. */
interface ScalePaths {
  readonly spec: readonly string[];
  readonly status: readonly string[];
  /** Where the selector stands as text; absent where there is none, or where it stands in the spec as an object. */
  readonly selector?: readonly string[];
}

const BUILT_IN: ScalePaths = { spec: ['spec', 'replicas'], status: ['status', 'replicas'] };
const CRDS = 'customresourcedefinitions.apiextensions.k8s.io';

/** The paths of a resource that has a scale. A CRD says which (API: apiextensions.k8s.io/v1 CustomResourceSubresourceScale). */
function pathsOf(state: State, { custom, collection, type }: Served): ScalePaths {
  if (custom === undefined) return BUILT_IN;
  const crd = state.storage.get(CRDS, { name: collection }) as unknown as CustomResourceDefinition | undefined;
  const version = crd?.spec.versions.find(({ name }) => name === type.version);
  const { scale } = (version?.subresources ?? {}) as Partial<ScaleSubresource>;
  const { specReplicasPath, statusReplicasPath, labelSelectorPath = '' } = scale ?? {};
  return {
    spec: split(specReplicasPath ?? ''),
    status: split(statusReplicasPath ?? ''),
    ...(labelSelectorPath === '' ? {} : { selector: split(labelSelectorPath) }),
  };
}

interface ScaleSubresource {
  readonly scale: {
    readonly specReplicasPath: string;
    readonly statusReplicasPath: string;
    readonly labelSelectorPath?: string;
  };
}

const split = (path: string): readonly string[] => path.replace(/^\./, '').split('.');

function countAt(object: AnyObject, path: readonly string[]): number | undefined {
  const value = valueAt(object, path);
  return typeof value === 'number' ? value : undefined;
}

function scaleOf(object: AnyObject, { custom }: Served, paths: ScalePaths): AnyObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const given = Object.entries({ name, namespace, uid, resourceVersion, creationTimestamp });
  const metadata = Object.fromEntries(given.filter(([, value]) => value !== undefined)) as unknown as AnyObject['metadata'];
  const replicas = countAt(object, paths.spec) ?? 0;
  const selector = custom === undefined ? selectorOf(object) : textAt(object, paths.selector);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata,
    spec: replicas === 0 ? {} : { replicas },
    status: { replicas: countAt(object, paths.status) ?? 0, ...(selector === '' ? {} : { selector }) },
  };
}

function selectorOf(object: AnyObject): string {
  return formatLabelSelector(requirementsOf(part(object, 'spec').selector as LabelSelector));
}

function textAt(object: AnyObject, path: readonly string[] | undefined): string {
  const value = path === undefined ? undefined : valueAt(object, path);
  return typeof value === 'string' ? value : '';
}

interface Scaled {
  readonly object: AnyObject;
  readonly paths: ScalePaths;
}

function scaled(state: State, served: Served, key: ObjectKey): Scaled {
  const object = stored(state, served, key);
  if (object === undefined) throw notFound(served.type, key.name);
  return { object, paths: pathsOf(state, served) };
}

const dotted = (path: readonly string[]): string => `.${path.join('.')}`;

/** GET of the scale */
export function readScale(state: State, served: Served, key: ObjectKey): AnyObject {
  const { object, paths } = scaled(state, served, key);
  if (served.custom !== undefined && countAt(object, paths.spec) === undefined)
    throw internal(`the spec replicas field ${JSON.stringify(dotted(paths.spec))} does not exist`);
  return scaleOf(object, served, paths);
}

/** PUT of the scale: nothing of it counts but the number of replicas, and what says which object is meant. */
export function updateScale(state: State, served: Served, key: ObjectKey, body: unknown, context: WriteContext): AnyObject {
  const given = decodedScale(body, key, served.custom === undefined ? undecodableScale : unregisteredScale);
  checkNamed(given, key);
  const { object, paths } = scaled(state, served, key);
  const { uid = '' } = given.metadata;
  if (uid !== '' && uid !== object.metadata.uid) {
    const { group, plural } = served.type;
    const stem = served.custom === undefined ? plural : `${group}/${plural}`;
    const where = ['', 'registry', stem, key.namespace, key.name].filter((each) => each !== undefined).join('/');
    const why = `${mismatch(uid, object)}`;
    const text = `StorageError: invalid object, Code: 4, Key: ${where}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`;
    throw conflict(served.type, key.name, text);
  }
  return write(state, served, { object, paths }, given, context);
}

const mismatch = (uid: string, { metadata }: AnyObject): string =>
  `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid}`;

/** PATCH of the scale, other than apply */
export function patchScale(state: State, served: Served, key: ObjectKey, change: WirePatch, context: WriteContext): AnyObject {
  const { object, paths } = scaled(state, served, key);
  const patched = patchedPart(scaleOf(object, served, paths), change);
  const given = decodedScale(patched, key, invalidPatch(patched));
  checkNamed(given, key);
  const { uid = '' } = given.metadata;
  if (served.custom === undefined && uid !== '' && uid !== object.metadata.uid)
    throw conflict({ ...served.type, plural: `${served.type.plural}/scale` }, key.name, mismatch(uid, object));
  const isEmpty = countAt(object, paths.spec) === undefined && part(given, 'spec').replicas === undefined;
  if (served.custom !== undefined && isEmpty)
    throw badRequest(`the spec replicas field ${JSON.stringify(dotted(paths.spec))} cannot be empty`);
  return write(state, served, { object, paths }, given, context);
}

/** PATCH of the scale, apply. It changes what is there, and creates nothing. */
export function applyScale(
  state: State,
  served: Served,
  key: ObjectKey,
  body: unknown,
  context: WriteContext & { readonly force: boolean },
): AnyObject {
  if (context.fieldManager === '') throw requiresManager();
  const given = decodedScale(body, key);
  checkNameOnUrl(given as AnyObject, key);
  const { object, paths } = scaled(state, served, key);
  const replicas = replicasOf(given);
  const now = state.clock.now();
  const after = afterScaleApply({ object, paths, replicas, now }, served, context);
  if (after.conflicts.length > 0 && !context.force) throw applyConflict(conflictsOf(after.conflicts));
  if (served.custom !== undefined) throw unconvertible(given);
  checkVersion(served, object, given as AnyObject);
  return store(state, served, { object, paths }, after.replicas, after.managers, context);
}

/** A real server fails here, too: it can't tell a Scale from the custom resource. */
function unconvertible({ metadata: { namespace = '', name = '' } }: PartBody): Error {
  return unreasoned(
    `failed to convert new object (${namespace}/${name}; autoscaling/v1, Kind=Scale) to proper version: request to convert CR to an invalid group/version: autoscaling/v1`,
  );
}

function decodedScale(body: unknown, key: ObjectKey, fail: Undecodable = undecodableScale): PartBody {
  const given = decodedPart(body, SCALE, key);
  const replicas = memberOf(given.spec, 'replicas');
  const isCount = replicas === undefined || replicas === null || Number.isInteger(replicas);
  if (isCount) return given;
  const type = typeof replicas === 'boolean' ? 'bool' : typeof replicas;
  throw fail(`json: cannot unmarshal ${type} into Go struct field ScaleSpec.spec.replicas of type int32`);
}

/** A real server doesn't know what to call a Scale of a custom resource. */
const unregisteredScale: Undecodable = () =>
  badRequest('no kind is registered for the type v1.Scale in scheme "pkg/runtime/scheme.go:111"');

const undecodableScale: Undecodable = (why) => badRequest(`Scale in version "v1" cannot be handled as a Scale: ${why}`);

function replicasOf(given: PartBody): number | undefined {
  const { replicas } = isRecord(given.spec) ? given.spec : {};
  return typeof replicas === 'number' ? replicas : undefined;
}

function checkNamed({ metadata }: PartBody, key: ObjectKey): void {
  if ((metadata.name ?? '') === '')
    throw badRequest(`the name of the object (${key.name} based on URL) was undeterminable: name must be provided`);
  checkNameOnUrl({ metadata } as unknown as AnyObject, key);
}

function write(state: State, served: Served, scaledObject: Scaled, given: PartBody, context: WriteContext): AnyObject {
  const { object, paths } = scaledObject;
  const replicas = replicasOf(given) ?? 0;
  if (replicas < 0 && served.custom === undefined) {
    const problem = invalidValue('spec.replicas', replicas, 'must be greater than or equal to 0');
    throw invalid({ ...served.type, ...SCALE }, object.metadata.name, [problem]);
  }
  checkVersion(served, object, given as AnyObject);
  const managers = afterScaleUpdate({ object, paths, replicas, now: state.clock.now() }, served, context);
  return store(state, served, scaledObject, replicas, managers, context);
}

function store(
  state: State,
  served: Served,
  { object, paths }: Scaled,
  replicas: number,
  managers: Parameters<typeof settle>[4],
  context: WriteContext,
): AnyObject {
  const changed = withCount(object, paths.spec, replicas) as AnyObject;
  return scaleOf(settle(state, served, object, changed, managers, { ...context, subresource: 'scale' }), served, paths);
}

function withCount(value: unknown, [name, ...rest]: readonly string[], count: number): unknown {
  if (name === undefined) return count;
  const fields = isRecord(value) ? value : {};
  return { ...fields, [name]: withCount(fields[name], rest, count) };
}
