import { it } from 'vitest';
import { tellSlackStory } from '../examples/slack-story.ts';
import { startControlPlanes } from './harness/control-planes.ts';

it('a bot tells a chat what happens to the clusters of a registry on a real API server', async () => {
  const planes = await startControlPlanes([{ name: 'host' }]);
  const host = planes.connect('host');
  try {
    await tellSlackStory(host);
  } finally {
    await host.close();
    await planes.stop();
  }
});
