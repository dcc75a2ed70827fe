import { contentHash } from '../../kube/index.ts';
import { SOURCE_CLUSTER_LABEL } from '../api.ts';
import { type EndpointSlice, SOURCE_SLICE_ANNOTATION } from './types.ts';

/** What an imported slice is named after. */
export interface SliceOrigin {
  readonly namespace: string;
  /** Name of the ServiceImport. */
  readonly service: string;
  readonly cluster: string;
  /** Name of the slice in its own cluster. */
  readonly slice: string;
  readonly addressType: string;
}

const PREFIX = 'imported';
const NAME = /^(imported-[0-9a-f]{32})-(0|[1-9][0-9]{0,5})$/;

/**
 * What the names of all slices imported from one source slice begin with: a fixed prefix and 128 bits of a hash, because the parts may be
 * 253 characters long each. The address family is a part of it, because a slice's family never changes: a source that was replaced by one of
 * the other family gets other slices.
 */
export function importedSliceStem({ namespace, service, cluster, slice, addressType }: SliceOrigin): string {
  return `${PREFIX}-${contentHash([namespace, service, cluster, slice, addressType]).slice(0, 32)}`;
}

/** Takes a name apart that {@link importedSliceStem} began; nothing for other names. */
export function parseImportedName(name: string): { readonly stem: string; readonly index: number } | undefined {
  const match = NAME.exec(name);
  return match === null ? undefined : { stem: match[1] ?? '', index: Number(match[2]) };
}

/** Which slice of which cluster an imported slice was made from, by its label and its annotation; nothing where they are missing. */
export function sourceOfSlice(slice: EndpointSlice): { readonly cluster: string; readonly slice: string } | undefined {
  const cluster = slice.metadata.labels?.[SOURCE_CLUSTER_LABEL];
  const name = slice.metadata.annotations?.[SOURCE_SLICE_ANNOTATION];
  return cluster === undefined || name === undefined ? undefined : { cluster, slice: name };
}
