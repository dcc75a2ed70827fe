/** Median of several runs, in microseconds for one call: enough calls to fill a tenth of a second, after a warm-up. */
export function microseconds(call: () => unknown, runs = 15): number {
  const batch = (size: number): number => {
    const started = performance.now();
    for (let done = 0; done < size; done += 1) call();
    return performance.now() - started;
  };
  let calls = 1;
  while (batch(calls) < 100) calls *= 2;
  return median(Array.from({ length: runs }, () => (batch(calls) / calls) * 1000));
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Bytes that stay on the heap for what a call returns. Needs `--expose-gc`. */
export function heapBytes(call: () => unknown): number {
  const collect = (globalThis as { readonly gc?: () => void }).gc;
  if (collect === undefined) throw new Error('run node with --expose-gc');
  // What is compiled and cached on the way isn't what is asked for.
  call();
  collect();
  const before = process.memoryUsage().heapUsed;
  const kept = call();
  collect();
  const bytes = process.memoryUsage().heapUsed - before;
  return kept === undefined ? 0 : bytes;
}

/** Calls for each item, so many at a time. */
export async function inFlight<T>(items: readonly T[], most: number, call: (item: T) => Promise<unknown>): Promise<void> {
  const waiting = items.values();
  const work = async (): Promise<void> => {
    for (const item of waiting) await call(item);
  };
  await Promise.all(Array.from({ length: most }, work));
}

/** A loop that does nothing but count: how fast this machine is just now, beside figures from another run. */
export function calibration(): number {
  return microseconds(() => {
    let sum = 0;
    for (let index = 0; index < 100_000; index += 1) sum = (Math.imul(sum, 31) + index) | 0;
    return sum;
  });
}
