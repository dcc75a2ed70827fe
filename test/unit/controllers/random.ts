import { changesTo, decide, OWNER_ANNOTATION, prepare, render, replicasOf } from 'clusterset/federation';
import type { AnyObject, Json, ObjectKey, ResourceType } from 'clusterset/kube';
import type { ClusterEntry } from 'clusterset/registry';
import { ReplicaSchedulingPreference } from 'clusterset/scheduling';
import fc from 'fast-check';
import { expect } from 'vitest';
import { federatedDeployment } from '../federation/fixtures.ts';
import { configMap, type Federation, federatedConfigMap, start, WORKLOADS } from './start.ts';

export const MEMBERS: readonly string[] = ['eu-1', 'eu-2', 'us-1'];
export const NAMES: readonly string[] = ['a', 'b', 'c'];

/** Something that happens. */
export type Event =
  | { readonly does: 'write'; readonly name: string; readonly spec: Readonly<Record<string, Json>> }
  | { readonly does: 'delete'; readonly name: string }
  | { readonly does: 'federate'; readonly placement: Json }
  | { readonly does: 'label'; readonly cluster: string; readonly region: string }
  | { readonly does: 'edit'; readonly cluster: string; readonly name: string; readonly data: Json }
  | { readonly does: 'remove'; readonly cluster: string; readonly name: string }
  | { readonly does: 'squat'; readonly cluster: string; readonly name: string }
  | { readonly does: 'cut' | 'hang' | 'mend' | 'compact'; readonly cluster: string }
  | { readonly does: 'restart' }
  | { readonly does: 'wait'; readonly ms: number };

const cluster = fc.constantFrom(...MEMBERS);
const name = fc.constantFrom(...NAMES);
const placement = fc.oneof(
  fc.record({ clusters: fc.uniqueArray(cluster).map((names) => names.map((each) => ({ name: each }))) }),
  fc.constantFrom({ clusterSelector: {} }, { clusterSelector: { matchLabels: { region: 'eu' } } }),
);
const overrides = fc.oneof(
  fc.constant([]),
  fc
    .record({ clusterName: cluster, value: fc.constantFrom('x', 'y') })
    .map(({ clusterName, value }) => [{ clusterName, clusterOverrides: [{ op: 'add', path: '/data/own', value }] }]),
);
const spec = fc.record({
  template: fc.record({ data: fc.record({ color: fc.constantFrom('red', 'blue'), size: fc.constantFrom('s', 'l') }) }),
  placement,
  overrides,
});
const data = fc.constantFrom<Json>({ color: 'theirs' }, { color: null }, { extra: 'kept' }, { own: null });

const write = fc.record({ does: fc.constant('write'), name, spec });
const wait = fc.record({ does: fc.constant('wait'), ms: fc.constantFrom(0, 20, 300, 1000, 15_000, 40_000, 70_000) });
/** What people and servers do. */
export const happenings: readonly fc.Arbitrary<Event>[] = [
  write as fc.Arbitrary<Event>,
  fc.record({ does: fc.constant('federate'), placement }) as fc.Arbitrary<Event>,
  fc.record({ does: fc.constant('label'), cluster, region: fc.constantFrom('eu', 'us') }),
  fc.record({ does: fc.constant('edit'), cluster, name, data }),
  fc.record({ does: fc.constant('remove'), cluster, name }),
  fc.record({ does: fc.constant('squat'), cluster, name }),
  fc.record({ does: fc.constant('compact'), cluster }),
  write as fc.Arbitrary<Event>,
  wait,
  wait,
];
/** Federated objects are deleted. */
export const deletion: fc.Arbitrary<Event> = fc.record({ does: fc.constant('delete'), name });
/** Members are cut off, hang, and come back. */
export const trouble: fc.Arbitrary<Event> = fc.record({ does: fc.constantFrom('cut', 'hang', 'mend'), cluster });

/** What may happen, one thing after the other. */
export const story = (...events: readonly fc.Arbitrary<Event>[]): fc.Arbitrary<readonly Event[]> =>
  fc.array(fc.oneof(...happenings, fc.record({ does: fc.constant('restart' as const) }), ...events), {
    minLength: 5,
    maxLength: 40,
  });

const keyOfName = (each: string): ObjectKey => ({ namespace: 'shop', name: each });
const SHOP_NAMESPACE = { namespace: 'shop', name: 'shop' };

