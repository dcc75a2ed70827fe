import {
  type EndpointSlice,
  importSlices,
  importSourceSlice,
  type ServiceImport,
  type SourceCluster,
  sourceOfSlice,
} from 'clusterset/mcs';
import { microseconds } from './measure.ts';

const CLUSTERS = 5;
const ENDPOINTS = 100_000;
const PORT = { name: 'http', protocol: 'TCP', port: 80 };

const serviceImport: ServiceImport = {
  apiVersion: 'multicluster.x-k8s.io/v1beta1',
  kind: 'ServiceImport',
  metadata: { namespace: 'shop', name: 'web', uid: '7f8f2a40-0000-4000-8000-000000000001' },
  spec: { type: 'ClusterSetIP', ports: [PORT] },
};

/** One service of 100,000 endpoints in five clusters, and then one endpoint that becomes unready: what it takes to know what to write. */
export function benchSlices(): void {
  for (const size of [100, 1000]) {
    const sources = sourceClusters(size);
    const started = performance.now();
    const first = importSlices({ serviceImport, sources, current: [] });
    const packing = performance.now() - started;
    const again = performance.now();
    const second = importSlices({ serviceImport, sources, current: first.slices });
    const comparing = performance.now() - again;
    if (second.steps.length > 0) throw new Error('an unchanged world must cost no writes');
    console.log(
      `import ${ENDPOINTS} endpoints in slices of ${size}: ${packing.toFixed(0)} ms for ${first.steps.length} slices; again, unchanged: ${comparing.toFixed(0)} ms`,
    );
    const { time, changed } = benchFlip(sources, first.slices, size);
    console.log(`  one endpoint's readiness flips: ${time.toFixed(0)} µs, ${changed} slice changes`);
    if (changed !== 1) throw new Error('one flip must change one slice');
  }
}

/** By source slice, as a controller keeps what it has seen. */
function benchFlip(
  sources: readonly SourceCluster[],
  slices: readonly EndpointSlice[],
  size: number,
): { readonly time: number; readonly changed: number } {
  const source = sources[2];
  const slice = source?.slices[7];
  if (source === undefined || slice === undefined) throw new Error('the workload is too small');
  const derived = slices.filter((each) => {
    const origin = sourceOfSlice(each);
    return origin?.cluster === source.cluster && origin.slice === slice.metadata.name;
  });
  const at = Math.floor(size / 2);
  const endpoints = (slice.endpoints ?? []).map((endpoint, index) =>
    index === at ? { ...endpoint, conditions: { ready: false, serving: false, terminating: false } } : endpoint,
  );
  const flipped = { cluster: source.cluster, ports: source.ports, slice: { ...slice, endpoints } };
  const changed = importSourceSlice({ serviceImport }, flipped, derived).steps.length;
  return { changed, time: microseconds(() => importSourceSlice({ serviceImport }, flipped, derived)) };
}

function sourceClusters(size: number): readonly SourceCluster[] {
  const slicesEach = ENDPOINTS / CLUSTERS / size;
  return Array.from({ length: CLUSTERS }, (_, cluster) => ({
    cluster: `cluster-${cluster}`,
    ports: [PORT],
    slices: Array.from({ length: slicesEach }, (_each, number) => sourceSlice(cluster, number, size)),
  }));
}

function sourceSlice(cluster: number, number: number, size: number): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      namespace: 'shop',
      name: `web-${number}`,
      labels: {
        'kubernetes.io/service-name': 'web',
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
      },
    },
    addressType: 'IPv4',
    endpoints: Array.from({ length: size }, (_, index) => {
      const pod = number * size + index;
      return {
        addresses: [`10.${cluster}.${pod >> 8}.${pod & 255}`],
        conditions: { ready: true, serving: true, terminating: false },
        nodeName: `node-${pod % 100}`,
        targetRef: { kind: 'Pod', namespace: 'shop', name: `web-${pod}` },
        zone: `zone-${pod % 3}`,
      };
    }),
    ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
  };
}
