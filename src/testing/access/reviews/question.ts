import { type AnyObject, apiVersionOf } from '../../../kube/plain/index.ts';
import { timestamp } from '../../../runtime/time/index.ts';
import { type FieldProblem, invalid, StatusError } from '../../api/failures.ts';
import { received } from '../../api/receive.ts';
import { afterUpdate, writeManagers } from '../../apply/managers.ts';
import { type Fields, part } from '../../kinds/kind.ts';
import { emptyObject } from '../../schema/conform.ts';
import type { ReviewContext } from './context.ts';
import { type ReviewKind, servedReview } from './structures.ts';

/** A question as it was understood. */
export interface Question {
  readonly apiVersion: string;
  readonly kind: ReviewKind;
  /** With who asked, in `managedFields`. */
  readonly metadata: AnyObject['metadata'];
  readonly spec: Fields;
}

/**
 * Reads a question as a server reads an object that is created. `defaults` are the fields of its spec that are filled in.
 *
 * @throws StatusError 400 where the body is none of this kind.
 */
export function questionOf(kind: ReviewKind, body: unknown, context: ReviewContext, defaults: Fields = {}): Question {
  const served = servedReview(kind);
  const given = received(body, served, context.namespace, context.write);
  const { uid, creationTimestamp: _c, deletionTimestamp: _d, managedFields: _m, ...metadata } = given.metadata;
  const isToken = kind === 'TokenRequest';
  const spec = { ...defaults, ...part(given, 'spec') };
  const object = { ...given, metadata, spec, status: undefined };
  const apiVersion = apiVersionOf(served.type);
  const writer = {
    manager: context.write.fieldManager,
    operation: 'Update' as const,
    apiVersion,
    subresource: isToken ? 'token' : '',
    time: timestamp(context.clock.now()),
  };
  const managers = afterUpdate(emptyObject(served.schema), object, served.schema, [], writer);
  const kept = { ...metadata, ...(isToken && uid !== undefined ? { uid } : {}) };
  const managedFields = writeManagers(managers);
  return {
    apiVersion,
    kind,
    metadata: { ...kept, ...(managedFields.length === 0 ? {} : { managedFields }) } as AnyObject['metadata'],
    spec,
  };
}

/** 422 for a question. The kind is missing in those about access, as on a real server. */
export function invalidQuestion(kind: ReviewKind, name: string, problems: readonly FieldProblem[]): StatusError {
  const { type } = servedReview(kind);
  const isNamed = type.group === 'authentication.k8s.io';
  const { status } = invalid(isNamed ? type : { ...type, kind: '' }, name, problems);
  const details = Object.fromEntries(Object.entries(status.details ?? {}).filter(([, value]) => value !== ''));
  return new StatusError({ ...status, details });
}
