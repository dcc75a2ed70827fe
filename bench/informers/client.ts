/** The informers of one kind, one for each scenario. */
import process from 'node:process';
import { endWithParent, tellParent } from './child.ts';
import { type Follower, ours, theirs } from './followers.ts';
import type { FromClient, Heard, Seen, Target, ToClient, Whose } from './messages.ts';

interface Informed {
  readonly follower: Follower;
  readonly heard: readonly Heard[];
}

const crashes: string[] = [];
const informed = new Map<string, Informed>();

async function follow(whose: Whose, scenario: string, target: Target): Promise<void> {
  const heard: Heard[] = [];
  const onObject = (type: 'put' | 'delete', name: string, version: number): void => {
    heard.push({ name, version, isDelete: type === 'delete', at: Date.now() });
  };
  const following = { target, plural: 'configmaps', onObject } as const;
  const start =
    whose === 'ours'
      ? await ours(following, { shape: 'full', first: 'stream' })
      : await theirs(following, whose === 'theirs, restarted');
  informed.set(scenario, { follower: start(), heard });
}

function report(scenario: string): void {
  const { follower, heard = [] } = informed.get(scenario) ?? {};
  const seen: Seen = { heard, objects: follower?.objects() ?? {}, crashes };
  tellParent<FromClient>({ type: 'seen', scenario, seen });
}

endWithParent();
process.on('unhandledRejection', (reason) => crashes.push(String(reason)));
process.on('uncaughtException', (error) => crashes.push(String(error)));
process.on('message', (message: ToClient) => {
  if (message.type === 'report') report(message.scenario);
  else for (const [scenario, target] of Object.entries(message.targets)) void follow(message.whose, scenario, target);
});
