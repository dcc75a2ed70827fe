import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { CommandFailure, reasonOf } from './failure.ts';

/** Where a server listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `127.0.0.1:8080`, `[::1]:8080`, or `:8080` for all addresses. `undefined` for what is none. */
export function readAddress(text: string): Address | undefined {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? [];
  const number = Number(port);
  if (port === undefined || number > 65_535) return undefined;
  return { host: bracketed ?? (plain || '::'), port: number };
}

/**
 * Serves a handle over plain HTTP. Bodies of requests aren't read: there is nothing to be told.
 *
 * @throws CommandFailure where the address can't be listened on.
 */
export async function listen(
  { host, port }: Address,
  handle: (request: Request) => Promise<Response>,
): Promise<{ readonly port: number; readonly close: () => Promise<void> }> {
  const server = createServer((request, response) => {
    void answer(request, response, handle).catch(() => response.destroy());
  });
  // Whoever sends half of a request has no place for ever.
  server.requestTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(new CommandFailure([`--listen ${host}:${port}: ${reasonOf(error)}`])));
    server.listen(port, host, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  { method = 'GET', url = '/' }: IncomingMessage,
  response: ServerResponse,
  handle: (request: Request) => Promise<Response>,
): Promise<void> {
  if (method !== 'GET' && method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end();
    return;
  }
  if (!URL.canParse(url, 'http://localhost')) {
    response.writeHead(400).end();
    return;
  }
  const said = await handle(new Request(new URL(url, 'http://localhost'), { method }));
  response.writeHead(said.status, Object.fromEntries(said.headers)).end(await said.text());
}
