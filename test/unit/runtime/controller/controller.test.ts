import { ClustersetError } from 'clusterset/kube';
import { type Controller, controller, oneCluster, type ReconcileInput, terminal } from 'clusterset/runtime';
import { describe, expect, it } from 'vitest';
import { CONFIG_MAPS, forever, typeOf } from '../fixtures.ts';
import { named, stage } from './start.ts';

const SECRETS = typeOf('', 'Secret');
const SERVICES = typeOf('', 'Service');

/** What a controller was called for. */
function recorder(): {
  readonly calls: string[];
  readonly call: (input: ReconcileInput) => Promise<undefined>;
} {
  const calls: string[] = [];
  return {
    calls,
    call: async ({ request, object, attempt }) => {
      calls.push(`${request.cluster} ${request.namespace}/${request.name} ${object === undefined ? 'gone' : 'there'} ${attempt}`);
      return undefined;
    },
  };
}

/** A ConfigMap `default/a` that doesn't come from the server itself. */
const isOurs = { labelSelector: 'ours' };
const ours = (name: string, metadata: Record<string, unknown> = {}) => named(name, {}, { labels: { ours: '' }, ...metadata });

describe('a controller', () => {
  it('is called for each object of its type in each cluster, and again when one changes or goes', async () => {
    const { calls, call } = recorder();
    const scene = await stage();
    await scene.create('eu-1', ours('a'));
    await scene.create('us-1', ours('b'));
    scene.run(controller(CONFIG_MAPS, isOurs).on(scene.set).reconcile(call));
    await scene.world.settle();
    expect(calls.splice(0).sort()).toEqual(['eu-1 default/a there 1', 'us-1 default/b there 1']);
    await scene.as('kubectl', 'us-1').delete(CONFIG_MAPS, { namespace: 'default', name: 'b' });
    await scene.world.settle();
    expect(calls).toEqual(['us-1 default/b gone 1']);
  });

  it('says where it works, or is refused', () => {
    expect(() => controller(CONFIG_MAPS).reconcile(async () => undefined)).toThrow(/\.on\(clusters\)/);
  });

  it('is called for the owner of what it owns, in any version of its group, when that changes or goes', async () => {
    const { calls, call } = recorder();
    const scene = await stage();
    const owner = await scene.create('eu-1', ours('a'));
    const reference = { apiVersion: 'v1', kind: 'ConfigMap', name: 'a', uid: owner.metadata.uid ?? '' };
    scene.run(controller(CONFIG_MAPS, isOurs).owns(SECRETS).on(scene.set).reconcile(call));
    await scene.world.settle();
    calls.length = 0;
    const secret = (name: string, controls: boolean) => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace: 'default', name, ownerReferences: [{ ...reference, controller: controls }] },
    });
    const cluster = scene.as('kubectl', 'eu-1');
    await cluster.create(SECRETS, secret('owned', true));
    await scene.world.settle();
    await cluster.create(SECRETS, secret('known', false));
    await scene.world.settle();
    expect(calls.splice(0)).toEqual(['eu-1 default/a there 1']);
    await cluster.patch(
      SECRETS,
      { namespace: 'default', name: 'owned' },
      { type: 'merge', body: { metadata: { ownerReferences: null } } },
    );
    await scene.world.settle();
    expect(calls, 'who was its owner before').toEqual(['eu-1 default/a there 1']);
  });

  it('is called for what a mapping names, of objects as they are and as they were', async () => {
    const { calls, call } = recorder();
    const scene = await stage();
    const map = ({ metadata: { namespace, labels } }: ReturnType<typeof named>) =>
      namespace === undefined || labels?.use === undefined ? [] : [{ namespace, name: labels.use }];
    scene.run(controller(CONFIG_MAPS, isOurs).watches(SERVICES, map).on(scene.set).reconcile(call));
    const cluster = scene.as('kubectl', 'eu-1');
    const metadata = { namespace: 'default', name: 'web', labels: { use: 'a' } };
    await cluster.create(SERVICES, { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ port: 80 }] } });
    await scene.world.settle();
    expect(calls.splice(0)).toEqual(['eu-1 default/a gone 1']);
    await cluster.patch(SERVICES, metadata, { type: 'merge', body: { metadata: { labels: { use: 'b' } } } });
    await scene.world.settle();
    expect(calls.sort()).toEqual(['eu-1 default/a gone 1', 'eu-1 default/b gone 1']);
  });

  it('is called in all its clusters for what is watched on the host, also in one that comes later', async () => {
    const { calls, call } = recorder();
    const scene = await stage();
    const host = oneCluster(scene.world.connect('host'));
    const mirror = controller(CONFIG_MAPS, isOurs)
      .watches(CONFIG_MAPS, ({ metadata }) => [metadata], { on: host, ...isOurs })
      .on(scene.set);
    scene.run(
      mirror.reconcile(async (input) => {
        expect(input.cached(CONFIG_MAPS, 'host').get(input.request)?.metadata.name).toBe('a');
        await call(input);
      }),
    );
    await scene.create('host', ours('a'));
    await scene.world.settle();
    expect(calls.sort()).toEqual(['eu-1 default/a gone 1', 'us-1 default/a gone 1']);
    expect(scene.outcomes().every((outcome) => outcome.endsWith('success'))).toBe(true);
  });

  it('leaves out changes that a predicate does not let pass', async () => {
    const { calls, call } = recorder();
    const scene = await stage();
    await scene.create('eu-1', ours('a'));
    const when = ({ object, previous }: { object?: unknown; previous?: unknown }) =>
      object === undefined || previous !== undefined;
    scene.run(
      controller(CONFIG_MAPS, { ...isOurs, when })
        .on(scene.set)
        .reconcile(call),
    );
    await scene.world.settle();
    expect(calls).toEqual([]);
    const key = { namespace: 'default', name: 'a' };
    await scene.as('kubectl', 'eu-1').patch(CONFIG_MAPS, key, { type: 'merge', body: { data: { x: '1' } } });
    await scene.world.settle();
    expect(calls).toEqual(['eu-1 default/a there 1']);
  });
});

