import { Command } from 'commander';
import { planFleet } from '../../controllers/propagation/index.ts';
import { EXIT } from '../failure.ts';
import { type Findings, findingsOf } from '../findings.ts';
import { closeAll, FIELD_MANAGER, membersOf, readFederation } from '../inputs.ts';
import {
  addClusterOptions,
  addFileOptions,
  addUnknownClustersOption,
  type ClusterOptions,
  type FileOptions,
} from '../options.ts';
import { type Format, outputOption, show } from '../output.ts';
import { planReport, planText } from '../plan-report.ts';
import type { Session } from '../session.ts';
import type { Terminal } from '../terminal.ts';

/** What `plan` takes. */
type PlanOptions = FileOptions & ClusterOptions & { readonly output: Format };

/** `clusterset plan`: what would be written where, and why. */
export function planCommand(session: Session): Command {
  const command = new Command('plan')
    .summary('show what would be written in each cluster, and why')
    .description(
      'Shows every write that would make the member clusters what the files say, with its reason. Nothing is written.\n\nWith --contexts or --kubeconfig the clusters are looked at, and changes are tried as a dry run. With --fleet alone no cluster is needed: the plan is for empty clusters. Values of Secrets are shown as short hashes.',
    );
  addUnknownClustersOption(addClusterOptions(addFileOptions(command)))
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Exit codes:
  0  nothing to do
  2  there are changes
  1  something is wrong, or in the way: standard error says what

Examples:
  clusterset plan -f examples/shop/app --fleet examples/shop/fleet.yaml
  clusterset plan -f app/ --contexts eu-1,eu-2,us-1
  clusterset plan -f app/ --contexts eu-1,eu-2 --fleet fleet.yaml -o json`,
    )
    .action(async (options: PlanOptions) => session.exit(await plan(session, options)));
  return command;
}

async function plan({ terminal, signal }: Session, options: PlanOptions): Promise<number> {
  const federation = await readFederation(options.filename, options.replaceMissing, signal);
  const members = await membersOf(options, false);
  try {
    const plans = await planFleet({
      objects: federation.objects.map(({ prepared }) => prepared),
      preferences: federation.preferences.map(({ preference }) => preference),
      members,
      fieldManager: FIELD_MANAGER,
      signal,
    });
    const entries = members.map(({ entry }) => entry);
    const findings = findingsOf(federation, plans, entries, options.allowUnknownClusters ?? false);
    tell(terminal, findings);
    const refused = new Set(
      federation.objects.filter(({ manifest }) => findings.refused.has(manifest)).map(({ prepared }) => prepared),
    );
    const report = planReport(
      plans.filter(({ decision }) => !refused.has(decision.prepared)),
      federation,
    );
    show(terminal, options.output, report, () => planText(report, terminal));
    if (findings.problems.length > 0 || report.summary.blocked > 0) return EXIT.failed;
    const { create, update, delete: deletions, release } = report.summary;
    return create + update + deletions + release > 0 ? EXIT.pending : EXIT.ok;
  } finally {
    await closeAll(members.map(({ cluster }) => cluster));
  }
}

/** Says what is wrong, and what is worth knowing. */
export function tell(terminal: Terminal, { problems, notes }: Findings): void {
  for (const note of notes) terminal.say(`note: ${note}`);
  for (const problem of problems) terminal.complain(problem);
}
