/** A callback that may throw without doing harm: whoever is told of something may fail, and the work goes on. */
export function shielded<T>(callback: ((value: T) => void) | undefined): (value: T) => void {
  return (value) => {
    try {
      callback?.(value);
    } catch {
      // There is nobody left to tell.
    }
  };
}
