import { planReplicas } from 'clusterset';
import { microseconds } from './measure.ts';
import { besideOriginal, timesOfOriginal } from './original.ts';

/** Three replicas for each cluster, weight 1 for all of them: what the Go original, kubefed's planner, is asked, too. */
export function benchPlanning(): void {
  const original = timesOfOriginal('kubefed-oracle');
  for (const count of [100, 1000]) {
    const candidates = Array.from({ length: count }, (_, index) => `cluster-${String(index).padStart(4, '0')}`);
    const question = { key: 'shop/web', totalReplicas: count * 3, rebalance: true, candidates };
    const same = microseconds(() => planReplicas({ ...question, preferences: { '*': { weight: 1 } } }));
    const named = Object.fromEntries(candidates.map((name, index) => [name, { weight: 1 + (index % 7) }]));
    const all = microseconds(() => planReplicas({ ...question, preferences: named }));
    const known = original[count];
    console.log(`kubefed's division over ${count} clusters, the same for all: ${besideOriginal(same, known?.same)}`);
    console.log(`kubefed's division over ${count} clusters, a preference for each: ${besideOriginal(all, known?.each)}`);
  }
}
