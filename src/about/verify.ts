import { compareText, stableStringify } from '../kube/index.ts';
import { CLUSTER_ID_PROPERTY, type ClusterProperty } from './api.ts';
import type { McsUseOptions } from './check.ts';
import { compareFindings, type Finding, finding } from './finding.ts';
import { groupBy, historyOf, type Seen } from './history.ts';
import { type ClusterIdentity, identityOf } from './identity.ts';
import { byCluster, memberKey, type RememberedIdentity } from './memory.ts';
import { quoted } from './quote.ts';

/** What was found by looking at one cluster. Names are unique. */
export type MemberFacts = {
  /** How the cluster is called here. */
  readonly cluster: string;
} & (
  | {
      readonly state: 'read';
      readonly properties: readonly ClusterProperty[];
      /** Uid of its namespace kube-system, by which a cluster is known whatever it calls itself. Absent where it can't be read. */
      readonly uid?: string;
    }
  /** It answers, and has no About API. */
  | { readonly state: 'notInstalled' }
  /** Nothing is known of it now, which doesn't mean that it has nothing. */
  | { readonly state: 'unreadable'; readonly message: string; readonly mend?: string }
);

/** What {@link verifyClusterSet} takes beside the members. */
export interface VerifyOptions extends McsUseOptions {
  /** The ClusterSet that all should be members of. Default: the one that was remembered, or the only one that they name. */
  readonly clusterSet?: string | undefined;
  /** What an earlier check gave as `next`. Default: nothing is remembered. */
  readonly remembered?: readonly RememberedIdentity[] | undefined;
}

/** One cluster as a check saw it. */
export interface VerifiedMember {
  readonly cluster: string;
  readonly state: MemberFacts['state'];
  /** Absent where it couldn't be read. */
  readonly identity?: ClusterIdentity;
}

/** What a check of a whole ClusterSet says. */
export interface ClusterSetVerdict {
  /** `Broken`: something is wrong. `Unknown`: nothing is known to be wrong, and not all is known. `Sound`: all is well. */
  readonly verdict: 'Sound' | 'Unknown' | 'Broken';
  /** The ClusterSet that was checked; absent where the members don't agree on one. */
  readonly clusterSet?: string;
  /** By name. */
  readonly members: readonly VerifiedMember[];
  /** By cluster, then by reason. */
  readonly findings: readonly Finding[];
  /** What to remember for the next check. Plain JSON. */
  readonly next: readonly RememberedIdentity[];
}

/**
 * Checks the identities of a whole ClusterSet: every member has an id, no two have the same, all are in one ClusterSet, and nobody has become
 * somebody else since the last check (KEP-2149, which leaves this to whoever manages memberships). The answer depends on neither the order of the
 * members nor on how often it is asked.
 */
export function verifyClusterSet(members: readonly MemberFacts[], options: VerifyOptions = {}): ClusterSetVerdict {
  const { remembered = [] } = options;
  const inOrder = members.toSorted((a, b) => byCluster(a, b) || compareText(stableStringify(a), stableStringify(b)));
  const seen = inOrder.map((facts) => seenIn(facts, options));
  const clusterSet = options.clusterSet ?? onlyOne(remembered) ?? onlyOne(seen.map(({ identity }) => identity));
  const groups = sharedIds(seen);
  const byId = groupBy(seen, ({ identity }) => identity?.id);
  const history = historyOf({
    seen,
    clusterSet,
    remembered: remembered
      .filter((entry) => clusterSet === undefined || entry.clusterSet === clusterSet)
      .toSorted((a, b) => byCluster(a, b) || compareText(stableStringify(a), stableStringify(b))),
    disputed: new Set(groups.flatMap((group) => group.map(({ cluster }) => cluster))),
  });
  const findings = [
    ...inOrder.flatMap(unknown),
    ...seen.flatMap(own),
    ...seen.flatMap((each) => notMember(each, byId)),
    ...otherSets(seen, clusterSet),
    ...sameClusters(seen),
    ...groups.map((group) => duplicateFinding(group, history.holders)),
    ...history.findings,
  ].toSorted(compareFindings);
  return {
    verdict: verdictOf(findings),
    ...(clusterSet === undefined ? {} : { clusterSet }),
    members: inOrder.map(({ cluster, state }, index) => {
      const identity = seen[index]?.identity;
      return { cluster, state, ...(identity === undefined ? {} : { identity }) };
    }),
    findings,
    next: history.next,
  };
}

function verdictOf(findings: readonly Finding[]): ClusterSetVerdict['verdict'] {
  if (findings.some(({ level }) => level === 'problem')) return 'Broken';
  return findings.some(({ level }) => level === 'unknown') ? 'Unknown' : 'Sound';
}

function seenIn(facts: MemberFacts, options: McsUseOptions): Seen {
  const { cluster } = facts;
  if (facts.state !== 'read') return { cluster, uid: undefined, identity: undefined };
  return { cluster, uid: facts.uid, identity: identityOf(facts.properties, options) };
}

function onlyOne(all: readonly ({ readonly clusterSet?: string } | undefined)[]): string | undefined {
  const names = new Set(all.flatMap((each) => each?.clusterSet ?? []));
  return names.size === 1 ? [...names][0] : undefined;
}

