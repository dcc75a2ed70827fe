import { type Health, type HealthThresholds, healthAfter } from 'clusterset/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const DEFAULTS: HealthThresholds = { successes: 1, failures: 3 };

/** What is thought after each of the answers: `+` a good one, `-` a bad one. */
function thoughts(answers: string, thresholds = DEFAULTS): string {
  let health: Health | undefined;
  return [...answers]
    .map((answer) => {
      health = healthAfter(health, answer === '+', thresholds);
      return health.ready ? '+' : '-';
    })
    .join('');
}

describe('healthAfter', () => {
  it.each([
    ['believes a good first answer', '+', '+'],
    ['believes a bad first answer', '-', '-'],
    ['bears with a slip of a healthy cluster', '+-+-+-+', '+++++++'],
    ['bears with two slips in a row', '+--+--+', '+++++++'],
    ['gives a cluster up after three slips in a row', '+---', '+++-'],
    ['counts from anew after a good answer', '+--+---', '++++++-'],
    ['takes a cluster back at once', '---+', '---+'],
    ['wants three slips again after that', '-+--+---', '-++++++-'],
  ])('%s', (_, answers, expected) => {
    expect(thoughts(answers)).toBe(expected);
  });

  it.each([
    [{ successes: 2, failures: 1 }, '+-++-+++', '+--+--++'],
    [{ successes: 3, failures: 3 }, '-++-+++---', '------+++-'],
  ])('takes the thresholds %j', (thresholds, answers, expected) => {
    expect(thoughts(answers, thresholds)).toBe(expected);
  });

  it('gives the same value back where nothing changes', () => {
    const health = healthAfter(undefined, true, DEFAULTS);
    expect(healthAfter(health, true, DEFAULTS)).toBe(health);
  });

  it('changes its mind exactly when the last answers in a row say so, whatever came before', () => {
    const threshold = fc.integer({ min: 1, max: 4 });
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1 }), threshold, threshold, (answers, successes, failures) => {
        let health: Health | undefined;
        let since = 0;
        for (const [index, answer] of answers.entries()) {
          const before = health?.ready ?? answer;
          health = healthAfter(health, answer, { successes, failures });
          const last = answers.slice(since, index + 1);
          const contrary = last.length - 1 - last.lastIndexOf(before);
          const isOver = contrary >= (before ? failures : successes);
          expect(health.ready).toBe(isOver ? !before : before);
          if (isOver) since = index + 1;
        }
      }),
    );
  });
});
