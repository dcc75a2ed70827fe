import { type HealthThresholds, type Look, nextState, type SeenState, type Standing } from 'clusterset/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const DEFAULTS: HealthThresholds = { successes: 1, failures: 3 };

const SEEN: Readonly<Record<string, SeenState>> = { '+': 'ready', '~': 'degraded', '-': 'unreachable' };
const SIGN: Readonly<Record<SeenState, string>> = { ready: '+', degraded: '~', unreachable: '-' };

/** A look with a reason of its own. */
function lookOf(sign: string, index: number): Look {
  const seen = SEEN[sign] ?? 'ready';
  return { seen, reason: seen === 'ready' ? '' : `${seen} ${index}` };
}

function standings(looks: string, thresholds = DEFAULTS): Standing[] {
  const all: Standing[] = [];
  for (const [index, sign] of [...looks].entries()) all.push(nextState(all.at(-1), lookOf(sign, index), thresholds));
  return all;
}

/** What is thought after each of the looks: `+` ready, `~` degraded, `-` unreachable. */
function thoughts(looks: string, thresholds = DEFAULTS): string {
  return standings(looks, thresholds)
    .map(({ state }) => SIGN[state])
    .join('');
}

describe('nextState', () => {
  it.each([
    ['believes a good first look', '+', '+'],
    ['believes a first look that is not good', '~', '~'],
    ['believes a first look without an answer', '-', '-'],
    ['bears with a slip of a member that is ready', '+-+~+-+', '+++++++'],
    ['bears with two slips in a row', '+--+~~+', '+++++++'],
    ['gives a member up that has not answered three times in a row', '+---', '+++-'],
    ['counts from anew after a good look', '+--+---', '++++++-'],
    ['says of one that answers three times and is not ready that it is degraded', '+~~~', '+++~'],
    ['says so also where one of the three was an answer only, whichever', '+--~', '+++~'],
    ['and the first', '+~--', '+++~'],
    ['and the one between', '+-~-', '+++~'],
    ['wants three looks without an answer until one that is degraded is unreachable', '~---', '~~~-'],
    ['and three in a row', '~--~---', '~~~~~~-'],
    ['wants three answers until one that is unreachable is degraded', '-~~~', '---~'],
    ['and three in a row, too', '-~~-~~~', '------~'],
    ['takes one that was degraded for ready at once', '~+', '~+'],
    ['takes one that was unreachable for ready at once', '-+', '-+'],
    ['wants three slips again after that', '-+--+---', '-++++++-'],
  ])('%s', (_, looks, expected) => {
    expect(thoughts(looks)).toBe(expected);
  });

  it.each([
    [{ successes: 2, failures: 1 }, '+-++~+++', '+--+~~++'],
    [{ successes: 3, failures: 3 }, '-++-+++---', '------+++-'],
    // A good answer is no reason for calling a member degraded.
    [{ successes: 3, failures: 2 }, '-++', '---'],
    [{ successes: 3, failures: 2 }, '-++~', '---~'],
    [{ successes: 2, failures: 3 }, '-+~+~', '----~'],
    [{ successes: 1, failures: 1 }, '+-~-+', '+-~-+'],
  ])('takes the thresholds %j for %s', (thresholds, looks, expected) => {
    expect(thoughts(looks, thresholds)).toBe(expected);
  });

  it.each([
    ['the look that led to it', '+---', 'unreachable 3'],
    ['the first look while it lasts', '+----', 'unreachable 3'],
    ['the last answer, where the last look was none', '+~--', 'degraded 1'],
    ['nothing where it is ready', '---+', ''],
  ])('takes as the reason for a state that of %s', (_, looks, reason) => {
    expect(standings(looks).at(-1)?.reason).toBe(reason);
  });

  it('depends on the last looks in a row only, and counts no further than it has to', () => {
    const looks = fc.string({ unit: fc.constantFrom('+', '~', '-'), minLength: 1, maxLength: 40 });
    const threshold = fc.integer({ min: 1, max: 4 });
    const count = (tail: string, ...signs: string[]): number => {
      let found = 0;
      while (found < tail.length && signs.includes(tail.at(-1 - found) ?? '')) found += 1;
      return found;
    };
    fc.assert(
      fc.property(looks, threshold, threshold, (story, successes, failures) => {
        const thresholds = { successes, failures };
        let thought = story[0] ?? '';
        for (const [index, standing] of standings(story, thresholds).entries()) {
          const past = story.slice(0, index + 1);
          if (index > 0) {
            if (count(past, '+') >= successes) thought = '+';
            else if (count(past, '-') >= failures) thought = '-';
            else if (thought === '+' && count(past, '~', '-') >= failures) thought = '~';
            else if (thought === '-' && past.endsWith('~') && count(past, '~', '+') >= failures) thought = '~';
          }
          expect(SIGN[standing.state]).toBe(thought);
          const { good, bad, answered, silent } = standing;
          expect(Math.max(good, bad, answered, silent)).toBeLessThanOrEqual(Math.max(successes, failures));
        }
      }),
    );
  });

  it('never takes a single slip for a change, where one slip is not enough', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('+', '~', '-'),
        fc.constantFrom('~', '-'),
        fc.integer({ min: 2, max: 5 }),
        (steady, slip, failures) => {
          fc.pre(steady !== slip);
          const thresholds = { successes: 1, failures };
          const looks = `${steady.repeat(6)}${slip}${steady.repeat(6)}`;
          expect(thoughts(looks, thresholds)).toBe(steady.repeat(13));
        },
      ),
    );
  });
});
