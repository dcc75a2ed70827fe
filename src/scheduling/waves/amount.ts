/** A number of clusters, or a percentage such as `25%`. */
export type ClusterAmount = number | string;

/** As many clusters as an amount says of a total, percentages rounded down; nothing for what is no amount. */
export function clustersIn(amount: ClusterAmount, total: number): number | undefined {
  if (typeof amount === 'number') return Number.isInteger(amount) && amount >= 0 ? amount : undefined;
  const percent = /^([0-9]{1,3})%$/.exec(amount)?.[1];
  return percent === undefined || Number(percent) > 100 ? undefined : Math.floor((Number(percent) * total) / 100);
}
