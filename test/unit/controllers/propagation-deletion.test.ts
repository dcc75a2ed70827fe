import { FINALIZER, MANAGED_LABEL, OWNER_ANNOTATION } from 'clusterset/federation';
import { ClustersetError } from 'clusterset/kube';
import { describe, expect, it } from 'vitest';
import { federatedDeployment } from '../federation/fixtures.ts';
import { type Federation, federatedConfigMap, placedIn, SHOP, type StartOptions, start, WORKLOADS } from './start.ts';

const MEMBERS = ['eu-1', 'eu-2', 'us-1'];

async function placed(options: StartOptions = {}): Promise<Federation> {
  const federation = await start(options);
  await federation.create(federatedConfigMap());
  await federation.settle();
  federation.forget();
  return federation;
}

const isGone = async (federation: Federation): Promise<boolean> => (await federation.object('ConfigMap')) === undefined;

/** How long it takes until a member that doesn't answer counts as unreachable, and until one that answers again is worked on. */
const PATIENCE = '60s';

describe('the finalizer', () => {
  it('is set before the first write to a member', async () => {
    const federation = await start();
    federation.forget();
    await federation.create(federatedConfigMap());
    await federation.settle();
    const [first, ...others] = federation.writes();
    expect(first).toBe('host: patch FederatedConfigMap shop/web');
    expect(others).toEqual([
      'eu-1: apply ConfigMap shop/web',
      'eu-2: apply ConfigMap shop/web',
      'us-1: apply ConfigMap shop/web',
      'host: patch FederatedConfigMap shop/web status',
    ]);
    const heldBefore = federation.calls.filter(({ verb, kind }) => verb === 'apply' && kind === 'ConfigMap');
    expect(heldBefore.map(({ outcome }) => outcome)).toEqual(['ok', 'ok', 'ok']);
    expect(await federation.isHeld('ConfigMap')).toBe(true);
  });

  it('comes before every write to a member also where the host is slow', async () => {
    const federation = await start();
    const hanging = federation.network('host').hang();
    const created = federation.create(federatedConfigMap());
    await federation.advance('20s');
    expect(federation.has('ConfigMap')).toEqual([]);
    hanging[Symbol.dispose]();
    await created;
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual(MEMBERS);
  });

  it('keeps everything from the members where it can not be set', async () => {
    const federation = await start();
    let isRefusing = true;
    federation.tamper = {
      call(call, go) {
        if (!isRefusing || call.verb !== 'patch' || call.subresource !== '') return go();
        throw new ClustersetError({ code: 'InternalError', message: 'etcd is out of space', cluster: 'host' });
      },
    };
    await federation.create(federatedConfigMap());
    await federation.advance('5s');
    expect(federation.has('ConfigMap')).toEqual([]);
    isRefusing = false;
    await federation.advance('60s');
    expect(federation.has('ConfigMap')).toEqual(MEMBERS);
  });

  it('leaves finalizers of others where they are', async () => {
    const federation = await start();
    await federation.create(federatedConfigMap({}, { finalizers: ['shop.dev/hold'] }));
    await federation.settle();
    expect((await federation.object('ConfigMap'))?.metadata.finalizers).toEqual(['shop.dev/hold', FINALIZER]);
    await federation.delete('ConfigMap');
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual([]);
    expect((await federation.object('ConfigMap'))?.metadata.finalizers).toEqual(['shop.dev/hold']);
    federation.forget();
    await federation.advance('60s');
    expect(federation.writes()).toEqual([]);
    await federation.change('ConfigMap', { metadata: { finalizers: null } });
    expect(await isGone(federation)).toBe(true);
  });

  it('is put back where somebody takes it away', async () => {
    const federation = await placed();
    await federation.change('ConfigMap', { metadata: { finalizers: null } });
    await federation.settle();
    expect(await federation.isHeld('ConfigMap')).toBe(true);
  });

  it('is not set on an object that is bad from the beginning', async () => {
    const federation = await start();
    await federation.create(federatedConfigMap({ overrides: [{ clusterOverrides: [] }] }));
    await federation.settle();
    expect(await federation.isHeld('ConfigMap')).toBe(false);
    await federation.delete('ConfigMap');
    expect(await isGone(federation)).toBe(true);
    await federation.settle();
    expect(federation.errors).toEqual([]);
  });
});

