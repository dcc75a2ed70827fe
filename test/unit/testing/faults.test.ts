import { type AnyObject, type Cluster, isClustersetError, resourceType, type WatchEvent } from 'clusterset/kube';
import { simulate, type VirtualClock, type World } from 'clusterset/testing';
import { describe, expect, it } from 'vitest';

const configMaps = resourceType('v1', 'ConfigMap', 'configmaps');
const secrets = resourceType('v1', 'Secret', 'secrets');

const configMap = (name: string, data: Record<string, string> = {}): AnyObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace: 'default', name },
  data,
});

/** What becomes of a promise, without waiting for it. */
function outcome(promise: Promise<unknown>): { readonly now: () => string } {
  let state = 'under way';
  promise.then(
    () => {
      state = 'answered';
    },
    (error: unknown) => {
      state = isClustersetError(error) ? `${error.code} ${error.status ?? ''}`.trim() : String(error);
    },
  );
  return { now: () => state };
}

/** Everything that a watch hears, until it ends. */
function listen(cluster: Cluster): { readonly heard: string[]; end(): string } {
  const heard: string[] = [];
  let end = 'open';
  const run = async (): Promise<void> => {
    for await (const event of cluster.watch(configMaps, { resourceVersion: '1' })) heard.push(textOf(event));
  };
  run().then(
    () => {
      end = 'ended';
    },
    (error: unknown) => {
      end = isClustersetError(error) ? error.code : String(error);
    },
  );
  return { heard, end: () => end };
}

const textOf = (event: WatchEvent<AnyObject>): string =>
  event.type === 'BOOKMARK' ? 'BOOKMARK' : `${event.type} ${event.object.metadata.name}`;

async function one(): Promise<{ readonly world: World; readonly cluster: Cluster }> {
  const world = await simulate({ members: { a: {}, b: {} } });
  return { world, cluster: world.connect('a') };
}

