import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectServer } from 'clusterset/client';
import type { Cluster } from 'clusterset/kube';
import { resourceType } from 'clusterset/kube';
import { stringify } from 'yaml';
import { type Binaries, findBinaries } from './binaries.ts';
import { freePort, type Program, startProgram } from './program.ts';

/** What a real cluster is made of. */
export interface PlaneOptions {
  readonly name: string;
  /** Runs controllers, a scheduler and pretended nodes; without them there is an API server only. */
  readonly controllers?: boolean;
  /** How many nodes. Default 2, with controllers. */
  readonly nodes?: number;
  /** Has an etcd to itself, which can be killed without the others. Default false: it shares one with all that say nothing else. */
  readonly ownEtcd?: boolean;
}

/** A process that a cluster is made of. */
type Part = 'etcd' | 'kube-apiserver';

/** Real API servers for tests, sharing one etcd or with one each. */
export interface ControlPlanes {
  /** One context for each cluster, of its name. */
  readonly kubeconfig: string;
  readonly kubectl: string;
  readonly folder: string;
  connect(name: string): Cluster;
  /** Ends a process of a cluster without a word (SIGKILL). An etcd that is shared can't be killed. */
  kill(name: string, part: Part): Promise<void>;
  /** Starts it again with the same data, port and certificates. An API server is ready when this resolves; an etcd has just begun. */
  start(name: string, part: Part): Promise<void>;
  /** Whether a process has neither been killed nor ended by itself. */
  isRunning(name: string, part: Part): boolean;
  /** Ends the API server of a cluster without a word. */
  killApiServer(name: string): Promise<void>;
  /** Starts it again, on the same port. */
  startApiServer(name: string): Promise<void>;
  stop(): Promise<void>;
}

interface Plane {
  readonly name: string;
  readonly port: number;
  readonly token: string;
  readonly folder: string;
  readonly etcd: Etcd;
  readonly hasOwnEtcd: boolean;
  apiServer: Program | undefined;
  others: Program[];
}

/** An etcd, and what it takes to start it again. */
interface Etcd {
  readonly port: number;
  readonly start: () => Program;
  program: Program;
}

const READY_MS = 60_000;

/** Starts etcd and an API server for each name, and waits until they are ready. Everything listens on loopback only. */
export async function startControlPlanes(
  planes: readonly PlaneOptions[],
  say: (line: string) => void = () => undefined,
): Promise<ControlPlanes> {
  const binaries = await findBinaries(say);
  const folder = mkdtempSync(join(tmpdir(), 'clusterset-kube-'));
  const shared = planes.every(({ ownEtcd }) => ownEtcd) ? undefined : await newEtcd(binaries, folder);
  const started = await Promise.all(planes.map((options) => newPlane(options, folder, binaries, shared)));
  const context: Context = { binaries };
  const kubeconfig = join(folder, 'kubeconfig');
  const stop = async (): Promise<void> => {
    await Promise.all(started.flatMap((plane) => plane.others.map((program) => program.stop())));
    await Promise.all(started.map((plane) => plane.apiServer?.stop()));
    await Promise.all([...new Set(started.map((plane) => plane.etcd))].map((etcd) => etcd.program.stop()));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await Promise.all(started.map((plane) => startApiServer(plane, context)));
    writeFileSync(kubeconfig, kubeconfigOf(started), { mode: 0o600 });
    await Promise.all(planes.map((options, index) => startControllers(options, started[index], context)));
  } catch (error) {
    await stop();
    throw error;
  }
  const named = (name: string): Plane => {
    const plane = started.find((each) => each.name === name);
    if (plane === undefined) throw new Error(`there is no cluster ${name}`);
    return plane;
  };
  const kill = async (name: string, part: Part): Promise<void> => {
    const plane = named(name);
    if (part === 'etcd') await ownEtcdOf(plane).program.kill();
    else await plane.apiServer?.kill();
  };
  const start = async (name: string, part: Part): Promise<void> => {
    const plane = named(name);
    if (part === 'kube-apiserver') return startApiServer(plane, context);
    const etcd = ownEtcdOf(plane);
    etcd.program = etcd.start();
  };
  return {
    kubeconfig,
    kubectl: binaries.kubectl,
    folder,
    connect: (name) => connectTo(named(name)),
    kill,
    start,
    isRunning: (name, part) => (part === 'etcd' ? named(name).etcd.program : named(name).apiServer)?.isRunning === true,
    killApiServer: (name) => kill(name, 'kube-apiserver'),
    startApiServer: (name) => start(name, 'kube-apiserver'),
    stop,
  };
}

interface Context {
  readonly binaries: Binaries;
}

function ownEtcdOf({ name, etcd, hasOwnEtcd }: Plane): Etcd {
  if (!hasOwnEtcd) throw new Error(`${name} shares its etcd with others: start it with ownEtcd`);
  return etcd;
}

async function newEtcd(binaries: Binaries, folder: string): Promise<Etcd> {
  const [port, peerPort] = [await freePort(), await freePort()];
  const start = (): Program => startEtcd(binaries, folder, port, peerPort);
  return { port, start, program: start() };
}

