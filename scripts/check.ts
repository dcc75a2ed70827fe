/**
 * Everything that must hold before a change lands, apart from the tests: `npm run check`, or `npm run check -- lint types` for some.
 * Each step is a command of its own, printed when it fails, so that it can be run alone.
 */
import { spawn } from 'node:child_process';

interface Step {
  readonly name: string;
  readonly command: string;
}

/** Steps of one stage run side by side; a stage starts when the one before it has passed. */
const STAGES: readonly (readonly Step[])[] = [
  [
    { name: 'types', command: 'tsc -p tsconfig.json' },
    { name: 'types: pure core without a host', command: 'tsc -p tsconfig.pure.json' },
    { name: 'types: runtime and offline clusters without Node', command: 'tsc -p tsconfig.web.json' },
    { name: 'types: tests, examples, scripts', command: 'tsc -p tsconfig.test.json' },
    { name: 'lint and format', command: 'biome ci --colors=off --max-diagnostics=10 --error-on-warnings .' },
    { name: 'imports point down', command: 'depcruise src --config .dependency-cruiser.mjs' },
    { name: 'nothing unused', command: 'knip' },
    { name: 'picture of the imports', command: 'node scripts/picture.ts --check' },
    { name: 'documented', command: 'typedoc --logLevel Warn' },
  ],
  [{ name: 'build', command: 'npm run --silent build' }],
  [
    { name: 'package shape', command: 'publint --strict' },
    { name: 'package types', command: 'attw --pack --profile esm-only --quiet' },
    { name: 'sizes', command: 'size-limit --silent' },
    { name: 'packed tarball', command: 'vitest run --project package' },
  ],
];

const PARALLEL = 2;
const LINES = 60;

interface Outcome {
  readonly step: Step;
  readonly ok: boolean;
}

function run(step: Step): Promise<Outcome> {
  const started = performance.now();
  return new Promise((resolve) => {
    const child = spawn(step.command, { shell: true, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1' } });
    let output = '';
    const collect = (chunk: Buffer): void => {
      output += chunk.toString('utf8');
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('close', (code) => {
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      console.log(`${code === 0 ? '✓' : '✗'} ${step.name} (${seconds} s)`);
      if (code !== 0) console.log(`  $ npx ${step.command}\n${shortened(output)}`);
      resolve({ step, ok: code === 0 });
    });
  });
}

/** The beginning of a long output: the rest is had by running the command alone. */
function shortened(output: string): string {
  const lines = output.trimEnd().split('\n');
  const shown = lines.slice(0, LINES).map((line) => `  ${line.slice(0, 400)}`);
  return [...shown, ...(lines.length > LINES ? [`  … and ${lines.length - LINES} more lines`] : [])].join('\n');
}

async function runStage(steps: readonly Step[]): Promise<Outcome[]> {
  const waiting = [...steps];
  const outcomes: Outcome[] = [];
  const worker = async (): Promise<void> => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) outcomes.push(await run(step));
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  return outcomes;
}

const wanted = process.argv.slice(2);
const outcomes: Outcome[] = [];
for (const stage of STAGES) {
  const steps = stage.filter(({ name }) => wanted.length === 0 || wanted.some((word) => name.includes(word)));
  outcomes.push(...(await runStage(steps)));
  if (outcomes.some(({ ok }) => !ok)) break;
}
const failed = outcomes.filter(({ ok }) => !ok).length;
console.log(`check: ${outcomes.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