describe('a federated object that is deleted', () => {
  it('takes its member objects with it, and only then goes', async () => {
    const federation = await placed();
    await federation.delete('ConfigMap');
    expect(await isGone(federation)).toBe(false);
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual([]);
    expect(await isGone(federation)).toBe(true);
    const writes = federation.writes().filter((write) => !write.endsWith('status'));
    expect(writes.toSorted()).toEqual([
      'eu-1: delete ConfigMap shop/web',
      'eu-2: delete ConfigMap shop/web',
      'host: patch FederatedConfigMap shop/web',
      'us-1: delete ConfigMap shop/web',
    ]);
    expect(writes.at(-1)).toBe('host: patch FederatedConfigMap shop/web');
    expect(federation.errors).toEqual([]);
  });

  it('goes at once where it is nowhere', async () => {
    const federation = await start();
    await federation.create(federatedConfigMap({ placement: {} }));
    await federation.settle();
    await federation.delete('ConfigMap');
    await federation.settle();
    expect(await isGone(federation)).toBe(true);
  });

  it('goes where it is bad by now, and takes its member objects with it', async () => {
    const federation = await placed();
    await federation.change('ConfigMap', { spec: { overrides: [{ clusterOverrides: [] }] } });
    await federation.settle();
    await federation.delete('ConfigMap');
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual([]);
    expect(await isGone(federation)).toBe(true);
  });

  it('waits for a member object that something holds, and says what', async () => {
    const federation = await placed();
    await federation.edit('eu-1', 'ConfigMap', { metadata: { finalizers: ['shop.dev/hold'] } });
    await federation.delete('ConfigMap');
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual(['eu-1']);
    expect(await federation.entry('ConfigMap', 'eu-1')).toMatchObject({
      status: 'WaitingForRemoval',
      message: 'finalizers hold it: shop.dev/hold',
    });
    await federation.edit('eu-1', 'ConfigMap', { metadata: { finalizers: null } });
    await federation.settle();
    expect(await isGone(federation)).toBe(true);
  });

  it('can be created anew at once', async () => {
    const federation = await placed();
    await federation.delete('ConfigMap');
    await federation.settle();
    await federation.create(federatedConfigMap({ template: { data: { color: 'blue' } } }));
    await federation.settle();
    for (const name of MEMBERS) expect(federation.live(name, 'ConfigMap')?.data).toEqual({ color: 'blue' });
    expect(await federation.entries('ConfigMap')).toEqual(MEMBERS);
  });

  it('can be created anew in the very moment in which it goes', async () => {
    const federation = await placed();
    federation.tamper = {
      async call(call, go) {
        const answer = await go();
        if (call.cluster === 'host' && call.verb === 'patch' && call.subresource === '' && (await isGone(federation))) {
          federation.tamper = {};
          await federation.create(federatedConfigMap({ template: { data: { color: 'blue' } } }));
        }
        return answer;
      },
    };
    await federation.delete('ConfigMap');
    await federation.advance('5s');
    for (const name of MEMBERS) expect(federation.live(name, 'ConfigMap')?.data).toEqual({ color: 'blue' });
    expect(await federation.entries('ConfigMap')).toEqual(MEMBERS);
    await federation.delete('ConfigMap');
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual([]);
  });
});

