/**
 * Which way imports may point. The table is the rule: a folder may import itself and what stands behind it, through `index.ts`.
 * ARCHITECTURE.md draws the same picture.
 */
const MAY_IMPORT = {
  kube: [],
  about: ['kube'],
  registry: ['kube', 'about'],
  scheduling: ['kube', 'registry'],
  federation: ['kube', 'registry', 'scheduling'],
  mcs: ['kube', 'about', 'registry'],
  runtime: ['kube'],
  controllers: ['kube', 'about', 'registry', 'scheduling', 'federation', 'mcs', 'runtime'],
  client: ['kube', 'runtime', 'registry'],
  testing: ['kube', 'runtime', 'registry'],
  cli: ['kube', 'about', 'registry', 'scheduling', 'federation', 'mcs', 'runtime', 'controllers', 'client', 'testing'],
};
const PURE = ['kube', 'about', 'registry', 'scheduling', 'federation', 'mcs'];
const PURE_PACKAGES = ['zod', 'fast-json-patch', '@noble/hashes', 'ipaddr\\.js'];

const layer = ([folder, allowed]) => ({
  name: `${folder}-imports-down`,
  severity: 'error',
  comment: `src/${folder} may import ${[...allowed, 'itself'].join(', ')}. Move the code down, or pass what it needs as an argument.`,
  from: { path: `^src/${folder}/` },
  to: { path: '^src/', pathNot: [`^src/${folder}/`, ...allowed.map((name) => `^src/${name}/`)] },
});

const throughTheIndex = (folder) => ({
  name: `${folder}-through-its-index`,
  severity: 'error',
  comment: `Another folder is imported through src/${folder}/index.ts. If the name is missing there, it is not public yet.`,
  from: { path: '^src/', pathNot: `^src/${folder}/` },
  to: { path: `^src/${folder}/`, pathNot: `^src/${folder}/(index|http/index|[a-z-]+/index)\\.ts$` },
});

export default {
  forbidden: [
    ...Object.entries(MAY_IMPORT).map(layer),
    ...Object.keys(MAY_IMPORT).map(throughTheIndex),
    {
      name: 'pure-folders-stay-pure',
      severity: 'error',
      comment: 'A pure folder imports no Node module and only packages that compute.',
      from: { path: `^src/(${PURE.join('|')}|index\\.ts)` },
      to: {
        dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-peer', 'npm-optional'],
        pathNot: `node_modules/(${PURE_PACKAGES.join('|')})/`,
      },
    },
    {
      name: 'root-is-pure',
      severity: 'error',
      comment: 'The root entry loads no network code, not even indirectly.',
      from: { path: '^src/index\\.ts$' },
      to: { path: '^src/(runtime|controllers|client|testing|cli)/', reachable: true },
    },
    {
      name: 'node-modules-at-the-edge',
      severity: 'error',
      comment: 'node: modules live in client, cli and testing/http.',
      from: { path: '^src/', pathNot: '^src/(client|cli|testing/http)/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'client-node-in-one-file',
      severity: 'error',
      comment: 'The Kubernetes client is slow to load: one file reaches it, by a dynamic import.',
      from: { path: '^src/', pathNot: '^src/client/kubeconfig\\.ts$' },
      to: { path: 'node_modules/@kubernetes/client-node/' },
    },
    {
      name: 'shipped-code-uses-dependencies',
      severity: 'error',
      comment: 'What is shipped imports only what package.json lists under dependencies, or as an optional peer (CEL).',
      from: { path: '^src/' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'unknown'],
        pathNot: '^node_modules/@marcbachmann/cel-js/',
      },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'Two files that need each other are one file, or hide a third.',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      comment: 'Nothing imports this file.',
      from: { orphan: true, path: '^src/', pathNot: '(index|main)\\.ts$' },
      to: {},
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
  },
};
