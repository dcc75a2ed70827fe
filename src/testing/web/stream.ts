import { type AnyObject, apiVersionOf, isRecord, type ListOptions } from '../../kube/plain/index.ts';
import type { Served } from '../api/catalogue.ts';
import type { Sent, Subscription } from '../api/watch.ts';
import { KINDS } from '../kinds/index.ts';
import { emptyObject } from '../schema/conform.ts';
import { JSON_TYPE, represented } from './answer.ts';
import type { Exchange } from './exchange.ts';
import { isTrue } from './options.ts';

const MOST_SECONDS = 2 ** 31 / 1000;

/** The events of a collection, a line each, for as long as the watch lasts. */
export function watchStream(exchange: Exchange, served: Served, options: ListOptions): Response {
  const { server, visit, query, request } = exchange;
  const { resourceVersionMatch, ...selection } = options;
  const wanted = {
    ...selection,
    ...(query.has('sendInitialEvents') ? { sendInitialEvents: isTrue(query.get('sendInitialEvents')) } : {}),
    ...(resourceVersionMatch === 'NotOlderThan' ? { resourceVersionMatch } : {}),
    allowWatchBookmarks: isTrue(query.get('allowWatchBookmarks')),
    timeoutSeconds: Math.min(MOST_SECONDS, Number(query.get('timeoutSeconds') ?? 0) || 0),
  };
  const subscription = visit.act(
    () => server.watch(served, wanted),
    undefined,
    (lost) => lost.end(),
  );
  request.signal.addEventListener('abort', () => subscription.end(), { once: true });
  const writer = new EventWriter(exchange, served);
  const stream = new ReadableStream<Uint8Array>({
    pull: (controller) => pull(exchange, writer, subscription, controller),
    cancel: () => subscription.end(),
  });
  return new Response(stream, { headers: { 'content-type': JSON_TYPE } });
}

const encoder = new TextEncoder();

async function pull(
  { door, visit, request }: Exchange,
  writer: EventWriter,
  subscription: Subscription,
  controller: ReadableStreamDefaultController<Uint8Array>,
): Promise<void> {
  const event = await subscription.next();
  if (event === undefined) {
    await door.network.deliverEnd(door.cluster, visit, request.signal);
    controller.close();
    return;
  }
  const line = encoder.encode(`${JSON.stringify(writer.write(event))}\n`);
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

/** Writes the events of one watch in the shape that the client asks for. */
class EventWriter {
  readonly #served: Served;
  readonly #shown: (object: AnyObject) => unknown;
  /** Whether a table has named its columns: only the first does. */
  #isNamed = false;

  constructor({ request, server }: Exchange, served: Served) {
    this.#served = served;
    this.#shown = (object) => represented(served, object, request, server.state.clock.now());
  }

  write(event: Sent): unknown {
    if (event.type === 'ERROR') return event;
    return { type: event.type, object: this.#object(event.type === 'BOOKMARK' ? this.#bookmark(event) : event.object) };
  }

  #object(object: AnyObject): unknown {
    const shown = this.#shown(object);
    if (!isTable(shown)) return shown;
    const isNamed = this.#isNamed;
    this.#isNamed = true;
    return isNamed ? { ...shown, columnDefinitions: null } : shown;
  }

  /** An object that says nothing but how far the watch is. */
  #bookmark({ resourceVersion, initialEventsEnd }: Sent & { readonly type: 'BOOKMARK' }): AnyObject {
    const { type, custom, schema, resource } = this.#served;
    const annotations = initialEventsEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
    const metadata = { resourceVersion, ...annotations };
    const empty = custom === undefined ? emptyObject(schema) : {};
    const counted = COUNTED.has(type.plural) && isRecord(empty.spec) ? { spec: { replicas: 0, ...empty.spec } } : {};
    return {
      kind: type.kind,
      apiVersion: apiVersionOf(type),
      ...empty,
      ...KINDS[resource]?.unsaid,
      ...counted,
      metadata,
    } as unknown as AnyObject;
  }
}

/** Kinds of which even nothing has a number of replicas. */
const COUNTED: ReadonlySet<string> = new Set(['deployments', 'replicasets', 'statefulsets']);

const isTable = (shown: unknown): shown is { readonly kind: 'Table' } => isRecord(shown) && shown.kind === 'Table';
