import { describe, expect, it } from 'vitest';
import type { ClusterObservation } from '../../../src/scheduling/react/observation.ts';
import { type ReactInput, type Reaction, react, type UsableCluster } from '../../../src/scheduling/react/react.ts';
import type { FailoverRules } from '../../../src/scheduling/react/rules.ts';
import { type FailoverState, parseFailoverState } from '../../../src/scheduling/react/state.ts';

const START = Date.parse('2026-01-01T00:00:00.000Z');
const at = (seconds: number): string => new Date(START + seconds * 1000).toISOString();

type Said = Omit<ClusterObservation, 'cluster' | 'reachable'> & { readonly reachable?: boolean };

/** What is seen: a number is so many replicas, all of them ready; a pair so many, and how many are ready. */
type Seen = number | readonly [assigned: number, ready: number] | Said;

function observed(fleet: Readonly<Record<string, Seen>>): ClusterObservation[] {
  return Object.entries(fleet).map(([cluster, seen]) => {
    if (typeof seen === 'number') return { cluster, reachable: true, assigned: seen, ready: seen };
    if (Array.isArray(seen)) return { cluster, reachable: true, assigned: seen[0], ready: seen[1] };
    return { cluster, reachable: true, ...(seen as Said) };
  });
}

/** Fills clusters one after the other, each up to its size. */
function fill(sizes: Readonly<Record<string, number>>, total: number) {
  return (usable: readonly UsableCluster[]): ReadonlyMap<string, number> => {
    let rest = total;
    return new Map(
      usable.map(({ cluster, cap = Number.POSITIVE_INFINITY }) => {
        const share = Math.min(rest, cap, sizes[cluster] ?? 0);
        rest -= share;
        return [cluster, share];
      }),
    );
  };
}

class Controller {
  state: FailoverState | undefined;
  readonly #divide: ReactInput['divide'];
  readonly #rules: FailoverRules;
  readonly #replicas: number | undefined;

  constructor(divide: ReactInput['divide'], rules: FailoverRules = {}, replicas?: number) {
    this.#divide = divide;
    this.#rules = rules;
    this.#replicas = replicas;
  }