function startEtcd(binaries: Binaries, folder: string, clientPort: number, peerPort: number): Program {
  const [client, peer] = [`http://127.0.0.1:${clientPort}`, `http://127.0.0.1:${peerPort}`];
  const args = [
    `--data-dir=${join(folder, 'etcd')}`,
    '--name=etcd',
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=etcd=${peer}`,
    '--unsafe-no-fsync',
    '--quota-backend-bytes=8589934592',
    '--log-level=error',
  ];
  return startProgram('etcd', binaries.etcd, args, join(folder, 'etcd.log'));
}

async function newPlane(
  { name, ownEtcd = false }: PlaneOptions,
  root: string,
  binaries: Binaries,
  shared: Etcd | undefined,
): Promise<Plane> {
  const folder = join(root, name);
  mkdirSync(folder);
  const token = randomBytes(16).toString('hex');
  writeFileSync(join(folder, 'tokens.csv'), `${token},admin,admin,"system:masters"\n`, { mode: 0o600 });
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  writeFileSync(join(folder, 'service-accounts.key'), privateKey, { mode: 0o600 });
  const etcd = shared === undefined || ownEtcd ? await newEtcd(binaries, folder) : shared;
  return { name, folder, token, port: await freePort(), etcd, hasOwnEtcd: ownEtcd, apiServer: undefined, others: [] };
}

async function startApiServer(plane: Plane, { binaries }: Context): Promise<void> {
  const key = join(plane.folder, 'service-accounts.key');
  const args = [
    `--etcd-servers=http://127.0.0.1:${plane.etcd.port}`,
    `--etcd-prefix=/${plane.name}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${plane.port}`,
    `--cert-dir=${plane.folder}`,
    `--token-auth-file=${join(plane.folder, 'tokens.csv')}`,
    '--authorization-mode=RBAC',
    '--service-cluster-ip-range=10.0.0.0/16',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    '--disable-admission-plugins=ServiceAccount,TaintNodesByCondition',
    '--max-requests-inflight=4000',
    '--max-mutating-requests-inflight=2000',
    '--watch-cache=true',
    '--v=0',
  ];
  const program = startProgram(
    `kube-apiserver ${plane.name}`,
    binaries.apiServer,
    args,
    join(plane.folder, 'kube-apiserver.log'),
  );
  plane.apiServer = program;
  await Promise.race([untilReady(plane), program.ended]);
}

async function untilReady(plane: Plane): Promise<void> {
  const deadline = performance.now() + READY_MS;
  while (performance.now() < deadline) {
    if (existsSync(join(plane.folder, 'apiserver.crt'))) {
      const cluster = connectTo(plane);
      const ready = await cluster.ready().catch(() => false);
      await cluster.close();
      if (ready) return;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(
    `the API server of ${plane.name} was not ready within ${READY_MS / 1000} s: see ${plane.folder}/kube-apiserver.log`,
  );
}

function connectTo({ name, port, token, folder }: Plane): Cluster {
  return connectServer({
    name,
    server: `https://127.0.0.1:${port}`,
    token,
    ca: readFileSync(join(folder, 'apiserver.crt'), 'utf8'),
  });
}

function kubeconfigOf(planes: readonly Plane[]): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: planes.map(({ name, port, folder }) => ({
      name,
      cluster: {
        server: `https://127.0.0.1:${port}`,
        'certificate-authority-data': readFileSync(join(folder, 'apiserver.crt')).toString('base64'),
      },
    })),
    users: planes.map(({ name, token }) => ({ name, user: { token } })),
    contexts: planes.map(({ name }) => ({ name, context: { cluster: name, user: name } })),
    'current-context': planes[0]?.name ?? '',
  });
}

async function startControllers(options: PlaneOptions, plane: Plane | undefined, { binaries }: Context): Promise<void> {
  if (!options.controllers || plane === undefined) return;
  const { controllerManager, scheduler, kwok } = binaries;
  if (controllerManager === undefined || scheduler === undefined || kwok === undefined) {
    throw new Error('these tests need controllers and nodes, which KUBEBUILDER_ASSETS has not: unset it to build them with Go');
  }
  const kubeconfig = join(plane.folder, 'kubeconfig');
  writeFileSync(kubeconfig, kubeconfigOf([plane]), { mode: 0o600 });
  const log = (name: string): string => join(plane.folder, `${name}.log`);
  const common = [`--kubeconfig=${kubeconfig}`, '--leader-elect=false', '--secure-port=0'];
  const managerArgs = [
    ...common,
    `--service-account-private-key-file=${join(plane.folder, 'service-accounts.key')}`,
    '--use-service-account-credentials=false',
  ];
  plane.others.push(
    startProgram(`kube-controller-manager ${plane.name}`, controllerManager, managerArgs, log('kube-controller-manager')),
    startProgram(`kube-scheduler ${plane.name}`, scheduler, common, log('kube-scheduler')),
    startProgram(
      `kwok ${plane.name}`,
      kwok.program,
      [`--kubeconfig=${kubeconfig}`, '--manage-all-nodes=true', ...kwok.stages.map((stage) => `--config=${stage}`)],
      log('kwok'),
    ),
  );
  await createNodes(connectTo(plane), options.nodes ?? 2);
}

async function createNodes(cluster: Cluster, count: number): Promise<void> {
  const nodes = resourceType('v1', 'Node', 'nodes', 'Cluster');
  const capacity = { cpu: '32', memory: '256Gi', pods: '110' };
  for (let index = 0; index < count; index += 1) {
    await cluster.create(nodes, {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: `node-${index}`, labels: { 'kubernetes.io/hostname': `node-${index}`, 'kubernetes.io/os': 'linux' } },
      status: { capacity, allocatable: capacity },
    });
  }
  await cluster.close();
}
