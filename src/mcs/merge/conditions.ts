import { findCondition, isRecord, type Json, setCondition, stableStringify } from '../../kube/index.ts';
import {
  NO_CONFLICTS,
  type ServiceExportConditionType,
  type ServiceExportReadyReason,
  type ServiceExportValidReason,
  type ServiceImportPort,
  type ServiceImportReadyReason,
  type ServiceImportSpec,
} from '../api.ts';
import type { FieldDecision } from './decisions.ts';
import type { ApiCondition, ExportedService, ExportProgress } from './exports.ts';
import type { IPFamily } from './ip-families.ts';
import { formatPort } from './ports.ts';
import type { ExportStanding } from './precedence.ts';

/** Longest part of a value that a message shows, in UTF-16 units: with nine of them it stays below the 32,768 bytes of a condition. */
const LONGEST_SHOWN = 1000;

interface Verdict<Reason extends string> {
  readonly status: ApiCondition['status'];
  readonly reason: Reason;
  readonly message: string;
}

const VALID: Readonly<Record<ExportStanding, Verdict<ServiceExportValidReason> | undefined>> = {
  Counts: { status: 'True', reason: 'Valid', message: 'the Service can be exported' },
  InvalidClusterId: { status: 'True', reason: 'Valid', message: 'the Service can be exported' },
  NoService: { status: 'False', reason: 'NoService', message: 'there is no Service of this name' },
  InvalidName: { status: 'False', reason: 'NoService', message: 'no Service can have this name' },
  InvalidServiceType: { status: 'False', reason: 'InvalidServiceType', message: 'Services of this type cannot be exported' },
  BeingDeleted: undefined,
};

const NOT_READY: Readonly<Record<Exclude<ExportStanding, 'Counts' | 'BeingDeleted'>, Verdict<ServiceExportReadyReason>>> = {
  NoService: { status: 'False', reason: 'Pending', message: 'waiting for the Service' },
  InvalidServiceType: { status: 'False', reason: 'Failed', message: 'Services of this type cannot be exported' },
  InvalidClusterId: { status: 'False', reason: 'Failed', message: 'the id of the cluster cannot be used in the cluster set' },
  InvalidName: { status: 'False', reason: 'Failed', message: 'the name is no DNS label' },
};

const EXPORTED: ExportProgress = { status: 'True', reason: 'Exported', message: 'exported to the cluster set' };

/**
 * The conditions of one export: Valid, Ready and Conflict, other types as they were. `Conflict` is the same on every export that counts
 * (KEP-1645, Constraints and Conflict Resolution); one that doesn't count is in no conflict any more. When nothing changes, the very same
 * list comes back; an export that is being deleted is left as it is.
 */
export function exportConditions(
  { export: facts, service, progress = EXPORTED }: ExportedService,
  standing: ExportStanding,
  conflicts: ConflictVerdict,
  now: string,
): readonly ApiCondition[] {
  const before = facts.conditions ?? [];
  const valid = VALID[standing];
  if (valid === undefined || standing === 'BeingDeleted') return before;
  const set = (
    conditions: readonly ApiCondition[],
    type: ServiceExportConditionType,
    { status, reason, message }: Verdict<string>,
  ): readonly ApiCondition[] => {
    const generation = facts.generation === undefined ? {} : { observedGeneration: facts.generation };
    return setCondition(conditions, { type, status, reason, message, lastTransitionTime: now, ...generation }, now);
  };
  const withValid = set(
    before,
    'Valid',
    service?.type === 'NotExportable' ? { ...valid, ...wrongType(service.serviceType) } : valid,
  );
  if (standing === 'Counts') return set(set(withValid, 'Ready', progress), 'Conflict', conflicts);
  const withReady = set(withValid, 'Ready', NOT_READY[standing]);
  return findCondition(withReady, 'Conflict') === undefined ? withReady : set(withReady, 'Conflict', NOT_IN_CONFLICT);
}

const wrongType = (type: string): Pick<Verdict<string>, 'message'> => ({
  message: `Services of type ${shown(type)} cannot be exported`,
});

