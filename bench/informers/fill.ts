/** Fills one informer in a process of its own, and says how long that took and what stays of it. */
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { endWithParent, tellParent } from './child.ts';
import { ours, theirs } from './followers.ts';
import type { Filled, FillOrder } from './messages.ts';

const collect = (globalThis as { readonly gc?: () => void }).gc;

/** What is on the heap when everything that can go is gone. */
async function heap(): Promise<number> {
  for (let times = 0; times < 4; times += 1) {
    collect?.();
    await wait(20);
  }
  return process.memoryUsage().heapUsed;
}

async function fill({ whose, target, plural, objects, shape, first }: FillOrder): Promise<Filled> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let heard = 0;
  const onObject = (): void => {
    heard += 1;
    if (heard === objects) resolve();
  };
  const following = { target, plural, onObject };
  const begin = whose === 'ours' ? await ours(following, { shape, first }) : await theirs(following, false);
  const before = await heap();
  const started = performance.now();
  const follower = begin();
  await promise;
  const ms = performance.now() - started;
  // The watch begins, and what the list came in is let go of.
  await wait(300);
  const bytes = (await heap()) - before;
  if (follower.size() !== objects) throw new Error(`there are ${follower.size()} objects instead of ${objects}`);
  return { ms, heap: bytes, peakRss: process.resourceUsage().maxRSS * 1024 };
}

endWithParent();
process.once('message', (order: FillOrder) => void fill(order).then(tellParent<Filled>));
