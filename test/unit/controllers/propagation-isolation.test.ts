import { type FederatedType, federatedTypeOf } from 'clusterset/federation';
import { type AnyObject, ClustersetError, type ErrorCode, resourceType } from 'clusterset/kube';
import type { VirtualClock } from 'clusterset/testing';
import { describe, expect, it } from 'vitest';
import {
  type Connect,
  type Federation,
  federatedConfigMap,
  federatedNamespace,
  placedIn,
  prepareWorld,
  SHOP,
  start,
  TYPES,
} from './start.ts';
import { type Call, isWrite } from './tap.ts';

const MEMBERS = ['eu-1', 'eu-2', 'us-1'];
const HEALTHY = ['eu-2', 'us-1'];

const definitions = resourceType('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', 'Cluster');

const widgets: FederatedType = federatedTypeOf({
  apiVersion: 'core.kubefed.io/v1beta1',
  kind: 'FederatedTypeConfig',
  metadata: { name: 'widgets.shop.dev', namespace: 'kube-federation-system' },
  spec: {
    targetType: { version: 'v1', kind: 'Widget', scope: 'Namespaced' },
    federatedType: { kind: 'FederatedWidget', scope: 'Namespaced' },
    propagation: 'Enabled',
  },
});

const federatedWidget: AnyObject = {
  apiVersion: 'types.kubefed.io/v1beta1',
  kind: 'FederatedWidget',
  metadata: SHOP,
  spec: { template: { spec: { size: 3 } }, placement: { clusterSelector: {} } },
};

