import type { Agenda } from './agenda.ts';
import { Breaker, type BreakerOptions, type BreakerState } from './breaker.ts';
import { type Backoff, Lane } from './lane.ts';
import type { Seat } from './rotation.ts';

/** What the clusters of one queue have in common. */
export interface MemberRules {
  readonly agenda: Agenda;
  readonly backoff: Backoff;
  readonly breaker: Required<BreakerOptions>;
  readonly random: () => number;
  readonly inFlight: number;
  /** A key has become ready by itself. */
  readonly onDue: (member: FairMember) => void;
  readonly onBreaker: (member: FairMember, state: BreakerState) => void;
}

/** How many keys there are; of one cluster, and of all. */
export interface Sums {
  /** Ready, held back or not. */
  ready: number;
  /** Ready and not held back. */
  open: number;
  /** Waiting for their time. */
  waiting: number;
}

/** One cluster of a fair queue: its keys, its breaker, and its seat in the rotation. */
export class FairMember implements Seat<FairMember> {
  readonly cluster: string;
  readonly lane: Lane;
  readonly breaker: Breaker;
  readonly #room: number;
  /** What of it stands in the sums of all. */
  readonly #counted: Sums = { ready: 0, open: 0, waiting: 0 };
  credit = 0;
  before: FairMember | undefined;
  after: FairMember | undefined;
  isParked = false;
  /** Whether it was removed while there was work under way for it; until that is over, its keys stay locked. */
  isGone = false;
  /** How often it was removed: what was taken before is another cluster's. */
  era = 0;
  /** Keys of this era that are under way. */
  inFlight = 0;
  /** What was handed out to see whether the cluster answers again. */
  probe: object | undefined;

  constructor(cluster: string, rules: MemberRules) {
    this.cluster = cluster;
    this.#room = rules.inFlight;
    this.lane = new Lane(rules.agenda, rules.backoff, () => rules.onDue(this));
    this.breaker = new Breaker(rules.agenda, rules.breaker, rules.random, (state) => {
      this.probe = undefined;
      rules.onBreaker(this, state);
    });
  }

  /** What the next key costs. */
  get cost(): number {
    return this.lane.top?.cost ?? 1;
  }

  /** Whether its keys are kept back until the cluster answers. */
  get isHeld(): boolean {
    return this.isParked || this.breaker.state === 'open';
  }

  /** Whether a key could be handed out now. */
  get isReady(): boolean {
    if (this.lane.ready === 0 || this.isHeld || this.inFlight >= this.#room) return false;
    return this.breaker.state === 'closed' || this.probe === undefined;
  }

  /** Brings the sums of all up to date with it. */
  count(sums: Sums): void {
    const { ready, waiting } = this.lane;
    const open = this.isHeld ? 0 : ready;
    const counted = this.#counted;
    sums.ready += ready - counted.ready;
    sums.open += open - counted.open;
    sums.waiting += waiting - counted.waiting;
    counted.ready = ready;
    counted.open = open;
    counted.waiting = waiting;
  }

  /** Forgets everything but that keys are worked on. */
  clear(): void {
    this.lane.clear();
    this.isParked = false;
    this.era += 1;
    this.inFlight = 0;
    this.breaker.succeeded();
  }
}
