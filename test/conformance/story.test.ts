import { startOffline } from '../../src/cli/offline.ts';
import { tellStory } from '../story/story.ts';

tellStory(async () => {
  const world = await startOffline(['host', 'eu-1', 'us-1']);
  const away = new Map<string, Disposable>();
  return {
    kubeconfig: world.kubeconfig,
    connect: (name) => world.cluster(name).connect(),
    lose: async (name) => {
      away.set(name, world.cluster(name).network.cut());
    },
    restore: async (name) => {
      away.get(name)?.[Symbol.dispose]();
    },
    close: async () => world[Symbol.asyncDispose](),
  };
});
