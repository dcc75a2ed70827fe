import type { AnyObject, ListOptions, ObjectKey, ObjectList } from '../../kube/plain/index.ts';
import type { Served } from './catalogue.ts';
import { warningsOf } from './delete.ts';
import { checkRemoval, type Removal } from './delete-options.ts';
import { StatusError } from './failures.ts';

/** What the deletion of a collection answers: the objects as they were before. */
export interface DeletedCollection {
  readonly list: ObjectList<AnyObject>;
  readonly warnings: readonly string[];
}

/** The server, as far as it is needed here. */
interface Server {
  list(served: Served, options: ListOptions): ObjectList<AnyObject>;
  delete(served: Served, key: ObjectKey, options: Removal): unknown;
}

/** DELETE of a collection: one object after the other, until one can't be deleted. With a limit, it ends with the first page. */
export function removeCollection(server: Server, served: Served, selection: ListOptions, options: Removal): DeletedCollection {
  checkRemoval(options);
  const list = server.list(served, selection);
  for (const { metadata } of list.items) {
    const { namespace, name } = metadata;
    try {
      server.delete(served, namespace === undefined ? { name } : { namespace, name }, options);
    } catch (error) {
      if (!(error instanceof StatusError) || error.status.reason !== 'NotFound') throw error;
    }
  }
  return { list, warnings: warningsOf(served, options) };
}
