import type { AnyObject, ManagedFieldsEntry, ObjectKey, Subresource } from '../../kube/index.ts';
import { timestamp } from '../../runtime/index.ts';
import type { RequestUser } from '../front/request.ts';
import { type Manager, readManagers, type Writer } from '../apply/managers.ts';
import { KINDS } from '../kinds/index.ts';
import type { CelEvaluator } from '../schema/cel.ts';
import { conform, type Findings } from '../schema/conform.ts';
import { withDefaults } from '../schema/defaults.ts';
import { customProblems } from '../schema/rules.ts';
import type { Served } from './catalogue.ts';
import { badRequest, type FieldProblem, invalid, invalidValue, modified, notImplemented } from './failures.ts';
import { metadataProblems } from './metadata.ts';
import type { State } from './state.ts';

/** How a write is to be done. */
export interface WriteContext {
  readonly fieldManager: string;
  readonly dryRun: boolean;
  readonly fieldValidation: 'Ignore' | 'Warn' | 'Strict';
  readonly subresource?: Subresource | undefined;
  /** Things that a client should be told though the write went well. */
  readonly warnings: string[];
  /** Who asks for it; the server itself where nobody is named. */
  readonly user?: RequestUser;
}

/** What a write did. */
export interface Written {
  readonly object: AnyObject;
  readonly created: boolean;
}

/** The object as its type holds it, with defaults; complains about what doesn't fit. */
export function fitted(object: AnyObject, served: Served, context: WriteContext): AnyObject {
  const findings: Findings = { unknown: [], mismatches: [] };
  const { custom, type, schema, collection } = served;
  const result = conform(object, schema, custom === undefined, findings) as AnyObject;
  if (findings.mismatches.length > 0) {
    throw badRequest(`${type.kind} in version "${type.version}" cannot be handled as a ${type.kind}: ${findings.mismatches[0]}`);
  }
  report(findings, context);
  if (custom !== undefined) return withDefaults(result, custom.schema) as AnyObject;
  return KINDS[collection]?.defaults?.(result) ?? result;
}

export function report({ unknown }: Findings, { fieldValidation, warnings }: WriteContext): void {
  if (unknown.length === 0 || fieldValidation === 'Ignore') return;
  const texts = unknown.map((path) => `unknown field "${path}"`);
  if (fieldValidation === 'Strict') throw badRequest(`strict decoding error: ${texts.join(', ')}`);
  warnings.push(...texts);
}

export function check(served: Served, object: AnyObject, old: AnyObject | undefined, cel?: CelEvaluator): void {
  const { type, custom, collection } = served;
  const problems: readonly FieldProblem[] = [
    ...metadataProblems(object, served, old),
    ...(custom === undefined ? (KINDS[collection]?.validate?.(object, old, cel) ?? []) : customProblems(object, old, custom)),
  ];
  if (problems.length > 0) throw invalid(type, object.metadata.name ?? '', problems);
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
export function givenManagers(given: AnyObject): readonly Manager[] | undefined {
  const entries: readonly ManagedFieldsEntry[] | undefined = given.metadata.managedFields;
  return entries === undefined || entries.length === 0 ? undefined : readManagers(entries);
}

/** The object without what only the server writes. */
export function bare(object: AnyObject): AnyObject {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** A write that names a version is for that version only. */
export function checkVersion({ type }: Served, old: AnyObject, given: AnyObject): void {
  const { resourceVersion } = given.metadata;
  const isPinned = resourceVersion !== undefined && resourceVersion !== '';
  if (isPinned && resourceVersion !== old.metadata.resourceVersion) throw modified(type, old.metadata.name);
}

/** A patch that names another uid would change it. */
export function checkSameUid({ type }: Served, old: AnyObject, given: AnyObject): void {
  const { uid } = given.metadata;
  if (uid === undefined || uid === '' || uid === old.metadata.uid) return;
  throw invalid(type, old.metadata.name, [invalidValue('metadata.uid', uid, 'field is immutable')]);
}

export function checkNameOnUrl(object: AnyObject, key: ObjectKey): void {
  const { name } = object.metadata;
  if ((name ?? '') === '' || name === key.name) return;
  throw badRequest(`the name of the object (${name}) does not match the name on the URL (${key.name})`);
}

/** Through the main resource nobody comes to own the status, and through the status nobody owns anything else. */
export function ownedThroughPath(managers: readonly Manager[], served: Served): readonly Manager[] {
  if (!served.subresources.has('status')) return managers;
  return managers.map((manager) => {
    const isStatus = manager.subresource === 'status';
    return { ...manager, fields: new Map([...manager.fields].filter(([element]) => (element === 'f:status') === isStatus)) };
  });
}
