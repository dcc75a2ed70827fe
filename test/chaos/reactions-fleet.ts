import { seededRandom } from '../../scripts/seeded-random.ts';
import { divideReplicas } from '../../src/scheduling/divide/divide.ts';
import type { ClusterObservation } from '../../src/scheduling/react/observation.ts';
import { type ReactInput, type Reaction, react, type UsableCluster } from '../../src/scheduling/react/react.ts';
import type { FailoverRules } from '../../src/scheduling/react/rules.ts';
import { type FailoverState, parseFailoverState } from '../../src/scheduling/react/state.ts';
import { drawStory, type Scene, type WorldEvent } from './reactions-story.ts';
import { Watcher } from './reactions-watcher.ts';
import { Member } from './reactions-world.ts';

const HOUR = 3_600_000;
/** When worlds begin. */
const EPOCH = Date.parse('2026-01-01T00:00:00Z');

/** What one fleet went through. */
export interface Tale {
  readonly days: number;
  readonly clusters: number;
  readonly events: number;
  readonly calls: number;
  readonly steps: number;
  readonly moved: number;
  readonly givenUp: number;
  readonly capped: number;
  readonly cutOff: number;
  readonly longestRecovery: number;
  readonly broken: readonly string[];
}

export type React = typeof react;

interface Parcel {
  readonly cluster: string;
  readonly replicas: number;
  readonly at: number;
}

interface Sighting {
  readonly at: number;
  readonly observations: readonly ClusterObservation[];
}

/** How a controller and its network behave. */
interface Habits {
  readonly tick: number;
  readonly lost: number;
  readonly late: number;
  readonly stale: number;
  readonly restarts: number;
  readonly polls: boolean;
}

function drawRules(random: (below: number) => number): FailoverRules {
  const one = <T>(...values: readonly T[]): T => values[random(values.length)] as T;
  return {
    grace: { unreachableSeconds: one(60, 300, 300, 600), unhealthySeconds: one(60, 300), unschedulableSeconds: one(60, 120) },
    returnSeconds: one(60, 300, 300, 600),
    retrySeconds: one(300, 600),
    observationGapSeconds: one(120, 300),
    minReady: one<number | string>('100%', '100%', '80%', '50%', 1, 0, 3),
    maxReplicas: one<number | string>('100%', '25%', 1, 3, '10%'),
    ...(random(2) === 0 && { maxClusters: 1 + random(2) }),
    onReturn: one('Withdraw', 'Keep'),
  };
}

type Mode = 'Weighted' | 'Duplicated' | 'First';

/** How replicas divide; `First`: the first cluster by name takes what it may, then the next. */
function divideBy(mode: Mode, members: readonly Member[], replicas: number) {
  const weights = new Map(members.map(({ name, weight }) => [name, weight]));
  return (usable: readonly UsableCluster[]): ReadonlyMap<string, number> => {
    if (mode === 'Duplicated') return new Map(usable.map(({ cluster }) => [cluster, replicas]));
    let rest = replicas;
    if (mode === 'First') {
      return new Map(
        usable.map(({ cluster, cap = replicas }) => {
          const share = Math.min(rest, cap);
          rest -= share;
          return [cluster, share];
        }),
      );
    }
    const clusters = usable.map(({ cluster, cap }) => ({
      name: cluster,
      weight: weights.get(cluster) ?? 0,
      ...(cap !== undefined && { maxReplicas: cap }),
    }));
    return new Map(divideReplicas({ clusters, replicas }).shares.map((share) => [share.cluster, share.replicas]));
  };
}

