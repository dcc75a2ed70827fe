import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the service says to one message: a status, with headers; or nothing, until it is let go. */
export type Answer = { readonly status: number; readonly headers?: Readonly<Record<string, string>> } | 'silence';

/** One message as it came, whatever was answered. */
interface Received {
  readonly method: string;
  readonly type: string;
  readonly body: string;
  readonly acknowledged: boolean;
}

/** A chat service on this machine. */
export interface Chat extends AsyncDisposable {
  /** Where to post to. The path is the secret, as it is with Slack. */
  readonly url: string;
  readonly secret: string;
  readonly received: readonly Received[];
  /** All lines of the messages that it has acknowledged. */
  readonly lines: readonly string[];
  /** What it says to the next messages, in their order; then `otherwise`. */
  answer(...answers: readonly Answer[]): void;
  /** What it says to every other message. At the start: 200. */
  otherwise: Answer;
}

const OK: Answer = { status: 200 };

/** Starts a service that takes messages as Slack does. */
export async function startChat(): Promise<Chat> {
  const secret = 'T000/B000/hunter2';
  const received: Received[] = [];
  const answers: Answer[] = [];
  const silent = new Set<ServerResponse>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const answer = answers.shift() ?? chat.otherwise;
    received.push({
      method: request.method ?? '',
      type: request.headers['content-type'] ?? '',
      body: Buffer.concat(chunks).toString('utf8'),
      acknowledged: answer !== 'silence' && answer.status === 200,
    });
    if (answer === 'silence') silent.add(response);
    else response.writeHead(answer.status, answer.headers).end(answer.status === 200 ? 'ok' : `no: /services/${secret}`);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve());
  });
  const { port } = server.address() as AddressInfo;
  const chat: Chat = {
    url: `http://127.0.0.1:${port}/services/${secret}`,
    secret,
    received,
    get lines() {
      return received.filter((each) => each.acknowledged).flatMap(({ body }) => textOf(body).split('\n'));
    },
    answer: (...next) => void answers.push(...next),
    otherwise: OK,
    async [Symbol.asyncDispose]() {
      for (const response of silent) response.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
  return chat;
}

/** What a message says. The service would refuse anything but this. */
function textOf(body: string): string {
  const message: unknown = JSON.parse(body);
  const { text, ...others } = message as Record<string, unknown>;
  if (typeof text !== 'string' || Object.keys(others).length > 0) throw new Error(`no message: ${body}`);
  return text;
}
