import { ClustersetError } from '../../kube/index.ts';
import { type Clock, systemClock } from '../../runtime/index.ts';
import { type Access, type AccessProvider, unseen } from '../access.ts';

/** What one is let in with. No error of ours holds any of it. */
export interface Credentials {
  readonly token?: string | undefined;
  readonly basic?: { readonly username: string; readonly password: string } | undefined;
  /** PEM of a client certificate and its key. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** PEM of the authority that signed the server's certificate, where the credentials bring it. */
  readonly ca?: string | undefined;
  /** When they end, in milliseconds since 1970; absent where nobody says. */
  readonly expiresAt?: number | undefined;
}

/** What {@link Rotating} takes. */
export interface RotatingOptions {
  /** How errors call the cluster. */
  readonly cluster: string;
  /** Gets credentials anew; is told of those that the server has refused. */
  readonly load: (refused: Credentials | undefined) => Promise<Credentials>;
  /** What to do where they can't be had. */
  readonly mend: string;
  readonly clock?: Clock | undefined;
  /** How long credentials without an end are used before one looks again, in milliseconds. Default 60,000. */
  readonly freshMs?: number | undefined;
}

interface Latest {
  readonly credentials: Credentials;
  readonly access: Access;
  readonly renewAt: number;
  readonly endsAt: number;
}

const FRESH_MS = 60_000;
/** They are renewed before they end: clocks differ, and requests take time. A fifth of what is left, and no more than this. */
const EARLY_MS = 60_000;

/**
 * Credentials that are renewed before they end, and when a server refuses them. However many requests wait, they are asked for once; where they
 * can't be renewed, those that are still good are used.
 */
export class Rotating implements AccessProvider {
  readonly #options: RotatingOptions;
  readonly #clock: Clock;
  #latest: Latest | undefined;
  #refused: Credentials | undefined;
  #pending: Promise<Access> | undefined;

  constructor(options: RotatingOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  current(): Promise<Access> {
    const latest = this.#latest;
    if (latest !== undefined && this.#clock.now() < latest.renewAt) return Promise.resolve(latest.access);
    this.#pending ??= this.#renew().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  refresh(refused: Access): void {
    if (this.#latest?.access !== refused) return;
    this.#refused = this.#latest.credentials;
    this.#latest = undefined;
  }

  async #renew(): Promise<Access> {
    const before = this.#latest;
    try {
      const credentials = await this.#options.load(this.#refused);
      this.#refused = undefined;
      const now = this.#clock.now();
      const endsAt = credentials.expiresAt ?? Number.POSITIVE_INFINITY;
      const left = endsAt - now;
      const renewAt =
        now + (Number.isFinite(left) ? Math.max(0, left - Math.min(EARLY_MS, left / 5)) : (this.#options.freshMs ?? FRESH_MS));
      const next = accessWith(credentials);
      // The same credentials stay the same object, so that connections stay, too.
      const access = before !== undefined && isSame(before.access, next) ? before.access : next;
      this.#latest = { credentials, access, renewAt, endsAt };
      return access;
    } catch (error) {
      if (before !== undefined && this.#latest === before && this.#clock.now() < before.endsAt) return before.access;
      throw this.#failure(error);
    }
  }

  #failure(error: unknown): ClustersetError {
    const { cluster, mend } = this.#options;
    // A cause of ours is known to quote nothing; another may.
    const why = error instanceof ClustersetError ? `: ${error.detail}` : '';
    const cause = error instanceof ClustersetError ? { cause: error } : {};
    return new ClustersetError({
      code: 'Unauthorized',
      message: `its credentials could not be had${why}`,
      cluster,
      mend,
      ...cause,
    });
  }
}

function accessWith({ token, basic, cert, key, ca, expiresAt }: Credentials): Access {
  const authorization =
    token === undefined
      ? basic && `Basic ${Buffer.from(`${basic.username}:${basic.password}`).toString('base64')}`
      : `Bearer ${token}`;
  return unseen({ tls: { ca, cert, key }, headers: authorization === undefined ? {} : { authorization }, expiresAt });
}

function isSame(a: Access, b: Access): boolean {
  return (
    a.headers.authorization === b.headers.authorization &&
    a.tls.ca === b.tls.ca &&
    a.tls.cert === b.tls.cert &&
    a.tls.key === b.tls.key
  );
}
