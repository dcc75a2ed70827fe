import {
  CLUSTER_ID_PROPERTY,
  CLUSTERSET_PROPERTY,
  ClusterProperty,
  claim,
  clusterProperty,
  defineProperty,
  publish,
  readIdentity,
  readMember,
  readProperties,
  valueOfProperty,
  verify,
} from 'clusterset/about';
import { type Cluster, ClustersetError, type ResourceType } from 'clusterset/kube';
import { simulate, type World } from 'clusterset/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { install, saysNothing, withId, withSet } from './fixtures.ts';

const OURS = { fieldManager: 'clusterset' };
const OLDER: ResourceType<ClusterProperty> = { ...ClusterProperty, version: 'v1alpha1' };

let world: World;
let eu: Cluster;

beforeEach(async () => {
  world = await simulate({ members: { 'eu-1': {}, 'us-1': {}, bare: {} } });
  eu = world.connect('eu-1');
  await install(eu);
  await install(world.connect('us-1'));
});
afterEach(() => world[Symbol.asyncDispose]());

/** A cluster of which some methods do something else first. */
function tampered(cluster: Cluster, methods: Partial<Cluster>): Cluster {
  return new Proxy(cluster, {
    get(target, name) {
      const own: unknown = Reflect.get(methods, name);
      if (own !== undefined) return own;
      const theirs: unknown = Reflect.get(target, name);
      return typeof theirs === 'function' ? theirs.bind(target) : theirs;
    },
  });
}

const values = async (cluster: Cluster): Promise<Record<string, string | undefined>> =>
  Object.fromEntries((await readProperties(cluster)).map((each) => [each.metadata.name, valueOfProperty(each)]));

describe('reading', () => {
  it('gives all properties in order, and who the cluster is', async () => {
    for (const property of [withSet('shop'), withId('eu-1'), saysNothing('empty.example.com')])
      await eu.create(ClusterProperty, property);
    expect((await readProperties(eu)).map(({ metadata }) => metadata.name)).toEqual([
      CLUSTER_ID_PROPERTY,
      CLUSTERSET_PROPERTY,
      'empty.example.com',
    ]);
    expect(await readIdentity(eu)).toMatchObject({ id: 'eu-1', clusterSet: 'shop', isMember: true, problems: [] });
  });

  it('asks for two names alone to know who a cluster is', async () => {
    await eu.create(ClusterProperty, withId('a.b'));
    const careful = tampered(eu, { list: () => Promise.reject(new Error('not allowed')) });
    expect(await readIdentity(careful, { twoLabels: true })).toMatchObject({ id: 'a.b', mcs: { usable: true } });
  });

  it('goes back to v1alpha1 where v1beta1 is not served', async () => {
    const bare = world.connect('bare');
    await install(bare, ['v1alpha1']);
    expect(await readIdentity(bare)).toMatchObject({ isMember: false });
    expect(await claim(bare, { id: 'bare', clusterSet: 'shop' }, OURS)).toMatchObject({ claimed: true });
    expect(await publish(bare, clusterProperty('a.example.com', 'b'), OURS)).toMatchObject({ outcome: 'created' });
    expect(await values(bare)).toEqual({ [CLUSTER_ID_PROPERTY]: 'bare', [CLUSTERSET_PROPERTY]: 'shop', 'a.example.com': 'b' });
    expect(await bare.get(OLDER, { name: 'a.example.com' })).toMatchObject({ apiVersion: 'about.k8s.io/v1alpha1' });
  });

  it.each<[string, (cluster: Cluster) => Promise<unknown>]>([
    ['readProperties', readProperties],
    ['readIdentity', readIdentity],
    ['claim', (cluster) => claim(cluster, { id: 'bare' }, OURS)],
    ['publish', (cluster) => publish(cluster, clusterProperty('a.example.com', 'b'), OURS)],
  ])('%s says that the About API is not installed, and what to do', async (_name, act) => {
    await expect(act(world.connect('bare'))).rejects.toMatchObject({
      code: 'NotServed',
      cluster: 'bare',
      detail: 'the About API is not installed',
      mend: expect.stringContaining('ClusterProperty.crd()'),
    });
  });

  it('passes on what else goes wrong', async () => {
    using _away = world.partition('eu-1');
    await expect(readIdentity(eu)).rejects.toMatchObject({ code: 'Unreachable', cluster: 'eu-1' });
  });
});