/** One fleet from its first day to its last, all drawn from a seed. `step` is what is put to the test. */
export function live(seed: number, step: React = react): Tale {
  const random = seededRandom(seed);
  const mode: Mode = (['Weighted', 'Weighted', 'Weighted', 'Duplicated', 'First'] as const)[random(5)] ?? 'Weighted';
  const count = 2 + random(6);
  const replicas = mode === 'Duplicated' ? 1 + random(3) : 1 + random(random(3) === 0 ? 60 : 15);
  const startMs = (): number => 5000 + random(50_000);
  const names = Array.from({ length: count }, (_, index) => `c${index}`);
  const weighted = names.map((name) => new Member(name, 1 + random(4), 0, startMs));
  // Room for the preferred division of the most that is ever wanted, and often for more.
  const most = divideBy(mode, weighted, replicas)(names.map((cluster) => ({ cluster })));
  const slack = random(3) * replicas;
  for (const member of weighted)
    member.capacity = (most.get(member.name) ?? 0) + random(slack + 1) + (mode === 'First' ? replicas : 2);
  const scene: Scene = { members: weighted, unseen: new Set(), away: new Set(), isDown: false, skew: 0, replicas };
  const calm = 16 * HOUR;
  const troubled = (2 + random(2)) * 24 * HOUR - calm;
  const isClean = random(2) === 0;
  const habits: Habits = {
    // What is seen is at most two ticks old, which is less than the gap.
    tick: 10_000 * (1 + random(5)),
    lost: isClean ? 0 : random(30),
    late: isClean ? 0 : random(30),
    stale: isClean ? 0 : random(40),
    restarts: random(3),
    polls: random(2) === 0,
  };
  const story = drawStory(random, scene, troubled, replicas);
  return new Fleet({ random, mode, scene, habits, story, rules: drawRules(random), end: troubled + calm, step, seed }).run();
}

interface FleetInput {
  readonly random: (below: number) => number;
  readonly mode: Mode;
  readonly scene: Scene;
  readonly habits: Habits;
  readonly story: readonly WorldEvent[];
  readonly rules: FailoverRules;
  readonly end: number;
  readonly step: React;
  readonly seed: number;
}

class Fleet {
  readonly #input: FleetInput;
  readonly #watcher: Watcher;
  #parcels: Parcel[] = [];
  #sightings: Sighting[] = [];
  #state: FailoverState | undefined;
  #stored = 'null';
  #last = '';
  #wakeAt = 0;
  #lastStep = 0;
  #calls = 0;
  #steps = 0;
  #moved = 0;
  /** The most replicas that were ever wanted. */
  #most = 0;
  #shortSince: number | undefined;
  #longest = 0;

  constructor(input: FleetInput) {
    this.#input = input;
    this.#watcher = new Watcher(input.rules, input.habits.stale + input.habits.late + input.habits.lost === 0);
  }

  run(): Tale {
    const { story, end, habits, scene } = this.#input;
    let next = 0;
    let lastEvent = 0;
    for (let now = 0; now <= end; now += habits.tick) {
      for (let event = story[next]; event !== undefined && event.at <= now; event = story[++next]) {
        event.happen(scene);
        lastEvent = now;
      }
      for (const member of scene.members) member.settle(now);
      this.#deliver(now);
      this.#control(now);
      this.#measure(now);
    }
    this.#judge(lastEvent);
    return {
      days: end / (24 * HOUR),
      clusters: scene.members.length,
      events: story.length,
      calls: this.#calls,
      steps: this.#steps,
      moved: this.#moved,
      longestRecovery: this.#longest,
      ...this.#watcher.tale(),
    };
  }

