/** Whose informer is looked at: ours, client-node's, and client-node's that is started again five seconds after an error, as its examples do. */
export type Whose = 'ours' | 'theirs' | 'theirs, restarted';

/** Where an API server is. */
export interface Target {
  readonly server: string;
  readonly ca: string;
}

/** What is made of the objects: client-node knows `full` alone. */
export type Shape = 'full' | 'stripped' | 'metadata';

/** How objects come at first. */
export type First = 'list' | 'stream';

/** A change that a server has made. */
export interface Change {
  readonly name: string;
  readonly version: number;
  readonly isDelete: boolean;
  /** When it was made, or could have been heard of at the earliest: milliseconds since 1970, as all times here. */
  readonly at: number;
}

/** What handlers were told. */
export interface Heard {
  readonly name: string;
  readonly version: number;
  readonly isDelete: boolean;
  readonly at: number;
}

/** What a server has to say when the story of a scenario has come to its end. */
export interface Told {
  readonly changes: readonly Change[];
  /** Name and version of all that there is. */
  readonly objects: Readonly<Record<string, number>>;
  readonly lists: number;
  readonly streams: number;
  readonly watches: number;
}

/** What a client has to say. */
export interface Seen {
  readonly heard: readonly Heard[];
  readonly objects: Readonly<Record<string, number>>;
  readonly crashes: readonly string[];
}

/** Messages of the server's process. */
export type FromServer =
  | { readonly type: 'ready'; readonly ca: string; readonly servers: Readonly<Record<string, string>> }
  | { readonly type: 'told'; readonly key: string; readonly told: Told };

/** What the process of the informers is told to do. */
export type ToClient =
  | { readonly type: 'follow'; readonly whose: Whose; readonly targets: Readonly<Record<string, Target>> }
  | { readonly type: 'report'; readonly scenario: string };

/** Messages of the process of the informers. */
export interface FromClient {
  readonly type: 'seen';
  readonly scenario: string;
  readonly seen: Seen;
}

/** What is filled, and how. */
export interface FillOrder {
  readonly whose: 'ours' | 'theirs';
  readonly target: Target;
  readonly plural: 'deployments' | 'configmaps';
  readonly objects: number;
  readonly shape: Shape;
  readonly first: First;
}

/** What came of it. */
export interface Filled {
  /** From the start of the informer until its handlers know all objects. */
  readonly ms: number;
  /** Bytes that stay on the heap for it, after a collection. */
  readonly heap: number;
  /** The most memory that the process had. */
  readonly peakRss: number;
}
