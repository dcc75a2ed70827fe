import { sha256 } from '@noble/hashes/sha2.js';
import { apiVersionOf, base64Encode, compareText, type ResourceType, utf8 } from '../../kube/plain/index.ts';
import type { Served } from '../api/catalogue.ts';

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
/** The order that the part of the server has which serves custom resources. */
const CUSTOM_VERBS = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];
const NAMESPACE_VERBS = VERBS.filter((verb) => verb !== 'deletecollection');

/** Media type of aggregated discovery. */
export const AGGREGATED_TYPE = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** A resource of which nothing is stored, or such a part of one that is. */
export interface VirtualResource {
  readonly type: ResourceType;
  readonly singular: string;
  readonly verbs: readonly string[];
  /** Of which resource it is a part, and under which name. */
  readonly subresource?: { readonly group: string; readonly version: string; readonly plural: string; readonly name: string };
}

/** What a cluster serves, as far as discovery tells of it. */
export interface Discoverable {
  readonly served: readonly Served[];
  readonly virtual?: readonly VirtualResource[];
}

/** A part of a resource. Group and version are said where the part is of another kind than its resource. */
interface Part {
  readonly name: string;
  readonly kind: string;
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly string[];
}

interface Entry {
  readonly type: ResourceType;
  readonly singular: string;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly parts: readonly Part[];
  readonly isCustom: boolean;
  /** As what it is stored, where it is: `apps/v1`. */
  readonly storedAs?: string;
}

/** Versions that a real server says it stores things in, where it isn't the one that it serves. */
const STORED_AS: Readonly<Record<string, string>> = { 'customresourcedefinitions.apiextensions.k8s.io': 'v1beta1' };

const READ_AND_WRITE = ['get', 'patch', 'update'];

/** Parts by name, where they aren't of the kind of the resource. */
const PARTS: Readonly<Record<string, Partial<Part>>> = {
  scale: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
};

/** Groups in the order of a real server: of the aggregator's priorities, and then by name. */
const GROUPS: readonly string[] = [
  'apiregistration.k8s.io',
  'apps',
  'events.k8s.io',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'networking.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'storage.k8s.io',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'scheduling.k8s.io',
  'coordination.k8s.io',
  'node.k8s.io',
  'discovery.k8s.io',
  'resource.k8s.io',
  'flowcontrol.apiserver.k8s.io',
];

function entriesOf({ served, virtual = [] }: Discoverable): readonly Entry[] {
  const parts = virtual.flatMap((each) => (each.subresource === undefined ? [] : [{ ...each, at: each.subresource }]));
  const stored = served.map((each): Entry => {
    const { type, collection, singular, shortNames, categories, subresources, custom, view } = each;
    const named = [...subresources].map((name): Part => ({ name, kind: type.kind, verbs: READ_AND_WRITE, ...PARTS[name] }));
    const added = parts
      .filter(({ at }) => at.group === type.group && at.version === type.version && at.plural === type.plural)
      .map(({ at, type: { group, version, kind }, verbs: partVerbs }): Part => {
        const isForeign = group !== type.group || version !== type.version;
        return { name: at.name, ...(isForeign ? { group, version } : {}), kind, verbs: partVerbs };
      });
    const isCustom = custom !== undefined;
    const inOrder = [...named, ...added].toSorted((a, b) => compareText(a.name, b.name));
    return {
      type,
      singular,
      verbs: verbsOf(each),
      shortNames,
      categories,
      parts: isCustom ? inOrder.toReversed() : inOrder,
      isCustom,
      storedAs: `${(view?.of ?? type).group}/${custom?.storageVersion ?? STORED_AS[collection] ?? type.version}`,
    };
  });
  const asked = virtual
    .filter(({ subresource }) => subresource === undefined)
    .map(({ type, singular, verbs }): Entry => ({ type, singular, verbs, ...WITHOUT_PARTS }));
  return [...stored, ...asked];
}

const WITHOUT_PARTS = { shortNames: [], categories: [], parts: [], isCustom: false };

function verbsOf({ custom, collection }: Served): readonly string[] {
  if (custom !== undefined) return CUSTOM_VERBS;
  return collection === 'namespaces' ? NAMESPACE_VERBS : VERBS;
}

/** APIGroupDiscoveryList: everything of the core group, or everything else. */
export function aggregated(discoverable: Discoverable, isCore: boolean): unknown {
  const entries = entriesOf(discoverable);
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: (isCore ? [''] : groupsOf(entries)).map((group) => ({
      metadata: group === '' ? {} : { name: group },
      versions: versionsOf(entries, group).map((version) => ({
        version,
        resources: inVersion(entries, group, version).map(describe),
        freshness: 'Current',
      })),
    })),
  };
}

/** Of built-in kinds the aggregated form names the kind only. */
function describe({ type, singular, verbs, shortNames, categories, parts, isCustom }: Entry): unknown {
  const home = isCustom ? { group: type.group, version: type.version } : { group: '', version: '' };
  return {
    resource: type.plural,
    responseKind: { ...home, kind: type.kind },
    scope: type.scope,
    singularResource: singular,
    verbs,
    ...texts('shortNames', shortNames),
    ...texts('categories', categories),
    ...(parts.length === 0
      ? {}
      : {
          subresources: parts.map((part) => ({
            subresource: part.name,
            responseKind: { group: part.group ?? home.group, version: part.version ?? home.version, kind: part.kind },
            verbs: part.verbs,
          })),
        }),
  };
}

