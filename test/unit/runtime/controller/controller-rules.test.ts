import { ClustersetError } from 'clusterset/kube';
import type { ClusterEntry } from 'clusterset/registry';
import { ClusterSet, controller, newestValues, oneCluster, type ReconcileInput } from 'clusterset/runtime';
import { describe, expect, it } from 'vitest';
import { CONFIG_MAPS, forever, typeOf } from '../fixtures.ts';
import { named, type Stage, stage } from './start.ts';

const isOurs = { labelSelector: 'ours' };
const ours = (name: string) => named(name, {}, { labels: { ours: '' } });
const one = { members: { 'eu-1': {} } };

/** A source whose members come and go. */
function roster(...names: readonly string[]) {
  let now = names;
  const listeners = new Set<() => void>();
  return {
    become(...next: readonly string[]): void {
      now = next;
      for (const listener of listeners) listener();
    },
    watch: (signal: unknown) =>
      newestValues<readonly ClusterEntry[]>(async (say, stopping) => {
        const tell = (): void => say(now.map((name) => ({ name })));
        listeners.add(tell);
        tell();
        await forever(stopping).catch(() => undefined);
      }, signal as AbortSignal),
  };
}

/** The most calls under way at a time, of twenty objects of one cluster. */
async function mostAtOnce(options: { readonly inFlightPerCluster?: number }): Promise<number> {
  const scene = await stage(one);
  for (let index = 0; index < 20; index += 1) await scene.create('eu-1', ours(`a-${index}`));
  let [running, most] = [0, 0];
  const work = async (): Promise<void> => {
    running += 1;
    most = Math.max(most, running);
    await new Promise<void>((resolve) => scene.world.clock.after(100, resolve));
    running -= 1;
  };
  scene.run(controller(CONFIG_MAPS, isOurs).on(scene.set).reconcile(work, options));
  await scene.world.advance('10s');
  return most;
}

describe('the options of a controller', () => {
  it.each([
    ['ten where nothing is said', {}, 10],
    ['as many as are said', { inFlightPerCluster: 2 }, 2],
  ])('objects of one cluster that are worked on at the same time: %s', async (_, options, most) => {
    expect(await mostAtOnce(options)).toBe(most);
  });

  it('delays after failures: from the first to the longest', async () => {
    const scene = await stage(one);
    await scene.create('eu-1', ours('a'));
    const times: number[] = [];
    const fail = async (): Promise<never> => {
      times.push(scene.world.clock.now());
      throw new Error('no');
    };
    scene.run(controller(CONFIG_MAPS, isOurs).on(scene.set).reconcile(fail, { retryBaseMs: 100, retryMaxMs: 300 }));
    await scene.world.advance('1s');
    expect(times.slice(1).map((at, index) => at - (times[index] ?? 0))).toEqual([100, 200, 300, 300]);
  });

  it('the breaker of a cluster: it opens after as many failures, by which the cluster is meant, and keys are parked', async () => {
    const scene = await stage(one);
    await scene.create('eu-1', ours('a'));
    const down = async (): Promise<never> => {
      throw new ClustersetError({ code: 'Unreachable', message: 'no', cluster: 'eu-1' });
    };
    scene.run(
      controller(CONFIG_MAPS, isOurs)
        .on(scene.set)
        .reconcile(down, { breaker: { failures: 1, firstMs: 60_000 } }),
    );
    await scene.world.advance('10s');
    expect(scene.outcomes()).toHaveLength(1);
  });
});

describe('the numbers of a controller', () => {
  it('tell how long calls take, and what is parked', async () => {
    const scene = await stage({ members: { 'eu-1': {}, 'us-1': {} } }, { probe: { intervalMs: 1000, failures: 1 } });
    await scene.create('eu-1', ours('a'));
    const made = controller(CONFIG_MAPS, isOurs)
      .on(scene.set)
      .reconcile(({ signal }) => forever(signal), { inFlightPerCluster: 1 });
    scene.run(made);
    await scene.world.settle();
    using _cut = scene.world.cluster('us-1').network.cut();
    await scene.world.advance('5s');
    made.enqueue({ cluster: 'us-1', namespace: 'default', name: 'b' });
    made.enqueue({ cluster: 'eu-1', namespace: 'default', name: 'c' });
    const values = Object.fromEntries(
      [...made.gauges()].map(({ gauge, labels, value }) => [`${gauge.name} ${labels.cluster ?? ''}`, value]),
    );
    expect(values).toMatchObject({
      'workqueue_depth us-1': 1,
      'workqueue_depth eu-1': 1,
      'clusterset_workqueue_parked us-1': 1,
      'clusterset_workqueue_parked eu-1': 0,
      'controller_runtime_active_workers eu-1': 1,
      'controller_runtime_active_workers us-1': 0,
      'workqueue_longest_running_processor_seconds eu-1': 5,
      'workqueue_unfinished_work_seconds eu-1': 5,
    });
  });
});