/** A story as it goes on. */
export class Teller {
  readonly #federation: Federation;
  readonly #broken = new Map<string, Disposable>();
  /** What others have put into members, and the namespace that it was put into. */
  readonly squatters = new Map<string, { readonly object: AnyObject; readonly namespace: string }>();

  constructor(federation: Federation) {
    this.#federation = federation;
  }

  get #configMaps(): ResourceType {
    return this.#federation.target('ConfigMap');
  }

  mend(): void {
    for (const each of this.#broken.values()) each[Symbol.dispose]();
    this.#broken.clear();
  }

  /** The object that somebody has put there, unless it went with its namespace. */
  squatter(where: string, key: ObjectKey): AnyObject | undefined {
    const found = this.squatters.get(`${where}/${key.name}`);
    return found?.namespace === this.#namespaceIn(where) ? found?.object : undefined;
  }

  #namespaceIn(where: string): string | undefined {
    const namespace = this.#federation.live(where, 'Namespace', SHOP_NAMESPACE);
    return namespace?.metadata.deletionTimestamp === undefined ? namespace?.metadata.uid : undefined;
  }

  async tell(event: Event): Promise<void> {
    const federation = this.#federation;
    switch (event.does) {
      case 'write':
        return this.#write(event.name, event.spec);
      case 'delete':
        if (federation.stored('host', federation.federated('ConfigMap'), keyOfName(event.name)) !== undefined) {
          federation.removeInside('host', federation.federated('ConfigMap'), keyOfName(event.name));
        }
        return;
      case 'federate':
        this.#replaceSpec(federation.federated('Namespace'), SHOP_NAMESPACE, { template: {}, placement: event.placement });
        return;
      case 'label':
        federation.roster.say(federation.roster.entries.map((entry) => relabelled(entry, event.cluster, event.region)));
        return;
      case 'edit':
      case 'remove':
        return this.#meddle(event);
      case 'squat':
        return this.#squat(event.cluster, event.name);
      case 'cut':
      case 'hang':
        this.#broken.get(event.cluster)?.[Symbol.dispose]();
        this.#broken.set(event.cluster, federation.network(event.cluster)[event.does]());
        return;
      case 'mend':
        this.#broken.get(event.cluster)?.[Symbol.dispose]();
        this.#broken.delete(event.cluster);
        return;
      case 'compact':
        federation.world.cluster(event.cluster).compact();
        return;
      case 'restart':
        await federation.restart();
        return;
      case 'wait':
        await federation.advance(`${event.ms}ms`);
        return;
      default:
        return event satisfies never;
    }
  }

  #write(each: string, given: Readonly<Record<string, Json>>): void {
    const federation = this.#federation;
    const key = keyOfName(each);
    const type = federation.federated('ConfigMap');
    if (federation.stored('host', type, key) === undefined) {
      federation.createInside('host', type, federatedConfigMap(given, { name: each }));
    } else this.#replaceSpec(type, key, given);
  }

  #replaceSpec(type: ResourceType, key: ObjectKey, given: Json): void {
    const operations = [{ op: 'replace' as const, path: '/spec', value: given }];
    this.#federation.patchInside('host', type, { type: 'json', operations }, key);
  }

  #meddle(event: Event & { readonly does: 'edit' | 'remove' }): void {
    const federation = this.#federation;
    const key = keyOfName(event.name);
    if (federation.live(event.cluster, 'ConfigMap', key) === undefined || this.squatter(event.cluster, key) !== undefined) return;
    if (event.does === 'remove') federation.removeInside(event.cluster, this.#configMaps, key);
    else federation.editInside(event.cluster, this.#configMaps, { data: event.data }, key);
  }

  #squat(where: string, each: string): void {
    const key = keyOfName(each);
    const namespace = this.#namespaceIn(where);
    if (namespace === undefined || this.#federation.live(where, 'ConfigMap', key) !== undefined) return;
    const object = this.#federation.createInside(where, this.#configMaps, configMap({ color: 'squatter' }, { name: each }));
    this.squatters.set(`${where}/${each}`, { object, namespace });
  }
}

function relabelled(entry: ClusterEntry, where: string, region: string): ClusterEntry {
  return entry.name === where ? { ...entry, labels: { ...entry.labels, region } } : entry;
}

