import { Command } from 'commander';
import { type FleetMember, planFleet } from '../../controllers/propagation/index.ts';
import type { Cluster } from '../../kube/index.ts';
import { CommandFailure, EXIT } from '../failure.ts';
import { readFleet } from '../fleet.ts';
import { type HostObject, hostObjectsOf, readHost, runPropagation, typesOnHost, writeToHost } from '../host.ts';
import { closeAll, type Federation, FIELD_MANAGER, hostOf, membersOf, readFederation } from '../inputs.ts';
import { HOST, type OfflineWorld, startOffline } from '../offline.ts';
import { type Format, indent, outputOption, shellWord, show, table } from '../output.ts';
import { shipped } from '../package.ts';
import { planReport, planText } from '../plan-report.ts';
import { waitForHost } from '../rollout.ts';
import type { Session } from '../session.ts';
import { type State, type StateReport, stateText } from '../state-report.ts';
import { aborted, until } from '../wait.ts';

interface DemoOptions {
  readonly keep?: boolean;
  readonly writeKubeconfig?: string;
  readonly output: Format;
}

const APPLICATION = 'examples/shop/app';
const FLEET = 'examples/shop/fleet.yaml';
/** The cluster that goes away. */
const LOST = 'eu-2';
const PATIENCE_MS = 60_000;
/** A demonstration doesn't want to wait for the usual half minute. */
const PROBE = { intervalMs: 500, timeoutMs: 1000, failures: 2 };

