import process from 'node:process';
import { assignOrdinals, type ObservedOrdinals, type OrdinalRange, type OrdinalStep, ordinalSteps } from 'clusterset/scheduling';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../scripts/seeded-random.ts';

/**
 * StatefulSets that move between clusters while clusters can't be looked at, writes get lost or come late, and wishes change. Repeat a run
 * with CLUSTERSET_SEED.
 */
const seed = Number(process.env.CLUSTERSET_SEED ?? Math.floor(Math.random() * 2 ** 30));
const RUNS = 600;
/** After so many rounds nothing fails any more. */
const CALM = 150;
const LAST = 3000;

type Random = ReturnType<typeof seededRandom>;

const endOf = ({ start, replicas }: OrdinalRange) => start + replicas;
const numbersIn = ({ start, replicas }: OrdinalRange) => Array.from({ length: replicas }, (_, index) => start + index);

/** One range around several; empty ones don't count. */
function around(ranges: readonly OrdinalRange[]): OrdinalRange {
  const full = ranges.filter(({ replicas }) => replicas > 0);
  if (full.length === 0) return { start: 0, replicas: 0 };
  const start = Math.min(...full.map((each) => each.start));
  return { start, replicas: Math.max(...full.map(endOf)) - start };
}

/** One cluster's StatefulSet, whose pods come and go in their own time. */
class Member {
  spec: OrdinalRange;
  readonly pods: Map<number, boolean>;
  isSettled = true;

  constructor(spec: OrdinalRange) {
    this.spec = spec;
    this.pods = new Map(numbersIn(spec).map((ordinal) => [ordinal, true]));
  }

  write({ from, to }: OrdinalStep): void {
    if (from.start !== this.spec.start || from.replicas !== this.spec.replicas) return;
    this.spec = to;
    this.isSettled = false;
  }

  work(random: Random): void {
    if (random(2) === 0) return;
    this.isSettled = true;
    const wanted = new Set(numbersIn(this.spec));
    for (const ordinal of [...this.pods.keys()]) {
      if (wanted.has(ordinal)) this.pods.set(ordinal, this.pods.get(ordinal) === true || random(2) === 0);
      else if (random(2) === 0) this.pods.delete(ordinal);
    }
    for (const ordinal of wanted) if (!this.pods.has(ordinal) && random(2) === 0) this.pods.set(ordinal, false);
  }

  look(): ObservedOrdinals {
    const ready = [...this.pods].filter(([, isReady]) => isReady).map(([ordinal]) => ordinal);
    return { spec: this.spec, running: [...this.pods.keys()], ready, settled: this.isSettled };
  }
}

/** What a careful controller does: it looks, remembers what clusters may have, and writes. */
class Watcher {
  readonly #members: ReadonlyMap<string, Member>;
  readonly #random: Random;
  readonly #seen = new Map<string, readonly OrdinalRange[]>();
  readonly #asked = new Map<string, OrdinalRange[]>();
  /** Writes that nobody knows the outcome of. */
  #late: { readonly step: OrdinalStep; readonly at: number }[] = [];

  constructor(members: ReadonlyMap<string, Member>, random: Random) {
    this.#members = members;
    this.#random = random;
    for (const [name, member] of members) this.#seen.set(name, [member.spec]);
  }

  round(number: number, wanted: Parameters<typeof ordinalSteps>[0]['wanted']): boolean {
    const observed = new Map<string, ObservedOrdinals>();
    for (const [name, member] of this.#members) {
      const isSilent = number < CALM && this.#random(5) === 0;
      if (isSilent || this.#late.some(({ step }) => step.cluster === name)) continue;
      const look = member.look();
      observed.set(name, look);
      this.#seen.set(name, [look.spec, ...look.running.map((start) => ({ start, replicas: 1 }))]);
      this.#asked.set(name, []);
    }
    const previous = new Map(
      [...this.#seen].map(([name, ranges]) => [name, around([...ranges, ...(this.#asked.get(name) ?? [])])]),
    );
    const plan = ordinalSteps({ wanted, observed, previous, maxMissing: 1 + this.#random(2) });
    for (const step of plan.steps) {
      this.#asked.set(step.cluster, [...(this.#asked.get(step.cluster) ?? []), step.to]);
      if (number < CALM && this.#random(4) === 0) continue;
      this.#late.push({ step, at: number < CALM && this.#random(3) === 0 ? number + this.#random(4) : number });
    }
    for (const { step } of this.#late.filter(({ at }) => at <= number)) this.#members.get(step.cluster)?.write(step);
    this.#late = this.#late.filter(({ at }) => at > number);
    return plan.done && observed.size === this.#members.size;
  }
}

function live(number: number): string | undefined {
  const random = seededRandom(number);
  const names = Array.from({ length: 2 + random(3) }, (_, index) => `c${index}`);
  const wish = () => assignOrdinals({ shares: names.map((cluster) => ({ cluster, replicas: random(6) })) }).ranges;
  const members = new Map(wish().map(({ cluster, start, replicas }) => [cluster, new Member({ start, replicas })]));
  const watcher = new Watcher(members, random);
  let wanted = wish();
  for (let round = 0; round < LAST; round += 1) {
    if (round > 0 && round < CALM && random(40) === 0) wanted = wish();
    if (watcher.round(round, wanted) && round >= CALM) return undefined;
    for (const member of members.values()) member.work(random);
    const running = [...members.values()].flatMap(({ pods }) => [...pods.keys()]);
    if (new Set(running).size !== running.length) return `an ordinal runs twice in round ${round}`;
  }
  return 'the ordinals never came to where they should be';
}

describe(`StatefulSets drawn with seed ${seed}`, () => {
  it('never run an ordinal twice, and come to be where they should', () => {
    const broken = Array.from({ length: RUNS }, (_, index) => ({ seed: seed + index, what: live(seed + index) }));
    expect(broken.filter(({ what }) => what !== undefined).slice(0, 5)).toEqual([]);
  });
});
