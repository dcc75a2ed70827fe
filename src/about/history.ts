import { compareText } from '../kube/index.ts';
import { type Finding, finding } from './finding.ts';
import type { ClusterIdentity } from './identity.ts';
import { byCluster, memberKey, type RememberedIdentity } from './memory.ts';
import { quoted } from './quote.ts';

/** A member as it was seen now. */
export interface Seen {
  readonly cluster: string;
  /** Uid of kube-system; absent where it couldn't be read. */
  readonly uid: string | undefined;
  /** `undefined` where the properties couldn't be read. */
  readonly identity: ClusterIdentity | undefined;
}

/** What was remembered beside what is seen now. */
export interface History {
  readonly findings: readonly Finding[];
  /** What to remember from now on, by cluster name. */
  readonly next: readonly RememberedIdentity[];
  /** Which cluster had an id before, and has it still: its name, by {@link memberKey}. */
  readonly holders: ReadonlyMap<string, string>;
}

/** What {@link historyOf} takes. */
export interface HistoryInput {
  readonly seen: readonly Seen[];
  /** Of one ClusterSet, or of all where it isn't known which is meant. By cluster name. */
  readonly remembered: readonly RememberedIdentity[];
  /** The ClusterSet; members of others are not remembered. `undefined`: of any. */
  readonly clusterSet: string | undefined;
  /** Names of clusters whose id somebody else has, too: nobody knows yet whose it is. */
  readonly disputed: ReadonlySet<string>;
}

/**
 * Compares members with what was remembered. What was remembered of a cluster stands until it is forgotten, or the cluster was seen to have left: a
 * finding doesn't go away by being looked at twice. A cluster that couldn't be read keeps what was remembered of it.
 */
export function historyOf({ seen, remembered, clusterSet, disputed }: HistoryInput): History {
  const others: Others = {
    names: new Set(seen.map(({ cluster }) => cluster)),
    uids: new Set(seen.map(({ uid }) => uid)),
    disputed,
    byUid: groupBy(remembered, ({ uid }) => uid),
    byName: groupBy(remembered, ({ cluster }) => cluster),
    byId: groupBy(remembered, ({ id }) => id),
  };
  const before = new Map(seen.map((each) => [each, predecessorOf(each, others)]));
  const members = seen.flatMap((each) => memberOf(each, clusterSet, before.get(each)));
  const holders = new Map(
    members.flatMap(({ cluster, id, key, entry }) => (entry !== undefined && entry.id === id ? [[key, cluster] as const] : [])),
  );
  // Two names may lead to one cluster, which was asked twice while it changed: then it hasn't left yet.
  const present = new Set(members.map(({ entry }) => entry));
  const gone = seen.filter((each) => hasLeft(each, clusterSet));
  const left = new Set(remembered.filter((entry) => !present.has(entry) && gone.some((each) => wasOf(entry, each))));
  const moves = members.flatMap((member) => {
    const earlier = others.byId
      .get(member.id)
      ?.find((other) => other !== member.entry && memberKey(other.clusterSet, other.id) === member.key);
    return earlier === undefined || left.has(earlier) || holders.has(member.key) ? [] : [{ member, earlier }];
  });
  const moved = new Set(moves.map(({ member }) => member));
  const fresh = members.flatMap((member) => (moved.has(member) ? [] : rememberedAs(member, disputed)));
  const accounted = new Set(seen.flatMap((each) => (each.identity === undefined ? [] : (before.get(each) ?? []))));
  for (const { earlier } of moves) accounted.add(earlier);
  const elsewhere = remembered.filter((entry) => !accounted.has(entry) && !left.has(entry));
  return {
    findings: [
      ...moves.map(({ member, earlier }) => movedFinding(member, earlier)),
      ...members.flatMap(renamedFinding),
      ...missing(elsewhere, seen),
    ],
    next: onePerId([...fresh, ...remembered.filter((entry) => !left.has(entry))]),
    holders,
  };
}

/** A member with an id, and what was remembered of it. */
interface Member {
  readonly cluster: string;
  readonly uid: string | undefined;
  readonly id: string;
  readonly clusterSet: string;
  readonly key: string;
  readonly entry: RememberedIdentity | undefined;
}

function memberOf(
  { cluster, uid, identity }: Seen,
  wanted: string | undefined,
  entry: RememberedIdentity | undefined,
): readonly Member[] {
  const { id, clusterSet } = identity ?? {};
  if (id === undefined || clusterSet === undefined || (wanted !== undefined && clusterSet !== wanted)) return [];
  return [{ cluster, uid, id, clusterSet, key: memberKey(clusterSet, id), entry }];
}

