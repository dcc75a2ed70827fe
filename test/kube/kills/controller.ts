/**
 * The propagation controller as a program of its own, which can be killed: `node controller.ts KUBECONFIG`. The current context is the host, the
 * others are its members. Node runs this file as it is, so it imports the sources by their path.
 */
import process from 'node:process';
import { connectContext, connectEntry, kubeconfigSource, readKubeconfig } from '../../../src/client/index.ts';
import { PropagationController } from '../../../src/controllers/propagation/index.ts';
import { ClusterSet } from '../../../src/runtime/index.ts';
import { TYPES } from './federated.ts';

const [kubeconfig = ''] = process.argv.slice(2);
const say = (...words: readonly string[]): void => {
  process.stdout.write(`${new Date().toISOString()} ${words.join(' ')}\n`);
};
const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const { contexts, currentContext = '' } = await readKubeconfig(kubeconfig);
const host = await connectContext({ kubeconfig, context: currentContext });
const members = new ClusterSet({
  source: await kubeconfigSource({ kubeconfig, contexts: contexts.filter((each) => each !== currentContext) }),
  connect: (entry) => connectEntry(entry),
  random: Math.random,
  // Often enough that a member is found to be gone in some rounds, and isn't missed in others.
  probe: { intervalMs: 1000 },
  onError: (cluster, error) => say(cluster, wordsOf(error)),
});
members.listen(({ type, member: { name, state, reason } }) => say(type, name, state, reason));
const controller = new PropagationController({
  host,
  members,
  types: TYPES,
  random: Math.random,
  onError: (cluster, object, error) => say(cluster, object, wordsOf(error)),
});
const stopping = new AbortController();
process.once('SIGTERM', () => stopping.abort());
say('it runs');
await controller.run(stopping.signal);
await members.stop();
await host.close();
