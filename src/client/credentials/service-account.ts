import type { ClusterEntry } from '../../registry/index.ts';
import { type Clock, systemClock } from '../../runtime/index.ts';
import { type Access, type AccessProvider, unseen } from '../access.ts';
import type { RealCluster } from '../real-cluster.ts';
import { Rotating } from './credentials.ts';

type Account = NonNullable<NonNullable<ClusterEntry['auth']>['serviceAccount']>;

const EXPIRATION_SECONDS = 3600;

/**
 * Tokens of a service account of the cluster itself, asked for with other credentials (API: TokenRequest): those may be kept for nothing else,
 * and what travels with every request ends within the hour. A token is renewed a minute before it ends, or when the server refuses it.
 */
export class ServiceAccountAccess implements AccessProvider {
  readonly #cluster: RealCluster;
  readonly #base: AccessProvider;
  readonly #tokens: Rotating;
  #latest: { readonly own: Access; readonly token: Access; readonly base: Access } | undefined;

  constructor(cluster: RealCluster, base: AccessProvider, account: Account, clock?: Clock) {
    this.#cluster = cluster;
    this.#base = base;
    const { namespace, name, audiences, expirationSeconds = EXPIRATION_SECONDS } = account;
    this.#tokens = new Rotating({
      cluster: cluster.name,
      mend: `check that the service account ${namespace}/${name} is there, and that tokens of it may be created`,
      clock,
      load: async () => {
        const spec = { expirationSeconds, ...(audiences === undefined ? {} : { audiences }) };
        const { token, expirationTimestamp } = await cluster.requestToken({ namespace, name }, spec);
        const expiresAt = Date.parse(expirationTimestamp);
        // The end that was asked for is the best guess where the server says none.
        return {
          token,
          expiresAt: Number.isNaN(expiresAt) ? (clock ?? systemClock).now() + expirationSeconds * 1000 : expiresAt,
        };
      },
    });
  }

  async current(): Promise<Access> {
    const [base, token] = await Promise.all([this.#base.current(), this.#tokens.current()]);
    const before = this.#latest;
    if (before?.base === base && before.token === token) return before.own;
    // The server is checked as before; the client's own certificate stays behind.
    const own: Access = unseen({
      tls: { ...base.tls, cert: undefined, key: undefined },
      headers: token.headers,
      expiresAt: token.expiresAt,
    });
    this.#latest = { own, token, base };
    return own;
  }

  refresh(refused: Access): void {
    if (this.#latest?.own === refused) this.#tokens.refresh(this.#latest.token);
  }

  close(): Promise<void> {
    return this.#cluster.close();
  }
}
