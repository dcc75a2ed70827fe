import { divideKubeAdmiral } from 'clusterset/scheduling';
import { microseconds } from './measure.ts';

/**
 * Three replicas for each cluster, weights 1 to 7: divided anew, and with few moves from an uneven start. Then so many replicas that a cost
 * for each of them would show.
 */
export function benchKubeAdmiral(): void {
  for (const count of [100, 1000]) {
    const candidates = Array.from({ length: count }, (_, index) => `cluster-${String(index).padStart(4, '0')}`);
    const preferences = Object.fromEntries(candidates.map((name, index) => [name, { weight: 1 + (index % 7) }]));
    const current = new Map(candidates.map((name, index) => [name, index % 5]));
    const question = { key: 'shop/web', totalReplicas: count * 3, preferences, candidates, current };
    const fresh = microseconds(() => divideKubeAdmiral({ ...question, avoidDisruption: false }));
    const few = microseconds(() => divideKubeAdmiral(question));
    const many = microseconds(() => divideKubeAdmiral({ ...question, totalReplicas: count * 1_000_000 }));
    console.log(
      `KubeAdmiral's division over ${count} clusters: ${fresh.toFixed(1)} µs anew, ${few.toFixed(1)} µs with few moves, ` +
        `${many.toFixed(1)} µs with a million replicas for each`,
    );
  }
}
