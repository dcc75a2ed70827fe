import { VirtualClock } from 'clusterset/testing';
import { describe, expect, it } from 'vitest';
import { Agenda, type Due } from '../../../../src/runtime/queue/agenda.ts';

interface Bench {
  readonly clock: VirtualClock;
  readonly agenda: Agenda;
  /** What came, with its time, and `|` after all that came at once. */
  readonly come: string[];
  entry(name: string): Due;
  /** How many timers were ever started. */
  readonly started: () => number;
}

function bench(): Bench {
  const clock = new VirtualClock();
  const come: string[] = [];
  let started = 0;
  const counting = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    turn: () => clock.turn(),
    after: (ms: number, callback: () => void) => {
      started += 1;
      return clock.after(ms, callback);
    },
  };
  const agenda = new Agenda(counting, () => come.push('|'));
  const entry = (name: string): Due => ({
    at: -1,
    due: 0,
    order: 0,
    come: () => come.push(`${name} ${clock.monotonic()}`),
  });
  return { clock, agenda, come, entry, started: () => started };
}

describe('an agenda', () => {
  it('calls each entry when its time has come, those of one time in their order and before it says so', async () => {
    const { clock, agenda, come, entry } = bench();
    for (const [name, due] of [
      ['c', 30],
      ['a', 10],
      ['d', 30],
      ['b', 20],
    ] as const)
      agenda.put(entry(name), due);
    await clock.advance(100);
    expect(come).toEqual(['a 10', '|', 'b 20', '|', 'c 30', 'd 30', '|']);
  });

  it('has one timer however many entries there are, and none where there are none', async () => {
    const { clock, agenda, entry, started } = bench();
    const entries = Array.from({ length: 1000 }, (_, index) => entry(String(index)));
    for (const [index, each] of entries.entries()) agenda.put(each, 1000 + index);
    expect([clock.waiting, started()]).toEqual([1, 1]);
    for (const each of entries) agenda.drop(each);
    for (const each of entries) agenda.drop(each);
    expect([clock.waiting, started()]).toEqual([0, 1]);
    await clock.advance(5000);
  });

  it('comes earlier when something earlier is put down', async () => {
    const { clock, agenda, come, entry } = bench();
    agenda.put(entry('late'), 100);
    agenda.put(entry('early'), 10);
    expect(clock.waiting).toBe(1);
    await clock.advance(10);
    expect(come).toEqual(['early 10', '|']);
    expect(clock.waiting).toBe(1);
    await clock.advance(90);
    expect(come).toEqual(['early 10', '|', 'late 100', '|']);
    expect(clock.waiting).toBe(0);
  });

  it('calls nothing before its time when the first entry was struck off', async () => {
    const { clock, agenda, come, entry } = bench();
    const first = entry('first');
    agenda.put(first, 10);
    agenda.put(entry('second'), 100);
    agenda.drop(first);
    await clock.advance(99);
    expect(come.filter((each) => each !== '|')).toEqual([]);
    await clock.advance(1);
    expect(come.filter((each) => each !== '|')).toEqual(['second 100']);
  });

  it('believes a timer that fires a fraction early, as those of machines do', async () => {
    const clock = new VirtualClock();
    let timers = 0;
    const hasty = {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      turn: () => clock.turn(),
      after: (ms: number, callback: () => void) => {
        timers += 1;
        return clock.after(ms - 0.5, callback);
      },
    };
    const come: string[] = [];
    const agenda = new Agenda(hasty, () => undefined);
    agenda.put({ at: -1, due: 0, order: 0, come: () => come.push('a') }, 10);
    await clock.advance(10);
    expect([come, timers, clock.waiting]).toEqual([['a'], 1, 0]);
  });

  it('takes entries that others put down while they come', async () => {
    const { clock, agenda, come, entry } = bench();
    const next = entry('next');
    agenda.put({ at: -1, due: 0, order: 0, come: () => agenda.put(next, 25) }, 10);
    agenda.put(entry('between'), 20);
    await clock.advance(30);
    expect(come).toEqual(['|', 'between 20', '|', 'next 25', '|']);
  });
});
