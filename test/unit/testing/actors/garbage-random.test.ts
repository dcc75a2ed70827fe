import { type AnyObject, type Cluster, isClustersetError, type OwnerReference, resourceType } from 'clusterset/kube';
import { OfflineCluster, VirtualClock } from 'clusterset/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const configMaps = resourceType('v1', 'ConfigMap', 'configmaps');
const namespaces = resourceType('v1', 'Namespace', 'namespaces', 'Cluster');
const KEPT = 'example.com/kept';

const name = fc.integer({ min: 0, max: 5 }).map((index) => `object-${index}`);
const policy = fc.constantFrom('Foreground', 'Background', 'Orphan', undefined);
const place = fc.constantFrom('default', 'shop');
const step = fc.oneof(
  fc.record({
    do: fc.constant('create' as const),
    place,
    name,
    owners: fc.uniqueArray(name, { maxLength: 3 }),
    held: fc.boolean(),
  }),
  // Owners may come to be in circles, of themselves, of what is gone, and of the other namespace.
  fc.record({
    do: fc.constant('own' as const),
    place,
    name,
    owners: fc.uniqueArray(name, { maxLength: 3 }),
    blocking: fc.boolean(),
  }),
  fc.record({ do: fc.constant('delete' as const), place, name, policy }),
  fc.record({ do: fc.constant('release' as const), place, name }),
  fc.record({ do: fc.constant('end' as const), policy }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(0, 1, 5, 1000) }),
  fc.record({ do: fc.constant('restore' as const) }),
);
type Step = typeof step extends fc.Arbitrary<infer Each> ? Each : never;

/** Carries steps out in a cluster; what the server refuses is left out. */
class Scene {
  readonly clock = new VirtualClock();
  readonly offline = new OfflineCluster({ name: 'a', clock: this.clock, garbageCollection: true, rollouts: false });
  readonly #port: Cluster = this.offline.connect();
  readonly #uids = new Map<string, string>();
  #snapshot = this.offline.snapshot();

  async start(): Promise<void> {
    await this.#port.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
    this.#snapshot = this.offline.snapshot();
  }

  async act(each: Step): Promise<void> {
    try {
      await this.#act(each);
    } catch (error) {
      if (!isClustersetError(error)) throw error;
    }
  }

  /** Lets everything go that only a finalizer holds. */
  async releaseAll(): Promise<void> {
    for (const namespace of ['default', 'shop'] as const) {
      const { items } = await this.#port.list(configMaps, { namespace });
      for (const { metadata } of items) await this.act({ do: 'release', place: namespace, name: metadata.name });
    }
  }

  async #act(each: Step): Promise<void> {
    switch (each.do) {
      case 'create': {
        const finalizers = each.held ? [KEPT] : [];
        const metadata = { namespace: each.place, name: each.name, ownerReferences: this.#references(each.owners), finalizers };
        const made = await this.#port.create(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata } as AnyObject);
        this.#uids.set(each.name, made.metadata.uid ?? '');
        return;
      }
      case 'own': {
        const ownerReferences = this.#references(each.owners, each.blocking);
        await this.#port.patch(configMaps, { namespace: each.place, name: each.name }, merge({ ownerReferences }));
        return;
      }
      case 'delete': {
        const options = each.policy === undefined ? {} : { propagationPolicy: each.policy };
        await this.#port.delete(configMaps, { namespace: each.place, name: each.name }, options);
        return;
      }
      case 'release': {
        const found = await this.#port.get(configMaps, { namespace: each.place, name: each.name });
        const finalizers = (found?.metadata.finalizers ?? []).filter((finalizer) => finalizer !== KEPT);
        await this.#port.patch(configMaps, { namespace: each.place, name: each.name }, merge({ finalizers }));
        return;
      }
      case 'end':
        await this.#port.delete(
          namespaces,
          { name: 'shop' },
          each.policy === undefined ? {} : { propagationPolicy: each.policy },
        );
        return;
      case 'wait':
        await this.clock.advance(each.ms);
        return;
      case 'restore': {
        const before = this.#snapshot;
        this.#snapshot = this.offline.snapshot();
        this.offline.restore(before);
        return;
      }
      default:
        each satisfies never;
    }
  }

  #references(owners: readonly string[], blockOwnerDeletion = true): readonly OwnerReference[] {
    return owners.map((owner) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      name: owner,
      uid: this.#uids.get(owner) ?? 'nobody',
      blockOwnerDeletion,
    }));
  }
}

const merge = (metadata: object) => ({ type: 'merge', body: { metadata } }) as never;

describe('the garbage collector, whatever people do', () => {
  it('comes to rest, with nothing left that lacks its owners and nothing that waits for nobody', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const scene = new Scene();
        await scene.start();
        for (const each of steps) await scene.act(each);
        await scene.clock.advance('1h');
        await scene.releaseAll();
        await scene.clock.advance('1h');
        expect(scene.offline.violations()).toEqual([]);
        // Nothing waits any more, and nothing is done any more.
        const stuck = scene.offline.snapshot().objects.filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
        expect(stuck.map(({ metadata }) => [metadata.namespace, metadata.name, metadata.finalizers])).toEqual([]);
        const { resourceVersion } = scene.offline.snapshot();
        await scene.clock.advance('10h');
        expect(scene.offline.snapshot().resourceVersion).toBe(resourceVersion);
        scene.offline.stop();
        expect(scene.clock.waiting).toBe(0);
      }),
      { numRuns: 200 },
    );
  }, 120_000);
});
