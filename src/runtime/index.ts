export { type CacheEvent, type CacheListener, ObjectCache } from './cache.ts';
export { type Cancel, type Clock, nextTurn, sleep, systemClock, timestamp } from './clock.ts';
export { ClusterSet, type ClusterSetOptions, type Member, type MemberState, type SetEvent, staticSource } from './cluster-set.ts';
export { type Reconcile, type ReconcileResult, runWorkers, type WorkerOptions } from './controller.ts';
export { milliseconds } from './duration.ts';
export { type Health, type HealthThresholds, healthAfter } from './health.ts';
export { WorkQueue, type WorkQueueOptions } from './queue.ts';
export { type ReflectOptions, type ReflectorState, reflect } from './reflector.ts';
export { unlessAborted } from './unless-aborted.ts';
