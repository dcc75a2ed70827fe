import { divideKubeAdmiral } from 'clusterset/scheduling';
import { microseconds } from './measure.ts';
import { besideOriginal, timesOfOriginal } from './original.ts';

/**
 * Three replicas for each cluster, weights 1 to 7: divided anew, and with few moves from an uneven start, beside the original. Then so many
 * replicas that a cost for each of them would show.
 */
export function benchKubeAdmiral(): void {
  const original = timesOfOriginal('kubeadmiral-oracle');
  for (const count of [100, 1000]) {
    const candidates = Array.from({ length: count }, (_, index) => `cluster-${String(index).padStart(4, '0')}`);
    const preferences = Object.fromEntries(candidates.map((name, index) => [name, { weight: 1 + (index % 7) }]));
    const current = new Map(candidates.map((name, index) => [name, index % 5]));
    const question = { key: 'shop/web', totalReplicas: count * 3, preferences, candidates, current };
    const anew = microseconds(() => divideKubeAdmiral({ ...question, avoidDisruption: false }));
    const few = microseconds(() => divideKubeAdmiral(question));
    const many = microseconds(() => divideKubeAdmiral({ ...question, totalReplicas: count * 1_000_000 }));
    const known = original[count];
    console.log(`KubeAdmiral's division over ${count} clusters, anew: ${besideOriginal(anew, known?.anew)}`);
    console.log(`KubeAdmiral's division over ${count} clusters, with few moves: ${besideOriginal(few, known?.few)}`);
    console.log(`KubeAdmiral's division over ${count} clusters, with a million replicas for each: ${many.toFixed(1)} µs`);
  }
}
