import { hasCode } from '../../kube/plain/index.ts';
import { type Observe, told } from '../observe/facts.ts';
import { Drain } from './drain.ts';
import { type Fence, Term } from './fence.ts';
import { GroupLeases } from './group-leases.ts';
import { readRecord } from './lease.ts';
import { explainedLeaseError } from './lease-error.ts';
import type { ShardMember } from './rendezvous.ts';
import { ShardFence } from './shard-fence.ts';
import { isAlive, NO_VIEW, type Peer, Peers, readState, type ShardState, type View, viewOf } from './shard-state.ts';
import { type CheckedShardsOptions, checkedShardsOptions, type ShardListener, type ShardsOptions } from './shards-options.ts';
import { callTimeout, JITTER_FACTOR } from './timings.ts';

/** How often in a row a lease is written without a pause: a change of views that comes while another is written. */
const MOST_AT_ONCE = 3;

/**
 * Several replicas share clusters, by rendezvous hashing over those that live. There is no coordinator, and no lease for each cluster: a replica
 * writes its own lease and lists those of its group, once in each period, however many clusters there are.
 *
 * **Protocol.** Each replica publishes, in its lease, the _view_ by which it divides. It acts for a cluster only while (a) its own lease is valid,
 * as a {@link Fence} is; (b) the cluster is its own under the view that it has published; and after (c) a list of the leases, asked for after that
 * view was stored, in which no other replica that is not known to have run out has the cluster under *its* view. When others come or go, it first
 * stops what it won't have any more, and waits until work has ended and writes that were broken off can't arrive any more; then it publishes
 * the new view; then it lists; then it begins with what is newly clear. What it has before and after goes on. Whoever was without a valid lease for
 * one moment has lost everything, and begins from the start, with a higher epoch.
 *
 * **Why no two act for one cluster at the same time.** A published view is a flag, raised for each cluster that it gives to its replica. A replica
 * raises its flag, and then looks; it lowers the flag only after it has stopped. Suppose that two act for a cluster at one moment, and the flag of
 * the first was stored before that of the second. The second has looked after it raised its own; the host answers lists with all that was stored
 * before; so it has met the first one's flag, unless the first lowered it before, and then had stopped, or was taken for one that had run out. To
 * be taken for that, nothing new of it was seen for the duration of its lease, counted from an answer to the moment when the look was *sent*. The
 * first reckons the same duration from the moment when it *sent* its renewal, which is earlier, and less the margin. A later renewal of the
 * first that it counted was answered while it was still valid, hence before the look was sent, and would have been seen by it; one that was
 * answered later doesn't count for it, because it had lost everything by then. So the first had stopped in each case. A new run of the same
 * identity keeps its forerunner's flags up until that must have stopped, and begins to act only then.
 *
 * **What it rests on.** Clocks run at the same speed but for the margin; what is said of the time is never compared between machines. The host is
 * one API server or several over one etcd, not restored to an older state meanwhile; nobody else removes leases that have not run out. A
 * request that lies in the network for longer than the margin is beyond any client's power: see `fenced`.
 *
 * @throws ClustersetError `Invalid` for a group or an identity that can't stand in a name, and for times that don't fit together.
 */
export class Shards {
  readonly #options: CheckedShardsOptions;
  readonly #tell: Observe;
  readonly #leases: GroupLeases;
  readonly #peers = new Peers();
  readonly #drain: Drain;
  readonly #instance: string;
  readonly #fences = new Map<string, ShardFence>();
  readonly #listeners = new Set<ShardListener>();
  #term: Term | undefined;
  /** What is stored, by a write that was answered. */
  #published: View = NO_VIEW;
  /** What shall be published. */
  #target: View;
  /** What may be stored by writes that were not answered. */
  readonly #doubtful: View[] = [];
  /** Whether there was a look since the view was published. */
  #hasLooked = false;
  /** Before this monotonic time an earlier run of the same identity may act. */
  #clearFrom = Number.NEGATIVE_INFINITY;
  /** For how long its lease was given. */
  #forerunnerMs = 0;
  /** Others that live and divide by another view than we do. */
  #rivals: readonly Peer[] = [];
  /** Whether this run has had the lease once: from then on it gives way to a newer run of its identity. */
  #hasJoined = false;
  #isRunning = false;
  #isLeaving = false;
  #signature = '';
  #lastTold = '';
  #wake = (): void => undefined;