/** Holds every member against what the host says, worked out from scratch, and the statuses, too. */
export async function check(federation: Federation, teller: Teller, names = NAMES): Promise<void> {
  const wanted = await checkMembers(federation, teller, MEMBERS, names);
  for (const each of names) {
    const object = await federation.object('ConfigMap', keyOfName(each));
    if (object === undefined) continue;
    const placed = MEMBERS.filter((where) => wanted.get(each)?.has(where));
    const squatted = placed.filter((where) => teller.squatter(where, keyOfName(each)) !== undefined);
    const status = await federation.status('ConfigMap', keyOfName(each));
    expect(status.observedGeneration).toBe(object.metadata.generation);
    expect(await federation.entries('ConfigMap', keyOfName(each))).toEqual(
      placed.map((where) => (squatted.includes(where) ? `${where}: AlreadyExists` : where)),
    );
    expect(status.conditions?.[0]).toMatchObject({ type: 'Propagation', status: squatted.length === 0 ? 'True' : 'False' });
  }
}

/** Holds some members against what the host says, worked out from scratch. Returns what there should be, by name and cluster. */
export async function checkMembers(
  federation: Federation,
  teller: Teller,
  members: readonly string[],
  names = NAMES,
): Promise<ReadonlyMap<string, ReadonlyMap<string, AnyObject>>> {
  const { roster, types } = federation;
  const namespace = (await federation.object('Namespace', SHOP_NAMESPACE)) as AnyObject;
  const inNamespace = { types, namespace: namespace as unknown as NonNullable<RenderOptions['namespace']> };
  const all = new Map<string, ReadonlyMap<string, AnyObject>>();
  expectAs(federation, { members, kind: 'Namespace', key: SHOP_NAMESPACE }, rendered(namespace, roster.entries, { types }));
  for (const each of names) {
    const key = keyOfName(each);
    const object = await federation.object('ConfigMap', key);
    const isWanted = object !== undefined && object.metadata.deletionTimestamp === undefined;
    const wanted = isWanted ? rendered(object, roster.entries, inNamespace) : new Map<string, AnyObject>();
    expectAs(federation, { members, kind: 'ConfigMap', key }, wanted, (where) => teller.squatter(where, key));
    all.set(each, wanted);
  }
  return all;
}

type RenderOptions = NonNullable<Parameters<typeof render>[2]>;

function rendered(object: AnyObject, entries: readonly ClusterEntry[], options: RenderOptions): ReadonlyMap<string, AnyObject> {
  const { objects, issues } = render(object, entries, options);
  expect(issues).toEqual([]);
  return new Map(objects.map((each) => [each.cluster, each.object]));
}

function expectAs(
  federation: Federation,
  { members, kind, key }: { readonly members: readonly string[]; readonly kind: string; readonly key: ObjectKey },
  wanted: ReadonlyMap<string, AnyObject>,
  squatter: (where: string) => AnyObject | undefined = () => undefined,
): void {
  for (const where of members) {
    const live = federation.live(where, kind, key);
    const other = squatter(where);
    const desired = wanted.get(where);
    const title = `${kind} ${key.name} in ${where}`;
    if (other !== undefined) expect(live, title).toEqual(other);
    else if (desired === undefined) expect(live, title).toBeUndefined();
    else {
      expect(live, title).toBeDefined();
      expect(live?.metadata.annotations?.[OWNER_ANNOTATION], title).toBe(desired.metadata.annotations?.[OWNER_ANNOTATION]);
      expect(live === undefined ? [] : changesTo(live, desired, 'clusterset'), title).toEqual([]);
    }
  }
}

/** Tells a story, mends what is broken, and checks that everything is as it should be and stays so without a write. */
export async function come(events: readonly Event[]): Promise<void> {
  const federation = await start();
  try {
    const teller = new Teller(federation);
    for (const event of events) await teller.tell(event);
    teller.mend();
    await federation.advance('3m');
    await check(federation, teller);
    const before = federation.versions();
    federation.forget();
    await federation.advance('3m');
    expect(federation.changes()).toEqual([]);
    expect(federation.versions()).toEqual(before);
  } finally {
    await federation.halt();
  }
}

type Turn =
  | { readonly does: 'prefer'; readonly spec: Readonly<Record<string, Json>> }
  | { readonly does: 'place'; readonly placement: Json }
  | { readonly does: 'scale'; readonly cluster: string; readonly replicas: number }
  | { readonly does: 'cut' | 'mend'; readonly cluster: string }
  | { readonly does: 'restart' }
  | { readonly does: 'wait'; readonly ms: number };

