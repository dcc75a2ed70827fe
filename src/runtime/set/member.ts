import type { Cluster } from '../../kube/plain/index.ts';
import type { MemberState } from './member-state.ts';

/** A cluster of a {@link ClusterSet}, as of one moment: what changes is another object. */
export interface Member<Entry> {
  readonly name: string;
  /** `undefined` until there is a connection; then the same for as long as the member is in the set. */
  readonly cluster: Cluster | undefined;
  /** What the source says of it now. */
  readonly entry: Entry;
  readonly state: MemberState;
  /** Why it isn't ready, in words: the first reason since it isn't. Empty where it is ready. */
  readonly reason: string;
  /** Since when it has been in this state: milliseconds since 1970, by the set's clock. */
  readonly since: number;
  /**
   * When it last said that it is ready: milliseconds since 1970, by the set's clock; `undefined` where it never has on this connection. Moves on
   * with every good answer, of which nobody is told.
   */
  readonly lastSeen: number | undefined;
  /** Fires when the member leaves the set, or the set is stopped. */
  readonly signal: AbortSignal;
}

/** A member that there is a connection to. */
export interface ConnectedMember<Entry> extends Member<Entry> {
  readonly cluster: NonNullable<Member<Entry>['cluster']>;
}

/**
 * A change in a set. A member whose connection is made anew leaves and joins. Of one name, whoever came first has `left` before the next has
 * `joined`.
 */
export interface SetEvent<Entry> {
  readonly type: 'joined' | 'changed' | 'left';
  readonly member: Member<Entry>;
  /** What the member was before; absent where it has just joined. */
  readonly previous?: Member<Entry>;
}