describe('a member that is unreachable when the federated object is deleted', () => {
  it('holds the deletion up where it has the object, and the status says so; the others are cleaned', async () => {
    const federation = await placed();
    using _ = federation.world.partition('eu-1');
    await federation.advance(PATIENCE);
    await federation.delete('ConfigMap');
    await federation.advance(PATIENCE);
    expect(federation.has('ConfigMap')).toEqual(['eu-1']);
    expect(await federation.isHeld('ConfigMap')).toBe(true);
    expect(await federation.entry('ConfigMap', 'eu-1')).toMatchObject({
      status: 'ClusterNotReady',
      message: expect.stringContaining('refused'),
    });
    expect(await federation.entries('ConfigMap')).toEqual(['eu-1: ClusterNotReady']);
  });

  it('lets it go on when it returns', async () => {
    const federation = await placed();
    const cut = federation.world.partition('eu-1');
    await federation.advance(PATIENCE);
    await federation.delete('ConfigMap');
    await federation.advance('90s');
    cut[Symbol.dispose]();
    await federation.advance(PATIENCE);
    expect(federation.has('ConfigMap')).toEqual([]);
    expect(await isGone(federation)).toBe(true);
  });

  it('lets it go on when it leaves the set', async () => {
    const federation = await placed();
    using _ = federation.world.partition('eu-1');
    await federation.advance(PATIENCE);
    await federation.delete('ConfigMap');
    await federation.advance(PATIENCE);
    federation.roster.say(federation.world.entries.filter(({ name }) => name !== 'eu-1'));
    await federation.settle();
    expect(await isGone(federation)).toBe(true);
  });

  it('holds nothing up where the object never was', async () => {
    const federation = await start();
    await federation.create(federatedConfigMap({ placement: placedIn('eu-2') }));
    await federation.settle();
    using _ = federation.world.partition('eu-1');
    await federation.advance(PATIENCE);
    await federation.delete('ConfigMap');
    await federation.settle();
    expect(await isGone(federation)).toBe(true);
  });

  /** What may have happened between the loss of a member that has the object and the deletion. */
  const harmless: Readonly<Record<string, (federation: Federation) => Promise<unknown>>> = {
    'nothing happened since it was lost': async () => undefined,
    'the controller was restarted since': (federation) => federation.restart(),
  };
  const harmful: typeof harmless = {
    'the object was placed elsewhere since': (federation) =>
      federation.change('ConfigMap', { spec: { placement: { clusters: [{ name: 'us-1' }] } } }),
    'its namespace was placed elsewhere since': (federation) =>
      federation.change(
        'Namespace',
        { spec: { placement: { clusters: [{ name: 'us-1' }] } } },
        { namespace: 'shop', name: 'shop' },
      ),
    'the object has become bad since': (federation) =>
      federation.change('ConfigMap', { spec: { overrides: [{ clusterOverrides: [] }] } }),
    'the labels of its cluster have changed since': async (federation) => {
      const eu = { clusterSelector: { matchLabels: { region: 'eu' } } };
      await federation.change('ConfigMap', { spec: { placement: eu } });
      await federation.settle();
      federation.roster.say(federation.world.entries.map((entry) => (entry.name === 'eu-1' ? { ...entry, labels: {} } : entry)));
    },
  };

  const deletedAfter = async (happen: (federation: Federation) => Promise<unknown>): Promise<void> => {
    const federation = await placed();
    const cut = federation.world.partition('eu-1');
    await federation.advance(PATIENCE);
    await happen(federation);
    await federation.settle();
    await federation.delete('ConfigMap');
    await federation.advance(PATIENCE);
    expect(federation.has('ConfigMap')).toContain('eu-1');
    expect(await federation.isHeld('ConfigMap')).toBe(true);
    cut[Symbol.dispose]();
    await federation.advance('60s');
    expect(federation.has('ConfigMap')).toEqual([]);
    expect(await isGone(federation)).toBe(true);
  };

  it.each(Object.entries(harmless))('never leaves an orphan behind when %s', (_, happen) => deletedAfter(happen));

  it.each(Object.entries(harmful))('never leaves an orphan behind when %s', (_, happen) => deletedAfter(happen));

  it('never leaves an orphan behind when its replicas were moved elsewhere since', async () => {
    const federation = await start({ types: WORKLOADS });
    await federation.create(federatedDeployment());
    await federation.create({
      apiVersion: 'scheduling.kubefed.io/v1alpha1',
      kind: 'ReplicaSchedulingPreference',
      metadata: SHOP,
      spec: { targetKind: 'FederatedDeployment', totalReplicas: 6 },
    });
    await federation.settle();
    const cut = federation.world.partition('eu-1');
    await federation.advance(PATIENCE);
    await federation.delete('Deployment');
    await federation.advance(PATIENCE);
    expect(await federation.isHeld('Deployment')).toBe(true);
    cut[Symbol.dispose]();
    await federation.advance('60s');
    expect(federation.has('Deployment')).toEqual([]);
    expect(await federation.object('Deployment')).toBeUndefined();
  });

  const deletedWhileHanging = async (duration: string): Promise<void> => {
    const federation = await placed();
    await federation.advance('7s');
    const hanging = federation.network('eu-1').hang();
    await federation.delete('ConfigMap');
    await federation.advance(duration);
    hanging[Symbol.dispose]();
    await federation.advance('2m');
    expect(federation.has('ConfigMap')).toEqual([]);
    expect(await isGone(federation)).toBe(true);
  };

  it.each(['5s', '12s', '18s', '24s', '28s', '31s', '36s', '45s'])(
    'never leaves an orphan behind when it hangs for %s from the deletion on',
    deletedWhileHanging,
  );

  it.each(['70s', '3m'])('never leaves an orphan behind when it hangs for %s from the deletion on', deletedWhileHanging);

  it('never leaves an orphan behind when many objects are deleted while it hangs', async () => {
    const federation = await start();
    const keys = Array.from({ length: 45 }, (_, index) => ({ namespace: 'shop', name: `web-${index}` }));
    for (const { name } of keys) await federation.create(federatedConfigMap({}, { name }));
    await federation.settle();
    const hanging = federation.network('eu-1').hang();
    for (const key of keys) await federation.delete('ConfigMap', key);
    await federation.advance('60s');
    const left = keys.filter((key) => federation.live('eu-1', 'ConfigMap', key) !== undefined);
    expect(left).toHaveLength(45);
    for (const key of keys) expect(await federation.isHeld('ConfigMap', key)).toBe(true);
    hanging[Symbol.dispose]();
    await federation.advance('3m');
    for (const key of keys) expect(federation.live('eu-1', 'ConfigMap', key)).toBeUndefined();
  });
});