/** What can't be read hasn't left, and neither has one of whose ClusterSet nothing is known but that it is there. */
function hasLeft({ identity }: Seen, clusterSet: string | undefined): boolean {
  if (identity === undefined) return false;
  if (!identity.isMember) return true;
  return clusterSet !== undefined && identity.clusterSet !== undefined && identity.clusterSet !== clusterSet;
}

/** Whether an entry is of a cluster that has left: whose id it has now says nothing, for it may have any. */
function wasOf(entry: RememberedIdentity, { cluster, uid }: Seen): boolean {
  return entry.uid === undefined || uid === undefined ? entry.cluster === cluster : entry.uid === uid;
}

/**
 * What was remembered of the same cluster: the uid says so, or else its name here. Where the name is new, its id speaks for it, unless another
 * cluster has the id as well, or the name that was remembered leads to a cluster still.
 */
function predecessorOf({ cluster, uid, identity }: Seen, others: Others): RememberedIdentity | undefined {
  const [certain] = uid === undefined ? [] : (others.byUid.get(uid) ?? []);
  if (certain !== undefined) return certain;
  const isPossible = (entry: RememberedIdentity): boolean =>
    entry.uid === undefined || (uid === undefined && !others.uids.has(entry.uid));
  const named = (others.byName.get(cluster) ?? []).filter(isPossible);
  const sameName = named.find((entry) => entry.id === identity?.id) ?? named[0];
  if (sameName !== undefined || identity?.id === undefined || others.disputed.has(cluster)) return sameName;
  return others.byId.get(identity.id)?.find((entry) => isPossible(entry) && !others.names.has(entry.cluster));
}

type Index = ReadonlyMap<string, readonly RememberedIdentity[]>;

/** Whom a cluster could be taken for, and who is here. */
interface Others {
  readonly names: ReadonlySet<string>;
  readonly uids: ReadonlySet<string | undefined>;
  readonly disputed: ReadonlySet<string>;
  readonly byUid: Index;
  readonly byName: Index;
  readonly byId: Index;
}

/** In groups, in the order in which they come; what has no key is in none. */
export function groupBy<T>(all: readonly T[], keyOf: (each: T) => string | undefined): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const each of all) {
    const key = keyOf(each);
    const group = key === undefined ? undefined : groups.get(key);
    if (group !== undefined) group.push(each);
    else if (key !== undefined) groups.set(key, [each]);
  }
  return groups;
}

/** Whose id is disputed, or has changed, is remembered as it was, if it was. */
function rememberedAs(
  { cluster, id, clusterSet, entry, uid }: Member,
  disputed: ReadonlySet<string>,
): readonly RememberedIdentity[] {
  if (entry === undefined ? disputed.has(cluster) : entry.id !== id) return [];
  const known = uid ?? entry?.uid;
  return [{ cluster, id, clusterSet, ...(known === undefined ? {} : { uid: known }) }];
}

/** The first of each id: what is fresh outranks what was kept. */
function onePerId(entries: readonly RememberedIdentity[]): readonly RememberedIdentity[] {
  const byKey = new Map<string, RememberedIdentity>();
  for (const entry of entries) {
    const key = memberKey(entry.clusterSet, entry.id);
    if (!byKey.has(key)) byKey.set(key, entry);
  }
  return [...byKey].toSorted(([a, one], [b, other]) => byCluster(one, other) || compareText(a, b)).map(([, entry]) => entry);
}

function movedFinding({ cluster, id }: Member, earlier: RememberedIdentity): Finding {
  const which = earlier.cluster === cluster ? 'another cluster of the same name' : `another cluster, ${earlier.cluster}`;
  const mend =
    'if the other is gone for good, forget what was remembered of it (forgetIdentity); else give this one an id of its own';
  return finding('Moved', [cluster], `the id ${quoted(id)} belonged to ${which}`, mend, id);
}

function renamedFinding({ cluster, id, entry }: Member): readonly Finding[] {
  if (entry === undefined || entry.id === id) return [];
  const message = `its id was ${quoted(entry.id)} and is ${quoted(id)}: it must not change while the cluster is a member`;
  const mend = 'if it has left and joined again, forget the old id (forgetIdentity); else write the old one again';
  return [finding('Renamed', [cluster], message, mend, id)];
}

/** Of those that can't be read it is known at least that somebody looked. */
function missing(entries: readonly RememberedIdentity[], seen: readonly Seen[]): readonly Finding[] {
  const silent = new Set(seen.filter(({ identity }) => identity === undefined).map(({ cluster }) => cluster));
  return entries
    .filter(({ cluster }) => !silent.has(cluster))
    .map(({ cluster, id }) => {
      const mend = 'look at it as well, or forget its id if it has left (forgetIdentity)';
      return finding('Missing', [cluster], `it was a member as ${quoted(id)}, and nobody has looked at it`, mend, id);
    });
}
