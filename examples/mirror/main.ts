/**
 * Copies ConfigMaps with the label `mirror.example.dev/original=true` from a host to its members.
 *
 * Run it with `node examples/mirror/main.ts HOST MEMBER…`, each a context of your kubeconfig; `npx clusterset dev` gives you clusters to try it
 * with. Several may run: one of them works, and another takes over when it ends. PORT serves /metrics, /healthz and /readyz.
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { hostname } from 'node:os';
import process from 'node:process';
import { connectContext, connectEntry, kubeconfigSource } from 'clusterset/client';
import { ClusterSet, consoleLogger, fenced, logObserver, Manager, Metrics, systemClock } from 'clusterset/runtime';
import { mirror } from './mirror.ts';

const [hostContext, ...contexts] = process.argv.slice(2);
if (hostContext === undefined || contexts.length === 0) {
  console.error('usage: node main.ts HOST MEMBER…\n(each a context of your kubeconfig)');
  process.exit(1);
}

const log = consoleLogger({ clock: systemClock, format: 'text', write: (line) => process.stdout.write(`${line}\n`) });
const host = await connectContext({ context: hostContext });
const identity = `${hostname()}_${randomUUID()}`;
const manager = new Manager({
  random: Math.random,
  log,
  observe: logObserver(log),
  metrics: new Metrics(),
  election: { cluster: host, namespace: 'default', name: 'mirror', identity },
});
const members = new ClusterSet({
  source: await kubeconfigSource({ contexts }),
  // Whoever doesn't lead, or not any more, can read, and can't write.
  connect: async (entry) => fenced(await connectEntry(entry, { observe: manager.observe }), manager.fence),
  observe: manager.observe,
});
manager.use(members).add(mirror(host, members));

const server = createServer(async (request, response) => {
  const answer = await manager.handle(
    new Request(new URL(request.url ?? '/', 'http://localhost'), { method: request.method ?? 'GET' }),
  );
  response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
});
const port = Number(process.env.PORT ?? 0);
if (port > 0) server.listen(port, '127.0.0.1');

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stopping.abort());
try {
  await manager.run(stopping.signal);
} finally {
  server.close();
  await host.close();
}
