/**
 * Asks Kubernetes' own parsers the questions in test/fixtures and records the answers for the unit tests of `clusterset/kube`.
 * Needs Go. Run it again when the pinned Kubernetes version changes: `node scripts/record-kubernetes-answers.ts`.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const fixtures = `${import.meta.dirname}/../test/fixtures`;
const questions = JSON.parse(readFileSync(`${fixtures}/kubernetes-questions.json`, 'utf8')) as readonly unknown[];

const run = spawnSync('go', ['run', './oracle'], {
  cwd: `${import.meta.dirname}/../test/kube/control-plane`,
  input: questions.map((question) => JSON.stringify(question)).join('\n'),
  encoding: 'utf8',
  maxBuffer: 1 << 28,
});
if (run.status !== 0) throw new Error(`the oracle failed: ${run.error ?? run.stderr}`);
const answers = run.stdout
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as unknown);
writeFileSync(`${fixtures}/kubernetes-answers.json`, `[\n${answers.map((answer) => JSON.stringify(answer)).join(',\n')}\n]\n`);
console.log(`recorded ${answers.length} answers`);