const texts = (name: string, list: readonly string[]): Readonly<Record<string, readonly string[]>> =>
  list.length === 0 ? {} : { [name]: list };

function groupsOf(entries: readonly Entry[]): readonly string[] {
  const groups = [...new Set(entries.map(({ type }) => type.group))].filter((group) => group !== '');
  const rank = (group: string): number => (GROUPS.includes(group) ? GROUPS.indexOf(group) : GROUPS.length);
  return groups.toSorted((a, b) => rank(a) - rank(b) || compareText(a, b));
}

function versionsOf(entries: readonly Entry[], group: string): readonly string[] {
  return [...new Set(entries.filter(({ type }) => type.group === group).map(({ type }) => type.version))].toSorted(newestFirst);
}

function inVersion(entries: readonly Entry[], group: string, version: string): readonly Entry[] {
  const chosen = entries.filter(({ type }) => type.group === group && type.version === version);
  return chosen.toSorted((a, b) => compareText(a.type.plural, b.type.plural));
}

/** Stable versions before betas before alphas, newer before older (API: version priority). */
function newestFirst(a: string, b: string): number {
  const rank = (version: string): readonly number[] => {
    const [, major = '0', stage = '', minor = '0'] = /^v(\d+)(alpha|beta)?(\d+)?$/.exec(version) ?? [];
    return [{ '': 2, beta: 1, alpha: 0 }[stage] ?? -1, Number(major), Number(minor)];
  };
  const [x, y] = [rank(a), rank(b)];
  return (y[0] ?? 0) - (x[0] ?? 0) || (y[1] ?? 0) - (x[1] ?? 0) || (y[2] ?? 0) - (x[2] ?? 0) || compareText(a, b);
}

/** APIGroupList */
export function groupList(discoverable: Discoverable): unknown {
  const entries = entriesOf(discoverable);
  const groups = groupsOf(entries).map((group) => ({ name: group, ...versionsAndFirst(entries, group) }));
  return { kind: 'APIGroupList', apiVersion: 'v1', groups };
}

/** APIGroup; `undefined` where nothing of it is served. */
export function groupOf(discoverable: Discoverable, group: string): unknown {
  const entries = entriesOf(discoverable);
  const found = group !== '' && entries.some(({ type }) => type.group === group);
  return found ? { kind: 'APIGroup', apiVersion: 'v1', name: group, ...versionsAndFirst(entries, group) } : undefined;
}

function versionsAndFirst(entries: readonly Entry[], group: string): object {
  const versions = versionsOf(entries, group).map((version) => ({ groupVersion: `${group}/${version}`, version }));
  return { versions, preferredVersion: versions[0] };
}

/** APIVersions of the core group */
export function legacyVersions(host: string): unknown {
  return {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: host }],
  };
}

/** APIResourceList; `undefined` where nothing of it is served. */
export function resourceList(discoverable: Discoverable, group: string, version: string): unknown {
  const chosen = inVersion(entriesOf(discoverable), group, version);
  if (chosen.length === 0) return undefined;
  const resources = chosen.flatMap((entry) => {
    const { type, singular, verbs, shortNames, categories, parts } = entry;
    const namespaced = type.scope === 'Namespaced';
    const whole = {
      name: type.plural,
      singularName: singular,
      namespaced,
      kind: type.kind,
      verbs,
      ...texts('shortNames', shortNames),
      ...texts('categories', categories),
      ...hashOf(entry),
    };
    return [
      whole,
      ...parts.map(({ name, verbs: partVerbs, ...kind }) => ({
        name: `${type.plural}/${name}`,
        singularName: '',
        namespaced,
        ...kind,
        verbs: partVerbs,
      })),
    ];
  });
  // The core group is older than the version of such lists.
  const head = group === '' ? { kind: 'APIResourceList' } : { kind: 'APIResourceList', apiVersion: 'v1' };
  return { ...head, groupVersion: group === '' ? version : `${group}/${version}`, resources };
}

/** Tells clients when a kind is stored in another version than before. */
function hashOf({ type, storedAs }: Entry): { readonly storageVersionHash?: string } {
  if (storedAs === undefined) return {};
  return { storageVersionHash: base64Encode(sha256(utf8(`${storedAs}/${type.kind}`)).subarray(0, 8)) };
}

/** The paths of all groups and versions, as the root of the server lists them. */
export function rootPaths(discoverable: Discoverable): unknown {
  const versions = entriesOf(discoverable).map(({ type }) => type);
  const paths = versions.flatMap((type) =>
    type.group === '' ? [`/api/${type.version}`] : [`/apis/${type.group}`, `/apis/${apiVersionOf(type)}`],
  );
  const others = ['/api', '/apis', '/healthz', '/livez', '/openapi/v3', '/readyz', '/version'];
  return { paths: [...new Set([...paths, ...others])].toSorted(compareText) };
}
