import { base64Encode, compareText, utf8 } from '../../kube/plain/index.ts';
import type { Clock } from '../../runtime/time/index.ts';
import { type Random, randomUuid } from '../random.ts';
import { quotedList } from './covers.ts';
import type { AccessReader } from './roles.ts';
import { authenticated, serviceAccountOf, type User } from './users.ts';

/** Who issues tokens, and whom they are for where nobody else is named. */
export const ISSUER = 'https://kubernetes.default.svc';

/** Something that a token is bound to: it ends with it. */
export interface BoundObject {
  readonly collection: 'pods' | 'secrets' | 'nodes';
  readonly name: string;
  readonly uid: string;
}

/** How a token is issued. */
export interface TokenOptions {
  /** How long it is good for. Default: an hour. */
  readonly expirationSeconds?: number;
  /** Whom it is for. Default: the API server. */
  readonly audiences?: readonly string[];
  readonly bound?: BoundObject | undefined;
}

/** A token that was issued. */
export interface IssuedToken {
  /** What a client sends behind `Bearer`. It has the shape of a JWT, so that clients can read when it ends. */
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** What there is to know about a token when it is checked. */
export type TokenCheck =
  | { readonly user: User; readonly audiences: readonly string[] }
  /** Why it isn't good. */
  | { readonly error: string };

interface Entry {
  readonly user: User;
  readonly audiences: readonly string[];
  readonly expiresAt: number;
  readonly bound: BoundObject | undefined;
}

const HOUR_S = 3600;
const INVALID = 'invalid bearer token';
/** So many tokens are kept at least, also when their time is over: a server says so. */
const MOST_KEPT = 1000;

/**
 * The bearer tokens of one cluster. A token is good as long as it stands in the table here, its time isn't over, and the ServiceAccount and the
 * object that it is bound to are still the same: nothing depends on its signature, which is random.
 */
export class Tokens {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #reader: AccessReader;
  readonly #entries = new Map<string, Entry>();
  /** With how many tokens those are forgotten whose time is over. */
  #sweptAt = MOST_KEPT;

  constructor({ clock, random, reader }: { readonly clock: Clock; readonly random: Random; readonly reader: AccessReader }) {
    this.#clock = clock;
    this.#random = random;
    this.#reader = reader;
  }

