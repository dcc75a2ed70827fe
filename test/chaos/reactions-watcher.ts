import type { ReactInput, Reaction } from '../../src/scheduling/react/react.ts';
import type { FailoverRules } from '../../src/scheduling/react/rules.ts';
import type { Scene } from './reactions-story.ts';

interface Issued {
  readonly at: number;
  readonly replicas: number;
}

/** Its own arithmetic on purpose, and not that of what it watches. */
function amount(value: number | string | undefined, total: number, otherwise: number): number {
  if (value === undefined) return otherwise;
  return typeof value === 'number' ? value : Math.ceil((Number.parseInt(value, 10) * total) / 100);
}

/** Looks at every reaction and every step that is carried out, and remembers what should never have been. */
export class Watcher {
  readonly #rules: FailoverRules;
  readonly #isClean: boolean;
  readonly #issued = new Map<string, Issued[]>();
  readonly #broken: string[] = [];
  readonly #standing = new Map<string, string>();
  /** For how long a trouble has lasted by our clock, with no longer gap between two looks than the rules allow; by cluster and trouble. */
  #lasting = new Map<string, number>();
  /** For how long a cluster has had replicas that aren't ready, with nothing getting better. */
  readonly #stalled = new Map<string, { assigned: number; ready: number; time: number }>();
  #clock = Number.NaN;
  /** Clusters that were given up, and that had nothing left, or from which nothing could be moved. */
  readonly #moved = new Set<string>();
  readonly #timesGivenUp = new Map<string, number>();
  #wanted = 0;
  #givenUp = 0;
  #capped = 0;
  #cutOff = 0;

  constructor(rules: FailoverRules, isClean: boolean) {
    this.#rules = rules;
    this.#isClean = isClean;
  }

