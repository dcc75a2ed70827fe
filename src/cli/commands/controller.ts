import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import { connectContext, connectEntry, kubeconfigSource } from '../../client/index.ts';
import { installTypes, PropagationController } from '../../controllers/propagation/index.ts';
import { BUILT_IN_FEDERATED_TYPES, type ReplaceMissing } from '../../federation/index.ts';
import type { Cluster } from '../../kube/index.ts';
import type { ClusterEntry } from '../../registry/index.ts';
import {
  ClusterSet,
  consoleLogger,
  fenced,
  type Logger,
  type LogLevel,
  logObserver,
  Manager,
  Metrics,
  systemClock,
} from '../../runtime/index.ts';
import { CommandFailure, EXIT } from '../failure.ts';
import { typesOnHost } from '../host.ts';
import { FIELD_MANAGER } from '../inputs.ts';
import { type Address, listen, readAddress } from '../listen.ts';
import { names, probeIntervalOption, replaceMissingOption } from '../options.ts';
import { count } from '../output.ts';
import { addRegistryOptions, type OpenRegistry, openRegistry, type RegistryOptions } from '../registry-options.ts';
import type { Session } from '../session.ts';

type ControllerOptions = RegistryOptions & {
  readonly contexts?: readonly string[];
  readonly installTypes?: boolean;
  readonly election: boolean;
  readonly lease: { readonly namespace: string; readonly name: string };
  readonly listen?: Address;
  readonly logFormat: 'text' | 'json';
  readonly logLevel: LogLevel;
  readonly probeInterval: number;
  readonly replaceMissing: ReplaceMissing;
};

/** `clusterset controller`: the controller of federation, as a process of its own. */
export function controllerCommand(session: Session): Command {
  const command = new Command('controller')
    .summary('make members what the host says, until Ctrl-C')
    .description(
      'Runs the controller of federation: what federated objects on the host say becomes objects in members. Members are the clusters that are registered on the host, or those of --contexts or --fleet. Several may run: one of them works, and another takes over when it ends. Log lines go to standard error.',
    );
  addRegistryOptions(command).option('--contexts <names>', 'clusters: contexts of the kubeconfig, with commas in between', names);
  return command
    .option('--install-types', 'first install the CRDs of the federated types that are built in')
    .option('--no-election', 'work without asking who else does; two that work cost each other writes')
    .addOption(
      new Option('--lease <namespace/name>', 'the lease on the host by which replicas choose one that works')
        .argParser(readLease)
        .default({ namespace: 'default', name: 'clusterset-controller' }, 'default/clusterset-controller'),
    )
    .addOption(
      new Option('--listen <address:port>', 'serve /metrics, /healthz and /readyz there, over plain HTTP').argParser(readListen),
    )
    .addOption(new Option('--log-format <format>', 'how lines look').choices(['text', 'json']).default('text'))
    .addOption(
      new Option('--log-level <level>', 'the least important lines that are written')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('info'),
    )
    .addOption(probeIntervalOption())
    .addOption(replaceMissingOption())
    .addHelpText(
      'after',
      `
Examples:
  clusterset controller --host hub --contexts eu-1,us-1 --install-types
  clusterset controller --host hub --kind clusterprofile --namespace fleet --listen 127.0.0.1:8080 --log-format json`,
    )
    .action(async (options: ControllerOptions) => session.exit(await run(session, options)));
}

function readLease(text: string): ControllerOptions['lease'] {
  const [namespace, name, ...more] = text.split('/');
  if (!namespace || !name || more.length > 0) throw new InvalidArgumentError('Write it as in kube-system/federation.');
  return { namespace, name };
}

function readListen(text: string): Address {
  const address = readAddress(text);
  if (address === undefined) throw new InvalidArgumentError('Write it as in 127.0.0.1:8080.');
  return address;
}

async function run(session: Session, options: ControllerOptions): Promise<number> {
  const { terminal, signal } = session;
  if (options.host === undefined) throw new CommandFailure(['say where the federated objects are: --host hub']);
  const { logFormat: format, logLevel: level } = options;
  const log = consoleLogger({ clock: systemClock, format, level, write: (line) => terminal.say(line) });
  const where = options.kubeconfig === undefined ? {} : { kubeconfig: options.kubeconfig };
  const host = await connectContext({ ...where, context: options.host });
  const registry = await openMembers(session, options);
  try {
    await work(host, registry, options, log, signal);
    return EXIT.ok;
  } finally {
    await registry.close();
    await host.close();
  }
}

async function work(
  host: Cluster,
  registry: OpenRegistry,
  options: ControllerOptions,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  if (options.installTypes === true) await installTypes(host, BUILT_IN_FEDERATED_TYPES, { signal });
  const types = await typesOnHost(host, signal);
  if (types.length === 0) {
    throw new CommandFailure([`${host.name} serves no federated types: --install-types installs those that are built in`]);
  }
  const election = { cluster: host, ...options.lease, identity: `${hostname()}_${randomUUID()}` };
  const manager = new Manager({
    random: Math.random,
    log,
    observe: logObserver(log),
    metrics: new Metrics(),
    ...(options.election ? { election } : {}),
  });
  const { observe } = manager;
  const bounded = (cluster: Cluster): Cluster => (options.election ? fenced(cluster, manager.fence) : cluster);
  const members = new ClusterSet<ClusterEntry>({
    source: registry.source,
    connect: async (entry) => bounded(await connectEntry(entry, { ...registry.connecting, observe })),
    random: Math.random,
    observe,
    probe: { intervalMs: options.probeInterval },
    onError: (cluster, error) => log.log('warn', messageOf(error), cluster === '' ? {} : { cluster }),
  });
  const onError = (cluster: string, object: string, error: unknown): void =>
    log.log('debug', messageOf(error), { cluster, object });
  const { replaceMissing } = options;
  const propagation = { host: bounded(host), members, types, fieldManager: FIELD_MANAGER, replaceMissing, onError };
  manager.use(members).add(new PropagationController(propagation));
  const server = options.listen === undefined ? undefined : await listen(options.listen, manager.handle);
  if (server !== undefined) log.log('info', 'serving metrics and health', { port: server.port });
  log.log('info', `following ${registry.called}`, { host: host.name, types: count(types.length, 'type') });
  try {
    await manager.run(signal);
  } finally {
    await server?.close();
  }
}

/** Where the members come from: what is named, or the registry on the host. */
async function openMembers(session: Session, options: ControllerOptions): Promise<OpenRegistry> {
  const { contexts, fleet, host, ...others } = options;
  if (contexts !== undefined && fleet !== undefined) throw new CommandFailure(['say --contexts or --fleet, not both']);
  if (contexts === undefined) {
    return openRegistry(
      session,
      fleet === undefined ? { ...others, ...(host === undefined ? {} : { host }) } : { ...others, fleet },
    );
  }
  const where = options.kubeconfig === undefined ? {} : { kubeconfig: options.kubeconfig };
  const source = await kubeconfigSource({ ...where, contexts });
  return { source, connecting: where, called: contexts.join(', '), close: () => Promise.resolve() };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
