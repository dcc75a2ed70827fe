export type Fields = Readonly<Record<string, unknown>>;

/**
 * What is sent as a body. Texts in it (as in paths and queries) may hold references to what the cluster said before, which are read on each
 * side for itself: `{{ns}}` the namespace of the run, `{{run}}` what is peculiar to it, `{{rv PATH}}` the resource version that the object at a
 * path was last seen with, `{{old PATH}}` the one before that, `{{uid PATH}}`, `{{listed PATH}}` the version of the last list of a collection,
 * `{{continue PATH}}` its token.
 */
export type Body =
  | { readonly json: unknown }
  | { readonly text: string }
  /** The object as it was last seen, with a merge patch laid over it. */
  | { readonly last: string; readonly change: unknown };

/** One request. */
export interface Step {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Media type of the body. */
  readonly type?: string;
  readonly accept?: string;
  readonly body?: Body;
  /** A watch, which runs along until the end. */
  readonly watch?: true;
  /** A changed definition is waited for before the next step. */
  readonly settles?: string;
}

/** What came back. */
export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly warnings: readonly string[];
  readonly body: unknown;
}

/** The path of an object in a collection. */
export const objectPath = (collection: string, name: string): string => `${collection}/${name}`;
