import type { ServiceImport, ServiceImportPort } from '../../../src/mcs/api.ts';
import { importSlices, type SliceImportInput, type SliceImportPlan } from '../../../src/mcs/slices/import-slices.ts';
import type { EndpointSlice, SliceEndpoint } from '../../../src/mcs/slices/types.ts';

export const HTTP: ServiceImportPort = { name: 'http', protocol: 'TCP', port: 80 };

export function importOf(spec: Partial<NonNullable<ServiceImport['spec']>> = {}): ServiceImport {
  return {
    apiVersion: 'multicluster.x-k8s.io/v1beta1',
    kind: 'ServiceImport',
    metadata: { namespace: 'shop', name: 'web', uid: 'uid-of-web' },
    spec: { type: 'ClusterSetIP', ports: [HTTP], ...spec },
  };
}

export function sourceSlice(
  name: string,
  endpoints: readonly SliceEndpoint[],
  more: Record<string, unknown> = {},
): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace: 'shop', name, labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    endpoints,
    ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
    ...more,
  };
}

export function pod(address: string, more: Record<string, unknown> = {}): SliceEndpoint {
  return { addresses: [address], conditions: { ready: true, serving: true, terminating: false }, ...more };
}

export function pods(count: number, start = 0): readonly SliceEndpoint[] {
  return Array.from({ length: count }, (_, index) => pod(`10.1.${(start + index) >> 8}.${(start + index) & 255}`));
}

/** The plan for one cluster `east`, whose Service has the port of the import. */
export function importFromEast(slices: readonly EndpointSlice[], more: Partial<SliceImportInput> = {}): SliceImportPlan {
  return importSlices({
    serviceImport: importOf(),
    sources: [{ cluster: 'east', ports: [HTTP], slices }],
    current: [],
    ...more,
  });
}

export const addressesOf = (slices: readonly EndpointSlice[]): readonly string[] =>
  slices.flatMap(({ endpoints }) => (endpoints ?? []).flatMap(({ addresses }) => addresses)).toSorted();

export const stepsOf = ({ steps }: SliceImportPlan): readonly string[] =>
  steps.map(({ op, reasons }) => `${op}: ${reasons.join(' ')}`);

export const reasonsOf = ({ leftOut }: Pick<SliceImportPlan, 'leftOut'>): readonly string[] =>
  leftOut.map(({ reason }) => reason);