describe('a cluster that leaves', () => {
  async function left(call: (input: ReconcileInput, scene: Stage) => Promise<undefined>) {
    const source = roster('eu-1');
    const scene: Stage = await stage(one, { source });
    await scene.create('eu-1', ours('a'));
    const made = controller(CONFIG_MAPS, isOurs)
      .on(scene.set)
      .reconcile((input) => call(input, scene));
    scene.run(made);
    await scene.world.settle();
    return { scene, source, made };
  }

  it('ends the calls that work in it, and is told of as gone when they have ended', async () => {
    const events: string[] = [];
    const { scene, source } = await left(async ({ signal }, { world }) => {
      await forever(signal).catch(() => undefined);
      events.push('told to end');
      await new Promise<void>((resolve) => world.clock.after(3000, resolve));
      events.push('ended');
      return undefined;
    });
    scene.set.listen(({ type }) => void events.push(type));
    source.become();
    await scene.world.advance('5s');
    expect(events).toEqual(['joined', 'changed', 'told to end', 'ended', 'left']);
  });

  it('is forgotten, and nothing is called for it any more', async () => {
    const calls: number[] = [];
    const { scene, source, made } = await left(async () => {
      calls.push(1);
      return { requeueAfterMs: 60_000 } as unknown as undefined;
    });
    source.become();
    await scene.world.advance('5s');
    expect([...made.gauges()].some(({ labels }) => labels.cluster === 'eu-1')).toBe(false);
    made.enqueue({ cluster: 'eu-1', namespace: 'default', name: 'a' });
    await scene.world.advance('10m');
    expect(calls).toHaveLength(1);
    expect(made.idle).toBe(true);
  });

  it('and comes back begins anew: failures of before do not count', async () => {
    const attempts: number[] = [];
    const { scene, source } = await left(async ({ attempt }) => {
      attempts.push(attempt);
      if (attempts.length < 8) throw new Error('no');
      return undefined;
    });
    await scene.world.advance('500ms');
    const before = attempts.length;
    source.become();
    await scene.world.advance('10ms');
    source.become('eu-1');
    await scene.world.advance('300ms');
    expect(attempts.slice(before)[0]).toBe(1);
  });
});

describe('what is watched elsewhere', () => {
  it('concerns only the cluster that a mapping names, and none where that is unknown', async () => {
    const scene = await stage();
    await scene.create('host', ours('a'));
    const calls: string[] = [];
    const map = () => [
      { cluster: 'us-1', name: 'x' },
      { cluster: 'nowhere', name: 'x' },
    ];
    scene.run(
      controller(CONFIG_MAPS, { labelSelector: 'none' })
        .watches(CONFIG_MAPS, map, { on: oneCluster(scene.world.connect('host')), ...isOurs })
        .on(scene.set)
        .reconcile(async ({ request }) => void calls.push(request.cluster)),
    );
    await scene.world.advance('10s');
    expect(calls).toEqual(['us-1']);
  });

  it('is not known any more where it leaves: whom it concerned is called, and does not take it for gone', async () => {
    const scene = await stage(one);
    await scene.create('host', ours('a'));
    const source = roster('host');
    const hosts = new ClusterSet<ClusterEntry>({
      source,
      connect: ({ name }) => scene.world.connect(name),
      clock: scene.world.clock,
    });
    void hosts.start();
    const seen: unknown[] = [];
    scene.run(
      controller(CONFIG_MAPS, { labelSelector: 'none' })
        .watches(CONFIG_MAPS, ({ metadata }) => [{ namespace: 'default', name: metadata.name }], { on: hosts, ...isOurs })
        .on(scene.set)
        .reconcile(async ({ cached }) => {
          try {
            seen.push(cached(CONFIG_MAPS, 'host').size);
          } catch (error) {
            seen.push((error as ClustersetError).code);
          }
        }),
    );
    await scene.world.advance('10s');
    source.become();
    await scene.world.advance('10s');
    await hosts.stop();
    expect(seen).toEqual([1, 'Unreachable']);
  });
});

describe('a run that is over by force before it begins', () => {
  it('ends at once', async () => {
    const scene = await stage(one);
    await scene.create('eu-1', ours('a'));
    const calls: number[] = [];
    const made = controller(CONFIG_MAPS, isOurs)
      .on(scene.set)
      .reconcile(async () => void calls.push(1));
    await made.run({ ...scene.environment, hard: AbortSignal.abort() }, new AbortController().signal);
    expect(calls).toEqual([]);
  });
});

