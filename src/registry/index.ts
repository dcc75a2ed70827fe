export { type ClusterEntry, clusterEntrySchema, fleetIssues, isReady, parseFleet } from './entry.ts';