describe('claim', () => {
  const wanted = { id: 'eu-1', clusterSet: 'shop' };

  it('creates both properties once, and then does nothing', async () => {
    const first = await claim(eu, wanted, OURS);
    expect(first).toMatchObject({ claimed: true, steps: [{ op: 'create' }, { op: 'create' }] });
    const before = await readProperties(eu);
    expect(before[0]?.metadata.managedFields).toMatchObject([{ manager: 'clusterset' }]);
    expect(await claim(eu, wanted, OURS)).toEqual({ claimed: true, steps: [] });
    expect(await readProperties(eu)).toEqual(before);
  });

  it('writes nothing where it is refused', async () => {
    await eu.create(ClusterProperty, withId('other'));
    expect(await claim(eu, wanted, OURS)).toMatchObject({ claimed: false, refusal: { reason: 'OtherId' }, steps: [] });
    expect(await values(eu)).toEqual({ [CLUSTER_ID_PROPERTY]: 'other' });
  });

  it('with leave, lets go of what was there', async () => {
    await claim(eu, { id: 'old', clusterSet: 'test' }, OURS);
    expect(await claim(eu, wanted, { ...OURS, leave: true })).toMatchObject({ claimed: true });
    expect(await values(eu)).toEqual({ [CLUSTER_ID_PROPERTY]: 'eu-1', [CLUSTERSET_PROPERTY]: 'shop' });
  });

  it.each([
    ['the same: it counts', 'eu-1', { claimed: true, steps: [{ op: 'create' }] }],
    ['something else: it is refused', 'mine', { claimed: false, refusal: { reason: 'OtherId' }, steps: [] }],
  ])('compares where somebody is faster with %s', async (_name, theirs, expected) => {
    let raced = false;
    const racing = tampered(eu, {
      create: async (type, object, options) => {
        if (!raced) {
          raced = true;
          await eu.create(ClusterProperty, withId(theirs));
        }
        return eu.create(type, object, options);
      },
    });
    expect(await claim(racing, wanted, OURS)).toMatchObject(expected);
    expect((await values(eu))[CLUSTER_ID_PROPERTY]).toBe(theirs);
  });

  it('with leave, deletes only what it has looked at, and never what somebody else has made meanwhile', async () => {
    await claim(eu, { id: 'old' }, OURS);
    const racing = tampered(eu, {
      delete: async (type, key, options) => {
        await eu.delete(type, key);
        await eu.create(ClusterProperty, withId('theirs'));
        return eu.delete(type, key, options);
      },
    });
    expect(await claim(racing, wanted, { ...OURS, leave: true })).toMatchObject({
      claimed: false,
      refusal: { reason: 'OtherId' },
      steps: [],
    });
    expect(await values(eu)).toEqual({ [CLUSTER_ID_PROPERTY]: 'theirs' });
  });

  it('with leave, waits for whoever holds what was there', async () => {
    const held = { ...withId('old'), metadata: { name: CLUSTER_ID_PROPERTY, finalizers: ['example.com/hold'] } };
    await eu.create(ClusterProperty, held);
    expect(await claim(eu, wanted, { ...OURS, leave: true })).toMatchObject({
      claimed: false,
      refusal: { reason: 'BeingDeleted' },
    });
  });

  it('gives up on somebody who keeps undoing it', async () => {
    const refusing = tampered(eu, {
      create: () => Promise.reject(new ClustersetError({ code: 'AlreadyExists', message: 'there' })),
    });
    await expect(claim(refusing, wanted, OURS)).rejects.toMatchObject({ code: 'Conflict', cluster: 'eu-1' });
  });

  it('does not take the id of another that is known', async () => {
    const others = [{ cluster: 'us-1', id: 'eu-1', clusterSet: 'shop' }];
    expect(await claim(eu, wanted, { ...OURS, others })).toMatchObject({ claimed: false, refusal: { reason: 'IdTaken' } });
    expect(await readProperties(eu)).toEqual([]);
  });
});

