/** Heaviest first; of the same weight, as they were. Weights are few and clusters many, so clusters go into buckets. */
export function heaviestFirst<T>(items: readonly T[], weightOf: (item: T) => number): readonly T[] {
  const buckets = new Map<number, T[]>();
  for (const item of items) {
    const weight = weightOf(item);
    const bucket = buckets.get(weight);
    if (bucket === undefined) buckets.set(weight, [item]);
    else bucket.push(item);
  }
  if (buckets.size <= 1) return items;
  const sorted: T[] = [];
  for (const weight of [...buckets.keys()].sort((a, b) => b - a)) {
    for (const item of buckets.get(weight) ?? []) sorted.push(item);
  }
  return sorted;
}
