import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from 'clusterset/runtime';
import { simulate } from 'clusterset/testing';
import { serve } from 'clusterset/testing/http';
import { stringify } from 'yaml';
import { type MirrorStage, tellOfMirror } from '../story/mirror.ts';

async function start(): Promise<MirrorStage> {
  const world = await simulate({ host: {}, members: { 'eu-1': {}, 'us-1': {} }, clock: systemClock });
  const served = await serve(['host', 'eu-1', 'us-1'].map((name) => world.cluster(name)));
  const folder = mkdtempSync(join(tmpdir(), 'clusterset-mirror-'));
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, stringify(served.kubeconfig()), { mode: 0o600 });
  return {
    kubeconfig,
    connect: (name) => world.connect(name),
    close: async () => {
      await served.close();
      await world[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}

tellOfMirror(start, { crash: false });
