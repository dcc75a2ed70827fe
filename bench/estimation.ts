import {
  classesEstimator,
  estimateKarmada,
  KARMADA_DEFAULT_MODELS,
  karmadaEstimator,
  nodeClasses,
  nodesEstimator,
  summarizeCluster,
} from 'clusterset/scheduling';
import { calibration, median, microseconds } from './measure.ts';

/** Karmada's own general estimator on one core of such a machine, in another run: µs for all clusters. */
const ORIGINAL: Readonly<Record<number, number>> = { 100: 111, 1000: 1230 };
const NODES = 5000;
const PODS_PER_NODE = 30;

/** Room: of a thousand clusters by their summaries, of one large cluster by its nodes and pods, and by what is left of these in little. */
export function benchEstimation(): void {
  console.log(`calibration: 100,000 steps of a counting loop take ${calibration().toFixed(0)} µs`);
  for (const count of [100, 1000]) bySummaries(count);
  byNodes();
}

function bySummaries(count: number): void {
  const clusters = Array.from({ length: count }, (_, index) => ({
    allocatable: { cpu: `${1000 + index}`, memory: `${4000 + index}Gi`, pods: '11000' },
    allocated: { cpu: `${index}500m`, memory: `${index * 512}Mi`, pods: `${index * 10}` },
    allocating: { cpu: '1500m', memory: '3Gi', pods: '3' },
    allocatableModelings: KARMADA_DEFAULT_MODELS.map(({ grade }) => ({ grade, count: (index + grade) % 10 })),
  }));
  const request = { resourceRequest: { cpu: '500m', memory: '1Gi' } };
  const one = microseconds(() => clusters.map((cluster) => estimateKarmada(cluster, request)));
  const all = microseconds(() => clusters.map(estimatorOfClusters(request)));
  const models = microseconds(() => {
    const estimate = karmadaEstimator(request);
    return clusters.map((cluster) => estimate(cluster, KARMADA_DEFAULT_MODELS));
  });
  console.log(
    `general estimator, ${count} clusters: ${all.toFixed(1)} µs (Karmada's, in another run: ${ORIGINAL[count]} µs), ` +
      `by nine grades of nodes ${models.toFixed(1)} µs, one by one ${one.toFixed(1)} µs`,
  );
}

function estimatorOfClusters(request: Parameters<typeof karmadaEstimator>[0]): (cluster: object) => unknown {
  const estimate = karmadaEstimator(request);
  return (cluster) => estimate(cluster);
}

function byNodes(): void {
  const nodes = Array.from({ length: NODES }, (_, index) => ({
    metadata: {
      name: `node-${index}`,
      labels: {
        'kubernetes.io/hostname': `node-${index}`,
        'topology.kubernetes.io/zone': `z${index % 3}`,
        'kubernetes.io/arch': 'amd64',
      },
    },
    spec: {},
    status: {
      allocatable: { cpu: `${16 << (index % 3)}`, memory: `${64 << (index % 3)}Gi`, 'ephemeral-storage': '100Gi', pods: '110' },
      conditions: [{ type: 'Ready', status: 'True' }],
    },
  }));
  const pods = nodes.flatMap(({ metadata }, node) =>
    Array.from({ length: PODS_PER_NODE }, (_, index) => ({
      metadata: { name: `pod-${node}-${index}`, namespace: `ns-${index}`, labels: { app: `app-${index}` } },
      spec: {
        nodeName: metadata.name,
        containers: [
          {
            name: 'main',
            resources: {
              requests: { cpu: `${(node * 7 + index * 31) % 500}m`, memory: `${64 + ((node * 13 + index) % 900)}Mi` },
            },
          },
        ],
      },
      status: { phase: 'Running' },
    })),
  );
  const replica = { requests: { cpu: '1500m', memory: '3Gi' }, nodeSelector: { 'kubernetes.io/arch': 'amd64' } };
  const reading = milliseconds(() => nodesEstimator(nodes, pods));
  const byNode = nodesEstimator(nodes, pods);
  const classes = nodeClasses(nodes, pods);
  const byClass = classesEstimator(classes);
  const entries = classes.classes.reduce((sum, { free }) => sum + free.length, 0);
  console.log(
    `${NODES} nodes with ${PODS_PER_NODE} pods each: read in ${reading.toFixed(0)} ms, then ${microseconds(() => byNode(replica)).toFixed(0)} µs an estimate`,
  );
  console.log(
    `summary of them with node classes: ${milliseconds(() => summarizeCluster(nodes, pods)).toFixed(0)} ms, ${entries} entries, ${JSON.stringify(classes).length} bytes, ` +
      `then ${microseconds(() => byClass(replica)).toFixed(1)} µs an estimate, of ${byClass(replica).replicas} replicas where ${byNode(replica).replicas} fit`,
  );
}

/** Median of several single runs: these are too long to be repeated until a tenth of a second is full. */
function milliseconds(call: () => unknown, runs = 7): number {
  call();
  return median(
    Array.from({ length: runs }, () => {
      const started = performance.now();
      call();
      return performance.now() - started;
    }),
  );
}