describe('an object that is deleted while it is being created', () => {
  it.each(['1s', '5s', '15s', '26s', '29s', '32s', '40s', '3m'])(
    'leaves no orphan in a member that hung for %s',
    async (duration) => {
      const federation = await start();
      await federation.advance('7s');
      const hanging = federation.network('eu-1').hang();
      await federation.create(federatedConfigMap());
      await federation.advance('1s');
      await federation.delete('ConfigMap');
      await federation.advance(duration);
      hanging[Symbol.dispose]();
      await federation.advance('60s');
      expect(federation.has('ConfigMap')).toEqual([]);
      expect(await isGone(federation)).toBe(true);
    },
  );

  /** A member that carries out a create, loses the answer, and whose watch is late. */
  const losing = (federation: Federation, delay: () => Promise<void>): void => {
    federation.tamper = {
      async call(call, go) {
        if (call.cluster !== 'eu-1' || call.verb !== 'apply' || call.kind !== 'ConfigMap') return go();
        await go();
        throw new ClustersetError({ code: 'Unreachable', message: 'the connection was reset', cluster: 'eu-1' });
      },
      event(call) {
        return call.cluster === 'eu-1' && call.kind === 'ConfigMap' ? delay() : undefined;
      },
    };
  };

  it('leaves no orphan where the answer to the create is lost', async () => {
    const federation = await start();
    losing(federation, async () => undefined);
    await federation.create(federatedConfigMap());
    await federation.settle();
    await federation.delete('ConfigMap');
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual([]);
    expect(await isGone(federation)).toBe(true);
  });

  it('leaves no orphan where the answer to the create is lost and the watch is late', async () => {
    const federation = await start();
    losing(federation, () => new Promise((resolve) => federation.world.clock.after(3000, resolve)));
    await federation.create(federatedConfigMap());
    await federation.advance('50ms');
    expect(federation.has('ConfigMap')).toEqual(MEMBERS);
    await federation.delete('ConfigMap');
    await federation.advance('30s');
    expect(federation.has('ConfigMap')).toEqual([]);
    expect(await isGone(federation)).toBe(true);
  });
});

