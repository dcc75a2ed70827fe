import { type AnyObject, builtIn, type Cluster, type OwnerReference, type ResourceType } from 'clusterset/kube';
import { OfflineCluster, VirtualClock } from 'clusterset/testing';
import { describe, expect, it } from 'vitest';
import { judge, type OwnerState } from '../../../../src/testing/actors/garbage.ts';

const CONFIG_MAPS = builtIn('', 'ConfigMap') as ResourceType;

const owner = (uid: string, name = uid, kind = 'ConfigMap'): OwnerReference => ({ apiVersion: 'v1', kind, name, uid });
const owned = (...ownerReferences: readonly OwnerReference[]) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace: 'default', name: 'child', ...(ownerReferences.length === 0 ? {} : { ownerReferences }) },
});

const STATES: Readonly<Record<string, OwnerState>> = { a: 'solid', b: 'solid', w: 'waiting', '?': 'unknown' };
const stateOf = ({ uid }: OwnerReference): OwnerState => STATES[uid] ?? 'dangling';

describe('the garbage collector', () => {
  it.each<[string, readonly OwnerReference[], unknown]>([
    ['has no owners', [], { keep: 'as-it-is' }],
    ['has all its owners', [owner('a'), owner('b')], { keep: 'as-it-is' }],
    ['has lost one of them', [owner('a'), owner('x')], { keep: 'without-some-owners', owners: [owner('a')] }],
    ['has one that waits', [owner('w'), owner('a')], { keep: 'without-some-owners', owners: [owner('a')] }],
    ['has one that nobody can look up', [owner('x'), owner('?')], { keep: 'as-it-is' }],
    ['has lost them all', [owner('x'), owner('y')], { keep: 'not', policy: 'Background', unblocked: false }],
    ['has none that means to stay', [owner('x'), owner('w')], { keep: 'not', policy: 'Background', unblocked: false }],
  ])('of an object that %s thinks %o', (_, owners, verdict) => {
    expect(judge(owned(...owners) as AnyObject, stateOf, { any: false, waiting: false })).toEqual(verdict);
  });

  it.each<[string, boolean, unknown]>([
    ['has dependents', false, { keep: 'not', policy: 'Foreground', unblocked: false }],
    ['has a dependent that waits, too', true, { keep: 'not', policy: 'Foreground', unblocked: true }],
  ])('of an object whose owner waits, and that %s, thinks %o', (_, waiting, verdict) => {
    expect(judge(owned(owner('w')) as AnyObject, stateOf, { any: true, waiting })).toEqual(verdict);
  });

  it('honours the finalizers that an object has', () => {
    const object = owned(owner('x'));
    const held = { ...object, metadata: { ...object.metadata, finalizers: ['orphan'] } } as AnyObject;
    expect(judge(held, stateOf, { any: true, waiting: false })).toMatchObject({ policy: 'Orphan' });
  });

  async function family(): Promise<{ port: Cluster; clock: VirtualClock; uids: readonly string[] }> {
    const clock = new VirtualClock();
    const port = new OfflineCluster({ name: 'a', clock, garbageCollection: true }).connect();
    const made = [];
    for (const name of ['mother', 'father'])
      made.push(await port.create(CONFIG_MAPS, { ...owned(), metadata: { namespace: 'default', name } }));
    return { port, clock, uids: made.map(({ metadata }) => metadata.uid ?? '') };
  }
  const child = (port: Cluster) => port.get(CONFIG_MAPS, { namespace: 'default', name: 'child' });

  it('takes what has lost its last owner, and not sooner', async () => {
    const { port, clock, uids } = await family();
    const [mother = '', father = ''] = uids;
    await port.create(CONFIG_MAPS, owned(owner(mother, 'mother'), owner(father, 'father')));
    await port.delete(CONFIG_MAPS, { namespace: 'default', name: 'mother' });
    await clock.settle();
    expect((await child(port))?.metadata.ownerReferences).toEqual([owner(father, 'father')]);
    await port.delete(CONFIG_MAPS, { namespace: 'default', name: 'father' });
    await clock.settle();
    expect(await child(port)).toBeUndefined();
  });

  it.each([
    ['goes whose owner was never there', () => owner('nobody', 'mother'), false],
    ['goes whose owner has another name', ([mother = '']: readonly string[]) => owner(mother, 'sister'), false],
    ['stays whose owner is of a kind that is not served', () => owner('nobody', 'x', 'Unheard'), true],
    ['stays whose owner is there', ([mother = '']: readonly string[]) => owner(mother, 'mother'), true],
  ])('lets %s', async (_, reference, stays) => {
    const { port, clock, uids } = await family();
    await port.create(CONFIG_MAPS, owned(reference(uids)));
    await clock.settle();
    expect((await child(port)) !== undefined).toBe(stays);
  });

  it('does not work where it was not asked for', async () => {
    const clock = new VirtualClock();
    const port = new OfflineCluster({ name: 'a', clock }).connect();
    await port.create(CONFIG_MAPS, owned(owner('nobody')));
    await clock.settle();
    expect(await child(port)).toBeDefined();
  });
});
