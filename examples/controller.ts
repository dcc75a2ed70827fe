/**
 * The propagation controller over contexts of a kubeconfig: federated objects on the first become objects in the others.
 *
 * Run it with `node examples/controller.ts host eu-1 us-1`; `npx clusterset dev` gives you clusters to try it with.
 */
import process from 'node:process';
import { connectContext, connectEntry, kubeconfigSource } from 'clusterset/client';
import { installTypes, PropagationController } from 'clusterset/controllers/propagation';
import { BUILT_IN_FEDERATED_TYPES } from 'clusterset/federation';
import { ClusterSet } from 'clusterset/runtime';

const [hostContext, ...contexts] = process.argv.slice(2);
if (hostContext === undefined || contexts.length === 0) {
  console.error('usage: node controller.ts HOST MEMBER…\n(each a context of your kubeconfig)');
  process.exit(1);
}

const host = await connectContext({ context: hostContext });
const members = new ClusterSet({
  source: await kubeconfigSource({ contexts }),
  connect: (entry) => connectEntry(entry),
  onError: (cluster, error) => console.error(cluster, error instanceof Error ? error.message : error),
});
members.listen(({ type, member }) =>
  console.log(`${type} ${member.name}: ${member.state}${member.reason && `, ${member.reason}`}`),
);

const controller = new PropagationController({
  host,
  members,
  types: BUILT_IN_FEDERATED_TYPES,
  onError: (cluster, object, error) => console.error(cluster, object, error instanceof Error ? error.message : error),
});

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stopping.abort());

await installTypes(host, BUILT_IN_FEDERATED_TYPES, { signal: stopping.signal });
await controller.run(stopping.signal);
await members.stop();
await host.close();
