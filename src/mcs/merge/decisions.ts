import { deepEqual, type Json } from '../../kube/index.ts';
import type { ConflictReason, ServiceImportType } from '../api.ts';
import { type MergedFamilies, mergeFamilies } from './ip-families.ts';
import { type MergedPorts, mergePorts } from './ports.ts';
import type { Participant } from './precedence.ts';

/** A property of the import that is made of what all exports say. */
export type MergedField =
  | 'ports'
  | 'type'
  | 'sessionAffinity'
  | 'sessionAffinityConfig'
  | 'exportedAnnotations'
  | 'exportedLabels'
  | 'internalTrafficPolicy'
  | 'trafficDistribution'
  | 'ipFamilies';

/**
 * Why a property has its value:
 *
 * - `AllAgree`: all exports say so. `Oldest`: the oldest export says so, and others disagree.
 * - `Union`: everything that any export has. `Intersection`: what all exports have in common.
 * - `Kept`: the export that said so is gone, and the value stays on purpose.
 */
export type DecisionReason = 'AllAgree' | 'Oldest' | 'Union' | 'Intersection' | 'Kept';

/** What became of one property, and why. */
export interface FieldDecision {
  readonly field: MergedField;
  /** `undefined` where the property stays unset. */
  readonly value: Json | undefined;
  /** The cluster whose export decided; for ports and families the one that came first. */
  readonly cluster: string;
  readonly reason: DecisionReason;
  /** Clusters whose exports say otherwise, oldest export first. */
  readonly disagreeing: readonly string[];
  /** There where the exports are in conflict. */
  readonly conflict?: ConflictReason;
}

/** A type that stays although the export that set it is gone. */
export interface KeptType {
  readonly type: ServiceImportType;
  readonly cluster: string;
}

/** What {@link decideFields} found. */
export interface Decided {
  readonly type: ServiceImportType;
  readonly ports: MergedPorts;
  readonly families: MergedFamilies;
  /** One for each property, in the order of the conflict reasons. */
  readonly decisions: readonly FieldDecision[];
}

interface OldestRule {
  readonly field: MergedField;
  readonly conflict: ConflictReason;
  readonly of: (participant: Participant) => Json | undefined;
  /** Whether the property means nothing where there is no address. */
  readonly notForHeadless?: true;
}

const TYPE: OldestRule = { field: 'type', conflict: 'TypeConflict', of: ({ service }) => service.type };

/** Where the oldest export says it all, and any other value is a conflict. In the order of the conflict reasons. */
const OLDEST_RULES: readonly OldestRule[] = [
  {
    field: 'sessionAffinity',
    conflict: 'SessionAffinityConflict',
    of: ({ service }) => service.sessionAffinity,
    notForHeadless: true,
  },
  {
    field: 'sessionAffinityConfig',
    conflict: 'SessionAffinityConfigConflict',
    of: ({ service }) => (service.sessionAffinity === 'ClientIP' ? service.sessionSeconds : undefined),
    notForHeadless: true,
  },
  {
    field: 'exportedAnnotations',
    conflict: 'AnnotationsConflict',
    of: ({ exported }) => exported.export.exportedAnnotations ?? NO_ENTRIES,
  },
  { field: 'exportedLabels', conflict: 'LabelsConflict', of: ({ exported }) => exported.export.exportedLabels ?? NO_ENTRIES },
  {
    field: 'internalTrafficPolicy',
    conflict: 'InternalTrafficPolicyConflict',
    of: ({ service }) => service.internalTrafficPolicy,
  },
  {
    field: 'trafficDistribution',
    conflict: 'TrafficDistributionConflict',
    of: ({ service }) => service.trafficDistribution,
  },
];

const NO_ENTRIES: Readonly<Record<string, string>> = Object.freeze({});

/**
 * Decides every property (KEP-1645, Constraints and Conflict Resolution): ports are put together, families are what is in common, and
 * everything else is the oldest export's. Where the import is headless, session affinity means nothing, so that nobody can disagree on it.
 */
export function decideFields(oldest: Participant, oldestFirst: readonly Participant[], kept: KeptType | undefined): Decided {
  const ports = mergePorts(oldestFirst.map(({ cluster, service }) => ({ cluster, ports: service.ports })));
  const families = mergeFamilies(oldestFirst.map(({ cluster, service }) => ({ cluster, ipFamilies: service.ipFamilies })));
  const byOldest = (rule: OldestRule): FieldDecision => oldestDecision(rule, oldest, oldestFirst);
  const typeDecision = kept === undefined ? byOldest(TYPE) : keptDecision(kept, byOldest(TYPE), oldestFirst);
  const type = kept?.type ?? oldest.service.type;
  const rules = OLDEST_RULES.filter(({ notForHeadless }) => type !== 'Headless' || notForHeadless !== true);
  return {
    type,
    ports,
    families,
    decisions: [portDecision(ports, oldest), typeDecision, ...rules.map(byOldest), familyDecision(families, oldest, oldestFirst)],
  };
}

function oldestDecision({ field, conflict, of }: OldestRule, oldest: Participant, all: readonly Participant[]): FieldDecision {
  const { cluster } = oldest;
  const value = of(oldest);
  const disagreeing = all.filter((each) => !deepEqual(of(each), value)).map((each) => each.cluster);
  if (disagreeing.length === 0) return { field, value, cluster, reason: 'AllAgree', disagreeing };
  return { field, value, cluster, reason: 'Oldest', disagreeing, conflict };
}

/** The exports are in conflict only with each other, not with one that is gone (KEP-1645: the import may stay as it was). */
function keptDecision({ type, cluster }: KeptType, byOldest: FieldDecision, all: readonly Participant[]): FieldDecision {
  const disagreeing = all.filter(({ service }) => service.type !== type).map((each) => each.cluster);
  return { ...byOldest, value: type, cluster, reason: 'Kept', disagreeing };
}

function portDecision({ kept, disagreeing }: MergedPorts, { cluster }: Participant): FieldDecision {
  const base = { field: 'ports', value: kept.map(({ port }) => port), cluster, disagreeing } as const;
  if (disagreeing.length === 0) return { ...base, reason: 'AllAgree' };
  return { ...base, reason: 'Union', conflict: 'PortConflict' };
}

function familyDecision(
  { families, cluster, disagreeing }: MergedFamilies,
  oldest: Participant,
  all: readonly Participant[],
): FieldDecision {
  const isShared = all.every(({ service }) => (service.ipFamilies ?? families).length === families.length);
  return {
    field: 'ipFamilies',
    value: families.length === 0 ? undefined : families,
    cluster: cluster ?? oldest.cluster,
    reason: isShared && disagreeing.length === 0 ? 'AllAgree' : 'Intersection',
    disagreeing,
    ...(disagreeing.length === 0 ? {} : { conflict: 'IPFamilyConflict' }),
  };
}
