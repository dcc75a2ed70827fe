import { ClustersetError, isRecord, type ServedResource } from '../kube/index.ts';

/** Accept header of aggregated discovery, stable since Kubernetes 1.30. */
export const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

interface Discovery {
  readonly items: readonly {
    readonly metadata?: { readonly name?: string };
    readonly versions: readonly {
      readonly version: string;
      readonly resources?: readonly {
        readonly resource: string;
        readonly responseKind?: { readonly kind: string };
        readonly scope: string;
        readonly verbs?: readonly string[];
        readonly shortNames?: readonly string[];
        readonly subresources?: readonly { readonly subresource: string }[];
      }[];
    }[];
  }[];
}

/** The resources in an APIGroupDiscoveryList; of one resource, the preferred version comes first. */
export function readAggregated(document: unknown, cluster: string): readonly ServedResource[] {
  if (!isRecord(document) || document.kind !== 'APIGroupDiscoveryList') {
    throw new ClustersetError({
      code: 'NotImplemented',
      message: 'its API server has no aggregated discovery',
      cluster,
      mend: 'use Kubernetes 1.30 or newer, or name the types in a FederatedTypeConfig',
    });
  }
  return (document as unknown as Discovery).items.flatMap(({ metadata, versions }) =>
    versions.flatMap(({ version, resources = [] }) =>
      resources.map(({ resource, responseKind, scope, verbs = [], shortNames = [], subresources = [] }) => ({
        group: metadata?.name ?? '',
        version,
        kind: responseKind?.kind ?? '',
        plural: resource,
        scope: scope === 'Cluster' ? ('Cluster' as const) : ('Namespaced' as const),
        verbs,
        shortNames,
        subresources: subresources.map(({ subresource }) => subresource),
      })),
    ),
  );
}
