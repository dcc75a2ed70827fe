import { compareText } from '../kube/index.ts';
import { CLUSTERS_ANNOTATION, type FederatedObject, readStatus } from './api.ts';

/**
 * The clusters that may have something of a federated object, by its own record: written before anything is written there, and taken back
 * only when the cluster has confirmed that nothing is left. Objects from before there was a record say so in their status.
 */
export function recordedClusters({ metadata, status }: Pick<FederatedObject, 'metadata' | 'status'>): ReadonlySet<string> {
  const record = metadata.annotations?.[CLUSTERS_ANNOTATION];
  if (record !== undefined)
    return new Set(
      record
        .split(',')
        .filter((name) => name !== '')
        .map(unescaped),
    );
  return new Set((readStatus(status)?.clusters ?? []).map(({ name }) => name));
}

/** The record as it is written: names in order, with commas in between. Names may be those of kubeconfig contexts, where a comma is allowed. */
export function formatRecord(clusters: Iterable<string>): string {
  return [...clusters].toSorted(compareText).map(escaped).join(',');
}

const escaped = (name: string): string => name.replaceAll('%', '%25').replaceAll(',', '%2C');
const unescaped = (name: string): string => name.replaceAll('%2C', ',').replaceAll('%25', '%');
