/**
 * Asks KubeAdmiral's own planners random questions and records their answers for the unit tests of `clusterset/scheduling`.
 * Needs Go. The questions are the same each time: `node scripts/record-kubeadmiral-answers.ts`.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { seededRandom } from './seeded-random.ts';

const ROOT = `${import.meta.dirname}/..`;
const PROGRAM = `${ROOT}/.cache/kube/bin/kubeadmiral-oracle`;

function spreadQuestion(index: number): object {
  const next = seededRandom(index + 1);
  const chance = (percent: number): boolean => next(100) < percent;
  const count = chance(10) ? next(30) : next(6);
  const size = chance(10) ? 10_000 : 30;
  const candidates = Array.from({ length: count }, (_, at) => `cluster-${at}`);
  const some = (percent: number): Record<string, number> =>
    Object.fromEntries(candidates.filter(() => chance(percent)).map((name) => [name, next(size)]));
  const preference = (): Record<string, number> => ({
    ...(chance(50) ? { minReplicas: next(8) } : {}),
    ...(chance(40) ? { maxReplicas: next(size) } : {}),
    ...(chance(80) ? { weight: next(6) } : {}),
  });
  const named = Object.fromEntries(candidates.filter(() => chance(60)).map((name) => [name, preference()]));
  return {
    key: chance(20) ? '' : `shop/web-${index}`,
    total: next(size * 2),
    clusters: chance(60) ? { ...named, '*': preference() } : named,
    candidates,
    current: chance(70) ? some(70) : {},
    estimatedCapacity: chance(40) ? some(50) : {},
    limitedCapacity: chance(30) ? some(40) : {},
    avoidDisruption: chance(60),
    keepUnschedulable: chance(40),
  };
}

function binpackQuestion(index: number): object {
  const next = seededRandom(index + 10_001);
  const chance = (percent: number): boolean => next(100) < percent;
  const size = chance(10) ? 10_000 : 25;
  const names = Array.from({ length: chance(10) ? next(20) : next(6) }, (_, at) => `c${String(at).padStart(2, '0')}`);
  const places = new Map(names.map((name) => [name, next(1000)]));
  const candidates = names.toSorted((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0));
  const some = (percent: number): Record<string, number> =>
    Object.fromEntries(candidates.filter(() => chance(percent)).map((name) => [name, next(size)]));
  const current = chance(80) ? { ...some(70), ...(chance(8) ? { gone: 2 } : {}) } : {};
  const estimatedCapacity = chance(45) ? some(50) : {};
  const preference = (): object => ({
    ...(chance(40) ? { minReplicas: next(8) } : {}),
    ...(chance(40) ? { maxReplicas: next(size) } : {}),
  });
  // Mostly what is scheduled is what is known of: else nothing is planned.
  const known = { ...current, ...estimatedCapacity };
  const scheduled = Object.entries(known).filter(([name]) => name !== 'gone' && chance(60));
  const sum = scheduled.reduce((total, [, replicas]) => total + replicas, 0);
  return {
    ask: 'binpack',
    total: chance(20) ? sum : next(size * 3),
    clusters: Object.fromEntries(candidates.filter(() => chance(60)).map((name) => [name, preference()])),
    candidates,
    current,
    estimatedCapacity,
    limitedCapacity: chance(30) ? some(40) : {},
    scheduledReplicas: chance(60)
      ? Object.fromEntries(scheduled.map(([name, replicas]) => [name, replicas + (chance(4) ? 1 : 0)]))
      : {},
    avoidDisruption: chance(65),
    keepUnschedulable: chance(40),
  };
}

function weightsQuestion(index: number): object {
  const next = seededRandom(index + 20_001);
  const size = [4, 100, 50_000][next(3)] ?? 4;
  const allocatable = Array.from({ length: next(10) === 0 ? 40 : 1 + next(8) }, () => next(size));
  // Nothing free, less than nothing, a part, all: of some clusters or of every one.
  const part = next(8);
  return {
    ask: 'weights',
    allocatable,
    available: allocatable.map((most) => (part === 0 ? 0 - next(2) : Math.min(most, next(most + 3) - 1))),
  };
}

function ask(questions: readonly object[]): readonly string[] {
  const input = questions.map((question) => JSON.stringify(question)).join('\n');
  const { status, error, stdout, stderr } = spawnSync(PROGRAM, { input, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`the planner failed: ${error ?? stderr}`);
  return stdout.trim().split('\n');
}

function write(file: string, answers: readonly string[]): void {
  writeFileSync(`${ROOT}/test/fixtures/${file}.json`, `[\n${answers.join(',\n')}\n]\n`);
  console.log(`recorded ${answers.length} answers in ${file}`);
}

function answered(questions: readonly object[]): readonly string[] {
  const answers = ask(questions);
  return questions.map((question, index) => `${JSON.stringify(question).slice(0, -1)},"answer":${answers[index]}}`);
}

const many = (count: number, question: (index: number) => object): readonly object[] =>
  Array.from({ length: count }, (_, index) => question(index));

const build = spawnSync('go', ['build', '-o', PROGRAM, '.'], { cwd: `${ROOT}/test/kube/kubeadmiral`, stdio: 'inherit' });
if (build.status !== 0) throw new Error("KubeAdmiral's planners can't be built");
write('kubeadmiral-answers', ask(many(400, spreadQuestion)));
write('kubeadmiral-binpack-answers', answered(many(600, binpackQuestion)));
write('kubeadmiral-weights-answers', answered(many(400, weightsQuestion)));
