export { type Health, type HealthThresholds, healthAfter } from '../kube/plain/index.ts';
export { type CacheEvent, type CacheListener, ObjectCache } from './cache/object-cache.ts';
export { type ReflectOptions, type ReflectorState, reflect } from './cache/reflector.ts';
export { type WatchedObjectsOptions, watchedObjects } from './cache/watched-objects.ts';
export { type Cancel, type Clock, nextTurn, sleep, systemClock, timestamp } from './clock.ts';
export { type Reconcile, type ReconcileResult, runWorkers, type WorkerOptions } from './controller/workers.ts';
export { milliseconds } from './duration.ts';
export { newestValues } from './newest-values.ts';
export {
  type Fact,
  type ListReason,
  type Observe,
  observers,
  type ReconcileOutcome,
  told,
  type WatchEnd,
} from './observe/facts.ts';
export { type LogFields, type Logger, silent } from './observe/log.ts';
export { WorkQueue, type WorkQueueOptions } from './queue/work-queue.ts';
export {
  ClusterSet,
  type ClusterSetOptions,
  type Member,
  type MemberState,
  type SetEvent,
  staticSource,
} from './set/cluster-set.ts';
export { type CombineSourcesOptions, combineSources } from './set/sources.ts';
export { unlessAborted } from './unless-aborted.ts';
