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

export default defineConfig({
  test: {
    // On two cores vitest would leave one of them idle.
    maxWorkers: '100%',
    projects: [
      project('unit', ['test/unit/**/*.test.ts', 'test/repo/**/*.test.ts']),
      project('conformance', ['test/conformance/**/*.test.ts']),
      project('examples', ['test/examples/**/*.test.ts']),
      project('package', ['test/package/**/*.test.ts']),
      project('sim', ['test/chaos/**/*.test.ts'], { testTimeout: 600_000 }),
      project('kube', ['test/kube/**/*.test.ts'], { testTimeout: 120_000, hookTimeout: 120_000, fileParallelism: false }),
    ],
  },
});
