import type { Cluster } from 'clusterset/kube';
import { ClustersetError } from 'clusterset/kube';
import { ownerOf, Shards, type ShardsOptions } from 'clusterset/runtime';
import { VirtualClock } from 'clusterset/testing';
import { afterEach, describe, expect, it } from 'vitest';
import type { Lease } from '../../../../src/runtime/election/lease.ts';

/** One cluster that is `a`'s where `a` and `b` share, and one that is `b`'s. */
const nameOf = (owner: string): string => {
  const names = Array.from({ length: 50 }, (_, index) => `eu-${index}`);
  return names.find((name) => ownerOf(name, [{ identity: 'a' }, { identity: 'b' }]) === owner) ?? '';
};
const OURS = nameOf('a');
const THEIRS = nameOf('b');

/** What a view says: the identities in it. */
type View = readonly string[];

function leaseOf(identity: string, view: View, instance = `${identity}-1`): Lease {
  const state = { instance, weight: 1, view: view.map((each) => [each, 1]) };
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      namespace: 'default',
      name: `fleet-${identity}`,
      labels: { 'clusterset.dev/shard-group': 'fleet' },
      annotations: { 'clusterset.dev/shard': JSON.stringify(state) },
    },
    spec: { holderIdentity: identity, leaseDurationSeconds: 15, renewTime: 'once', leaseTransitions: 0 },
  };
}

const viewIn = (lease: Lease): View => {
  const { view } = JSON.parse(lease.metadata.annotations?.['clusterset.dev/shard'] ?? '') as { view: [string, number][] };
  return view.map(([identity]) => identity);
};

const refused = (code: 'Conflict' | 'Unreachable'): ClustersetError =>
  new ClustersetError({ code, message: 'no', cluster: 'host' });

/** A host of a few lines: the test says what lies between a request and its answer. */
class Host {
  readonly leases = new Map<string, Lease>();
  /** The views that were stored by whoever runs here. */
  readonly written: View[] = [];
  readonly removed: string[] = [];
  lists = 0;
  /** Is waited for when a list has been made, and before it is answered. */
  afterList: (count: number) => Promise<void> | void = () => undefined;
  /** Is waited for when a lease has been stored, and before that is answered. */
  afterWrite: (view: View) => Promise<void> | void = () => undefined;
  #version = 1;

