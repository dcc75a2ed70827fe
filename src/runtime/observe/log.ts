/** What a line says beside its words: plain values, such as a cluster's name. Never a credential, a header or a body. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * Where lines go. Two methods fit any logger: `pino`, `console`, a test's array. `with` gives a logger whose lines carry more fields.
 */
export interface Logger {
  /** Writes a line. */
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string, fields?: LogFields): void;
  /** A logger whose lines carry these fields, too. */
  with(fields: LogFields): Logger;
}

/** Says nothing. */
export const silent: Logger = { log: () => undefined, with: () => silent };