/** The condition `Conflict`, without its time. */
export type ConflictVerdict = Verdict<string>;

const NOT_IN_CONFLICT: ConflictVerdict = { status: 'False', reason: NO_CONFLICTS, message: 'the export takes no part' };

/**
 * All conflicts in one condition: reasons joined by commas in the API's order, and for each property which value is used, whose it is, and
 * how many clusters disagree. Long values are cut, so that the message stays below the 32,768 bytes that a condition may have.
 */
export function conflictVerdict(decisions: readonly FieldDecision[], clusters: number): ConflictVerdict {
  const conflicts = decisions.filter(({ conflict }) => conflict !== undefined);
  if (conflicts.length === 0) return { status: 'False', reason: NO_CONFLICTS, message: 'all exports agree' };
  return {
    status: 'True',
    reason: conflicts.map(({ conflict }) => conflict).join(','),
    message: conflicts.map((decision) => explainConflict(decision, clusters)).join('; '),
  };
}

/** A conflict in words: the property, the value that is used, whose it is, and how many of the clusters disagree. */
export function explainConflict(decision: FieldDecision, clusters: number): string {
  return `${decision.field}: ${explainWinner(decision)}, ${decision.disagreeing.length}/${clusters} clusters disagree`;
}

function explainWinner(decision: FieldDecision): string {
  const { reason, cluster } = decision;
  const value = formatDecided(decision);
  switch (reason) {
    case 'AllAgree':
      return value;
    case 'Oldest':
      return `using ${value} of the oldest export (cluster "${cluster}")`;
    case 'Union':
      return `using all ports, those of the oldest export (cluster "${cluster}") first: ${value}`;
    case 'Intersection':
      return `using ${value}, following the oldest export that names any (cluster "${cluster}")`;
    case 'Kept':
      return `keeping ${value} of an export that is gone (cluster "${cluster}")`;
    default:
      return reason satisfies never;
  }
}

/** The value of a decision in words, cut where it is long. */
export function formatDecided({ field, value }: FieldDecision): string {
  if (value === undefined) return 'no value';
  if (field === 'ports') return shown((value as readonly ServiceImportPort[]).map(formatPort).join(', ') || 'no ports');
  if (field === 'sessionAffinityConfig') return `${formatJson(value)} seconds`;
  return shown(Array.isArray(value) ? value.join(', ') : formatJson(value));
}

const formatJson = (value: Json): string => (isRecord(value) ? stableStringify(value) : JSON.stringify(value));

function shown(text: string): string {
  if (text.length <= LONGEST_SHOWN) return text;
  const cut = text.slice(0, LONGEST_SHOWN);
  // Half of a character would be none.
  return `${cut.replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** What an import says of its address. */
export interface ImportReadiness {
  readonly spec: ServiceImportSpec;
  /** What the exports have in common, whether this cluster can do it or not. */
  readonly families: readonly IPFamily[];
  /** Families of the importing cluster; absent where that isn't known. */
  readonly supported: readonly IPFamily[] | undefined;
}

/** The conditions of an import: Ready, and other types as they were. When nothing changes, the very same list comes back. */
export function importConditions(
  before: readonly ApiCondition[],
  readiness: ImportReadiness,
  now: string,
): readonly ApiCondition[] {
  return setCondition(before, { type: 'Ready', ...importVerdict(readiness), lastTransitionTime: now }, now);
}

function importVerdict({ spec, families, supported }: ImportReadiness): Verdict<ServiceImportReadyReason> {
  if (supported !== undefined && families.length > 0 && !families.some((family) => supported.includes(family))) {
    const message = `the service needs ${families.join(' or ')}; this cluster has ${supported.join(' and ') || 'neither'}`;
    return { status: 'False', reason: 'IPFamilyNotSupported', message };
  }
  const needed = spec.type === 'Headless' ? 0 : Math.max(1, spec.ipFamilies?.length ?? 0);
  if ((spec.ips?.length ?? 0) < needed) return { status: 'False', reason: 'Pending', message: 'waiting for an address' };
  return { status: 'True', reason: 'Ready', message: 'the service can be used' };
}
