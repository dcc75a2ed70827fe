/** `npm run bench`, or `npm run bench -- render plan propagation` for some of it. The last two need real API servers: see test:kube. */
import process from 'node:process';
import { benchEstimation } from './estimation.ts';
import { benchInformers } from './informers.ts';
import { benchKarmada } from './karmada.ts';
import { benchKubeAdmiral } from './kubeadmiral.ts';
import { benchDns } from './mcs-dns.ts';
import { benchMerge } from './mcs-merge.ts';
import { benchSlices } from './mcs-slices.ts';
import { benchOffline } from './offline.ts';
import { benchPlanning } from './planning.ts';
import { benchPropagation } from './propagation.ts';
import { benchQueue } from './queue.ts';
import { benchRegistry } from './registry.ts';
import { benchRendering } from './rendering.ts';
import { benchRuntime } from './runtime.ts';
import { benchScheduling } from './scheduling.ts';

const BENCHES: Readonly<Record<string, () => void | Promise<void>>> = {
  render: benchRendering,
  plan: benchPlanning,
  karmada: benchKarmada,
  kubeadmiral: benchKubeAdmiral,
  schedule: benchScheduling,
  estimate: benchEstimation,
  queue: benchQueue,
  runtime: benchRuntime,
  registry: benchRegistry,
  merge: benchMerge,
  slices: benchSlices,
  dns: benchDns,
  informers: benchInformers,
  offline: benchOffline,
  propagation: benchPropagation,
};

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !Object.hasOwn(BENCHES, name));
if (unknown !== undefined) {
  console.error(`error: there is no benchmark "${unknown}": choose of ${Object.keys(BENCHES).join(', ')}`);
  process.exit(1);
}
console.log(`Node ${process.version}, ${process.platform} ${process.arch}`);
for (const [name, bench] of Object.entries(BENCHES)) if (wanted.length === 0 || wanted.includes(name)) await bench();
