import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';

/** Where this package is installed, found by its own name: true for sources and for what is built of them. */
const root = dirname(createRequire(import.meta.url).resolve('clusterset/package.json'));

/** A file or folder that is shipped with the package, as seen from where the command runs. */
export function shipped(path: string): string {
  const found = join(root, path);
  const near = relative(process.cwd(), found);
  return near.startsWith('..') ? found : near;
}

export function packageVersion(): string {
  const manifest = JSON.parse(readFileSync(shipped('package.json'), 'utf8')) as { readonly version: string };
  return manifest.version;
}
