/**
 * Records how the built-in kinds stand in protobuf and in JSON, for the offline clusters, and a sample of each of Kubernetes' own encodings of
 * them, for the tests. Needs Go. Run it again when the pinned Kubernetes version or the list of kinds changes: `node scripts/record-protobuf.ts`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { apiVersionOf, BUILT_IN } from 'clusterset/kube';
import { UNFEDERATED } from '../src/testing/kinds/unfederated.ts';

const ROOT = `${import.meta.dirname}/..`;
const MODULE = `${ROOT}/test/kube/control-plane`;

/** What clients send beside the kinds that clusters store, and kinds that may yet be stored. */
const OTHERS = [
  'v1/Binding',
  'v1/DeleteOptions',
  'v1/Endpoints',
  'v1/Event',
  'v1/PodTemplate',
  'v1/ReplicationController',
  'apps/v1/ControllerRevision',
  'authentication.k8s.io/v1/SelfSubjectReview',
  'authentication.k8s.io/v1/TokenRequest',
  'authentication.k8s.io/v1/TokenReview',
  'authorization.k8s.io/v1/LocalSubjectAccessReview',
  'authorization.k8s.io/v1/SelfSubjectAccessReview',
  'authorization.k8s.io/v1/SelfSubjectRulesReview',
  'authorization.k8s.io/v1/SubjectAccessReview',
  'autoscaling/v1/Scale',
  'events.k8s.io/v1/Event',
  'networking.k8s.io/v1/IngressClass',
  'policy/v1/Eviction',
  'scheduling.k8s.io/v1/PriorityClass',
  'storage.k8s.io/v1/StorageClass',
];

const stored = [...BUILT_IN, ...UNFEDERATED].map((type) => `${apiVersionOf(type)}/${type.kind}`);
const kinds = [...new Set([...stored, ...OTHERS])].toSorted();

function go(args: readonly string[], input = ''): string {
  const run = spawnSync('go', args, { cwd: MODULE, input, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (run.status !== 0) throw new Error(`go ${args.join(' ')} failed: ${run.error ?? run.stderr}`);
  return run.stdout;
}

interface Recorded {
  readonly kinds: Readonly<Record<string, string>>;
  readonly messages: Readonly<Record<string, readonly string[]>>;
  readonly samples: readonly unknown[];
}

const sorted = <T>(entries: Readonly<Record<string, T>>): readonly (readonly [string, T])[] =>
  Object.entries(entries).toSorted(([a], [b]) => (a < b ? -1 : 1));

const linesOf = (entries: readonly (readonly [string, string])[]): string =>
  `{\n${entries.map(([name, each]) => `  ${JSON.stringify(name)}: ${JSON.stringify(each)}`).join(',\n')}\n}`;

const recorded = JSON.parse(go(['run', './protobuf'], JSON.stringify(kinds))) as Recorded;
const messages = sorted(recorded.messages).map(([name, fields]) => [name, fields.join(' ')] as const);
writeFileSync(
  `${ROOT}/src/testing/schema/protobuf-messages.json`,
  `{\n"kinds": ${linesOf(sorted(recorded.kinds))},\n"messages": ${linesOf(messages)}\n}\n`,
);

/** The module k8s.io/api keeps one object of each kind with every field set, in each encoding. Many kinds hold the same template of pods. */
const TEMPLATES = /PodTemplate|ReplicationController|ReplicaSet|StatefulSet|DaemonSet|Job$/;
const folder = `${go(['list', '-m', '-f', '{{.Dir}}', 'k8s.io/api']).trim()}/testdata/HEAD`;
const full = kinds.flatMap((kind) => {
  const path = `${folder}/${fileOf(kind)}`;
  if (!existsSync(`${path}.pb`) || (TEMPLATES.test(kind) && !process.argv.includes('--all'))) return [];
  const object = JSON.parse(readFileSync(`${path}.json`, 'utf8')) as unknown;
  return [{ kind, protobuf: readFileSync(`${path}.pb`).toString('base64'), object }];
});
const samples = [...full, ...recorded.samples].map((sample) => JSON.stringify(sample));
writeFileSync(`${ROOT}/test/fixtures/kubernetes-protobuf.json`, `[\n${samples.join(',\n')}\n]\n`);
console.log(`recorded ${kinds.length} kinds, ${messages.length} messages and ${samples.length} samples`);

function fileOf(kind: string): string {
  const parts = kind.split('/');
  return parts.length === 2 ? `core.${parts.join('.')}` : parts.join('.');
}
