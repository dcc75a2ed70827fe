import { type AnyObject, type Cluster, resourceType } from 'clusterset/kube';
import { NAMESPACE } from './federated.ts';
import type { Act, Wave } from './waves.ts';

export type ConfigMap = AnyObject & { readonly data?: Readonly<Record<string, string>> };

export const CONFIG_MAPS = resourceType<ConfigMap>('v1', 'ConfigMap', 'configmaps');

/** Counts how much of a wave has arrived in members, while it arrives. */
export class Arrivals {
  readonly #acts: readonly Act[];
  readonly #values: ReadonlyMap<string, Map<string, string>>;
  readonly #stopping = new AbortController();
  readonly #watching: readonly Promise<void>[];
  /** What is as the wave wants it from the beginning. */
  readonly #before: number;

  private constructor({ acts }: Wave, seen: readonly Seen[]) {
    this.#acts = acts;
    this.#values = new Map(seen.map(({ member, values }) => [member.name, values]));
    this.#before = this.#count();
    this.#watching = seen.map((each) => this.#watch(each));
  }

  /** Begins to count, before anything of the wave is written. */
  static async of(wave: Wave, members: readonly Cluster[]): Promise<Arrivals> {
    return new Arrivals(wave, await Promise.all(members.map(lookAt)));
  }

  /** How much there is to arrive. */
  get total(): number {
    return this.#acts.length * this.#values.size - this.#before;
  }

  get arrived(): number {
    return this.#count() - this.#before;
  }

  /** Whether so much of it has arrived. */
  has(percent: number): boolean {
    return this.arrived * 100 >= percent * this.total;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#watching);
  }

  async #watch({ member, values, resourceVersion }: Seen): Promise<void> {
    const options = { namespace: NAMESPACE, resourceVersion, signal: this.#stopping.signal };
    try {
      for await (const event of member.watch<ConfigMap>(CONFIG_MAPS, options)) {
        if (event.type === 'BOOKMARK') continue;
        if (event.type === 'DELETED') values.delete(event.object.metadata.name);
        else values.set(event.object.metadata.name, event.object.data?.value ?? '');
      }
    } catch {
      // What is watched may be what is killed.
    }
  }

  #count(): number {
    const counts = [...this.#values].map(
      ([member, values]) => this.#acts.filter((act) => hasArrived(act, member, values)).length,
    );
    return counts.reduce((sum, each) => sum + each, 0);
  }
}

/** What a member has at first. */
interface Seen {
  readonly member: Cluster;
  readonly values: Map<string, string>;
  readonly resourceVersion: string;
}

async function lookAt(member: Cluster): Promise<Seen> {
  const { items, resourceVersion } = await member.list(CONFIG_MAPS, { namespace: NAMESPACE });
  return { member, values: new Map(items.map(({ metadata, data }) => [metadata.name, data?.value ?? ''])), resourceVersion };
}

function hasArrived(act: Act, member: string, values: ReadonlyMap<string, string>): boolean {
  if (act.does === 'delete') return !values.has(act.name);
  const { name, value, clusters } = act.wish;
  return values.get(name) === (clusters.includes(member) ? value : undefined);
}
