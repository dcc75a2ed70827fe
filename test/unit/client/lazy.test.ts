import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';

const LIBRARY = '@kubernetes/client-node';

const loads = vi.hoisted(() => ({ count: 0 }));
vi.mock('@kubernetes/client-node', (importOriginal) => {
  loads.count += 1;
  return importOriginal();
});

it('loads @kubernetes/client-node when the first kubeconfig is read, and no earlier', async () => {
  const { connectServer, readKubeconfig } = await import('clusterset/client');
  await connectServer({ server: 'https://127.0.0.1:6443' }).close();
  await expect(readKubeconfig('/nowhere/config')).rejects.toMatchObject({ code: 'Invalid' });
  expect(loads.count).toBe(0);
  await expect(readKubeconfig(import.meta.filename)).rejects.toMatchObject({ code: 'Invalid' });
  expect(loads.count).toBe(1);
});

it('reaches @kubernetes/client-node from one place, by one dynamic import', async () => {
  const root = join(import.meta.dirname, '../../../src');
  const files = (await readdir(root, { recursive: true })).filter((path) => path.endsWith('.ts'));
  const uses: string[] = [];
  for (const path of files) {
    for (const line of (await readFile(join(root, path), 'utf8')).split('\n')) {
      const isCode = /\bimport\b|\brequire\b|\bfrom\b/.test(line) && line.includes(LIBRARY);
      if (isCode && !/^import type |typeof import\(/.test(line)) uses.push(`${path}: ${line.trim()}`);
    }
  }
  expect(uses).toEqual([`client/kubeconfig.ts: return import('${LIBRARY}');`]);
});
