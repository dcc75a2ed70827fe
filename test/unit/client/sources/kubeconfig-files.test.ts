import { execFileSync } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type KubeconfigFilesOptions, kubeconfigFilesSource } from 'clusterset/client';
import type { Issue } from 'clusterset/kube';
import type { ClusterEntry } from 'clusterset/registry';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const MARK = 'top-secret-55aa';

function kubeconfig(...contexts: readonly string[]): string {
  return JSON.stringify({
    clusters: contexts.map((name) => ({ name, cluster: { server: `https://${name}` } })),
    users: [{ name: 'u', user: { token: MARK } }],
    contexts: contexts.map((name) => ({ name, context: { cluster: name, user: 'u' } })),
  });
}

describe('kubeconfig files as a source of clusters', () => {
  let folder: string;
  let stopping: AbortController;
  let issues: readonly Issue[];
  let values: AsyncIterator<readonly ClusterEntry[]>;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'clusterset-test-'));
    stopping = new AbortController();
    issues = [];
  });
  afterEach(async () => {
    stopping.abort();
    await values.return?.();
    rmSync(folder, { recursive: true, force: true });
  });

  function follow(options: KubeconfigFilesOptions): void {
    // Read again soon: where the machine can't watch folders, the tests end nevertheless.
    const source = kubeconfigFilesSource({
      rereadMs: 200,
      onIssues: (found) => {
        issues = found;
      },
      ...options,
    });
    values = source.watch(stopping.signal)[Symbol.asyncIterator]();
  }

  async function next(): Promise<string> {
    const { value } = await values.next();
    return (value as readonly ClusterEntry[]).map(({ name }) => name).join(' ');
  }

  const path = (name: string): string => join(folder, name);
  const write = (name: string, content: string): void => writeFileSync(path(name), content);

  it('says the contexts, and where their credentials are', async () => {
    write('a.yaml', kubeconfig('eu-1'));
    follow({ files: [path('a.yaml')] });
    const { value } = await values.next();
    expect(value).toEqual([
      { name: 'eu-1', endpoints: [{ server: 'https://eu-1' }], auth: { context: 'eu-1', kubeconfig: path('a.yaml') } },
    ]);
  });

  it('says them anew when a file changes, is replaced, comes or goes', async () => {
    write('a.yaml', kubeconfig('eu-1'));
    write('notes.txt', 'not a kubeconfig');
    follow({ folder });
    expect(await next()).toBe('eu-1');
    write('a.yaml', kubeconfig('eu-1', 'eu-2'));
    expect(await next()).toBe('eu-1 eu-2');
    write('.b.tmp', kubeconfig('us-1'));
    renameSync(path('.b.tmp'), path('b.yaml'));
    expect(await next()).toBe('eu-1 eu-2 us-1');
    rmSync(path('a.yaml'));
    expect(await next()).toBe('us-1');
    expect(issues).toEqual([]);
  });

  it('gives precedence to the first file, and tells of the other', async () => {
    write('a.yaml', kubeconfig('eu-1'));
    write('b.yaml', kubeconfig('eu-1'));
    follow({ files: [path('b.yaml'), path('a.yaml')] });
    const { value } = await values.next();
    expect(value).toMatchObject([{ auth: { kubeconfig: path('b.yaml') } }]);
    expect(issues).toMatchObject([{ field: 'eu-1', message: expect.stringContaining('more than one source') }]);
  });

  it('keeps what a file said before while it is broken, and quotes nothing of it', async () => {
    write('a.yaml', kubeconfig('eu-1'));
    write('b.yaml', kubeconfig('us-1'));
    follow({ folder });
    expect(await next()).toBe('eu-1 us-1');
    write('a.yaml', `users: [${MARK}`);
    write('b.yaml', kubeconfig('us-1', 'us-2'));
    expect(await next()).toBe('eu-1 us-1 us-2');
    expect(JSON.stringify(issues)).toMatch(/a mistake in its YAML/);
    expect(JSON.stringify(issues)).not.toContain(MARK);
  });

  it('does not wait for a pipe that somebody has put there', async () => {
    write('a.yaml', kubeconfig('eu-1'));
    execFileSync('mkfifo', [path('b.yaml')]);
    follow({ folder });
    expect(await next()).toBe('eu-1');
    expect(issues).toMatchObject([{ field: path('b.yaml'), message: expect.stringContaining('is no file') }]);
  });

  it('reads no file that is far larger than any kubeconfig', async () => {
    write('a.yaml', kubeconfig('eu-1'));
    write('b.yaml', '');
    truncateSync(path('b.yaml'), 64 * 1024 * 1024 + 1);
    follow({ folder });
    expect(await next()).toBe('eu-1');
    expect(issues).toMatchObject([{ field: path('b.yaml'), message: expect.stringContaining('is larger than 64 MiB') }]);
  });

  it('waits for a file that is not there yet', async () => {
    follow({ files: [path('late.yaml')] });
    expect(await next()).toBe('');
    write('late.yaml', kubeconfig('eu-1'));
    expect(await next()).toBe('eu-1');
  });

  it('wants to be told what to read', () => {
    values = { next: () => Promise.resolve({ done: true, value: undefined }) };
    expect(() => kubeconfigFilesSource({})).toThrowError(/neither files nor a folder/);
  });
});
