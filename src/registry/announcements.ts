import { z } from 'zod';
import { ClustersetError, compareText, contentHash, findCondition, formatFieldPath, stableStringify } from '../kube/index.ts';
import { type ClusterEntry, isReady } from './entry.ts';

const announcedCluster = z.object({
  name: z.string(),
  ready: z.boolean(),
  /** A digest of each field that is looked at. */
  fields: z.record(z.string(), z.string()),
});

/** Schema of {@link Announced}. */
export const announcedSchema = z.object({ version: z.literal(1), clusters: z.array(announcedCluster) });

/**
 * What has been said of the clusters so far, to be kept between looks and over restarts: plain JSON. It holds names, whether clusters were
 * ready, and digests; nothing else of an entry can be read from it. A list, so that no name of a cluster can be taken for something else.
 */
export type Announced = Readonly<z.infer<typeof announcedSchema>>;
type AnnouncedCluster = Announced['clusters'][number];

/**
 * Something that is worth telling about one cluster.
 *
 * - `changed`: `fields` names what of the entry is other than before.
 * - `unreachable`: `reason` and `message` are those of the condition `Ready`, where it has any, in the words of whoever wrote it.
 * - `reachable`: it is reachable again.
 * - `known`: what has been said of the cluster once this has been said, for {@link acknowledge}; absent where it is forgotten.
 */
export type Announcement = { readonly cluster: string; readonly known?: Announced['clusters'][number] } & (
  | { readonly type: 'added' | 'reachable' | 'removed' }
  | { readonly type: 'changed'; readonly fields: readonly string[] }
  | { readonly type: 'unreachable'; readonly reason?: string; readonly message?: string }
);

/** What {@link announcements} takes beside the clusters. */
export interface AnnouncementOptions {
  /**
   * Which fields of an entry are worth a word. Default: {@link ANNOUNCED_FIELDS}. A field that wasn't looked at before is taken in without a
   * word, whatever it holds.
   */
  readonly fields?: readonly string[];
}

/** What is to be said now, and what will have been said then. */
export interface Announcements {
  /** By name of the cluster; of one cluster, what it is before how it is. */
  readonly announcements: readonly Announcement[];
  /** What is known when all of them have been said. It depends on the clusters of now alone. */
  readonly next: Announced;
}

/**
 * The fields that are worth a word unless one says otherwise: what a cluster is, and how it is reached. `properties`, `capacity` and `apis` aren't
 * among them, because they are measured, and move by themselves.
 */
export const ANNOUNCED_FIELDS: readonly string[] = [
  'labels',
  'taints',
  'provider',
  'region',
  'zones',
  'endpoints',
  'auth',
  'kubernetesVersion',
];

/** Enough of a SHA-256 to notice every change: 48 bits. */
const DIGEST_LENGTH = 12;
/** Fields whose order says nothing. */
const SETS: ReadonlySet<string> = new Set(['taints', 'zones', 'apis']);

/**
 * What is worth telling about clusters: the difference between what was said before and what is now. The same clusters twice are silent, and so
 * is a restart with the same `known`; what came and went between two looks was never there, and a cluster that was lost and is back isn't
 * spoken of. Whether a cluster is reachable is read from its condition `Ready`, as {@link isReady} does; it is as calm as whoever writes the
 * condition (`clusterHealth` waits for several looks in a row). A cluster that joins and isn't ready is added first, and unreachable then.
 * Of entries with one name the first counts.
 */
export function announcements(
  known: Announced | undefined,
  entries: readonly ClusterEntry[],
  { fields = ANNOUNCED_FIELDS }: AnnouncementOptions = {},
): Announcements {
  const before = byName(known?.clusters ?? []);
  const entry = byName(entries.toReversed());
  const now = new Map([...entry].map(([name, each]) => [name, digestOf(each, fields)]));
  const names = [...new Set([...before.keys(), ...now.keys()])].sort(compareText);
  return {
    announcements: names.flatMap((name) => toldOf(name, before.get(name), now.get(name), entry.get(name))),
    next: announcedOf(now),
  };
}

/**
 * What is known when some of the announcements have been said: all up to one of them, in their order. So each can be acknowledged by itself, and
 * what is interrupted goes on where it was.
 */
export function acknowledge(known: Announced | undefined, said: readonly Announcement[]): Announced {
  const clusters = byName(known?.clusters ?? []);
  for (const each of said) {
    if (each.known === undefined) clusters.delete(each.cluster);
    else clusters.set(each.cluster, each.known);
  }
  return announcedOf(clusters);
}

/**
 * Reads what {@link announcements} returned as `next` and was stored meanwhile.
 *
 * @throws ClustersetError `Invalid`, with the field; never with what stands there.
 */
export function parseAnnounced(value: unknown): Announced {
  const result = announcedSchema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new ClustersetError({
    code: 'Invalid',
    message: `this is no record of announcements: ${(issue?.message ?? '').replace(/^Invalid input: /, '')}`,
    field: formatFieldPath((issue?.path ?? []).map(String), value),
    mend: 'start without it: then every cluster is announced as if it were new',
  });
}

function byName<T extends { readonly name: string }>(items: readonly T[]): Map<string, T> {
  return new Map(items.map((each) => [each.name, each]));
}

function announcedOf(clusters: ReadonlyMap<string, AnnouncedCluster>): Announced {
  return { version: 1, clusters: [...clusters.values()].sort((a, b) => compareText(a.name, b.name)) };
}

function digestOf(entry: ClusterEntry, fields: readonly string[]): AnnouncedCluster {
  const digests = fields.map((field): [string, string] => [field, digestOfField(entry, field)]);
  return { name: entry.name, ready: isReady(entry), fields: Object.fromEntries(digests) };
}

/** Empty for a field that is absent, so that it isn't taken for one that nobody looked at. */
function digestOfField(entry: ClusterEntry, field: string): string {
  const value: unknown = Object.hasOwn(entry, field) ? entry[field] : undefined;
  if (value === undefined) return '';
  const ordered = SETS.has(field) && Array.isArray(value) ? value.map(stableStringify).sort(compareText) : value;
  return contentHash(ordered).slice(0, DIGEST_LENGTH);
}

function toldOf(
  cluster: string,
  before: AnnouncedCluster | undefined,
  now: AnnouncedCluster | undefined,
  entry: ClusterEntry | undefined,
): readonly Announcement[] {
  if (now === undefined) return [{ type: 'removed', cluster }];
  const known = { ...now, ready: before?.ready ?? true };
  const changed = before === undefined ? [] : changedFields(before, now);
  return [
    ...(before === undefined ? [{ type: 'added' as const, cluster, known }] : []),
    ...(changed.length > 0 ? [{ type: 'changed' as const, cluster, fields: changed, known }] : []),
    ...(known.ready === now.ready ? [] : [readinessOf(cluster, now, entry)]),
  ];
}

function changedFields(before: AnnouncedCluster, now: AnnouncedCluster): readonly string[] {
  return Object.keys(now.fields).filter(
    (field) => Object.hasOwn(before.fields, field) && before.fields[field] !== now.fields[field],
  );
}

function readinessOf(cluster: string, known: AnnouncedCluster, entry: ClusterEntry | undefined): Announcement {
  if (known.ready) return { type: 'reachable', cluster, known };
  const { reason, message } = findCondition(entry?.conditions, 'Ready') ?? {};
  return {
    type: 'unreachable',
    cluster,
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
    known,
  };
}
