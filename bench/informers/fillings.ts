import { median } from '../measure.ts';
import { Child } from './child.ts';
import type { Filled, FillOrder, First, Shape } from './messages.ts';
import type { StoreReady } from './store-server.ts';

const REMEMBERED = 10_000;
const SYNCED = 20_000;
const RUNS = 5;
const MIB = 1024 * 1024;

type Order = Omit<FillOrder, 'target' | 'objects' | 'plural'>;

const THEIRS: Order = { whose: 'theirs', shape: 'full', first: 'list' };
const own = (shape: Shape, first: First): Order => ({ whose: 'ours', shape, first });

type Fill = (objects: number, plural: FillOrder['plural'], order: Order) => Promise<Filled>;

/** Fills informers from one server, each in a process of its own, one after the other. */
export async function fillAll(): Promise<void> {
  const server = new Child<never, StoreReady>(
    new URL('./store-server.ts', import.meta.url),
    [],
    [REMEMBERED, SYNCED].map(String),
  );
  try {
    const { ca, servers, bytes } = await server.hear((message): message is StoreReady => message !== undefined);
    const fill: Fill = async (objects, plural, order) => {
      const child = new Child<FillOrder, Filled>(new URL('./fill.ts', import.meta.url), ['--expose-gc']);
      try {
        child.tell({ ...order, objects, plural, target: { server: servers[objects] ?? '', ca } });
        return await child.hear((message): message is Filled => message !== undefined);
      } finally {
        child.end();
      }
    };
    await memory(fill, bytes);
    await time(fill);
  } finally {
    server.end();
  }
}

/** What stays on the heap. */
async function memory(fill: Fill, bytes: StoreReady['bytes']): Promise<void> {
  const size = `${bytes.deployment} bytes of JSON each, ${bytes.stripped} without managedFields`;
  console.log(`heap for ${REMEMBERED} Deployments of ${size} (peak RSS of the process):`);
  const base = await fill(REMEMBERED, 'deployments', THEIRS);
  console.log(`  ${'theirs'.padEnd(24)}${mebibytes(base, base)}`);
  for (const shape of ['full', 'stripped', 'metadata'] as const) {
    for (const first of ['stream', 'list'] as const) {
      const filled = await fill(REMEMBERED, 'deployments', own(shape, first));
      console.log(`  ${`ours, ${shape}, ${first}`.padEnd(24)}${mebibytes(filled, base)}`);
    }
  }
}

/** How soon everything is there. */
async function time(fill: Fill): Promise<void> {
  const orders: Readonly<Record<string, Order>> = {
    theirs: THEIRS,
    'ours, stream': own('full', 'stream'),
    'ours, list': own('full', 'list'),
  };
  for (const plural of ['deployments', 'configmaps'] as const) {
    const runs = new Map<string, Filled[]>();
    for (let run = 0; run < RUNS; run += 1) {
      for (const [name, order] of Object.entries(orders)) {
        runs.set(name, [...(runs.get(name) ?? []), await fill(SYNCED, plural, order)]);
      }
    }
    console.log(`filled with ${SYNCED} ${plural}: median of ${RUNS} (least to most; median of the peak RSS):`);
    for (const [name, all] of runs) console.log(`  ${name.padEnd(24)}${milliseconds(all)}`);
  }
}

function mebibytes({ heap, peakRss }: Filled, base: Filled): string {
  return `${(heap / MIB).toFixed(1)} MiB, ${Math.round((heap / base.heap) * 100)} % (${Math.round(peakRss / MIB)} MiB)`;
}

function milliseconds(all: readonly Filled[]): string {
  const times = all.map(({ ms }) => ms);
  const range = `${Math.round(Math.min(...times))} to ${Math.round(Math.max(...times))}`;
  return `${Math.round(median(times))} ms (${range}; ${Math.round(median(all.map(({ peakRss }) => peakRss)) / MIB)} MiB)`;
}
