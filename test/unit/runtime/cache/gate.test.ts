import { Gate } from 'clusterset/runtime';
import { VirtualClock } from 'clusterset/testing';
import { describe, expect, it } from 'vitest';

const never = new AbortController().signal;

/** Who was let in, and when. */
function watched(places: number, patienceMs?: number) {
  const clock = new VirtualClock();
  const gate = new Gate({ clock, places, patienceMs });
  const log: string[] = [];
  const enter = async (who: string, signal = never): Promise<() => void> => {
    const leave = await gate.enter(who, signal);
    log.push(`${clock.monotonic()} ${who}`);
    return leave;
  };
  return { clock, log, enter };
}

describe('a gate', () => {
  it('lets in as many as there are places, and the next when one leaves', async () => {
    const { clock, log, enter } = watched(2);
    const first = enter('a');
    void enter('b');
    void enter('c');
    await clock.settle();
    expect(log).toEqual(['0 a', '0 b']);
    const leave = await first;
    leave();
    leave();
    void enter('d');
    await clock.settle();
    expect(log).toEqual(['0 a', '0 b', '0 c']);
  });

  it('lets clusters take turns, however many one of them sends', async () => {
    const { clock, log, enter } = watched(1);
    const leaves = [enter('x')];
    for (const who of ['a', 'a', 'a', 'b', 'c']) leaves.push(enter(who));
    for (const leave of leaves) void leave.then((each) => each());
    await clock.settle();
    expect(log.map((line) => line.split(' ')[1])).toEqual(['x', 'a', 'b', 'c', 'a', 'a']);
  });

  it('gives a place to the next after a second, though its holder goes on', async () => {
    const { clock, log, enter } = watched(1);
    void enter('hangs');
    void enter('waits');
    await clock.advance(999);
    expect(log).toEqual(['0 hangs']);
    await clock.advance(1);
    expect(log).toEqual(['0 hangs', '1000 waits']);
  });

  it('lets a cluster that hangs wait behind all others, until it has answered', async () => {
    const { clock, log, enter } = watched(1, 1000);
    const hanging = enter('hangs');
    void enter('hangs');
    await clock.advance(10);
    const others = ['a', 'b'].map((who) => enter(who));
    for (const leave of others) void leave.then((each) => clock.after(100, each));
    await clock.advance(990);
    await clock.advance(199);
    const late = enter('c');
    void late.then((each) => each());
    await clock.advance(1);
    expect(log).toEqual(['0 hangs', '1000 a', '1100 b', '1200 c', '1200 hangs']);
    (await hanging)();
    await clock.advance(1000);
    expect(log).toHaveLength(5);
  });

  it('costs others no more than one place for one second for each cluster that hangs', async () => {
    const { clock, log, enter } = watched(4);
    for (let index = 0; index < 40; index += 1) {
      for (let type = 0; type < 10; type += 1) void enter(`hangs-${index}`);
    }
    for (let index = 0; index < 100; index += 1) void enter(`well-${index}`).then((leave) => leave());
    // The first of them has all places at once, for nobody else was there; then each has one.
    await clock.advance('11s');
    expect(log.filter((line) => line.includes('well'))).toHaveLength(100);
  });

  it('lets those go who have had enough, with their reason', async () => {
    const { clock, log, enter } = watched(1);
    const leave = await enter('a');
    const stopping = new AbortController();
    const waiting = enter('b', stopping.signal);
    stopping.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await expect(enter('c', stopping.signal)).rejects.toThrow('enough');
    leave();
    await clock.settle();
    void enter('d');
    await clock.settle();
    expect(log).toEqual(['0 a', '0 d']);
  });

  it('leaves no timer when all have left', async () => {
    const { clock, enter } = watched(2);
    for (const who of ['a', 'b', 'c']) (await enter(who))();
    expect(clock.waiting).toBe(0);
  });
});