describe('what a controller does where nothing is said', () => {
  it('gives a call a minute', async () => {
    const scene = await stage(one);
    await scene.create('eu-1', ours('a'));
    scene.run(
      controller(CONFIG_MAPS, isOurs)
        .on(scene.set)
        .reconcile(({ signal }) => forever(signal)),
    );
    await scene.world.advance('59s');
    expect(scene.outcomes()).toEqual([]);
    await scene.world.advance('2s');
    expect(scene.outcomes()).toEqual(['eu-1 default/a timeout']);
  });

  it('keeps objects without managedFields, and those of all namespaces', async () => {
    const scene = await stage(one);
    await scene.create('eu-1', ours('a'));
    const kube = { ...ours('b'), metadata: { ...ours('b').metadata, namespace: 'kube-system' } };
    await scene.create('eu-1', kube);
    const seen: unknown[] = [];
    const made = controller(CONFIG_MAPS, isOurs)
      .on(scene.set)
      .reconcile(async ({ object }) => void seen.push([object?.metadata.name, object?.metadata.managedFields]));
    expect(made.name).toBe('configmap');
    scene.run(made);
    await scene.world.settle();
    expect(seen.sort()).toEqual([
      ['a', undefined],
      ['b', undefined],
    ]);
  });

  it('says after two minutes what can not be listed', async () => {
    const scene = await stage(one);
    using _hang = scene.world.cluster('eu-1').network.hang({ resources: ['configmaps'] });
    scene.run(
      controller(CONFIG_MAPS, isOurs)
        .on(scene.set)
        .reconcile(async () => undefined, { name: 'mirror' }),
    );
    await scene.world.advance('119s');
    expect(scene.lines).toEqual([]);
    await scene.world.advance('2s');
    expect(scene.lines).toEqual([expect.stringMatching(/warn configmaps could not be listed.*"mirror".*"eu-1"/)]);
  });
});

describe('what a controller watches', () => {
  it('is of one namespace where that is said', async () => {
    const scene = await stage(one);
    await scene.create('eu-1', ours('a'));
    const calls: string[] = [];
    scene.run(
      controller(CONFIG_MAPS, { ...isOurs, namespace: 'kube-system' })
        .on(scene.set)
        .reconcile(async ({ request }) => void calls.push(request.name)),
    );
    await scene.world.settle();
    expect(calls).toEqual([]);
  });

  it('passes where a predicate fails: one call too many does no harm', async () => {
    const scene = await stage(one);
    await scene.create('eu-1', ours('a'));
    const when = (): boolean => {
      throw new TypeError('no such field');
    };
    scene.run(
      controller(CONFIG_MAPS, { ...isOurs, when })
        .on(scene.set)
        .reconcile(async () => undefined),
    );
    await scene.world.settle();
    expect(scene.outcomes()).toEqual(['eu-1 default/a success']);
    expect(scene.lines).toEqual([expect.stringContaining('a predicate has failed: no such field')]);
  });

  it('comes first where it happens, and later where it was there already', async () => {
    const scene = await stage(one);
    for (const name of ['a', 'b', 'c']) await scene.create('eu-1', ours(name));
    const calls: string[] = [];
    scene.run(
      controller(CONFIG_MAPS, isOurs)
        .on(scene.set)
        .reconcile(
          async ({ request }) => {
            calls.push(request.name);
            if (calls.length === 1) {
              await scene.create('eu-1', ours('new'));
              await new Promise<void>((resolve) => scene.world.clock.after(100, resolve));
            }
          },
          { inFlight: 1 },
        ),
    );
    await scene.world.advance('1s');
    expect(calls).toEqual(['a', 'new', 'b', 'c']);
  });

  it('can be asked only where it has been seen, and where it is watched', async () => {
    const scene = await stage();
    await scene.create('eu-1', ours('a'));
    using _hang = scene.world.cluster('us-1').network.hang({ resources: ['configmaps'] });
    const said: unknown[] = [];
    const asked = (ask: () => unknown): void => {
      try {
        ask();
      } catch (error) {
        said.push((error as ClustersetError).code ?? (error as Error).message);
      }
    };
    scene.run(
      controller(CONFIG_MAPS, isOurs)
        .on(scene.set)
        .reconcile(async ({ cached }) => {
          asked(() => cached(CONFIG_MAPS, 'us-1'));
          asked(() => cached(CONFIG_MAPS, 'nowhere'));
          asked(() => cached(typeOf('', 'Secret')));
        }),
    );
    await scene.world.settle();
    expect(said).toEqual(['Unreachable', 'Unreachable', expect.stringContaining('does not watch secrets in eu-1')]);
  });
});
