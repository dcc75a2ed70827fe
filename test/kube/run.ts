/**
 * `npm run test:kube`: the suites that need real API servers. Builds them first where that hasn't been done, with progress, so that no test
 * waits for it. Arguments go to vitest: `npm run test:kube -- story`.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { findBinaries } from './harness/binaries.ts';

try {
  await findBinaries((line) => console.log(line));
  const vitest = join(import.meta.dirname, '../../node_modules/vitest/vitest.mjs');
  const child = spawn(process.execPath, [vitest, 'run', '--project', 'kube', ...process.argv.slice(2)], { stdio: 'inherit' });
  child.on('close', (code) => {
    process.exitCode = code ?? 1;
  });
} catch (error) {
  console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
