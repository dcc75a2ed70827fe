import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { registrySource } from 'clusterset/controllers/registry';
import type { Cluster } from 'clusterset/kube';
import { type Announced, type Announcement, type ClusterEntry, REGISTRY_KINDS } from 'clusterset/registry';
import { sleep, systemClock } from 'clusterset/runtime';
import { simulate, VirtualClock, type World } from 'clusterset/testing';
import { serve } from 'clusterset/testing/http';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { stringify } from 'yaml';
import { type BotOptions, runBot, type Store, textOf } from '../../examples/slack-controller/bot.ts';
import { fileStore } from '../../examples/slack-controller/file-store.ts';
import { readOptions } from '../../examples/slack-controller/options.ts';
import { probed } from '../../examples/slack-controller/probed.ts';
import { slackWebhook } from '../../examples/slack-controller/slack.ts';
import { type Answer, type Chat, startChat } from './chat.ts';
import { Program } from './program.ts';
import { installRegistry, Registry, tellSlackStory } from './slack-story.ts';

const PATIENCE = { timeout: 20_000 };
const KIND = REGISTRY_KINDS.cluster;
const MAIN = fileURLToPath(new URL('../../examples/slack-controller/main.ts', import.meta.url));

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'clusterset-slack-'));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

describe('the bot on an offline cluster', PATIENCE, () => {
  it('tells its story', { timeout: 60_000 }, async () => {
    await using world = await simulate({ host: {}, clock: systemClock });
    await tellSlackStory(world.connect('host'));
  });
});

