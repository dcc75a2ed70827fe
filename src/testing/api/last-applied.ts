import { type AnyObject, isRecord, stableStringify } from '../../kube/plain/index.ts';

/** Where `kubectl apply` writes down what it has applied. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * The object with its note of what kubectl applied brought up to date, where it has one: a server does that for the manager `kubectl`, so that
 * people may go back from server-side apply to `kubectl apply`.
 */
export function withLastApplied(object: AnyObject, config: AnyObject, manager: string): AnyObject {
  const { annotations } = object.metadata;
  if (manager !== 'kubectl' || annotations?.[LAST_APPLIED] === undefined) return object;
  const note = `${stableStringify(withoutNote(config))}\n`;
  return { ...object, metadata: { ...object.metadata, annotations: { ...annotations, [LAST_APPLIED]: note } } };
}

function withoutNote(config: AnyObject): AnyObject {
  const { annotations: given, ...metadata } = config.metadata;
  if (!isRecord(given)) return { ...config, metadata };
  const { [LAST_APPLIED]: _, ...annotations } = given;
  return { ...config, metadata: { ...metadata, annotations } };
}
