/**
 * The pure program has no host library, and the port of a cluster takes a signal: here it can be named and asked, never constructed.
 * Structurally a part of the platform's own AbortSignal.
 */
interface AbortSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
}
