import { isClustersetError, qualifiedPlural, type ResourceType } from '../../kube/index.ts';
import { type Environment, errorFields, type ReflectorState } from '../../runtime/index.ts';

/** Logs that a type can't be read, once for each reason in a row. */
export function warnOfType(
  { log }: Environment,
  { controller, cluster, type }: { readonly controller: string; readonly cluster: string; readonly type: ResourceType },
  before: ReflectorState | undefined,
  state: ReflectorState,
): void {
  if (state.synced || (before?.synced === false && reasonOf(before.error) === reasonOf(state.error))) return;
  const fields = { controller, cluster, resource: qualifiedPlural(type), ...errorFields(state.error) };
  log.log('warn', 'a type can not be read', fields);
}

function reasonOf(error: unknown): string {
  return isClustersetError(error) ? error.code : String(error);
}
