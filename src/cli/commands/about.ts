import { Command } from 'commander';
import {
  CLUSTER_ID_PROPERTY,
  CLUSTERSET_PROPERTY,
  ClusterProperty,
  claim,
  identityOf,
  type McsUse,
  type MemberFacts,
  readMember,
  valueOfProperty,
  verifyClusterSet,
} from '../../about/index.ts';
import type { Cluster } from '../../kube/index.ts';
import { CommandFailure, EXIT } from '../failure.ts';
import { closeAll, FIELD_MANAGER, membersOf } from '../inputs.ts';
import { addClusterOptions, type ClusterOptions } from '../options.ts';
import { count, type Format, outputOption, show, table, toYaml } from '../output.ts';
import type { Session } from '../session.ts';
import type { Terminal } from '../terminal.ts';

/** What `about` takes. */
type AboutOptions = ClusterOptions & {
  readonly output: Format;
  readonly verify?: boolean;
  readonly claim?: string;
  readonly clusterset?: string;
  readonly printCrd?: boolean;
};

/** `clusterset about`: who the clusters say that they are. */
export function aboutCommand(session: Session): Command {
  const command = new Command('about')
    .summary('show who the clusters are, and whether they make a ClusterSet')
    .description(
      'Shows who the clusters say that they are: their ids, their ClusterSets, and other properties (About API, KEP-2149).\n\nWith --verify they are checked as one ClusterSet: ids that are missing, wrong or taken twice, and members of others. With --claim one cluster gets its id, and with --clusterset joins: what is there and says something else is never changed.',
    );
  addClusterOptions(command)
    .option('--verify', 'check the clusters as one ClusterSet')
    .option('--claim <id>', 'give the only cluster that is named this id, unless it has one')
    .option('--clusterset <name>', 'with --verify: the ClusterSet that all should be in; with --claim: the one to join')
    .option('--print-crd', 'print the CRD of ClusterProperty, to be applied where the About API is not installed')
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Exit codes:
  0  done; with --verify: all is well
  2  with --verify: something is wrong
  1  a cluster could not be read, or the claim was refused

Examples:
  clusterset about --contexts eu-1,us-1
  clusterset about --contexts eu-1,us-1 --verify --clusterset shop
  clusterset about --contexts eu-1 --claim eu-1 --clusterset shop
  clusterset about --print-crd | kubectl --context eu-1 apply -f -`,
    )
    .action(async (options: AboutOptions) => session.exit(await about(session, options)));
  return command;
}

async function about(session: Session, options: AboutOptions): Promise<number> {
  const { terminal } = session;
  refuseMixtures(options);
  if (options.printCrd === true) {
    terminal.print(toYaml(ClusterProperty.crd()).trimEnd());
    return EXIT.ok;
  }
  const members = await membersOf(options, true);
  const clusters = members.flatMap(({ cluster }) => cluster ?? []);
  try {
    if (options.claim !== undefined) return await claimFor(session, options, clusters, options.claim);
    const facts = await ask(session, clusters);
    return options.verify === true ? verifyAll(terminal, options, facts) : showAll(terminal, options, facts);
  } finally {
    await closeAll(clusters);
  }
}

function refuseMixtures({ verify, claim: id, clusterset, printCrd }: AboutOptions): void {
  const given = [...(verify ? ['--verify'] : []), ...(id === undefined ? [] : ['--claim']), ...(printCrd ? ['--print-crd'] : [])];
  if (given.length > 1) throw new CommandFailure([`${given.join(' and ')}: use one of them`]);
  if (clusterset !== undefined && id === undefined && verify !== true)
    throw new CommandFailure(['--clusterset: only with --verify or --claim']);
}

async function ask({ terminal, signal }: Session, clusters: readonly Cluster[]): Promise<readonly MemberFacts[]> {
  terminal.progress(`asking ${count(clusters.length, 'cluster')} …`);
  const facts = await Promise.all(clusters.map((cluster) => readMember(cluster, { signal })));
  terminal.endProgress();
  return facts;
}

/** What one cluster says, for `-o json` and `-o yaml`. */
interface AboutCluster {
  readonly cluster: string;
  readonly state: MemberFacts['state'];
  readonly id?: string;
  readonly clusterSet?: string;
  readonly mcs?: McsUse;
  /** All but the two that say who it is. */
  readonly properties: Readonly<Record<string, string>>;
  readonly problems: readonly string[];
}

function rowOf(facts: MemberFacts): AboutCluster {
  const { cluster, state } = facts;
  if (facts.state === 'notInstalled') {
    return {
      cluster,
      state,
      properties: {},
      problems: ['the About API is not installed; apply what `clusterset about --print-crd` prints'],
    };
  }
  if (facts.state === 'unreadable') return { cluster, state, properties: {}, problems: [withMend(facts.message, facts.mend)] };
  const { id, clusterSet, mcs, problems } = identityOf(facts.properties);
  const others = facts.properties.filter(
    ({ metadata: { name } }) => name !== CLUSTER_ID_PROPERTY && name !== CLUSTERSET_PROPERTY,
  );
  return {
    cluster,
    state,
    ...(id === undefined ? {} : { id }),
    ...(clusterSet === undefined ? {} : { clusterSet }),
    ...(mcs === undefined ? {} : { mcs }),
    properties: Object.fromEntries(others.map((each) => [each.metadata.name, valueOfProperty(each) ?? ''])),
    problems: problems.map(({ property, message, mend }) => `${property}: ${withMend(message, mend)}`),
  };
}

function showAll(terminal: Terminal, { output }: AboutOptions, facts: readonly MemberFacts[]): number {
  const clusters = facts.map(rowOf);
  show(terminal, output, { clusters }, () => clustersText(clusters, terminal));
  return clusters.every(({ state }) => state === 'read') ? EXIT.ok : EXIT.failed;
}

/** Longest value in a table, in characters; `-o json` has all of it. */
const LONGEST_CELL = 40;

function clustersText(clusters: readonly AboutCluster[], terminal: Terminal): string {
  const rows = clusters.map(({ cluster, state, id = '-', clusterSet = '-', mcs, properties }) =>
    state === 'read'
      ? [cluster, cut(id), cut(clusterSet), mcsCell(mcs), propertiesCell(properties)]
      : [cluster, '?', '?', '?', '?'],
  );
  const notes = clusters.flatMap(({ cluster, mcs, problems }) => [
    ...problems.map((problem) => [cluster, problem]),
    ...(mcs === undefined || mcs.usable ? [] : [[cluster, `not for multi-cluster Services: ${mcs.message}`]]),
  ]);
  const text = [['CLUSTER', 'ID', 'CLUSTERSET', 'MCS', 'PROPERTIES'], ...rows];
  const shown = table(text, (cell, _, row) => (row === 0 ? terminal.style('bold', cell) : cell));
  return notes.length === 0 ? shown : `${shown}\n\n${table(notes)}`;
}

function mcsCell(mcs: McsUse | undefined): string {
  if (mcs === undefined) return '-';
  return mcs.usable ? 'yes' : 'no';
}

function propertiesCell(properties: AboutCluster['properties']): string {
  const cells = Object.entries(properties).map(([name, value]) => `${name}=${cut(value)}`);
  return cells.length === 0 ? '-' : cells.join(', ');
}

function cut(text: string): string {
  return text.length <= LONGEST_CELL ? text : `${text.slice(0, LONGEST_CELL - 1)}…`;
}

function verifyAll(terminal: Terminal, { output, clusterset }: AboutOptions, facts: readonly MemberFacts[]): number {
  const { next: _, ...report } = verifyClusterSet(facts, { clusterSet: clusterset });
  show(terminal, output, report, () => {
    const rows = report.findings.map(({ clusters, level, reason, message, mend }) => [
      clusters.join(','),
      level,
      reason,
      withMend(message, mend),
    ]);
    const name = report.clusterSet === undefined ? '' : ` of ${report.clusterSet}`;
    const verdict = `${count(facts.length, 'cluster')}${name}: ${report.verdict.toLowerCase()}`;
    return rows.length === 0 ? verdict : `${table([['CLUSTERS', 'LEVEL', 'REASON', 'WHAT'], ...rows])}\n\n${verdict}`;
  });
  switch (report.verdict) {
    case 'Sound':
      return EXIT.ok;
    case 'Unknown':
      return EXIT.failed;
    case 'Broken':
      return EXIT.pending;
    default:
      return report.verdict satisfies never;
  }
}

async function claimFor(
  { terminal, signal }: Session,
  { output, clusterset }: AboutOptions,
  clusters: readonly Cluster[],
  id: string,
): Promise<number> {
  const [cluster, another] = clusters;
  if (cluster === undefined || another !== undefined) {
    throw new CommandFailure([`--claim: an id is one cluster's, and ${clusters.length} are named; use --contexts with one`]);
  }
  const outcome = await claim(cluster, { id, clusterSet: clusterset }, { fieldManager: FIELD_MANAGER, signal });
  const created = outcome.steps.flatMap((step) => (step.op === 'create' ? [step.property.metadata.name] : []));
  if (!outcome.claimed) {
    const { refusal } = outcome;
    terminal.complain(`cluster ${cluster.name}: ${refusal.property}: ${withMend(refusal.message, refusal.mend)}`);
  }
  const report = {
    cluster: cluster.name,
    claimed: outcome.claimed,
    created,
    ...(outcome.claimed ? {} : { refusal: outcome.refusal }),
  };
  if (outcome.claimed || output !== 'table') show(terminal, output, report, () => claimText(cluster.name, id, created));
  return outcome.claimed ? EXIT.ok : EXIT.failed;
}

function claimText(cluster: string, id: string, created: readonly string[]): string {
  return created.length === 0 ? `${cluster} is ${id} already` : `${cluster} is ${id}: created ${created.join(', ')}`;
}

function withMend(message: string, mend: string | undefined): string {
  return mend === undefined || mend === '' ? message : `${message}; ${mend}`;
}
