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
};

const TLS_ERROR = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS|SSL/;

/** What a failed connection is called: the address, and the reason in words. */
export function unreachable(error: unknown, cluster: string, origin: string): ClustersetError {
  const cause = error as { code?: string; cause?: { code?: string } };
  const code = cause.code ?? cause.cause?.code ?? '';
  const isTls = TLS_ERROR.test(code);
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
]);

/** What is said of a certificate while a connection is made, before anything else. */
const NOT_TRUSTED = /^(?:CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(?:GET|VERIFY)_|ERR_TLS_CERT_|HOSTNAME_MISMATCH|INVALID_CA)/;

/** Whether a request failed before anything of it was sent: there was no connection, or no trust in the server. */
export function wasNeverSent(error: unknown): boolean {
  const { code = '', cause, syscall } = error as { code?: string; cause?: { code?: string }; syscall?: string };
  const all = [code, cause?.code ?? ''];
  const isTimedOut = code === 'ETIMEDOUT' && syscall === 'connect';
  return isTimedOut || all.some((each) => NOT_CONNECTED.has(each) || NOT_TRUSTED.test(each));
}
