/**
 * Asks kubefed's own planner random questions and records its answers for the unit tests of `clusterset/scheduling`.
 * Needs Go. The questions are the same each time: `node scripts/record-kubefed-answers.ts`.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { seededRandom } from './seeded-random.ts';

const COUNT = 600;

function question(index: number): unknown {
  const next = seededRandom(index + 1);
  const chance = (percent: number): boolean => next(100) < percent;
  const count = chance(10) ? next(40) : next(6);
  const size = chance(10) ? 10_000 : 30;
  const candidates = Array.from({ length: count }, (_, at) => (chance(5) ? `cluster-ü-${at}` : `cluster-${at}`));
  const some = (percent: number): Record<string, number> =>
    Object.fromEntries(candidates.filter(() => chance(percent)).map((name) => [name, next(size) - (chance(5) ? 3 : 0)]));
  const preference = (): Record<string, number> => ({
    ...(chance(50) ? { minReplicas: next(8) } : {}),
    ...(chance(40) ? { maxReplicas: next(size) } : {}),
    ...(chance(80) ? { weight: chance(5) ? next(1_000_000_000) : next(6) } : {}),
  });
  const named = Object.fromEntries(candidates.filter(() => chance(60)).map((name) => [name, preference()]));
  return {
    key: chance(20) ? '' : `shop/web-${index}`,
    total: next(size * 2),
    rebalance: chance(50),
    clusters: chance(60) ? { ...named, '*': preference() } : named,
    candidates,
    current: chance(60) ? some(70) : {},
    capacity: chance(40) ? some(50) : {},
  };
}

const ROOT = `${import.meta.dirname}/..`;
const PROGRAM = `${ROOT}/.cache/kube/bin/kubefed-oracle`;

const build = spawnSync('go', ['build', '-o', PROGRAM, '.'], { cwd: `${ROOT}/test/kube/kubefed`, stdio: 'inherit' });
if (build.status !== 0) throw new Error("kubefed's planner can't be built");
const questions = Array.from({ length: COUNT }, (_, index) => JSON.stringify(question(index)));
const run = spawnSync(PROGRAM, { input: questions.join('\n'), encoding: 'utf8', maxBuffer: 1 << 28 });
if (run.status !== 0) throw new Error(`the planner failed: ${run.error ?? run.stderr}`);
const answers = run.stdout.trim().split('\n');
writeFileSync(`${ROOT}/test/fixtures/kubefed-answers.json`, `[\n${answers.join(',\n')}\n]\n`);
console.log(`recorded ${answers.length} answers`);
