/** What a request to one cluster needs beside its address. */
export interface Access {
  readonly tls: {
    readonly ca?: string | Buffer | undefined;
    readonly cert?: string | Buffer | undefined;
    readonly key?: string | Buffer | undefined;
    readonly servername?: string | undefined;
    readonly rejectUnauthorized?: boolean | undefined;
    /** Replaces the check of the name in the server's certificate. */
    readonly checkServerIdentity?: (() => undefined) | undefined;
  };
  readonly headers: Readonly<Record<string, string>>;
  /** When it ends, in milliseconds since 1970; absent where nobody knows. */
  readonly expiresAt?: number | undefined;
}

/** Gives credentials, as fresh as they need to be. */
export interface AccessProvider {
  /** The credentials for the next request. @throws ClustersetError `Unauthorized` where there are none to be had. */
  current(): Promise<Access>;
  /** The server has refused what {@link AccessProvider.current} gave: get others, unless that was done already. */
  refresh(refused: Access): void;
  /** Ends what was opened to get them. */
  close?(): Promise<void>;
}

/** Credentials that never change. */
export function fixedAccess(access: Access): AccessProvider {
  return { current: () => Promise.resolve(access), refresh: () => undefined };
}

const HIDDEN = '[credentials]';

/** The same object, which shows nothing of what it holds when it is printed, inspected or made JSON of: by accident, it often is. */
export function unseen<T extends object>(secret: T): T {
  const hide = { value: () => HIDDEN };
  return Object.defineProperties(secret, { toJSON: hide, toString: hide, [Symbol.for('nodejs.util.inspect.custom')]: hide });
}