/** `clusterset demo`: a whole federation on this machine. */
export function demoCommand(session: Session): Command {
  const command = new Command('demo')
    .summary('a whole federation on this machine: plan, roll out, lose a cluster, get it back')
    .description(
      'Starts a host and three member clusters (offline ones, served on loopback), federates the application of examples/shop, waits until it is rolled out, takes one cluster away and brings it back. Needs nothing but Node, and ends by itself.',
    )
    .option('--keep', 'go on serving afterwards, until Ctrl-C')
    .option('--write-kubeconfig <file>', 'where to write the kubeconfig; default: a temporary file')
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Examples:
  clusterset demo
  clusterset demo --keep`,
    )
    .action(async (options: DemoOptions) => session.exit(await demo(session, options)));
  return command;
}

/** Everything that plays a part. */
interface Scene {
  readonly session: Session;
  readonly world: OfflineWorld;
  readonly federation: Federation;
  readonly members: readonly FleetMember[];
  readonly host: Cluster;
  readonly objects: readonly HostObject[];
  /** Shows one chapter: now as text, or at the end as data. */
  readonly chapter: (name: string, title: string, data: unknown, text: () => string) => void;
}

async function demo(session: Session, options: DemoOptions): Promise<number> {
  const { terminal } = session;
  const fleet = shipped(FLEET);
  const names = readFleet(fleet).map(({ name }) => name);
  const federation = await readFederation([shipped(APPLICATION)], 'error', session.signal);
  const { writeKubeconfig, keep = false, output } = options;
  terminal.progress('starting offline clusters');
  await using world = await startOffline([HOST, ...names], writeKubeconfig === undefined ? {} : { kubeconfig: writeKubeconfig });
  const where = { kubeconfig: world.kubeconfig, fleet, host: HOST };
  const members = await membersOf(where, true);
  const host = await hostOf(where);
  const story: Record<string, unknown> = {};
  const chapter: Scene['chapter'] = (name, title, data, text) => {
    story[name] = data;
    if (output === 'table') terminal.print(`\n${terminal.style('bold', `▸ ${title}`)}\n\n${indent(text(), 2)}`);
  };
  const scene: Scene = { session, world, federation, members, host, objects: hostObjectsOf(federation), chapter };
  try {
    showClusters(scene);
    await showPlan(scene);
    await install(scene);
    await using _running = await runPropagation({ host, members, types: await typesOnHost(host, session.signal), probe: PROBE });
    await rollOut(scene);
    await loseOne(scene);
    if (output !== 'table') show(terminal, output, story, () => '');
    if (keep) await stay(scene);
    return EXIT.ok;
  } finally {
    await closeAll([host, ...members.map(({ cluster }) => cluster)]);
  }
}

function showClusters({ world, members, chapter }: Scene): void {
  const { kubeconfig, clusters } = world;
  const labels = new Map(members.map(({ entry }) => [entry.name, Object.entries(entry.labels ?? {})]));
  const rows = clusters.map(({ name, server }) => [
    name,
    server,
    (labels.get(name) ?? []).map(([label, value]) => `${label}=${value}`).join(', '),
  ]);
  chapter(
    'clusters',
    `${clusters.length} clusters, in the memory of this process, served on loopback`,
    { kubeconfig, clusters },
    () => [table([['CONTEXT', 'SERVER', 'LABELS'], ...rows]), '', `kubeconfig: ${kubeconfig}`].join('\n'),
  );
}

async function showPlan({ session, federation, members, chapter }: Scene): Promise<void> {
  const plans = await planFleet({
    objects: federation.objects.map(({ prepared }) => prepared),
    preferences: federation.preferences.map(({ preference }) => preference),
    members,
    fieldManager: FIELD_MANAGER,
    signal: session.signal,
  });
  const report = planReport(plans, federation);
  chapter('plan', `The plan for ${APPLICATION}`, report, () => planText(report, session.terminal));
}

async function install({ session, federation, host }: Scene): Promise<void> {
  const { terminal, signal } = session;
  terminal.progress('installing federated types on the host');
  const problems = await writeToHost({ host, federation, refused: new Set(), forceConflicts: false, signal });
  if (problems.length > 0) throw new CommandFailure(problems);
}

async function rollOut(scene: Scene): Promise<void> {
  const { session, host, objects, members, chapter } = scene;
  const { report, problems } = await waitForHost(session, host, objects, members, PATIENCE_MS);
  if (problems.length > 0) throw new CommandFailure(problems);
  chapter('rolledOut', 'Everything is rolled out', report, () => stateText(report, session.terminal));
}

/** One cluster goes away, and comes back. */
async function loseOne(scene: Scene): Promise<void> {
  const { session, world, members, objects, chapter } = scene;
  const network = world.cluster(LOST).network.cut();
  const isAway = ({ cluster, status, rollout }: State): boolean =>
    cluster === LOST ? status === 'ClusterNotReady' : status === undefined && rollout === 'Complete';
  const away = await waitForStates(scene, `${LOST} has gone away`, (states) => states.every(isAway));
  chapter('lost', `${LOST} has gone away, and its replicas have moved`, away, () => stateText(away, session.terminal));
  network[Symbol.dispose]();
  const isBack = ({ status, rollout }: State): boolean => status === undefined && rollout === 'Complete';
  const total = objects.length * members.length;
  const back = await waitForStates(scene, `${LOST} is coming back`, (states) => states.length === total && states.every(isBack));
  chapter('back', `${LOST} is back, and so are its replicas`, back, () => stateText(back, session.terminal));
}

async function waitForStates(scene: Scene, what: string, isReached: (states: readonly State[]) => boolean): Promise<StateReport> {
  const { session, host, objects, members, federation } = scene;
  const { terminal, signal } = session;
  const wanted = federation.preferences.reduce((sum, { preference }) => sum + preference.spec.totalReplicas, 0);
  const clusters = members.map(({ entry }) => entry.name);
  const states = await until(
    async () => {
      const found = await readHost(host, objects, signal);
      const ready = found.states.reduce(
        (sum, { readyReplicas, status }) => sum + (status === undefined ? (readyReplicas ?? 0) : 0),
        0,
      );
      terminal.progress(`${what}: ${ready} of ${wanted} replicas are ready`);
      return ready === wanted && isReached(found.states) ? found.states : undefined;
    },
    { timeoutMs: PATIENCE_MS, signal },
  );
  terminal.endProgress();
  if (states === undefined) throw new CommandFailure([`${what}: the members have not become what was expected`]);
  return { clusters, states };
}

async function stay({ session, world }: Scene): Promise<void> {
  const { terminal, signal } = session;
  const kubectl = `kubectl --kubeconfig ${shellWord(world.kubeconfig)}`;
  terminal.say(
    [
      '',
      'The clusters go on until Ctrl-C, and changes on the host are propagated. Look around with:',
      '',
      `  ${kubectl} --context host -n shop get federateddeployments,federatedconfigmaps`,
      `  ${kubectl} --context eu-1 -n shop get deployments,services,configmaps,promotions`,
      `  ${kubectl} --context host -n shop edit replicaschedulingpreference web`,
      `  ${kubectl} --context us-1 -n shop get deployment web -o yaml`,
    ].join('\n'),
  );
  await aborted(signal);
}
