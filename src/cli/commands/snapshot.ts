import { Command, Option } from 'commander';
import type { AnyObject } from '../../kube/index.ts';
import { systemClock, timestamp } from '../../runtime/index.ts';
import {
  PlacementPolicy,
  type ReplicaRequirements,
  ReplicaSchedulingPreference,
  type SnapshotMember,
  takeSnapshot,
} from '../../scheduling/index.ts';
import { CommandFailure, EXIT } from '../failure.ts';
import { closeAll, membersOf } from '../inputs.ts';
import { type Manifest, readManifests } from '../manifests.ts';
import { addClusterOptions, type ClusterOptions } from '../options.ts';
import { count, show } from '../output.ts';
import { federatedTarget, named, type WorkloadKey, workloadKey, workloadOf } from '../schedule-workload.ts';
import type { Session } from '../session.ts';

type SnapshotOptions = ClusterOptions & {
  readonly filename?: readonly string[];
  readonly raw?: boolean;
  readonly output: 'yaml' | 'json';
};

/** `clusterset snapshot`: what scheduling wants to know of clusters, as a file. */
export function snapshotCommand(session: Session): Command {
  const command = new Command('snapshot')
    .summary('take a snapshot of clusters, for decisions without them')
    .description(
      'Reads what scheduling wants to know of clusters and prints a FleetSnapshot: versions, regions and zones, what they serve, what nodes and pods leave free, and with -f where workloads are. "clusterset schedule" decides from it without any cluster. Nothing is written to clusters, and nothing private is in it: no Secrets, no environment, no images, no credentials.\n\nLabels, properties and taints are those of the fleet file, where there is one.',
    )
    .option('-f, --filename <file...>', 'look for these workloads: files with them, or with policies that name them');
  addClusterOptions(command)
    .option('--raw', 'keep nodes and pods, with nothing but what scheduling reads: more exact, and much longer')
    .addOption(new Option('-o, --output <format>', 'how to print the snapshot').choices(['yaml', 'json']).default('yaml'))
    .addHelpText(
      'after',
      `
Exit codes:
  0  all clusters have been read
  2  some could not be read: they are in the snapshot, and not ready
  1  nothing could be asked

Examples:
  clusterset snapshot --contexts eu-1,us-1 > snapshot.yaml
  clusterset snapshot --fleet fleet.yaml -f policy.yaml -f deployment.yaml > snapshot.yaml
  clusterset schedule -f policy.yaml -f deployment.yaml -f snapshot.yaml --without eu-1`,
    )
    .action(async (options: SnapshotOptions) => session.exit(await snapshot(session, options)));
  return command;
}

async function snapshot({ terminal, signal }: Session, options: SnapshotOptions): Promise<number> {
  const { workloads, labelKeys } = await wantedOf(options.filename, signal);
  const found = await membersOf(options, true);
  const members = found.flatMap(({ entry, cluster }): SnapshotMember[] => (cluster === undefined ? [] : [{ entry, cluster }]));
  try {
    terminal.progress(`reading ${count(members.length, 'cluster')} …`);
    const takenAt = timestamp(systemClock.now());
    const raw = options.raw ?? false;
    const taken = await takeSnapshot(members, { takenAt, workloads, labelKeys, raw, signal });
    terminal.endProgress();
    for (const { error } of taken.unreadable) terminal.complain(error.message);
    show(terminal, options.output, taken.snapshot, () => '');
    return taken.unreadable.length === 0 ? EXIT.ok : EXIT.pending;
  } finally {
    await closeAll(found.map(({ cluster }) => cluster));
  }
}

interface Wanted {
  readonly workloads: readonly WorkloadKey[];
  readonly labelKeys: readonly string[];
}

/** What the files name, each once; and the labels that its pods select nodes by. */
async function wantedOf(files: readonly string[] | undefined, signal: AbortSignal): Promise<Wanted> {
  const manifests = files === undefined ? [] : await readManifests(files, signal);
  const problems: string[] = [];
  const wanted = new Map<string, WorkloadKey>();
  const labelKeys = new Set<string>();
  for (const manifest of manifests) {
    for (const key of keysOf(manifest, problems)) wanted.set(JSON.stringify(key), key);
    for (const key of selectedLabels(manifest, problems)) labelKeys.add(key);
  }
  if (problems.length > 0) throw new CommandFailure(problems);
  return { workloads: [...wanted.values()], labelKeys: [...labelKeys].sort() };
}

function isPolicy({ kind }: AnyObject): boolean {
  return kind === PlacementPolicy.kind || kind === ReplicaSchedulingPreference.kind;
}

function keysOf(manifest: Manifest, problems: string[]): readonly WorkloadKey[] {
  const { object } = manifest;
  if (!isPolicy(object)) return [workloadKey(object)];
  const type = object.kind === PlacementPolicy.kind ? PlacementPolicy : ReplicaSchedulingPreference;
  const issues = type.shapeIssues(object);
  problems.push(...issues.map(({ field, message }) => `${manifest.locate(field)}: ${field}: ${message}`));
  if (issues.length > 0) return [];
  const { namespace } = object.metadata;
  if (type === ReplicaSchedulingPreference) {
    const target = federatedTarget(ReplicaSchedulingPreference.read(object).spec.targetKind);
    return target === undefined ? [] : [named(target, object.metadata)];
  }
  const { workload, follow } = PlacementPolicy.read(object).spec;
  return [workload, follow].flatMap((each) =>
    each === undefined ? [] : [named(each, { ...(namespace === undefined ? {} : { namespace }), ...each })],
  );
}

function selectedLabels({ object, locate }: Manifest, problems: string[]): readonly string[] {
  if (isPolicy(object)) return [];
  try {
    return labelsOf(workloadOf(object).replica ?? {});
  } catch (error) {
    problems.push(`${locate('spec')}: ${(error as Error).message}`);
    return [];
  }
}

function labelsOf({ nodeSelector = {}, nodeAffinity = [], antiAffinity = [] }: ReplicaRequirements): readonly string[] {
  return [
    ...Object.keys(nodeSelector),
    ...nodeAffinity.flatMap(({ matchExpressions = [] }) => matchExpressions.map(({ key }) => key)),
    ...antiAffinity.map(({ topologyKey }) => topologyKey),
  ];
}
