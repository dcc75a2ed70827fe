import { isClustersetError } from '../../kube/plain/index.ts';
import type { User } from '../access/index.ts';
import { StatusError } from '../api/failures.ts';
import type { Storage } from '../api/storage.ts';
import type { RequestLog } from './log.ts';
import type { Network } from './network.ts';
import type { ClientRequest, Credentials } from './request.ts';

/** Says who makes a request, and whether they may. */
export interface Gatekeeper {
  /** @throws StatusError 401, or 403 for who may not act as somebody else. */
  identify(request: ClientRequest, credentials: Credentials): User;
  /** @throws StatusError 403. */
  allow(request: ClientRequest, user: User): void;
}

/**
 * The way into a cluster for every client, in process and over HTTP: the network with its faults, then authentication and authorisation, then
 * the server, and at the end a line in the log.
 */
export class Door {
  readonly cluster: string;
  readonly network: Network;
  readonly log: RequestLog;
  readonly #storage: Storage;
  readonly #gatekeeper: Gatekeeper;

  constructor(parts: {
    readonly cluster: string;
    readonly network: Network;
    readonly log: RequestLog;
    readonly storage: Storage;
    readonly gatekeeper: Gatekeeper;
  }) {
    this.cluster = parts.cluster;
    this.network = parts.network;
    this.log = parts.log;
    this.#storage = parts.storage;
    this.#gatekeeper = parts.gatekeeper;
  }

  /** Lets a request in. @throws ClustersetError `Unreachable` or `Aborted`, StatusError where the server refuses it. */
  async enter(request: ClientRequest, credentials: Credentials, signal?: AbortSignal): Promise<Visit> {
    let user: User = { name: '', groups: [] };
    const visit = (): Visit => new Visit(request, user, { door: this, storage: this.#storage });
    try {
      await this.network.pass(this.cluster, request, signal);
      user = this.#gatekeeper.identify(request, credentials);
      this.#gatekeeper.allow(request, user);
    } catch (error) {
      visit().ended(error);
      throw error;
    }
    return visit();
  }
}

/** One request that was let in. */
export class Visit {
  readonly request: ClientRequest;
  readonly user: User;
  readonly silencesBefore: number;
  readonly #door: Door;
  readonly #storage: Storage;
  #isNoted = false;

  constructor(request: ClientRequest, user: User, { door, storage }: { readonly door: Door; readonly storage: Storage }) {
    this.request = request;
    this.user = user;
    this.#door = door;
    this.silencesBefore = door.network.silences;
    this.#storage = storage;
  }

  /** Carries the request out. `undo` ends what was opened for it, where the client never hears of it. */
  act<T>(work: () => T, code = 200, undo?: (result: T) => void): T {
    const before = this.#storage.version;
    const passBack = (): void => this.#door.network.passBack(this.#door.cluster, this.request);
    let result: T;
    try {
      result = work();
    } catch (error) {
      this.#note(codeOf(error), this.#storage.version !== before);
      passBack();
      throw error;
    }
    this.#note(code, this.#storage.version !== before);
    try {
      passBack();
    } catch (error) {
      undo?.(result);
      throw error;
    }
    return result;
  }

  /** The request came to nothing; written down where it isn't yet. */
  ended(error: unknown): void {
    this.note(codeOf(error));
  }

  /** The request was answered with a code, and changed nothing; written down where it isn't yet. */
  note(code: number): void {
    this.#note(code, false);
  }

  #note(code: number, changed: boolean): void {
    if (this.#isNoted) return;
    this.#isNoted = true;
    this.#door.log.add(this.request, { user: this.user.name, code, changed });
  }
}

/** HTTP status of a failure; 0 where there was no answer. */
function codeOf(error: unknown): number {
  if (error instanceof StatusError) return error.status.code ?? 500;
  return isClustersetError(error) ? (error.status ?? 0) : 500;
}
