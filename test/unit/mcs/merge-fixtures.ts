import type { AnyObject } from 'clusterset/kube';
import type { ServiceExport, ServiceImport } from '../../../src/mcs/api.ts';
import { type ExportedService, exportedService } from '../../../src/mcs/merge/exports.ts';
import { type MergedExports, type MergeInput, mergeExports } from '../../../src/mcs/merge/merge.ts';

export const NOW = '2026-06-01T12:00:00Z';
export const LATER = '2026-06-01T12:05:00Z';

/** A Service as an API server stores it. */
export function service(spec: Readonly<Record<string, unknown>> = {}, name = 'web'): AnyObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'shop', name, labels: { of: 'the-service' }, annotations: { of: 'the-service' } },
    spec: {
      type: 'ClusterIP',
      clusterIP: '10.0.0.1',
      ipFamilies: ['IPv4'],
      sessionAffinity: 'None',
      internalTrafficPolicy: 'Cluster',
      ports: [{ name: 'http', protocol: 'TCP', port: 80, targetPort: 8080 }],
      ...spec,
    },
  };
}

/** A ServiceExport, so many seconds old at the same hour. */
export function serviceExport(second: number, spec?: ServiceExport['spec'], name = 'web'): ServiceExport {
  return {
    apiVersion: 'multicluster.x-k8s.io/v1beta1',
    kind: 'ServiceExport',
    metadata: {
      namespace: 'shop',
      name,
      generation: 1,
      creationTimestamp: `2026-06-01T10:00:${String(second).padStart(2, '0')}Z`,
      labels: { of: 'the-export' },
    },
    ...(spec === undefined ? {} : { spec }),
  };
}

/** One cluster's export; the second orders it. */
export function exported(
  cluster: string,
  second: number,
  spec: Readonly<Record<string, unknown>> = {},
  exportSpec?: ServiceExport['spec'],
): ExportedService {
  return exportedService(cluster, serviceExport(second, exportSpec), service(spec));
}

export const port = (text: string): Record<string, unknown> => {
  const [, name, number, protocol] = /^(?:([a-z-]+) )?(\d+)(?:\/(\w+))?$/.exec(text) ?? [];
  return {
    ...(name === undefined ? {} : { name }),
    port: Number(number),
    ...(protocol === undefined ? {} : { protocol }),
  };
};

export function merged(exports: readonly ExportedService[], more: Partial<MergeInput> = {}): MergedExports {
  return mergeExports({ namespace: 'shop', name: 'web', exports, now: NOW, ...more });
}

/** What the API server would have after everything was written. */
export function stored(result: MergedExports): ServiceImport | undefined {
  return result.serviceImport as ServiceImport | undefined;
}

/** The same exports with the conditions that the merge gave them. */
export function settled(exports: readonly ExportedService[], result: MergedExports): readonly ExportedService[] {
  const conditions = new Map(result.exports.map((each) => [each.cluster, each.conditions]));
  return exports.map((each) => ({
    ...each,
    export: { ...each.export, conditions: conditions.get(each.cluster) ?? [] },
  }));
}

export const conditionOf = (
  result: MergedExports,
  cluster: string,
  type: string,
): { readonly status: string; readonly reason: string; readonly message: string } | undefined =>
  result.exports.find((each) => each.cluster === cluster)?.conditions.find((each) => each.type === type);

export const reasonOf = (result: MergedExports, cluster: string, type: string): string => {
  const condition = conditionOf(result, cluster, type);
  return condition === undefined ? 'none' : `${condition.status} ${condition.reason}`;
};
