import { type AnyObject, ClustersetError, type ClusterWriter, checkDnsSubdomain, type ErrorCode, utf8 } from 'clusterset/kube';
import { EventRecorder, type EventRecorderOptions, type Fact, type RecordedEvent } from 'clusterset/runtime';
import { VirtualClock } from 'clusterset/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutNote, cutWord, eventName } from '../../../../src/runtime/observe/event-record.ts';

const web: AnyObject = {
  apiVersion: 'types.federation.clusterset.dev/v1alpha1',
  kind: 'FederatedDeployment',
  metadata: { namespace: 'shop', name: 'web', uid: 'u-1', resourceVersion: '7', labels: { app: 'web' } },
  spec: { template: {} },
};
const node: AnyObject = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } };
const placed: RecordedEvent = { regarding: web, reason: 'Placed', action: 'Place', note: 'it went to eu-1' };

interface Write {
  readonly verb: 'create' | 'patch';
  readonly name: string;
  readonly at: number;
  readonly body: AnyObject;
}

type Answer = ErrorCode | 'ok' | 'never' | 'lost';

/** A recorder and a server of a few lines, which answers as it is told; the last answer stays. */
function world({ answers = ['ok'], ...options }: Partial<EventRecorderOptions> & { readonly answers?: readonly Answer[] } = {}) {
  const clock = new VirtualClock();
  const writes: Write[] = [];
  const facts: Fact[] = [];
  const stored = new Map<string, AnyObject>();
  const script = [...answers];
  const start = clock.now();
  const refuse = (code: ErrorCode): never => {
    throw new ClustersetError({ code, message: 'no', cluster: 'eu-1' });
  };
  const answer = async (write: Omit<Write, 'at'>, act: () => void, signal: AbortSignal | undefined): Promise<never> => {
    writes.push({ ...write, at: clock.now() - start });
    const [said = 'ok'] = script.length > 1 ? script.splice(0, 1) : script;
    if (said === 'never') {
      await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    }
    if (said === 'ok' || said === 'lost') act();
    if (said === 'lost') refuse('Unreachable');
    if (said !== 'ok' && said !== 'never' && said !== 'lost') refuse(said);
    return undefined as never;
  };
  const cluster: Pick<ClusterWriter, 'name' | 'create' | 'patch'> = {
    name: 'eu-1',
    create: (_, object, more = {}) => {
      const { name = '' } = object.metadata;
      const body = object as unknown as AnyObject;
      const act = (): void => {
        if (stored.has(name)) refuse('AlreadyExists');
        stored.set(name, body);
      };
      return answer({ verb: 'create', name, body }, act, more.signal);
    },
    patch: (_, { name }, patch, more = {}) => {
      const body = patch.type === 'merge' ? (patch.body as unknown as AnyObject) : refuse('Invalid');
      const act = (): void => {
        const before = stored.get(name) ?? refuse('NotFound');
        stored.set(name, { ...before, ...body });
      };
      return answer({ verb: 'patch', name, body }, act, more.signal);
    },
  };
  let drawn = 0;
  const recorder = new EventRecorder({
    cluster: cluster as ClusterWriter,
    controller: 'clusterset.dev/propagation',
    instance: 'host-a',
    clock,
    random: () => {
      drawn += 1;
      return (drawn * 0.618_033_988_749) % 1;
    },
    observe: (fact) => facts.push(fact),
    ...options,
  });
  return { clock, recorder, writes, facts, stored, script };
}

const said = (writes: readonly Write[]) =>
  writes.map(({ verb, at, body }) => [verb, at, (body.series as { count: number } | undefined)?.count]);
/** Nobody has said no to it. */
const untried: Fact = { fact: 'event-dropped', cluster: 'eu-1', reason: 'failed' };
const dropped = (reason: 'full' | 'failed'): Fact => {
  const why = reason === 'full' ? {} : { error: expect.anything() };
  return { fact: 'event-dropped', cluster: 'eu-1', reason, ...why };
};

