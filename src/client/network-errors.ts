import { ClustersetError } from '../kube/index.ts';

const NETWORK: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was reset',
  ENOTFOUND: 'its name does not resolve',
  EAI_AGAIN: 'its name does not resolve',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no route to it',
  ETIMEDOUT: 'the connection timed out',
  UND_ERR_CONNECT_TIMEOUT: 'the connection timed out',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  UND_ERR_SOCKET: 'the connection was closed',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS',
};

const TLS_ERROR = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS|SSL/;

/** What a failed connection is called: the address, and the reason in words. */
export function unreachable(error: unknown, cluster: string, origin: string): ClustersetError {
  const cause = error as { code?: string; cause?: { code?: string } };
  const code = cause.code ?? cause.cause?.code ?? '';
  const isTls = TLS_ERROR.test(code) && NETWORK[code] === undefined;
  const why = isTls
    ? `its certificate was not accepted (${code})`
    : (NETWORK[code] ?? `the connection failed${code === '' ? '' : ` (${code})`}`);
  return new ClustersetError({ code: 'Unreachable', message: `${why} at ${origin}`, cluster, cause: error });
}

const NOT_CONNECTED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'ERR_SSL_WRONG_VERSION_NUMBER',
]);

/** What is said of a certificate while a connection is made, before anything else. */
const NOT_TRUSTED = /^(?:CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(?:GET|VERIFY)_|ERR_TLS_CERT_|HOSTNAME_MISMATCH|INVALID_CA)/;

/** Whether a request failed before anything of it was sent: there was no connection, or no trust in the server. */
export function wasNeverSent(error: unknown): boolean {
  const { code = '', cause, syscall, message = '' } = error as NodeJS.ErrnoException & { cause?: { code?: string } };
  const all = [code, cause?.code ?? ''];
  const isTimedOut = code === 'ETIMEDOUT' && syscall === 'connect';
  // A proxy that refuses to connect has passed nothing on (undici has no code of its own for that).
  const isRefusedByProxy = code === 'UND_ERR_ABORTED' && message.includes('HTTP Tunneling');
  return isTimedOut || isRefusedByProxy || all.some((each) => NOT_CONNECTED.has(each) || NOT_TRUSTED.test(each));
}
