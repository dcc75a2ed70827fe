export { type Health, type HealthThresholds, healthAfter } from '../kube/plain/index.ts';
export type { CacheEvent, CacheListener, ListenOptions } from './cache/cache-listeners.ts';
export { Gate, type GateOptions } from './cache/gate.ts';
export type { IndexValues } from './cache/index-of-objects.ts';
export { type CacheFilling, type Freshness, ObjectCache, type ObjectCacheOptions } from './cache/object-cache.ts';
export { type ReflectOptions, type ReflectorSettings, type ReflectorState, reflect } from './cache/reflector.ts';
export type { CacheShape } from './cache/shape.ts';
export { type OpenOptions, type SharedCache, SharedCaches, type SharedCachesOptions } from './cache/shared-caches.ts';
export { WatchListRefusals } from './cache/watch-list-refusals.ts';
export { type WatchedObjectsOptions, watchedObjects } from './cache/watched-objects.ts';
export {
  Controller,
  ControllerBuilder,
  type ControllerOptions,
  type ControllerSpec,
  controller,
  type ReconcileObject,
} from './controller/controller.ts';
export { type Clusters, oneCluster, type Request, type SourceOptions, type Target, type Watch } from './controller/describe.ts';
export type { Environment, Runnable } from './controller/environment.ts';
export type { Cached, CachedWhere, ReconcileInput } from './controller/input.ts';
export { type Answer, isTerminal, terminal } from './controller/outcome.ts';
export {
  allOf,
  annotationsChanged,
  anyOf,
  type Change,
  generationChanged,
  labelsChanged,
  matching,
  type Predicate,
} from './controller/predicates.ts';
export { type Reconcile, type ReconcileResult, runWorkers, type WorkerOptions } from './controller/workers.ts';
export { Elector, type ElectorOptions } from './election/elector.ts';
export type { Fence } from './election/fence.ts';
export { fenced } from './election/fenced.ts';
export { ownerOf, type ShardMember } from './election/rendezvous.ts';
export { type Ownership, shardedSource } from './election/sharded-source.ts';
export { Shards } from './election/shards.ts';
export type { ShardListener, ShardsOptions } from './election/shards-options.ts';
export type { LeaseTimings } from './election/timings.ts';
export { type AddOptions, Manager, type ManagerOptions, type Resource } from './manager/manager.ts';
export { newestValues } from './newest-values.ts';
export { type Handle, handlers } from './observe/answers.ts';
export { type ConsoleLoggerOptions, consoleLogger, type LogLevel } from './observe/console-logger.ts';
export { EventRecorder, type EventRecorderOptions, type RecordedEvent } from './observe/events.ts';
export {
  type Fact,
  type ListReason,
  type Observe,
  observers,
  type ReconcileOutcome,
  told,
  type WatchEnd,
} from './observe/facts.ts';
export {
  type CollectGaugesOptions,
  collectGauges,
  GAUGES,
  type GaugeDefinition,
  type GaugeReading,
  type GaugeSource,
} from './observe/gauges.ts';
export { type HealthCheck, type HealthChecks, type HealthOptions, healthHandler } from './observe/health.ts';
export { type LogFields, type Logger, silent } from './observe/log.ts';
export { errorFields, logObserver } from './observe/log-observer.ts';
export { type Lag, LoopLag, type LoopLagOptions } from './observe/loop-lag.ts';
export {
  type Counter,
  exponentialBuckets,
  type Gauge,
  type Histogram,
  type HistogramDefinition,
  type MetricDefinition,
  type MetricLabels,
  type MetricSink,
  Metrics,
} from './observe/metrics.ts';
export { type RuntimeMetricsOptions, runtimeMetrics } from './observe/runtime-metrics.ts';
export { type PatienceOptions, patiently } from './patiently.ts';
export type { BreakerOptions } from './queue/breaker.ts';
export { FairQueue, type FairQueueOptions, type Taken } from './queue/fair-queue.ts';
export { type Adding, LOW_PRIORITY } from './queue/lane.ts';
export { WorkQueue, type WorkQueueOptions } from './queue/work-queue.ts';
export type { MapFunction, MapOptions } from './set/ask-all.ts';
export type { Probe } from './set/attend.ts';
export { ClusterSet } from './set/cluster-set.ts';
export type { EngageHandler } from './set/engagement.ts';
export type { ConnectedMember, Member, SetEvent } from './set/member.ts';
export { type Look, type MemberState, nextState, type SeenState, type Standing } from './set/member-state.ts';
export type { ClusterSetOptions, ProbeOptions } from './set/options.ts';
export { type ClusterFailure, type ClusterResult, ClusterResults, type ClusterSuccess } from './set/results.ts';
export { type CombineSourcesOptions, combineSources, staticSource } from './set/sources.ts';
export {
  type Cancel,
  type Clock,
  milliseconds,
  nextTurn,
  sleep,
  systemClock,
  timestamp,
} from './time/index.ts';
export { unlessAborted } from './unless-aborted.ts';
export { whenAborted } from './when-aborted.ts';
