/**
 * Draws the folders of `src` and what they import into ARCHITECTURE.md, as a Mermaid graph: `node scripts/picture.ts`. With `--check` it only
 * says whether the picture there is that of the code. Imports that a longer way implies are left out.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

const ROOT = join(import.meta.dirname, '..');
const PAGE = join(ROOT, 'ARCHITECTURE.md');
const [BEGIN, END] = ['<!-- picture: begin -->', '<!-- picture: end -->'];

interface Cruise {
  readonly modules: readonly { readonly source: string; readonly dependencies: readonly { readonly resolved: string }[] }[];
}

type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/** `src/federation/plan.ts` stands in `federation`. */
function folderOf(path: string): string | undefined {
  return /^src\/([^/]+)\//.exec(path)?.[1];
}

function folders(): Graph {
  const cruiser = join(ROOT, 'node_modules/.bin/depcruise');
  const args = [cruiser, 'src', '--config', '.dependency-cruiser.mjs', '--output-type', 'json'];
  const options = { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 28 } as const;
  const { modules } = JSON.parse(execFileSync(process.execPath, args, options)) as Cruise;
  const graph = new Map<string, Set<string>>();
  for (const { source, dependencies } of modules) {
    const from = folderOf(source);
    if (from === undefined) continue;
    const found = graph.get(from) ?? new Set<string>();
    graph.set(from, found);
    for (const { resolved } of dependencies) {
      const to = folderOf(resolved);
      if (to !== undefined && to !== from) found.add(to);
    }
  }
  return graph;
}

function reaches(graph: Graph, from: string, to: string): boolean {
  return [...(graph.get(from) ?? [])].some((next) => next === to || reaches(graph, next, to));
}

function drawing(graph: Graph): string {
  const lines = [...graph]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([from, all]) => {
      const direct = [...all].filter((to) => ![...all].some((between) => between !== to && reaches(graph, between, to)));
      return direct.toSorted().map((to) => `  ${from} --> ${to}`);
    });
  return ['```mermaid', 'graph TD', ...lines, '```'].join('\n');
}

const page = readFileSync(PAGE, 'utf8');
const [before = '', rest = ''] = page.split(BEGIN);
const [, after = ''] = rest.split(END);
const drawn = `${before}${BEGIN}\n${drawing(folders())}\n${END}${after}`;
if (!process.argv.includes('--check')) writeFileSync(PAGE, drawn);
else if (drawn !== page) {
  console.error('ARCHITECTURE.md shows other imports than the code has: run "node scripts/picture.ts"');
  process.exitCode = 1;
}