function unknown(facts: MemberFacts): readonly Finding[] {
  const { cluster } = facts;
  if (facts.state === 'notInstalled') {
    const mend = 'apply the CRD of ClusterProperty there: ClusterProperty.crd(), or what `clusterset crds about` prints';
    return [finding('AboutApiMissing', [cluster], 'the About API is not installed', mend)];
  }
  if (facts.state === 'read') return [];
  return [finding('Unreadable', [cluster], facts.message, facts.mend ?? 'look again when it answers')];
}

/** What a member's own properties are like. */
function own({ cluster, identity }: Seen): readonly Finding[] {
  if (identity === undefined) return [];
  const { id, mcs } = identity;
  return [
    ...identity.problems.map(({ reason, property, message, mend }) =>
      finding(reason, [cluster], reason === 'IdMissing' ? message : `${property}: ${message}`, mend),
    ),
    ...identity.advice.map(({ property, message, mend = '' }) => finding('Advice', [cluster], `${property}: ${message}`, mend)),
    ...(mcs === undefined || mcs.usable
      ? []
      : [finding('NotMcsUsable', [cluster], `its id will not do for multi-cluster Services: ${mcs.message}`, mcs.mend, id)]),
  ];
}

/** Who is in no ClusterSet may have any id; joining is another matter. */
function notMember({ cluster, uid, identity }: Seen, byId: ReadonlyMap<string, readonly Seen[]>): readonly Finding[] {
  if (identity === undefined || identity.isMember) return [];
  const { id } = identity;
  const message = id === undefined ? 'it is in no ClusterSet, and has no id' : 'it is in no ClusterSet';
  const found = finding('NotMember', [cluster], message, 'let it join, or take it out of the list', id);
  const others = id === undefined ? [] : (byId.get(id) ?? []);
  const holders = others.filter((other) => other.cluster !== cluster && (uid === undefined || other.uid !== uid));
  if (id === undefined || holders.length === 0) return [found];
  const names = list(holders.map((other) => other.cluster));
  const taken = `its id ${quoted(id)} is that of ${names} as well: it can not join where they are`;
  return [found, finding('IdTaken', [cluster], taken, 'give it an id of its own before it joins', id)];
}

/** The first few of many names. */
function list(names: readonly string[]): string {
  const few = 5;
  return names.length <= few ? names.join(', ') : `${names.slice(0, few).join(', ')} and ${names.length - few} more`;
}

function otherSets(seen: readonly Seen[], clusterSet: string | undefined): readonly Finding[] {
  const inSets = seen.flatMap(({ cluster, identity }) =>
    identity?.clusterSet === undefined ? [] : [{ cluster, name: identity.clusterSet }],
  );
  if (clusterSet !== undefined) {
    return inSets
      .filter(({ name }) => name !== clusterSet)
      .map(({ cluster, name }) => {
        const message = `it is a member of ${quoted(name)}, not of ${quoted(clusterSet)}`;
        return finding('OtherClusterSet', [cluster], message, 'let it leave and join, or take it out of the list');
      });
  }
  const names = [...new Set(inSets.map(({ name }) => name))].toSorted(compareText);
  if (names.length < 2) return [];
  const message = `they are members of ${names.length} ClusterSets: ${list(names.map(quoted))}`;
  const clusters = inSets.map(({ cluster }) => cluster);
  return [finding('SeveralClusterSets', clusters, message, 'say which is meant (clusterSet), or check each by itself')];
}

/** Two contexts of a kubeconfig often lead to one cluster. */
function sameClusters(seen: readonly Seen[]): readonly Finding[] {
  return [...groupBy(seen, ({ uid }) => uid).values()]
    .filter((group) => group.length > 1)
    .map((group) => {
      const message = 'they are one cluster: their namespaces kube-system have the same uid';
      const clusters = group.map(({ cluster }) => cluster);
      return finding('SameCluster', clusters, message, 'name one of them');
    });
}

/** Members of one ClusterSet with one id, where they aren't one cluster (KEP-2149, uniqueness). */
function sharedIds(seen: readonly Seen[]): readonly (readonly Seen[])[] {
  const groups = groupBy(seen, ({ identity }) =>
    identity?.id === undefined || identity.clusterSet === undefined ? undefined : memberKey(identity.clusterSet, identity.id),
  );
  return [...groups.values()].filter((group) => {
    const [first] = group;
    return group.length > 1 && !group.every(({ uid }) => uid !== undefined && uid === first?.uid);
  });
}

function duplicateFinding(group: readonly Seen[], holders: ReadonlyMap<string, string>): Finding {
  const { id = '', clusterSet = '' } = group[0]?.identity ?? {};
  const clusters = group.map(({ cluster }) => cluster);
  const holder = holders.get(memberKey(clusterSet, id));
  const first = holder === undefined ? '' : `; ${holder} had it first`;
  const mend = `let all but ${holder ?? 'one'} leave, and join again with another value of ${CLUSTER_ID_PROPERTY}`;
  return finding('DuplicateId', clusters, `they have the same id ${quoted(id)}${first}`, mend, id);
}
