import { type AnyObject, type Cluster, isNotServed, type ObjectKey, type ResourceType } from '../../kube/index.ts';

/**
 * Reads an object in the given version, or in another that the cluster serves. `undefined` where there is none: where no version of the type is
 * served, there can't be one.
 */
export async function getInAnyVersion(
  cluster: Cluster,
  type: ResourceType,
  key: ObjectKey,
  signal: AbortSignal | undefined,
): Promise<AnyObject | undefined> {
  try {
    return await cluster.get<AnyObject>(type, key, { signal });
  } catch (error) {
    if (!isNotServed(error)) throw error;
    const served = await cluster.resources({ signal });
    const other = served.find(({ group, plural }) => group === type.group && plural === type.plural);
    return other === undefined ? undefined : cluster.get<AnyObject>({ ...type, version: other.version }, key, { signal });
  }
}
