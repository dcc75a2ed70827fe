import {
  type AnyObject,
  type ManagedFieldsEntry,
  type ObjectKey,
  parseApiVersion,
  type Subresource,
} from '../../kube/plain/index.ts';
import { timestamp } from '../../runtime/time/index.ts';
import type { User } from '../access/index.ts';
import { type Manager, readManagers, type Writer } from '../apply/managers.ts';
import { KINDS } from '../kinds/index.ts';
import type { CelEvaluator } from '../schema/cel.ts';
import { conform, type Findings } from '../schema/conform.ts';
import { withDefaults } from '../schema/defaults.ts';
import { customProblems } from '../schema/rules.ts';
import { scaleProblems } from '../schema/scale-paths.ts';
import type { Served } from './catalogue.ts';
import {
  badRequest,
  crude,
  type FieldProblem,
  invalid,
  invalidValue,
  modified,
  notImplemented,
  type Undecodable,
  undecodable,
} from './failures.ts';
import { metadataProblems, STANDARD_FINALIZERS, typeMetaProblems } from './metadata.ts';
import type { State } from './state.ts';

/** How a write is to be done. */
export interface WriteContext {
  readonly fieldManager: string;
  readonly dryRun: boolean;
  readonly fieldValidation: 'Ignore' | 'Warn' | 'Strict';
  readonly subresource?: Subresource | undefined;
  /** Things that a client should be told though the write went well. */
  readonly warnings: string[];
  /** What a strict reader says of the body, with what is to be said of fields that no type knows in their places among it. */
  readonly foundByReader?: ((unknown: readonly string[]) => readonly string[]) | undefined;
  /** Who asks for it; the server itself where nobody is named. */
  readonly user?: User;
  /** Whether an object is created by a request that isn't for creating: that must be allowed, too. */
  readonly isUpsert?: boolean;
}

/** What a write did. */
export interface Written {
  readonly object: AnyObject;
  readonly created: boolean;
}

/** The object as its type holds it, with defaults; complains about what doesn't fit. */
export function fitted(
  object: AnyObject,
  served: Served,
  context: WriteContext,
  fail: Undecodable = undecodable(served.type, object),
  keepsNulls = false,
): AnyObject {
  const findings: Findings = { unknown: [], mismatches: [] };
  const { custom, schema, resource } = served;
  const { selfLink: _, ...metadata } = object.metadata as AnyObject['metadata'] & { readonly selfLink?: unknown };
  const result = conform({ ...object, metadata }, schema, custom === undefined, findings) as AnyObject;
  const [mismatch] = findings.mismatches;
  if (mismatch !== undefined) throw fail(mismatch);
  // Of a kind that isn't the one that is served nothing is known.
  if (custom === undefined || object.kind === served.type.kind) report(findings, context, fail);
  if (custom !== undefined) return withDefaults(result, custom.schema, keepsNulls) as AnyObject;
  return KINDS[resource]?.defaults?.(result) ?? result;
}

function report(
  { unknown }: Findings,
  { fieldValidation, warnings, foundByReader }: WriteContext,
  fail: Undecodable = badRequest,
): void {
  if (fieldValidation === 'Ignore') return;
  const texts = foundByReader?.(unknown) ?? unknown.map((path) => `unknown field "${path}"`);
  if (texts.length === 0) return;
  if (fieldValidation === 'Strict') throw fail(`strict decoding error: ${texts.join(', ')}`);
  warnings.push(...texts);
}

/** The object as mutating hooks make it. */
export function mutated(
  state: State,
  served: Served,
  object: AnyObject,
  old: AnyObject | undefined,
  context: WriteContext,
): AnyObject {
  const operation = old === undefined ? 'CREATE' : 'UPDATE';
  const changed = state.admission.mutate({ served, operation, object, old, context }) ?? object;
  if (changed === object) return object;
  const result = fitted(changed, served, { ...context, fieldValidation: 'Ignore' });
  if (result.metadata.namespace === object.metadata.namespace) return result;
  throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
}

/** Who may change an object may not create it for that reason (API: PUT and PATCH of what isn't there). */
export function checkUpsert(
  state: State,
  { type }: Served,
  { metadata }: AnyObject,
  { user, isUpsert = false }: WriteContext,
): void {
  if (user === undefined || !isUpsert) return;
  const { group, version, plural } = type;
  const { namespace, name } = metadata;
  const where = namespace === undefined ? {} : { namespace };
  state.policy.authorize({ user, verb: 'create', group, version, resource: plural, ...where, name });
}

/** Keeps a user from giving away, by a role or a binding, what that user doesn't have. */
export function checkPolicy(
  state: State,
  { type }: Served,
  object: AnyObject,
  old: AnyObject | undefined,
  { user }: WriteContext,
): void {
  if (user === undefined) return;
  const { group, plural } = type;
  const { namespace } = object.metadata;
  state.policy.check({ user, group, resource: plural, namespace, name: old?.metadata.name, object, old });
}

