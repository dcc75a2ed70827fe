import type { Issue } from '../kube/index.ts';
import { CLUSTER_ID_PROPERTY, CLUSTERSET_PROPERTY, type ClusterProperty, valueOfProperty } from './api.ts';
import {
  adviseOnClusterProperty,
  checkClusterId,
  checkClusterSetName,
  type McsUse,
  type McsUseOptions,
  mcsUseOf,
  noValue,
  OLD_ID_PROPERTY,
} from './check.ts';
import { quoted } from './quote.ts';

/** Why a cluster can't say who it is. */
export type IdentityReason = 'IdMissing' | 'IdInvalid' | 'ClusterSetInvalid' | 'NoValue';

/** Something that is wrong with one of the two well-known properties. */
export interface IdentityProblem extends Issue {
  readonly reason: IdentityReason;
  /** Name of the ClusterProperty. */
  readonly property: string;
  readonly mend: string;
}

/** Something that could be better about one of the two well-known properties. */
export interface IdentityAdvice extends Issue {
  /** Name of the ClusterProperty. */
  readonly property: string;
}

/** Who a cluster says that it is. */
export interface ClusterIdentity {
  /** Absent where there is none, or one that KEP-2149 doesn't allow: the problems say which. */
  readonly id?: string;
  /** Absent where the cluster is a member of none, or the name is unusable. */
  readonly clusterSet?: string;
  /** Whether the cluster counts as a member: as long as the property `clusterset.k8s.io` exists (KEP-2149), whatever it says. */
  readonly isMember: boolean;
  /** Whether the id will do for multi-cluster Services. Absent where there is no id. */
  readonly mcs?: McsUse;
  readonly problems: readonly IdentityProblem[];
  readonly advice: readonly IdentityAdvice[];
}

/** The properties with the two well-known names. */
export interface WellKnown {
  readonly id: ClusterProperty | undefined;
  readonly clusterSet: ClusterProperty | undefined;
}

/** Finds the two well-known properties. */
export function wellKnownIn(properties: readonly ClusterProperty[]): WellKnown {
  const named = (wanted: string): ClusterProperty | undefined => properties.find(({ metadata }) => metadata.name === wanted);
  return { id: named(CLUSTER_ID_PROPERTY), clusterSet: named(CLUSTERSET_PROPERTY) };
}

/**
 * Who am I? Reads the two well-known properties among those of a cluster; the others play no part. A cluster without any is nobody yet, which is
 * no problem: an id is needed only for the time of membership (KEP-2149).
 */
export function identityOf(properties: readonly ClusterProperty[], options: McsUseOptions = {}): ClusterIdentity {
  const found = wellKnownIn(properties);
  const id = found.id === undefined ? undefined : valueOfProperty(found.id);
  const clusterSet = found.clusterSet === undefined ? undefined : valueOfProperty(found.clusterSet);
  const isMember = found.clusterSet !== undefined;
  const oldName = properties.some(({ metadata }) => metadata.name === OLD_ID_PROPERTY);
  const idProblems = found.id === undefined ? missingId(isMember, oldName) : problemsOf(found.id, id);
  const setProblems = found.clusterSet === undefined ? [] : problemsOf(found.clusterSet, clusterSet);
  return {
    ...(id === undefined || idProblems.length > 0 ? {} : { id, mcs: mcsUseOf(id, options) }),
    ...(clusterSet === undefined || setProblems.length > 0 ? {} : { clusterSet }),
    isMember,
    problems: [...idProblems, ...setProblems],
    advice: [
      ...(found.id === undefined && !isMember && oldName
        ? [{ property: OLD_ID_PROPERTY, field: 'metadata.name', ...OLD_NAME }]
        : []),
      ...[found.id, found.clusterSet].flatMap((property) => (property === undefined ? [] : adviceOn(property))),
    ],
  };
}

const OLD_NAME = {
  message: 'is the name that drafts gave to the cluster id',
  mend: `write the same value to ClusterProperty ${CLUSTER_ID_PROPERTY}`,
};

function missingId(isMember: boolean, oldName: boolean): readonly IdentityProblem[] {
  if (!isMember) return [];
  return [
    {
      reason: 'IdMissing',
      property: CLUSTER_ID_PROPERTY,
      field: '',
      message: 'the cluster is a member of a ClusterSet and has no id',
      mend: oldName ? `${OLD_ID_PROPERTY} is its old name: ${OLD_NAME.mend}` : `create ClusterProperty ${CLUSTER_ID_PROPERTY}`,
    },
  ];
}

function problemsOf({ metadata: { name } }: ClusterProperty, value: string | undefined): readonly IdentityProblem[] {
  if (value === undefined) return [{ mend: '', ...noValue(name), reason: 'NoValue', property: name }];
  const isId = name === CLUSTER_ID_PROPERTY;
  const reason = isId ? 'IdInvalid' : 'ClusterSetInvalid';
  const check = isId ? checkClusterId : checkClusterSetName;
  return check(value).map(({ field, message, mend = '' }) => ({
    reason,
    property: name,
    field,
    message: `${quoted(value)} ${message}`,
    mend,
  }));
}

function adviceOn(property: ClusterProperty): readonly IdentityAdvice[] {
  const { name, deletionTimestamp } = property.metadata;
  const advice = adviseOnClusterProperty(property).map((issue) => ({ ...issue, property: name }));
  if (deletionTimestamp === undefined) return advice;
  return [
    ...advice,
    { property: name, field: 'metadata.deletionTimestamp', message: 'is being deleted', mend: 'wait for its finalizers' },
  ];
}
