/** How many answers in a row it takes to change one's mind about a cluster. */
export interface HealthThresholds {
  /** Good answers until an unreachable cluster counts as ready. Default 1. */
  readonly successes: number;
  /** Bad answers until a ready cluster counts as unreachable. Default 3. */
  readonly failures: number;
}

/** What is thought of a cluster, and how many answers in a row said otherwise. */
export interface Health {
  readonly ready: boolean;
  readonly contrary: number;
}

/**
 * Takes one answer in. Only answers in a row that contradict what is thought count: a single slip of a healthy cluster changes nothing
 * (kubefed counted how long a state was held, so that it flipped at once: issue 1496). The first answer is believed.
 */
export function healthAfter(health: Health | undefined, answer: boolean, { successes, failures }: HealthThresholds): Health {
  if (health === undefined) return { ready: answer, contrary: 0 };
  if (answer === health.ready) return health.contrary === 0 ? health : { ready: health.ready, contrary: 0 };
  const contrary = health.contrary + 1;
  return contrary >= (answer ? successes : failures) ? { ready: answer, contrary: 0 } : { ready: health.ready, contrary };
}