describe('an event', () => {
  it('says who reports what about which object', async () => {
    const { clock, recorder, writes } = world();
    recorder.record({ ...placed, related: node, type: 'Warning' });
    await clock.settle();
    expect(writes.map(({ body }) => body)).toEqual([
      {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { namespace: 'shop', name: expect.stringMatching(/^web\.[0-9a-f]{17}$/) },
        eventTime: '2026-01-01T00:00:00.000000Z',
        reportingController: 'clusterset.dev/propagation',
        reportingInstance: 'clusterset.dev/propagation-host-a',
        action: 'Place',
        reason: 'Placed',
        type: 'Warning',
        note: 'it went to eu-1',
        regarding: {
          apiVersion: web.apiVersion,
          kind: web.kind,
          namespace: 'shop',
          name: 'web',
          uid: 'u-1',
          resourceVersion: '7',
        },
        related: { apiVersion: 'v1', kind: 'Node', name: 'n1' },
      },
    ]);
    await recorder.close();
  });

  it('is Normal, and its action is its reason, where nothing else is said', async () => {
    const { clock, recorder, writes } = world();
    recorder.record({ regarding: web, reason: 'Placed', note: '' });
    await clock.settle();
    expect(writes[0]?.body).toMatchObject({ type: 'Normal', action: 'Placed', reason: 'Placed' });
    expect(writes[0]?.body).not.toHaveProperty('related');
    await recorder.close();
  });

  it('lives in the namespace "default" where its object has none', async () => {
    const { clock, recorder, writes } = world();
    recorder.record({ ...placed, regarding: node });
    await clock.settle();
    expect(writes[0]?.body.metadata.namespace).toBe('default');
    expect(writes[0]?.body.regarding).toEqual({ apiVersion: 'v1', kind: 'Node', name: 'n1' });
    await recorder.close();
  });

  it('has a note, a reason, an action and an instance that fit', async () => {
    const { clock, recorder, writes } = world({ instance: 'h'.repeat(200) });
    recorder.record({ regarding: web, reason: 'é'.repeat(65), action: 'a'.repeat(129), note: '東'.repeat(342) });
    await clock.settle();
    expect(writes[0]?.body).toMatchObject({
      reason: 'é'.repeat(64),
      action: 'a'.repeat(128),
      note: `${'東'.repeat(340)}…`,
      reportingInstance: `clusterset.dev/propagation-${'h'.repeat(101)}`,
    });
    await recorder.close();
  });

  it.each([
    ['note', cutNote, 1024, '…'],
    ['word', cutWord, 128, ''],
  ] as const)('has a %s that is cut between characters, and only where it must be', (_, cut, most, end) => {
    const long = 'aé東😀\ud800'.repeat(220);
    const slice = fc.tuple(fc.nat(5), fc.nat(1200)).map(([from, length]) => long.slice(from, from + length));
    fc.assert(
      fc.property(
        fc.oneof(slice, fc.string({ unit: fc.constantFrom('a', 'é', '東', '😀', '\ud800', '\udc00'), maxLength: 20 })),
        (text) => {
          const result = cut(text);
          if (utf8(text).length <= most) {
            expect(result).toBe(text);
            return;
          }
          expect(result.endsWith(end)).toBe(true);
          const kept = result.slice(0, result.length - end.length);
          const isWhole = !/[\ud800-\udbff]$/.test(kept) || !/^[\udc00-\udfff]/.test(text.slice(kept.length));
          expect([text.startsWith(kept), isWhole]).toEqual([true, true]);
          // No room is wasted: the next character would be too long.
          const length = utf8(result).length;
          expect([length <= most, length > most - 4]).toEqual([true, true]);
        },
      ),
      { numRuns: 40 },
    );
  });

  it.each([
    ['web', 'web.abc'],
    ['system:node-proxier', 'system-node-proxier.abc'],
    ['Upper_Case', 'upper-case.abc'],
    ['a.-b.', 'a.b.abc'],
    [':::', 'event.abc'],
    ['', 'event.abc'],
    ['x'.repeat(260), `${'x'.repeat(249)}.abc`],
    [`${'x'.repeat(248)}.yyyyy`, `${'x'.repeat(248)}.abc`],
  ])('about %j is called %j', (regarding, name) => {
    expect(eventName(regarding, 'abc')).toBe(name);
  });

  it('has a name that every server takes', () => {
    const unit = fc.oneof(fc.constantFrom('.', '-', ':', 'a', '0', 'Z'), fc.string({ maxLength: 3 }));
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 400 }), (regarding) => {
        expect(checkDnsSubdomain(eventName(regarding, '19b7'))).toEqual([]);
      }),
    );
  });

  it('has a name of its own, also where several are recorded in one moment', async () => {
    const { clock, recorder, stored } = world();
    for (let at = 0; at < 100; at += 1) recorder.record({ ...placed, reason: `R${at}` });
    await clock.settle();
    expect(stored.size).toBe(100);
    await recorder.close();
  });

  it.each(['', 'a b', 'example.com/a/b', `example.com/${'x'.repeat(64)}`])(
    'can not be reported by a controller called %j',
    (controller) => {
      expect(() => world({ controller })).toThrowError(
        expect.objectContaining({ code: 'Invalid', field: 'reportingController' }),
      );
    },
  );
});

