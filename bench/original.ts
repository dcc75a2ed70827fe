import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What a Go original needs for 100 and for 1,000 clusters, in microseconds by name. */
type Times = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Measures a Go original on one core, where a script of `scripts/record-…-answers.ts` has built it. */
export function timesOfOriginal(program: string): Times {
  const path = fileURLToPath(new URL(`../.cache/kube/bin/${program}`, import.meta.url));
  if (!existsSync(path)) return {};
  const { stdout } = spawnSync(path, ['-bench'], { encoding: 'utf8', env: { ...process.env, GOMAXPROCS: '1' } });
  return JSON.parse(stdout) as Times;
}

/** `12.3 µs (Go original 45.6 µs: 0.27 of it)`. */
export function besideOriginal(time: number, original: number | undefined): string {
  const ours = `${time.toFixed(1)} µs`;
  if (original === undefined) return `${ours} (the Go original has not been built)`;
  return `${ours} (Go original ${original.toFixed(1)} µs: ${(time / original).toFixed(2)} of it)`;
}