  look(seconds: number, fleet: Readonly<Record<string, Seen>>): Reaction {
    const reaction = react(this.state, {
      observations: observed(fleet),
      now: at(seconds),
      rules: this.#rules,
      divide: this.#divide,
      ...(this.#replicas !== undefined && { replicas: this.#replicas }),
    });
    this.state = JSON.parse(JSON.stringify(reaction.state));
    return reaction;
  }

  /** Looks from time to time, as one must for anything to last. */
  watch(from: number, to: number, fleet: Readonly<Record<string, Seen>>): Reaction {
    for (let now = from; now < to; now += 60) this.look(now, fleet);
    return this.look(to, fleet);
  }
}

const steps = (reaction: Reaction): readonly string[] =>
  reaction.steps.map(({ cluster, from, replicas, reason }) => `${cluster} ${from}→${replicas} ${reason}`);

const standings = ({ clusters }: Reaction): Readonly<Record<string, string>> =>
  Object.fromEntries(clusters.map((each) => [each.cluster, `${each.standing}${each.waitsFor ? ` ${each.waitsFor}` : ''}`]));

/** Six replicas: a 4, b 2, c as many as needed. */
const six = fill({ a: 4, b: 2, c: 9 }, 6);
const WELL = { a: 4, b: 2, c: 0 };

describe('react', () => {
  it('has nothing to do and nothing to remember where all is well', () => {
    const controller = new Controller(six, {}, 6);
    const first = controller.look(0, WELL);
    expect(first).toEqual({
      state: { at: START, clusters: [] },
      isStateChanged: false,
      steps: [],
      clusters: [
        { cluster: 'a', standing: 'Well', from: 4, target: 4, replicas: 4 },
        { cluster: 'b', standing: 'Well', from: 2, target: 2, replicas: 2 },
        { cluster: 'c', standing: 'Well', from: 0, target: 0, replicas: 0 },
      ],
    });
    const input = { observations: observed(WELL), now: at(5000), divide: six, replicas: 6 };
    expect(react(first.state, input).state).toBe(first.state);
  });

  it('places what is nowhere yet, and scales, without being told of any trouble', () => {
    const controller = new Controller(six, {}, 6);
    expect(steps(controller.look(0, { a: 0, b: 0, c: 0 }))).toEqual(['a 0→4 ScaleTo', 'b 0→2 ScaleTo']);
    expect(steps(new Controller(fill({ a: 4 }, 1), {}, 1).look(0, { a: 4 }))).toEqual(['a 4→1 ScaleTo']);
    expect(steps(new Controller(fill({ a: 4 }, 0), {}, 0).look(0, { a: 4 }))).toEqual(['a 4→0 ScaleTo']);
  });

  it('refuses a time that is none', () => {
    expect(() => react(undefined, { observations: [], now: 'soon', divide: six })).toThrow('"soon" is not a time');
  });
});

describe('grace', () => {
  const silent = { ...WELL, a: { reachable: false, assigned: 4, ready: 4 } };

  it.each<[string, Said, number, string]>([
    ['Unreachable', { reachable: false, assigned: 4, ready: 4 }, 300, 'c 0→2 MoveHere'],
    ['Unhealthy', { assigned: 4, ready: 0, healthy: false }, 300, 'c 0→2 MoveHere'],
    ['Tainted', { assigned: 4, ready: 4, taint: { effect: 'NoExecute' } }, 0, 'c 0→2 MoveHere'],
    ['Tainted', { assigned: 4, ready: 4, taint: { effect: 'NoSelect' } }, 0, 'c 0→2 MoveHere'],
  ])('%s %j lasts for %d seconds', (trouble, seen, seconds) => {
    const controller = new Controller(fill({ a: 4, b: 4, c: 9 }, 6), {}, 6);
    if (seconds > 0) {
      const before = controller.watch(0, seconds - 1, { ...WELL, a: seen });
      expect(before.steps).toEqual([]);
      expect(before.clusters[0]).toMatchObject({
        standing: 'Suspected',
        trouble,
        since: at(0),
        until: at(seconds),
        waitsFor: 'Grace',
      });
      expect(before.nextAt).toBe(at(seconds));
    }
    const after = controller.look(seconds, { ...WELL, a: seen });
    expect(after.clusters[0]).toMatchObject({ standing: 'GivenUp', trouble, since: at(seconds), target: 0 });
    expect(steps(after)).toEqual(['b 2→4 MoveHere', 'c 0→2 MoveHere']);
    expect(after.steps[0]?.because).toEqual([{ cluster: 'a', trouble }]);
  });

  it('takes other times where the rules say so', () => {
    const controller = new Controller(six, { grace: { unreachableSeconds: 10 } }, 6);
    expect(controller.look(0, silent).nextAt).toBe(at(10));
    expect(standings(controller.look(10, silent)).a).toBe('GivenUp Unreachable');
  });

  it('ends with the trouble, which leaves no trace but wariness', () => {
    const controller = new Controller(six, {}, 6);
    controller.watch(0, 299, silent);
    const after = controller.look(300, WELL);
    expect(after).toMatchObject({ steps: [], state: { clusters: [{ cluster: 'a', began: [START] }] } });
    expect(after.clusters.map(({ standing }) => standing)).toEqual(['Well', 'Well', 'Well']);
    expect(controller.watch(301, 600, silent).steps).toEqual([]);
    expect(controller.look(5000, WELL).state.clusters).toEqual([]);
  });

  it('begins with the end of a toleration', () => {
    const taint = { effect: 'NoExecute', until: at(1000) } as const;
    const controller = new Controller(six, {}, 6);
    const before = controller.look(0, { ...WELL, a: { assigned: 4, taint } });
    expect(before).toMatchObject({ steps: [], nextAt: at(1000), clusters: [{ standing: 'Well' }, {}, {}] });
    expect(standings(controller.look(1000, { ...WELL, a: { assigned: 4, taint } })).a).toBe('GivenUp WaitsForReady');
  });

  it('is not for taints that only keep new replicas out', () => {
    const usable: UsableCluster[][] = [];
    const divide = (list: readonly UsableCluster[]): ReadonlyMap<string, number> => {
      usable.push([...list]);
      return fill({ a: 9, b: 9 }, 8)(list);
    };
    const fleet = { a: { assigned: 4, taint: { effect: 'NoSelectIfNew' } }, b: 2 } as const;
    expect(steps(new Controller(divide, {}, 8).look(0, fleet))).toEqual(['b 2→4 ScaleTo']);
    expect(usable).toEqual([[{ cluster: 'a', cap: 4 }, { cluster: 'b' }]]);
  });

  it('is not counted while nobody looks', () => {
    const controller = new Controller(six, {}, 6);
    controller.watch(0, 200, silent);
    const late = controller.look(1000, silent);
    expect(late.clusters[0]).toMatchObject({ standing: 'Suspected', since: at(1000), until: at(1300) });
    expect(controller.watch(1000, 1299, silent).steps).toEqual([]);
    expect(controller.look(1300, silent).steps).not.toEqual([]);
  });

  it('is not counted then for what could not be seen afterwards either', () => {
    const sick = { ...WELL, a: { assigned: 4, ready: 0, healthy: false } };
    const controller = new Controller(six, {}, 6);
    controller.watch(0, 60, sick);
    controller.look(1000, silent);
    expect(controller.look(1010, sick).clusters[0]).toMatchObject({ standing: 'Suspected', since: at(1000), until: at(1300) });
  });

  it('asks to be looked at often enough for that', () => {
    const controller = new Controller(six, { observationGapSeconds: 40 }, 6);
    expect(controller.look(0, silent).nextAt).toBe(at(20));
  });

  it('goes on when the clock is set back', () => {
    const controller = new Controller(six, {}, 6);
    controller.watch(10_000, 10_200, silent);
    expect(controller.look(-500, silent).clusters[0]).toMatchObject({ since: at(-700), until: at(-400) });
    expect(controller.watch(-500, -401, silent).steps).toEqual([]);
    expect(controller.look(-400, silent).steps).not.toEqual([]);
  });

  it('goes on for what nobody can see in a cluster that is unreachable for a moment', () => {
    const sick = { ...WELL, a: { assigned: 4, ready: 0, healthy: false } };
    const controller = new Controller(six, {}, 6);
    controller.watch(0, 100, sick);
    controller.watch(110, 200, silent);
    expect(controller.watch(210, 299, sick).steps).toEqual([]);
    expect(controller.look(300, sick).clusters[0]).toMatchObject({ standing: 'GivenUp', trouble: 'Unhealthy' });
  });
});

describe('an unreachable cluster', () => {
  const gone = { reachable: false, assigned: 4, ready: 4 };
  const given = (rules: FailoverRules = {}): Controller => {
    const controller = new Controller(six, rules, 6);
    controller.watch(0, 300, { ...WELL, a: gone });
    return controller;
  };

  it('is written nothing, and is replaced', () => {
    const controller = given();
    const again = controller.look(310, { a: gone, b: 2, c: [4, 0] });
    expect(again.steps).toEqual([]);
    expect(again.clusters[0]).toMatchObject({ target: 0, replicas: 4, waitsFor: 'Unreachable' });
  });

  it('gives up what it still has when it returns, as soon as others are ready', () => {
    const controller = given();
    const early = controller.look(310, { a: 4, b: 2, c: [4, 0] });
    expect(early.steps).toEqual([]);
    expect(early.clusters[0]).toMatchObject({ standing: 'Returning', until: at(610), waitsFor: 'WaitsForReady' });
    expect(steps(controller.look(320, { a: 4, b: 2, c: [4, 3] }))).toEqual(['a 4→1 Withdraw']);
    expect(steps(controller.look(330, { a: 1, b: 2, c: 4 }))).toEqual(['a 1→0 Withdraw']);
  });

  it('keeps what it still has where the rules say so, and others shrink once it is trusted', () => {
    const controller = given({ onReturn: 'Keep' });
    expect(controller.watch(310, 609, { a: 4, b: 2, c: 4 }).steps).toEqual([]);
    expect(steps(controller.look(610, { a: 4, b: 2, c: 4 }))).toEqual(['c 4→0 ShrinkAfterReady']);
  });

  it('gets nothing more while it is only suspected, and neither do others in its place', () => {
    const controller = new Controller(fill({ a: 6, b: 2 }, 8), {}, 8);
    const reaction = controller.look(0, { a: gone, b: 2 });
    expect(reaction.steps).toEqual([]);
    expect(reaction.clusters[0]).toMatchObject({ target: 6, waitsFor: 'Unreachable' });
  });
});

describe('a cluster that was given up', () => {
  const sick = { assigned: 0, healthy: false } as const;
  const flap = (controller: Controller, from: number): void => {
    controller.look(from, { ...WELL, a: { ...sick, assigned: 4, ready: 0 } });
    controller.look(from + 10, { ...WELL, a: { ...sick, assigned: 4, ready: 0 } });
  };

  it('is trusted after it was well for a while', () => {
    const controller = new Controller(six, { grace: { unhealthySeconds: 10 } }, 6);
    flap(controller, 0);
    const moved = { a: 0, b: 2, c: 4 };
    expect(controller.look(20, moved)).toMatchObject({ clusters: [{ standing: 'Returning', until: at(320) }, {}, {}] });
    expect(controller.watch(20, 319, moved).steps).toEqual([]);
    expect(steps(controller.look(320, moved))).toEqual(['a 0→4 FailBack']);
    expect(controller.look(330, { ...moved, a: [4, 1] }).clusters[2]).toMatchObject({ target: 0, waitsFor: 'WaitsForReady' });
    expect(steps(controller.look(340, { ...moved, a: [4, 3] }))).toEqual(['c 4→1 ShrinkAfterReady']);
    expect(steps(controller.look(350, { ...moved, a: 4, c: 1 }))).toEqual(['c 1→0 ShrinkAfterReady']);
    expect(controller.look(360, WELL).steps).toEqual([]);
    expect(controller.look(8000, WELL).state.clusters).toEqual([]);
  });

  it('must be well twice as long for each trouble before', () => {
    const controller = new Controller(six, { grace: { unhealthySeconds: 10 }, maxWaitSeconds: 1000 }, 6);
    const waits: number[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      flap(controller, turn * 100);
      const { until = '' } = controller.look(turn * 100 + 20, { a: 0, b: 2, c: 4 }).clusters[0] ?? {};
      waits.push((Date.parse(until) - START) / 1000 - turn * 100 - 20);
    }
    expect(waits).toEqual([300, 600, 1000, 1000]);
  });

  it('is no longer distrusted once the troubles are long ago', () => {
    const controller = new Controller(six, { grace: { unhealthySeconds: 10 } }, 6);
    flap(controller, 0);
    const moved = { a: 0, b: 2, c: 4 };
    controller.watch(20, 320, moved);
    flap(controller, 4000);
    expect(controller.look(4020, moved).clusters[0]).toMatchObject({ until: at(4320) });
    expect(controller.watch(4020, 4320, moved).state.clusters[0]).toMatchObject({ began: [(4000 + 310) * 1000 + START] });
  });

  it('is tried again after ever longer waits, up to the longest, where it fails each time', () => {
    const controller = new Controller(six, { grace: { unhealthySeconds: 60 } }, 6);
    const waits: number[] = [];
    let asked = 4;
    let outSince = -1;
    for (let now = 0; now < 86_400; now += 30) {
      // Where the workload isn't, nobody can see that it would be sick.
      const seen: Said = asked > 0 ? { assigned: asked, ready: 0, healthy: false } : { assigned: 0 };
      const reaction = controller.look(now, { a: seen, b: 2, c: 4 });
      asked = reaction.steps.find(({ cluster }) => cluster === 'a')?.replicas ?? asked;
      const isIn = asked > 0;
      if (isIn && outSince >= 0) waits.push(now - outSince);
      if (isIn) outSince = -1;
      else if (outSince < 0) outSince = now;
    }
    expect(waits.slice(0, 6)).toEqual([330, 630, 1230, 2430, 3630, 3630]);
    expect(waits.length).toBeLessThan(26);
    expect(Math.min(...waits.slice(4))).toBe(3630);
  });

  it('begins its wait anew when it is in trouble again, or when nobody looked', () => {
    const controller = new Controller(six, { grace: { unhealthySeconds: 10 } }, 6);
    const moved = { a: 0, b: 2, c: 4 };
    flap(controller, 0);
    controller.watch(20, 200, moved);
    expect(standings(controller.look(210, { ...moved, a: { ...sick, assigned: 0 } })).a).toBe('GivenUp');
    expect(controller.look(220, moved).clusters[0]).toMatchObject({ standing: 'Returning', until: at(820) });
    expect(controller.look(700, moved).clusters[0]).toMatchObject({ standing: 'Returning', until: at(1300) });
  });

  it('is not trusted sooner for having left the set for a while', () => {
    const controller = new Controller(six, { grace: { unhealthySeconds: 10 } }, 6);
    flap(controller, 0);
    controller.watch(20, 600, { b: 2, c: 4 });
    const back = controller.look(610, { a: 0, b: 2, c: 4 });
    expect(back.clusters[0]).toMatchObject({ standing: 'Returning', until: at(910) });
    controller.look(620, { b: 2, c: 4 });
    expect(controller.look(5000, { b: 2, c: 4 }).state.clusters).toEqual([]);
  });

  it('is not trusted for leaving the set for a moment, however long it has been given up', () => {
    const controller = new Controller(six, { grace: { unhealthySeconds: 10 } }, 6);
    controller.watch(0, 9000, { ...WELL, a: { assigned: 4, ready: 0, healthy: false } });
    expect(controller.look(9010, { b: 2, c: 4 }).state.clusters).toMatchObject([{ cluster: 'a', left: START + 9_010_000 }]);
    const again = controller.look(9020, { b: 2, c: 4 });
    expect(again.isStateChanged).toBe(false);
    expect(standings(controller.look(9030, { a: 0, b: 2, c: 4 })).a).toBe('Returning');
  });
});

describe('pods without a node', () => {
  const full = (assigned: number, ready: number): Said => ({ assigned, ready, unschedulable: assigned - ready });

  it('cap the cluster at what fits, and are moved once they have a place elsewhere', () => {
    const controller = new Controller(six, {}, 6);
    expect(controller.watch(0, 59, { ...WELL, a: full(4, 3) }).steps).toEqual([]);
    const capped = controller.look(60, { ...WELL, a: full(4, 3) });
    expect(steps(capped)).toEqual(['c 0→1 MoveHere']);
    expect(capped.steps[0]?.because).toEqual([{ cluster: 'a', trouble: 'Unschedulable' }]);
    expect(capped.clusters[0]).toMatchObject({ standing: 'Capped', cap: 3, until: at(660), waitsFor: 'WaitsForReady' });
    expect(steps(controller.look(70, { a: full(4, 3), b: 2, c: [1, 0] }))).toEqual(['a 4→3 MoveAway']);
    expect(controller.look(80, { a: 3, b: 2, c: 1 })).toMatchObject({ steps: [], nextAt: at(660) });
  });

  it('are tried again after a wait that doubles', () => {
    const controller = new Controller(six, {}, 6);
    controller.watch(0, 60, { ...WELL, a: full(4, 3) });
    expect(controller.look(659, { a: 3, b: 2, c: 1 }).steps).toEqual([]);
    expect(steps(controller.look(660, { a: 3, b: 2, c: 1 }))).toEqual(['a 3→4 FailBack']);
    const again = controller.watch(670, 730, { a: full(4, 3), b: 2, c: 1 });
    expect(again.clusters[0]).toMatchObject({ standing: 'Capped', cap: 3, until: at(730 + 1200) });
    expect(steps(again)).toEqual(['a 4→3 MoveAway']);
  });

  it('stay where they are while nowhere else is room', () => {
    const controller = new Controller(fill({ a: 4, b: 2 }, 6), {}, 6);
    const reaction = controller.watch(0, 400, { a: full(4, 3), b: 2 });
    expect(reaction.steps).toEqual([]);
    expect(reaction.clusters[0]).toMatchObject({ standing: 'Capped', cap: 3, waitsFor: 'NoRoom' });
  });

  it('are no longer capped as soon as they turn out to fit', () => {
    const controller = new Controller(fill({ a: 4, b: 2 }, 6), {}, 6);
    controller.watch(0, 100, { a: full(4, 3), b: 2 });
    expect(standings(controller.look(110, { a: 4, b: 2 })).a).toBe('Well');
  });

  it('count by the fewest that were seen all the time, and never cost a ready one', () => {
    const controller = new Controller(six, {}, 6);
    controller.look(0, { ...WELL, a: { assigned: 4, ready: 0, unschedulable: 4 } });
    controller.look(30, { ...WELL, a: { assigned: 4, ready: 2, unschedulable: 1 } });
    expect(controller.look(60, { ...WELL, a: { assigned: 4, ready: 2, unschedulable: 2 } }).clusters[0]?.cap).toBe(3);
    const other = new Controller(six, {}, 6);
    other.watch(0, 59, { ...WELL, a: { assigned: 4, ready: 4, unschedulable: 3 } });
    expect(other.look(60, { ...WELL, a: { assigned: 4, ready: 4, unschedulable: 3 } }).clusters[0]?.cap).toBe(4);
  });
});

describe('while most clusters are silent', () => {
  const silent = { reachable: false, assigned: 2, ready: 2 };
  const divide = fill({ a: 2, b: 2, c: 2, d: 9 }, 6);

  it('nothing moves, and grace begins anew afterwards', () => {
    const controller = new Controller(divide, {}, 6);
    const cut = controller.watch(0, 1000, { a: silent, b: silent, c: silent, d: { ...silent, assigned: 1 } });
    expect(cut).toMatchObject({ stopped: 'ObserverCutOff', steps: [], state: { clusters: [] } });
    expect(standings(cut).a).toBe('Suspected ObserverCutOff');
    expect(controller.watch(1010, 1309, { a: silent, b: 2, c: 2, d: 0 }).steps).toEqual([]);
    expect(steps(controller.look(1310, { a: silent, b: 2, c: 2, d: 0 }))).toEqual(['d 0→2 MoveHere']);
  });

  it('nothing moves for other reasons either', () => {
    const controller = new Controller(divide, {}, 6);
    const tainted = { assigned: 2, taint: { effect: 'NoExecute' } } as const;
    const cut = controller.look(0, { a: tainted, b: silent, c: silent, d: silent });
    expect(cut.steps).toEqual([]);
    expect(standings(cut).a).toBe('Suspected ObserverCutOff');
    expect(steps(controller.look(10, { a: tainted, b: 2, c: 2, d: 0 }))).toEqual(['d 0→2 MoveHere']);
  });

  it.each<[string, Readonly<Record<string, Seen>>, string | undefined, string | undefined]>([
    ['half of them are not most', { a: silent, b: silent, c: 2, d: 0 }, undefined, undefined],
    ['more than half are', { a: silent, b: silent, c: silent, d: 0 }, undefined, 'ObserverCutOff'],
    ['one of two is not', { a: silent, b: 2 }, undefined, undefined],
    ['the only one is', { a: silent }, undefined, 'ObserverCutOff'],
    ['a smaller share is enough where it is said', { a: silent, b: silent, c: 2, d: 0 }, '25%', 'ObserverCutOff'],
    ['with 100% silence is never our own', { a: silent, b: silent, c: silent, d: silent }, '100%', undefined],
  ])('%s', (_, fleet, blindShare, stopped) => {
    const controller = new Controller(divide, blindShare === undefined ? {} : { blindShare }, 6);
    expect(controller.look(0, fleet).stopped).toBe(stopped);
  });

  it('clusters that were given up for their silence are no witnesses', () => {
    const controller = new Controller(divide, {}, 6);
    controller.watch(0, 300, { a: silent, b: silent, c: 2, d: 0 });
    expect(controller.look(310, { a: silent, b: silent, c: silent, d: 4 }).stopped).toBeUndefined();
    expect(controller.look(320, { a: silent, b: silent, c: silent, d: silent }).stopped).toBe('ObserverCutOff');
  });

  it('a cluster on its way back begins its wait anew', () => {
    const controller = new Controller(divide, {}, 6);
    controller.watch(0, 300, { a: silent, b: 2, c: 2, d: 0 });
    controller.watch(310, 500, { a: 0, b: 2, c: 2, d: 2 });
    controller.watch(510, 900, { a: silent, b: silent, c: silent, d: 2 });
    const after = controller.look(910, { a: 0, b: 2, c: 2, d: 2 });
    expect(after.clusters[0]).toMatchObject({ standing: 'Returning', until: at(1200) });
  });
});

describe('budgets', () => {
  const drained = { assigned: 4, ready: 4, taint: { effect: 'NoExecute' } } as const;

  it('keep everything that is ready until others are, by default', () => {
    const controller = new Controller(six, {}, 6);
    expect(steps(controller.look(0, { ...WELL, a: drained }))).toEqual(['c 0→4 MoveHere']);
    expect(standings(controller.look(10, { a: drained, b: 2, c: [4, 0] })).a).toBe('GivenUp WaitsForReady');
    expect(steps(controller.look(20, { a: drained, b: 2, c: [4, 1] }))).toEqual(['a 4→3 MoveAway']);
  });

  it.each<[string | number, number]>([
    ['50%', 3],
    [5, 5],
    [0, 1],
    ['0%', 1],
    [100, 6],
  ])('with minReady %s keep %d of 6 ready', (minReady, kept) => {
    const controller = new Controller(six, { minReady }, 6);
    const { steps: moves } = controller.look(10, { a: drained, b: [2, 0], c: [4, 0] });
    const left = moves.find(({ cluster }) => cluster === 'a')?.replicas ?? 4;
    expect(left).toBe(Math.min(4, kept));
  });

  it('say that too few are ready where no more are coming', () => {
    const controller = new Controller(six, { readySeconds: 0 }, 6);
    const stuck = { a: drained, b: 2, c: { assigned: 4, ready: 0 } };
    expect(standings(controller.look(10, stuck)).a).toBe('GivenUp BudgetMinReady');
  });

  it('keep the last healthy copy, also of what has no replicas', () => {
    const one = (usable: readonly UsableCluster[]): ReadonlyMap<string, number> =>
      new Map(usable.map(({ cluster }) => [cluster, 1]));
    const bad = { assigned: 1, healthy: false };
    const tainted = { assigned: 1, taint: { effect: 'NoExecute' } } as const;
    const controller = new Controller(one, { minReady: 0 });
    expect(standings(controller.look(0, { a: tainted, b: bad })).a).toBe('GivenUp LastHealthyCopy');
    expect(steps(controller.look(10, { a: tainted, b: 1 }))).toEqual(['a 1→0 MoveAway']);
    expect(steps(controller.look(20, { a: tainted, b: tainted }))).toEqual(['a 1→1 TakeBack']);
    // It may have been carried out, and what is seen may be older than that: so this is asked until it is certain.
    expect(steps(controller.look(30, { a: tainted, b: tainted }))).toEqual(['a 1→1 TakeBack']);
    expect(controller.watch(40, 140, { a: tainted, b: tainted }).steps).toEqual([]);
  });

  it('never take what is not there yet elsewhere, though nothing of it is ready', () => {
    const sick = { assigned: 4, ready: 0, healthy: false };
    const controller = new Controller(six, { grace: { unhealthySeconds: 0 } }, 6);
    expect(steps(controller.look(0, { ...WELL, a: sick }))).toEqual(['c 0→4 MoveHere']);
    expect(controller.look(10, { ...WELL, a: sick, c: 0 }).steps.map(({ cluster }) => cluster)).toEqual(['c']);
    expect(steps(controller.look(20, { a: sick, b: 2, c: [1, 0] }))).toEqual(['a 4→3 MoveAway', 'c 1→4 MoveHere']);
    expect(steps(controller.look(30, { a: { ...sick, assigned: 3 }, b: 2, c: [4, 0] }))).toEqual(['a 3→0 MoveAway']);
  });

  it('leave a workload that is unhealthy everywhere where it is', () => {
    const sick = { assigned: 3, ready: 0, healthy: false };
    const controller = new Controller(fill({ a: 3, b: 3 }, 6), { grace: { unhealthySeconds: 0 } }, 6);
    const all = controller.watch(0, 1000, { a: sick, b: sick });
    expect(all.steps).toEqual([]);
    expect(standings(all)).toEqual({ a: 'GivenUp NoRoom', b: 'GivenUp NoRoom' });
    const alone = new Controller((usable) => new Map(usable.map(({ cluster }) => [cluster, 3])), {
      grace: { unhealthySeconds: 0 },
    });
    expect(alone.watch(0, 1000, { a: sick, b: sick }).steps).toEqual([]);
  });

  it('let no more than maxReplicas be in flight', () => {
    const controller = new Controller(six, { maxReplicas: '25%' }, 6);
    const first = controller.look(0, { ...WELL, a: drained });
    expect(steps(first)).toEqual(['c 0→2 MoveHere']);
    expect(first.clusters[2]).toMatchObject({ target: 4, replicas: 2, waitsFor: 'BudgetInFlight' });
    expect(controller.look(10, { a: drained, b: 2, c: [2, 0] }).steps).toEqual([]);
    expect(steps(controller.look(20, { a: drained, b: 2, c: [2, 1] }))).toEqual(['a 4→3 MoveAway', 'c 2→3 MoveHere']);
  });

  it('wait for a replica no longer than readySeconds', () => {
    const controller = new Controller(six, { maxReplicas: 1, readySeconds: 100 }, 6);
    controller.look(0, { ...WELL, a: drained });
    const stuck = { a: drained, b: 2, c: [1, 0] as const };
    expect(controller.watch(10, 109, stuck).steps).toEqual([]);
    expect(controller.look(109.5, stuck).nextAt).toBe(at(110));
    expect(steps(controller.look(110, stuck))).toEqual(['c 1→2 MoveHere']);
  });

  it('count what was asked for beyond that as being in flight', () => {
    const controller = new Controller(six, { maxReplicas: 1, readySeconds: 100 }, 6);
    controller.look(0, { ...WELL, a: drained });
    const stuck = { a: drained, b: 2, c: [1, 0] as const };
    controller.watch(10, 110, stuck);
    for (const now of [111, 120, 130]) expect(steps(controller.look(now, stuck))).toEqual(['c 1→2 MoveHere']);
  });

  it('do not keep others from being given up, where what was given up can go nowhere', () => {
    const divide = fill({ a: 2, b: 2, c: 2, d: 9 }, 6);
    const controller = new Controller(divide, { maxClusters: 1 }, 6);
    const silent = { reachable: false, assigned: 2, ready: 2 };
    const sick = { assigned: 2, ready: 0, healthy: false };
    // What a had is to be started in b, which is sick as well.
    const only = { a: silent, b: sick, c: 2, d: [2, 0] as const };
    expect(standings(controller.watch(0, 300, only))).toMatchObject({
      a: 'GivenUp Unreachable',
      b: 'Suspected BudgetClusters',
    });
    expect(standings(controller.watch(310, 899, only)).b).toBe('Suspected BudgetClusters');
    expect(standings(controller.watch(900, 1000, only)).b).toMatch(/^GivenUp/);
  });

  it('do not count a time in which nobody looked as such a wait', () => {
    const controller = new Controller(six, { maxReplicas: 1, readySeconds: 100 }, 6);
    controller.look(0, { ...WELL, a: drained });
    controller.look(10, { a: drained, b: 2, c: [1, 0] });
    expect(controller.look(1000, { a: drained, b: 2, c: [1, 0] }).steps).toEqual([]);
    controller.look(2000, { a: drained, b: 2, c: { reachable: false, assigned: 1, ready: 0 } });
    expect(controller.look(2010, { a: drained, b: 2, c: [1, 0] }).steps).toEqual([]);
  });

  it('give up no more than maxClusters at a time', () => {
    const divide = fill({ a: 2, b: 2, c: 2, d: 9 }, 6);
    const controller = new Controller(divide, { maxClusters: 1 }, 6);
    const tainted = { assigned: 2, taint: { effect: 'NoExecute' } } as const;
    const first = controller.look(0, { a: tainted, b: tainted, c: 2, d: 0 });
    expect(steps(first)).toEqual(['d 0→2 MoveHere']);
    expect(standings(first)).toMatchObject({ a: 'GivenUp WaitsForReady', b: 'Suspected BudgetClusters' });
    expect(standings(controller.look(10, { a: tainted, b: tainted, c: 2, d: 2 }))).toMatchObject({
      b: 'Suspected BudgetClusters',
    });
    const moved = controller.look(20, { a: { ...tainted, assigned: 0 }, b: tainted, c: 2, d: 2 });
    expect(moved.nextAt).toBe(at(20));
    expect(steps(controller.look(20, { a: { ...tainted, assigned: 0 }, b: tainted, c: 2, d: 2 }))).toEqual(['d 2→4 MoveHere']);
  });
});

describe('steps that are not seen to be carried out', () => {
  const drained = { assigned: 4, ready: 4, taint: { effect: 'NoExecute' } } as const;

  it('are asked for again, and not twice', () => {
    const controller = new Controller(six, { maxReplicas: 2 }, 6);
    const first = controller.look(0, { ...WELL, a: drained });
    const second = controller.look(5, { ...WELL, a: drained });
    expect(second.steps).toEqual(first.steps);
    expect(second.nextAt).toBe(at(65));
    expect(second.state.clusters.find(({ cluster }) => cluster === 'c')).toMatchObject({ asked: { replicas: 2, from: 0 } });
  });

  it('count as done where that is worse', () => {
    const controller = new Controller(six, { minReady: 5 }, 6);
    expect(steps(controller.look(0, { a: drained, b: 2, c: [4, 0] }))).toEqual(['a 4→3 MoveAway']);
    // Only the one that is asked for may go, however often that is asked.
    expect(steps(controller.look(10, { a: drained, b: 2, c: [4, 0] }))).toEqual(['a 4→3 MoveAway']);
    expect(steps(controller.look(20, { a: drained, b: 2, c: [4, 1] }))).toEqual(['a 4→2 MoveAway']);
  });

  it('are not forgotten while a list lacks the cluster', () => {
    const controller = new Controller(six, { minReady: 4 }, 6);
    expect(steps(controller.look(0, { a: drained, b: 2, c: [4, 0] }))).toEqual(['a 4→2 MoveAway']);
    controller.look(10, { b: 2, c: [4, 0] });
    // What is seen may be older than the step: only two of those in a are certain, and they are too few now.
    expect(steps(controller.look(20, { a: drained, b: [2, 0], c: [4, 0] }))).toEqual(['a 4→4 TakeBack']);
    expect(controller.look(30, { b: 2, c: 4 }).state.clusters).toMatchObject([{ cluster: 'a', asked: { low: 2 } }]);
    expect(controller.look(5000, { b: 2, c: 4 }).state.clusters).toEqual([]);
  });

  it('are taken back where others were lost meanwhile', () => {
    const controller = new Controller(six, {}, 6);
    controller.look(0, { ...WELL, a: drained });
    expect(steps(controller.look(10, { a: drained, b: 2, c: 4 }))).toEqual(['a 4→0 MoveAway']);
    expect(steps(controller.look(20, { a: drained, b: 2, c: [4, 1] }))).toEqual(['a 4→3 MoveAway']);
    expect(steps(controller.look(30, { a: drained, b: 2, c: [4, 0] }))).toEqual(['a 4→4 TakeBack']);
  });
});

describe('the state', () => {
  it('is plain JSON, small, and tells whether it is worth storing', () => {
    const controller = new Controller(six, {}, 6);
    const silent = { ...WELL, a: { reachable: false, assigned: 4 } };
    const first = controller.look(0, silent);
    expect(first.isStateChanged).toBe(true);
    expect(first.state).toEqual({
      at: START,
      clusters: [{ cluster: 'a', troubles: [{ kind: 'Unreachable', since: START }], began: [START] }],
    });
    const second = controller.look(10, silent);
    expect(second.isStateChanged).toBe(false);
    expect(second.state.at).toBe(START + 10_000);
    expect(parseFailoverState(JSON.parse(JSON.stringify(second.state)))).toEqual(second.state);
  });

  it.each([
    [undefined],
    [null],
    ['{}'],
    [{}],
    [{ at: 'now', clusters: [] }],
    [{ at: 1e300, clusters: [] }],
    [{ at: 0, clusters: [{ cluster: 'a', out: { kind: 'Bored', since: 0 } }] }],
    [{ at: 0, clusters: [{ cluster: 'a', asked: -1 }] }],
  ])('that is none counts as a new beginning: %j', (value) => {
    expect(parseFailoverState(value)).toBeUndefined();
  });

  it('cannot hold a cluster up with times from the future', () => {
    const far = 8.64e15;
    const state = parseFailoverState({
      at: START,
      clusters: [
        { cluster: 'a', out: { kind: 'Unhealthy', since: far, wellSince: far }, began: [far, far] },
        { cluster: 'b', cap: { replicas: 5, since: far, until: far, wait: 1000 }, left: far },
        { cluster: 'd', cap: { replicas: 5, since: 0, until: far, wait: far } },
        { cluster: 'c', troubles: [{ kind: 'Unhealthy', since: far }], waiting: { assigned: 1, ready: 0, since: far } },
      ],
    });
    const fleet = observed({ ...WELL, d: 0 });
    const { clusters } = react(state, { observations: fleet, now: at(0), divide: six, replicas: 6 });
    expect(clusters[0]).toMatchObject({ standing: 'Returning', until: at(600) });
    expect(clusters[1]).toMatchObject({ standing: 'Capped', until: at(1) });
    expect(clusters[3]).toMatchObject({ standing: 'Capped', until: at(3600) });
  });
});
