import { describe, it } from 'vitest';
import { type Stage, tellStory } from '../story/story.ts';
import { canRollOut } from './harness/binaries.ts';
import { startControlPlanes } from './harness/control-planes.ts';

async function start(): Promise<Stage> {
  const planes = await startControlPlanes([
    { name: 'host' },
    { name: 'eu-1', controllers: true },
    { name: 'us-1', controllers: true },
  ]);
  return {
    kubeconfig: planes.kubeconfig,
    connect: (name) => planes.connect(name),
    lose: (name) => planes.killApiServer(name),
    restore: (name) => planes.startApiServer(name),
    close: () => planes.stop(),
  };
}

if (canRollOut()) tellStory(start);
else {
  describe('one application on several clusters', () => {
    it.skip('needs controllers and nodes, which KUBEBUILDER_ASSETS has not: unset it to build them with Go', () => undefined);
  });
}
