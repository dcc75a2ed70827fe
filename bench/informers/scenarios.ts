import { setTimeout as wait } from 'node:timers/promises';
import { failure } from 'clusterset/kube';
import type { StoryServer } from './story-server.ts';

/** How long informers have to come to rest after the last change. */
const SETTLE_MS = 15_000;
const SILENCE_MS = 120_000;
/** The longest that either of them lets a silent watch be is 150 s; two minutes of them are over when the network is back. */
const AFTER_SILENCE_MS = 50_000;

interface Scenario {
  /** How its name stands in the table. */
  readonly title: string;
  readonly story: (server: StoryServer) => Promise<unknown>;
}

/** Ten changes, trouble during twenty, and ten more. */
async function around(server: StoryServer, trouble: () => Promise<unknown>): Promise<void> {
  await server.watched;
  await server.change(10);
  await trouble();
  await server.change(10);
  await wait(SETTLE_MS);
}

const refused = (code: number) => (server: StoryServer) =>
  around(server, async () => {
    server.refuse({ code, of: 'watch' });
    server.endWatches();
    await server.change(20);
    server.refuse(undefined);
  });

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  429: { title: 'watch answered 429, Retry-After', story: refused(429) },
  500: { title: 'watch answered 500', story: refused(500) },
  error500: {
    title: 'ERROR 500 in the watch',
    story: (server) =>
      around(server, async () => {
        server.endWatches(failure('InternalError', 'etcdserver: request timed out'));
        await server.change(20);
        server.letWatch();
      }),
  },
  error410: { title: 'ERROR 410 in the watch', story: (server) => around(server, () => server.forget(20)) },
  reset: {
    title: 'reset in mid-event, twice',
    story: (server) =>
      around(server, async () => {
        await server.breakOff();
        await server.change(9);
        await server.breakOff();
        await server.change(9);
      }),
  },
  503: {
    title: 'first list answered 503',
    async story(server) {
      server.refuse({ code: 503, of: 'list' });
      await server.asked;
      await server.change(20, 150, { deletes: false });
      server.refuse(undefined);
      // What is deleted before an informer has seen it is none of its business.
      await Promise.race([server.watched, wait(SETTLE_MS)]);
      await server.change(20);
      await wait(SETTLE_MS);
    },
  },
  silence: {
    title: 'silent for 2 min, half-open',
    async story(server) {
      await server.watched;
      await server.change(10);
      await server.silence(20, SILENCE_MS / 20);
      await server.change(10);
      await wait(AFTER_SILENCE_MS);
    },
  },
  quiet: {
    title: 'nothing happens for 2 min',
    async story(server) {
      await server.watched;
      await server.change(10);
      await wait(SILENCE_MS);
      await server.change(10);
      await wait(SETTLE_MS / 5);
    },
  },
};
