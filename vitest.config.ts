import { defineConfig } from 'vitest/config';

/** Tests import the package by its name, as users do; here the name leads to the sources. */
const alias = [
  { find: /^clusterset$/, replacement: `${import.meta.dirname}/src/index.ts` },
  { find: /^clusterset\/(.+)$/, replacement: `${import.meta.dirname}/src/$1/index.ts` },
];

const project = (name: string, include: string[], options: Record<string, unknown> = {}) => ({
  resolve: { alias },
  test: { name, include, ...options },
});

const PURE = 'test/unit/{kube,about,registry,scheduling,federation,mcs,runtime,controllers,testing}/**/*.test.ts';

export default defineConfig({
  test: {
    // On two cores vitest would leave one of them idle.
    maxWorkers: '100%',
    projects: [
      // Nothing here touches the process: files share a worker, which loads the sources once.
      project('pure', [PURE], { isolate: false }),
      // Many of them start the command, which takes its time where the machine has other things to do.
      project('unit', ['test/unit/**/*.test.ts'], { exclude: [PURE], testTimeout: 30_000 }),
      project('conformance', ['test/conformance/**/*.test.ts']),
      project('examples', ['test/examples/**/*.test.ts']),
      project('package', ['test/package/**/*.test.ts']),
      project('sim', ['test/chaos/**/*.test.ts'], { testTimeout: 600_000 }),
      project('kube', ['test/kube/**/*.test.ts'], { testTimeout: 120_000, hookTimeout: 120_000, fileParallelism: false }),
    ],
  },
});
