import type { Served } from '../api/catalogue.ts';

const VERBS = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];
const PART_VERBS = ['get', 'patch', 'update'];

/** Media type of aggregated discovery. */
export const AGGREGATED_TYPE = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** APIGroupDiscoveryList: everything of the core group, or everything else. */
export function aggregated(served: readonly Served[], isCore: boolean): unknown {
  const chosen = served.filter(({ type }) => (type.group === '') === isCore);
  const groups = [...new Set(chosen.map(({ type }) => type.group))];
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: groups.map((group) => ({
      metadata: group === '' ? { creationTimestamp: null } : { name: group, creationTimestamp: null },
      versions: versionsOf(chosen, group).map((version) => ({
        version,
        resources: inVersion(chosen, group, version).map(describe),
        freshness: 'Current',
      })),
    })),
  };
}

function describe({ type, singular, shortNames, categories, subresources }: Served): unknown {
  const responseKind = { group: type.group, version: type.version, kind: type.kind };
  return {
    resource: type.plural,
    responseKind,
    scope: type.scope,
    singularResource: singular,
    verbs: VERBS,
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
    ...(subresources.has('status') ? { subresources: [{ subresource: 'status', responseKind, verbs: PART_VERBS }] } : {}),
  };
}

function versionsOf(served: readonly Served[], group: string): readonly string[] {
  return [...new Set(served.filter(({ type }) => type.group === group).map(({ type }) => type.version))].toSorted(newestFirst);
}

function inVersion(served: readonly Served[], group: string, version: string): readonly Served[] {
  return served.filter(({ type }) => type.group === group && type.version === version);
}

/** Stable versions before betas before alphas, newer before older (API: version priority). */
function newestFirst(a: string, b: string): number {
  const rank = (version: string): readonly number[] => {
    const [, major = '0', stage = '', minor = '0'] = /^v(\d+)(alpha|beta)?(\d+)?$/.exec(version) ?? [];
    return [{ '': 2, beta: 1, alpha: 0 }[stage] ?? -1, Number(major), Number(minor)];
  };
  const [x, y] = [rank(a), rank(b)];
  return (y[0] ?? 0) - (x[0] ?? 0) || (y[1] ?? 0) - (x[1] ?? 0) || (y[2] ?? 0) - (x[2] ?? 0);
}

/** APIGroupList */
export function groupList(served: readonly Served[]): unknown {
  const groups = [...new Set(served.map(({ type }) => type.group))].filter((group) => group !== '');
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map((group) => groupOf(served, group)) };
}

/** APIGroup; `undefined` where nothing of it is served. */
export function groupOf(served: readonly Served[], group: string): unknown {
  const versions = versionsOf(served, group).map((version) => ({ groupVersion: `${group}/${version}`, version }));
  return versions.length === 0
    ? undefined
    : { kind: 'APIGroup', apiVersion: 'v1', name: group, versions, preferredVersion: versions[0] };
}

/** APIVersions of the core group */
export function legacyVersions(): unknown {
  return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
}

/** APIResourceList; `undefined` where nothing of it is served. */
export function resourceList(served: readonly Served[], group: string, version: string): unknown {
  const chosen = inVersion(served, group, version);
  if (chosen.length === 0) return undefined;
  const resources = chosen.flatMap(({ type, singular, shortNames, categories, subresources }) => {
    const base = { namespaced: type.scope === 'Namespaced', kind: type.kind };
    const whole = {
      name: type.plural,
      singularName: singular,
      ...base,
      verbs: VERBS,
      ...(shortNames.length === 0 ? {} : { shortNames }),
      ...(categories.length === 0 ? {} : { categories }),
    };
    return subresources.has('status')
      ? [whole, { name: `${type.plural}/status`, singularName: '', ...base, verbs: PART_VERBS }]
      : [whole];
  });
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: group === '' ? version : `${group}/${version}`, resources };
}