describe('the same event again', () => {
  it('makes a series with the count 2, and is then only counted', async () => {
    const { clock, recorder, writes, stored } = world();
    for (let at = 0; at < 10; at += 1) {
      recorder.record({ ...placed, note: `try ${at}` });
      await clock.advance('10s');
    }
    expect(said(writes)).toEqual([
      ['create', 0, undefined],
      ['patch', 10_000, 2],
    ]);
    expect(writes[1]?.body).toEqual({ series: { count: 2, lastObservedTime: '2026-01-01T00:00:10.000000Z' } });
    expect([...stored.values()][0]?.note).toBe('try 0');
    await recorder.close();
    expect([...stored.values()][0]?.series).toEqual({ count: 10, lastObservedTime: '2026-01-01T00:01:30.000000Z' });
  });

  it.each<[string, Partial<RecordedEvent>]>([
    ['type', { type: 'Warning' }],
    ['reason', { reason: 'Other' }],
    ['action', { action: 'Other' }],
    ['object', { regarding: node }],
    ['uid of its object', { regarding: { ...web, metadata: { ...web.metadata, uid: 'u-2' } } as AnyObject }],
    ['related object', { related: node }],
  ])('is another event where its %s differs', async (_, other) => {
    const { clock, recorder, writes } = world();
    recorder.record(placed);
    recorder.record({ ...placed, ...other });
    await clock.settle();
    expect(said(writes)).toEqual([
      ['create', 0, undefined],
      ['create', 0, undefined],
    ]);
    await recorder.close();
  });

  it('is the same where only the version of its object and the note differ', async () => {
    const { clock, recorder, writes } = world();
    recorder.record(placed);
    recorder.record({
      ...placed,
      note: 'other',
      regarding: { ...web, metadata: { ...web.metadata, resourceVersion: '8' } } as AnyObject,
    });
    await clock.settle();
    expect(writes).toHaveLength(1);
    expect(writes[0]?.body.series).toMatchObject({ count: 2 });
    await recorder.close();
  });

  it.each([
    [
      360_000,
      [
        ['create', 0, undefined],
        ['patch', 360_000, 2],
      ],
    ],
    [
      360_001,
      [
        ['create', 0, undefined],
        ['create', 360_001, undefined],
      ],
    ],
  ])('after %i ms goes on with the series, or begins anew', async (ms, expected) => {
    const { clock, recorder, writes } = world();
    recorder.record(placed);
    await clock.advance(ms);
    recorder.record(placed);
    await clock.settle();
    expect(said(writes)).toEqual(expected);
    await recorder.close();
  });

  it('is written each half hour while it goes on, and once more when it has ended', async () => {
    const { clock, recorder, writes } = world();
    for (let minute = 0; minute <= 70; minute += 1) {
      recorder.record(placed);
      await clock.advance('1m');
    }
    expect(said(writes).slice(1)).toEqual([
      ['patch', 60_000, 2],
      ['patch', 31 * 60_000, 32],
      ['patch', 61 * 60_000, 62],
    ]);
    await clock.advance('10m');
    expect(said(writes).slice(4)).toEqual([['patch', 76 * 60_000 + 1, 71]]);
    // Nothing waits where nothing goes on.
    expect(clock.waiting).toBe(0);
    await recorder.close();
  });

  it('is written anew where the server has forgotten the event', async () => {
    const { clock, recorder, writes, stored } = world();
    recorder.record(placed);
    await clock.settle();
    stored.clear();
    recorder.record(placed);
    await clock.settle();
    expect(said(writes)).toEqual([
      ['create', 0, undefined],
      ['patch', 0, 2],
      ['create', 0, 2],
    ]);
    expect([...stored.values()][0]).toMatchObject({ series: { count: 2 }, note: 'it went to eu-1' });
    await recorder.close();
  });

  it('does not follow up an event that was refused', async () => {
    const { clock, recorder, writes, facts } = world({ answers: ['Forbidden'] });
    for (let at = 0; at < 5; at += 1) {
      recorder.record(placed);
      await clock.advance('1m');
    }
    await clock.advance('10m');
    expect(said(writes)).toEqual([
      ['create', 0, undefined],
      ['create', 60_000, 2],
    ]);
    expect(facts).toEqual([dropped('failed'), dropped('failed')]);
    await recorder.close();
  });
});