describe('the answer of a reconcile', () => {
  /** Runs a controller for one object, and tells when it was called. */
  async function timesOf(
    answer: (attempt: number) => ReturnType<ReconcileInput['cached']> | unknown,
    duration: string,
  ): Promise<{
    readonly times: number[];
    readonly attempts: number[];
    readonly outcomes: string[];
  }> {
    const scene = await stage({ members: { 'eu-1': {} } });
    await scene.create('eu-1', ours('a'));
    const [times, attempts]: [number[], number[]] = [[], []];
    let began: number | undefined;
    scene.run(
      controller(CONFIG_MAPS, isOurs)
        .on(scene.set)
        .reconcile(async ({ attempt }) => {
          began ??= scene.world.clock.now();
          times.push(scene.world.clock.now() - began);
          attempts.push(attempt);
          const said = answer(times.length);
          if (said instanceof Error) throw said;
          return said as undefined;
        }),
    );
    await scene.world.advance(duration);
    return { times, attempts, outcomes: scene.outcomes().map((text) => text.split(' ')[2] ?? '') };
  }

  it('nothing: it is called when something changes', async () => {
    expect(await timesOf(() => undefined, '1h')).toEqual({ times: [0], attempts: [1], outcomes: ['success'] });
  });

  it('a time: it is called again then, as for the first time', async () => {
    const { times, attempts, outcomes } = await timesOf(() => ({ requeueAfterMs: 60_000 }), '150s');
    expect(times).toEqual([0, 60_000, 120_000]);
    expect(attempts).toEqual([1, 1, 1]);
    expect(outcomes).toEqual(['requeue_after', 'requeue_after', 'requeue_after']);
  });

  it.each([
    ['a wish to retry', () => ({ retry: true }), 'requeue'],
    ['an error', () => new Error('no'), 'error'],
    [
      'an error of the cluster that says no',
      () => new ClustersetError({ code: 'Unauthorized', message: 'no', status: 401 }),
      'error',
    ],
  ])('%s: it is called after 5, 10, 20, 40 ms', async (_, answer, outcome) => {
    const { times, attempts, outcomes } = await timesOf((count) => (count < 5 ? answer() : undefined), '10s');
    expect(times).toEqual([0, 5, 15, 35, 75]);
    expect(attempts).toEqual([1, 2, 3, 4, 5]);
    expect(outcomes).toEqual([outcome, outcome, outcome, outcome, 'success']);
  });

  it('a terminal error: it is not called again', async () => {
    expect(await timesOf(() => terminal(new Error('no')), '1h')).toEqual({ times: [0], attempts: [1], outcomes: ['terminal'] });
  });

  it('nothing in time: it counts as failed, and its signal fires', async () => {
    const scene = await stage({ members: { 'eu-1': {} } });
    await scene.create('eu-1', ours('a'));
    const signals: AbortSignal[] = [];
    scene.run(
      controller(CONFIG_MAPS, isOurs)
        .on(scene.set)
        .reconcile(
          ({ signal }) => {
            signals.push(signal);
            return forever(signal);
          },
          { timeoutMs: 1000 },
        ),
    );
    await scene.world.advance('1500ms');
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    expect(scene.outcomes()).toEqual(['eu-1 default/a timeout']);
  });
});

describe('a call that does not mind its signal', () => {
  it('keeps its object to itself until it ends', async () => {
    const scene = await stage({ members: { 'eu-1': {} } });
    await scene.create('eu-1', ours('a'));
    let [running, most] = [0, 0];
    const ends: (() => void)[] = [];
    scene.run(
      controller(CONFIG_MAPS, isOurs)
        .on(scene.set)
        .reconcile(
          async () => {
            running += 1;
            most = Math.max(most, running);
            await new Promise<void>((resolve) => ends.push(resolve));
            running -= 1;
          },
          { timeoutMs: 1000 },
        ),
    );
    await scene.world.advance('1m');
    expect(ends).toHaveLength(1);
    ends[0]?.();
    await scene.world.advance('1s');
    expect(ends).toHaveLength(2);
    expect(most).toBe(1);
    for (const end of ends) end();
  });
});

