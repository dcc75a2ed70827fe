export type { BoundObject, IssuedToken, TokenCheck, TokenOptions, Tokens, User } from './access/index.ts';
export type { RolloutOptions } from './actors/deployments.ts';
export type { PodBehaviour } from './actors/kubelet.ts';
export type { OfflineNode } from './actors/node.ts';
export type { WorkloadOptions } from './actors/workloads.ts';
export type {
  AdmissionHook,
  AdmissionKind,
  AdmissionOperation,
  AdmissionRequest,
  AdmissionResource,
  AdmissionResponse,
  AdmissionReview,
} from './api/admission.ts';
export type { FailureAnswer } from './front/faults.ts';
export type { LoggedRequest, RequestLog } from './front/log.ts';
export type { Network } from './front/network.ts';
export type { ClientRequest, RequestScope, Verb } from './front/request.ts';
export type { Violation } from './invariants.ts';
export { OfflineCluster, type OfflineClusterOptions, type OfflineConnectOptions } from './offline-cluster.ts';
export { type ClusterSnapshot, snapshotFromYaml, snapshotToYaml, type WorldSnapshot } from './snapshot.ts';
export { VirtualClock } from './virtual-clock.ts';
export { type ClusterContents, simulate, World, type WorldOptions } from './world.ts';
