import { type AnyObject, type Condition, findCondition, type Issue, isRecord } from '../../kube/index.ts';
import { proxyUrl } from '../access/address.ts';
import type { ClusterEndpoint, ClusterEntry } from '../entry.ts';

/** What a source's object becomes: an entry, unless the object doesn't name a cluster at all, and what of it could not be used. */
export interface MappedCluster {
  readonly entry: ClusterEntry | undefined;
  /**
   * By field of the object: the first hundred, and how many there are beyond. One bad field never spoils the rest of it, and never another
   * cluster.
   */
  readonly issues: readonly Issue[];
}

/** How entries are called: like the object (the default), or `namespace/name` where a source reads several namespaces. */
export type EntryNaming = 'name' | 'namespace/name';

/** The name of an entry by that of its object. */
export function entryName(
  { name, namespace }: { readonly name: string; readonly namespace?: string },
  naming: EntryNaming,
): string {
  return naming === 'name' || namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}

type Fields = Readonly<Record<string, unknown>>;

/** What a mapping works on: the parts of an object, whatever they turned out to be, and where it says what it could not use. */
export interface Parts {
  readonly name: string;
  readonly namespace: string;
  readonly labels: unknown;
  readonly spec: Fields;
  readonly status: Fields;
  readonly issues: Issue[];
}

/** One object may be a megabyte of mistakes; nobody reads so many. */
const MOST_ISSUES = 100;

/** Maps an object by its parts. An object without a name is no cluster. */
export function mapParts(object: AnyObject, entryOf: (parts: Parts) => ClusterEntry): MappedCluster {
  const { metadata, spec, status } = recordOf(object);
  const { name, namespace, labels } = recordOf(metadata);
  if (typeof name !== 'string' || name === '') {
    return { entry: undefined, issues: [{ field: 'metadata.name', message: 'is missing, so that this is no cluster' }] };
  }
  const issues: Issue[] = [];
  const entry = entryOf({
    name,
    namespace: textOf(namespace) ?? '',
    labels,
    spec: recordOf(spec),
    status: recordOf(status),
    issues,
  });
  if (issues.length <= MOST_ISSUES) return { entry, issues };
  const more = { field: '', message: `has ${issues.length - MOST_ISSUES} more mistakes, which are not listed` };
  return { entry, issues: [...issues.slice(0, MOST_ISSUES), more] };
}

/** A value, or nothing where it is no object. */
export function recordOf(value: unknown): Fields {
  return isRecord(value) ? value : {};
}

/** A text, or `undefined` where it is none or empty: many writers leave fields empty that they don't use. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** What Kubernetes calls the place of a node; a cluster may carry the same labels (API: well-known labels). */
const REGION_LABEL = 'topology.kubernetes.io/region';
const ZONE_LABEL = 'topology.kubernetes.io/zone';

/** What an entry takes from an object's labels: the labels, and the region and zone among them. */
export function fromLabels(labels: unknown): Pick<ClusterEntry, 'labels' | 'region' | 'zones'> {
  const texts = Object.entries(recordOf(labels)).filter((each): each is [string, string] => typeof each[1] === 'string');
  if (texts.length === 0) return {};
  const byKey = new Map(texts);
  const region = textOf(byKey.get(REGION_LABEL));
  const zone = textOf(byKey.get(ZONE_LABEL));
  return {
    labels: Object.fromEntries(texts),
    ...(region === undefined ? {} : { region }),
    ...(zone === undefined ? {} : { zones: [zone] }),
  };
}

type Conditions = NonNullable<ClusterEntry['conditions']>;

/** The conditions of a status. One whose status can't be read is Unknown: it must not count as if it weren't there. */
export function conditionsOf({ status, issues }: Parts): Conditions {
  const { conditions } = status;
  if (conditions === undefined || conditions === null) return [];
  if (!Array.isArray(conditions)) {
    issues.push({ field: 'status.conditions', message: 'is no list, and is left out' });
    return [];
  }
  return conditions.flatMap((item: unknown, index): Conditions => {
    const { type, status: said, ...rest } = recordOf(item);
    const field = `status.conditions[${index}]`;
    if (typeof type !== 'string' || type === '') {
      issues.push({ field: `${field}.type`, message: 'is missing: the condition is left out' });
      return [];
    }
    const isRead = typeof said === 'string' && said !== '';
    if (!isRead) issues.push({ field: `${field}.status`, message: 'is no text, and is taken for "Unknown"' });
    const texts = ['reason', 'message', 'lastTransitionTime'].filter((each) => typeof rest[each] === 'string');
    return [{ type, status: isRead ? said : 'Unknown', ...Object.fromEntries(texts.map((each) => [each, rest[each]])) }];
  });
}

/**
 * The conditions of an entry: those of the object, and `Ready` as schedulers read it, which each kind of registry says in words of its own.
 * Those count, also beside a `Ready` that the registry gives no meaning to.
 */
export function withReady(conditions: Conditions, said: Condition | undefined): Pick<ClusterEntry, 'conditions'> {
  if (said === undefined) return conditions.length === 0 ? {} : { conditions };
  return { conditions: [...conditions.filter(({ type }) => type !== 'Ready'), { ...said, type: 'Ready' }] };
}

/** `Ready` as the first condition of a type says it. */
export function readyBy(conditions: Conditions, type: string): Pick<ClusterEntry, 'conditions'> {
  return withReady(conditions, findCondition(conditions, type));
}

/** The certificates of an endpoint. What is no base64 would make kubectl refuse the whole kubeconfig that it is written to. */
export function caOf(value: unknown, field: string, issues: Issue[]): Pick<ClusterEndpoint, 'caData'> {
  if (value === undefined || value === null || value === '') return {};
  if (isBase64(value)) return { caData: value };
  issues.push({ field, message: 'is no base64, and is left out', mend: 'write the PEM certificates in base64' });
  return {};
}

/** Whether a value is base64 with padding, line breaks aside (RFC 4648 §4). */
export function isBase64(value: unknown): value is string {
  if (typeof value !== 'string') return false;
  const text = /[\r\n]/.test(value) ? value.replace(/[\r\n]/g, '') : value;
  return text !== '' && text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}

/** The proxy of an endpoint. */
export function proxyOf(value: unknown, field: string, issues: Issue[]): Pick<ClusterEndpoint, 'proxyUrl'> {
  if (value === undefined || value === null || value === '') return {};
  const read = proxyUrl(typeof value === 'string' ? value : '');
  if ('url' in read) return { proxyUrl: read.url };
  issues.push({ field, message: `${read.problem}, and is left out`, mend: read.mend });
  return {};
}
