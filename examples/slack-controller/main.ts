/**
 * Tells a channel of a chat when a cluster is added to a registry, changed, removed, or can't be reached. See README.md.
 */
import process from 'node:process';
import { connectContext, connectEntry } from 'clusterset/client';
import { registrySource } from 'clusterset/controllers/registry';
import { type Cluster, formatKey, type Issue, type ObjectKey } from 'clusterset/kube';
import type { ClusterEntry } from 'clusterset/registry';
import { runBot } from './bot.ts';
import { fileStore } from './file-store.ts';
import { type Options, readOptions } from './options.ts';
import { probed } from './probed.ts';
import { slackWebhook } from './slack.ts';

const options = readOptions(process.argv.slice(2), process.env);
let mistakes: ReadonlySet<string> = new Set();

if ('exitCode' in options) {
  console[options.exitCode === 0 ? 'log' : 'error'](options.text);
  process.exitCode = options.exitCode;
} else {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stopping.abort());
  await run(options, stopping.signal).catch((error: unknown) => {
    complain('error', error);
    process.exitCode = 1;
  });
}

async function run({ url, state, probe, where, registry }: Options, signal: AbortSignal): Promise<void> {
  const post = slackWebhook(url);
  const host = await connectContext(where);
  try {
    const registered = registrySource({ host, ...registry, onIssues, onError: (error) => complain('the registry', error) });
    const connect = (entry: ClusterEntry): Promise<Cluster> => connectEntry(entry, { host });
    const source = probe ? probed({ source: registered, connect, onError: complain }) : registered;
    await runBot({ source, post, store: fileStore(state), signal, log: (line) => console.log(line) });
  } finally {
    await host.close();
  }
}

/** They come with every change of the registry: each is worth one line. */
function onIssues(issues: readonly (Issue & { readonly object: ObjectKey })[]): void {
  const lines = issues.map(({ object, field, message }) => `${formatKey(object)}: ${field} ${message}`);
  for (const line of lines) if (!mistakes.has(line)) console.error(line);
  mistakes = new Set(lines);
}

function complain(about: string, what: unknown): void {
  console.error(`${about}: ${what instanceof Error ? what.message : String(what)}`);
}