describe('the bot, at a pace of our own,', PATIENCE, () => {
  let clock: VirtualClock;
  let chat: Chat;
  let world: World;
  let host: Cluster;
  let registry: Registry;
  let stored: Announced | undefined;
  let log: string[];
  let attempts: number[];
  let bots: AbortController[];

  beforeEach(async () => {
    clock = new VirtualClock();
    chat = await startChat();
    world = await simulate({ host: {}, clock });
    host = world.connect('host');
    await installRegistry(host);
    registry = new Registry(host);
    [stored, log, attempts, bots] = [undefined, [], [], []];
  });

  afterEach(async () => {
    for (const bot of bots) bot.abort();
    await chat[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  const memory: Store = {
    read: async () => stored,
    write: async (announced) => {
      stored = announced;
    },
  };

  /** Starts a bot. What comes back ends it. */
  function start(options: Partial<BotOptions> = {}): () => Promise<void> {
    const stopping = new AbortController();
    bots.push(stopping);
    const webhook = slackWebhook(chat.url, { clock });
    const running = runBot({
      source: registrySource({ host, kind: KIND, namespace: 'fleet', clock, random: () => 0 }),
      post: (message, signal) => {
        attempts.push(clock.now());
        return webhook(message, signal);
      },
      store: memory,
      clock,
      log: (line) => void log.push(line),
      signal: stopping.signal,
      ...options,
    });
    running.catch(() => undefined);
    return () => {
      stopping.abort();
      return running;
    };
  }

  /** Waits for what the network brings; the clock stands still meanwhile. */
  async function until(condition: () => boolean): Promise<void> {
    await vi.waitUntil(
      async () => {
        await clock.settle();
        return condition();
      },
      { ...PATIENCE, interval: 2 },
    );
  }

  const said = (count: number) => (): boolean => log.filter((line) => line.startsWith('said: ')).length === count;
  /** How long it waited between attempts, by its own clock. */
  const pauses = (): readonly number[] => attempts.slice(1).map((at, index) => at - (attempts[index] ?? 0));
  const names = (): readonly string[] => (stored?.clusters ?? []).map(({ name }) => name);

  it('sends a message again that the service could not take, until it can', async () => {
    chat.answer({ status: 500 }, { status: 503 });
    await registry.add('eu-1');
    start();
    await until(() => log.length === 1);
    expect([chat.received.length, chat.lines, names()]).toEqual([1, [], []]);
    await clock.advance('1s');
    await until(() => log.length === 2);
    await clock.advance('2s');
    await until(said(1));
    expect(chat.received.map(({ body }) => body)).toEqual(Array(3).fill('{"text":"Cluster eu-1 was added."}'));
    expect(pauses()).toEqual([1_000, 2_000]);
    expect(log).toEqual([
      'the chat service: it answered 500; again in 1 s',
      'the chat service: it answered 503; again in 2 s',
      'said: Cluster eu-1 was added.',
    ]);
    expect(names()).toEqual(['eu-1']);
  });

  it.each<[string, string, number]>([
    ['seconds', '30', 30],
    ['a date', 'Thu, 01 Jan 2026 00:01:00 GMT', 60],
    ['no time at all', '0', 1],
    ['a year', '31536000', 3600],
    ['nonsense', 'soon', 1],
  ])('leaves a service alone that asks for it: Retry-After with %s', async (_, retryAfter, seconds) => {
    chat.answer({ status: 429, headers: { 'retry-after': retryAfter } });
    await registry.add('eu-1');
    start();
    await until(() => log.length === 1);
    expect(log).toEqual([`the chat service: it answered 429; again in ${seconds} s`]);
    await clock.advance(seconds * 1000);
    await until(said(1));
    expect(pauses()).toEqual([seconds * 1000]);
    expect(chat.lines).toEqual(['Cluster eu-1 was added.']);
  });

  it('waits a minute at most, however long the service is down', async () => {
    chat.otherwise = { status: 404 };
    await registry.add('eu-1');
    start();
    const waits = [1, 2, 4, 8, 16, 32, 60, 60];
    for (const [index, seconds] of waits.entries()) {
      await until(() => log.length === index + 1);
      await clock.advance(seconds * 1000);
    }
    expect(pauses()).toEqual(waits.map((seconds) => seconds * 1000));
  });

  it('does not take a redirection for an acknowledgement, and does not follow it', async () => {
    chat.answer({ status: 307, headers: { location: `${chat.url}/elsewhere` } });
    await registry.add('eu-1');
    start();
    await until(() => log.length === 1);
    expect([chat.received.length, log[0]]).toEqual([1, 'the chat service: it answered 307; again in 1 s']);
  });

  it('sends a message again to which a slow service has said nothing: it may come twice, and is never lost', async () => {
    chat.answer('silence');
    await registry.add('eu-1');
    start();
    await until(() => chat.received.length === 1);
    await clock.advance('9s');
    expect(log).toEqual([]);
    await clock.advance('1s');
    await until(() => log.length === 1);
    expect([log[0], names()]).toEqual(['the chat service: no answer within 10 s; again in 1 s', []]);
    await clock.advance('1s');
    await until(said(1));
    expect(chat.received).toHaveLength(2);
    expect(pauses()).toEqual([11_000]);
  });

  it('tells what the difference is when the service is back, after what it was telling', async () => {
    chat.answer({ status: 500 });
    await registry.add('eu-1');
    start();
    await until(() => log.length === 1);
    await registry.add('ap-1');
    await registry.add('us-1');
    await registry.remove('ap-1');
    await registry.label('eu-1', { env: 'prod' });
    await clock.advance('1s');
    await until(said(2));
    expect(chat.lines).toEqual(['Cluster eu-1 was added.', 'Cluster eu-1 was changed: labels.', 'Cluster us-1 was added.']);
  });

  it('says in one message what happens at once, in messages of a bearable length', async () => {
    for (let index = 0; index < 45; index += 1) await registry.add(`eu-${index + 10}`);
    start();
    await until(said(3));
    expect(chat.received.map(({ body }) => JSON.parse(body).text.split('\n').length)).toEqual([20, 20, 5]);
    expect(chat.lines).toEqual(Array.from({ length: 45 }, (_, index) => `Cluster eu-${index + 10} was added.`));
  });

  it('repeats nothing after a restart, and says what has changed meanwhile', async () => {
    await registry.add('eu-1');
    await registry.add('us-1');
    const stop = start();
    await until(said(1));
    await stop();
    await registry.remove('us-1');
    await registry.say('eu-1', 'False', 'gone');
    start();
    await until(said(2));
    expect(chat.lines.slice(2)).toEqual(['Cluster eu-1 is unreachable: gone', 'Cluster us-1 was removed.']);
  });

  it('goes on in the middle after a restart', async () => {
    for (let index = 0; index < 30; index += 1) await registry.add(`eu-${index + 10}`);
    chat.answer({ status: 200 }, { status: 500 });
    const stop = start();
    await until(() => log.length === 2);
    await stop();
    expect(names()).toHaveLength(20);
    start();
    await until(said(2));
    expect(chat.lines).toEqual(Array.from({ length: 30 }, (_, index) => `Cluster eu-${index + 10} was added.`));
  });

  it.each<[string, Answer, () => boolean]>([
    ['is down', { status: 500 }, () => log.length === 1],
    ['says nothing', 'silence', () => chat.received.length === 1],
  ])('ends at once when it is told to, while the service %s', async (_, answer, condition) => {
    chat.otherwise = answer;
    await registry.add('eu-1');
    const stop = start();
    await until(condition);
    await expect(stop()).resolves.toBeUndefined();
    expect(names()).toEqual([]);
  });

  it('ends at once when it is told to, whatever sends its messages', async () => {
    await registry.add('eu-1');
    let asked = false;
    const post = (): Promise<never> => {
      asked = true;
      return new Promise(() => undefined);
    };
    const stop = start({ post });
    await until(() => asked);
    await expect(stop()).resolves.toBeUndefined();
  });

  it('says nothing more before it is noted what has been said', async () => {
    await registry.add('eu-1');
    let broken = false;
    const write: Store['write'] = async (announced) => {
      if (broken) throw new Error('the disk is full');
      stored = announced;
    };
    start({ store: { ...memory, write } });
    await until(said(1));
    broken = true;
    await registry.add('us-1');
    await until(() => log.some((line) => line === 'the store: the disk is full; again in 1 s'));
    await registry.add('us-2');
    broken = false;
    await clock.settle();
    expect([chat.lines.length, names()]).toEqual([2, ['eu-1']]);
    await clock.advance('1s');
    await until(said(3));
    expect(chat.lines).toEqual(['eu-1', 'us-1', 'us-2'].map((name) => `Cluster ${name} was added.`));
  });

  it('says nothing at all where nothing can be noted', async () => {
    await registry.add('eu-1');
    const write = (): Promise<never> => Promise.reject(new Error('read only'));
    await expect(
      runBot({
        source: registrySource({ host, kind: KIND, clock }),
        post: slackWebhook(chat.url, { clock }),
        store: { ...memory, write },
        signal: new AbortController().signal,
        clock,
      }),
    ).rejects.toThrowError('read only');
    expect(chat.received).toEqual([]);
  });

  it('never writes the webhook anywhere', async () => {
    await registry.add('eu-1');
    await chat[Symbol.asyncDispose]();
    start();
    await until(() => log.length === 1);
    expect(log).toEqual(['the chat service: no connection (ECONNREFUSED); again in 1 s']);
    chat = await startChat();
  });
});

describe('a webhook', () => {
  it.each(['', 'hunter2', 'ftp://example.com/hunter2', 'https://user:hunter2@example.com/', 'http://exa mple/hunter2'])(
    'is refused without being quoted: %j',
    (url) => {
      expect(() => slackWebhook(url)).toThrowError(/^(?!.*hunter2).*no http:\/\/ or https:\/\/ URL/);
    },
  );
});

describe('what is said', () => {
  it.each<[Announcement, string]>([
    [{ type: 'added', cluster: 'fleet/eu-1' }, 'Cluster fleet/eu-1 was added.'],
    [{ type: 'changed', cluster: 'a', fields: ['labels', 'region'] }, 'Cluster a was changed: labels, region.'],
    [{ type: 'removed', cluster: 'a' }, 'Cluster a was removed.'],
    [{ type: 'reachable', cluster: 'a' }, 'Cluster a is reachable again.'],
    [{ type: 'unreachable', cluster: 'a' }, 'Cluster a is unreachable.'],
    [{ type: 'unreachable', cluster: 'a', reason: 'Lost', message: '' }, 'Cluster a is unreachable: Lost'],
    [
      { type: 'unreachable', cluster: 'a', message: 'it\'s "down" &\n\u0007<!channel>' },
      'Cluster a is unreachable: it\'s "down" &amp; &lt;!channel&gt;',
    ],
    [{ type: 'unreachable', cluster: 'a', message: 'x'.repeat(400) }, `Cluster a is unreachable: ${'x'.repeat(300)}…`],
  ])('of %j is one short line that calls nobody', (announcement, text) => {
    expect(textOf(announcement)).toBe(text);
  });
});

describe('the file that remembers', () => {
  const empty: Announced = { version: 1, clusters: [] };

  it("is for its owner's eyes only, and is replaced as a whole", async () => {
    const at = folder();
    const file = join(at, 'announced.json');
    const store = fileStore(file);
    expect(await store.read()).toBeUndefined();
    writeFileSync(`${file}.${process.pid}.tmp`, 'of an earlier end', { mode: 0o644 });
    await store.write(empty);
    const announced: Announced = { version: 1, clusters: [{ name: '__proto__', ready: true, fields: { labels: '' } }] };
    await store.write(announced);
    expect(await store.read()).toEqual(announced);
    expect([readdirSync(at), statSync(file).mode & 0o777]).toEqual([['announced.json'], 0o600]);
  });

  it('stays as it was when it can not be replaced', async () => {
    const at = folder();
    const file = join(at, 'announced.json');
    const store = fileStore(file);
    await store.write(empty);
    mkdirSync(`${file}.${process.pid}.tmp`);
    await expect(store.write({ version: 1, clusters: [{ name: 'a', ready: true, fields: {} }] })).rejects.toThrowError();
    expect(await store.read()).toEqual(empty);
  });

  it.each([
    ['{"version":1,"clu', /it is no JSON/],
    ['{"version":7}', /no record of announcements/],
  ])('is not taken for an empty one when it is broken: %s', async (content, message) => {
    const file = join(folder(), 'announced.json');
    writeFileSync(file, content);
    await expect(fileStore(file).read()).rejects.toThrowError(message);
    expect(readFileSync(file, 'utf8')).toBe(content);
  });
});

describe('asking the clusters themselves', () => {
  it('finds who is unreachable, whatever the registry says, and never takes for gone who has not been asked', async () => {
    await using world = await simulate({ members: { 'eu-1': {}, 'us-1': {} } });
    const clock = world.clock as VirtualClock;
    let entries: readonly ClusterEntry[] = world.entries;
    let wake = (): void => undefined;
    const stopping = new AbortController();
    const source = {
      async *watch() {
        while (!stopping.signal.aborted) {
          yield entries;
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      },
    };
    const looks: string[] = [];
    const connect = async (entry: ClusterEntry): Promise<Cluster> => {
      await sleep(clock, entry.name === 'us-1' ? 500 : 100);
      return world.connect(entry);
    };
    const running = (async () => {
      for await (const look of probed({ source, connect, clock }).watch(stopping.signal)) {
        looks.push(look.map(({ name, conditions }) => `${name}=${conditions?.map(({ status }) => status)}`).join(' '));
      }
    })();
    using cut = world.partition('us-1');
    await clock.advance('1s');
    expect(looks).toEqual(['eu-1=True us-1=False']);
    cut[Symbol.dispose]();
    await clock.advance('20s');
    expect(looks.at(-1)).toBe('eu-1=True us-1=True');
    const lost = world.partition('eu-1');
    await clock.advance('15s');
    expect(looks.at(-1)).toBe('eu-1=True us-1=True');
    await clock.advance('20s');
    expect(looks.at(-1)).toBe('eu-1=False us-1=True');

    // Another address: the connection is made anew, and the cluster is what it was until it has been asked.
    looks.length = 0;
    entries = entries.map((entry) => ({ ...entry, endpoints: [{ server: 'https://elsewhere.example.com' }] }));
    wake();
    await clock.settle();
    lost[Symbol.dispose]();
    await clock.advance('20s');
    expect(new Set(looks)).toEqual(new Set(['eu-1=False us-1=True', 'eu-1=True us-1=True']));

    entries = entries.slice(1);
    wake();
    await clock.settle();
    expect(looks.at(-1)).toBe('us-1=True');
    stopping.abort();
    wake();
    await running;
  });
});

describe('the program', PATIENCE, () => {
  it('runs until Ctrl-C, repeats nothing when it is started again, and keeps its secret while the service is down', async () => {
    await using world = await simulate({ host: {}, clock: systemClock });
    await using served = await serve([world.cluster('host')]);
    await using chat = await startChat();
    const at = folder();
    const registry = new Registry(world.connect('host'));
    await installRegistry(world.connect('host'));
    writeFileSync(join(at, 'kubeconfig'), stringify(served.kubeconfig()), { mode: 0o600 });
    const options = ['--kubeconfig', join(at, 'kubeconfig'), '--context', 'host', '--state', join(at, 'announced.json')];
    const start = (...more: readonly string[]): Program => {
      const program = new Program(MAIN, [...options, ...more], { SLACK_URL: chat.url });
      onTestFinished(() => program.kill());
      return program;
    };

    await registry.add('eu-1');
    const first = start();
    await vi.waitUntil(() => first.output === 'said: Cluster fleet/eu-1 was added.\n', PATIENCE);
    expect([await first.interrupt(), first.errors]).toEqual([0, '']);

    chat.otherwise = { status: 500 };
    await registry.add('us-1');
    const second = start('--probe');
    await vi.waitUntil(() => second.output.includes('it answered 500'), PATIENCE);
    expect(await second.interrupt()).toBe(0);
    expect(second.output + second.errors).not.toContain(chat.secret);
    expect(chat.lines).toEqual(['Cluster fleet/eu-1 was added.']);
  });

  it('says how it is called', async () => {
    const program = new Program(MAIN, ['--state', 'x', '--kind', 'node'], { SLACK_URL: 'http://127.0.0.1/hunter2' });
    onTestFinished(() => program.kill());
    expect(await program.ended()).toBe(2);
    expect([program.output, program.errors]).toEqual(['', expect.stringMatching(/^error: --kind is none of .*\n\nusage: /)]);
  });
});

describe('the options', () => {
  const url = 'http://127.0.0.1/hunter2';

  it('are read', () => {
    const all = ['--state=x', '--kubeconfig=k', '--context=c', '--kind=clusterprofile', '--namespace=n', '--probe'];
    expect(readOptions(all, { SLACK_URL: url })).toEqual({
      url,
      state: 'x',
      probe: true,
      where: { context: 'c', kubeconfig: 'k' },
      registry: { kind: REGISTRY_KINDS.clusterprofile, namespace: 'n' },
    });
    const few = { url, state: 'x', probe: false, where: {}, registry: { kind: KIND } };
    expect(readOptions(['--state', 'x', '--slack-url', url], { SLACK_URL: 'http://127.0.0.1/other' })).toEqual(few);
  });

  it.each<[string, readonly string[], string, RegExp, number]>([
    ['no webhook', ['--state', 'x'], '', /^error: SLACK_URL is not set/, 2],
    ['no file', [], url, /^error: --state is missing/, 2],
    ['a kind that is none', ['--state', 'x', '--kind', '__proto__'], url, /^error: --kind is none of cluster, clusterprofile/, 2],
    ['the webhook in the wrong place', [url], '', /^error: there are only options/, 2],
    ['an option that is none', [`--slack=${url}`], '', /^error: Unknown option/, 2],
    ['a switch with a value', [`--probe=${url}`], '', /^error: /, 2],
    ['a question', ['--help'], '', /^usage/, 0],
  ])('are explained, and the webhook is not quoted, for %s', (_, args, SLACK_URL, text, exitCode) => {
    const ending = readOptions(args, { SLACK_URL });
    expect(ending).toEqual({ text: expect.stringMatching(text), exitCode });
    expect(JSON.stringify(ending)).not.toContain('hunter2');
  });
});