describe('a create that is under way when the federated object goes', () => {
  it('leaves no orphan where the member answers at last', async () => {
    const federation = await start();
    const hanging = federation.network('eu-1').hang();
    await federation.create(federatedConfigMap());
    await federation.advance('40s');
    await federation.delete('ConfigMap');
    await federation.advance('2s');
    // Anything that has the object looked at once more will do.
    federation.roster.say(federation.world.entries.map((entry) => ({ ...entry })));
    await federation.advance('2s');
    hanging[Symbol.dispose]();
    await federation.advance('2m');
    expect(federation.has('ConfigMap')).toEqual([]);
    expect(await isGone(federation)).toBe(true);
  });

  it('leaves no orphan where a list after a restart is not the newest', async () => {
    const federation = await start();
    const { version } = federation.world.cluster('eu-1').server.state.storage;
    await federation.create(federatedConfigMap());
    await federation.settle();
    await federation.halt();
    await federation.delete('ConfigMap');
    let isStale = true;
    federation.tamper = {
      async call(call, go) {
        const { sendInitialEvents = false } = (call.body ?? {}) as { sendInitialEvents?: boolean };
        // A streamed list is never old; servers before 1.34 don't know it.
        if (sendInitialEvents)
          throw new ClustersetError({ code: 'Invalid', message: 'forbidden: sendInitialEvents', status: 422 });
        const answer = await go();
        // What `resourceVersion=0` allows a server to answer: what it remembered a while ago.
        const mayBeOld = call.verb === 'list' && (call.body as { resourceVersion?: string }).resourceVersion === '0';
        if (!isStale || !mayBeOld || call.cluster !== 'eu-1' || call.kind !== 'ConfigMap') return answer;
        isStale = false;
        return { items: [], resourceVersion: String(version) } as typeof answer;
      },
      event(call) {
        if (call.cluster !== 'eu-1' || call.kind !== 'ConfigMap') return undefined;
        return new Promise((resolve) => federation.world.clock.after(1000, resolve));
      },
    };
    await federation.run();
    await federation.advance('30s');
    expect(isStale).toBe(false);
    expect(federation.has('ConfigMap')).toEqual([]);
    expect(await isGone(federation)).toBe(true);
  });
});

describe('the annotation kubefed.io/orphan', () => {
  it('leaves the member objects, without the marks of management, and lets the federated object go', async () => {
    const federation = await placed();
    await federation.change('ConfigMap', { metadata: { annotations: { 'kubefed.io/orphan': 'true' } } });
    await federation.settle();
    await federation.delete('ConfigMap');
    await federation.settle();
    expect(await isGone(federation)).toBe(true);
    for (const name of MEMBERS) {
      const live = federation.live(name, 'ConfigMap');
      expect(live?.data).toEqual({ color: 'red' });
      expect(live?.metadata.labels ?? {}).not.toHaveProperty([MANAGED_LABEL]);
      expect(live?.metadata.annotations ?? {}).not.toHaveProperty([OWNER_ANNOTATION]);
    }
  });

  it('counts also where it is set after the deletion, for what is left by then', async () => {
    const federation = await placed();
    await federation.edit('eu-1', 'ConfigMap', { metadata: { finalizers: ['shop.dev/hold'] } });
    const cut = federation.world.partition('us-1');
    await federation.advance(PATIENCE);
    await federation.delete('ConfigMap');
    await federation.settle();
    await federation.change('ConfigMap', { metadata: { annotations: { 'kubefed.io/orphan': 'true' } } });
    cut[Symbol.dispose]();
    await federation.advance('60s');
    expect(federation.live('us-1', 'ConfigMap')?.metadata.labels ?? {}).not.toHaveProperty([MANAGED_LABEL]);
  });

  it('waits for a member that is unreachable', async () => {
    const federation = await placed();
    const cut = federation.world.partition('eu-1');
    await federation.advance(PATIENCE);
    await federation.change('ConfigMap', { metadata: { annotations: { 'kubefed.io/orphan': 'true' } } });
    await federation.delete('ConfigMap');
    await federation.advance(PATIENCE);
    expect(await federation.isHeld('ConfigMap')).toBe(true);
    cut[Symbol.dispose]();
    await federation.advance('60s');
    expect(await isGone(federation)).toBe(true);
    expect(federation.live('eu-1', 'ConfigMap')?.metadata.labels ?? {}).not.toHaveProperty([MANAGED_LABEL]);
  });

  it('means nothing for an object that is only placed elsewhere', async () => {
    const federation = await placed();
    await federation.change('ConfigMap', {
      metadata: { annotations: { 'kubefed.io/orphan': 'true' } },
      spec: { placement: { clusters: [{ name: 'us-1' }] } },
    });
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual(['us-1']);
  });

  it('leaves objects that a later federated object of the same name does not take over', async () => {
    const federation = await placed();
    await federation.change('ConfigMap', { metadata: { annotations: { 'kubefed.io/orphan': 'true' } } });
    await federation.delete('ConfigMap');
    await federation.settle();
    const before = federation.live('eu-1', 'ConfigMap');
    await federation.create(federatedConfigMap({ template: { data: { color: 'blue' } } }));
    await federation.settle();
    expect(federation.live('eu-1', 'ConfigMap')).toEqual(before);
    expect(await federation.entry('ConfigMap', 'eu-1')).toMatchObject({ status: 'AlreadyExists' });
  });
});

