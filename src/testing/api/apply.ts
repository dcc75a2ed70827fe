import type { AnyObject, ObjectKey } from '../../kube/index.ts';
import { afterApply, afterUpdate, conflictsOf, type Manager, readManagers, type Writer } from '../apply/managers.ts';
import { conform, emptyObject, type Findings } from '../schema/conform.ts';
import type { Served } from './catalogue.ts';
import { settle } from './change.ts';
import { store } from './create.ts';
import { applyConflict, badRequest, conflict, notFound, StatusError } from './failures.ts';
import { decoded } from './metadata.ts';
import { type State, stored } from './state.ts';
import {
  bare,
  checkNameOnUrl,
  checkSameUid,
  checkVersion,
  fitted,
  report,
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
  const config = decoded(body, served, key.namespace);
  checkNameOnUrl(config, key);
  if (config.metadata.managedFields !== undefined) throw badRequest('metadata.managedFields must be nil');
  const writer = writerOf(state, served, context, 'Apply');
  const named: AnyObject = { ...config, metadata: { ...config.metadata, name: key.name } };
  const old = stored(state, served, key);
  const declared = declaredFields(named, served, context);
  if (old === undefined) return { object: createByApply(state, served, declared, writer, context), created: true };
  const before = readManagers(old.metadata.managedFields);
  const managers = before.length > 0 ? before : ownedBeforeApply(old, served, writer);
  const { object, managers: after, conflicts } = afterApply(bare(old), bare(declared), served.schema, managers, writer);
  if (conflicts.length > 0 && !context.force) throw applyConflict(conflictsOf(conflicts));
  checkVersion(served, old, config);
  checkSameUid(served, old, config);
  const merged = fitted(object as AnyObject, served, { ...context, fieldValidation: 'Ignore' });
  const { resourceVersion = '' } = old.metadata;
  return {
    object: settle(state, served, old, { ...merged, metadata: { ...merged.metadata, resourceVersion } }, after, context),
    created: false,
  };
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

/** The fields of a configuration that the schema knows. What it doesn't know is refused by built-in kinds and left out by others. */
function declaredFields(config: AnyObject, served: Served, context: WriteContext): AnyObject {
  const findings: Findings = { unknown: [], mismatches: [] };
  const { custom } = served;
  const fittedConfig = conform(config, served.schema, false, findings) as AnyObject;
  if (findings.unknown.length > 0 && custom === undefined) {
    const { namespace = '', name } = config.metadata;
    const [first] = findings.unknown;
    const { group, version, kind } = served.type;
    const where = `${namespace === '' ? '' : `${namespace}/`}${name}; ${group}/${version}, Kind=${kind}`;
    throw new StatusError({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: `failed to create typed patch object (${where}): .${first}: field not declared in schema`,
      code: 500,
    });
  }
  report(findings, context);
  return fittedConfig;
}

/** Before the first apply nobody was told apart. */
function ownedBeforeApply(old: AnyObject, served: Served, writer: Writer): readonly Manager[] {
  const before = served.custom === undefined ? emptyObject(served.schema) : {};
  return afterUpdate(before, bare(old), served.schema, [], { ...writer, manager: 'before-first-apply', operation: 'Update' });
}

function createByApply(state: State, served: Served, config: AnyObject, writer: Writer, context: WriteContext): AnyObject {
  if (context.subresource !== undefined) throw notFound(served.type, config.metadata.name);
  if ((config.metadata.uid ?? '') !== '') {
    const why = `uid mismatch: the provided object specified uid ${config.metadata.uid}, and no existing object was found`;
    throw conflict(served.type, config.metadata.name, why);
  }
  const { managers } = afterApply({}, bare(config), served.schema, [], writer);
  return store(state, served, fitted(config, served, { ...context, fieldValidation: 'Ignore' }), managers, context);
}
