import {
  divideKubeAdmiral,
  divideKubeAdmiralBinpack,
  type KubeAdmiralPlan,
  type KubeAdmiralPreference,
  kubeAdmiralDynamicWeights,
} from 'clusterset/scheduling';
import { describe, expect, it } from 'vitest';
import answers from '../../fixtures/kubeadmiral-answers.json' with { type: 'json' };
import binpackAnswers from '../../fixtures/kubeadmiral-binpack-answers.json' with { type: 'json' };
import weightsAnswers from '../../fixtures/kubeadmiral-weights-answers.json' with { type: 'json' };

type Numbers = Readonly<Record<string, number>>;

interface Said {
  readonly plan: Numbers;
  readonly overflow: Numbers | null;
}

interface Question {
  readonly total: number;
  readonly clusters: Readonly<Record<string, Record<keyof KubeAdmiralPreference, number | null>>>;
  readonly candidates: readonly string[];
  readonly current: Numbers;
  readonly estimatedCapacity: Numbers;
  readonly limitedCapacity: Numbers;
  readonly avoidDisruption: boolean;
  readonly keepUnschedulable: boolean;
}

interface SpreadAnswer extends Question, Said {
  readonly key: string;
}

interface BinpackAnswer extends Question {
  readonly scheduledReplicas: Numbers;
  readonly answer: Said;
}

interface WeightsAnswer {
  readonly allocatable: readonly number[];
  readonly available: readonly number[];
  readonly answer: Numbers;
}

const nameOf = (index: number): string => `c${String(index).padStart(2, '0')}`;

/** Go writes what isn't set as null. */
function preferencesOf(clusters: Question['clusters']): Readonly<Record<string, KubeAdmiralPreference>> {
  const known = Object.entries(clusters).map(([name, each]) => {
    const set = Object.entries(each).filter(([, value]) => value !== null);
    return [name, Object.fromEntries(set)];
  });
  return Object.fromEntries(known);
}

function inputOf(question: Question) {
  const { total: totalReplicas, candidates, avoidDisruption, keepUnschedulable } = question;
  return {
    totalReplicas,
    candidates,
    avoidDisruption,
    keepUnschedulable,
    preferences: preferencesOf(question.clusters),
    current: new Map(Object.entries(question.current)),
    estimatedCapacity: new Map(Object.entries(question.estimatedCapacity)),
    limitedCapacity: new Map(Object.entries(question.limitedCapacity)),
  };
}

const positive = (numbers: Numbers): unknown => Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== 0));

const by = (plan: KubeAdmiralPlan, of: 'replicas' | 'overflow'): unknown =>
  positive(Object.fromEntries(plan.shares.map((share) => [share.cluster, share[of]])));

describe("KubeAdmiral's own answers (v1.0.0)", () => {
  it('are those of divideKubeAdmiral', () => {
    expect(answers.length).toBe(400);
    for (const answer of answers as unknown as readonly SpreadAnswer[]) {
      const plan = divideKubeAdmiral({ key: answer.key, ...inputOf(answer) });
      const question = JSON.stringify(answer);
      expect(by(plan, 'replicas'), question).toEqual(positive(answer.plan));
      expect(by(plan, 'overflow'), question).toEqual(positive(answer.overflow ?? {}));
    }
  });

  it('are those of divideKubeAdmiralBinpack, whatever it says of clusters that are no candidates any more', () => {
    expect(binpackAnswers.length).toBe(600);
    const bases = new Set<string>();
    for (const answer of binpackAnswers as unknown as readonly BinpackAnswer[]) {
      const { candidates, scheduledReplicas } = answer;
      const plan = divideKubeAdmiralBinpack({
        ...inputOf(answer),
        scheduledReplicas: new Map(Object.entries(scheduledReplicas)),
      });
      const among = (numbers: Numbers | null): unknown =>
        positive(Object.fromEntries(Object.entries(numbers ?? {}).filter(([name]) => candidates.includes(name))));
      const question = JSON.stringify(answer);
      expect(by(plan, 'replicas'), question).toEqual(among(answer.answer.plan));
      expect(by(plan, 'overflow'), question).toEqual(among(answer.answer.overflow));
      bases.add(plan.basis);
    }
    expect([...bases].sort()).toEqual(['kept', 'preferences', 'scaledDown', 'scaledUp', 'settled', 'waiting']);
  });

  it('are those of kubeAdmiralDynamicWeights, but for which of several largest weights has the remainder', () => {
    expect(weightsAnswers.length).toBe(400);
    let same = 0;
    for (const { allocatable, available, answer } of weightsAnswers as unknown as readonly WeightsAnswer[]) {
      const weights = kubeAdmiralDynamicWeights(
        allocatable.map((most, index) => ({ cluster: nameOf(index), allocatable: most, available: available[index] ?? 0 })),
      );
      const question = JSON.stringify({ allocatable, available, answer });
      const differing = Object.keys(answer).filter((name) => weights.get(name) !== answer[name]);
      if (differing.length === 0) same += 1;
      else {
        const [first = '', other = ''] = differing.sort();
        const others = [...weights].filter(([name]) => name !== first).map(([, weight]) => weight);
        expect([differing.length, weights.get(first), weights.get(other)], question).toEqual([2, answer[other], answer[first]]);
        expect(weights.get(other), question).toBe(Math.max(...others));
      }
      expect(weights.size, question).toBe(allocatable.length);
    }
    expect(same).toBeGreaterThan(300);
  });
});