  put(lease: Lease): Lease {
    this.#version += 1;
    const stored = { ...lease, metadata: { ...lease.metadata, resourceVersion: String(this.#version) } };
    this.leases.set(lease.metadata.name, stored);
    return stored;
  }

  /** Gives a lease back. */
  release(identity: string): void {
    const lease = this.leases.get(`fleet-${identity}`) as Lease;
    this.put({ ...lease, spec: { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1 } });
  }

  connect(): Cluster {
    const write = async (lease: Lease): Promise<Lease> => {
      const known = this.leases.get(lease.metadata.name);
      if (known?.metadata.resourceVersion !== lease.metadata.resourceVersion) throw refused('Conflict');
      const stored = this.put(lease);
      this.written.push(viewIn(stored));
      await this.afterWrite(viewIn(stored));
      return stored;
    };
    const port = {
      name: 'host',
      list: async () => {
        const items = [...this.leases.values()];
        this.lists += 1;
        await this.afterList(this.lists);
        return { items, resourceVersion: String(this.#version) };
      },
      create: (_: unknown, lease: Lease) => write(lease),
      update: (_: unknown, lease: Lease) => write(lease),
      delete: async (_: unknown, { name }: { readonly name: string }) => {
        this.removed.push(name);
        return 'gone';
      },
    };
    return port as unknown as Cluster;
  }
}

const ends: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** A replica `a`, which begins when the test says so. */
function replica(options: Partial<ShardsOptions> = {}) {
  const clock = new VirtualClock();
  const host = new Host();
  const shards = new Shards({
    cluster: host.connect(),
    group: 'fleet',
    namespace: 'default',
    identity: 'a',
    clock,
    random: () => 0.25,
    ...options,
  });
  const stopping = new AbortController();
  const begin = (): void => {
    const done = shards.run(stopping.signal);
    ends.push(async () => {
      stopping.abort();
      host.afterList = () => undefined;
      host.afterWrite = () => undefined;
      await clock.advance('60s');
      await done;
    });
  };
  const wait = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));
  return { clock, host, shards, begin, wait };
}

describe('a replica', () => {
  it('takes another for gone only when its time had passed before the look was sent: it may have renewed since', async () => {
    const { clock, host, shards, begin, wait } = replica();
    host.put(leaseOf('b', ['b']));
    const began: number[] = [];
    const start = clock.monotonic();
    shards.onChange(() => {
      if (shards.owns(OURS) !== undefined) began.push(clock.monotonic() - start);
    });
    begin();
    await clock.advance('13900ms');
    host.afterList = () => wait(1800);
    // That look is sent after 14 s, and answered after 15.8 s; the lease is over after 15 s.
    await clock.advance('2s');
    host.afterList = () => undefined;
    await clock.advance('10s');
    expect(began[0]).toBeGreaterThan(17_000);
    expect(shards.owns(OURS)?.isValid()).toBe(true);
  });

  it('begins with nothing between the answer to a new view and that to the look after it', async () => {
    const { clock, host, shards, begin } = replica();
    host.put(leaseOf('b', ['a', 'b']));
    begin();
    await clock.advance('5s');
    expect([shards.owns(OURS)?.isValid(), shards.owns(THEIRS)]).toEqual([true, undefined]);
    host.release('b');
    const { promise, resolve } = Promise.withResolvers<void>();
    host.afterWrite = (view) => {
      if (view.length === 1) host.afterList = () => promise;
    };
    await clock.advance('4s');
    expect(host.written.at(-1)).toEqual(['a']);
    expect([shards.owns(OURS)?.isValid(), shards.owns(THEIRS)]).toEqual([true, undefined]);
    resolve();
    await clock.advance(1);
    expect(shards.owns(THEIRS)?.isValid()).toBe(true);
  });

  it('begins with nothing that it has given away in a view of which it does not know whether that is stored', async () => {
    const { clock, host, shards, begin } = replica();
    begin();
    await clock.advance('3s');
    expect(shards.owns(THEIRS)?.isValid()).toBe(true);
    host.put(leaseOf('b', ['a', 'b']));
    // What was lost may be stored: others find the flag down.
    host.afterWrite = (view) => {
      if (view.length < 2) return;
      host.release('b');
      host.afterWrite = () => undefined;
      throw refused('Unreachable');
    };
    const seen: boolean[] = [];
    const hasGivenUp = (): boolean => viewIn(host.leases.get('fleet-a') as Lease).includes('b');
    for (let steps = 0; steps < 120; steps += 1) {
      await clock.advance(100);
      if (hasGivenUp()) seen.push(shards.owns(THEIRS) !== undefined);
    }
    expect(seen.length).toBeGreaterThan(10);
    expect(seen).not.toContain(true);
    expect(shards.owns(THEIRS)?.isValid()).toBe(true);
  });

  it('takes another whose lease has vanished for alive until its time has passed', async () => {
    const { clock, host, shards, begin } = replica();
    host.put(leaseOf('b', ['b']));
    begin();
    await clock.advance('5s');
    host.leases.delete('fleet-b');
    await clock.advance('9s');
    expect(shards.owns(OURS)).toBeUndefined();
    await clock.advance('5s');
    expect(shards.owns(OURS)?.isValid()).toBe(true);
  });

  it.each([false, true])('keeps the flags of an earlier run up for as long as that may act (answer lost: %s)', async (isLost) => {
    const { clock, host, shards, begin } = replica();
    host.put(leaseOf('a', ['a', 'b', 'c'], 'earlier'));
    if (isLost) {
      host.afterWrite = () => {
        host.afterWrite = () => undefined;
        throw refused('Unreachable');
      };
    }
    begin();
    await clock.advance('14900ms');
    expect(host.written.length).toBeGreaterThan(2);
    expect(new Set(host.written.map((view) => view.join(' ')))).toEqual(new Set(['a b c']));
    expect(shards.owns(OURS)).toBeUndefined();
    await clock.advance('10s');
    expect(host.written.at(-1)).toEqual(['a']);
    expect(shards.owns(OURS)?.isValid()).toBe(true);
  });

  it('removes those leases of replicas long gone that fall to it, and leaves the rest to the others', async () => {
    const { clock, host, begin } = replica({ forgetAfterMs: 20_000 });
    const dead = Array.from({ length: 8 }, (_, index) => `x${index}`);
    for (const identity of dead) host.put(leaseOf(identity, [identity]));
    begin();
    for (let second = 0; second < 60; second += 5) {
      const { spec, ...b } = leaseOf('b', ['a', 'b']);
      host.put({ ...b, spec: { ...spec, renewTime: String(second) } });
      await clock.advance('5s');
    }
    const ours = dead
      .map((identity) => `fleet-${identity}`)
      .filter((name) => ownerOf(name, [{ identity: 'a' }, { identity: 'b' }]) === 'a');
    expect(ours.length).toBeGreaterThan(0);
    expect(ours.length).toBeLessThan(dead.length);
    expect([...new Set(host.removed)].toSorted()).toEqual(ours);
  });

  it('waits for no call that is never answered: it keeps its lease', async () => {
    const { clock, host, shards, begin } = replica();
    begin();
    await clock.advance('3s');
    const fence = shards.owns(OURS);
    host.afterList = () => {
      host.afterList = () => undefined;
      return new Promise(() => undefined);
    };
    await clock.advance('60s');
    expect(fence?.isValid()).toBe(true);
  });

  it('does not reckon with a view of more members than a group can have, and begins with nothing while that lives', async () => {
    const { clock, host, shards, begin } = replica();
    host.put(leaseOf('b', [...Array.from({ length: 30_000 }, (_, index) => `x${index}`)]));
    begin();
    await clock.advance('10s');
    expect(shards.owns(OURS)).toBeUndefined();
    await clock.advance('10s');
    expect(shards.owns(OURS)?.isValid()).toBe(true);
  });

  it('has lost everything when its lease names another holder', async () => {
    const { clock, host, shards, begin } = replica();
    begin();
    await clock.advance('3s');
    const fence = shards.owns(OURS);
    const lease = host.leases.get('fleet-a') as Lease;
    host.put({ ...lease, spec: { ...lease.spec, holderIdentity: 'somebody' } });
    await clock.advance('2s');
    expect(fence?.isValid()).toBe(false);
  });
});
