import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { Program } from './program.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const guides = join(root, 'docs', 'guides');
/** Files in the project find its libraries. */
const folder = join(root, '.cache', 'guides');

interface Block {
  readonly name: string;
  readonly code: string;
  /** What the guide says that it prints. */
  readonly output: string;
}

/** The programs of the guides: each stands before what it prints. */
const blocks = readdirSync(guides).flatMap((guide): readonly Block[] => {
  const text = readFileSync(join(guides, guide), 'utf8');
  const found = text.matchAll(/^```ts\n(.*?)^```\n+```text\n(.*?)^```$/gms);
  return [...found].map(([, code = '', output = ''], index) => ({
    name: `${guide.replace('.md', '')}-${index + 1}`,
    code,
    output,
  }));
});

let running: Program | undefined;
afterEach(() => running?.kill());

describe('the programs of the guides', { timeout: 60_000 }, () => {
  it('all say what they print', () => {
    const programs = readdirSync(guides).flatMap((guide) => readFileSync(join(guides, guide), 'utf8').match(/^```ts$/gm) ?? []);
    expect(blocks).toHaveLength(programs.length);
    expect(blocks.length).toBeGreaterThan(5);
  });

  it('compile, and those of the README with them: one run of the compiler is enough', () => {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const readme = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/^```ts\n(.*?)^```$/gms)];
    expect(readme.length).toBeGreaterThan(0);
    const programs = [...blocks, ...readme.map(([, code = ''], index) => ({ name: `readme-${index}`, code }))];
    for (const { name, code } of programs) writeFileSync(join(folder, `${name}.ts`), code);
    const config = { extends: join(root, 'tsconfig.test.json'), include: [], files: programs.map(({ name }) => `${name}.ts`) };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const compiled = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
    expect(compiled.stdout).toBe('');
    expect(compiled.status).toBe(0);
  });

  it.each(blocks.map((block) => [block.name, block] as const))('print what they say: %s', async (_, { name, code, output }) => {
    mkdirSync(folder, { recursive: true });
    const file = join(folder, `${name}.ts`);
    writeFileSync(file, code);
    running = new Program(file);
    expect([await running.ended(), running.errors]).toEqual([0, '']);
    expect(running.output).toBe(output);
  });
});