describe('the annotation kubefed.io/deleteoption', () => {
  const bodies = (federation: Federation): unknown[] =>
    federation.calls.filter(({ verb, cluster }) => verb === 'delete' && cluster === 'eu-1').map(({ body }) => body);

  it('says how member objects are deleted, each by its own uid', async () => {
    const federation = await placed();
    const uid = federation.live('eu-1', 'ConfigMap')?.metadata.uid;
    const options = JSON.stringify({ gracePeriodSeconds: 5, propagationPolicy: 'Background' });
    await federation.change('ConfigMap', { metadata: { annotations: { 'kubefed.io/deleteoption': options } } });
    await federation.delete('ConfigMap');
    await federation.settle();
    expect(bodies(federation)).toMatchObject([
      { gracePeriodSeconds: 5, propagationPolicy: 'Background', preconditions: { uid } },
    ]);
    expect(await isGone(federation)).toBe(true);
  });

  it('is not used where an object is only placed elsewhere', async () => {
    const federation = await placed();
    await federation.change('ConfigMap', {
      metadata: { annotations: { 'kubefed.io/deleteoption': '{"propagationPolicy":"Background"}' } },
      spec: { placement: { clusters: [] } },
    });
    await federation.settle();
    expect(bodies(federation)).toEqual([expect.not.objectContaining({ propagationPolicy: 'Background' })]);
  });

  it('deletes nothing where it can not be read, says so, and goes on when it is corrected', async () => {
    const federation = await placed();
    await federation.change('ConfigMap', { metadata: { annotations: { 'kubefed.io/deleteoption': '{"propagationPolicy":' } } });
    await federation.settle();
    expect((await federation.status('ConfigMap')).conditions).toMatchObject([{ reason: 'InvalidObject' }, {}]);
    await federation.delete('ConfigMap');
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual(MEMBERS);
    expect(await federation.entries('ConfigMap')).toEqual(MEMBERS.map((name) => `${name}: DeletionFailed`));
    await federation.change('ConfigMap', { metadata: { annotations: { 'kubefed.io/deleteoption': null } } });
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual([]);
    expect(await isGone(federation)).toBe(true);
  });
});

