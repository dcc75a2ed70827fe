import { connect } from 'node:tls';

/** A request as its bytes are to stand on the wire. */
export interface RawRequest {
  readonly method: string;
  /** Whatever is to stand behind the method: nothing is escaped or put right. */
  readonly target: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: string | Buffer;
}

/** Where to send it. */
export interface Target {
  /** `https://127.0.0.1:…` */
  readonly server: string;
  readonly ca: string | Buffer;
  readonly token: string;
}

/** An answer, or what came of the connection instead. */
export interface RawAnswer {
  /** 0 where the connection ended without an answer. */
  readonly status: number;
  /** By name in small letters. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const MOST_MS = 20_000;

/** Sends a request over a connection of its own (HTTP/1.1), and reads the answer until the server ends it. */
export function sendRaw({ server, ca, token }: Target, request: RawRequest): Promise<RawAnswer> {
  const { hostname, port } = new URL(server);
  const { promise, resolve, reject } = Promise.withResolvers<RawAnswer>();
  const parts: Buffer[] = [];
  const socket = connect({ host: hostname, port: Number(port), ca, ALPNProtocols: ['http/1.1'] }, () => {
    for (const part of wireOf(request, `${hostname}:${port}`, token)) socket.write(part);
  });
  socket.setTimeout(MOST_MS, () => socket.destroy(new Error(`no answer to ${request.method} ${request.target.slice(0, 99)}`)));
  const isHead = request.method === 'HEAD';
  const done = (): void => resolve(parse(Buffer.concat(parts), isHead));
  socket.on('data', (part: Buffer) => parts.push(part));
  // Who answers before the body is there may break the connection afterwards.
  socket.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ECONNRESET' || error.code === 'EPIPE') done();
    else reject(error);
  });
  socket.on('close', done);
  return promise;
}

function wireOf({ method, target, headers = [], body }: RawRequest, host: string, token: string): readonly (string | Buffer)[] {
  const names = new Set(headers.map(([name]) => name.toLowerCase()));
  const common: readonly (readonly [string, string])[] = [
    ['host', host],
    ['connection', 'close'],
    ['user-agent', 'odd/1'],
    ['authorization', `Bearer ${token}`],
    ...(body === undefined ? [] : [['content-length', String(Buffer.byteLength(body))] as const]),
  ];
  const sent = [
    ...common.filter(([name]) => !names.has(name) && !(name === 'content-length' && names.has('transfer-encoding'))),
    ...headers,
  ];
  const head = `${method} ${target} HTTP/1.1\r\n${sent.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
  return [Buffer.from(head, 'latin1'), ...(body === undefined ? [] : [body])];
}

function parse(bytes: Buffer, isHead: boolean): RawAnswer {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return { status: 0, headers: {}, body: bytes.toString('latin1') };
  const [first = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const status = Number(first.split(' ')[1]);
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const rest = bytes.subarray(end + 4);
  // What comes first may only say that the body is wanted.
  if (status === 100) return parse(rest, isHead);
  const body = headers['transfer-encoding'] === 'chunked' && !isHead ? unchunked(rest) : rest;
  return { status, headers, body: body.toString('utf8') };
}

function unchunked(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.subarray(at, end).toString('latin1'), 16);
    if (end < 0 || !(size > 0)) break;
    parts.push(bytes.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
  return Buffer.concat(parts);
}
