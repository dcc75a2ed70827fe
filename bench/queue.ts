import { FairQueue, systemClock } from 'clusterset/runtime';
import { median } from './measure.ts';

/** Workers of one process. */
const WORKERS = 32;

interface Figures {
  readonly adds: number;
  readonly takes: number;
}

/** Adds so many keys to so many clusters, the first of which are parked, and works off what isn't held back. */
async function figures(clusters: number, keys: number, parked: number): Promise<Figures> {
  const queue = new FairQueue({ name: 'bench', clock: systemClock });
  const names = Array.from({ length: clusters }, (_, index) => `cluster-${index}`);
  const objects = Array.from({ length: keys }, (_, index) => `default/web-${index}`);
  for (const name of names.slice(0, parked)) queue.park(name);
  const beforeAdds = performance.now();
  for (const object of objects) for (const name of names) queue.add(name, object);
  const adds = (clusters * keys) / ((performance.now() - beforeAdds) / 1000);
  const toTake = (clusters - parked) * keys;
  let taken = 0;
  const work = async (): Promise<void> => {
    for (let next = await queue.take(); next !== undefined; next = await queue.take()) {
      taken += 1;
      queue.done(next);
    }
  };
  const beforeTakes = performance.now();
  const workers = Array.from({ length: WORKERS }, work);
  await queue.idle();
  const takes = toTake / ((performance.now() - beforeTakes) / 1000);
  queue.close();
  await Promise.all(workers);
  if (taken !== toTake) throw new Error(`${taken} keys were taken instead of ${toTake}`);
  return { adds, takes };
}

/** Puts keys of one or of many clusters into a fair queue, and takes them out. */
export async function benchQueue(): Promise<void> {
  for (const [clusters, keys, parked] of [
    [1, 100_000, 0],
    [1000, 100, 0],
    [1000, 100, 100],
  ] as const) {
    const runs: Figures[] = [];
    for (let run = 0; run < 5; run += 1) runs.push(await figures(clusters, keys, parked));
    const [adds, takes] = (['adds', 'takes'] as const).map((name) => Math.round(median(runs.map((each) => each[name]))));
    const which = `${clusters.toLocaleString('en')} × ${keys.toLocaleString('en')} keys${parked > 0 ? `, ${parked} clusters parked` : ''}`;
    console.log(`queue of ${which}: ${adds?.toLocaleString('en')} adds/s, ${takes?.toLocaleString('en')} takes/s`);
  }
}
