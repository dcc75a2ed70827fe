import type { ServiceImport } from '../api.ts';
import type { KeptType } from './decisions.ts';
import { timeOf } from './exports.ts';
import { compareAges, type Participant } from './precedence.ts';

/** On a ServiceImport whose type is kept: when the export was made that set it, and its cluster. */
export const TYPE_FROM_ANNOTATION = 'clusterset.dev/type-from';

/** What {@link TYPE_FROM_ANNOTATION} says for an export. */
export function typeOrigin({ cluster, exported }: Participant): string {
  return `${exported.export.creationTimestamp ?? '-'} ${cluster}`;
}

/**
 * The type of the present import, where an export set it that is gone and that was older than all there are now, and where the oldest of
 * these is of another type. An export that is still there may change its mind, and an older one outranks it: then nothing is kept.
 */
export function keptTypeOf(present: ServiceImport | null | undefined, oldest: Participant): KeptType | undefined {
  const origin = present?.metadata.annotations?.[TYPE_FROM_ANNOTATION];
  const type = present?.spec?.type;
  if (origin === undefined || type === undefined || type === oldest.service.type) return undefined;
  const [created = '', cluster = ''] = origin.split(' ');
  const time = timeOf(created) ?? Number.POSITIVE_INFINITY;
  return compareAges({ time, cluster }, oldest) < 0 ? { type, cluster } : undefined;
}
