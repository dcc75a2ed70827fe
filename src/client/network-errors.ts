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

/** What a failed connection is called: the address, and the reason in words. */
export function unreachable(error: unknown, cluster: string, origin: string): ClustersetError {
  const cause = error as { code?: string; cause?: { code?: string } };
  const code = cause.code ?? cause.cause?.code ?? '';
  const isTls = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS|SSL/.test(code);
  const why = isTls
    ? `its certificate was not accepted (${code})`
    : (NETWORK[code] ?? `the connection failed${code === '' ? '' : ` (${code})`}`);
  return new ClustersetError({ code: 'Unreachable', message: `${why} at ${origin}`, cluster, cause: error });
}
