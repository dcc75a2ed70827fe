import { tellStory } from '../story/story.ts';
import { startControlPlanes } from './harness/control-planes.ts';

tellStory(async () => {
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
});
