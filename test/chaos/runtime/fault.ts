import type { OfflineCluster } from 'clusterset/testing';

/** How a cluster can be out of order. */
export const FAULTS = ['cut', 'hang', 'silence', 'reset', 'lose', 'slow', 'busy', 'down'] as const;

/** Puts a cluster out of order, until the result is disposed of. */
export function fault({ network }: OfflineCluster, how: (typeof FAULTS)[number]): Disposable {
  switch (how) {
    case 'cut':
      return network.cut();
    case 'hang':
      return network.hang();
    case 'silence':
      return network.silence();
    case 'reset':
      return network.reset();
    case 'lose':
      return network.loseAnswers();
    case 'slow':
      return network.delay('2s');
    case 'busy':
      return network.fail({ code: 429, retryAfterSeconds: 1 });
    case 'down':
      return network.fail({ code: 500 });
    default:
      return how satisfies never;
  }
}
