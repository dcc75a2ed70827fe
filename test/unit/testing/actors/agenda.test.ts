import { VirtualClock } from 'clusterset/testing';
import { describe, expect, it } from 'vitest';
import { Agenda } from '../../../../src/testing/actors/agenda.ts';

function diary(again: (key: string, times: number) => number | undefined = () => undefined) {
  const clock = new VirtualClock();
  const seen: string[] = [];
  const agenda = new Agenda(clock, (key) => {
    seen.push(`${key}@${clock.monotonic()}`);
    return again(key, seen.length);
  });
  return { clock, seen, agenda };
}

describe('an agenda', () => {
  it('looks at each key once, at the earliest time that was asked for, with one timer for all', async () => {
    const { clock, seen, agenda } = diary();
    agenda.add('a', 500);
    agenda.add('b', 100);
    agenda.add('a', 50);
    agenda.add('b', 900);
    agenda.add('c');
    expect(clock.waiting).toBe(1);
    await clock.advance('1s');
    expect(seen).toEqual(['c@0', 'a@50', 'b@100']);
    expect(clock.waiting).toBe(0);
  });

  it('looks again when the work asks for it', async () => {
    const { clock, seen, agenda } = diary((_, times) => (times < 3 ? 1000 : undefined));
    agenda.add('a');
    await clock.advance('1m');
    expect(seen).toEqual(['a@0', 'a@1000', 'a@2000']);
  });

  it('does nothing more once it is stopped, even in the middle of its work', async () => {
    const { clock, seen, agenda } = diary((key) => {
      if (key === 'a') agenda.stop();
      return 10;
    });
    agenda.add('a');
    agenda.add('b');
    await clock.advance('1m');
    agenda.add('c');
    await clock.advance('1m');
    expect(seen).toEqual(['a@0']);
    expect(clock.waiting).toBe(0);
  });
});
