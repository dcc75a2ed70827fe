import type { AnyObject } from '../../kube/plain/index.ts';
import type { Cancel } from '../../runtime/time/index.ts';
import type { ApiServer } from '../api/api-server.ts';
import type { WriteContext } from '../api/write.ts';
import type { Gatekeeper } from '../front/door.ts';
import { ADMIN, type ClientRequest, type Credentials } from '../front/request.ts';
import { aggregateClusterRoles } from './aggregation.ts';
import { type Attributes, attributesOf } from './attributes.ts';
import { authorize, type Decision } from './authorize.ts';
import { createDefaultPolicy } from './default-policy.ts';
import { denied, unauthorized } from './denials.ts';
import { checkEscalation, type PolicyWrite } from './escalation.ts';
import { Impersonation, impersonatedUser } from './impersonation.ts';
import { review } from './reviews/review.ts';
import type { ReviewKind } from './reviews/structures.ts';
import { Roles } from './roles.ts';
import { Tokens } from './tokens.ts';
import { ANONYMOUS, authenticated, type User } from './users.ts';

/** How a cluster decides who may do what. */
export interface AccessOptions {
  /** Whether roles and bindings are asked (RBAC). Default: everybody may do everything. */
  readonly rbac?: boolean;
}

/** Paths that are answered without credentials also where roles aren't asked (API: ClusterRole system:public-info-viewer). */
const PUBLIC: ReadonlySet<string> = new Set(['/healthz', '/livez', '/readyz', '/version']);

const ALLOWED: Decision = { allowed: true, reason: '' };

/** Who is who in one cluster, and who may do what: its tokens, its roles, and the answers to questions about both. */
export class Access implements Gatekeeper {
  readonly tokens: Tokens;
  /** Absent where everybody may do everything. */
  readonly roles: Roles | undefined;
  readonly #server: ApiServer;
  readonly #impersonation = new Impersonation((attributes) => this.decide(attributes));
  readonly #users = new WeakMap<User, User>();
  readonly #stop: readonly Cancel[];

  /** With `rbac`, creates the roles and bindings that a cluster starts with, and keeps aggregated roles as they should be. */
  constructor(server: ApiServer, { rbac = false }: AccessOptions = {}) {
    const { clock, random, storage } = server.state;
    this.#server = server;
    this.tokens = new Tokens({ clock, random, reader: storage });
    if (!rbac) {
      this.roles = undefined;
      this.#stop = [];
      return;
    }
    createDefaultPolicy(server);
    const roles = new Roles(storage);
    this.roles = roles;
    server.state.policy.check = (write) => this.checkEscalation(write);
    server.state.policy.authorize = (attributes) => this.authorize(attributes);
    this.#stop = [aggregateClusterRoles(server), () => roles.stop()];
  }

  /**
   * Who makes a request, after impersonation.
   *
   * @throws StatusError 401 where the credentials are nobody's, 403 where the user may not do this or not act as somebody else.
   */
  admit(request: ClientRequest, credentials: Credentials): User {
    const user = this.identify(request, credentials);
    this.allow(request, user);
    return user;
  }

  /**
   * Who makes a request, after impersonation, whatever it is.
   *
   * @throws StatusError 401 where the credentials are nobody's, 403 where the user may not act as somebody else.
   */
  identify(request: ClientRequest, credentials: Credentials): User {
    const own = this.#identify(request, credentials);
    const wanted = 'headers' in credentials ? impersonatedUser(credentials.headers) : undefined;
    return wanted === undefined ? own : this.#impersonation.actAs(wanted, attributesOf(request, own));
  }

  /** @throws StatusError 403 where a user may not make a request. */
  allow(request: ClientRequest, user: User): void {
    if (this.roles !== undefined) this.authorize(attributesOf(request, user));
  }

  /** Whether somebody may do something. */
  decide(attributes: Attributes): Decision {
    return this.roles === undefined ? ALLOWED : authorize(attributes, this.roles);
  }

  /** @throws StatusError 403 where somebody may not do something. */
  authorize(attributes: Attributes): void {
    const { allowed, reason } = this.decide(attributes);
    if (!allowed) throw denied(attributes, reason);
  }

  /** See {@link checkEscalation}; where roles aren't asked, everything passes. */
  checkEscalation(write: PolicyWrite): void {
    if (this.roles !== undefined) checkEscalation(write, this.roles);
  }

  /** Answers a question: see {@link review}. `namespace` and `name` are of the path. */
  review(
    kind: ReviewKind,
    body: unknown,
    asked: {
      readonly user: User;
      readonly write: WriteContext;
      readonly namespace?: string | undefined;
      readonly name?: string | undefined;
    },
  ): AnyObject {
    const { clock, storage } = this.#server.state;
    return review(kind, body, { ...asked, roles: this.roles, tokens: this.tokens, reader: storage, clock });
  }

  /** Hears of no more changes. */
  stop(): void {
    for (const stop of this.#stop) stop();
  }

  #identify({ path = '' }: ClientRequest, credentials: Credentials): User {
    if ('user' in credentials) return this.#authenticated(credentials.user);
    const { headers, adminToken } = credentials;
    const [, token] = /^Bearer +(\S+)(?: |$)/i.exec(headers.get('authorization') ?? '') ?? [];
    if (token !== undefined) {
      const user = token === adminToken ? ADMIN : this.tokens.authenticate(token);
      if (user !== undefined) return user;
    }
    if (adminToken === undefined && (token === undefined || this.roles === undefined)) return ADMIN;
    const isAnonymous = token === undefined && (this.roles !== undefined || PUBLIC.has(path));
    if (isAnonymous) return ANONYMOUS;
    throw unauthorized();
  }

  /** The same user each time, so that what roles say of it is found again. */
  #authenticated(user: User): User {
    const known = this.#users.get(user) ?? authenticated(user);
    this.#users.set(user, known);
    return known;
  }
}
