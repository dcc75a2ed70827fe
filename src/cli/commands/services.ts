import { Command } from 'commander';
import { identityOf, readMember } from '../../about/index.ts';
import type { Cluster } from '../../kube/index.ts';
import { formatPort, type GatheredService, type GatheredServices, gatherServices, type ServiceMember } from '../../mcs/index.ts';
import { systemClock, timestamp } from '../../runtime/index.ts';
import { EXIT } from '../failure.ts';
import { closeAll, membersOf } from '../inputs.ts';
import { addClusterOptions, type ClusterOptions } from '../options.ts';
import { count, type Format, outputOption, show, table } from '../output.ts';
import type { Session } from '../session.ts';

type ServicesOptions = ClusterOptions & { readonly namespace?: string; readonly output: Format };

/** `clusterset services`: who exports what, who wins, and who disagrees. */
export function servicesCommand(session: Session): Command {
  const command = new Command('services')
    .summary('show which services the clusters export, who wins, and who disagrees')
    .description(
      'Shows the services that the clusters export to their set (MCS API, KEP-1645), what becomes of each when all exports are put together, which cluster decides where they disagree, and why. Nothing is written.',
    );
  addClusterOptions(command)
    .option('--namespace <name>', 'only the services of this namespace')
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Exit codes:
  0  all exports agree
  2  some disagree, or can not be carried out
  1  a cluster could not be read: what is shown may not be all

Examples:
  clusterset services --contexts eu-1,us-1
  clusterset services --fleet fleet.yaml --namespace shop -o yaml`,
    )
    .action(async (options: ServicesOptions) => session.exit(await services(session, options)));
  return command;
}

async function services(session: Session, options: ServicesOptions): Promise<number> {
  const { terminal, signal } = session;
  const members = await membersOf(options, true);
  const clusters = members.flatMap(({ cluster }) => cluster ?? []);
  try {
    terminal.progress(`asking ${count(clusters.length, 'cluster')} …`);
    const asked = await Promise.all(clusters.map((cluster) => memberOf(cluster, signal)));
    const now = timestamp(systemClock.now());
    const found = await gatherServices(asked, { namespace: options.namespace, signal, now });
    terminal.endProgress();
    for (const { error } of found.unreadable) terminal.complain(error.message);
    for (const id of found.notInstalled)
      terminal.say(`${id}: the MCS API is not installed there; apply what \`clusterset crds mcs\` prints`);
    const reports = found.services.map(reportOf);
    const unreadable = found.unreadable.map(({ id, error }) => ({ cluster: id, message: error.detail }));
    show(terminal, options.output, { services: reports, unreadable, notInstalled: found.notInstalled }, () =>
      text(reports, found),
    );
    if (unreadable.length > 0) return EXIT.failed;
    return reports.every(({ conflicts, problems }) => conflicts.length + problems.length === 0) ? EXIT.ok : EXIT.pending;
  } finally {
    await closeAll(clusters);
  }
}

/** A cluster by its id in the set; by the name that it has here where it says none. */
async function memberOf(cluster: Cluster, signal: AbortSignal): Promise<ServiceMember> {
  const facts = await readMember(cluster, { signal });
  const id = facts.state === 'read' ? identityOf(facts.properties).id : undefined;
  return { id: id ?? cluster.name, cluster };
}

interface ServiceReport {
  readonly service: string;
  /** What clients see; absent where nobody's export counts. */
  readonly type?: string;
  readonly ports: readonly string[];
  /** Oldest export first. */
  readonly exporters: readonly string[];
  readonly conflicts: readonly Conflict[];
  readonly problems: readonly string[];
}

interface Conflict {
  readonly field: string;
  readonly reason: string;
  readonly value: unknown;
  /** Who decides. */
  readonly cluster: string;
  readonly disagreeing: readonly string[];
}

function reportOf({ key, merged }: GatheredService): ServiceReport {
  const { serviceImport, exports, decisions, issues } = merged;
  const ranked = exports.filter(({ rank }) => rank !== undefined).toSorted((a, b) => (a.rank ?? 0) - (b.rank ?? 0));
  const type = serviceImport?.spec?.type;
  return {
    service: `${key.namespace}/${key.name}`,
    ...(type === undefined ? {} : { type }),
    ports: (serviceImport?.spec?.ports ?? []).map(formatPort),
    exporters: ranked.map(({ cluster }) => cluster),
    conflicts: decisions
      .filter(({ conflict }) => conflict !== undefined)
      .map(({ field, conflict = '', value = null, cluster, disagreeing }) => ({
        field,
        reason: conflict,
        value,
        cluster,
        disagreeing,
      })),
    problems: [
      ...exports
        .filter(({ rank }) => rank === undefined)
        .map(({ cluster, standing }) => `${cluster}: does not count (${standing})`),
      ...issues.map(({ cluster, field, message }) => `${cluster === undefined ? '' : `${cluster}: `}${field}: ${message}`),
    ],
  };
}

function text(reports: readonly ServiceReport[], { services: found }: GatheredServices): string {
  if (found.length === 0) return 'nobody exports a service';
  const rows = reports.map(({ service, type, ports, exporters, conflicts, problems }) => [
    service,
    type ?? '-',
    ports.join(', ') || '-',
    exporters.join(', ') || '-',
    [...conflicts.map(({ field }) => field), ...(problems.length === 0 ? [] : [count(problems.length, 'problem')])].join(', ') ||
      '-',
  ]);
  const details = reports.flatMap(({ service, conflicts, problems }) => [
    ...conflicts.map((conflict) => `${service}: ${conflictLine(conflict)}`),
    ...problems.map((problem) => `${service}: ${problem}`),
  ]);
  const lines = table([['SERVICE', 'TYPE', 'PORTS', 'CLUSTERS, OLDEST EXPORT FIRST', 'CONFLICTS'], ...rows]);
  return details.length === 0 ? lines : `${lines}\n\n${details.join('\n')}`;
}

function conflictLine({ field, reason, value, cluster, disagreeing }: Conflict): string {
  const others = disagreeing.join(', ');
  // Ports are put together, so that even the oldest export can have fewer.
  if (field === 'ports')
    return `${reason}: ports are those of all exports together, first those of ${cluster}, the oldest; not the same in ${others}`;
  return `${reason}: ${field} is ${JSON.stringify(value)}, as ${cluster} has the oldest export; ${others} would have it otherwise`;
}
