import type { FleetMember } from '../controllers/propagation/index.ts';
import type { Cluster } from '../kube/index.ts';
import { systemClock } from '../runtime/index.ts';
import { type HostObject, readHost } from './host.ts';
import { count } from './output.ts';
import type { Session } from './session.ts';
import type { StateReport } from './state-report.ts';
import { until } from './wait.ts';

/** How a roll-out has ended. */
export interface Outcome {
  readonly report: StateReport;
  readonly problems: readonly string[];
}

/** What is in the way may go away by itself, such as a namespace that isn't there yet. */
const HOPE_MS = 10_000;

/** Waits until the controller has finished with objects, or nothing is to be expected any more. */
export async function waitForHost(
  { terminal, signal }: Pick<Session, 'terminal' | 'signal'>,
  host: Cluster,
  objects: readonly HostObject[],
  members: readonly FleetMember[],
  timeoutMs: number,
): Promise<Outcome> {
  let found = await readHost(host, objects, signal);
  let stuckSince: number | undefined;
  const finished = await until(
    async () => {
      found = await readHost(host, objects, signal);
      if (found.waiting.length === 0) return true;
      const done = objects.length - found.waiting.length;
      terminal.progress(`${done} of ${count(objects.length, 'object')} rolled out; waiting for ${found.waiting.join(', ')}`);
      if (found.outlook === 'final') return true;
      stuckSince = found.outlook === 'stuck' ? (stuckSince ?? systemClock.monotonic()) : undefined;
      return stuckSince !== undefined && systemClock.monotonic() - stuckSince > HOPE_MS ? true : undefined;
    },
    { timeoutMs, signal },
  );
  terminal.endProgress();
  const late = finished === undefined ? ['the time is up: not everything is rolled out (--timeout)'] : [];
  const clusters = members.map(({ entry }) => entry.name);
  return { report: { clusters, states: found.states }, problems: [...found.problems, ...late] };
}
