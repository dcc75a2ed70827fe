import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { ClustersetError, isRecord } from '../../kube/index.ts';
import type { ExecPlugin } from '../../registry/index.ts';
import { type Clock, systemClock } from '../../runtime/index.ts';
import type { Credentials } from './credentials.ts';

const VERSIONS: ReadonlySet<string> = new Set(['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1']);
const TIMEOUT_MS = 60_000;
/** More than any answer has. */
const LONGEST_OUTPUT = 1024 * 1024;
/** How long after its end a plugin's output is read on. */
const LINGERING_MS = 1_000;

/**
 * Runs a credential plugin once (API: client.authentication.k8s.io; KEP-541). It gets no terminal, and its output never gets into an error:
 * it may hold the token.
 *
 * @throws ClustersetError `Unauthorized` where it can't be run, fails, takes too long, or says something else than credentials.
 */
export async function runExecPlugin(plugin: ExecPlugin, timeoutMs: number = TIMEOUT_MS): Promise<Credentials> {
  if (!VERSIONS.has(plugin.apiVersion)) {
    throw failure(plugin, `${plugin.apiVersion} is no version that is known`, `use ${[...VERSIONS].join(' or ')}`);
  }
  return credentialsIn(await output(plugin, timeoutMs), plugin);
}

function output(plugin: ExecPlugin, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = started(plugin);
    let text = '';
    let problem: ClustersetError | undefined;
    const stop = (why: string): void => {
      problem ??= failure(plugin, why);
      endGroup(child.pid);
      child.stdout.destroy();
    };
    const timer = setTimeout(() => {
      stop(`gave no answer within ${timeoutMs} ms`);
      reject(problem);
    }, timeoutMs);
    let lingering: NodeJS.Timeout | undefined;
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.length > LONGEST_OUTPUT) stop('says more than any credentials have');
    });
    child.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      reject(cannotRun(plugin, error));
    });
    // What it has left running may keep its output open for ever: what was said until now is all.
    child.on('exit', () => {
      lingering = setTimeout(() => child.stdout.destroy(), LINGERING_MS);
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      clearTimeout(lingering);
      if (problem !== undefined) reject(problem);
      else if (code === 0) resolve(text);
      else reject(failure(plugin, code === null ? `was ended by ${signal}` : `ended with exit code ${code}`));
    });
  });
}

/** @throws ClustersetError where it can't be started; some reasons come later, as an event. */
function started(plugin: ExecPlugin): ChildProcessByStdio<null, Readable, null> {
  const { apiVersion, cluster, provideClusterInfo } = plugin;
  const info = { apiVersion, kind: 'ExecCredential', spec: { interactive: false, ...(provideClusterInfo ? { cluster } : {}) } };
  const env = Object.fromEntries(plugin.env.map(({ name, value }) => [name, value]));
  try {
    // A group of its own, so that what the plugin starts ends with it.
    return spawn(plugin.command, [...plugin.args], {
      env: { ...process.env, ...env, KUBERNETES_EXEC_INFO: JSON.stringify(info) },
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: process.platform !== 'win32',
      windowsHide: true,
    });
  } catch (error) {
    // It quotes arguments and variables.
    throw cannotRun(plugin, error);
  }
}