  tale() {
    return { broken: this.#broken, givenUp: this.#givenUp, capped: this.#capped, cutOff: this.#cutOff };
  }

  timesGivenUp(cluster: string): number {
    return this.#timesGivenUp.get(cluster) ?? 0;
  }

  blame(what: string, now: number): void {
    if (this.#broken.length < 5) this.#broken.push(`at ${now / 1000} s: ${what}`);
  }

  #floor(): number {
    return Math.min(this.#wanted, Math.max(1, amount(this.#rules.minReady, this.#wanted, this.#wanted)));
  }

  look(reaction: Reaction, input: ReactInput, scene: Scene, now: number, seenAt: number): void {
    const used = reaction.clusters.filter(({ standing }) => standing !== 'GivenUp' && standing !== 'Returning');
    const placed = (used.length > 0 ? used : reaction.clusters).reduce(
      (sum, each) => sum + (used.length > 0 ? each.target : each.from),
      0,
    );
    this.#wanted = input.replicas ?? placed;
    this.#last(reaction, input);
    this.#budgets(reaction, input, scene, now, seenAt);
    this.#silence(reaction, input, scene, now);
    for (const { cluster, replicas } of reaction.steps) {
      const list = (this.#issued.get(cluster) ?? []).filter(({ at }) => at >= seenAt);
      this.#issued.set(cluster, [...list, { at: now, replicas }]);
    }
    this.#patience(reaction, input, now);
    this.#count(reaction, now);
  }

  /** Whatever becomes of steps that aren't seen yet, the budgets hold. */
  #budgets(reaction: Reaction, input: ReactInput, scene: Scene, now: number, seenAt: number): void {
    const sums = { readyBefore: 0, readyAfter: 0, thereBefore: 0, thereAfter: 0, flyingBefore: 0, flyingAfter: 0 };
    for (const { cluster, reachable, assigned = 0, ready = 0 } of input.observations) {
      const standing = reaction.clusters.find((each) => each.cluster === cluster);
      const open = (this.#issued.get(cluster) ?? []).filter(({ at }) => at >= seenAt).map(({ replicas }) => replicas);
      const step = reaction.steps.find((each) => each.cluster === cluster);
      const [low, high] = [Math.min(assigned, ...open), Math.max(assigned, ...open)];
      const [lower, higher] = step === undefined ? [low, high] : [Math.min(low, step.replicas), Math.max(high, step.replicas)];
      if (reachable) {
        sums.readyBefore += Math.min(ready, low);
        sums.readyAfter += Math.min(ready, lower);
      }
      const isOut = standing?.standing === 'GivenUp' || standing?.standing === 'Returning';
      if (reachable || !(isOut && standing.trouble === 'Unreachable')) {
        sums.thereBefore += low;
        sums.thereAfter += lower;
      }
      const isSick = scene.members.find(({ name }) => name === cluster)?.isSick === true;
      // Replicas that don't get ready for too long are no longer waited for (readySeconds).
      const isStalled = (this.#stalled.get(cluster)?.time ?? 0) >= 600_000;
      if (reachable && !isOut && !isSick && !isStalled) {
        const cap = standing?.cap ?? Number.POSITIVE_INFINITY;
        sums.flyingBefore += Math.max(0, Math.min(cap, high) - ready);
        sums.flyingAfter += Math.max(0, Math.min(cap, higher) - ready);
      }
    }
    const { readyBefore, readyAfter, thereBefore, thereAfter, flyingBefore, flyingAfter } = sums;
    const said = JSON.stringify({ steps: reaction.steps, seen: input.observations });
    if (readyAfter < readyBefore && readyAfter < this.#floor())
      this.blame(`only ${readyAfter} of ${this.#floor()} stay ready: ${said}`, now);
    if (thereAfter < thereBefore && thereAfter < this.#wanted)
      this.blame(`only ${thereAfter} of ${this.#wanted} stay: ${said}`, now);
    const most = Math.max(1, amount(this.#rules.maxReplicas, this.#wanted, Number.POSITIVE_INFINITY));
    if (flyingAfter > flyingBefore && flyingAfter > most) this.blame(`${flyingAfter} of ${most} in flight: ${said}`, now);
  }

  #silence(reaction: Reaction, input: ReactInput, scene: Scene, now: number): void {
    for (const { cluster } of reaction.steps) {
      if (input.observations.find((each) => each.cluster === cluster)?.reachable === false)
        this.blame(`writes to ${cluster}`, now);
    }
    const isAll = scene.unseen.size === scene.members.length;
    if (!isAll || !input.observations.every(({ reachable }) => !reachable)) return;
    this.#cutOff += 1;
    if (reaction.steps.length > 0) this.blame('moves while cut off', now);
    const fresh = reaction.clusters.filter(
      ({ cluster, standing }) => standing === 'GivenUp' && !['GivenUp', 'Returning'].includes(this.#standing.get(cluster) ?? ''),
    );
    if (fresh.length > 0) this.blame('gives up while cut off', now);
  }

  /** How long each trouble has lasted. Where nobody can see whether it is there, it goes on. */
  #last({ stopped }: Reaction, input: ReactInput): void {
    const clock = Date.parse(input.now);
    const passed = Math.max(0, clock - this.#clock);
    const isGap = passed > (this.#rules.observationGapSeconds ?? 120) * 1000;
    this.#clock = clock;
    const before = this.#lasting;
    this.#lasting = new Map();
    for (const { cluster, reachable, healthy, assigned = 0, ready = 0 } of input.observations) {
      const stalled = this.#stalled.get(cluster);
      if (reachable && (stalled?.assigned !== assigned || stalled.ready < ready))
        this.#stalled.set(cluster, { assigned, ready, time: 0 });
      else if (stalled !== undefined) stalled.time += passed;
      const note = (trouble: string, isThere: boolean): void => {
        const time = before.get(`${cluster} ${trouble}`);
        if (isThere) this.#lasting.set(`${cluster} ${trouble}`, time === undefined || isGap ? 0 : time + passed);
      };
      note('Unreachable', !reachable && stopped === undefined);
      note('Unhealthy', reachable ? healthy === false : before.has(`${cluster} Unhealthy`));
    }
  }

  /** Nobody is given up before the grace is over, or while too many others are being moved. */
  #patience(reaction: Reaction, input: ReactInput, now: number): void {
    const { unreachableSeconds = 300, unhealthySeconds = 300 } = this.#rules.grace ?? {};
    let moving = 0;
    let fresh = 0;
    for (const { cluster, standing, trouble = '', since = '', from } of reaction.clusters) {
      const seen = input.observations.find((each) => each.cluster === cluster);
      if (standing !== 'GivenUp') {
        this.#moved.delete(cluster);
        continue;
      }
      const isFresh = !['GivenUp', 'Returning'].includes(this.#standing.get(cluster) ?? '');
      if (isFresh) fresh += 1;
      const isLeft = seen?.reachable === true && from > 0 && this.#standing.get(cluster) === 'GivenUp';
      if (isFresh || (isLeft && !this.#moved.has(cluster))) moving += 1;
      // What can go nowhere for long doesn't keep others from being given up (readySeconds).
      const isStuck = reaction.steps.length === 0 && this.#clock - Date.parse(since) >= 600_000;
      if (isStuck || (!isFresh && !isLeft)) this.#moved.add(cluster);
      const grace = trouble === 'Unreachable' ? unreachableSeconds : unhealthySeconds;
      const lasted = this.#lasting.get(`${cluster} ${trouble}`) ?? 0;
      if (isFresh && trouble !== 'Tainted' && lasted < grace * 1000)
        this.blame(`gives ${cluster} up after ${lasted / 1000} seconds`, now);
    }
    const most = this.#rules.maxClusters ?? Number.POSITIVE_INFINITY;
    if (fresh > 0 && moving > most) this.blame(`${moving} clusters given up at a time`, now);
  }

  #count({ clusters }: Reaction, now: number): void {
    let moving = 0;
    for (const { cluster, standing } of clusters) {
      const before = this.#standing.get(cluster) ?? 'Well';
      if (standing === 'GivenUp' && before !== 'GivenUp' && before !== 'Returning') {
        this.#givenUp += 1;
        this.#timesGivenUp.set(cluster, this.timesGivenUp(cluster) + 1);
        moving += 1;
      }
      if (standing === 'Capped' && before !== 'Capped') this.#capped += 1;
      this.#standing.set(cluster, standing);
    }
    if (moving > (this.#rules.maxClusters ?? Number.POSITIVE_INFINITY)) this.blame(`${moving} clusters given up at once`, now);
  }

  /** A step was carried out and ended ready pods. Where nothing is late or lost, enough must be left in truth. */
  landed(cluster: string, killed: number, scene: Scene, now: number): void {
    if (!this.#isClean || killed === 0) return;
    const left = scene.members
      .filter(({ name, isReachable }) => isReachable && !scene.unseen.has(name) && !scene.away.has(name))
      .reduce((sum, member) => sum + member.ready(now), 0);
    if (left < this.#floor()) this.blame(`${killed} ended in ${cluster}, and ${left} of ${this.#floor()} are left`, now);
  }
}
