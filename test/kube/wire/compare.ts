import { isRecord } from 'clusterset/kube';

export interface Resources {
  readonly resources: readonly { readonly name: string }[];
}

export interface Aggregated {
  readonly items: readonly {
    readonly metadata: { readonly name?: string };
    readonly versions: readonly { readonly version: string; readonly resources: readonly AggregatedResource[] }[];
  }[];
}

interface AggregatedResource {
  readonly resource: string;
  readonly subresources?: readonly { readonly subresource: string }[];
}

/** What a real server tells, as far as we do. */
export function restrict(theirs: Aggregated['items'], ours: Aggregated['items']): unknown {
  return ours.map(({ metadata, versions }) => {
    const group = theirs.find((each) => each.metadata.name === metadata.name);
    const found = versions.map((ourVersion) => {
      const version = group?.versions.find((each) => each.version === ourVersion.version);
      const resources = ourVersion.resources.map(({ resource, subresources = [] }) => {
        const each = version?.resources.find((candidate) => candidate.resource === resource);
        const names = new Set(subresources.map(({ subresource }) => subresource));
        const parts = each?.subresources?.filter(({ subresource }) => names.has(subresource)) ?? [];
        const { subresources: _, ...rest } = each ?? {};
        return { ...rest, ...(parts.length === 0 ? {} : { subresources: parts }) };
      });
      return { ...version, resources };
    });
    return { ...group, versions: found };
  });
}

/** Offline clusters serve one version of autoscaling. */
export function withoutOldVersions(list: Readonly<Record<string, unknown>>): unknown {
  const groups = list.groups as readonly { readonly name: string; readonly versions: readonly { readonly version: string }[] }[];
  return {
    ...list,
    groups: groups.map((group) =>
      group.name === 'autoscaling' ? { ...group, versions: group.versions.filter(({ version }) => version !== 'v1') } : group,
    ),
  };
}

const VARYING: ReadonlySet<string> = new Set([
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'time',
  'selfLink',
  'Age',
  'managedFields',
]);

/** Without times, names that are made up or empty, and descriptions, which aren't recorded. */
export function normal(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normal);
  if (!isRecord(value)) return typeof value === 'string' && /^\d+s$/.test(value) ? '…' : value;
  const entries = Object.entries(value).filter(([name, each]) => name !== 'description' && !(name === 'name' && each === ''));
  return Object.fromEntries(entries.map(([name, each]) => [name, VARYING.has(name) ? '…' : normal(each)]));
}