const weights = fc.dictionary(
  fc.constantFrom(...MEMBERS, '*'),
  fc.record({
    weight: fc.integer({ min: 0, max: 3 }),
    minReplicas: fc.integer({ min: 0, max: 3 }),
    maxReplicas: fc.integer({ min: 3, max: 9 }),
  }),
);
const preferenceSpec = fc.record({
  targetKind: fc.constant('FederatedDeployment'),
  totalReplicas: fc.integer({ min: 0, max: 20 }),
  rebalance: fc.constant(true),
  intersectWithClusterSelector: fc.boolean(),
  clusters: weights,
});
/** What may happen to replicas. */
export const turns: fc.Arbitrary<readonly Turn[]> = fc.array(
  fc.oneof(
    fc.record({ does: fc.constant('prefer'), spec: preferenceSpec }) as fc.Arbitrary<Turn>,
    fc.record({ does: fc.constant('place'), placement }) as fc.Arbitrary<Turn>,
    fc.record({ does: fc.constant('scale'), cluster, replicas: fc.integer({ min: 0, max: 9 }) }) as fc.Arbitrary<Turn>,
    fc.record({ does: fc.constantFrom('cut', 'mend'), cluster }) as fc.Arbitrary<Turn>,
    fc.record({ does: fc.constant('restart') }) as fc.Arbitrary<Turn>,
    wait as fc.Arbitrary<Turn>,
  ),
  { minLength: 3, maxLength: 25 },
);

const WEB = keyOfName('web');
const preferences = ReplicaSchedulingPreference as unknown as ResourceType;

async function takeTurn(federation: Federation, cuts: Map<string, Disposable>, turn: Turn): Promise<void> {
  const replaced = (value: Json) => ({ type: 'json' as const, operations: [{ op: 'replace' as const, path: '/spec', value }] });
  const deployment = federation.target('Deployment');
  switch (turn.does) {
    case 'prefer':
      federation.patchInside('host', preferences, replaced(turn.spec), WEB);
      return;
    case 'place':
      federation.editInside('host', federation.federated('Deployment'), { spec: { placement: null } }, WEB);
      federation.editInside('host', federation.federated('Deployment'), { spec: { placement: turn.placement } }, WEB);
      return;
    case 'scale':
      if (federation.live(turn.cluster, 'Deployment', WEB) === undefined) return;
      federation.editInside(turn.cluster, deployment, { spec: { replicas: turn.replicas } }, WEB);
      return;
    case 'cut':
      if (!cuts.has(turn.cluster)) cuts.set(turn.cluster, federation.network(turn.cluster).cut());
      return;
    case 'mend':
      cuts.get(turn.cluster)?.[Symbol.dispose]();
      cuts.delete(turn.cluster);
      return;
    case 'restart':
      await federation.restart();
      return;
    case 'wait':
      await federation.advance(`${turn.ms}ms`);
      return;
    default:
      return turn satisfies never;
  }
}

/** Plays turns, and holds the replicas in the members against a division from scratch. */
export async function divide(events: readonly Turn[]): Promise<void> {
  const federation = await start({ types: WORKLOADS });
  try {
    const cuts = new Map<string, Disposable>();
    federation.createInside('host', federation.federated('Deployment'), federatedDeployment());
    federation.createInside('host', preferences, {
      apiVersion: 'scheduling.kubefed.io/v1alpha1',
      kind: 'ReplicaSchedulingPreference',
      metadata: WEB,
      spec: { targetKind: 'FederatedDeployment', totalReplicas: 6, rebalance: true },
    });
    for (const event of events) await takeTurn(federation, cuts, event);
    for (const each of cuts.values()) each[Symbol.dispose]();
    await federation.advance('3m');
    const object = (await federation.object('Deployment', WEB)) as AnyObject;
    const decision = decide({
      prepared: prepare(object, { types: federation.types }),
      clusters: federation.world.entries,
      preference: federation.stored('host', preferences, WEB) as unknown as ReplicaSchedulingPreference,
      namespace: (await federation.object('Namespace', SHOP_NAMESPACE)) as unknown as NonNullable<RenderOptions['namespace']>,
    });
    for (const own of decision.clusters) {
      if (own.want === 'untouched') continue;
      expect(replicasOf(federation.live(own.cluster.name, 'Deployment', WEB)), own.cluster.name).toBe(replicasOf(own.desired));
    }
    const before = federation.versions();
    await federation.advance('3m');
    expect(federation.versions()).toEqual(before);
  } finally {
    await federation.halt();
  }
}
