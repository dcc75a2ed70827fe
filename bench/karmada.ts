import { divideKarmada, webster } from 'clusterset/scheduling';
import { microseconds } from './measure.ts';

/** Karmada's own code on one core of such a machine, in another run: µs for 1,000 replicas. */
const ORIGINAL: Readonly<Record<number, number>> = { 100: 246, 1000: 631 };

/** A loop that does nothing but count: how fast this machine is just now, beside figures from another run. */
function calibration(): number {
  return microseconds(() => {
    let sum = 0;
    for (let index = 0; index < 100_000; index += 1) sum = (Math.imul(sum, 31) + index) | 0;
    return sum;
  });
}

/** Karmada's divisions: the same time for a thousand replicas and for a hundred thousand. */
export function benchKarmada(): void {
  console.log(`calibration: 100,000 steps of a counting loop take ${calibration().toFixed(0)} µs`);
  for (const clusters of [10, 100, 1000]) {
    const parties = Array.from({ length: clusters }, (_, index) => ({
      name: `cluster-${index}`,
      votes: 50 + ((index * 37) % 100),
    }));
    const candidates = parties.map(({ name, votes }) => ({ name, allocatable: votes * 1000 }));
    for (const replicas of [1000, 100_000]) {
      const seats = microseconds(() => webster(replicas, parties, 'uid'));
      const whole = microseconds(() =>
        divideKarmada({ candidates, replicas, strategy: { type: 'DynamicWeighted' }, uid: 'uid' }),
      );
      const go = replicas === 1000 ? ORIGINAL[clusters] : undefined;
      const beside = go === undefined ? '' : ` (Karmada's, in another run: ${go} µs)`;
      console.log(
        `karmada, ${replicas} replicas over ${clusters} clusters: Webster ${seats.toFixed(1)} µs${beside}, whole division ${whole.toFixed(1)} µs`,
      );
    }
  }
}
