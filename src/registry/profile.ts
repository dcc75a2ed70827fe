import { type Condition, compareText, setCondition } from '../kube/index.ts';
import type { ClusterProfile } from './api.ts';
import type { ClusterEntry } from './entry.ts';

/** The label with a profile's manager, which every profile must have (KEP-4322). */
export const CLUSTER_MANAGER_LABEL = 'x-k8s.io/cluster-manager';
/** The label of a namespace that says whose inventory it is (API: multicluster.x-k8s.io; the KEP's text has the parts the other way round). */
export const CLUSTERSET_LABEL = 'multicluster.x-k8s.io/clusterset';
/** Says whether all properties of the cluster are in its profile. */
const COMPLETE = 'PropertiesComplete';
/** Longest value of a profile's property, in characters. A ClusterProperty may be 128,000 long. */
const LONGEST_VALUE = 1024;
const LONGEST_NAME = 253;
/** How many names fit into a condition's message. */
const MOST_NAMES = 20;

/** What a manager knows of a cluster when it publishes its profile. */
export interface ProfileFacts {
  readonly kubernetesVersion?: string;
  /** By name; `lastObservedTime` says when the value was seen in the cluster (RFC 3339). */
  readonly properties?: readonly { readonly name: string; readonly value: string; readonly lastObservedTime?: string }[];
  /** Conditions to set, such as `ControlPlaneHealthy`; those that aren't named stay. */
  readonly conditions?: readonly Condition[];
  readonly accessProviders?: NonNullable<ClusterEntry['auth']>['accessProviders'];
}

type Status = NonNullable<ClusterProfile['status']>;

/**
 * The status of a profile with new facts in it. Properties are copied unchanged or not at all (KEP-4322): what is too long for a profile is
 * left out, and the condition `PropertiesComplete` names it. A value that hasn't changed keeps the time at which it was seen, unless
 * `refresh` is set, so that an unchanged cluster costs no writes.
 */
export function profileStatus(before: Status | undefined, facts: ProfileFacts, now: string, { refresh = false } = {}): Status {
  const { properties, kubernetesVersion, accessProviders, conditions: said = [] } = facts;
  const fitting = properties?.filter(fits);
  const left = (properties ?? []).filter((property) => !fits(property)).map(({ name }) => shortened(name));
  const completeness: readonly Condition[] = properties === undefined ? [] : [completenessOf(left)];
  const conditions = [...said, ...completeness].reduce(
    (all: readonly Condition[], next) => setCondition(all, next, now),
    before?.conditions ?? [],
  );
  return {
    ...before,
    ...(conditions.length === 0 ? {} : { conditions: conditions as Status['conditions'] }),
    ...(kubernetesVersion === undefined ? {} : { version: { kubernetes: kubernetesVersion } }),
    ...(fitting === undefined ? {} : { properties: mergedProperties(before?.properties ?? [], fitting, refresh) }),
    ...(accessProviders === undefined ? {} : { accessProviders: accessProviders as Status['accessProviders'] }),
  } as Status;
}

function fits({ name, value }: { readonly name: string; readonly value: string }): boolean {
  return name !== '' && [...name].length <= LONGEST_NAME && value !== '' && [...value].length <= LONGEST_VALUE;
}

const shortened = (name: string): string => (name.length > 60 ? `${name.slice(0, 60)}…` : name);

function completenessOf(left: readonly string[]): Condition {
  if (left.length === 0) return { type: COMPLETE, status: 'True', reason: 'AllCopied', message: '' };
  const names = left.toSorted(compareText).slice(0, MOST_NAMES).join(', ');
  const more = left.length > MOST_NAMES ? ` and ${left.length - MOST_NAMES} more` : '';
  const message = `left out, because a profile takes values of 1 to ${LONGEST_VALUE} characters: ${names}${more}`;
  return { type: COMPLETE, status: 'False', reason: 'PropertyTooLong', message };
}

type Property = NonNullable<Status['properties']>[number];

function mergedProperties(
  before: readonly Property[],
  next: NonNullable<ProfileFacts['properties']>,
  refresh: boolean,
): Property[] {
  const old = new Map(before.map((property) => [property.name, property]));
  const byName = new Map(
    next.map((property): [string, Property] => {
      const known = old.get(property.name);
      return [property.name, known?.value === property.value && !refresh ? known : { ...property }];
    }),
  );
  return [...byName.values()].sort((a, b) => compareText(a.name, b.name));
}
