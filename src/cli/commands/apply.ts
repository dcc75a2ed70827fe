import { Command } from 'commander';
import { type FleetMember, planFleet } from '../../controllers/propagation/index.ts';
import type { StepResult } from '../../federation/index.ts';
import { type Cluster, formatReference } from '../../kube/index.ts';
import { converge } from '../converge.ts';
import { EXIT } from '../failure.ts';
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
  timeoutOption,
} from '../options.ts';
import { count, type Format, outputOption, show } from '../output.ts';
import { type Outcome, waitForHost } from '../rollout.ts';
import type { Session } from '../session.ts';
import { isSettled, type State, stateText } from '../state-report.ts';
import { aborted } from '../wait.ts';
import { tell } from './plan.ts';

/** What `apply` takes. */
export type ApplyOptions = FileOptions &
  ClusterOptions & {
    readonly output: Format;
    readonly timeout: number;
    readonly forceConflicts?: boolean;
    readonly watch?: boolean;
  };

/** `clusterset apply`: carries plans out, and waits until everything is rolled out. */
export function applyCommand(session: Session): Command {
  const command = new Command('apply')
    .summary('make the clusters what the files say, and wait until it is rolled out')
    .description(
      'Makes the member clusters what the files say, and waits until everything is rolled out.\n\nWith --host the objects are written to that cluster (the CRDs that they need are installed), and the propagation controller runs here\nuntil all is done; with --watch it goes on until Ctrl-C. Without --host the members are written to directly, and nothing is remembered.\nObjects in members that something else has made are never touched.',
    );
  addUnknownClustersOption(addHostOption(addClusterOptions(addFileOptions(command))))
    .option('--force-conflicts', 'on the host, take over fields that somebody else has written')
    .option('--watch', 'with --host: go on until Ctrl-C')
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

async function apply(session: Session, options: ApplyOptions): Promise<number> {
  const { terminal, signal } = session;
  const federation = readFederation(options.filename, options.replaceMissing);
  const members = await membersOf(options, true);
  const host = options.host === undefined ? undefined : await hostOf(options);
  try {
    const findings = await check(federation, members, options, signal);
    tell(terminal, findings);
    const outcome =
      host === undefined
        ? await applyToMembers(session, federation, findings, members, options)
        : await applyThroughHost(session, federation, findings, members, host, options);
    for (const problem of outcome.problems) terminal.complain(problem);
    show(terminal, options.output, outcome.report, () => stateText(outcome.report, terminal));
    const isGood = findings.problems.length === 0 && outcome.problems.length === 0 && isSettled(outcome.report);
    return isGood ? EXIT.ok : EXIT.failed;
  } finally {
    await closeAll([host, ...members.map(({ cluster }) => cluster)]);
  }
}

/** What is wrong with the files, whatever the clusters hold. */
export async function check(
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

async function applyToMembers(
  { terminal, signal }: Session,
  federation: Federation,
  { refused }: Findings,
  members: readonly FleetMember[],
  options: ApplyOptions,
): Promise<Outcome> {
  if (federation.namespaces.length > 0) {
    terminal.say('note: Namespaces in the files are for a host; members get theirs from FederatedNamespaces');
  }
  const { report, inTime } = await converge({
    members,
    objects: federation.objects.filter(({ manifest }) => !refused.has(manifest)).map(({ prepared }) => prepared),
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
  return { report, problems: inTime ? [] : ['the time is up: not everything is rolled out (--timeout)'] };
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

async function applyThroughHost(
  { terminal, signal }: Session,
  federation: Federation,
  { refused }: Findings,
  members: readonly FleetMember[],
  host: Cluster,
  options: ApplyOptions,
): Promise<Outcome> {
  terminal.progress(`installing federated types on ${host.name}`);
  const problems = await writeToHost({
    host,
    federation,
    refused,
    forceConflicts: options.forceConflicts ?? false,
    signal,
    onWritten: (name) => terminal.say(`${host.name}: ${name} written`),
  });
  await using running = await runPropagation({
    host,
    members,
    types: await typesOnHost(host, signal),
    replaceMissing: options.replaceMissing,
  });
  const objects = hostObjectsOf(federation, refused);
  const outcome = await waitForHost({ terminal, signal }, host, objects, members, options.timeout);
  if (options.watch) {
    terminal.say('propagating until Ctrl-C');
    await Promise.race([running.ended, aborted(signal)]);
  }
  return { report: outcome.report, problems: [...problems, ...outcome.problems] };
}