  #deliver(now: number): void {
    const due = this.#parcels.filter(({ at }) => at <= now);
    this.#parcels = this.#parcels.filter(({ at }) => at > now);
    for (const parcel of due) {
      const member = this.#input.scene.members.find(({ name }) => name === parcel.cluster);
      if (member?.isReachable !== true) continue;
      this.#moved += Math.max(0, parcel.replicas - member.assigned);
      const killed = member.scale(parcel.replicas, now);
      this.#watcher.landed(parcel.cluster, killed, this.#input.scene, now);
    }
  }

  #observe(now: number): Sighting {
    const { scene, random, habits } = this.#input;
    const present = scene.members.filter(({ name }) => !scene.away.has(name));
    const observations = present.map((member): ClusterObservation => {
      const { name, assigned, isSick, isTainted, unschedulable } = member;
      return {
        cluster: name,
        reachable: member.isReachable && !scene.unseen.has(name),
        assigned,
        ready: member.ready(now),
        unschedulable,
        ...(assigned > 0 && { healthy: !isSick }),
        ...(isTainted && { taint: { effect: 'NoExecute' as const } }),
      };
    });
    this.#sightings = [...this.#sightings, { at: now, observations }].slice(-3);
    if (random(100) >= habits.stale) this.#sightings = this.#sightings.slice(-1);
    return this.#sightings[0] ?? { at: now, observations };
  }

  #control(now: number): void {
    const { scene, random, habits, mode, step } = this.#input;
    if (scene.isDown) {
      this.#state = undefined;
      return;
    }
    if (this.#state === undefined || random(1000) < habits.restarts) this.#state = parseFailoverState(JSON.parse(this.#stored));
    const sighting = this.#observe(now);
    const clock = EPOCH + now + scene.skew;
    const seen = habits.polls ? '' : JSON.stringify([sighting.observations, scene.replicas, scene.skew]);
    if (!habits.polls && seen === this.#last && clock < this.#wakeAt) return;
    this.#last = seen;
    const input: ReactInput = {
      observations: sighting.observations,
      now: new Date(clock).toISOString(),
      rules: this.#input.rules,
      ...(mode !== 'Duplicated' && { replicas: scene.replicas }),
      divide: divideBy(mode, scene.members, scene.replicas),
    };
    const reaction = step(this.#state, input);
    this.#calls += 1;
    this.#watcher.look(reaction, input, scene, now, sighting.at);
    if (random(50) === 0) this.#again(reaction, input, clock);
    this.#state = reaction.state;
    if (reaction.isStateChanged) this.#stored = JSON.stringify(reaction.state);
    this.#wakeAt = reaction.nextAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(reaction.nextAt);
    this.#send(reaction, now);
  }

  /** The same question again has the same answer, until the answer says that it may change. */
  #again(reaction: Reaction, input: ReactInput, clock: number): void {
    const until = reaction.nextAt === undefined ? clock + 60_000 : Date.parse(reaction.nextAt);
    if (until <= clock) return;
    for (const at of [clock, clock + Math.floor((until - clock) / 2), until - 1]) {
      if (at < clock) continue;
      const steps = this.#input.step(reaction.state, { ...input, now: new Date(at).toISOString() }).steps;
      const plain = (list: Reaction['steps']): string => JSON.stringify(list.map((each) => [each.cluster, each.replicas]));
      if (plain(steps) !== plain(reaction.steps)) this.#watcher.blame(`asked again after ${at - clock} ms: ${plain(steps)}`, at);
    }
  }

  #send(reaction: Reaction, now: number): void {
    const { random, habits, scene } = this.#input;
    for (const { cluster, replicas } of reaction.steps) {
      this.#steps += 1;
      this.#lastStep = now;
      // Of several steps for one cluster only the newest is on its way.
      this.#parcels = this.#parcels.filter((each) => each.cluster !== cluster);
      if (random(100) < habits.lost) continue;
      const isLate = random(100) < habits.late;
      this.#parcels.push({ cluster, replicas, at: isLate ? now + (1 + random(3)) * habits.tick : now });
    }
    if (reaction.steps.length > 0) this.#deliver(now);
    for (const member of scene.members) member.settle(now);
  }

  #measure(now: number): void {
    const { scene, mode } = this.#input;
    this.#most = Math.max(this.#most, scene.replicas);
    if (mode === 'Duplicated') return;
    let [ready, room] = [0, 0];
    for (const member of scene.members) {
      ready += member.ready(now);
      const isUsable = !member.isSick && !member.isTainted && !scene.away.has(member.name);
      if (member.isReachable && isUsable && !scene.unseen.has(member.name)) room += member.capacity;
    }
    const isShort = ready < scene.replicas && room >= scene.replicas && !scene.isDown;
    if (!isShort) this.#shortSince = undefined;
    else this.#shortSince ??= now;
    if (this.#shortSince !== undefined) this.#longest = Math.max(this.#longest, now - this.#shortSince);
  }

  /** In the end everything is as it should be, and has been for a while. */
  #judge(lastEvent: number): void {
    const { scene, mode, end, habits } = this.#input;
    const preferred = divideBy(mode, scene.members, scene.replicas)(scene.members.map(({ name }) => ({ cluster: name })));
    for (const member of scene.members) {
      const wanted = preferred.get(member.name) ?? 0;
      if (member.assigned !== wanted || member.ready(end) !== wanted) {
        this.#watcher.blame(
          `${member.name} ends with ${member.assigned}, ${member.ready(end)} ready, in place of ${wanted}`,
          end,
        );
      }
    }
    if (this.#lastStep > lastEvent + 8 * HOUR)
      this.#watcher.blame(`steps until ${this.#lastStep}, events until ${lastEvent}`, end);
    this.#judgeRest();
    if (habits.polls && (this.#state?.clusters.length ?? 0) > 0)
      this.#watcher.blame(`remembers ${JSON.stringify(this.#state)}`, end);
  }

  /** Nothing moves to and fro: what moves has a cause, and each cause moves what it has to and back again. */
  #judgeRest(): void {
    const { scene, story, end, mode } = this.#input;
    const { givenUp, capped } = this.#watcher.tale();
    const count = (what: string): number => story.filter((each) => each.what === what).length;
    for (const { name } of scene.members) {
      const most = story.reduce((sum, each) => sum + this.#mostGivenUp(name, each), 0);
      const times = this.#watcher.timesGivenUp(name);
      if (times > most) this.#watcher.blame(`${name} is given up ${times} times, at most ${most} were expected`, end);
    }
    const retries = scene.members.length * (end / HOUR + 4);
    if (capped > retries) this.#watcher.blame(`capped ${capped} times, at most ${retries} were expected`, end);
    const most = mode === 'Duplicated' ? this.#most * scene.members.length : this.#most;
    const turns = 1 + count('scaled') + 2 * (givenUp + capped + count('left'));
    if (this.#moved > most * turns)
      this.#watcher.blame(`${this.#moved} replicas moved, at most ${most * turns} were expected`, end);
  }

  /** For how often a cluster is given up an event may be the reason. */
  #mostGivenUp(name: string, { what, cluster, at, until }: WorldEvent): number {
    // When some of the others can't be seen either, this is no different from silence.
    if (what === 'cut off' && until !== undefined) return 1;
    if (cluster !== name || until === undefined) return 0;
    // Silence and taints are seen as long as they last. Who leaves for long comes back as new.
    if (['silent', 'dead', 'tainted', 'left'].includes(what)) return 1;
    return what === 'sick' || what === 'flaps' ? this.#mostTries(at, until) : 0;
  }

  /**
   * Where a workload isn't it can't be seen to be sick, so a cluster that is well by itself is tried now and then, each time after twice the wait.
   * Flaps are damped likewise.
   */
  #mostTries(from: number, to: number): number {
    const { story, rules } = this.#input;
    const { returnSeconds = 300, observationGapSeconds = 120, maxWaitSeconds = 3600, maxClusters } = rules;
    const clocks = story.filter(({ what, at }) => what === 'clock set' && from <= at && at <= to).map(({ at }) => at);
    // A clock that is set forward ends waits early, and makes us forget.
    const ends = [...clocks, to];
    let tries = 0;
    for (const [index, end] of ends.entries()) {
      let left = (end - (ends[index - 1] ?? from)) / 1000 + observationGapSeconds;
      // A cluster that waits for others to be given up is in use meanwhile, which makes us forget, too.
      if (maxClusters !== undefined) tries += Math.ceil(left / maxWaitSeconds);
      for (let wait = returnSeconds; left > 0; wait = Math.min(maxWaitSeconds, wait * 2)) {
        tries += 1;
        left -= wait;
      }
    }
    return tries;
  }
}
