/** A small world: clusters with room for pods, which become ready after a while. Times are milliseconds. */

export interface Pod {
  readyAt: number;
}

/** A cluster and its Deployment controller. */
export class Member {
  readonly name: string;
  readonly weight: number;
  capacity: number;
  assigned = 0;
  /** Pods that have a node; in the order in which they become ready. */
  pods: Pod[] = [];
  isSilent = false;
  isDead = false;
  isSick = false;
  isTainted = false;
  readonly #startMs: () => number;

  constructor(name: string, weight: number, capacity: number, startMs: () => number) {
    this.name = name;
    this.weight = weight;
    this.capacity = capacity;
    this.#startMs = startMs;
  }

  get isReachable(): boolean {
    return !this.isSilent && !this.isDead;
  }

  ready(now: number): number {
    return this.isSick || this.isDead ? 0 : this.pods.filter(({ readyAt }) => readyAt <= now).length;
  }

  get unschedulable(): number {
    return this.isDead ? 0 : this.assigned - this.pods.length;
  }

  /** Starts and ends pods: those without a node go first, then those that aren't ready, then the youngest. */
  settle(now: number): void {
    if (this.isDead) {
      this.pods = [];
      return;
    }
    this.pods.length = Math.min(this.pods.length, this.assigned, Math.max(0, this.capacity));
    while (this.pods.length < Math.min(this.assigned, this.capacity)) this.pods.push({ readyAt: now + this.#startMs() });
    this.pods.sort((a, b) => a.readyAt - b.readyAt);
  }

  /** How many ready pods end. */
  scale(replicas: number, now: number): number {
    const before = this.ready(now);
    this.assigned = replicas;
    this.settle(now);
    return Math.max(0, before - this.ready(now));
  }
}
