import { divideKubeAdmiral, type KubeAdmiralPreference } from 'clusterset/scheduling';
import { describe, expect, it } from 'vitest';
import answers from '../../fixtures/kubeadmiral-answers.json' with { type: 'json' };

interface Answer {
  readonly key: string;
  readonly total: number;
  readonly clusters: Readonly<Record<string, Record<keyof KubeAdmiralPreference, number | null>>>;
  readonly candidates: readonly string[];
  readonly current: Readonly<Record<string, number>>;
  readonly estimatedCapacity: Readonly<Record<string, number>>;
  readonly limitedCapacity: Readonly<Record<string, number>>;
  readonly avoidDisruption: boolean;
  readonly keepUnschedulable: boolean;
  readonly plan: Readonly<Record<string, number>>;
  readonly overflow: Readonly<Record<string, number>> | null;
}

/** Go writes what isn't set as null. */
function preferencesOf(clusters: Answer['clusters']): Readonly<Record<string, KubeAdmiralPreference>> {
  const known = Object.entries(clusters).map(([name, each]) => {
    const set = Object.entries(each).filter(([, value]) => value !== null);
    return [name, Object.fromEntries(set)];
  });
  return Object.fromEntries(known);
}

const positive = (numbers: Readonly<Record<string, number>>): unknown =>
  Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== 0));

describe('divideKubeAdmiral', () => {
  it('gives what KubeAdmiral v1.0.0 gave', () => {
    expect(answers.length).toBeGreaterThan(300);
    for (const answer of answers as unknown as readonly Answer[]) {
      const { key, total: totalReplicas, candidates, avoidDisruption, keepUnschedulable } = answer;
      const plan = divideKubeAdmiral({
        key,
        totalReplicas,
        candidates,
        avoidDisruption,
        keepUnschedulable,
        preferences: preferencesOf(answer.clusters),
        current: new Map(Object.entries(answer.current)),
        estimatedCapacity: new Map(Object.entries(answer.estimatedCapacity)),
        limitedCapacity: new Map(Object.entries(answer.limitedCapacity)),
      });
      const by = (of: 'replicas' | 'overflow'): unknown =>
        positive(Object.fromEntries(plan.shares.map((share) => [share.cluster, share[of]])));
      const question = JSON.stringify(answer);
      expect(by('replicas'), question).toEqual(positive(answer.plan));
      expect(by('overflow'), question).toEqual(positive(answer.overflow ?? {}));
    }
  });
});
