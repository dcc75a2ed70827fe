import { Command } from 'commander';
import { type FleetMember, planFleet } from '../../controllers/propagation/index.ts';
import { targetOf } from '../converge.ts';
import { CommandFailure, EXIT } from '../failure.ts';
import { findingsOf } from '../findings.ts';
import { objectsOnHost, readHost, typesOnHost } from '../host.ts';
import { closeAll, FIELD_MANAGER, hostOf, membersOf, readFederation } from '../inputs.ts';
import { addClusterOptions, addHostOption, type ClusterOptions, replaceMissingOption } from '../options.ts';
import { type Format, outputOption, show } from '../output.ts';
import type { Session } from '../session.ts';
import { isSettled, type StateReport, stateOfStep, stateText } from '../state-report.ts';
import { tell } from './plan.ts';

/** What `status` takes. */
type StatusOptions = ClusterOptions & {
  readonly filename?: readonly string[];
  readonly replaceMissing: 'error' | 'add';
  readonly output: Format;
};

/** `clusterset status`: how federated objects are doing in each cluster. */
export function statusCommand(session: Session): Command {
  const command = new Command('status')
    .summary('show how federated objects are doing in each cluster')
    .description(
      'Shows how federated objects are doing in each cluster. With --host it is what the host says of all its federated objects; with -f the members are looked at, and compared with what the files say.',
    )
    .option('-f, --filename <file...>', 'YAML or JSON files, or folders of them; - is standard input')
    .addOption(replaceMissingOption());
  addHostOption(addClusterOptions(command))
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Exit codes:
  0  everything is where it should be and rolled out
  2  something is not
  1  the clusters could not be asked

Examples:
  clusterset status --host host
  clusterset status -f app/ --contexts eu-1,eu-2,us-1 -o yaml`,
    )
    .action(async (options: StatusOptions) => session.exit(await status(session, options)));
  return command;
}

async function status(session: Session, options: StatusOptions): Promise<number> {
  const { terminal } = session;
  if (options.host !== undefined && options.filename !== undefined) {
    throw new CommandFailure(['--host shows what the host says, and -f what the members have: use one of them']);
  }
  const report =
    options.filename === undefined ? await fromHost(session, options) : await fromMembers(session, options, options.filename);
  show(terminal, options.output, report, () => stateText(report, terminal));
  return isSettled(report) && report.problems.length === 0 ? EXIT.ok : EXIT.pending;
}

interface StatusReport extends StateReport {
  readonly problems: readonly string[];
}

async function fromHost({ terminal, signal }: Session, options: StatusOptions): Promise<StatusReport> {
  if (options.host === undefined) {
    throw new CommandFailure(['nothing is named to look at; use --host host, or -f app/ --contexts a,b,c']);
  }
  const host = await hostOf(options);
  try {
    const found = await readHost(host, await objectsOnHost(host, await typesOnHost(host, signal), signal), signal);
    for (const problem of found.problems) terminal.complain(problem);
    const clusters = [...new Set(found.states.map(({ cluster }) => cluster))].sort();
    return { clusters, states: found.states, problems: found.problems };
  } finally {
    await host.close();
  }
}

async function fromMembers(session: Session, options: StatusOptions, files: readonly string[]): Promise<StatusReport> {
  const federation = await readFederation(files, options.replaceMissing, session.signal);
  const members = await membersOf(options, true);
  try {
    const plans = await planFleet({
      objects: federation.objects.map(({ prepared }) => prepared),
      preferences: federation.preferences.map(({ preference }) => preference),
      members,
      fieldManager: FIELD_MANAGER,
      signal: session.signal,
    });
    const findings = findingsOf(
      federation,
      plans,
      members.map(({ entry }) => entry),
      true,
    );
    tell(session.terminal, findings);
    const states = plans.flatMap(({ decision, steps }) =>
      steps.flatMap((step) => stateOfStep(targetOf(decision.prepared), step)),
    );
    return { clusters: members.map(({ entry }: FleetMember) => entry.name), states, problems: findings.problems };
  } finally {
    await closeAll(members.map(({ cluster }) => cluster));
  }
}
