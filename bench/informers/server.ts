/** API servers with stories to tell, each behind a network of its own: one for every scenario and informer. */
import process from 'node:process';
import { certificates } from '../../test/unit/client/certificates.ts';
import { startServer } from '../../test/unit/client/server.ts';
import { endWithParent, tellParent } from './child.ts';
import type { FromServer } from './messages.ts';
import { Relay } from './relay.ts';
import { SCENARIOS } from './scenarios.ts';
import { StoryServer } from './story-server.ts';

endWithParent();
const informers = process.argv.slice(2);
const { ca, server: certificate } = await certificates();
const servers: Record<string, string> = {};
for (const informer of informers) {
  for (const [name, { story }] of Object.entries(SCENARIOS)) {
    const key = `${informer}/${name}`;
    const behind = await startServer(() => undefined, { certificate });
    const relay = new Relay(behind.port);
    const server = new StoryServer(relay);
    behind.handler = server.handler;
    servers[key] = await relay.listen();
    const tell = async (): Promise<void> => {
      await story(server);
      tellParent<FromServer>({ type: 'told', key, told: server.told() });
    };
    void tell();
  }
}
tellParent<FromServer>({ type: 'ready', ca, servers });
