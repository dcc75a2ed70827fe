import { type FSWatcher, watch as watchFolder } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import {
  type ClusterSource,
  ClustersetError,
  compareText,
  contentHash,
  type Issue,
  isClustersetError,
} from '../../kube/index.ts';
import { type ClusterEntry, combineEntries, entriesOfKubeconfig, readKubeconfigFile } from '../../registry/index.ts';
import { type Clock, newestValues, sleep, systemClock } from '../../runtime/index.ts';
import { parseKubeconfigYaml } from '../yaml.ts';

/** What {@link kubeconfigFilesSource} takes. */
export interface KubeconfigFilesOptions {
  /** Kubeconfig files; the first that has a context of a name has precedence. */
  readonly files?: readonly string[];
  /** A folder: all its `.yaml`, `.yml`, `.json`, `.conf` and `.kubeconfig` files, and those named `config` or `kubeconfig`, by name. */
  readonly folder?: string;
  /** How often files are read even if nothing says that they changed, in milliseconds. Default 30,000. */
  readonly rereadMs?: number;
  readonly clock?: Clock;
  /** Is told what could not be used, with the file in `field`, after each change. A file that is broken keeps the clusters that it had. */
  readonly onIssues?: (issues: readonly Issue[]) => void;
}

const REREAD_MS = 30_000;
/** Editors write a file in several steps. */
const SETTLE_MS = 50;
/** Far more than the kubeconfig of thousands of clusters. */
const LARGEST_FILE = 64 * 1024 * 1024;
const IS_KUBECONFIG = /(?:\.(?:ya?ml|json|conf|kubeconfig)|^config|^kubeconfig)$/;

/**
 * The contexts of kubeconfig files as clusters, read again when a file changes, comes or goes. A file that can't be read just now, or is
 * broken, keeps the clusters that it had: half a file is no reason to leave them.
 *
 * @throws ClustersetError `Invalid` where neither files nor a folder are given.
 */
export function kubeconfigFilesSource(options: KubeconfigFilesOptions): ClusterSource<ClusterEntry> {
  if (options.files === undefined && options.folder === undefined) {
    throw new ClustersetError({
      code: 'Invalid',
      message: 'there are neither files nor a folder to read',
      mend: 'give one of them',
    });
  }
  return {
    watch: (signal) => newestValues((say, stopping) => new Files(options).run(say, stopping), signal as globalThis.AbortSignal),
  };
}

class Files {
  readonly #options: KubeconfigFilesOptions;
  readonly #clock: Clock;
  /** What each file said when it was last good. */
  readonly #known = new Map<string, readonly ClusterEntry[]>();
  readonly #watchers = new Map<string, FSWatcher>();
  #said = '';
  #told = '';
  #wake: () => void = () => undefined;

  constructor(options: KubeconfigFilesOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  async run(say: (entries: readonly ClusterEntry[]) => void, signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) {
        // Before reading: a change while it is read is another change.
        const changed = this.#nextChange(signal);
        await this.#read(say);
        await changed;
        await sleep(this.#clock, SETTLE_MS, signal).catch(() => undefined);
      }
    } finally {
      for (const watcher of this.#watchers.values()) watcher.close();
    }
  }

  async #nextChange(signal: AbortSignal): Promise<void> {
    const changed = new AbortController();
    this.#wake = () => changed.abort();
    const { rereadMs = REREAD_MS } = this.#options;
    await sleep(this.#clock, rereadMs, AbortSignal.any([signal, changed.signal])).catch(() => undefined);
  }

  async #read(say: (entries: readonly ClusterEntry[]) => void): Promise<void> {
    const issues: Issue[] = [];
    const paths = await this.#paths(issues);
    for (const folder of new Set(paths.map((path) => dirname(path)))) this.#watch(folder);
    for (const path of paths) await this.#readOne(path, issues);
    for (const path of [...this.#known.keys()]) if (!paths.includes(path)) this.#known.delete(path);
    const combined = combineEntries(paths.map((path) => this.#known.get(path) ?? []));
    const all = [...issues, ...combined.issues];
    const told = contentHash(all);
    if (told !== this.#told) this.#options.onIssues?.(all);
    this.#told = told;
    const said = contentHash(combined.entries);
    if (said === this.#said) return;
    this.#said = said;
    say(combined.entries);
  }

  async #paths(issues: Issue[]): Promise<readonly string[]> {
    const { files = [], folder } = this.#options;
    const named = files.map((file) => resolve(file));
    if (folder === undefined) return named;
    this.#watch(resolve(folder));
    try {
      const found = (await readdir(folder)).filter((name) => IS_KUBECONFIG.test(name)).toSorted(compareText);
      return [...named, ...found.map((name) => resolve(join(folder, name)))];
    } catch (error) {
      issues.push({
        field: folder,
        message: `the folder can't be read (${codeOf(error)})`,
        mend: 'check the path and its permissions',
      });
      return [...named, ...[...this.#known.keys()].filter((path) => dirname(path) === resolve(folder))];
    }
  }

  async #readOne(path: string, issues: Issue[]): Promise<void> {
    try {
      const { file, issues: found } = readKubeconfigFile(parseKubeconfigYaml(await textOf(path), path));
      const read = entriesOfKubeconfig(file, { path });
      issues.push(...[...found, ...read.issues].map((issue) => ({ ...issue, field: `${path}: ${issue.field}` })));
      this.#known.set(path, read.entries);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') this.#known.delete(path);
      const message = isClustersetError(error) ? error.detail : `can't be read (${codeOf(error)})`;
      issues.push({ field: path, message, mend: 'correct the file; until then what it said before counts' });
    }
  }

  /** A folder, not its files: files are replaced as a whole, and mounted Secrets are links that are turned. */
  #watch(folder: string): void {
    if (this.#watchers.has(folder)) return;
    try {
      const watcher = watchFolder(folder, { persistent: false }, () => this.#wake());
      watcher.on('error', () => {
        this.#watchers.delete(folder);
        watcher.close();
      });
      this.#watchers.set(folder, watcher);
    } catch {
      // It isn't there, or can't be watched: then it is read from time to time.
    }
  }
}

/** To read a pipe would wait for whoever writes into it, perhaps for ever, and all other files with it. */
async function textOf(path: string): Promise<string> {
  const found = await stat(path);
  if (found.isFile() && found.size <= LARGEST_FILE) return readFile(path, 'utf8');
  const message = found.isFile() ? `is larger than ${LARGEST_FILE / 1024 / 1024} MiB` : 'is no file';
  throw new ClustersetError({ code: 'Invalid', message });
}

function codeOf(error: unknown): string {
  return (error as { readonly code?: string }).code ?? basename((error as Error).name);
}
