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
  /** When they end, by the time of day. */
  readonly endsAt: number;
  /** When others are looked for: by the time of day, and by the clock that nobody sets. */
  renewAt: number;
  renewAfter: number;
}

/** One attempt to get credentials. */
interface Attempt {
  readonly access: Promise<Access>;
}

const FRESH_MS = 60_000;
/** They are renewed before they end: clocks differ, and requests take time. A fifth of what is left, and no more than this. */
const EARLY_MS = 60_000;
/** They are used for this long at least: where clocks differ much, all that come have ended already, and only the server knows better. */
const LEAST_MS = 1_000;
/** How long after a failure those that are still good are used before one tries again. */
const RETRY_MS = 5_000;

/**
 * Credentials that are renewed before they end, and when a server refuses them. However many requests wait, they are asked for once. While those
 * that one has are good, no request waits for others, or fails because there are none to be had.
 */
export class Rotating implements AccessProvider {
  readonly #options: RotatingOptions;
  readonly #clock: Clock;
  #latest: Latest | undefined;
  #refused: Credentials | undefined;
  #attempt: Attempt | undefined;

  constructor(options: RotatingOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  current(): Promise<Access> {
    const latest = this.#latest;
    if (latest !== undefined && !this.#isDue(latest)) return Promise.resolve(latest.access);
    this.#attempt ??= this.#renew(latest);
    const isGood = latest !== undefined && this.#clock.now() < latest.endsAt;
    return isGood ? Promise.resolve(latest.access) : this.#attempt.access;
  }

  refresh(refused: Access): void {
    if (this.#latest?.access !== refused) return;
    this.#refused = this.#latest.credentials;
    this.#latest = undefined;
    // An attempt that was begun before may bring the very same ones.
    this.#attempt = undefined;
  }

  #isDue({ renewAt, renewAfter }: Latest): boolean {
    return this.#clock.now() >= renewAt || this.#clock.monotonic() >= renewAfter;
  }

  #renew(before: Latest | undefined): Attempt {
    const access = this.#load(before).then(
      (next) => {
        if (this.#attempt !== attempt) return next.access;
        this.#attempt = undefined;
        this.#refused = undefined;
        this.#latest = next;
        return next.access;
      },
      (error: unknown) => {
        if (this.#attempt === attempt) {
          this.#attempt = undefined;
          if (before !== undefined) this.#use(before, RETRY_MS);
        }
        throw this.#failure(error);
      },
    );
    // Nobody may wait for it.
    access.catch(() => undefined);
    const attempt: Attempt = { access };
    return attempt;
  }

  async #load(before: Latest | undefined): Promise<Latest> {
    const credentials = await this.#options.load(this.#refused);
    const access = accessWith(credentials);
    const { expiresAt = Number.POSITIVE_INFINITY } = credentials;
    const left = expiresAt - this.#clock.now();
    const latest: Latest = {
      credentials,
      // The same credentials stay the same object, so that connections stay, too.
      access: before !== undefined && isSame(before.access, access) ? before.access : access,
      endsAt: expiresAt,
      renewAt: 0,
      renewAfter: 0,
    };
    this.#use(latest, Number.isFinite(left) ? left - Math.min(EARLY_MS, left / 5) : (this.#options.freshMs ?? FRESH_MS));
    return latest;
  }

  #use(latest: Latest, ms: number): void {
    const forMs = Math.max(LEAST_MS, ms);
    // An end is a time of day; without one, no clock that is set counts.
    latest.renewAt = Number.isFinite(latest.endsAt) ? this.#clock.now() + forMs : Number.POSITIVE_INFINITY;
    latest.renewAfter = this.#clock.monotonic() + forMs;
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