describe('a write that fails', () => {
  it.each<Answer>(['Unreachable', 'Timeout', 'TooManyRequests', 'InternalError', 'ServiceUnavailable'])(
    'with %s is tried twelve times, 10 s apart, while the others wait',
    async (code) => {
      const { clock, recorder, writes, facts, script } = world({ answers: [code] });
      recorder.record(placed);
      recorder.record({ ...placed, reason: 'Second' });
      await clock.advance(109_999);
      expect(writes.map(({ at }) => at)).toEqual(Array.from({ length: 11 }, (_, tries) => tries * 10_000));
      expect(facts).toEqual([]);
      script.splice(0, 1, code, 'ok');
      await clock.advance(1);
      expect(facts).toEqual([dropped('failed')]);
      expect(writes.slice(11).map(({ at, body }) => [at, body.reason])).toEqual([
        [110_000, 'Placed'],
        [110_000, 'Second'],
      ]);
      await recorder.close();
    },
  );

  it.each<Answer>(['Forbidden', 'Invalid', 'NotFound', 'NotServed', 'Unauthorized'])(
    'with %s is not tried again',
    async (code) => {
      const { clock, recorder, writes, facts } = world({ answers: [code, 'ok'] });
      recorder.record(placed);
      recorder.record({ ...placed, reason: 'Second' });
      await clock.advance('1m');
      expect(writes.map(({ body }) => body.reason)).toEqual(['Placed', 'Second']);
      expect(facts).toEqual([dropped('failed')]);
      await recorder.close();
    },
  );

  it('but got through is not written twice, and counts', async () => {
    const { clock, recorder, writes, facts, stored } = world({ answers: ['lost', 'ok'] });
    recorder.record(placed);
    await clock.advance('5s');
    recorder.record(placed);
    await clock.advance('5s');
    expect(said(writes)).toEqual([
      ['create', 0, undefined],
      ['create', 10_000, 2],
      ['patch', 10_000, 2],
    ]);
    expect(stored.size).toBe(1);
    expect([...stored.values()][0]?.series).toMatchObject({ count: 2 });
    expect(facts).toEqual([]);
    await recorder.close();
  });

  it('with no answer at all is given up after 30 s', async () => {
    const { clock, recorder, writes } = world({ answers: ['never', 'ok'] });
    recorder.record(placed);
    await clock.advance('39s');
    expect(writes).toHaveLength(1);
    await clock.advance('1s');
    expect(writes.map(({ at }) => at)).toEqual([0, 40_000]);
    await recorder.close();
  });
});

describe('whoever records events', () => {
  it('is never held up: what does not fit into the line is dropped', async () => {
    const { clock, recorder, writes, facts, stored } = world({ answers: ['Unreachable', 'ok'] });
    for (let at = 0; at < 1005; at += 1) recorder.record({ ...placed, reason: `R${at}` });
    expect(writes).toEqual([]);
    expect(facts).toEqual(Array.from({ length: 5 }, () => dropped('full')));
    await clock.advance('1m');
    expect(stored.size).toBe(1000);
    // In the order in which they came.
    expect([...stored.values()].map(({ reason }) => reason)).toEqual(Array.from({ length: 1000 }, (_, at) => `R${at}`));
    await recorder.close();
  });

  it('has room again once some are written', async () => {
    const { clock, recorder, stored, facts } = world({ capacity: 1 });
    for (let at = 0; at < 3; at += 1) {
      recorder.record({ ...placed, reason: `R${at}` });
      await clock.settle();
    }
    expect([stored.size, facts]).toEqual([3, []]);
    await recorder.close();
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['an object with no metadata', { regarding: {}, reason: 'R', note: '' }],
    ['a note that is no text', { ...placed, note: 5 }],
  ])('gets no error for %s', async (_, event) => {
    const { recorder, facts } = world();
    expect(() => recorder.record(event as RecordedEvent)).not.toThrow();
    expect(facts).toEqual([dropped('failed')]);
    await recorder.close();
  });

  it('leaves a bounded number of different events behind', async () => {
    const { clock, recorder, stored, writes } = world({ capacity: 10_000 });
    for (let at = 0; at < 5000; at += 1) recorder.record({ ...placed, reason: `R${at}` });
    await clock.settle();
    recorder.record({ ...placed, reason: 'R0' });
    recorder.record({ ...placed, reason: 'R4999' });
    await clock.settle();
    expect(stored.size).toBe(5001);
    expect(said(writes).slice(5000)).toEqual([
      ['create', 0, undefined],
      ['patch', 0, 2],
    ]);
    await recorder.close();
  });
});

