import type { Cluster, ClusterSource, HealthThresholds } from '../../kube/plain/index.ts';
import type { Clock } from '../clock.ts';
import type { Observe } from '../observe/facts.ts';
import type { Probe } from './attend.ts';

/** How members are asked how they are. */
export interface ProbeOptions extends Partial<HealthThresholds> {
  /** What members are asked; false and a refusal count as an answer. Default: `/readyz`, as {@link Cluster.ready} does. It costs no watch. */
  readonly ask?: Probe;
  /** Milliseconds between two questions to one member, give or take a tenth. Default 10,000. */
  readonly intervalMs?: number;
  /** How long an answer may take, in milliseconds. Default 3,000. */
  readonly timeoutMs?: number;
}

/** What a {@link ClusterSet} is made with. */
export interface ClusterSetOptions<Entry extends { readonly name: string }> {
  readonly source: ClusterSource<Entry>;
  /**
   * Connects to a cluster; nothing needs to be sent yet. Is tried again where it fails, and after six times `connectTimeoutMs`, when the signal
   * fires; it fires also when the member leaves. A connection that comes too late is closed.
   */
  readonly connect: (entry: Entry, signal: AbortSignal) => Cluster | Promise<Cluster>;
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  /** Numbers from 0 up to 1: spreads probes and retries by a tenth, so that a thousand members aren't asked at once. Default: always 0.5. */
  readonly random?: () => number;
  /**
   * What of an entry decides how a cluster is reached: where it changes, the connection is made anew. Default: nothing, for entries may be of any
   * shape; for a `ClusterEntry`: `({ endpoints, auth }) => JSON.stringify([endpoints, auth])`. Credentials that are renewed behind the entry (a
   * Secret, a plugin) are the connection's own business, and cut nothing.
   */
  readonly connectionOf?: (entry: Entry) => string;
  /** How often, and how patiently, members are asked how they are. Default: every 10 s, 3 s for an answer, 1 good, 3 bad ones in a row. */
  readonly probe?: ProbeOptions;
  /** After this time without a connection a member counts as unreachable; the attempt goes on. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** How long those who are engaged with a member may take to finish when it leaves, in milliseconds. Default 10,000. */
  readonly leaveTimeoutMs?: number;
  /** Is told what goes wrong with a member, or with the source: then the name is empty. */
  readonly onError?: (name: string, error: unknown) => void;
  /** Is told of members that change their state. */
  readonly observe?: Observe;
}