const widgetDefinition: AnyObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.shop.dev' },
  spec: {
    group: 'shop.dev',
    scope: 'Namespaced',
    names: { kind: 'Widget', plural: 'widgets', singular: 'widget', listKind: 'WidgetList' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

const define = (federation: Federation, cluster: string): Promise<unknown> =>
  federation.as('kubectl', cluster).create(definitions, widgetDefinition);
const undefine = (federation: Federation, cluster: string): Promise<unknown> =>
  federation.as('kubectl', cluster).delete(definitions, { name: 'widgets.shop.dev' });

/** Answers writes to one kind in one member with an error, until it is told to stop. */
function refusing(federation: Federation, code: ErrorCode, applies: (call: Call) => boolean): { stop(): void } {
  federation.tamper = {
    call(call, go) {
      if (call.cluster !== 'eu-1' || !applies(call)) return go();
      throw new ClustersetError({ code, message: 'the member said no', cluster: 'eu-1' });
    },
  };
  return {
    stop() {
      federation.tamper = {};
    },
  };
}

describe('a member that hangs', () => {
  it('holds up no other: without any time passing they have the object', async () => {
    const federation = await start();
    using _ = federation.network('eu-1').hang();
    await federation.create(federatedConfigMap());
    await federation.world.settle();
    expect(federation.has('ConfigMap')).toEqual(HEALTHY);
  });

  it('holds up no status: it says what is known, and of whom nothing is', async () => {
    const federation = await start();
    using _ = federation.network('eu-1').hang();
    await federation.create(federatedConfigMap());
    await federation.settle();
    expect(await federation.entries('ConfigMap')).toEqual(HEALTHY);
    expect((await federation.status('ConfigMap')).conditions).toMatchObject([
      { status: 'False', reason: 'CheckClusters', message: 'nothing is known yet of eu-1' },
      {},
    ]);
    await federation.advance('40s');
    expect(await federation.entry('ConfigMap', 'eu-1')).toMatchObject({
      status: 'ClusterNotReady',
      message: expect.stringContaining('no answer within'),
    });
  });

  it('gets everything when it answers again', async () => {
    const federation = await start();
    const hanging = federation.network('eu-1').hang();
    await federation.create(federatedConfigMap());
    await federation.advance('2m');
    hanging[Symbol.dispose]();
    await federation.advance('60s');
    expect(federation.has('ConfigMap')).toEqual(MEMBERS);
    expect(await federation.entries('ConfigMap')).toEqual(MEMBERS);
  });

  it('holds up none of many objects, though each of its workers waits', async () => {
    const federation = await start();
    const hanging = federation.network('eu-1').hang();
    const keys = Array.from({ length: 200 }, (_, index) => ({ namespace: 'shop', name: `web-${index}` }));
    for (const { name } of keys) await federation.create(federatedConfigMap({}, { name }));
    await federation.world.settle();
    await federation.world.settle();
    expect(keys.filter((key) => federation.has('ConfigMap', key).length === 2)).toHaveLength(200);
    await federation.change('ConfigMap', { spec: { template: { data: { color: 'blue' } } } }, keys[199]);
    await federation.world.settle();
    expect(federation.live('us-1', 'ConfigMap', keys[199])?.data).toEqual({ color: 'blue' });
    hanging[Symbol.dispose]();
    await federation.settle();
    expect(keys.filter((key) => federation.has('ConfigMap', key).length === 3)).toHaveLength(200);
    expect(federation.live('eu-1', 'ConfigMap', keys[199])?.data).toEqual({ color: 'blue' });
  });

  it('holds up nobody from the very start of the controller', async () => {
    const federation = await prepareWorld();
    const hanging = federation.network('eu-1').hang();
    await federation.create(federatedConfigMap());
    await federation.run();
    await federation.world.settle();
    expect(federation.has('ConfigMap')).toEqual(HEALTHY);
    hanging[Symbol.dispose]();
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual(MEMBERS);
  });

  it('holds up nobody while it is connected to', async () => {
    const federation = await prepareWorld();
    await federation.create(federatedConfigMap());
    await federation.run({
      connect: (entry, otherwise) => (entry.name === 'eu-1' ? new Promise<never>(() => undefined) : otherwise()),
    });
    await federation.advance('30s');
    expect(federation.has('ConfigMap')).toEqual(HEALTHY);
  });

  it('is not written to twice at the same time for one object', async () => {
    const federation = await start();
    let most = 0;
    let under = 0;
    federation.tamper = {
      async call(call, go) {
        if (!isWrite(call) || call.cluster !== 'eu-1') return go();
        under += 1;
        most = Math.max(most, under);
        await new Promise<void>((resolve) => federation.world.clock.after(400, resolve));
        under -= 1;
        return go();
      },
    };
    await federation.create(federatedConfigMap());
    for (const color of ['a', 'b', 'c', 'd']) {
      await federation.advance('100ms');
      await federation.change('ConfigMap', { spec: { template: { data: { color } } } });
    }
    await federation.advance('5s');
    expect(most).toBe(1);
    expect(federation.live('eu-1', 'ConfigMap')?.data).toEqual({ color: 'd' });
  });
});

describe('a member that is cut off', () => {
  it('holds up no other, and the status says why', async () => {
    const federation = await start();
    using _ = federation.world.partition('eu-1');
    await federation.create(federatedConfigMap());
    await federation.world.settle();
    expect(federation.has('ConfigMap')).toEqual(HEALTHY);
    await federation.advance('60s');
    expect(await federation.entries('ConfigMap')).toEqual(['eu-1: ClusterNotReady', 'eu-2', 'us-1']);
    expect(await federation.entry('ConfigMap', 'eu-1')).toMatchObject({
      message: expect.stringContaining('the connection was refused'),
    });
  });

  it('gets everything when it is back, and loses what was taken away meanwhile', async () => {
    const federation = await start();
    await federation.create(federatedConfigMap());
    await federation.create(federatedConfigMap({}, { name: 'old' }));
    await federation.create(federatedConfigMap({}, { name: 'moved' }));
    await federation.settle();
    const cut = federation.world.partition('eu-1');
    await federation.advance('60s');
    await federation.change('ConfigMap', { spec: { template: { data: { color: 'blue' } } } });
    await federation.create(federatedConfigMap({}, { name: 'new' }));
    await federation.delete('ConfigMap', { namespace: 'shop', name: 'old' });
    const moved = { namespace: 'shop', name: 'moved' };
    await federation.change('ConfigMap', { spec: { placement: { clusters: [{ name: 'us-1' }] } } }, moved);
    await federation.advance('60s');
    cut[Symbol.dispose]();
    await federation.advance('60s');
    expect(federation.live('eu-1', 'ConfigMap')?.data).toEqual({ color: 'blue' });
    expect(federation.has('ConfigMap', { namespace: 'shop', name: 'new' })).toEqual(MEMBERS);
    expect(federation.has('ConfigMap', { namespace: 'shop', name: 'old' })).toEqual([]);
    expect(await federation.object('ConfigMap', { namespace: 'shop', name: 'old' })).toBeUndefined();
    expect(federation.has('ConfigMap', moved)).toEqual(['us-1']);
  });

  it('keeps what it has while it is out of reach', async () => {
    const federation = await start();
    await federation.create(federatedConfigMap());
    await federation.settle();
    const before = federation.live('eu-1', 'ConfigMap');
    const cut = federation.world.partition('eu-1');
    await federation.advance('10m');
    expect(federation.live('eu-1', 'ConfigMap')).toEqual(before);
    cut[Symbol.dispose]();
    await federation.advance('60s');
    expect(federation.live('eu-1', 'ConfigMap')).toEqual(before);
  });

  it('survives being cut and mended many times', async () => {
    const federation = await start();
    await federation.create(federatedConfigMap());
    for (const [index, seconds] of [1, 3, 20, 35, 2, 50].entries()) {
      const cut = federation.world.partition('eu-1');
      await federation.change('ConfigMap', { spec: { template: { data: { color: `${index}` } } } });
      await federation.advance(`${seconds}s`);
      cut[Symbol.dispose]();
      await federation.advance(`${seconds}s`);
    }
    await federation.advance('90s');
    expect(federation.live('eu-1', 'ConfigMap')?.data).toEqual({ color: '5' });
    expect(await federation.entries('ConfigMap')).toEqual(MEMBERS);
  });

  it('is unready also where its entry says so, though it answers', async () => {
    const federation = await start();
    const [first, ...others] = federation.world.entries;
    const conditions = [{ type: 'Ready', status: 'False', message: 'in maintenance' }];
    federation.roster.say([...(first === undefined ? [] : [{ ...first, conditions }]), ...others]);
    await federation.create(federatedConfigMap());
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual(HEALTHY);
    expect(await federation.entry('ConfigMap', 'eu-1')).toMatchObject({ status: 'ClusterNotReady', message: 'in maintenance' });
    federation.roster.say(federation.world.entries);
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual(MEMBERS);
  });
});

describe('a member whose connection can not be made', () => {
  it('holds up no other', async () => {
    const federation = await prepareWorld();
    await federation.create(federatedConfigMap());
    await federation.run({ connect: brokenFor('eu-1') });
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual(HEALTHY);
  });

  it('is not said to be unknown', async () => {
    const federation = await prepareWorld();
    await federation.create(federatedConfigMap({ placement: placedIn(...MEMBERS) }));
    await federation.run({ connect: brokenFor('eu-1') });
    await federation.settle();
    expect(await federation.entry('ConfigMap', 'eu-1')).toMatchObject({
      status: 'ClusterNotReady',
      message: expect.stringContaining('the kubeconfig can not be read'),
    });
  });

  it('is tried again', async () => {
    const federation = await prepareWorld();
    await federation.create(federatedConfigMap());
    let failures = 0;
    await federation.run({
      connect: (entry, otherwise) => {
        if (entry.name !== 'eu-1' || failures >= 3) return otherwise();
        failures += 1;
        throw new Error('the kubeconfig can not be read');
      },
    });
    await federation.advance('5m');
    expect(federation.has('ConfigMap')).toEqual(MEMBERS);
  });

  function brokenFor(name: string): Connect {
    return (entry, otherwise) => {
      if (entry.name === name) throw new Error('the kubeconfig can not be read');
      return otherwise();
    };
  }
});

describe('a member that lacks a CRD', () => {
  it('holds up no other, nor other types, and the status says why', async () => {
    const federation = await prepareWorld({ types: [...TYPES, widgets] });
    for (const name of HEALTHY) await define(federation, name);
    await federation.run();
    await federation.create(federatedWidget);
    await federation.create(federatedConfigMap());
    await federation.settle();
    expect(federation.has('Widget')).toEqual(HEALTHY);
    expect(federation.has('ConfigMap')).toEqual(MEMBERS);
    expect(await federation.entries('Widget')).toEqual(['eu-1: TypeNotServed', 'eu-2', 'us-1']);
    expect(await federation.entry('Widget', 'eu-1')).toMatchObject({ message: 'it does not serve shop.dev/v1 Widget' });
  });

  it('gets the objects soon after the CRD', async () => {
    const federation = await prepareWorld({ types: [...TYPES, widgets] });
    for (const name of HEALTHY) await define(federation, name);
    await federation.run();
    await federation.create(federatedWidget);
    await federation.advance('5m');
    await define(federation, 'eu-1');
    await federation.advance('20s');
    expect(federation.has('Widget')).toEqual(MEMBERS);
    expect(await federation.entries('Widget')).toEqual(MEMBERS);
  });

  it('holds up no deletion', async () => {
    const federation = await prepareWorld({ types: [...TYPES, widgets] });
    for (const name of HEALTHY) await define(federation, name);
    await federation.run();
    await federation.create(federatedWidget);
    await federation.settle();
    await federation.delete('Widget');
    await federation.settle();
    expect(federation.has('Widget')).toEqual([]);
    expect(await federation.object('Widget')).toBeUndefined();
  });

  it('says so when the CRD is taken away later, and recovers when it is back', async () => {
    const federation = await prepareWorld({ types: [...TYPES, widgets] });
    for (const name of MEMBERS) await define(federation, name);
    await federation.run();
    await federation.create(federatedWidget);
    await federation.settle();
    await undefine(federation, 'eu-1');
    await federation.settle();
    expect(await federation.entries('Widget')).toEqual(['eu-1: TypeNotServed', 'eu-2', 'us-1']);
    await define(federation, 'eu-1');
    await federation.advance('90s');
    expect(federation.has('Widget')).toEqual(MEMBERS);
    expect(await federation.entries('Widget')).toEqual(MEMBERS);
  });

  const lostWhileAway = async (): Promise<Federation> => {
    const federation = await prepareWorld({ types: [...TYPES, widgets] });
    for (const name of MEMBERS) await define(federation, name);
    await federation.run();
    await federation.create(federatedWidget);
    await federation.settle();
    const cut = federation.world.partition('eu-1');
    await federation.advance('60s');
    const { server } = federation.world.cluster('eu-1');
    const served = server.served(definitions);
    if (served !== undefined) server.delete(served, { name: 'widgets.shop.dev' }, {});
    cut[Symbol.dispose]();
    await federation.advance('90s');
    return federation;
  };

  it('says so where it was taken away while the member was out of reach', async () => {
    const federation = await lostWhileAway();
    expect(await federation.entries('Widget')).toEqual(['eu-1: TypeNotServed', 'eu-2', 'us-1']);
  });

  it('holds up no deletion where it was taken away while the member was out of reach', async () => {
    const federation = await lostWhileAway();
    await federation.delete('Widget');
    await federation.advance('60s');
    expect(await federation.object('Widget')).toBeUndefined();
  });
});

describe('a member that answers with errors', () => {
  it.each([
    ['Forbidden', 'CreationFailed'],
    ['InternalError', 'CreationFailed'],
    ['Invalid', 'CreationFailed'],
    ['ServiceUnavailable', 'CreationFailed'],
    ['TooManyRequests', 'CreationFailed'],
    ['Unauthorized', 'CreationFailed'],
  ] as const)('holds up no other with %s, and the status says %s and why', async (code, status) => {
    const federation = await start();
    refusing(federation, code, isWrite);
    await federation.create(federatedConfigMap());
    await federation.world.settle();
    expect(federation.has('ConfigMap')).toEqual(HEALTHY);
    await federation.settle();
    expect(await federation.entry('ConfigMap', 'eu-1')).toMatchObject({ status, message: 'the member said no' });
    expect(await federation.entries('ConfigMap')).toEqual([`eu-1: ${status}`, ...HEALTHY]);
  });

  const refusedForAWhile = async (code: ErrorCode): Promise<void> => {
    const federation = await start();
    const trouble = refusing(federation, code, isWrite);
    await federation.create(federatedConfigMap());
    await federation.advance('30s');
    trouble.stop();
    await federation.advance('90s');
    expect(federation.has('ConfigMap')).toEqual(MEMBERS);
    expect(await federation.entries('ConfigMap')).toEqual(MEMBERS);
  };

  it.each(['Forbidden', 'InternalError', 'ServiceUnavailable', 'TooManyRequests', 'Conflict', 'ServerTimeout'] as const)(
    'gets everything when it no longer says %s',
    refusedForAWhile,
  );

  it('gets everything when it no longer says Unauthorized, as after a token was renewed', () => refusedForAWhile('Unauthorized'));

  it('is asked less and less often', async () => {
    const federation = await start();
    refusing(federation, 'InternalError', isWrite);
    await federation.create(federatedConfigMap());
    await federation.settle();
    federation.forget();
    await federation.advance('10m');
    expect(federation.writes('eu-1').length).toBeLessThan(20);
    expect(federation.writes('eu-1').length).toBeGreaterThan(8);
  });

  it('is asked ever more rarely where it refuses an object for what it says, and at once when the object changes', async () => {
    const federation = await start();
    const trouble = refusing(federation, 'Invalid', isWrite);
    await federation.create(federatedConfigMap());
    await federation.advance('10m');
    // Waits of 0.1 s, 0.2 s … 51.2 s, then a minute each.
    expect(federation.writes('eu-1').filter((write) => write.includes('ConfigMap'))).toHaveLength(19);
    trouble.stop();
    await federation.change('ConfigMap', { spec: { template: { data: { color: 'blue' } } } });
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual(MEMBERS);
  });

  it.each(['Forbidden', 'InternalError', 'Unauthorized'] as const)(
    'holds up no other where it lets nobody read with %s, and the status says why',
    async (code) => {
      const federation = await prepareWorld();
      refusing(federation, code, ({ verb }) => verb === 'list' || verb === 'watch');
      await federation.run();
      await federation.create(federatedConfigMap());
      await federation.settle();
      expect(federation.has('ConfigMap')).toEqual(HEALTHY);
      expect(await federation.entry('ConfigMap', 'eu-1')).toMatchObject({
        message: expect.stringContaining('the member said no'),
      });
      federation.tamper = {};
      await federation.advance('90s');
      expect(federation.has('ConfigMap')).toEqual(MEMBERS);
      expect(await federation.entries('ConfigMap')).toEqual(MEMBERS);
    },
  );

  it('keeps an object half-changed nowhere: what it refuses stays as it was', async () => {
    const federation = await start();
    await federation.create(federatedConfigMap());
    await federation.settle();
    const before = federation.live('eu-1', 'ConfigMap');
    refusing(federation, 'Invalid', isWrite);
    await federation.change('ConfigMap', { spec: { template: { data: { color: 'blue', size: 'l' } } } });
    await federation.settle();
    expect(federation.live('eu-1', 'ConfigMap')).toEqual(before);
    expect(await federation.entry('ConfigMap', 'eu-1')).toMatchObject({ status: 'UpdateFailed', message: 'the member said no' });
    expect(federation.live('us-1', 'ConfigMap')?.data).toEqual({ color: 'blue', size: 'l' });
  });

  it('says that it can not delete, and goes on when it can', async () => {
    const federation = await start();
    await federation.create(federatedConfigMap());
    await federation.settle();
    const trouble = refusing(federation, 'Forbidden', ({ verb }) => verb === 'delete');
    await federation.delete('ConfigMap');
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual(['eu-1']);
    expect(await federation.entries('ConfigMap')).toEqual(['eu-1: DeletionFailed']);
    trouble.stop();
    await federation.advance('90s');
    expect(await federation.object('ConfigMap')).toBeUndefined();
  });

  it('is not flooded where each of its watches ends at once', async () => {
    const federation = await start();
    let watches = 0;
    federation.tamper = {
      async endsWatch({ cluster }) {
        if (cluster !== 'eu-1') return false;
        watches += 1;
        // The turn keeps the test from standing still.
        await new Promise((resolve) => setImmediate(resolve));
        return watches < 1000;
      },
    };
    const cut = federation.world.partition('eu-1');
    await federation.advance('1s');
    cut[Symbol.dispose]();
    await federation.advance('1s');
    watches = 0;
    for (let turns = 0; turns < 100; turns += 1) await federation.world.settle();
    expect(watches).toBeLessThan(10);
  });
});

describe('the host', () => {
  it('may be out of reach for a while: members keep what they have, and everything goes on when it is back', async () => {
    const federation = await start();
    await federation.create(federatedConfigMap());
    await federation.settle();
    const cut = federation.world.partition('host');
    await federation.edit('eu-1', 'ConfigMap', { data: { color: 'green' } });
    await federation.settle();
    expect(federation.live('eu-1', 'ConfigMap')?.data).toEqual({ color: 'red' });
    await federation.advance('5m');
    cut[Symbol.dispose]();
    await federation.change('ConfigMap', { spec: { template: { data: { color: 'blue' } } } });
    await federation.create(federatedConfigMap({}, { name: 'new' }));
    await federation.advance('90s');
    expect(federation.live('eu-1', 'ConfigMap')?.data).toEqual({ color: 'blue' });
    expect(federation.has('ConfigMap', { namespace: 'shop', name: 'new' })).toEqual(MEMBERS);
    expect((await federation.status('ConfigMap')).observedGeneration).toBe(2);
  });

  it('may refuse a status: it is written when it may be', async () => {
    const federation = await start();
    let isRefusing = true;
    federation.tamper = {
      call(call, go) {
        if (!isRefusing || call.subresource !== 'status') return go();
        throw new ClustersetError({ code: 'InternalError', message: 'no', cluster: 'host' });
      },
    };
    await federation.create(federatedConfigMap());
    await federation.advance('20s');
    expect(federation.has('ConfigMap')).toEqual(MEMBERS);
    isRefusing = false;
    await federation.advance('90s');
    expect(await federation.entries('ConfigMap')).toEqual(MEMBERS);
  });

  it('may lack the types of federation for a while', async () => {
    const federation = await prepareWorld();
    await federation.as('kubectl', 'host').delete(definitions, { name: 'federatedconfigmaps.types.kubefed.io' });
    await federation.run();
    await federation.create(federatedNamespace({}, 'default')).catch(() => undefined);
    await federation.advance('30s');
    expect(federation.has('Namespace', { namespace: 'shop', name: 'shop' })).toEqual(MEMBERS);
    const crd = federation.types.find(({ target }) => target.kind === 'ConfigMap')?.federated.crd();
    await federation.as('kubectl', 'host').create(definitions, crd as unknown as AnyObject);
    await federation.create(federatedConfigMap());
    await federation.advance('30s');
    expect(federation.has('ConfigMap')).toEqual(MEMBERS);
  });
});

describe('a controller that is told to stop', () => {
  it('ends without any time passing, though a member hangs', async () => {
    const federation = await start();
    using _ = federation.network('eu-1').hang();
    await federation.create(federatedConfigMap());
    await federation.settle();
    expect(await ends(federation)).toBe(true);
  });

  it('leaves no timers behind', async () => {
    const federation = await prepareWorld();
    const waiting = (): number => (federation.world.clock as VirtualClock).waiting;
    const before = waiting();
    await federation.run();
    await federation.create(federatedConfigMap());
    await federation.settle();
    await federation.halt();
    await federation.world.settle();
    expect(waiting()).toBe(before);
  });

  it('writes nothing any more', async () => {
    const federation = await start();
    await federation.create(federatedConfigMap());
    await federation.settle();
    await federation.halt();
    federation.forget();
    await federation.change('ConfigMap', { spec: { template: { data: { color: 'blue' } } } });
    await federation.edit('eu-1', 'ConfigMap', { data: { color: 'green' } });
    await federation.advance('60s');
    expect(federation.calls).toEqual([]);
  });

  it('leaves nobody behind who asks, where its set is stopped while a connection is made', async () => {
    const federation = await prepareWorld();
    const { clock } = federation.world;
    const later = (): Promise<void> => new Promise((resolve) => clock.after(1000, resolve));
    await federation.run({ beforeSet: true, connect: (_, otherwise) => later().then(otherwise) });
    await federation.advance('500ms');
    const stopped = federation.halt();
    await federation.advance('10s');
    await stopped;
    federation.forget();
    await federation.advance('60s');
    expect(federation.calls.map(({ cluster, verb }) => `${cluster}: ${verb}`)).toEqual([]);
  });

  it('ends at every moment after it has begun', async () => {
    for (let ticks = 0; ticks < 16; ticks += 1) {
      const federation = await prepareWorld();
      await federation.run();
      for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve();
      expect(await ends(federation), `after ${ticks} ticks`).toBe(true);
    }
  });

  it('ends a watch of an offline cluster at every moment after it has begun', async () => {
    for (let ticks = 0; ticks < 6; ticks += 1) {
      const federation = await prepareWorld();
      const stopping = new AbortController();
      const watch = federation.world.connect('eu-1').watch(federation.target('ConfigMap'), { signal: stopping.signal });
      const next = watch[Symbol.asyncIterator]().next();
      const ended = next.then(() => 'an event').catch((error: unknown) => (error as ClustersetError).code);
      for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve();
      stopping.abort();
      const nothing = federation.world.settle().then(() => 'nothing');
      expect(await Promise.race([ended, nothing]), `after ${ticks} ticks`).toBe('Aborted');
    }
  });

  async function ends(federation: Federation): Promise<boolean> {
    const turns = async (): Promise<boolean> => {
      for (let turn = 0; turn < 5; turn += 1) await federation.world.settle();
      return false;
    };
    return Promise.race([federation.halt().then(() => true), turns()]);
  }
});
