import type { ClusterEntry } from 'clusterset';
import { prepare, renderAll } from 'clusterset/federation';
import { federatedWeb } from './federated-web.ts';
import { heapBytes, microseconds } from './measure.ts';

const CLUSTERS = 1000;

/** One template for 1,000 clusters, with three override operations for each. */
export function benchRendering(): void {
  const fleet: readonly ClusterEntry[] = Array.from({ length: CLUSTERS }, (_, index) => ({ name: `cluster-${index}` }));
  const container = '/spec/template/spec/containers/0';
  const clusterOverrides = [
    { path: `${container}/image`, value: 'registry.example.com/shop/web:1.29' },
    { path: `${container}/env/0/value`, value: 'overridden' },
    { op: 'add' as const, path: '/metadata/annotations', value: { tier: 'front' } },
  ];
  const overrides = fleet.map(({ name }) => ({ clusterName: name, clusterOverrides }));
  const object = federatedWeb('web', { overrides });
  // What a user waits for: the overrides are read, and every cluster's object is made.
  const render = () => renderAll(prepare(object), fleet).objects;
  if (render().length !== CLUSTERS) throw new Error('not everything was rendered');
  const time = microseconds(render) / CLUSTERS;
  const reading = microseconds(() => prepare(object)) / CLUSTERS;
  const bytes = heapBytes(render) / CLUSTERS;
  console.log(
    `render 1 template × ${CLUSTERS} clusters, 3 operations each: ${time.toFixed(2)} µs (${reading.toFixed(2)} of them for reading the overrides) and ${bytes.toFixed(0)} B for an object`,
  );
}
