/**
 * Writes what upstream's CRDs demand, without their descriptions, to test/fixtures/upstream-crds.json. The tests hold our own to it.
 *
 *     node scripts/record-upstream-crds.ts SOURCE=FILE …
 *
 * SOURCE says where the file is from and at which commit; FILE is the CRD's YAML.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';

interface Definition {
  readonly kind?: string;
  readonly metadata: { readonly name: string; readonly annotations?: unknown; readonly labels?: unknown };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** The same value without descriptions; a property that is called `description` stays. */
function bare(value: unknown, isProperties = false): unknown {
  if (Array.isArray(value)) return value.map((item) => bare(item));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(
    ([name, each]) => isProperties || name !== 'description' || typeof each !== 'string',
  );
  return Object.fromEntries(entries.map(([name, each]) => [name, bare(each, name === 'properties' && !isProperties)]));
}

const target = fileURLToPath(new URL('../test/fixtures/upstream-crds.json', import.meta.url));
const recorded: Record<string, unknown> = {};
for (const argument of process.argv.slice(2)) {
  const [source = '', file = ''] = argument.split('=');
  for (const document of parseAllDocuments(readFileSync(file, 'utf8'))) {
    const definition = document.toJS() as Definition | null;
    if (definition?.kind !== 'CustomResourceDefinition') continue;
    recorded[definition.metadata.name] = { source, spec: bare(definition.spec) };
  }
}
const sorted = Object.fromEntries(Object.entries(recorded).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(target, `${JSON.stringify(sorted, undefined, 2)}\n`);
console.log(`${Object.keys(sorted).join('\n')}\nwritten to ${target}`);
