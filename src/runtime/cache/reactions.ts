import { hasCode, isClustersetError, isExpired, isNotServed } from '../../kube/plain/index.ts';
import type { ListReason } from '../observe/facts.ts';
import { isTooLarge, type WatchOutcome } from './watch-run.ts';

/** What a reflector does after a watch or a list that went wrong. */
export interface Reaction {
  /** Watch on at the last version; take everything anew, not older than that; or the newest, because that version is of no use. */
  readonly next: 'watch' | 'relist' | 'newest';
  /** `pause`: a second. */
  readonly wait: 'not' | 'pause' | 'back-off' | 'not-served';
  /** Why everything is taken anew. */
  readonly reason: ListReason;
  /** Whether the cache isn't certain to be like the cluster for now. */
  readonly isBlind: boolean;
}

/** What a reaction depends on beside the error. */
export interface Circumstances {
  /** How often in a row the history was gone, with no watch of use in between. */
  readonly timesGone: number;
  /** How often in a row a watch brought something, and was over within a second. */
  readonly timesBrief: number;
  /** How often in a row a watch was of no use. */
  readonly timesShort: number;
  /** Whether the newest was asked for already. */
  readonly isNewest: boolean;
}

/** Thrown where versions go back within a watch. */
export const VERSIONS_WENT_BACK = 'VersionsWentBack';

/** What turns a request away at the door passes by, and says nothing about the versions: the watch goes on where it was. */
const AT_THE_DOOR = [
  'TooManyRequests',
  'Unreachable',
  'ServiceUnavailable',
  'Timeout',
  'ServerTimeout',
  'Unauthorized',
  'Forbidden',
] as const;

/** Answers of servers that don't know streamed lists, and won't know them a moment later. */
const REFUSALS = ['Invalid', 'BadRequest', 'MethodNotAllowed', 'NotAcceptable', 'NotImplemented'] as const;

const GO_ON: Reaction = { next: 'watch', wait: 'not', reason: 'broken', isBlind: false };

/** After a watch has ended, for whatever reason (client-go's reflector, `watch` and `handleAnyWatch`). */
export function afterWatch({ end, error }: WatchOutcome, circumstances: Circumstances): Reaction {
  // A proxy may end every watch after its first event.
  if (end === 'time' && circumstances.timesBrief > 2) return { ...GO_ON, wait: 'pause' };
  if (end === 'time' || end === 'silent' || end === 'stopped') return GO_ON;
  if (end === 'short') {
    // A server that is about to stop ends watches at once; one that does it again has something against the version.
    return { ...GO_ON, next: circumstances.timesShort > 1 ? 'relist' : 'watch', wait: 'back-off' };
  }
  if (hasCode(error, ...AT_THE_DOOR) && !isTooLarge(error)) return { ...GO_ON, wait: 'back-off', isBlind: true };
  return afterList(error, circumstances);
}

/** After everything could not be taken. */
export function afterList(error: unknown, { timesGone, isNewest }: Circumstances): Reaction {
  if (isNotServed(error)) return { next: 'newest', wait: 'not-served', reason: 'broken', isBlind: true };
  if (!isExpired(error) && !isTooLarge(error)) {
    return { next: isNewest ? 'newest' : 'relist', wait: 'back-off', reason: 'broken', isBlind: true };
  }
  // A list not older than the last helps at once, and if not, the newest does; whoever is told so for a third time waits like everybody.
  const isRestored = isTooLarge(error) || (isClustersetError(error) && error.reason === VERSIONS_WENT_BACK);
  return {
    next: isRestored || isNewest || timesGone > 0 ? 'newest' : 'relist',
    wait: timesGone > 1 ? 'back-off' : 'not',
    reason: isRestored ? 'restored' : 'expired',
    isBlind: false,
  };
}

/** After a streamed list that didn't come to its end: how to go on, or `list` for the other way to take everything. */
export function afterStream(
  { error, events }: WatchOutcome,
  circumstances: Circumstances,
): Reaction | { readonly next: 'list'; readonly isRefused: boolean } {
  if (isNotServed(error) || isExpired(error) || isTooLarge(error)) return afterList(error, circumstances);
  const isPassing = hasCode(error, 'TooManyRequests') || (hasCode(error, 'Unreachable') && events === 0);
  if (isPassing) return afterList(error, circumstances);
  return { next: 'list', isRefused: hasCode(error, ...REFUSALS) };
}
