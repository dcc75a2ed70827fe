import { compareText, isRecord } from '../../kube/plain/index.ts';
import { isCurrent, type Lease, type Observed, observe, readRecord } from './lease.ts';
import { rendezvous, type ShardMember } from './rendezvous.ts';

/** The label of all leases of a group. */
export const GROUP_LABEL = 'clusterset.dev/shard-group';
/** The annotation in which a replica says what it divides by. */
export const STATE_ANNOTATION = 'clusterset.dev/shard';

/** Members of a view. To find an owner takes a look at each: a lease that names tens of thousands would hold the event loop up for seconds. */
const MOST_MEMBERS = 1000;

/** Among whom a replica divides the clusters. It acts for what it has under its own view, and for nothing else. */
export interface View {
  /** In the order of their identities. */
  readonly members: readonly Required<ShardMember>[];
  /** The same view has the same text. */
  readonly text: string;
  ownerOf(cluster: string): string | undefined;
}

/** What a replica says in its lease, beside that it is alive. */
export interface ShardState {
  /** Tells one run of a replica from another of the same identity. */
  readonly instance: string;
  readonly weight: number;
  readonly view: View;
}

export function viewOf(members: readonly Required<ShardMember>[]): View {
  const sorted = members.toSorted((a, b) => compareText(a.identity, b.identity));
  const text = JSON.stringify(sorted.map(({ identity, weight }) => [identity, weight]));
  return { members: sorted, text, ownerOf: rendezvous(sorted) };
}

export const NO_VIEW: View = viewOf([]);

export function formatState({ instance, weight, view }: ShardState): string {
  return JSON.stringify({ instance, weight, view: view.members.map((member) => [member.identity, member.weight]) });
}

/** `undefined` for what can't be understood. */
export function readState(lease: Lease): ShardState | undefined {
  const text = lease.metadata.annotations?.[STATE_ANNOTATION];
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (!isRecord(value)) return undefined;
    const { instance, weight, view } = value;
    if (typeof instance !== 'string' || !isWeight(weight) || !Array.isArray(view)) return undefined;
    if (view.length > MOST_MEMBERS) return undefined;
    const members = view.map(readMember);
    return members.includes(undefined)
      ? undefined
      : { instance, weight, view: viewOf(members.filter((member) => member !== undefined)) };
  } catch {
    return undefined;
  }
}

function readMember(value: unknown): Required<ShardMember> | undefined {
  if (!Array.isArray(value)) return undefined;
  const [identity, weight] = value as readonly unknown[];
  return typeof identity === 'string' && isWeight(weight) ? { identity, weight } : undefined;
}

function isWeight(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

/** Another replica, as its lease was last seen. */
export interface Peer {
  readonly name: string;
  readonly identity: string;
  readonly lease: Lease;
  readonly observed: Observed;
  /** The text of the state as it was, to see whether it has changed. */
  readonly text: string;
  /** `undefined` for what can't be understood: it may act for any cluster. */
  readonly state: ShardState | undefined;
}

/**
 * What is known of the leases of a group. A lease is current for as long as it was given for, counted from when this process saw it change: the
 * answer that brought the change is late, so that one waits rather too long. Whether that time has passed is judged for the moment at which the
 * newest look was *sent*: a renewal that was answered before then would have been in it.
 */
export class Peers {
  #peers: ReadonlyMap<string, Peer> = new Map();

  /** Takes in what a look has found. What is gone, and wasn't given back, counts until its time has passed. */
  look(leases: readonly Lease[], { sentAt, answeredAt }: { readonly sentAt: number; readonly answeredAt: number }): void {
    const found = new Map(leases.map((lease) => [lease.metadata.name, this.#seen(lease, answeredAt)]));
    for (const [name, peer] of this.#peers) {
      if (!found.has(name) && isAlive(peer, sentAt)) found.set(name, peer);
    }
    this.#peers = found;
  }

  get(name: string): Peer | undefined {
    return this.#peers.get(name);
  }

  /** Those who may act at that moment, but for the one who asks. */
  alive(sentAt: number, own: string): readonly Peer[] {
    return [...this.#peers.values()].filter((peer) => peer.name !== own && isAlive(peer, sentAt));
  }

  /** Those of whom nothing was seen for so long, after their time had passed. */
  forgotten(sentAt: number, afterMs: number): readonly Peer[] {
    return [...this.#peers.values()].filter(({ observed }) => !isCurrent(observed, sentAt - afterMs));
  }

  #seen(lease: Lease, now: number): Peer {
    const { name } = lease.metadata;
    const record = readRecord(lease);
    const text = lease.metadata.annotations?.[STATE_ANNOTATION] ?? '';
    const before = this.#peers.get(name);
    const observed = observe(before?.text === text ? before.observed : undefined, record, now);
    const isSame = before !== undefined && before.observed === observed;
    const state = isSame ? before.state : readState(lease);
    return { name, identity: record.holderIdentity, lease, observed, text, state };
  }
}

/** Whether a replica may act: what was given back is nobody's at once. */
export function isAlive({ identity, observed }: Pick<Peer, 'identity' | 'observed'>, sentAt: number): boolean {
  return identity !== '' && isCurrent(observed, sentAt);
}
