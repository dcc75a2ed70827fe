import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, readFile, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { parseKubeconfigYaml } from '../client/index.ts';
import { compareText } from '../kube/index.ts';
import { type KubeconfigFile, readKubeconfigFile } from '../registry/index.ts';
import { sleep, systemClock } from '../runtime/index.ts';
import { CommandFailure, linesOf, reasonOf } from './failure.ts';
import { toYaml } from './output.ts';

/** What a kubeconfig is when there is nothing in it. */
const EMPTY = { apiVersion: 'v1', kind: 'Config' };
/** How long somebody else may hold the file: kubectl holds it for as long as it writes. */
const LOCK_PATIENCE_MS = 2_000;
const LOCK_RETRY_MS = 50;

/**
 * Changes a kubeconfig in one step: whoever reads it sees all of the old or all of the new, and nobody but its owner can. The file is locked as
 * kubectl locks it, so that neither loses what the other writes. A file that isn't there counts as empty.
 *
 * @throws CommandFailure where the file can't be read or written, or is no kubeconfig: then it stays as it is.
 */
export async function changeKubeconfig<T extends { readonly file: KubeconfigFile }>(
  path: string,
  change: (file: KubeconfigFile) => T,
  signal: AbortSignal,
): Promise<T> {
  const target = await targetOf(path);
  const folder = dirname(target);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new CommandFailure([`${folder}: ${reasonOf(error)}`]);
  }
  // Others lock the name that they were given, which may be a link.
  const names = await Promise.all([path, target].map(inRealFolder));
  const unlock = await lockAll([...new Set(names)].toSorted(compareText), signal);
  try {
    const before = await read(target);
    const result = change(before.file);
    if (result.file !== before.file || !before.exists) await write(target, toYaml({ ...EMPTY, ...result.file }));
    return result;
  } finally {
    await unlock();
  }
}

/** Where the file is in the end: a link stays one, also where what it leads to is not there yet. */
async function targetOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const next = await readlink(path).catch(() => undefined);
    return next === undefined ? path : resolve(dirname(path), next);
  }
}

/** One name for what has several where folders are links. */
async function inRealFolder(path: string): Promise<string> {
  return join(await realpath(dirname(path)), basename(path));
}

async function read(path: string): Promise<{ readonly file: KubeconfigFile; readonly exists: boolean }> {
  let text: string;
  try {
    // To read a pipe would wait for whoever writes into it.
    if (!(await stat(path)).isFile()) throw new CommandFailure([`${path}: is no file`]);
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { file: {}, exists: false };
    throw error instanceof CommandFailure ? error : new CommandFailure([`${path}: ${reasonOf(error)}`]);
  }
  const { file, issues } = readKubeconfigFile(parsed(text, path));
  // What can't be understood can't be kept either.
  if (issues.length > 0)
    throw new CommandFailure(issues.map(({ field, message }) => `${path}: ${field === '' ? '' : `${field}: `}${message}`));
  return { file, exists: true };
}

function parsed(text: string, path: string): unknown {
  try {
    return parseKubeconfigYaml(text, path);
  } catch (error) {
    throw new CommandFailure(linesOf(error));
  }
}

async function write(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    const handle = await open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw new CommandFailure([`${path}: ${reasonOf(error)}`]);
  }
}

async function lockAll(paths: readonly string[], signal: AbortSignal): Promise<() => Promise<void>> {
  const held: (() => Promise<void>)[] = [];
  const unlock = async (): Promise<void> => {
    await Promise.all(held.map((each) => each()));
  };
  try {
    for (const path of paths) held.push(await lock(`${path}.lock`, signal));
    return unlock;
  } catch (error) {
    await unlock();
    throw error;
  }
}

/** A lock file beside the kubeconfig, as client-go makes one. */
async function lock(path: string, signal: AbortSignal): Promise<() => Promise<void>> {
  const deadline = systemClock.monotonic() + LOCK_PATIENCE_MS;
  for (;;) {
    try {
      const handle = await open(path, 'wx', 0o600);
      await handle.close();
      return () => rm(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw new CommandFailure([`${path}: ${reasonOf(error)}`]);
      if (systemClock.monotonic() > deadline) {
        throw new CommandFailure([`${path}: somebody else holds the kubeconfig; remove the file if nobody does`]);
      }
      await sleep(systemClock, LOCK_RETRY_MS, signal);
    }
  }
}
