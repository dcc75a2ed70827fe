import {
  compilePolicy,
  divideReplicas,
  type PlacementPolicySpec,
  type ScheduleInput,
  schedule,
  selectClusters,
} from 'clusterset/scheduling';
import { calibration, microseconds } from './measure.ts';

const REGIONS = ['eu', 'us', 'ap', 'sa', 'af'] as const;

/** A fleet with everything that decisions look at. */
function fleetOf(size: number): ScheduleInput['clusters'] {
  return Array.from({ length: size }, (_, index) => ({
    name: `cluster-${String(index).padStart(4, '0')}`,
    region: REGIONS[index % REGIONS.length] ?? 'eu',
    zones: [`${REGIONS[index % REGIONS.length]}-${index % 3}`],
    labels: { environment: index % 10 === 0 ? 'staging' : 'production', tier: String(index % 4) },
    properties: { cost: String(1 + ((index * 7) % 13)) },
    taints: index % 20 === 0 ? [{ key: 'maintenance', effect: 'NoSchedule' as const }] : [],
  }));
}

const POLICY: PlacementPolicySpec = {
  labelSelector: { matchLabels: { environment: 'production' } },
  tolerations: [{ key: 'maintenance', operator: 'Exists' }],
  spread: [{ topologyKey: 'region', minGroups: 2, maxGroups: 4 }],
  scores: [{ property: { name: 'cost', order: 'LowestFirst' } }],
  division: { type: 'ByCapacity' },
};

/** Karmada's whole decision (select and assign 1,000 replicas) on one core of such a machine, in another run: µs. */
const KARMADA: Readonly<Record<number, number>> = { 100: 400, 1000: 2100 };

/** Our own division, selection and whole decisions. */
export function benchScheduling(): void {
  console.log(`calibration: 100,000 steps of a counting loop take ${calibration().toFixed(0)} µs`);
  for (const size of [10, 100, 1000]) {
    for (const replicas of [100, 1000, 10_000]) benchDivisions(size, replicas);
  }
  for (const size of [10, 100, 1000]) {
    benchSelection(size);
    for (const replicas of [100, 1000, 10_000]) benchDecision(size, replicas);
  }
  benchManyWorkloads(5000, 1000);
}

function benchDivisions(size: number, replicas: number): void {
  const clusters = fleetOf(size).map(({ name }, index) => ({
    name,
    weight: 50 + ((index * 37) % 100),
    room: 5 + Math.ceil((2 * replicas) / size) + (index % 50),
    current: Math.floor(replicas / size / 2),
    minReplicas: index % 7 === 0 ? 1 : 0,
    maxReplicas: 10 + Math.ceil((3 * replicas) / size),
  }));
  const times = (['Weighted', 'ByCapacity', 'Aggregated'] as const).map((type) => {
    const anew = microseconds(() => divideReplicas({ clusters, replicas, type }));
    const sticky = microseconds(() => divideReplicas({ clusters, replicas, type, sticky: true }));
    return `${type} ${anew.toFixed(1)} µs (sticky ${sticky.toFixed(1)})`;
  });
  console.log(`divide ${replicas} replicas over ${size} clusters: ${times.join(', ')}`);
}

function benchSelection(size: number): void {
  const candidates = fleetOf(size).map((entry, index) => ({
    name: entry.name,
    entry,
    score: (index * 31) % 101,
    runs: false,
    current: 0,
    room: 5 + (index % 50),
  }));
  const time = microseconds(() =>
    selectClusters({
      candidates,
      spread: [
        { topologyKey: 'region', minGroups: 2, maxGroups: 4, maxSkew: 2 },
        { topologyKey: 'cluster', maxGroups: Math.ceil(size / 2) },
      ],
      need: size * 10,
    }),
  );
  console.log(`select of ${size} clusters, spread over regions: ${time.toFixed(1)} µs`);
}

function inputOf(size: number, replicas: number): Omit<ScheduleInput, 'policy'> {
  const clusters = fleetOf(size);
  return {
    clusters,
    workload: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web', replicas },
    room: new Map(clusters.map(({ name }, index) => [name, 5 + Math.ceil((2 * replicas) / size) + (index % 50)])),
  };
}

function benchDecision(size: number, replicas: number): void {
  const input = inputOf(size, replicas);
  const scheduler = compilePolicy(POLICY);
  const once = microseconds(() => schedule({ ...input, policy: POLICY }));
  const again = microseconds(() => scheduler(input));
  const go = replicas === 1000 ? KARMADA[size] : undefined;
  const beside = go === undefined ? '' : ` (Karmada's, in another run: ${go} µs)`;
  console.log(
    `decide for ${replicas} replicas over ${size} clusters: ${once.toFixed(1)} µs, with a compiled policy ${again.toFixed(1)} µs${beside}`,
  );
}

function benchManyWorkloads(workloads: number, size: number): void {
  const scheduler = compilePolicy(POLICY);
  const input = inputOf(size, 1000);
  const started = performance.now();
  let placed = 0;
  for (let index = 0; index < workloads; index += 1) {
    const { unplaced } = scheduler({
      ...input,
      workload: { ...input.workload, name: `web-${index}`, replicas: 1 + (index % 200) },
    });
    placed += unplaced === 0 ? 1 : 0;
  }
  const seconds = (performance.now() - started) / 1000;
  console.log(
    `decide for ${workloads} workloads over ${size} clusters: ${seconds.toFixed(1)} s, ${(workloads / seconds).toFixed(0)} decisions a second, ${placed} placed whole`,
  );
}
