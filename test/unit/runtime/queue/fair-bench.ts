import { type Fact, FairQueue, type FairQueueOptions, type Taken } from 'clusterset/runtime';
import { VirtualClock } from 'clusterset/testing';

/** A fair queue under a virtual clock, with what it handed out and told. */
export interface FairBench {
  readonly clock: VirtualClock;
  readonly queue: FairQueue;
  /** What was handed out, in order. */
  readonly handed: (Taken | undefined)[];
  readonly facts: Fact[];
  /** Asks for so many keys, and goes on; what has come since the last call, as `cluster/key`. */
  take(count?: number): Promise<string>;
  /** The receipt of a key that was handed out last. */
  receipt(name: string): Taken;
}

/** Lets promises that are resolved have their turn; no timer fires. */
export async function flush(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
}

export function nameOf(taken: Taken | undefined): string {
  return taken === undefined ? '-' : `${taken.cluster}/${taken.key}`;
}

export function fairBench(options: Partial<FairQueueOptions> = {}): FairBench {
  const clock = new VirtualClock();
  const facts: Fact[] = [];
  const queue = new FairQueue({ name: 'web', clock, observe: (fact) => facts.push(fact), ...options });
  const handed: (Taken | undefined)[] = [];
  let told = 0;
  return {
    clock,
    queue,
    handed,
    facts,
    async take(count = 0) {
      for (let each = 0; each < count; each += 1) void queue.take().then((taken) => handed.push(taken));
      await flush();
      const news = handed.slice(told).map(nameOf);
      told = handed.length;
      return news.join(' ');
    },
    receipt(name) {
      const taken = handed.findLast((each) => nameOf(each) === name);
      if (taken === undefined) throw new TypeError(`${name} was never handed out`);
      return taken;
    },
  };
}
