import { ClustersetError } from 'clusterset/kube';
import {
  consoleLogger,
  errorFields,
  type Fact,
  type LogFields,
  type Logger,
  type LogLevel,
  logObserver,
} from 'clusterset/runtime';
import { VirtualClock } from 'clusterset/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const TOKEN = 'planted-token-nobody-may-see';

interface Line {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** A logger that keeps its lines. */
function kept(): { readonly lines: Line[]; readonly logger: Logger } {
  const lines: Line[] = [];
  const logger: Logger = {
    log: (level, message, fields = {}) => void lines.push({ level, message, fields }),
    with: () => logger,
  };
  return { lines, logger };
}

/** What is written of one line. */
function written(format: 'json' | 'text', message: string, fields?: LogFields, own: LogFields = {}): string {
  const lines: string[] = [];
  consoleLogger({ write: (line) => lines.push(line), clock: new VirtualClock(), format })
    .with(own)
    .log('info', message, fields);
  expect(lines).toHaveLength(1);
  return lines[0] ?? '';
}

const base = { controller: 'p', cluster: 'eu-1', key: 'shop/web', attempt: 1, durationMs: 3 };

describe('facts as lines', () => {
  it.each<[Fact, LogLevel, string]>([
    [{ fact: 'reconciled', ...base, outcome: 'success' }, 'debug', 'reconciled'],
    [{ fact: 'reconciled', ...base, outcome: 'requeue_after' }, 'debug', 'reconciled'],
    [{ fact: 'reconciled', ...base, outcome: 'error', error: new Error('no') }, 'warn', 'the reconcile failed'],
    [{ fact: 'reconciled', ...base, outcome: 'timeout' }, 'warn', 'the reconcile took too long'],
    [{ fact: 'reconciled', ...base, outcome: 'terminal' }, 'error', 'the reconcile failed and is not tried again'],
    [{ fact: 'queued', queue: 'q', cluster: 'eu-1', priority: 0, isRetry: false }, 'debug', 'queued'],
    [{ fact: 'watch-ended', cluster: 'eu-1', resource: 'pods', reason: 'time', events: 1 }, 'debug', 'the watch ended'],
    [
      { fact: 'watch-ended', cluster: 'eu-1', resource: 'pods', reason: 'failed', events: 1, error: new Error('no') },
      'warn',
      'the watch ended',
    ],
    [{ fact: 'breaker', queue: 'q', cluster: 'eu-1', state: 'open' }, 'warn', 'the breaker is open'],
    [{ fact: 'breaker', queue: 'q', cluster: 'eu-1', state: 'closed' }, 'info', 'the breaker is closed'],
    [{ fact: 'member', cluster: 'eu-1', state: 'ready', reason: 'Answers' }, 'info', 'the member is ready'],
    [{ fact: 'member', cluster: 'eu-1', before: 'ready', reason: 'Gone' }, 'info', 'the member has left'],
    [{ fact: 'leading', lease: 'l', identity: 'a', isLeading: true, epoch: 1 }, 'info', 'became the leader'],
    [{ fact: 'leading', lease: 'l', identity: 'a', isLeading: false, epoch: 1 }, 'info', 'stopped leading'],
    [{ fact: 'event-dropped', cluster: 'eu-1', reason: 'full' }, 'warn', 'an event was dropped: too many wait'],
    [
      { fact: 'lease-failed', lease: 'fleet/mirror', identity: 'a', error: new Error('no') },
      'warn',
      'the lease could not be read or written',
    ],
    [{ fact: 'something-new', cluster: 'eu-1' } as unknown as Fact, 'debug', 'something-new'],
  ])('%j is told as %s', (fact, level, message) => {
    const { lines, logger } = kept();
    logObserver(logger)(fact);
    expect(lines).toMatchObject([{ level, message, fields: { fact: fact.fact } }]);
  });

  it('carry the plain fields of the fact, and of its error the message and what it is', () => {
    const { lines, logger } = kept();
    const error = new ClustersetError({ code: 'Forbidden', message: 'no', cluster: 'eu-1' });
    logObserver(logger)({ fact: 'reconciled', ...base, outcome: 'error', error });
    expect(lines[0]?.fields).toEqual({
      fact: 'reconciled',
      ...base,
      outcome: 'error',
      error: 'cluster eu-1: no',
      code: 'Forbidden',
    });
  });

  it('say nothing of what a cause, a header or another field of an error holds', () => {
    const cause = new Error(`Bearer ${TOKEN}`, { cause: { headers: { authorization: TOKEN } } });
    const foreign = Object.assign(new TypeError('fetch failed', { cause }), {
      config: { headers: { authorization: `Bearer ${TOKEN}` } },
      request: TOKEN,
    });
    foreign.stack = `TypeError: ${TOKEN}`;
    const ours = new ClustersetError({
      code: 'Unreachable',
      message: 'the connection was reset',
      cluster: 'eu-1',
      cause: foreign,
    });
    for (const error of [foreign, ours, cause.cause, TOKEN, { message: TOKEN }]) {
      const lines: string[] = [];
      const logger = consoleLogger({ write: (line) => lines.push(line), clock: new VirtualClock(), format: 'json' });
      logObserver(logger)({ fact: 'reconciled', ...base, outcome: 'error', error });
      expect(lines).toHaveLength(1);
      expect(lines[0]).not.toContain(TOKEN);
    }
    expect(errorFields(foreign)).toEqual({ error: 'fetch failed', errorName: 'TypeError' });
    expect(errorFields(TOKEN)).toEqual({ error: 'no error was thrown, but a value of type string' });
  });

  it('survive an error that fails when it is looked at', () => {
    const hostile = new Proxy(new Error('x'), {
      get: () => {
        throw new Error('hands off');
      },
    });
    expect(errorFields(hostile)).toEqual({ error: 'no error was thrown, but a value of type object' });
  });
});

describe('a line of JSON', () => {
  it('says when, how important, what, and the fields', () => {
    const line = written(
      'json',
      'reconciled',
      { key: 'shop/web', attempt: 2, isLast: true, none: undefined },
      { cluster: 'eu-1' },
    );
    expect(line).toBe(
      '{"time":"2026-01-01T00:00:00.000Z","level":"info","message":"reconciled","cluster":"eu-1","key":"shop/web","attempt":2,"isLast":true}',
    );
  });

  it('lets no field take the place of another', () => {
    const line = written('json', 'm', { time: 'x', level: 'y', message: 'z', ['__proto__']: 'p' });
    expect(JSON.parse(line)).toMatchObject({ level: 'info', message: 'm', time_: 'x', level_: 'y', message_: 'z' });
    expect(line).toContain('"__proto__":"p"');
  });

  it.each([
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    [-1.5, -1.5],
    [0, 0],
    [false, false],
  ])('has %s as JSON can have it', (value, expected) => {
    expect((JSON.parse(written('json', 'm', { value })) as { value: unknown }).value).toBe(expected);
  });

  it.each([
    '\n',
    '\r\n',
    '\u2028',
    '\u2029',
    '\u0085',
    '\u001b[2J',
    '\u009b2J',
    '\ud800',
    '\udc00x',
    '\u202e',
    '\ufeff',
    '"',
    '\\',
    '\u0000',
  ])('is one line of plain text with %j in it, and reads back', (hostile) => {
    const line = written('json', `a${hostile}b`, { [`n${hostile}`]: hostile });
    expect(line).not.toMatch(/[\p{C}\u2028\u2029]/u);
    const read = JSON.parse(line) as Readonly<Record<string, unknown>>;
    expect([read.message, read[`n${hostile}`]]).toEqual([`a${hostile}b`, hostile]);
  });

  it('reads back as it was, whatever is in it', () => {
    const hostile = fc.constantFrom('\n', '\u2028', '\ud800', '"', '\\', '\u0085', 'a', '€', '😀');
    const text = fc.string({ unit: hostile, maxLength: 8 });
    // Escapes in keys are in the table above: JSON.parse of Node 24.21 now and then takes such a key for another that it has met before.
    const name = fc.string({ unit: fc.constantFrom('a', '€', '😀'), maxLength: 8 }).map((each) => `a ${each}`);
    fc.assert(
      fc.property(text, fc.dictionary(name, fc.oneof(text, fc.boolean(), fc.integer()), { maxKeys: 4 }), (message, fields) => {
        const line = written('json', message, fields);
        expect(line).not.toMatch(/[\n\r\u2028\u2029\u0085]/);
        const read = JSON.parse(line) as Readonly<Record<string, unknown>>;
        expect(read.message).toBe(message);
        for (const [field, value] of Object.entries(fields)) expect(read[field]).toBe(value);
      }),
    );
  });
});

describe('a line of text', () => {
  it.each<[string, LogFields, string]>([
    ['reconciled', { key: 'shop/web', attempt: 2 }, 'reconciled key=shop/web attempt=2'],
    ['it failed', { error: 'cluster eu-1: no' }, 'it failed error="cluster eu-1: no"'],
    ['x', { a: 'b=c', d: '', e: '"' }, 'x a="b=c" d="" e="\\""'],
    ['two\nlines', { a: '\u2028' }, '"two\\nlines" a="\\u2028"'],
    ['\u001b[31mred', { 'a b': true }, '"\\u001b[31mred" "a b"=true'],
    ['Grüße aus 東京', { city: '東京' }, 'Grüße aus 東京 city=東京'],
  ])('of %j and %j reads %s', (message, fields, expected) => {
    expect(written('text', message, fields)).toBe(`2026-01-01T00:00:00.000Z INFO  ${expected}`);
  });
});

describe('a logger', () => {
  it.each<[LogLevel, number]>([
    ['debug', 4],
    ['info', 3],
    ['warn', 2],
    ['error', 1],
  ])('of level %s writes what is as important', (level, count) => {
    const lines: string[] = [];
    const logger = consoleLogger({ write: (line) => lines.push(line), clock: new VirtualClock(), level });
    for (const each of ['debug', 'info', 'warn', 'error'] as const) logger.log(each, 'x');
    expect(lines).toHaveLength(count);
  });

  it('hands its fields on, the nearest first', () => {
    expect(JSON.parse(written('json', 'm', { a: 2 }, { a: 1, b: 1 }))).toMatchObject({ a: 2, b: 1 });
  });

  it('goes on where its lines can not be written', () => {
    const write = (): never => {
      throw new Error('EPIPE');
    };
    expect(() => consoleLogger({ write, clock: new VirtualClock() }).log('error', 'x')).not.toThrow();
  });
});