describe('publish', () => {
  const region = defineProperty({ name: 'region.example.com', schema: z.string(), encoding: 'text' });

  it('creates, brings up to date, and writes nothing where nothing has changed', async () => {
    expect(await publish(eu, region.write('eu'), OURS)).toMatchObject({
      outcome: 'created',
      property: { spec: { value: 'eu' } },
    });
    const { outcome, property } = await publish(eu, region.write('eu'), OURS);
    expect(outcome).toBe('unchanged');
    expect(await publish(eu, region.write('us'), OURS)).toMatchObject({ outcome: 'updated' });
    expect(region.read((await readProperties(eu))[0] ?? property)).toEqual({ ok: true, value: 'us' });
  });

  it('leaves alone what somebody else has written', async () => {
    await eu.create(ClusterProperty, region.write('eu'), { fieldManager: 'somebody' });
    expect(await publish(eu, region.write('eu'), OURS)).toMatchObject({ outcome: 'unchanged' });
    await expect(publish(eu, region.write('us'), OURS)).rejects.toMatchObject({ code: 'ApplyConflict' });
    await eu.create(ClusterProperty, saysNothing('empty.example.com'), { fieldManager: 'somebody' });
    await expect(publish(eu, clusterProperty('empty.example.com', 'a'), OURS)).rejects.toMatchObject({ code: 'AlreadyExists' });
    expect(await values(eu)).toEqual({ 'region.example.com': 'eu', 'empty.example.com': undefined });
  });

  it('adopts nothing that comes while it looks', async () => {
    const racing = tampered(eu, {
      get: async (type, key, options) => {
        const found = await eu.get(type, key, options);
        await eu.create(ClusterProperty, region.write('theirs'), { fieldManager: 'somebody' });
        return found;
      },
    });
    await expect(publish(racing, region.write('eu'), OURS)).rejects.toMatchObject({ code: 'AlreadyExists' });
    expect(await values(eu)).toEqual({ 'region.example.com': 'theirs' });
  });

  it.each([
    ['who the cluster is', withId('eu-1'), 'metadata.name'],
    ['which ClusterSet it is in', withSet('shop'), 'metadata.name'],
    ['a reserved name', clusterProperty('a.k8s.io', 'b'), 'metadata.name'],
    ['too long a value', clusterProperty('a.example.com', 'x'.repeat(128_001)), 'spec.value'],
    ['nothing', saysNothing('a.example.com'), 'spec.value'],
  ])('does not write %s', async (_name, property, field) => {
    await expect(publish(eu, property, OURS)).rejects.toMatchObject({ code: 'Invalid', field });
    expect(await readProperties(eu)).toEqual([]);
  });
});

describe('verify', () => {
  it('reads a set of which one is away, one has no About API, and one is well', async () => {
    await claim(eu, { id: 'eu-1', clusterSet: 'shop' }, OURS);
    const clusters = ['eu-1', 'us-1', 'bare'].map((name) => world.connect(name));
    using _away = world.partition('us-1');
    const verdict = await verify(clusters);
    expect(verdict).toMatchObject({
      verdict: 'Broken',
      clusterSet: 'shop',
      members: [{ state: 'notInstalled' }, { state: 'read', identity: { id: 'eu-1' } }, { state: 'unreadable' }],
      findings: [
        { reason: 'AboutApiMissing', clusters: ['bare'] },
        { reason: 'Unreadable', clusters: ['us-1'], message: expect.stringContaining('refused') },
      ],
    });
    expect(verdict.next).toMatchObject([{ cluster: 'eu-1', id: 'eu-1', uid: expect.any(String) }]);
  });

  it('finds an id that was copied with a cluster, and knows a rebuilt cluster by its uid', async () => {
    const clusters = ['eu-1', 'us-1'].map((name) => world.connect(name));
    for (const cluster of clusters) await claim(cluster, { id: 'eu-1', clusterSet: 'shop' }, OURS);
    expect((await verify(clusters)).findings).toMatchObject([{ reason: 'DuplicateId', clusters: ['eu-1', 'us-1'], id: 'eu-1' }]);

    const { next } = await verify([eu]);
    const rebuilt = next.map((each) => ({ ...each, uid: 'another' }));
    expect((await verify([eu], { remembered: rebuilt })).findings).toMatchObject([{ reason: 'Moved' }]);
  });

  it('sees that two names lead to one cluster', async () => {
    await claim(eu, { id: 'eu-1', clusterSet: 'shop' }, OURS);
    const twice = [eu, world.cluster('eu-1').connect({ name: 'admin@eu-1' })];
    expect((await verify(twice)).findings).toMatchObject([{ reason: 'SameCluster', clusters: ['admin@eu-1', 'eu-1'] }]);
  });

  it('does without the uid where it may not be read', async () => {
    const careful = tampered(eu, {
      get: () => Promise.reject(new ClustersetError({ code: 'Forbidden', message: 'no' })),
    });
    expect(await readMember(careful)).toEqual({ cluster: 'eu-1', state: 'read', properties: [] });
  });

  it('takes an error that is none of ours for a cluster that can not be read', async () => {
    const odd = tampered(eu, { list: () => Promise.reject(new TypeError('odd')) });
    expect(await readMember(odd)).toEqual({ cluster: 'eu-1', state: 'unreadable', message: 'TypeError: odd' });
  });

  it("ends with the caller's signal, also where a cluster hangs", async () => {
    using _hangs = world.cluster('us-1').network.hang();
    const stopping = new AbortController();
    const verified = verify([eu, world.connect('us-1')], { signal: stopping.signal });
    const ended = expect(verified).rejects.toBeDefined();
    stopping.abort();
    await ended;
  });
});
