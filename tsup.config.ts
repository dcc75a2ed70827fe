import { defineConfig } from 'tsup';

/** The command is one program: in few files it starts faster. The library is built by tsconfig.build.json, file by file. */
export default defineConfig({
  entry: { main: 'src/cli/main.ts' },
  outDir: 'dist/cli',
  format: 'esm',
  target: 'node22',
  splitting: true,
  treeshake: true,
});
