import { Command } from 'commander';
import { systemClock, timestamp } from '../../runtime/index.ts';
import { EXIT } from '../failure.ts';
import { type Format, outputOption, show } from '../output.ts';
import { type Decided, decide } from '../schedule-decide.ts';
import { readScheduleDocuments } from '../schedule-documents.ts';
import { addChangeOptions, type ByCluster, byCluster, type Change, time } from '../schedule-options.ts';
import { policyOf } from '../schedule-policy.ts';
import { reportData, reportText } from '../schedule-report.ts';
import type { Session } from '../session.ts';

type ScheduleOptions = Change & {
  readonly filename: readonly string[];
  readonly fleet?: string;
  readonly current?: ByCluster;
  readonly at?: string;
  readonly explain?: boolean;
  readonly output: Format;
};

/** `clusterset schedule`: where a workload would go, and why. */
export function scheduleCommand(session: Session): Command {
  const command = new Command('schedule')
    .summary('decide which clusters a workload goes to, and how its replicas are divided')
    .description(
      `Decides by policies where workloads go, how many replicas each cluster gets, and why. No cluster is asked: everything comes from files, and the same files give the same answer. What the documents of the files are, they say themselves:

  PlacementPolicy               a policy of our own; each policy is one decision
  ReplicaSchedulingPreference   a policy of kubefed, divided by its arithmetic
  a list of clusters            the fleet, as for other commands
  FleetSnapshot                 the fleet as "clusterset snapshot" finds it
  any other object              a workload: its replicas, and what they ask for

With --replicas, --without, --weight, --min or --max two decisions are compared: the one by the files, and the one with the change, for workloads that run as the first has placed them. So it shows what would move.`,
    )
    .requiredOption(
      '-f, --filename <file...>',
      'YAML or JSON files with policies, workloads and a fleet, or folders of them; - is standard input',
    )
    .option('--fleet <file>', 'the fleet: a list of clusters, or a FleetSnapshot');
  addChangeOptions(command)
    .option('--current <cluster=number>', 'what runs, as in eu-1=3,us-1=2; default: what the snapshot says', byCluster)
    .option('--at <time>', 'when, for taints that are tolerated for some time, as in 2026-01-31T12:00:00Z; default: now', time)
    .option('--explain', 'say everything that has led to the decision')
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Exit codes:
  0  all replicas have a place
  2  some have none
  1  something is wrong with the files or the options: standard error says what

Examples:
  clusterset schedule -f examples/schedule/policy.yaml examples/schedule/deployment.yaml --fleet examples/schedule/fleet.yaml
  clusterset schedule -f policy.yaml -f deployment.yaml -f snapshot.yaml --explain
  clusterset schedule -f policy.yaml deployment.yaml snapshot.yaml --without eu-1
  kubectl get deployment web -o yaml | clusterset schedule -f policy.yaml - --fleet fleet.yaml --weight us-1=3 --replicas 50`,
    )
    .action(async (options: ScheduleOptions) => session.exit(await decideAll(session, options)));
  return command;
}

async function decideAll({ terminal, signal }: Session, options: ScheduleOptions): Promise<number> {
  const { filename, fleet, output, explain = false, at = timestamp(systemClock.now()) } = options;
  const documents = await readScheduleDocuments(filename, fleet, signal);
  const decided = documents.policies.map((document): Decided => {
    const given = policyOf(document, documents.workloads);
    return 'problems' in given ? { notes: [], ...given } : decide(given, documents.fleet, { ...options, now: at, explain });
  });
  const problems = decided.flatMap((each) => ('problems' in each ? each.problems : []));
  const reports = decided.flatMap((each) => ('report' in each ? [each.report] : []));
  for (const note of decided.flatMap(({ notes }) => notes)) terminal.say(`note: ${note}`);
  for (const problem of problems) terminal.complain(problem);
  if (reports.length > 0) {
    const data = reports.map(reportData);
    show(terminal, output, decided.length === 1 ? data[0] : data, () =>
      reports.map((report) => reportText(report, { style: terminal.style, explain })).join('\n\n'),
    );
  }
  if (problems.length > 0) return EXIT.failed;
  return reports.every(({ decision }) => decision.outcome === 'Scheduled') ? EXIT.ok : EXIT.pending;
}
