import { existsSync } from 'node:fs';
import { defineConfig } from 'tsup';
import manifest from './package.json' with { type: 'json' };

/** One entry per subpath of package.json, and the command. */
const entries = Object.keys(manifest.exports)
  .filter((subpath) => subpath !== './package.json')
  .map((subpath) => (subpath === '.' ? 'index' : `${subpath.slice(2)}/index`));

export default defineConfig({
  entry: Object.fromEntries(
    [...entries, 'cli/main'].map((name) => [name, `src/${name}.ts`]).filter(([, file]) => existsSync(file ?? '')),
  ),
  format: 'esm',
  target: 'node22',
  splitting: true,
  treeshake: true,
  sourcemap: true,
  clean: true,
  dts: true,
});
