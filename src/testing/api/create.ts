import type { AnyObject } from '../../kube/plain/index.ts';
import { timestamp } from '../../runtime/time/index.ts';
import { afterUpdate, type Manager, managedBy } from '../apply/managers.ts';
import { KINDS } from '../kinds/index.ts';
import { randomSuffix, randomUuid } from '../random.ts';
import { emptyObject } from '../schema/conform.ts';
import type { Served } from './catalogue.ts';
import { alreadyExists, crude, forbidden, notFound } from './failures.ts';
import { received } from './receive.ts';
import { inStorageVersion, inVersion, isTerminating, NAMESPACES, type State, stored } from './state.ts';
import {
  asStored,
  bare,
  check,
  checkPolicy,
  checkUpsert,
  givenManagers,
  mutated,
  ownedThroughPath,
  tellable,
  type WriteContext,
  warnOfFinalizers,
  writerOf,
} from './write.ts';

/** POST */
export function create(
  state: State,
  served: Served,
  namespace: string | undefined,
  body: unknown,
  context: WriteContext,
): AnyObject {
  const object = received(body, served, namespace, context);
  return createFitted(state, served, object, givenManagers(body, served) ?? [], context);
}

/** Stores a new object that fits its type. */
export function createFitted(
  state: State,
  served: Served,
  object: AnyObject,
  given: readonly Manager[],
  context: WriteContext,
): AnyObject {
  const before = served.custom === undefined ? emptyObject(served.schema) : {};
  const writer = writerOf(state, served, context, 'Update');
  const { deletionTimestamp: _d, deletionGracePeriodSeconds: _g, ...metadata } = bare(object).metadata;
  const managers = afterUpdate(before, { ...object, metadata }, served.schema, tellable(given, served), writer);
  return store(state, served, withName(state, object), managers, context);
}

const LONGEST_PREFIX = 58;

function withName(state: State, object: AnyObject): AnyObject {
  const { name, generateName } = object.metadata;
  if ((name ?? '') !== '' || (generateName ?? '') === '') return object;
  const generated = `${(generateName ?? '').slice(0, LONGEST_PREFIX)}${randomSuffix(state.random, 5)}`;
  return { ...object, metadata: { ...object.metadata, name: generated } };
}

/** Stores a new object. */
export function store(
  state: State,
  served: Served,
  given: AnyObject,
  managers: readonly Manager[],
  context: WriteContext,
): AnyObject {
  const { type, resource, collection } = served;
  checkNamespace(state, served, given.metadata.namespace, given.metadata.name ?? '');
  const object = mutated(state, served, given, undefined, context);
  const {
    resourceVersion: _rv,
    uid: _uid,
    deletionTimestamp: _dt,
    deletionGracePeriodSeconds: _dg,
    managedFields: _mf,
    ...metadata
  } = object.metadata;
  const fresh: AnyObject = {
    ...withoutStatus(object, served),
    metadata: {
      ...metadata,
      uid: randomUuid(state.random),
      creationTimestamp: timestamp(state.clock.now()),
      ...(served.hasGeneration ? { generation: 1 } : {}),
      ...managedBy(ownedThroughPath(managers, served)),
    },
  };
  const prepared = KINDS[resource]?.prepareCreate?.(fresh, state.kinds) ?? fresh;
  checkPolicy(state, served, prepared, undefined, context);
  check(served, prepared, undefined, state.cel);
  warnOfFinalizers(prepared, undefined, served, context);
  checkUpsert(state, served, prepared, context);
  state.admission.validate({ served, operation: 'CREATE', object: prepared, old: undefined, context });
  const { resourceVersion = '' } = given.metadata;
  if (!context.dryRun && context.isUpsert !== true && /^0*[1-9]\d*$/.test(resourceVersion)) {
    throw crude('resourceVersion should not be set on objects to be created');
  }
  const existing = stored(state, served, prepared.metadata);
  if (existing !== undefined) throw alreadyExists(type, prepared.metadata.name, isTerminating(existing));
  // What isn't stored keeps the version that it came with.
  if (context.dryRun) return asStored(resourceVersion === '' ? prepared : versioned(prepared, resourceVersion), served);
  return inVersion(state.storage.put(collection, inStorageVersion(asStored(prepared, served), served)), served);
}

const versioned = (object: AnyObject, resourceVersion: string): AnyObject => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion },
});

/** A namespaced object needs a namespace that isn't going away. */
function checkNamespace(state: State, { type, collection }: Served, namespace: string | undefined, name: string): void {
  if (type.scope === 'Cluster') return;
  const found = state.storage.get('namespaces', { name: namespace ?? '' });
  if (found === undefined) throw notFound(NAMESPACES, namespace ?? '');
  if (!isTerminating(found)) return;
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const cause = {
    reason: 'NamespaceTerminating',
    message: `namespace ${namespace} is being terminated`,
    field: 'metadata.namespace',
  };
  throw forbidden({ ...type, plural: collection.split('.')[0] ?? '' }, name, why, [cause]);
}

/** A custom resource starts without a status; a built-in one with an empty one. Only a Node keeps what it is created with. */
function withoutStatus(object: AnyObject, served: Served): AnyObject {
  if (!served.subresources.has('status') || served.collection === 'nodes') return object;
  const { status: _, ...rest } = object;
  return (served.custom === undefined && served.schema.field('status')?.zero ? { ...rest, status: {} } : rest) as AnyObject;
}
