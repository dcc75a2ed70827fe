/** A file that remembers what has been said. */
import { open, readFile, rename, rm } from 'node:fs/promises';
import { parseAnnounced } from 'clusterset/registry';
import type { Store } from './bot.ts';

/** A store in a file, for its owner's eyes only. It is replaced as a whole, so that it is never half written, whenever the process ends. */
export function fileStore(path: string): Store {
  return {
    async read() {
      const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      });
      if (text === undefined) return undefined;
      try {
        return parseAnnounced(JSON.parse(text));
      } catch (error) {
        const why = error instanceof SyntaxError ? 'it is no JSON' : (error as Error).message;
        throw new Error(`${path} can't be used: ${why}. Without the file every cluster is announced as if it were new`, {
          cause: error,
        });
      }
    },
    async write(announced) {
      const draft = `${path}.${process.pid}.tmp`;
      await rm(draft, { force: true });
      const file = await open(draft, 'wx', 0o600);
      try {
        await file.writeFile(`${JSON.stringify(announced)}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(draft, path);
    },
  };
}
