/**
 * Waits for something as long as a signal lets it, and rejects with the signal's reason where that fires first: many calls don't mind their
 * signal, or not everywhere. What comes too late is given to `onLate`, so that it can be closed.
 */
export function unlessAborted<T>(start: () => T | Promise<T>, signal: AbortSignal, onLate?: (late: T) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    const finish = (): void => signal.removeEventListener('abort', onAbort);
    Promise.resolve()
      .then(start)
      .then(
        (value) => {
          finish();
          if (signal.aborted) onLate?.(value);
          else resolve(value);
        },
        (error: unknown) => {
          finish();
          reject(error);
        },
      );
  });
}
