import type { AnyObject } from '../../kube/index.ts';
import { timestamp } from '../../runtime/index.ts';
import { afterUpdate, type Manager, writeManagers } from '../apply/managers.ts';
import { KINDS } from '../kinds/index.ts';
import { randomSuffix, randomUuid } from '../random.ts';
import { emptyObject } from '../schema/conform.ts';
import type { Served } from './catalogue.ts';
import { alreadyExists, forbidden, notFound, StatusError } from './failures.ts';
import { decoded } from './metadata.ts';
import { inStorageVersion, inVersion, isTerminating, NAMESPACES, type State, stored } from './state.ts';
import { check, fitted, givenManagers, ownedThroughPath, type WriteContext, writerOf } from './write.ts';

/** POST */
export function create(
  state: State,
  served: Served,
  namespace: string | undefined,
  body: unknown,
  context: WriteContext,
): AnyObject {
  const given = decoded(body, served, namespace);
  if ((given.metadata.resourceVersion ?? '') !== '') {
    throw new StatusError({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'resourceVersion should not be set on objects to be created',
      code: 500,
    });
  }
  const object = fitted(withName(state, given), served, context);
  const before = served.custom === undefined ? emptyObject(served.schema) : {};
  const managers = afterUpdate(
    before,
    object,
    served.schema,
    givenManagers(given) ?? [],
    writerOf(state, served, context, 'Update'),
  );
  return store(state, served, object, managers, context);
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
  object: AnyObject,
  managers: readonly Manager[],
  context: WriteContext,
): AnyObject {
  const { type, collection } = served;
  const {
    resourceVersion: _rv,
    uid: _uid,
    deletionTimestamp: _dt,
    deletionGracePeriodSeconds: _dg,
    ...metadata
  } = object.metadata;
  checkNamespace(state, served, object.metadata.namespace, object.metadata.name ?? '');
  const fresh: AnyObject = {
    ...withoutStatus(object, served),
    metadata: {
      ...metadata,
      uid: randomUuid(state.random),
      creationTimestamp: timestamp(state.clock.now()),
      ...(served.hasGeneration ? { generation: 1 } : {}),
      managedFields: writeManagers(ownedThroughPath(managers, served)),
    },
  };
  const prepared = KINDS[collection]?.prepareCreate?.(fresh, state.kinds) ?? fresh;
  check(served, prepared, undefined, state.cel);
  const existing = stored(state, served, prepared.metadata);
  if (existing !== undefined) throw alreadyExists(type, prepared.metadata.name, isTerminating(existing));
  if (context.dryRun) return prepared;
  return inVersion(state.storage.put(collection, inStorageVersion(prepared, served)), served);
}

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

/** A custom resource starts without a status; a built-in one with an empty one. */
function withoutStatus(object: AnyObject, served: Served): AnyObject {
  if (!served.subresources.has('status')) return object;
  const { status: _, ...rest } = object;
  return (served.custom === undefined && served.schema.field('status')?.zero ? { ...rest, status: {} } : rest) as AnyObject;
}