export function check(
  served: Served,
  object: AnyObject,
  old: AnyObject | undefined,
  cel?: CelEvaluator,
  others: readonly FieldProblem[] = [],
  isStatus = false,
): void {
  const { type, custom } = served;
  const untrue = custom === undefined ? [] : typeMetaProblems(object, served);
  if (untrue.length > 0) {
    const before = old === undefined ? [] : [...metadataProblems(object, served, old), ...others];
    throw invalid(typeOf(object, type), object.metadata.name ?? '', [...before, ...untrue]);
  }
  const general = [...metadataProblems(object, served, old), ...others];
  const problems =
    custom === undefined
      ? builtInProblems(served, object, old, general, cel)
      : [...general, ...customProblems(object, old, custom, isStatus), ...scaleProblems(object, custom.scale, isStatus)];
  if (problems.length > 0) throw invalid(served.view?.of ?? type, object.metadata.name ?? '', problems);
}

function builtInProblems(
  { resource }: Served,
  object: AnyObject,
  old: AnyObject | undefined,
  general: readonly FieldProblem[],
  cel: CelEvaluator | undefined,
): readonly FieldProblem[] {
  const kind = KINDS[resource];
  return kind?.validateAll?.(object, old, general) ?? [...general, ...(kind?.validate?.(object, old, cel) ?? [])];
}

/** The type that an object says it has. */
function typeOf({ apiVersion, kind }: AnyObject, type: Served['type']): Served['type'] {
  const [group = '', version] = apiVersion.split('/');
  return { ...type, kind, group: version === undefined ? '' : group };
}

export function writerOf(state: State, served: Served, context: WriteContext, operation: Writer['operation']): Writer {
  if (context.subresource === 'scale') throw notImplemented('writes to the scale subresource');
  const { group, version } = served.type;
  return {
    manager: context.fieldManager,
    operation,
    apiVersion: group === '' ? version : `${group}/${version}`,
    subresource: context.subresource ?? '',
    time: timestamp(state.clock.now()),
  };
}

/** `managedFields` of a body, where there are any: a client may set them. */
export function givenManagers(body: unknown, { custom }: Served): readonly Manager[] | undefined {
  const entries = (body as Partial<AnyObject>).metadata?.managedFields as readonly ManagedFieldsEntry[] | null | undefined;
  if (!Array.isArray(entries)) return undefined;
  const managers = readManagers(entries as readonly ManagedFieldsEntry[]);
  // Who gives an empty list, or an empty entry, wants to begin anew; other entries that say nothing count as none.
  const isReset =
    (entries.length === 0 && custom === undefined) || (entries.length === 1 && Object.keys(entries[0] as object).length === 0);
  return managers.length > 0 || isReset ? managers : undefined;
}

/**
 * The managers that a write knows of: of a built-in kind those of the group that it is written through. What others own they have written down in
 * fields of another group's, which nobody translates.
 */
export function tellable(managers: readonly Manager[], { type, custom }: Served): readonly Manager[] {
  return custom === undefined ? managers.filter(({ apiVersion }) => parseApiVersion(apiVersion).group === type.group) : managers;
}

/** The object as it comes back from where it is stored, which doesn't tell empty lists from none. */
export function asStored(object: AnyObject, { custom, schema }: Served): AnyObject {
  const names = custom === undefined ? (schema.written ?? []) : [];
  const empty = names.filter((name) => Array.isArray(object[name]) && (object[name] as readonly unknown[]).length === 0);
  return empty.length === 0 ? object : ({ ...object, ...Object.fromEntries(empty.map((name) => [name, null])) } as AnyObject);
}

