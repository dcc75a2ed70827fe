import { apiVersionOf, type ListOptions } from '../../kube/index.ts';
import type { Served } from '../api/catalogue.ts';
import type { Sent, Subscription } from '../api/watch.ts';
import { JSON_TYPE, represented } from './answer.ts';
import type { Exchange } from './exchange.ts';
import { isTrue } from './options.ts';

const MOST_SECONDS = 2 ** 31 / 1000;

/** The events of a collection, a line each, for as long as the watch lasts. */
export function watchStream(exchange: Exchange, served: Served, options: ListOptions): Response {
  const { server, visit, query, request } = exchange;
  const { resourceVersionMatch, ...selection } = options;
  const subscription = visit.act(() =>
    server.watch(served, {
      ...selection,
      ...(query.has('sendInitialEvents') ? { sendInitialEvents: isTrue(query.get('sendInitialEvents')) } : {}),
      ...(resourceVersionMatch === 'NotOlderThan' ? { resourceVersionMatch } : {}),
      allowWatchBookmarks: isTrue(query.get('allowWatchBookmarks')),
      timeoutSeconds: Math.min(MOST_SECONDS, Number(query.get('timeoutSeconds') ?? 0) || 0),
    }),
  );
  request.signal.addEventListener('abort', () => subscription.end(), { once: true });
  const stream = new ReadableStream<Uint8Array>({
    pull: (controller) => pull(exchange, served, subscription, controller),
    cancel: () => subscription.end(),
  });
  return new Response(stream, { headers: { 'content-type': JSON_TYPE } });
}

const encoder = new TextEncoder();

async function pull(
  { server, door, visit, request }: Exchange,
  served: Served,
  subscription: Subscription,
  controller: ReadableStreamDefaultController<Uint8Array>,
): Promise<void> {
  const event = await subscription.next();
  if (event === undefined) {
    controller.close();
    return;
  }
  const line = encoder.encode(`${JSON.stringify(wireEvent(event, served, request, server.state.clock.now()))}\n`);
  try {
    await door.network.deliver(door.cluster, visit, subscription, request.signal);
    controller.enqueue(line);
  } catch (error) {
    // The connection breaks in the middle of the event.
    subscription.end();
    controller.enqueue(line.subarray(0, line.length >> 1));
    controller.error(error);
  }
}

function wireEvent(event: Sent, served: Served, request: Request, now: number): unknown {
  if (event.type === 'ERROR') return event;
  if (event.type !== 'BOOKMARK') return { type: event.type, object: represented(served, event.object, request, now) };
  const annotations = event.initialEventsEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
  const metadata = { resourceVersion: event.resourceVersion, creationTimestamp: null, ...annotations };
  return { type: 'BOOKMARK', object: { kind: served.type.kind, apiVersion: apiVersionOf(served.type), metadata } };
}
