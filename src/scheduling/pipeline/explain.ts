import type { DivisionShare } from '../divide/divide.ts';
import type { KarmadaLeftOut, KarmadaSelected } from '../karmada/select.ts';
import { explainSelection } from '../select/selection.ts';
import type { ClusterDecision, DivisionExplanation, SelectionExplanation } from './decision.ts';

/**
 * Why a cluster gets what it gets, in short sentences for people, in the order of the steps: filters, score, selection, division. Programs read the
 * decision itself.
 */
export function explainCluster(decision: ClusterDecision): readonly string[] {
  const { outcome, current, rejections = [], score, selection, division, completions, ordinals } = decision;
  const lines = rejections.map(({ filter, message }) => `${filter}: ${message}`);
  if (outcome === 'Gone') lines.push(`it has ${current ?? 0} replicas, and isn't among the clusters any more`);
  if (outcome !== 'Rejected' && rejections.length > 0) lines.push(`so it ${keeping(decision)}`);
  if (score !== undefined) lines.push(`score ${shown(score.total)}: ${score.parts.map(partText).join(', ')}`);
  if (selection !== undefined && saysSomething(selection)) lines.push(`${verb(outcome)}: ${selectionText(selection)}`);
  if (selection === undefined && outcome === 'NotSelected')
    lines.push('not selected: another group is used, or nothing is placed');
  if (division !== undefined) lines.push(divisionText(division));
  if (completions !== undefined) lines.push(`${completions} completions, in proportion to its replicas`);
  if (ordinals !== undefined && ordinals.replicas > 0) {
    lines.push(`ordinals ${ordinals.start} to ${ordinals.start + ordinals.replicas - 1}`);
  }
  return lines;
}

/** What a cluster does that may get no more: by what it has in the end. */
function keeping({ outcome, replicas, current = 0 }: ClusterDecision): string {
  if (outcome !== 'Placed') return 'may get nothing new';
  return replicas > current
    ? 'would get no more by our rules; the named algorithm does not ask'
    : 'keeps what it has and gets no more';
}

function verb(outcome: ClusterDecision['outcome']): string {
  return outcome === 'NotSelected' ? 'not selected' : 'selected';
}

function partText({
  scorer,
  score,
  weight,
}: {
  readonly scorer: string;
  readonly score: number;
  readonly weight: number;
}): string {
  return weight === 1 ? `${scorer} ${shown(score)}` : `${scorer} ${shown(score)} × ${shown(weight)}`;
}

/** At most two digits behind the point. */
function shown(number: number): string {
  return String(Math.round(number * 100) / 100);
}

function saysSomething({ choice }: SelectionExplanation): boolean {
  return choice.reason !== 'Unrestricted';
}

function selectionText(selection: SelectionExplanation): string {
  if (selection.algorithm === 'own') return `${selection.choice.selector}: ${selection.choice.message}`;
  return selection.algorithm === 'clusterset' ? explainSelection(selection.choice) : karmadaText(selection.choice);
}

function karmadaText(selection: KarmadaSelected | KarmadaLeftOut): string {
  switch (selection.reason) {
    case 'Unrestricted':
      return 'nothing restricts the clusters';
    case 'InOrder':
      return 'one of the first by score and room';
    case 'SwappedIn':
      return `has more room than ${selection.insteadOf}, whose place it takes`;
    case 'FirstOfRegion':
      return `the first of region ${selection.region}`;
    case 'MoreOfRegion':
      return `one more of region ${selection.region}`;
    case 'OverMaxGroups':
      return 'there are as many clusters as there may be';
    case 'SwappedOut':
      return `has too little room; ${selection.inFavourOf} takes its place`;
    case 'RegionNotChosen':
      return `its region ${selection.region} isn't chosen`;
    case 'NoRegion':
      return 'it is in no region';
    default:
      return selection satisfies never;
  }
}

function divisionText(division: DivisionExplanation): string {
  switch (division.algorithm) {
    case 'clusterset':
      return ownText(division.share);
    case 'kubefed': {
      const { minimum, kept, share, weight, overflow, limit } = division.share;
      const parts = [`minimum ${minimum}`, `kept ${kept}`, `share ${share} by weight ${weight}`];
      if (overflow > 0) parts.push(`${overflow} left pending`);
      if (limit !== undefined) parts.push(`limited by ${limit}`);
      return `kubefed: ${parts.join(', ')}`;
    }
    case 'karmada':
      return `karmada: ${KARMADA_REASONS[division.share.reason]}`;
    case 'kubeadmiral': {
      const { desired, kept, moved, overflow, limit, weight } = division.share;
      const parts = [`due ${desired} by weight ${weight}`, `kept ${kept}`, `moved ${moved}`];
      if (overflow > 0) parts.push(`${overflow} left pending`);
      if (limit !== undefined) parts.push(`limited by ${limit}`);
      return `kubeadmiral: ${parts.join(', ')}`;
    }
    case 'own':
      return `${division.share.divider}: ${division.share.replicas} replicas`;
    default:
      return division satisfies never;
  }
}

const KARMADA_REASONS = {
  Duplicated: 'a full copy',
  ByWeight: 'its share by weight',
  ByRoom: 'its share of the room that there is',
  KeptAndGrown: 'what it had, and a share by room of what was added',
  ShrunkInProportion: 'its part of what it had',
  Unchanged: 'as before: the sum is the same',
} as const;

const LIMITS = {
  Max: 'its maximum',
  Room: 'its room',
  NoMore: 'what it has',
  Kept: 'others would have to give up what they have',
  MinimumsTooMany: 'its minimum; all minimums together are too many',
} as const;

function ownText({ reason, replicas, quota, weight, least, most, limit }: DivisionShare): string {
  const share = `its share by weight ${shown(weight)} is ${shown(quota)}`;
  switch (reason) {
    case 'Duplicated':
      return 'a full copy';
    case 'Share':
      return Math.abs(replicas - quota) < 1 ? share : `${share}; bounds and rounding make it ${replicas}`;
    case 'AtLeast':
      return `${share}; it has at least ${least}`;
    case 'AtMost':
      return `${share}; it has at most ${most}: ${limit === undefined ? 'its bound' : LIMITS[limit]}`;
    case 'NotNeeded':
      return 'no replicas are left for it';
    case 'NoWeight':
      return 'its weight is 0';
    default:
      return reason satisfies never;
  }
}