  /** A new token of a user. */
  issue(user: User, { expirationSeconds = HOUR_S, audiences = [ISSUER], bound }: TokenOptions = {}): IssuedToken {
    const now = Math.floor(this.#clock.now() / 1000);
    const id = randomUuid(this.#random);
    const account = serviceAccountOf(user.name);
    const claims = {
      aud: audiences,
      exp: now + expirationSeconds,
      iat: now,
      iss: ISSUER,
      jti: id,
      ...(account === undefined ? {} : { 'kubernetes.io': privateClaims(account, user, bound) }),
      nbf: now,
      sub: user.name,
    };
    const signature = Uint8Array.from({ length: 32 }, () => Math.floor(this.#random() * 256));
    const token = [utf8(JSON.stringify({ alg: 'RS256', kid: 'offline' })), utf8(JSON.stringify(claims)), signature]
      .map(base64Url)
      .join('.');
    const extra = account === undefined ? user.extra : { ...user.extra, ...extraOf(id, bound) };
    const known = authenticated(extra === undefined ? user : { ...user, extra });
    const expiresAt = (now + expirationSeconds) * 1000;
    if (this.#entries.size >= this.#sweptAt) this.#sweep();
    this.#entries.set(token, { user: known, audiences, expiresAt, bound });
    return { token, expiresAt };
  }

  /** Takes a token of somebody's own making for a user, until it is revoked. */
  accept(token: string, user: User): void {
    this.#entries.set(token, {
      user: authenticated(user),
      audiences: [ISSUER],
      expiresAt: Number.POSITIVE_INFINITY,
      bound: undefined,
    });
  }

  /** Whose a token is; nothing where it isn't good for the API server. */
  authenticate(token: string): User | undefined {
    const result = this.check(token);
    return 'user' in result ? result.user : undefined;
  }

  /** Whose a token is for some of these audiences, or why it isn't good (API: authentication.k8s.io/v1 TokenReview). */
  check(token: string, audiences: readonly string[] = [ISSUER]): TokenCheck {
    const entry = this.#entries.get(token);
    if (entry === undefined) return { error: INVALID };
    const error = this.#problem(entry, audiences);
    if (error === '') return { user: entry.user, audiences: entry.audiences.filter((each) => audiences.includes(each)) };
    return { error: error === undefined ? INVALID : `[${INVALID}, ${error}]` };
  }

  /** Ends a token, or all tokens of a user. */
  revoke(target: string | User): void {
    if (typeof target === 'string') this.#entries.delete(target);
    else for (const [token, { user }] of this.#entries) if (user.name === target.name) this.#entries.delete(token);
  }

  /** Forgets tokens whose time is over, so that those of a long simulation don't fill the memory. */
  #sweep(): void {
    const now = this.#clock.now();
    for (const [token, { expiresAt }] of this.#entries) if (expiresAt <= now) this.#entries.delete(token);
    this.#sweptAt = Math.max(MOST_KEPT, 2 * this.#entries.size);
  }

  /** Empty where a token is good, and nothing where there is nothing more to say. */
  #problem({ user, audiences, expiresAt, bound }: Entry, wanted: readonly string[]): string | undefined {
    if (expiresAt <= this.#clock.now()) return 'service account token has expired';
    if (!audiences.some((each) => wanted.includes(each))) {
      const account = serviceAccountOf(user.name);
      if (account === undefined) return undefined;
      return `token audiences ${quotedList(audiences)} is invalid for the target audiences ${quotedList(wanted)}`;
    }
    return this.#accountProblem(user) || this.#boundProblem(user, bound);
  }

  #accountProblem({ name, uid = '' }: User): string {
    const account = serviceAccountOf(name);
    if (account === undefined) return '';
    const object = this.#reader.get('serviceaccounts', account);
    if (object === undefined) return `serviceaccounts ${JSON.stringify(account.name)} not found`;
    const found = object.metadata.uid ?? '';
    return found === uid ? '' : `service account UID (${found}) does not match claim (${uid})`;
  }

  #boundProblem({ name }: User, bound: BoundObject | undefined): string {
    if (bound === undefined) return '';
    const namespace = serviceAccountOf(name)?.namespace ?? '';
    const key = bound.collection === 'nodes' ? { name: bound.name } : { namespace, name: bound.name };
    const found = this.#reader.get(bound.collection, key)?.metadata.uid;
    if (found === undefined) return 'service account token has been invalidated';
    const kind = BOUND[bound.collection];
    const claim = {
      secret: 'service account secret ref claim',
      pod: 'service account pod ref claim',
      node: 'service account node ref claim',
    };
    return found === bound.uid ? '' : `${kind} UID (${found}) does not match ${claim[kind]} (${bound.uid})`;
  }
}

const BOUND = { pods: 'pod', secrets: 'secret', nodes: 'node' } as const;

function privateClaims(
  account: { readonly namespace: string; readonly name: string },
  { uid }: User,
  bound: BoundObject | undefined,
): unknown {
  const ref = bound === undefined ? {} : { [BOUND[bound.collection]]: { name: bound.name, uid: bound.uid } };
  const claims = { namespace: account.namespace, ...ref, serviceaccount: { name: account.name, uid } };
  return Object.fromEntries(Object.entries(claims).toSorted(([a], [b]) => compareText(a, b)));
}

/** What a server knows of a ServiceAccount by its token, beside its name. */
function extraOf(id: string, bound: BoundObject | undefined): NonNullable<User['extra']> {
  const credential = { 'authentication.kubernetes.io/credential-id': [`JTI=${id}`] };
  if (bound === undefined || bound.collection === 'secrets') return credential;
  const kind = BOUND[bound.collection];
  return {
    ...credential,
    [`authentication.kubernetes.io/${kind}-name`]: [bound.name],
    [`authentication.kubernetes.io/${kind}-uid`]: [bound.uid],
  };
}

function base64Url(bytes: Uint8Array): string {
  return base64Encode(bytes).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}
