import type { AnyObject } from '../../kube/plain/index.ts';
import type { Served } from './catalogue.ts';
import { type Undecodable, undecodable } from './failures.ts';
import { checkNamespaceOnUrl, checkVersionOnUrl, decoded } from './metadata.ts';
import { fitted, type WriteContext } from './write.ts';

/** A body as the object that it is to be: of the type and in the namespace that the path names, fitting its type, with defaults. */
export function received(
  body: unknown,
  served: Served,
  namespace: string | undefined,
  context: WriteContext,
  fail: Undecodable = undecodable(served.type, body ?? {}),
  isPatched = false,
): AnyObject {
  const given = decoded(body, served, namespace, fail, { isStrict: context.fieldValidation !== 'Ignore', isPatched });
  const object = fitted(given, served, context, fail);
  if (!isPatched) checkVersionOnUrl(object, served);
  checkNamespaceOnUrl(object, served, namespace);
  return object;
}
