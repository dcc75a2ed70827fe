import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../../../src/cli/command.ts';

/** What a command line has done. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command line in this process. */
export async function run(args: readonly string[], signal: AbortSignal = new AbortController().signal): Promise<Ran> {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await runCommand(args, {
    signal,
    terminal: {
      print: (text) => void out.push(text),
      say: (text) => void err.push(text),
      complain: (text) => void err.push(`error: ${text}`),
      progress: (text) => void err.push(text),
      endProgress: () => undefined,
      style: (_style, text) => text,
    },
  });
  return { code, stdout: out.join('\n'), stderr: err.join('\n') };
}

/** A new folder with files in it. */
export function folder(files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(tmpdir(), 'clusterset-test-'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content);
  return path;
}