describe('a recorder that closes', () => {
  it('writes what waits, and takes no more', async () => {
    const { recorder, stored, clock, writes } = world();
    for (const reason of ['A', 'B', 'C']) recorder.record({ ...placed, reason });
    await recorder.close();
    recorder.record(placed);
    await clock.advance('1m');
    expect([stored.size, writes.length]).toEqual([3, 3]);
    expect(clock.waiting).toBe(0);
  });

  it('does not wait for another try: each event has one more', async () => {
    const { clock, recorder, writes, facts } = world({ answers: ['Unreachable'] });
    recorder.record(placed);
    recorder.record({ ...placed, reason: 'Second' });
    await clock.advance('3s');
    await recorder.close();
    expect(writes.map(({ at, body }) => [at, body.reason])).toEqual([
      [0, 'Placed'],
      [3000, 'Placed'],
      [3000, 'Second'],
    ]);
    expect(facts).toEqual([dropped('failed'), dropped('failed')]);
    expect(clock.waiting).toBe(0);
  });

  it.each([
    ['after 5 s', undefined, 5000],
    ['when the signal fires', 1000, 1000],
  ])('is over %s, also where nothing answers', async (_, signalMs, endMs) => {
    const { clock, recorder, writes, facts } = world({ answers: ['never'] });
    for (const reason of ['A', 'B', 'C']) recorder.record({ ...placed, reason });
    await clock.advance('1s');
    const abort = new AbortController();
    if (signalMs !== undefined) clock.after(signalMs, () => abort.abort());
    let isOver = false;
    const closing = recorder.close(abort.signal).then(() => {
      isOver = true;
    });
    await clock.advance(endMs - 1);
    expect(isOver).toBe(false);
    await clock.advance(1);
    await closing;
    expect(writes).toHaveLength(1);
    expect(facts).toEqual([dropped('failed'), untried, untried]);
    expect(clock.waiting).toBe(0);
  });

  it('may be closed twice, and with a signal that has fired', async () => {
    const { recorder, facts, clock } = world();
    recorder.record(placed);
    await recorder.close(AbortSignal.abort());
    await recorder.close();
    expect(facts).toEqual([untried]);
    expect(clock.waiting).toBe(0);
  });
});

describe('whatever is recorded, however the server answers', () => {
  it('is counted in the end, or told to be lost', async () => {
    const step = fc.record({
      wait: fc.constantFrom(0, 1000, 20_000, 400_000),
      reason: fc.constantFrom('A', 'B'),
      answer: fc.constantFrom<Answer>('ok', 'lost', 'Unreachable', 'ok'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
        const { clock, recorder, stored, script, facts } = world();
        for (const { wait, reason, answer } of steps) {
          script.splice(0, script.length, answer, 'ok');
          recorder.record({ ...placed, reason });
          await clock.advance(wait);
        }
        // The server gets well, and there is time for another try: closing has only one.
        script.splice(0, script.length, 'ok');
        await clock.advance('1m');
        await recorder.close();
        const counts = [...stored.values()].map(({ series }) => (series as { count: number } | undefined)?.count ?? 1);
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(steps.length);
        expect(facts).toEqual([]);
        expect(clock.waiting).toBe(0);
      }),
      { numRuns: 30 },
    );
  });
});
