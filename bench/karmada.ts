import { divideKarmada, type KarmadaSpread, type KarmadaStrategy, selectKarmada, webster } from 'clusterset/scheduling';
import { microseconds } from './measure.ts';
import { besideOriginal, timesOfOriginal } from './original.ts';

const REPLICAS = 1000;
const UID = 'uid';
const DYNAMIC: KarmadaStrategy = { type: 'DynamicWeighted' };

/** What test/kube/karmada asks the Go original, too: half of the clusters hold one replica already. */
function fleet(count: number) {
  return Array.from({ length: count }, (_, index) => ({
    name: `c${String(index).padStart(2, '0')}`,
    allocatable: 50 + ((index * 37) % 100),
    assigned: index % 2,
    score: (index % 2) * 100,
    region: `region-${index % 10}`,
  }));
}

/** Karmada's divisions and selections, beside the original. Seats take the same time for a thousand replicas and for a hundred thousand. */
export function benchKarmada(): void {
  const original = timesOfOriginal('karmada-oracle');
  for (const count of [100, 1000]) {
    const candidates = fleet(count);
    const parties = candidates.map(({ name, allocatable }) => ({ name, votes: allocatable }));
    const rules = candidates.map(({ name }, index) => ({ clusters: [name], weight: 1 + (index % 7) }));
    const previous = new Map(candidates.filter(({ assigned }) => assigned > 0).map(({ name, assigned }) => [name, assigned]));
    const divide = (strategy: KarmadaStrategy) => () => divideKarmada({ candidates, replicas: REPLICAS, uid: UID, strategy });
    const whole = (constraints: { readonly cluster: KarmadaSpread; readonly region?: KarmadaSpread }) => () => {
      const selection = selectKarmada({ candidates, replicas: REPLICAS, strategy: DYNAMIC, constraints });
      if (selection.outcome === 'failed') throw new Error(selection.message);
      const selected = new Set(selection.clusters.map(({ cluster }) => cluster));
      const chosen = candidates.filter(({ name }) => selected.has(name));
      return divideKarmada({ candidates: chosen, replicas: REPLICAS, uid: UID, strategy: DYNAMIC, previous });
    };
    const half = { minGroups: 1, maxGroups: count / 2 };
    const calls: readonly (readonly [string, string, () => unknown])[] = [
      ['webster', 'seats after Webster', () => webster(REPLICAS, parties, UID)],
      ['', 'seats after Webster, 100,000 of them', () => webster(100_000, parties, UID)],
      ['dynamic', 'division by room', divide(DYNAMIC)],
      ['static', 'division by static weights', divide({ type: 'StaticWeighted', rules })],
      ['aggregated', 'aggregation', divide({ type: 'Aggregated' })],
      ['byCluster', 'selection of half of the clusters, and division', whole({ cluster: half })],
      [
        'byRegion',
        'selection of regions and clusters, and division',
        whole({ cluster: { ...half, minGroups: 2 }, region: { minGroups: 2, maxGroups: 4 } }),
      ],
    ];
    for (const [name, what, call] of calls) {
      const time = microseconds(call);
      const beside = name === '' ? `${time.toFixed(1)} µs` : besideOriginal(time, original[count]?.[name]);
      console.log(`karmada, ${count} clusters: ${what}: ${beside}`);
    }
  }
}
