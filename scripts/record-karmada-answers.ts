/**
 * Asks Karmada's own scheduler random questions and records its answers for the unit tests of `clusterset/scheduling`.
 * Needs Go, and builds it for some minutes. The questions are the same each time: `node scripts/record-karmada-answers.ts`.
 *
 * What isn't asked is what the original leaves to chance or to a crash: more than twelve clusters of the same room to aggregate, clusters
 * that are gone when replicas become fewer (mended after v1.16), regions of which there may be none (a division by zero), and numbers that wrap.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { seededRandom } from './seeded-random.ts';

const ROOT = `${import.meta.dirname}/..`;
const PROGRAM = `${ROOT}/.cache/kube/bin/karmada-oracle`;
const STRATEGIES = ['Duplicated', 'StaticWeighted', 'DynamicWeighted', 'DynamicWeighted', 'Aggregated', 'Aggregated'];

type Chance = (percent: number) => boolean;
type Below = (bound: number) => number;

function dice(seed: number): { readonly below: Below; readonly chance: Chance; readonly uid: string } {
  const below = seededRandom(seed);
  const chance: Chance = (percent) => below(100) < percent;
  return { below, chance, uid: chance(15) ? '' : `5f3c${below(100_000)}` };
}

/** The clusters are called c00, c01 and so on, and of each of their numbers there is a list: `test/kube/karmada` reads it so. */
const nameOf = (index: number): string => `c${String(index).padStart(2, '0')}`;

const many = <T>(count: number, make: (index: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, index) => make(index));

function websterQuestion(seed: number): object {
  const { below, chance, uid } = dice(seed + 1);
  const kinds = [() => below(4), () => below(1000), () => 7, () => below(2 ** 31) * 2 ** 21];
  const kind = kinds[below(kinds.length)];
  const votes = many(chance(15) ? 13 + below(30) : below(7), () => kind?.() ?? 0);
  return { ask: 'webster', replicas: chance(20) ? below(3000) : below(40), uid, votes };
}

function completionsQuestion(seed: number): object {
  const { below, chance, uid } = dice(seed + 10_001);
  const votes = many(chance(15) ? 13 + below(20) : 1 + below(6), () => below(9));
  return { ask: 'completions', replicas: chance(20) ? below(2000) : below(40), uid, votes };
}

function divideQuestion(seed: number): object {
  const { below, chance, uid } = dice(seed + 20_001);
  const strategy = STRATEGIES[below(STRATEGIES.length)] ?? 'Aggregated';
  const count = chance(12) ? 13 + below(25) : 1 + below(7);
  const isHuge = chance(8);
  // A sort that isn't stable keeps the order of equal entries only where there are no more than twelve.
  const isDistinct = count > 12 && strategy === 'Aggregated';
  const room = (index: number): number => {
    if (isDistinct) return ((index * 17) % 41) + 1;
    if (isHuge) return below(50_000_000);
    return chance(25) ? below(3) * 5 : below(30);
  };
  const allocatable = many(count, room);
  const isHeld = chance(65);
  const held = many(count, (index) => [nameOf(index), isDistinct ? 2 * index : below(12)] as const).filter(
    () => isHeld && chance(50),
  );
  const sum = held.reduce((total, [, number]) => total + number, 0);
  const replicas = chance(15) ? sum : below(isHuge ? 5000 : 2 * sum + 30);
  const gone = chance(20) && replicas >= sum ? { gone: 1 + below(9) } : {};
  const rule = (): object => ({ clusters: [...many(count, nameOf).filter(() => chance(50)), 'z'], weight: below(5) });
  const rules = strategy === 'StaticWeighted' && chance(80) ? { rules: many(below(4), rule) } : {};
  return {
    ask: 'divide',
    replicas,
    uid,
    allocatable,
    previous: { ...Object.fromEntries(held), ...gone },
    strategy,
    ...rules,
    fresh: chance(30),
  };
}

function selectQuestion(seed: number): object {
  const { below, chance } = dice(seed + 30_001);
  const strategy = STRATEGIES[below(STRATEGIES.length)] ?? 'Aggregated';
  const count = chance(12) ? 13 + below(15) : 1 + below(9);
  const regions = 1 + below(6);
  const rooms = [() => below(40), () => 5 * below(3), () => below(100_000_000)];
  const room = rooms[below(rooms.length)];
  const hasHeld = chance(60);
  const assigned = many(count, () => (hasHeld && chance(40) ? 1 + below(9) : 0));
  const limits = (most: number, least = 0): object => {
    const minGroups = least + below(most);
    return { minGroups, maxGroups: minGroups + below(most) };
  };
  const rules = chance(50) ? [] : [{ clusters: ['c00'], weight: 1 }];
  return {
    ask: 'select',
    replicas: chance(10) ? 0 : below(60),
    allocatable: many(count, () => room?.() ?? 0),
    assigned,
    score: assigned.map((each) => (chance(90) ? Math.min(each, 1) * 100 : below(100))),
    region: many(count, () => (chance(8) ? '' : `r${below(regions)}`)),
    strategy,
    ...(strategy === 'StaticWeighted' && chance(60) ? { rules } : {}),
    ...(chance(85) ? { cluster: limits(chance(20) ? 12 : 4) } : {}),
    ...(chance(60) ? { regions: limits(4, 1) } : {}),
  };
}

function record(file: string, questions: readonly object[]): void {
  const lines = questions.map((question) => JSON.stringify(question));
  const { status, error, stdout, stderr } = spawnSync(PROGRAM, { input: lines.join('\n'), encoding: 'utf8', maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`Karmada's scheduler failed: ${error ?? stderr}`);
  const answers = stdout.trim().split('\n');
  const answered = lines.flatMap((line, index) =>
    answers[index]?.includes('"panic"') ? [] : [`${line.slice(0, -1)},"answer":${answers[index]}}`],
  );
  writeFileSync(`${ROOT}/test/fixtures/${file}.json`, `[\n${answered.join(',\n')}\n]\n`);
  console.log(`recorded ${answered.length} answers in ${file}, and left ${lines.length - answered.length} without one`);
}

const build = spawnSync('go', ['build', '-o', PROGRAM, '.'], { cwd: `${ROOT}/test/kube/karmada`, stdio: 'inherit' });
if (build.status !== 0) throw new Error("Karmada's scheduler can't be built");
record('karmada-answers', [...many(300, websterQuestion), ...many(150, completionsQuestion), ...many(600, divideQuestion)]);
record('karmada-select-answers', many(600, selectQuestion));
