import {
  divideCompletions,
  divideKarmada,
  type KarmadaInput,
  type KarmadaSpread,
  type KarmadaStrategy,
  type KarmadaWeightRule,
  selectKarmada,
  webster,
} from 'clusterset/scheduling';
import { describe, expect, it } from 'vitest';
import answers from '../../fixtures/karmada-answers.json' with { type: 'json' };
import selectAnswers from '../../fixtures/karmada-select-answers.json' with { type: 'json' };

interface Said {
  /** Clusters without replicas aren't there, and where there are none at all nothing is. */
  readonly replicas?: Readonly<Record<string, number>>;
  readonly clusters?: readonly string[];
  readonly failed?: string;
}

interface Votes {
  readonly ask: 'webster' | 'completions';
  readonly replicas: number;
  readonly uid: string;
  readonly votes: readonly number[];
  readonly answer: Said;
}

interface Placed {
  readonly replicas: number;
  readonly allocatable: readonly number[];
  readonly strategy: KarmadaStrategy['type'];
  readonly rules?: readonly KarmadaWeightRule[];
  readonly answer: Said;
}

interface Divide extends Placed {
  readonly ask: 'divide';
  readonly uid: string;
  readonly previous: Readonly<Record<string, number>>;
  readonly fresh: boolean;
}

interface Select extends Placed {
  readonly ask: 'select';
  readonly assigned: readonly number[];
  readonly score: readonly number[];
  readonly region: readonly string[];
  readonly cluster?: KarmadaSpread;
  readonly regions?: KarmadaSpread;
}

const asked = answers as unknown as readonly (Votes | Divide)[];

const nameOf = (index: number): string => `c${String(index).padStart(2, '0')}`;

const replicasOf = (counts: Iterable<readonly [string, number]>): Said['replicas'] => {
  const known = [...counts].filter(([, count]) => count > 0);
  return known.length === 0 ? undefined : Object.fromEntries(known);
};

const strategyOf = ({ strategy, rules }: Placed): KarmadaStrategy =>
  strategy === 'StaticWeighted' && rules !== undefined ? { type: strategy, rules } : { type: strategy };

function inputOf(question: Divide): KarmadaInput {
  const { replicas, uid, fresh } = question;
  return {
    candidates: question.allocatable.map((allocatable, index) => ({ name: nameOf(index), allocatable })),
    replicas,
    strategy: strategyOf(question),
    uid,
    previous: new Map(Object.entries(question.previous)),
    mode: fresh ? 'Fresh' : 'Steady',
  };
}

/** How many replicas had to be placed, less the room that Karmada names in its error. */
function missingOf({ replicas, previous, fresh, allocatable, answer: { failed = '' } }: Divide): number {
  const room = Number(/available replicas (\d+) are not enough/.exec(failed)?.[1]);
  const held = allocatable.reduce((sum, _, index) => sum + (previous[nameOf(index)] ?? 0), 0);
  return replicas - (fresh ? 0 : held) - room;
}

describe("Karmada's own answers (v1.16.0)", () => {
  it('are enough to tell', () => {
    const count = (ask: string): number => asked.filter((each) => each.ask === ask).length;
    expect([count('webster'), count('completions'), count('divide'), selectAnswers.length]).toEqual([300, 150, 600, 569]);
  });

  it.each(['webster', 'completions'] as const)('are those of %s', (ask) => {
    for (const question of asked) {
      if (question.ask !== ask) continue;
      const { replicas, uid, votes, answer } = question;
      const given =
        ask === 'webster'
          ? webster(
              replicas,
              votes.map((count, index) => ({ name: nameOf(index), votes: count })),
              uid,
            ).map((seats, index) => [nameOf(index), seats] as const)
          : divideCompletions(
              votes.map((count, index) => ({ cluster: nameOf(index), replicas: count })),
              replicas,
              uid,
            ).map(({ cluster, completions }) => [cluster, completions] as const);
      expect(replicasOf(given), JSON.stringify(question)).toEqual(answer.replicas);
    }
  });

  it('are those of divideKarmada', () => {
    for (const question of asked) {
      if (question.ask !== 'divide') continue;
      const { answer } = question;
      const division = divideKarmada(inputOf(question));
      const said = JSON.stringify(question);
      if (division.outcome === 'divided') {
        expect(answer.failed, said).toBeUndefined();
        expect(replicasOf(division.shares.map(({ cluster, replicas }) => [cluster, replicas] as const)), said).toEqual(
          answer.replicas,
        );
      } else {
        expect(division, said).toEqual({ outcome: 'unschedulable', missing: missingOf(question) });
      }
    }
  });

  it('are those of selectKarmada, in their order and with their errors', () => {
    for (const question of selectAnswers as unknown as readonly Select[]) {
      const { replicas, allocatable, assigned, score, region, cluster, regions, answer } = question;
      const selection = selectKarmada({
        candidates: allocatable.map((room, index) => ({
          name: nameOf(index),
          allocatable: room,
          assigned: assigned[index] ?? 0,
          score: score[index] ?? 0,
          region: region[index] ?? '',
        })),
        replicas,
        strategy: strategyOf(question),
        constraints: { ...(cluster === undefined ? {} : { cluster }), ...(regions === undefined ? {} : { region: regions }) },
      });
      const given =
        selection.outcome === 'failed'
          ? { failed: selection.message }
          : { clusters: selection.clusters.map(({ cluster: name }) => name) };
      expect(given, JSON.stringify(question)).toEqual({ ...('failed' in answer ? {} : { clusters: [] }), ...answer });
    }
  });
});
