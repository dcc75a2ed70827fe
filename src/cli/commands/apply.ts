import { Command } from 'commander';
import { type FleetMember, planFleet } from '../../controllers/propagation/index.ts';
import type { StepResult } from '../../federation/index.ts';
import { type Cluster, formatReference } from '../../kube/index.ts';
import { converge } from '../converge.ts';
import { CommandFailure, EXIT } from '../failure.ts';
import { type Findings, findingsOf } from '../findings.ts';
import { hostObjectsOf, runPropagation, typesOnHost, writeToHost } from '../host.ts';
import { closeAll, type Federation, FIELD_MANAGER, hostOf, membersOf, readFederation } from '../inputs.ts';
import {
  addClusterOptions,
  addFileOptions,
  addHostOption,
  addUnknownClustersOption,
  type ClusterOptions,
  type FileOptions,
  probeIntervalOption,
  timeoutOption,
} from '../options.ts';
import { count, type Format, outputOption, show } from '../output.ts';
import { type Outcome, waitForHost } from '../rollout.ts';
import type { Session } from '../session.ts';
import { isSettled, type State, stateText } from '../state-report.ts';
import { aborted } from '../wait.ts';
import { tell } from './plan.ts';

/** What `apply` takes. */
type ApplyOptions = FileOptions &
  ClusterOptions & {
    readonly output: Format;
    readonly timeout: number;
    readonly forceConflicts?: boolean;
    readonly probeInterval: number;
    readonly watch?: boolean;
  };

