import { readFileSync } from 'node:fs';

const manifest = JSON.parse(readFileSync(new URL('./package.json', import.meta.url), 'utf8'));

/** @type {import('typedoc').TypeDocOptions} */
export default {
  entryPoints: Object.keys(manifest.exports)
    .filter((subpath) => subpath !== './package.json')
    .map((subpath) => (subpath === '.' ? 'src/index.ts' : `src/${subpath.slice(2)}/index.ts`)),
  tsconfig: 'tsconfig.json',
  out: 'docs/reference',
  readme: 'none',
  disableGit: true,
  disableSources: true,
  excludeInternal: true,
  // Schemas behind types that are inferred from them.
  intentionallyNotExported: [
    'src/about/api.ts:spec',
    'src/federation/api.ts:spec',
    'src/federation/api.ts:status',
    'src/federation/api.ts:typeConfigSpec',
    'src/federation/api.ts:override',
    'src/federation/api.ts:operation',
    'src/federation/api.ts:placement',
    'src/scheduling/api.ts:spec',
    'src/scheduling/policy/api.ts:group',
    'src/scheduling/policy/api.ts:division',
    'src/scheduling/policy/api.ts:clusterPreference',
    'src/scheduling/policy/api.ts:pick',
    'src/scheduling/policy/api.ts:spec',
    'src/scheduling/policy/api.ts:score',
    'src/scheduling/policy/api.ts:spread',
    'src/scheduling/policy/api.ts:toleration',
    'src/scheduling/policy/api.ts:workloadReference',
    'src/scheduling/policy/selection.ts:selection',
    'src/scheduling/policy/selection.ts:propertyRequirement',
    'src/scheduling/estimate/classes-schema.ts:nodeClassesSchema',
    'src/scheduling/decision/api.ts:fields',
    'src/scheduling/waves/api.ts:wave',
    'src/kube/condition-schema.ts:condition',
    'src/mcs/api.ts:exportSpec',
    'src/mcs/api.ts:exportStatus',
    'src/mcs/api.ts:servicePort',
    'src/mcs/api.ts:importSpec',
    'src/mcs/api.ts:importStatus',
    'src/registry/entry.ts:accessProvider',
    'src/registry/entry.ts:endpoint',
    'src/registry/api.ts:clusterProfileSpec',
    'src/registry/api.ts:clusterProfileStatus',
    'src/registry/api.ts:kubeFedClusterSpec',
    'src/registry/api.ts:kubeFedClusterStatus',
    'src/registry/api.ts:clusterSpec',
    'src/registry/api.ts:clusterStatus',
  ],
  treatWarningsAsErrors: true,
  validation: { notExported: true, invalidLink: true, notDocumented: true },
  requiredToBeDocumented: ['Function', 'Class', 'Interface', 'TypeAlias', 'Variable'],
};
