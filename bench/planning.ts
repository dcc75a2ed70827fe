import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { planReplicas } from 'clusterset';
import { microseconds } from './measure.ts';

/** kubefed's planner, the Go original, where `npm run test:kube` or a script has built it. */
const ORIGINAL = fileURLToPath(new URL('../.cache/kube/bin/kubefed-oracle', import.meta.url));

/** Three replicas for each cluster, weight 1 for all of them: what the Go original is asked, too. */
export function benchPlanning(): void {
  const ours = [100, 1000].map((count) => {
    const candidates = Array.from({ length: count }, (_, index) => `cluster-${String(index).padStart(4, '0')}`);
    const question = {
      key: 'shop/web',
      totalReplicas: count * 3,
      rebalance: true,
      preferences: { '*': { weight: 1 } },
      candidates,
    };
    return { count, time: microseconds(() => planReplicas(question)) };
  });
  const original = new Map<number, number>();
  if (existsSync(ORIGINAL)) {
    const { stdout } = spawnSync(ORIGINAL, ['-bench'], { encoding: 'utf8' });
    for (const [, count, time] of stdout.matchAll(/(\d+)\D+?([\d.]+)/g)) original.set(Number(count), Number(time));
  }
  for (const { count, time } of ours) {
    const go = original.get(count);
    const beside =
      go === undefined
        ? 'the Go original has not been built'
        : `Go original ${go.toFixed(1)} µs: ${(time / go).toFixed(2)} of it`;
    console.log(`divide replicas over ${count} clusters: ${time.toFixed(1)} µs (${beside})`);
  }
}