  constructor(options: ShardsOptions) {
    this.#options = checkedShardsOptions(options);
    const { clock, leaseDurationMs, safetyMarginMs, identity, weight, random } = this.#options;
    this.#tell = told(options.observe);
    this.#leases = new GroupLeases({ ...this.#options, callTimeoutMs: callTimeout((leaseDurationMs * 2) / 3) });
    const onDone = (): void => this.#wake();
    this.#drain = new Drain({ clock, marginMs: safetyMarginMs, patienceMs: leaseDurationMs, onDone });
    this.#instance = `${Math.floor(clock.now()).toString(36)}-${random().toString(36).slice(2)}${random().toString(36).slice(2)}`;
    this.#target = viewOf([{ identity, weight }]);
  }

  /** Among whom the clusters are divided, as far as this replica knows, by identity. */
  members(): readonly Required<ShardMember>[] {
    return this.#target.members;
  }

  /** The right to act for a cluster; `undefined` where this replica may not. As long as it may without a break, it is the same. */
  owns(cluster: string): Fence | undefined {
    if (this.#isLeaving || !this.#term?.isValid()) return undefined;
    const held = this.#fences.get(cluster);
    if (held !== undefined) return held;
    if (!this.#mayBegin(cluster)) return undefined;
    const fence = new ShardFence(this.#term);
    this.#fences.set(cluster, fence);
    return fence;
  }

  /** As {@link Shards.owns}, for `fenced`: where this replica may not act, it is a fence that is over. */
  fence(cluster: string): Fence {
    return this.owns(cluster) ?? ShardFence.over(this.#options.clock);
  }

  /** Ends the right to act for a cluster that there is no more, and forgets it. */
  disown(cluster: string): void {
    const fence = this.#fences.get(cluster);
    if (fence === undefined) return;
    this.#fences.delete(cluster);
    fence.end('the cluster is no longer there');
    this.#drain.begin([]);
  }

  /** Calls back whenever what {@link Shards.owns} says may have changed. */
  onChange(listener: ShardListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes part until the signal fires; then ends all work, waits for it, and gives the lease back. */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#isRunning) throw new TypeError('these shards are running already');
    this.#isRunning = true;
    this.#isLeaving = false;
    this.#hasJoined = false;
    try {
      while (!signal.aborted) {
        let isGood = await this.#round(signal);
        for (let again = 1; isGood && again < MOST_AT_ONCE && this.#mustPublish() && !signal.aborted; again += 1) {
          isGood = await this.#round(signal);
        }
        await this.#pause(signal);
      }
      await this.#leave();
    } finally {
      this.#isRunning = false;
    }
  }

  /** Keeps the lease, or gets one, and looks at the others. False: something failed. */
  async #round(signal: AbortSignal): Promise<boolean> {
    try {
      if (!this.#term?.isValid()) {
        await this.#look(signal);
        if (!(await this.#join(signal))) return false;
      } else {
        await this.#publish(this.#mustPublish() ? this.#target : this.#published, false, signal);
      }
      await this.#look(signal);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      // Our own lease isn't as we have seen it: by a write of ours whose answer was lost, or by somebody else.
      if (hasCode(error, 'Conflict', 'AlreadyExists', 'NotFound')) await this.#look(signal).catch(() => undefined);
      else this.#fail(error);
      return false;
    } finally {
      this.#notify([]);
    }
  }

  #mustPublish(): boolean {
    return this.#term !== undefined && this.#clears() && this.#drain.isOver && this.#target.text !== this.#published.text;
  }

  /** Gets the lease: it is new, or was given back, or was ours before, or has run out; or an earlier run's, to whose end we wait. */
  async #join(signal: AbortSignal): Promise<boolean> {
    const { clock } = this.#options;
    const peer = this.#leases.lease === undefined ? undefined : this.#peers.get(this.#leases.own);
    if (!this.#drain.isOver) return false;
    const isFree = peer === undefined || peer.state?.instance === this.#instance || !isAlive(peer, clock.monotonic());
    // A take-over whose answer was lost has come to pass by now, or never will.
    if (isFree && this.#clearFrom === Number.POSITIVE_INFINITY) this.#clearFrom = clock.monotonic() + this.#forerunnerMs;
    if (isFree && this.#clears()) return this.#publish(this.#target, true, signal);
    if (peer?.state === undefined || (!isFree && this.#hasJoined)) return false;
    // The flags of the earlier run stay up for as long as it may act: what it wrote is kept, and only the instance is ours.
    if (isFree) return this.#publish(peer.state.view, true, signal);
    this.#clearFrom = Number.POSITIVE_INFINITY;
    this.#forerunnerMs = peer.observed.record.leaseDurationSeconds * 1000;
    const isHeld = await this.#publish(peer.state.view, true, signal);
    this.#clearFrom = clock.monotonic() + this.#forerunnerMs;
    return isHeld;
  }

  /** Writes our lease with a view. Whether that holds is known only from the answer. */
  async #publish(view: View, isNew: boolean, signal: AbortSignal): Promise<boolean> {
    const { clock, leaseDurationMs, safetyMarginMs } = this.#options;
    if (!this.#doubtful.some(({ text }) => text === view.text)) this.#doubtful.push(view);
    const { epoch, sentAt } = await this.#leases.write(this.#state(view), isNew, signal);
    // The version has changed: what was on its way before is refused from now on.
    this.#doubtful.length = 0;
    if (this.#published.text !== view.text || isNew) this.#hasLooked = false;
    this.#published = view;
    const expiresAt = sentAt + leaseDurationMs - safetyMarginMs;
    if (!isNew) return this.#term?.extend(expiresAt) === true;
    this.#hasJoined = true;
    this.#term = new Term({ clock, epoch, expiresAt, onEnd: () => this.#lost(epoch) });
    this.#sayLeading(true, epoch);
    return this.#term.isValid();
  }

  #state(view: View): ShardState {
    return { instance: this.#instance, weight: this.#options.weight, view };
  }

  async #look(signal: AbortSignal): Promise<void> {
    const term = this.#term;
    const { leases, sentAt, answeredAt } = await this.#leases.list(signal);
    this.#peers.look(leases, { sentAt, answeredAt });
    const { lease } = this.#leases;
    // Who doesn't find our flags acts. So does who finds those of another run of our identity.
    const isOurs =
      lease !== undefined &&
      readState(lease)?.instance === this.#instance &&
      readRecord(lease).holderIdentity === this.#options.identity;
    if (term !== undefined && !isOurs) this.#term?.end('the lease was taken away');
    const alive = this.#peers.alive(sentAt, this.#leases.own);
    this.#retarget(alive);
    this.#rivals = alive.filter(({ state }) => state?.view.text !== this.#published.text);
    this.#hasLooked = term !== undefined && term === this.#term && term.isValid();
    await this.#tidy(sentAt, signal);
  }

  #retarget(alive: readonly Peer[]): void {
    const { identity, weight } = this.#options;
    const others = alive.flatMap((peer) =>
      peer.state === undefined ? [] : [{ identity: peer.identity, weight: peer.state.weight }],
    );
    const target = viewOf([...others.filter((other) => other.identity !== identity), { identity, weight }]);
    if (target.text === this.#target.text) return;
    this.#target = target;
    const ended = [...this.#fences.keys()].filter((cluster) => target.ownerOf(cluster) !== identity);
    this.#end(ended, 'the cluster goes to another replica');
  }

  /** Leases of replicas that are long gone: each is removed by one of us. */
  async #tidy(sentAt: number, signal: AbortSignal): Promise<void> {
    const { identity, forgetAfterMs } = this.#options;
    for (const { name, lease } of this.#peers.forgotten(sentAt, forgetAfterMs)) {
      if (name === this.#leases.own || this.#target.ownerOf(name) !== identity) continue;
      await this.#leases.remove(lease, signal).catch((error: unknown) => {
        if (!hasCode(error, 'Conflict')) this.#fail(error);
      });
    }
  }

  /** Whether no earlier run of our identity may act any more. */
  #clears(): boolean {
    return this.#options.clock.monotonic() >= this.#clearFrom;
  }

  /** A flag of ours is up in whatever may be stored, and those of the others were seen to be down after that. */
  #mayBegin(cluster: string): boolean {
    const { identity } = this.#options;
    if (!this.#hasLooked || !this.#clears()) return false;
    const isOurs = [this.#published, this.#target, ...this.#doubtful].every((view) => view.ownerOf(cluster) === identity);
    return (
      isOurs && this.#rivals.every(({ identity: rival, state }) => state !== undefined && state.view.ownerOf(cluster) !== rival)
    );
  }

  #lost(epoch: number): void {
    this.#term = undefined;
    this.#hasLooked = false;
    this.#sayLeading(false, epoch);
    this.#end([...this.#fences.keys()], 'the lease is no longer our own');
    this.#wake();
  }

  /** Ends the right to act; what it was is handed over only when work for it has ended. */
  #end(ended: readonly string[], reason: string): void {
    for (const cluster of ended) {
      const fence = this.#fences.get(cluster);
      this.#fences.delete(cluster);
      fence?.end(reason);
    }
    if (ended.length > 0) this.#drain.begin(this.#notify(ended));
  }

  /** Tells the listeners, where there is something to tell; returns what they do about it. */
  #notify(ended: readonly string[]): readonly Promise<void>[] {
    const views = [this.#published, this.#target, ...this.#doubtful].map(({ text }) => text);
    const rivals = this.#rivals.map(({ name, state }) => [name, state?.view.text ?? null]);
    const signature = JSON.stringify([views, rivals, this.#hasLooked, this.#clears(), this.#term !== undefined, this.#isLeaving]);
    const isNews = ended.length > 0 || signature !== this.#signature;
    this.#signature = signature;
    const work = isNews ? [...this.#listeners].map(async (listener) => listener({ ended })) : [];
    for (const each of work) each.catch((error: unknown) => this.#fail(error));
    this.#sayShard();
    return work;
  }

  /** Until the next period; sooner where a view can be published, or the lease is lost. */
  async #pause(signal: AbortSignal): Promise<void> {
    const { clock, renewPeriodMs, random } = this.#options;
    if (signal.aborted) return;
    const isHeld = this.#term?.isValid() === true;
    const ms = isHeld ? renewPeriodMs : renewPeriodMs * (1 + JITTER_FACTOR * random());
    await new Promise<void>((resolve) => {
      const done = (): void => {
        cancel();
        signal.removeEventListener('abort', done);
        this.#wake = (): void => undefined;
        resolve();
      };
      const cancel = clock.after(ms, done);
      signal.addEventListener('abort', done, { once: true });
      this.#wake = done;
    });
  }

  /** Ends all work, waits for it as long as the lease lasts, and gives the lease back. */
  async #leave(): Promise<void> {
    this.#isLeaving = true;
    const term = this.#term;
    this.#end([...this.#fences.keys()], 'this replica leaves');
    this.#notify([]);
    if (term?.isValid()) {
      const leaving = new AbortController();
      const stop = (): void => leaving.abort();
      term.signal.addEventListener('abort', stop, { once: true });
      while (!this.#drain.isOver && term.isValid()) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
      if (this.#drain.isOver && term.isValid()) await this.#release(leaving.signal);
      term.signal.removeEventListener('abort', stop);
    }
    term?.end('this replica leaves');
    this.#wake = (): void => undefined;
  }

  async #release(signal: AbortSignal): Promise<void> {
    for (let left = MOST_AT_ONCE; left > 0; left -= 1) {
      try {
        await this.#leases.release(this.#state(NO_VIEW), signal);
        return;
      } catch (error) {
        if (!hasCode(error, 'Conflict')) return this.#fail(error);
        await this.#leases.list(signal).catch((failure: unknown) => this.#fail(failure));
      }
    }
  }

  #fail(error: unknown): void {
    const { namespace, identity, onError } = this.#options;
    const explained = explainedLeaseError(error, namespace, ['get', 'list', 'create', 'update', 'delete']);
    this.#tell({ fact: 'lease-failed', lease: `${namespace}/${this.#leases.own}`, identity, error: explained });
    try {
      onError?.(explained);
    } catch {
      // There is nobody left to tell.
    }
  }

  #sayLeading(isLeading: boolean, epoch: number): void {
    const { namespace, identity } = this.#options;
    this.#tell({ fact: 'leading', lease: `${namespace}/${this.#leases.own}`, identity, isLeading, epoch });
  }

  #sayShard(): void {
    const { group, identity } = this.#options;
    const clusters = this.#fences.size;
    const members = this.#target.members.length;
    if (this.#lastTold === `${clusters}/${members}`) return;
    this.#lastTold = `${clusters}/${members}`;
    this.#tell({ fact: 'shard', group, identity, clusters, members });
  }
}
