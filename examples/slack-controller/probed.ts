/** Clusters of a source, asked by this process how they are: for registries whose conditions nobody keeps. */
import type { Cluster, ClusterSource } from 'clusterset/kube';
import type { ClusterEntry } from 'clusterset/registry';
import { type Clock, ClusterSet, type Member, newestValues, systemClock } from 'clusterset/runtime';

export interface ProbedOptions {
  readonly source: ClusterSource<ClusterEntry>;
  readonly connect: (entry: ClusterEntry) => Promise<Cluster>;
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  readonly onError?: (cluster: string, error: unknown) => void;
}

type Verdict = NonNullable<ClusterEntry['conditions']>[number];
type Verdicts = ReadonlyMap<string, Verdict>;

/**
 * The source with the condition `Ready` of each entry replaced by what `/readyz` of the cluster says: three bad answers in a row make a cluster
 * unready, three missing ones unreachable, and one good answer makes it ready. A cluster that has not been asked yet isn't spoken of, or is what it
 * was when its connection is made anew; at the start nothing is said before all have been asked, because a cluster that isn't named is taken for
 * one that has left.
 */
export function probed(options: ProbedOptions): ClusterSource<ClusterEntry> {
  return {
    watch: (signal) =>
      newestValues<readonly ClusterEntry[]>((say, stopping) => follow(options, say, stopping), signal as AbortSignal),
  };
}

async function follow(
  { source, connect, clock = systemClock, onError = () => undefined }: ProbedOptions,
  say: (entries: readonly ClusterEntry[]) => void,
  signal: AbortSignal,
): Promise<void> {
  const connectionOf = ({ endpoints, auth }: ClusterEntry): string => JSON.stringify([endpoints, auth]);
  const set = new ClusterSet({ source, connect, clock, onError, connectionOf });
  let verdicts: Verdicts = new Map();
  let isComplete = false;
  let isWaiting = false;
  const tell = (): void => {
    isWaiting = false;
    if (signal.aborted) return;
    const members = [...set.members.values()];
    verdicts = verdictsOf(members, verdicts);
    isComplete ||= verdicts.size === members.length;
    if (isComplete) say(members.flatMap(({ name, entry }) => withVerdict(entry, verdicts.get(name))));
  };
  // A member whose connection is made anew leaves and joins in one turn: that is no change of the membership.
  const change = (): void => {
    if (!isWaiting) void clock.turn().then(tell);
    isWaiting = true;
  };
  try {
    await set.start();
    set.listen(change);
    change();
    await ended(signal);
  } finally {
    await set.stop();
  }
}

function verdictsOf(members: readonly Member<ClusterEntry>[], before: Verdicts): Verdicts {
  const known = members.map((member) => [member.name, verdictOf(member) ?? before.get(member.name)] as const);
  return new Map(known.filter((each): each is [string, Verdict] => each[1] !== undefined));
}

function verdictOf({ state, reason }: Member<ClusterEntry>): Verdict | undefined {
  switch (state) {
    case 'joining':
    case 'leaving':
      return undefined;
    case 'ready':
      return { type: 'Ready', status: 'True', reason: 'ClusterReady' };
    case 'degraded':
      return { type: 'Ready', status: 'False', reason: 'ClusterNotReady', message: reason };
    case 'unreachable':
      return { type: 'Ready', status: 'False', reason: 'ClusterNotReachable', message: reason };
  }
}

function withVerdict(entry: ClusterEntry, verdict: Verdict | undefined): readonly ClusterEntry[] {
  if (verdict === undefined) return [];
  return [{ ...entry, conditions: [...(entry.conditions ?? []).filter(({ type }) => type !== 'Ready'), verdict] }];
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
