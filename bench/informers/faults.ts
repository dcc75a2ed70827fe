import { Child } from './child.ts';
import type { FromClient, FromServer, Seen, Target, ToClient, Told, Whose } from './messages.ts';
import { SCENARIOS } from './scenarios.ts';

const INFORMERS: readonly Whose[] = ['ours', 'theirs', 'theirs, restarted'];

/** What each of them hears, scenario by scenario. */
export async function meetFaults(): Promise<readonly string[]> {
  const server = new Child<never, FromServer>(new URL('./server.ts', import.meta.url), [], INFORMERS);
  const clients = new Map<Whose, Child<ToClient, FromClient>>();
  try {
    const { ca, servers } = await server.hear((message) => message.type === 'ready');
    for (const whose of INFORMERS) {
      const client = new Child<ToClient, FromClient>(new URL('./client.ts', import.meta.url));
      clients.set(whose, client);
      const targets = Object.keys(SCENARIOS).map((name): [string, Target] => [
        name,
        { server: servers[`${whose}/${name}`] ?? '', ca },
      ]);
      client.tell({ type: 'follow', whose, targets: Object.fromEntries(targets) });
    }
    const rows = Object.entries(SCENARIOS).map(async ([name, { title }]) => {
      const cells = [...clients].map(async ([whose, client]) => {
        const { told } = await server.hear(
          (message): message is Extract<FromServer, { type: 'told' }> =>
            message.type === 'told' && message.key === `${whose}/${name}`,
        );
        client.tell({ type: 'report', scenario: name });
        const { seen } = await client.hear((message): message is FromClient => message.scenario === name);
        return cell(told, seen);
      });
      return row(title, await Promise.all(cells));
    });
    return [row('changes heard of', INFORMERS), ...(await Promise.all(rows)), LEGEND];
  } finally {
    server.end();
    for (const client of clients.values()) client.end();
  }
}

const LEGEND =
  '(heard of / made; how long after it could be heard the last of them was; lists + streamed lists + watches that were asked for)';

const row = (title: string, cells: readonly string[]): string =>
  [title.padEnd(34), ...cells.map((each) => each.padEnd(36))].join('').trimEnd();

/** `40/40, 1.2 s, 1+0+3`, and what is wrong. */
function cell({ changes, objects, lists, streams, watches }: Told, { heard, objects: known, crashes }: Seen): string {
  let found = 0;
  let late = 0;
  for (const { name, version, isDelete, at } of changes) {
    const news = heard.find((each) => each.name === name && each.isDelete === isDelete && (isDelete || each.version >= version));
    if (news === undefined) continue;
    found += 1;
    late = Math.max(late, news.at - at);
  }
  const names = new Set([...Object.keys(objects), ...Object.keys(known)]);
  const isEqual = [...names].every((name) => objects[name] === known[name]);
  return [
    `${found}/${changes.length}`,
    `${(late / 1000).toFixed(1)} s`,
    `${lists}+${streams}+${watches}`,
    ...(isEqual ? [] : ['DIFFERS']),
    ...(crashes.length === 0 ? [] : [`crashed: ${crashes[0]}`]),
  ].join(', ');
}