function cannotRun(plugin: ExecPlugin, error: unknown): ClustersetError {
  const { code = 'unknown error' } = error as NodeJS.ErrnoException;
  const mend = code === 'ENOENT' ? 'install it, or give its whole path' : 'run it by hand to see why';
  return failure(plugin, `can't be run (${code})`, mend);
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

/**
 * Reads what a plugin has printed.
 *
 * @throws ClustersetError `Unauthorized` where it isn't credentials, of the version that the plugin was run with. It quotes nothing.
 */
export function credentialsIn(text: string, plugin: Pick<ExecPlugin, 'command' | 'apiVersion'>): Credentials {
  const { token, clientCertificateData: cert, clientKeyData: key, expirationTimestamp } = statusIn(text, plugin);
  const hasToken = typeof token === 'string' && token !== '';
  const hasPair = typeof cert === 'string' && cert !== '' && typeof key === 'string' && key !== '';
  const hasHalf = !hasPair && [cert, key].some((part) => part !== undefined && part !== null && part !== '');
  if (hasHalf) throw failure(plugin, 'gives a half of a certificate and its key');
  if (!hasToken && !hasPair) throw failure(plugin, 'gives neither a token nor a certificate');
  if (hasToken && !/^[\x20-\x7e]+$/.test(token)) throw failure(plugin, 'gives a token that no header can hold');
  const expiresAt = endIn(expirationTimestamp);
  if (Number.isNaN(expiresAt)) throw failure(plugin, 'gives an expirationTimestamp that is no time');
  return { ...(hasToken ? { token } : {}), ...(hasPair ? { cert, key } : {}), ...(expiresAt === undefined ? {} : { expiresAt }) };
}

function statusIn(text: string, plugin: Pick<ExecPlugin, 'command' | 'apiVersion'>): Readonly<Record<string, unknown>> {
  const answer = parsed(text);
  if (!isRecord(answer) || answer.kind !== 'ExecCredential') throw failure(plugin, 'does not print an ExecCredential');
  if (answer.apiVersion !== plugin.apiVersion) throw failure(plugin, `answers in another version than ${plugin.apiVersion}`);
  return isRecord(answer.status) ? answer.status : {};
}

/** A time, or nothing; `NaN` where it is neither. */
function endIn(timestamp: unknown): number | undefined {
  if (timestamp === undefined || timestamp === null) return undefined;
  return typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function failure({ command }: Pick<ExecPlugin, 'command'>, message: string, mend = 'run it by hand to see why'): ClustersetError {
  return new ClustersetError({ code: 'Unauthorized', message: `the credential plugin ${command} ${message}`, mend });
}

interface Kept {
  readonly answer: Promise<Credentials>;
  /** What it was; unknown while the plugin runs. */
  said: Credentials | undefined;
  /** When it may be used no more. */
  until: number;
}

/** Credentials end a little before their time. */
const SKEW_MS = 10_000;
/** How many answers are kept. Words for plugins come from clusters, and change: those of long ago are never asked for again. */
const MOST_KEPT = 1_000;

/**
 * What plugins have said, by the words that they were run with: clusters that would run the very same thing share one run and its answer until
 * it expires, and no others do.
 */
export class ExecPlugins {
  readonly #kept = new Map<string, Kept>();
  readonly #clock: Clock;
  readonly #run: (plugin: ExecPlugin) => Promise<Credentials>;

  constructor({ clock = systemClock, timeoutMs, run }: ExecPluginsOptions = {}) {
    this.#clock = clock;
    this.#run = run ?? ((plugin) => runExecPlugin(plugin, timeoutMs));
  }

  /** Credentials by a plugin: the kept ones, unless they have expired, or are those that a server has refused. */
  async credentials(
    { key, exec }: { readonly key: string; readonly exec: ExecPlugin },
    refused?: Credentials,
  ): Promise<Credentials> {
    const known = this.#kept.get(key);
    const isGood = known !== undefined && this.#clock.now() < known.until;
    if (isGood && (known.said === undefined || known.said !== refused)) return known.answer;
    const next: Kept = { answer: this.#run(exec), until: Number.POSITIVE_INFINITY, said: undefined };
    this.#keep(key, next);
    try {
      next.said = await next.answer;
      next.until = (next.said.expiresAt ?? Number.POSITIVE_INFINITY) - SKEW_MS;
      return next.said;
    } catch (error) {
      if (this.#kept.get(key) === next) this.#kept.delete(key);
      throw error;
    }
  }

  /** Forgets the oldest where there are too many: at worst, its plugin is run once more. */
  #keep(key: string, next: Kept): void {
    this.#kept.delete(key);
    this.#kept.set(key, next);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= MOST_KEPT) return;
      this.#kept.delete(oldest);
    }
  }
}

/** What {@link ExecPlugins} takes. */
export interface ExecPluginsOptions {
  readonly clock?: Clock;
  /** How long a plugin may take, in milliseconds. Default 60,000. */
  readonly timeoutMs?: number | undefined;
  /** Gets credentials in place of a program: for tests, and for plugins that are functions. */
  readonly run?: (plugin: ExecPlugin) => Promise<Credentials>;
}