describe('a fault of an offline cluster', () => {
  it('concerns its cluster only', async () => {
    const { world, cluster } = await one();
    using _ = world.cluster('a').network.fail({ code: 500 });
    expect(await outcomeOf(cluster.list(configMaps))).toBe('InternalError 500');
    expect(await outcomeOf(world.connect('b').list(configMaps))).toBe('answered');
  });

  it.each([
    ['verbs', { verbs: ['list'] }],
    ['resources', { resources: ['configmaps'] }],
    ['namespaces', { namespaces: ['default'] }],
    ['clients', { clients: ['tester'] }],
  ] as const)('concerns only requests in its scope: %s', async (_, scope) => {
    const { world } = await one();
    const cluster = world.cluster('a').connect({ fieldManager: 'tester' });
    const other = world.cluster('a').connect({ fieldManager: 'somebody' });
    using _fault = world.cluster('a').network.fail({ code: 500 }, scope);
    const asked = {
      list: await outcomeOf(cluster.list(configMaps, { namespace: 'default' })),
      get: await outcomeOf(cluster.get(secrets, { namespace: 'kube-system', name: 'x' })),
      other: await outcomeOf(other.list(secrets, { namespace: 'kube-system' })),
    };
    expect(asked.list).toBe('InternalError 500');
    expect(asked.get).toBe('clients' in scope ? 'InternalError 500' : 'answered');
    expect(asked.other).toBe('verbs' in scope ? 'InternalError 500' : 'answered');
  });

  it('ends when it is disposed of', async () => {
    const { world, cluster } = await one();
    {
      using _ = world.cluster('a').network.reset();
      expect(await outcomeOf(cluster.list(configMaps))).toBe('Unreachable');
    }
    expect(await outcomeOf(cluster.list(configMaps))).toBe('answered');
  });

  it('delays requests, on the world’s clock', async () => {
    const { world, cluster } = await one();
    using _ = world.cluster('a').network.delay('2s', { verbs: ['list'] });
    const listed = outcome(cluster.list(configMaps));
    await world.advance(1999);
    expect(listed.now()).toBe('under way');
    await world.advance(1);
    expect(listed.now()).toBe('answered');
  });

  it('delays events, all of them by the same time', async () => {
    const { world, cluster } = await one();
    const watching = listen(cluster);
    await world.settle();
    using _ = world.cluster('a').network.delay('1s', { verbs: ['watch'] });
    for (const name of ['x', 'y', 'z']) await cluster.create(configMaps, configMap(name));
    await world.advance(999);
    expect(watching.heard).toEqual([]);
    await world.advance(1);
    expect(watching.heard).toEqual(['ADDED x', 'ADDED y', 'ADDED z']);
  });

  it('adds up delays, of requests as of events', async () => {
    const { world, cluster } = await one();
    const watching = listen(cluster);
    await world.settle();
    await cluster.create(configMaps, configMap('x'));
    await world.settle();
    const { network } = world.cluster('a');
    using _first = network.delay('1s', { verbs: ['watch', 'list'] });
    using _second = network.delay('2s', { verbs: ['watch', 'list'] });
    await cluster.create(configMaps, configMap('y'));
    const listed = outcome(cluster.list(configMaps));
    await world.advance(2999);
    expect([watching.heard, listed.now()]).toEqual([['ADDED x'], 'under way']);
    await world.advance(1);
    expect([watching.heard, listed.now()]).toEqual([['ADDED x', 'ADDED y'], 'answered']);
  });

  it('delays nobody any more when it is over, and leaves no timer behind', async () => {
    const { world, cluster } = await one();
    const before = (world.clock as VirtualClock).waiting;
    const delay = world.cluster('a').network.delay('1h');
    const listed = outcome(cluster.list(configMaps));
    await world.settle();
    expect((world.clock as VirtualClock).waiting).toBe(before + 1);
    delay[Symbol.dispose]();
    await world.settle();
    expect([listed.now(), (world.clock as VirtualClock).waiting]).toEqual(['answered', before]);
  });

  it('lets those go who do not want to wait, and breaks them off when the network is cut', async () => {
    const { world, cluster } = await one();
    using _ = world.cluster('a').network.delay('1h');
    const control = new AbortController();
    const given = outcome(cluster.list(configMaps, { signal: control.signal }));
    const cut = outcome(cluster.list(configMaps));
    await world.settle();
    control.abort();
    await world.settle();
    expect([given.now(), cut.now()]).toEqual(['Aborted', 'under way']);
    using _cut = world.partition('a');
    await world.settle();
    expect(cut.now()).toBe('Unreachable');
  });

  it('hangs, and answers when it is over', async () => {
    const { world, cluster } = await one();
    const hang = world.cluster('a').network.hang({ verbs: ['list'] });
    const listed = outcome(cluster.list(configMaps));
    await world.advance('1h');
    expect(listed.now()).toBe('under way');
    hang[Symbol.dispose]();
    await world.settle();
    expect(listed.now()).toBe('answered');
  });

  it('makes connections half-open: what was open then hears nothing any more, also when it is over', async () => {
    const { world, cluster } = await one();
    const watching = listen(cluster);
    await world.settle();
    const silence = world.cluster('a').network.silence();
    const asked = outcome(cluster.list(configMaps));
    await world.settle();
    silence[Symbol.dispose]();
    const later = listen(cluster);
    await world.settle();
    expect(asked.now()).toBe('under way');
    await cluster.create(configMaps, configMap('x'));
    await world.settle();
    expect([watching.heard, watching.end()]).toEqual([[], 'open']);
    expect(later.heard).toEqual(['ADDED x']);
    using _ = world.partition('a');
    await world.settle();
    expect([watching.end(), asked.now()]).toEqual(['Unreachable', 'Unreachable']);
  });

  it('keeps the end of a half-open watch from its reader, too', async () => {
    const { world, cluster } = await one();
    const [silenced, other] = [listen(cluster), listen(world.connect('b'))];
    await world.settle();
    using _ = world.cluster('a').network.silence();
    // No server keeps a watch open for longer than an hour.
    await world.advance('2h');
    expect([silenced.end(), other.end()]).toEqual(['open', 'ended']);
  });

  it('resets the connection of a watch at its next event', async () => {
    const { world, cluster } = await one();
    const watching = listen(cluster);
    await world.settle();
    using _ = world.cluster('a').network.reset({ verbs: ['watch'] });
    await world.settle();
    expect(watching.end()).toBe('open');
    await cluster.create(configMaps, configMap('x'));
    await world.settle();
    expect([watching.heard, watching.end()]).toEqual([[], 'Unreachable']);
  });

  it('loses answers: the write has happened', async () => {
    const { world, cluster } = await one();
    {
      using _ = world.cluster('a').network.loseAnswers({ verbs: ['create'] });
      expect(await outcomeOf(cluster.create(configMaps, configMap('x')))).toBe('Unreachable');
    }
    expect(await outcomeOf(cluster.create(configMaps, configMap('x')))).toBe('AlreadyExists 409');
  });

  it('loses refusals as well', async () => {
    const { world, cluster } = await one();
    using _ = world.cluster('a').network.loseAnswers();
    expect(await outcomeOf(cluster.get(configMaps, { namespace: 'default', name: 'none' }))).toBe('Unreachable');
    expect(
      world
        .cluster('a')
        .requests.all()
        .map(({ code }) => code),
    ).toEqual([404]);
  });

  it('does not leave a watch open whose opening the client never heard of', async () => {
    const { world, cluster } = await one();
    const clock = world.clock as VirtualClock;
    const before = clock.waiting;
    using _ = world.cluster('a').network.loseAnswers({ verbs: ['watch'] });
    const watching = listen(cluster);
    await world.settle();
    expect([watching.end(), clock.waiting]).toEqual(['Unreachable', before]);
  });

  it('leaves nothing on the clock of a world that was let go of', async () => {
    const world = await simulate({ host: {}, members: { a: { nodes: 2, rbac: true } } });
    const { network } = world.cluster('a');
    const watching = listen(world.connect('a'));
    await world.settle();
    network.delay('1h', { verbs: ['list'] });
    network.hang({ verbs: ['get'] });
    network.fail({ code: 503, retryAfterSeconds: 20 }, { verbs: ['create'] });
    const cluster = world.connect('a');
    const waiting = [
      outcome(cluster.list(configMaps)),
      outcome(cluster.get(configMaps, { namespace: 'default', name: 'x' })),
      outcome(cluster.create(configMaps, configMap('x'))),
    ];
    await world.advance('10s');
    await world[Symbol.asyncDispose]();
    await world.settle();
    expect([watching.end(), ...waiting.map((each) => each.now())]).toEqual([
      'Unreachable',
      'Unreachable',
      'Unreachable',
      'Aborted',
    ]);
    expect((world.clock as VirtualClock).waiting).toBe(0);
  });

  it('ends watches whose readers are too slow', async () => {
    const { world, cluster } = await one();
    const watching = listen(cluster);
    await world.settle();
    const slow = world.cluster('a').network.slowReader({ buffer: 2 }, { verbs: ['watch'] });
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      await cluster.create(configMaps, configMap(name));
      await world.settle();
    }
    expect(watching.heard).toEqual([]);
    slow[Symbol.dispose]();
    await world.settle();
    expect(watching.end()).toBe('ended');
    expect(watching.heard).toEqual(['ADDED a', 'ADDED b', 'ADDED c', 'ADDED d']);
  });

  it('goes on with watches whose readers were slow for a while', async () => {
    const { world, cluster } = await one();
    const watching = listen(cluster);
    await world.settle();
    const slow = world.cluster('a').network.slowReader();
    for (const name of ['a', 'b', 'c']) await cluster.create(configMaps, configMap(name));
    await world.settle();
    slow[Symbol.dispose]();
    await world.settle();
    expect([watching.heard, watching.end()]).toEqual([['ADDED a', 'ADDED b', 'ADDED c'], 'open']);
  });

  it('answers with failures, as often as it was told', async () => {
    const { world, cluster } = await one();
    using _ = world.cluster('a').network.fail({ code: 500, times: 2 });
    const answers = [];
    for (let turn = 0; turn < 3; turn += 1) answers.push(await outcomeOf(cluster.list(configMaps)));
    expect(answers).toEqual(['InternalError 500', 'InternalError 500', 'answered']);
  });

  it.each([
    [429, 'TooManyRequests 429'],
    [503, 'ServiceUnavailable 503'],
  ])('sheds load with %i, and clients come back as they were asked to', async (code, last) => {
    const { world, cluster } = await one();
    const burst = world.cluster('a').network.fail({ code, times: 3 });
    const patient = outcome(cluster.list(configMaps));
    await world.advance(2999);
    expect(patient.now()).toBe('under way');
    await world.advance(1);
    expect(patient.now()).toBe('answered');
    burst[Symbol.dispose]();
    using _ = world.cluster('a').network.fail({ code });
    const hopeless = outcome(cluster.list(configMaps));
    await world.advance('1m');
    expect(hopeless.now()).toBe(last);
  });

  it.each([
    [401, 'Unauthorized 401', 'Unauthorized 401'],
    [500, 'InternalError 500', 'answered'],
    [503, 'ServiceUnavailable 503', 'answered'],
  ])('concerns questions about the cluster itself, too: %i', async (code, version, ready) => {
    const { world, cluster } = await one();
    using _ = world.cluster('a').network.fail({ code, message: 'no', retryAfterSeconds: 0 });
    expect(await outcomeOf(cluster.version())).toBe(version);
    expect(await outcomeOf(cluster.ready())).toBe(ready);
    if (ready === 'answered') expect(await cluster.ready()).toBe(false);
  });

  it('revokes credentials: new requests are refused, and open watches go on', async () => {
    const { world, cluster } = await one();
    const watching = listen(cluster);
    await world.settle();
    {
      using _ = world.cluster('a').revoke({ clients: ['clusterset'] });
      expect(await outcomeOf(cluster.list(configMaps))).toBe('Unauthorized 401');
      await world.cluster('a').connect({ fieldManager: 'somebody' }).create(configMaps, configMap('x'));
      await world.settle();
      expect(watching.heard).toEqual(['ADDED x']);
    }
    expect(await outcomeOf(cluster.list(configMaps))).toBe('answered');
  });

  it('skews a clock, and puts it right again', async () => {
    const { world, cluster } = await one();
    const bornAt = async (name: string): Promise<unknown> =>
      (await cluster.create(configMaps, configMap(name))).metadata.creationTimestamp;
    {
      using _ = world.cluster('a').skew('-1h');
      expect(await bornAt('x')).toBe('2025-12-31T23:00:00Z');
      await world.advance('1m');
      expect(await bornAt('y')).toBe('2025-12-31T23:01:00Z');
    }
    expect(await bornAt('z')).toBe('2026-01-01T00:01:00Z');
  });
});

async function outcomeOf(promise: Promise<unknown>): Promise<string> {
  const result = outcome(promise);
  await promise.catch(() => undefined);
  return result.now();
}
