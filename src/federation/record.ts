import { compareText } from '../kube/index.ts';
import { CLUSTERS_ANNOTATION, type FederatedObject, readStatus } from './api.ts';

/**
 * The clusters that may have something of a federated object, by its own record: written before anything is written there, and taken back
 * only when the cluster has confirmed that nothing is left. Objects from before there was a record say so in their status.
 */
export function recordedClusters({ metadata, status }: Pick<FederatedObject, 'metadata' | 'status'>): ReadonlySet<string> {
  const record = metadata.annotations?.[CLUSTERS_ANNOTATION];
  if (record !== undefined) return new Set(record.split(',').filter((name) => name !== ''));
  return new Set((readStatus(status)?.clusters ?? []).map(({ name }) => name));
}

/** The record as it is written: names in order, with commas in between, which no name has. */
export function formatRecord(clusters: Iterable<string>): string {
  return [...clusters].toSorted(compareText).join(',');
}
