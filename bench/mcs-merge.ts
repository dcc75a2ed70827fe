import type { AnyObject } from 'clusterset/kube';
import { type ExportedService, exportedService, mergeExports, ServiceExport } from 'clusterset/mcs';
import { median, microseconds } from './measure.ts';

const NOW = '2026-01-02T00:00:00Z';

/** One service, exported by so many clusters with so many ports; every third cluster has other numbers where they disagree. */
function exportsOf(name: string, clusters: number, ports: number, disagree: boolean): readonly ExportedService[] {
  return Array.from({ length: clusters }, (_, index) => {
    const shift = disagree && index % 3 === 0 ? 1000 : 0;
    const second = String(index % 60).padStart(2, '0');
    return exportedService(
      `cluster-${String(index).padStart(3, '0')}`,
      ServiceExport.read({
        apiVersion: 'multicluster.x-k8s.io/v1beta1',
        kind: 'ServiceExport',
        metadata: { namespace: 'shop', name, generation: 1, creationTimestamp: `2026-01-01T00:00:${second}Z` },
        spec: { exportedLabels: { app: name } },
      }),
      serviceOf(name, ports, shift),
    );
  });
}

function serviceOf(name: string, ports: number, shift: number): AnyObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'shop', name },
    spec: {
      type: 'ClusterIP',
      clusterIP: '10.0.0.1',
      ipFamilies: ['IPv4'],
      ports: Array.from({ length: ports }, (_, index) => ({ name: `p-${index}`, protocol: 'TCP', port: 8000 + shift + index })),
    },
  };
}

/** What a cluster set costs where everything is merged anew: one large service, and ten thousand small ones. */
export function benchMerge(): void {
  for (const disagree of [false, true]) {
    const exports = exportsOf('web', 50, 20, disagree);
    const time = microseconds(() => mergeExports({ namespace: 'shop', name: 'web', exports, now: NOW }));
    const how = disagree ? 'a third of them disagrees' : 'all agree';
    console.log(`merge a service of 50 clusters with 20 ports each, ${how}: ${time.toFixed(0)} µs`);
  }
  const services = Array.from({ length: 10_000 }, (_, index) => ({
    name: `web-${index}`,
    exports: exportsOf(`web-${index}`, 5, 4, index % 2 === 0),
  }));
  const times = Array.from({ length: 5 }, () => {
    const started = performance.now();
    for (const { name, exports } of services) mergeExports({ namespace: 'shop', name, exports, now: NOW });
    return performance.now() - started;
  });
  console.log(`merge 10,000 services of 5 clusters with 4 ports each: ${median(times).toFixed(0)} ms`);
}
