import { type AnyObject, deepEqual, isRecord, type ObjectKey } from '../../kube/plain/index.ts';
import { afterApply, afterUpdate, conflictsOf, type Manager, readManagers, type Writer } from '../apply/managers.ts';
import { mergeApplied } from '../apply/merge.ts';
import { typedProblems } from '../apply/typed.ts';
import { emptyObject } from '../schema/conform.ts';
import type { Served } from './catalogue.ts';
import { settle } from './change.ts';
import { store } from './create.ts';
import { applyConflict, badRequest, conflict, crude, notFound, restored, StatusError, type Undecodable } from './failures.ts';
import { withLastApplied } from './last-applied.ts';
import { type State, stored } from './state.ts';
import {
  appliable,
  bare,
  changedForGood,
  checkNameOnUrl,
  checkNumber,
  checkVersion,
  fitted,
  tellable,
  type WriteContext,
  type Written,
  writerOf,
} from './write.ts';

/** PATCH, apply */
export function apply(
  state: State,
  served: Served,
  key: ObjectKey,
  body: unknown,
  context: WriteContext & { readonly force: boolean },
): Written {
  if (context.fieldManager === '') throw requiresManager();
  const old = stored(state, served, key);
  if (old === undefined && context.subresource !== undefined) throw notFound(served.type, key.name);
  const config = configOf(body, served);
  const writer = writerOf(state, served, context, 'Apply');
  if (old === undefined) {
    const upsert = { ...context, isUpsert: true };
    return { object: createByApply(state, served, key, config, writer, upsert), created: true };
  }
  const before = readManagers(old.metadata.managedFields);
  const managers = before.length > 0 ? tellable(before, served) : ownedBeforeApply(old, served, writer);
  const own = appliable(config, served, context);
  const live = bare(old);
  // Even what can't be written on this way makes a difference to the time.
  const isTouched = !deepEqual(mergeApplied(live, config, served.schema), live);
  const { object, managers: after, conflicts } = afterApply(live, own, served.schema, managers, { ...writer, isTouched });
  if (conflicts.length > 0 && !context.force) throw applyConflict(conflictsOf(conflicts));
  const merged = fitted(
    object as AnyObject,
    served,
    { ...context, fieldValidation: 'Ignore' },
    unconverted(config, served),
    true,
  );
  reportReading(context);
  checkPlace({ ...merged, metadata: { ...merged.metadata, ...config.metadata } }, served, key);
  checkVersion(served, old, merged);
  const noted = withLastApplied(merged, config, context.fieldManager);
  const changed = settle(state, served, old, noted, after, context, changedForGood(old, merged));
  return { object: changed, created: false };
}

/** A configuration that can be applied: of the right kind, and fitting its schema as it is. */
function configOf(body: unknown, { type, schema }: Served): AnyObject {
  if (!isRecord(body)) throw undecodedYaml(body);
  const { group, version, kind } = type;
  const [givenGroup, givenVersion] = groupVersion(String(body.apiVersion ?? ''));
  if (body.kind !== kind || givenGroup !== group || givenVersion !== version) {
    throw badRequest(`invalid object type: ${givenGroup}/${givenVersion}, Kind=${String(body.kind ?? '')}`);
  }
  const metadata = isRecord(body.metadata) ? body.metadata : {};
  if (Array.isArray(metadata.managedFields)) throw badRequest('metadata.managedFields must be nil');
  const problem = typedProblems(body, schema);
  if (problem === undefined) return { ...body, metadata } as unknown as AnyObject;
  throw crude(`failed to create typed patch object (${placeText({ metadata } as unknown as AnyObject, type)}): ${problem}`);
}

/** Keys that stand twice are told of once everything else is known to be right. */
function reportReading({ fieldValidation, warnings, foundByReader }: WriteContext): void {
  const found = fieldValidation === 'Ignore' ? [] : (foundByReader?.([]) ?? []);
  if (found.length === 0) return;
  const lines = found.map((text) => `\n  ${text}`).join('');
  if (fieldValidation === 'Strict')
    throw badRequest(`error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:${lines}`);
  warnings.push(...found);
}

function undecodedYaml(body: unknown): StatusError {
  if (body === undefined || body === null) return badRequest('invalid object type: /, Kind=');
  const given = Array.isArray(body) ? 'array' : typeof body;
  const why = `json: cannot unmarshal ${given === 'boolean' ? 'bool' : given} into Go value of type map[string]interface {}`;
  return badRequest(`error decoding YAML: error unmarshaling JSON: while decoding JSON: ${why}`);
}

/** How messages of applying name an object. */
function placeText({ metadata }: AnyObject, { group, version, kind }: Served['type']): string {
  return `${metadata.namespace ?? ''}/${metadata.name ?? ''}; ${group}/${version}, Kind=${kind}`;
}

/** What was applied is of the right shape, and can't be read all the same. */
function unconverted(config: AnyObject, { type }: Served): Undecodable {
  const what = `${type.group}/${type.version}, Kind=${type.kind}`;
  const where = placeText(config, type);
  const start = `failed to convert new object (${where}) to proper version: unable to convert unstructured object to ${what}`;
  return (why) => crude(`${start}: ${restored(why)}`);
}

function groupVersion(apiVersion: string): readonly [group: string, version: string] {
  const [first = '', second] = apiVersion.split('/');
  return second === undefined ? ['', first] : [first, second];
}

/** What is applied must be where the path says, as far as it says so itself. */
function checkPlace({ metadata }: AnyObject, { type }: Served, key: ObjectKey): void {
  const { namespace = '' } = metadata;
  if (type.scope === 'Namespaced' && namespace !== '' && namespace !== key.namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  checkNameOnUrl({ metadata } as AnyObject, key);
}

function requiresManager(): StatusError {
  const message = 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch';
  const causes = [
    { reason: 'FieldValueRequired', message: 'Required value: is required for apply patch', field: 'fieldManager' },
  ];
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason: 'Invalid',
    details: { group: 'meta.k8s.io', kind: 'PatchOptions', causes },
    code: 422,
  });
}

/** Before the first apply nobody was told apart. */
function ownedBeforeApply(old: AnyObject, served: Served, writer: Writer): readonly Manager[] {
  const before = served.custom === undefined ? emptyObject(served.schema) : {};
  const owned = afterUpdate(before, bare(old), served.schema, [], {
    ...writer,
    manager: 'before-first-apply',
    operation: 'Update',
  });
  // Nobody can have come to own the spec on the way of the status.
  if (writer.subresource !== 'status') return owned;
  return owned.map((each) => ({ ...each, fields: new Map([...each.fields].filter(([element]) => element !== 'f:spec')) }));
}

function createByApply(
  state: State,
  served: Served,
  key: ObjectKey,
  config: AnyObject,
  writer: Writer,
  context: WriteContext,
): AnyObject {
  reportReading(context);
  const { uid = '' } = config.metadata;
  if (uid !== '') {
    const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
    throw conflict(served.type, key.name, why);
  }
  checkPlace(config, served, key);
  const { namespace: _, ...metadata } = config.metadata;
  const placed = { ...config, metadata: { ...metadata, ...(key.namespace === undefined ? {} : { namespace: key.namespace }) } };
  const { managers } = afterApply({}, appliable(config, served, context), served.schema, [], writer);
  checkNumber(config.metadata.resourceVersion ?? '');
  const object = fitted(placed, served, { ...context, fieldValidation: 'Ignore' }, unconverted(config, served), true);
  return store(state, served, object, managers, context);
}
