/**
 * The values that something says, to be read one after the other: whoever reads more slowly than they come gets the newest only. The iteration
 * ends when the signal fires, and throws where the work does.
 */
export async function* newestValues<T>(
  work: (say: (value: T) => void, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): AsyncGenerator<T> {
  const stopping = new AbortController();
  const either = AbortSignal.any([signal, stopping.signal]);
  let newest: { readonly value: T } | undefined;
  let outcome: { readonly error?: unknown } | undefined;
  let wake = (): void => undefined;
  const say = (value: T): void => {
    newest = { value };
    wake();
  };
  const finished = work(say, either).then(
    () => {
      outcome = {};
      wake();
    },
    (error: unknown) => {
      outcome = { error };
      wake();
    },
  );
  const onAbort = (): void => wake();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    for (;;) {
      if (signal.aborted) return;
      if (newest !== undefined) {
        const { value } = newest;
        newest = undefined;
        yield value;
        continue;
      }
      if (outcome !== undefined) {
        if ('error' in outcome) throw outcome.error;
        return;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    stopping.abort();
    await finished;
  }
}