/** The object without what only the server writes. */
export function bare(object: AnyObject): AnyObject {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** A write that names a version is for that version only. */
export function checkVersion({ type }: Served, old: AnyObject, given: AnyObject): void {
  const { resourceVersion } = given.metadata;
  const isPinned = resourceVersion !== undefined && resourceVersion !== '' && resourceVersion !== '0';
  if (!isPinned || resourceVersion === old.metadata.resourceVersion) return;
  checkNumber(resourceVersion);
  throw modified(type, old.metadata.name);
}

/** A version is a number, though clients mustn't rely on it. */
export function checkNumber(resourceVersion: string): void {
  if (!/^\d*$/.test(resourceVersion))
    throw crude(`strconv.ParseUint: parsing ${JSON.stringify(resourceVersion)}: invalid syntax`);
}

/** Kinds beside custom ones of which a write must name the version that it is for. */
const CONDITIONAL: ReadonlySet<string> = new Set(['leases.coordination.k8s.io', 'poddisruptionbudgets.policy']);

/** Some kinds are only written by those who know what was there before. */
export function requireVersion({ type, custom, collection }: Served, { metadata }: AnyObject): void {
  const { resourceVersion = '', name } = metadata;
  if (resourceVersion !== '' && resourceVersion !== '0') return;
  if (custom === undefined && !CONDITIONAL.has(collection)) return;
  // The kind of the message is the resource here, in contrast to all other messages of this sort.
  const named = { ...type, kind: type.plural };
  throw invalid(named, name, [invalidValue('metadata.resourceVersion', 0, 'must be specified for an update')]);
}

/** What is wrong with a write that names another uid, or a time of deletion: neither can be changed. */
export function changedForGood(old: AnyObject, { metadata }: AnyObject): readonly FieldProblem[] {
  const { name, uid = '', deletionTimestamp, deletionGracePeriodSeconds } = metadata;
  const problems: FieldProblem[] = [];
  if (name !== old.metadata.name) problems.push(invalidValue('metadata.name', name, IMMUTABLE));
  if (uid !== '' && uid !== old.metadata.uid) problems.push(invalidValue('metadata.uid', uid, IMMUTABLE));
  if (deletionTimestamp !== undefined && old.metadata.deletionTimestamp === undefined)
    problems.push(invalidValue('metadata.deletionTimestamp', deletionTimestamp, IMMUTABLE));
  if (deletionGracePeriodSeconds !== undefined && old.metadata.deletionGracePeriodSeconds === undefined)
    problems.push(invalidValue('metadata.deletionGracePeriodSeconds', deletionGracePeriodSeconds, IMMUTABLE));
  return problems;
}

/** Custom resources may have finalizers without a domain; whoever gives them one is told that it isn't wise. */
export function warnOfFinalizers(
  object: AnyObject,
  old: AnyObject | undefined,
  { custom }: Served,
  { warnings }: WriteContext,
): void {
  if (custom === undefined) return;
  const before = new Set(old?.metadata.finalizers ?? []);
  for (const finalizer of object.metadata.finalizers ?? []) {
    if (before.has(finalizer) || finalizer.includes('/') || STANDARD_FINALIZERS.has(finalizer)) continue;
    const advice = 'prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers';
    warnings.push(`metadata.finalizers: ${JSON.stringify(finalizer)}: ${advice}`);
  }
}

const IMMUTABLE = 'field is immutable';

export function checkNameOnUrl(object: AnyObject, key: ObjectKey): void {
  const { name } = object.metadata;
  if (name === key.name) return;
  if ((name ?? '') === '') {
    throw badRequest(`the name of the object (${key.name} based on URL) was undeterminable: name must be provided`);
  }
  throw badRequest(`the name of the object (${name}) does not match the name on the URL (${key.name})`);
}

/** Metadata that built-in kinds keep when their status is written. */
const KEPT_BY_STATUS: Readonly<Record<string, readonly string[]>> = {
  'deployments.apps': ['labels'],
  pods: ['ownerReferences'],
};

/** A new version of an object, with what can't be written on the way that is taken as it was before. */
export function writable(object: AnyObject, old: AnyObject, served: Served, { subresource }: WriteContext): AnyObject {
  if (!served.subresources.has('status')) return object;
  const withOld = (target: AnyObject, name: string): AnyObject => {
    const { [name]: _, ...rest } = target;
    return (old[name] === undefined ? rest : { ...rest, [name]: old[name] }) as AnyObject;
  };
  if (subresource !== 'status') return withOld(object, 'status');
  if (served.custom !== undefined) {
    const { status: _, ...rest } = old;
    return (object.status === undefined ? rest : { ...rest, status: object.status }) as AnyObject;
  }
  const kept = KEPT_BY_STATUS[served.collection] ?? [];
  const before = Object.entries(old.metadata).filter(([name]) => kept.includes(name));
  const others = Object.entries(object.metadata).filter(([name]) => !kept.includes(name));
  const metadata = Object.fromEntries([...others, ...before]) as unknown as AnyObject['metadata'];
  return withOld({ ...object, metadata }, 'spec');
}

/** What of a configuration can be applied on the way that is taken. */
export function appliable(config: AnyObject, served: Served, { subresource }: WriteContext): AnyObject {
  if (!served.subresources.has('status')) return config;
  const { status, ...rest } = config;
  if (subresource !== 'status') return rest as AnyObject;
  const { apiVersion, kind } = config;
  const own = status === undefined ? {} : { status };
  if (served.custom !== undefined) return { apiVersion, kind, ...own } as unknown as AnyObject;
  const { spec: _, ...others } = config;
  const kept = KEPT_BY_STATUS[served.collection] ?? [];
  const metadata = Object.fromEntries(Object.entries(config.metadata).filter(([name]) => !kept.includes(name)));
  return { ...others, metadata } as unknown as AnyObject;
}

/** Through the main resource nobody comes to own the status. */
export function ownedThroughPath(managers: readonly Manager[], served: Served): readonly Manager[] {
  if (!served.subresources.has('status')) return managers;
  return managers.map((manager) =>
    manager.subresource === ''
      ? { ...manager, fields: new Map([...manager.fields].filter(([element]) => element !== 'f:status')) }
      : manager,
  );
}