describe('a controller that is restarted in the middle', () => {
  it.each([0, 1, 5, 50, 100, 400, 600])('leaves no orphan when it stops %i ms after a deletion', async (ms) => {
    const federation = await placed();
    await federation.delete('ConfigMap');
    await federation.advance(`${ms}ms`);
    await federation.restart();
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual([]);
    expect(await isGone(federation)).toBe(true);
  });

  it.each([0, 1, 5, 50, 100, 400, 600])(
    'leaves no orphan when it stops %i ms after a creation, and the object is deleted meanwhile',
    async (ms) => {
      const federation = await start();
      await federation.create(federatedConfigMap());
      await federation.advance(`${ms}ms`);
      await federation.halt();
      await federation.delete('ConfigMap');
      await federation.run();
      await federation.settle();
      expect(federation.has('ConfigMap')).toEqual([]);
      expect(await isGone(federation)).toBe(true);
    },
  );

  it.each(['apply', 'patch', 'delete'])('leaves no orphan when it stops while its first %s is under way', async (verb) => {
    const federation = await start();
    const stopped: Promise<void>[] = [];
    const stopAt = (): void => {
      federation.tamper = {
        async call(call, go) {
          const answer = await go();
          if (call.verb === verb && stopped.length === 0) stopped.push(federation.halt());
          return answer;
        },
      };
    };
    if (verb !== 'delete') stopAt();
    await federation.create(federatedConfigMap());
    await federation.settle();
    if (verb === 'delete') stopAt();
    await federation.delete('ConfigMap');
    await federation.settle();
    await Promise.all(stopped);
    federation.tamper = {};
    await federation.run();
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual([]);
    expect(await isGone(federation)).toBe(true);
  });

  it('goes on with a deletion that an unreachable member holds up', async () => {
    const federation = await placed();
    const cut = federation.world.partition('eu-1');
    await federation.advance(PATIENCE);
    await federation.delete('ConfigMap');
    await federation.advance(PATIENCE);
    await federation.restart();
    await federation.advance('90s');
    expect(await federation.isHeld('ConfigMap')).toBe(true);
    cut[Symbol.dispose]();
    await federation.advance('60s');
    expect(federation.has('ConfigMap')).toEqual([]);
    expect(await isGone(federation)).toBe(true);
  });

  it('goes on with a deletion that a hanging member holds up', async () => {
    const federation = await placed();
    const hanging = federation.network('eu-1').hang();
    await federation.advance(PATIENCE);
    await federation.delete('ConfigMap');
    await federation.advance(PATIENCE);
    await federation.restart();
    await federation.advance('90s');
    expect(await federation.isHeld('ConfigMap')).toBe(true);
    hanging[Symbol.dispose]();
    await federation.advance('60s');
    expect(federation.has('ConfigMap')).toEqual([]);
    expect(await isGone(federation)).toBe(true);
  });

  it('leaves no orphan in a member that is lost before the status says that it has the object', async () => {
    const federation = await start();
    await federation.create(federatedConfigMap());
    await federation.advance('100ms');
    await federation.halt();
    expect(federation.has('ConfigMap')).toEqual(MEMBERS);
    const cut = federation.world.partition('eu-1');
    await federation.delete('ConfigMap');
    await federation.run();
    await federation.advance(PATIENCE);
    cut[Symbol.dispose]();
    await federation.advance('60s');
    expect(federation.has('ConfigMap')).toEqual([]);
    expect(await isGone(federation)).toBe(true);
  });

  it('lets nothing go before its set knows the members', async () => {
    const federation = await placed();
    await federation.halt();
    await federation.delete('ConfigMap');
    const later = (): Promise<void> => new Promise((resolve) => federation.world.clock.after(1000, resolve));
    await federation.run({ beforeSet: true, connect: (_, otherwise) => later().then(otherwise) });
    await federation.advance('20s');
    expect(federation.has('ConfigMap')).toEqual([]);
    expect(await isGone(federation)).toBe(true);
  });

  it('lets nothing go that a member has which it can not connect to', async () => {
    const federation = await placed();
    await federation.halt();
    await federation.delete('ConfigMap');
    let isBroken = true;
    await federation.run({
      connect: (entry, otherwise) => {
        if (entry.name === 'eu-1' && isBroken) throw new Error('the kubeconfig can not be read');
        return otherwise();
      },
    });
    await federation.advance(PATIENCE);
    expect(await federation.isHeld('ConfigMap')).toBe(true);
    isBroken = false;
    federation.roster.say([...federation.world.entries]);
    await federation.advance(PATIENCE);
    expect(federation.has('ConfigMap')).toEqual([]);
  });
});
