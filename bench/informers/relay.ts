import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

/** The network between a client and a server: what it passes on can be broken off, or stop coming while the connection stays. */
export class Relay {
  readonly #server = createServer((client) => this.#accept(client));
  readonly #pairs = new Set<Pair>();
  readonly #to: number;
  #isSilent = false;

  constructor(to: number) {
    this.#to = to;
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Breaks all connections (TCP RST). */
  reset(): void {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy();
      server.destroy();
    }
    this.#pairs.clear();
  }

  /** From now on nothing is passed on, and nobody is told. */
  silence(): void {
    this.#isSilent = true;
    for (const pair of this.#pairs) swallow(pair);
    this.#pairs.clear();
  }

  /** New connections work again; of the old ones the network knows nothing any more. */
  heal(): void {
    this.#isSilent = false;
  }

  #accept(client: Socket): void {
    client.on('error', () => undefined);
    if (this.#isSilent) {
      client.resume();
      return;
    }
    const server = connect(this.#to, '127.0.0.1');
    const pair = { client, server };
    this.#pairs.add(pair);
    server.on('error', () => client.destroy());
    client.pipe(server).pipe(client);
    const end = (): void => {
      // A pair that was swallowed isn't known any more: its ends don't hear of each other.
      if (!this.#pairs.delete(pair)) return;
      client.destroy();
      server.destroy();
    };
    client.once('close', end);
    server.once('close', end);
  }
}

/** What comes is read and thrown away, so that nobody notices. */
function swallow({ client, server }: Pair): void {
  client.unpipe(server);
  server.unpipe(client);
  client.resume();
  server.resume();
}