/** `clusterset apply`: carries plans out, and waits until everything is rolled out. */
export function applyCommand(session: Session): Command {
  const command = new Command('apply')
    .summary('make the clusters what the files say, and wait until it is rolled out')
    .description(
      'Makes the member clusters what the files say, and waits until everything is rolled out.\n\nWith --host the objects are written to that cluster (the CRDs that they need are installed), and the propagation controller runs here until all is done; with --watch it goes on until Ctrl-C. Without --host the members are written to directly, and nothing is remembered.\nObjects in members that something else has made are never touched.',
    );
  addUnknownClustersOption(addHostOption(addClusterOptions(addFileOptions(command))))
    .option('--force-conflicts', 'on the host, take over fields that somebody else has written')
    .option('--watch', 'with --host: go on until Ctrl-C')
    .addOption(probeIntervalOption())
    .addOption(timeoutOption('5m'))
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Exit codes:
  0  everything is where it should be and rolled out
  1  something is not: the table and standard error say what

Examples:
  clusterset apply -f app/ --contexts eu-1,eu-2,us-1
  clusterset apply -f app/ --host host --fleet fleet.yaml
  clusterset apply -f app/ --host host --contexts eu-1,eu-2 --watch`,
    )
    .action(async (options: ApplyOptions) => session.exit(await apply(session, options)));
  return command;
}

/** What one run of the command is about. */
interface Run {
  readonly session: Session;
  readonly options: ApplyOptions;
  readonly federation: Federation;
  readonly members: readonly FleetMember[];
  readonly findings: Findings;
}

async function apply(session: Session, options: ApplyOptions): Promise<number> {
  const idle = options.host === undefined ? hostOptionsIn(options) : [];
  if (idle.length > 0) throw new CommandFailure([`${idle.join(', ')}: only with --host`]);
  const federation = await readFederation(options.filename, options.replaceMissing, session.signal);
  const members = await membersOf(options, true);
  const host = options.host === undefined ? undefined : await hostOf(options);
  try {
    const findings = await check(federation, members, options, session.signal);
    tell(session.terminal, findings);
    const run: Run = { session, options, federation, members, findings };
    return await (host === undefined ? applyToMembers(run) : applyThroughHost(run, host));
  } finally {
    await closeAll([host, ...members.map(({ cluster }) => cluster)]);
  }
}

/** What would have no effect without a host. */
function hostOptionsIn({ watch, forceConflicts }: ApplyOptions): readonly string[] {
  return [...(watch ? ['--watch'] : []), ...(forceConflicts ? ['--force-conflicts'] : [])];
}

/** Shows how it has ended. */
function conclude({ session: { terminal }, options, findings }: Run, { report, problems }: Outcome): number {
  for (const problem of problems) terminal.complain(problem);
  show(terminal, options.output, report, () => stateText(report, terminal));
  const isGood = findings.problems.length === 0 && problems.length === 0 && isSettled(report, options.allowUnknownClusters);
  return isGood ? EXIT.ok : EXIT.failed;
}

/** What is wrong with the files, whatever the clusters hold. */
async function check(
  federation: Federation,
  members: readonly FleetMember[],
  options: ClusterOptions,
  signal: AbortSignal,
): Promise<Findings> {
  const plans = await planFleet({
    objects: federation.objects.map(({ prepared }) => prepared),
    preferences: federation.preferences.map(({ preference }) => preference),
    members: members.map(({ entry }) => ({ entry })),
    fieldManager: FIELD_MANAGER,
    signal,
  });
  const entries = members.map(({ entry }) => entry);
  return findingsOf(federation, plans, entries, options.allowUnknownClusters ?? false);
}

async function applyToMembers(run: Run): Promise<number> {
  const { federation, members, options, findings } = run;
  const { terminal, signal } = run.session;
  if (federation.namespaces.length > 0) {
    terminal.say('note: Namespaces in the files are for a host; members get theirs from FederatedNamespaces');
  }
  const { report, inTime } = await converge({
    members,
    objects: federation.objects.filter(({ manifest }) => !findings.refused.has(manifest)).map(({ prepared }) => prepared),
    preferences: federation.preferences.map(({ preference }) => preference),
    timeoutMs: options.timeout,
    signal,
    onStep: (result) => {
      if (result.error === undefined && result.step.op !== 'blocked') terminal.say(stepText(result));
    },
    onWait: (waiting) => {
      if (waiting.length > 0) terminal.progress(waitText(waiting));
    },
  });
  terminal.endProgress();
  return conclude(run, { report, problems: inTime ? [] : ['the time is up: not everything is rolled out (--timeout)'] });
}

const DONE: Readonly<Record<StepResult['step']['op'], string>> = {
  create: 'created',
  update: 'changed',
  delete: 'deleted',
  release: 'released',
  none: 'left',
  blocked: 'blocked',
};

/** `eu-1: Deployment shop/web created` */
export function stepText({ step }: StepResult): string {
  return `${step.cluster}: ${formatReference({ kind: step.type.kind, ...step.key })} ${DONE[step.op]}`;
}

function waitText(waiting: readonly State[]): string {
  const [first] = waiting;
  const example = first === undefined ? '' : `, such as ${formatReference(first.object)} in ${first.cluster}`;
  const why = first?.message === undefined ? '' : ` (${first.message})`;
  return `waiting for ${count(waiting.length, 'rollout')}${example}${why}`;
}

async function applyThroughHost(run: Run, host: Cluster): Promise<number> {
  const { federation, members, options, findings } = run;
  const { terminal, signal } = run.session;
  terminal.progress(`installing federated types on ${host.name}`);
  const problems = await writeToHost({
    host,
    federation,
    refused: findings.refused,
    forceConflicts: options.forceConflicts ?? false,
    signal,
    onWritten: (name) => terminal.say(`${host.name}: ${name} written`),
  });
  await using running = await runPropagation({
    host,
    members,
    types: await typesOnHost(host, signal),
    replaceMissing: options.replaceMissing,
    probe: { intervalMs: options.probeInterval },
  });
  const objects = hostObjectsOf(federation, findings.refused);
  const outcome = await waitForHost({ terminal, signal }, host, objects, members, options.timeout);
  const code = conclude(run, { ...outcome, problems: [...problems, ...outcome.problems] });
  if (!options.watch) return code;
  terminal.say('propagating until Ctrl-C');
  await Promise.race([running.ended, aborted(signal)]);
  return code;
}
