import { type Command, InvalidArgumentError, Option } from 'commander';
import { closest, type DivisionPreference, type PlacementPolicySpec } from '../scheduling/index.ts';
import { wholeNumber } from './options.ts';

/** Numbers by cluster, as in `eu-1=3,us-1=2`. */
export type ByCluster = ReadonlyMap<string, number>;

/** What `schedule` may be asked to suppose. */
export interface Change {
  readonly replicas?: number;
  readonly without?: readonly string[];
  readonly weight?: ByCluster;
  readonly min?: ByCluster;
  readonly max?: ByCluster;
}

const MOST = 2 ** 31 - 1;

/** The options that ask what would be if. */
export function addChangeOptions(command: Command): Command {
  return command
    .addOption(new Option('--replicas <number>', 'what if there were so many replicas').argParser(wholeNumber(0, MOST)))
    .option('--without <clusters>', 'what if these clusters were gone; with commas in between', clusterNames)
    .option('--weight <cluster=number>', 'what if the cluster had this weight; repeatable, or with commas in between', byCluster)
    .option('--min <cluster=number>', 'what if the cluster got at least so many replicas', byCluster)
    .option('--max <cluster=number>', 'what if the cluster got at most so many replicas', byCluster);
}

/** Given twice, an option adds its names. */
function clusterNames(text: string, earlier: readonly string[] = []): readonly string[] {
  return [...new Set([...earlier, ...partsOf(text)])];
}

/** Given twice, an option adds its clusters; a cluster that is given twice would have two numbers. */
export function byCluster(text: string, earlier: ByCluster = new Map()): ByCluster {
  const found = new Map(earlier);
  for (const part of partsOf(text)) {
    const at = part.lastIndexOf('=');
    const [name, number] = [part.slice(0, at), part.slice(at + 1)];
    if (at < 1 || !/^\d+$/.test(number) || Number(number) > MOST) {
      throw new InvalidArgumentError(`"${part}" is not of the form cluster=number, with a number from 0 to ${MOST}`);
    }
    if (found.has(name)) throw new InvalidArgumentError(`"${name}" is named twice`);
    found.set(name, Number(number));
  }
  return found;
}

function partsOf(text: string): readonly string[] {
  const parts = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  if (parts.length === 0) throw new InvalidArgumentError('name at least one cluster');
  return parts;
}

/** A time as Kubernetes writes it. */
export function time(text: string): string {
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text))) return text;
  throw new InvalidArgumentError('use a time as in 2026-01-31T12:00:00Z');
}

/** Whether anything is to be supposed. */
export function isChange({ replicas, without, weight, min, max }: Change): boolean {
  return [replicas, without, weight, min, max].some((each) => each !== undefined);
}

/** What of the options doesn't name a cluster of the fleet, in one line each. `*` stands for the clusters without a preference of their own. */
export function unknownNames(
  { without = [], weight, min, max, current }: Change & { readonly current?: ByCluster },
  known: ReadonlySet<string>,
): readonly string[] {
  const preferences = { '--weight': weight, '--min': min, '--max': max };
  const named = [
    ...without.map((name) => ['--without', name] as const),
    ...[...(current ?? new Map<string, number>()).keys()].map((name) => ['--current', name] as const),
    ...Object.entries(preferences).flatMap(([option, clusters]) =>
      [...(clusters ?? new Map<string, number>()).keys()].filter((name) => name !== '*').map((name) => [option, name] as const),
    ),
  ];
  return named
    .filter(([, name]) => !known.has(name))
    .map(([option, name]) => {
      const { message, meant } = unknownCluster(name, known);
      return `${option}: ${message}; ${meant === undefined ? `use ${listOf([...known])}` : `did you mean ${meant}?`}`;
    });
}

/** What is wrong with a name that no cluster has, and which cluster was probably meant. */
export function unknownCluster(
  name: string,
  known: ReadonlySet<string>,
): { readonly message: string; readonly meant: string | undefined } {
  return { message: `there is no cluster "${name}" in the fleet`, meant: closest(name, [...known]) };
}

const MOST_NAMES = 10;

function listOf(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES);
  const more = names.length - shown.length;
  return more === 0 ? shown.join(', ') : `one of ${shown.join(', ')} and ${more} more`;
}

/** The policy with what is supposed of it. */
export function changedPolicy(policy: PlacementPolicySpec, { replicas, weight, min, max }: Change): PlacementPolicySpec {
  const preferences = [
    ['weight', weight],
    ['minReplicas', min],
    ['maxReplicas', max],
  ] as const;
  const division = policy.division ?? {};
  // Who says nothing gives all clusters the same weight, where there are weights; who names one cluster would take it from the others.
  const others: Readonly<Record<string, DivisionPreference>> = division.type === 'Weighted' ? { '*': { weight: 1 } } : {};
  const clusters = new Map(Object.entries(division.clusters ?? others));
  const fallback = clusters.get('*');
  for (const [field, numbers] of preferences) {
    for (const [name, number] of numbers ?? []) {
      clusters.set(name, { ...(clusters.get(name) ?? fallback), [field]: number });
    }
  }
  const isDivided = preferences.some(([, numbers]) => numbers !== undefined);
  return {
    ...policy,
    ...(replicas === undefined ? {} : { replicas }),
    ...(isDivided ? { division: { ...division, clusters: Object.fromEntries(clusters) } } : {}),
  };
}