describe('no cluster waits for another', () => {
  /** A controller whose calls in one cluster never end. */
  const stuckIn = (stuck: string, call: (input: ReconcileInput) => Promise<undefined>) => (input: ReconcileInput) =>
    input.request.cluster === stuck ? forever(input.signal) : call(input);

  it('where calls in one hang', async () => {
    const { calls, call } = recorder();
    const scene = await stage();
    for (let index = 0; index < 50; index += 1) await scene.create('eu-1', ours(`a-${index}`));
    scene.run(controller(CONFIG_MAPS, isOurs).on(scene.set).reconcile(stuckIn('eu-1', call)));
    await scene.world.settle();
    await scene.create('us-1', ours('b'));
    await scene.world.settle();
    expect(calls).toEqual(['us-1 default/b there 1']);
  });

  it('where one never answers a list', async () => {
    const { calls, call } = recorder();
    const scene = await stage();
    using _hang = scene.world.cluster('eu-1').network.hang();
    scene.run(controller(CONFIG_MAPS, isOurs).on(scene.set).reconcile(call));
    await scene.create('us-1', ours('b'));
    await scene.world.settle();
    expect(calls).toEqual(['us-1 default/b there 1']);
  });

  it('and one that is unreachable is left alone until it is back', async () => {
    const { calls, call } = recorder();
    const scene = await stage({}, { probe: { intervalMs: 1000, failures: 1 } });
    scene.run(controller(CONFIG_MAPS, isOurs).on(scene.set).reconcile(call));
    await scene.create('eu-1', ours('a'));
    await scene.world.settle();
    const cut = scene.world.cluster('eu-1').network.cut();
    await scene.world.advance('5s');
    expect(scene.set.get('eu-1')?.state).toBe('unreachable');
    calls.length = 0;
    cut[Symbol.dispose]();
    await scene.create('eu-1', ours('b'));
    await scene.world.advance('1m');
    expect(calls).toContain('eu-1 default/b there 1');
  });
});

describe('a cluster that is well again', () => {
  it('has at once what could not be done while it was not, however often it had failed', async () => {
    const { calls, call } = recorder();
    const scene = await stage({ members: { 'eu-1': {} } }, { probe: { intervalMs: 1000 } });
    await scene.create('eu-1', ours('a'));
    const write = async (input: ReconcileInput): Promise<undefined> => {
      await input.cluster.patch(CONFIG_MAPS, input.request, { type: 'merge', body: { data: { seen: 'yes' } } });
      return call(input);
    };
    const down = scene.world.cluster('eu-1').network.fail({ code: 500 }, { verbs: ['patch'] });
    const unwell = scene.world.cluster('eu-1').network.fail({ code: 500 }, { verbs: ['get'] });
    scene.run(controller(CONFIG_MAPS, isOurs).on(scene.set).reconcile(write));
    await scene.world.advance('5m');
    expect([scene.set.get('eu-1')?.state, calls]).toEqual(['degraded', []]);
    down[Symbol.dispose]();
    unwell[Symbol.dispose]();
    await scene.world.advance('2s');
    expect(calls.at(-1)).toMatch(/^eu-1 default\/a there/);
  });
});

describe('the end of a controller', () => {
  const until = (signal: AbortSignal, ms: number, scene: Awaited<ReturnType<typeof stage>>) =>
    new Promise<undefined>((resolve, reject) => {
      scene.world.clock.after(ms, () => resolve(undefined));
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });

  async function working(): Promise<{ scene: Awaited<ReturnType<typeof stage>>; finished: string[]; made: Controller }> {
    const scene = await stage({ members: { 'eu-1': {} } });
    await scene.create('eu-1', ours('a'));
    const finished: string[] = [];
    const made = controller(CONFIG_MAPS, isOurs)
      .on(scene.set)
      .reconcile(async ({ signal, request }) => {
        await until(signal, 10_000, scene).then(
          () => finished.push(`${request.name} done`),
          () => finished.push(`${request.name} ended`),
        );
      });
    scene.run(made);
    await scene.world.settle();
    return { scene, finished, made };
  }

  it('lets what is under way finish, and begins nothing', async () => {
    const { scene, finished } = await working();
    scene.stop();
    await scene.create('eu-1', ours('b'));
    await scene.world.advance('20s');
    await scene.ended();
    expect(finished).toEqual(['a done']);
  });

  it('ends what is under way where it must', async () => {
    const { scene, finished } = await working();
    scene.stop();
    scene.kill();
    await scene.ended();
    await scene.world.settle();
    expect(finished).toEqual(['a ended']);
    expect(scene.outcomes(), 'that we ended it is no failure').toEqual([]);
  });

  it('can be followed by another run, but by no second at the same time', async () => {
    const { scene, made } = await working();
    await expect(made.run(scene.environment, AbortSignal.abort())).rejects.toThrow(/runs already/);
    scene.stop();
    await scene.world.advance('20s');
    await scene.ended();
    await made.run(scene.environment, AbortSignal.abort());
    expect(made.idle).toBe(true);
  });
});
