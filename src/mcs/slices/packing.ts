import { compareText } from '../../kube/index.ts';
import { endpointKey, hasAddresses, type ReadEndpoint } from './reading.ts';
import type { EndpointConditions, EndpointSlice, SliceEndpoint } from './types.ts';

/** A slice that is there, and the number at the end of its name. */
export interface NumberedSlice {
  readonly index: number;
  readonly slice: EndpointSlice;
}

/** What one imported slice should hold. */
export interface PackedSlice {
  readonly index: number;
  /** The slice that is there; absent for a new one. */
  readonly current: EndpointSlice | undefined;
  readonly endpoints: readonly SliceEndpoint[];
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
}

interface Bin {
  readonly index: number;
  readonly current: EndpointSlice | undefined;
  readonly endpoints: SliceEndpoint[];
  added: number;
  removed: number;
  changed: number;
}

/**
 * Distributes endpoints over slices so that as few slices as possible change: an endpoint stays where it is; new ones go first into slices
 * that change anyway, then together into the fullest slice that has room for all of them, and else into a new slice (Kubernetes' own
 * controller decides alike). Nothing is moved to fill holes: at worst there are as many slices as there once were endpoints for.
 *
 * @param most Most endpoints in one slice.
 * @param taken Numbers that no new slice may have.
 */
export function packEndpoints(
  current: readonly NumberedSlice[],
  wanted: ReadonlyMap<string, ReadEndpoint>,
  most: number,
  taken: ReadonlySet<number>,
): readonly PackedSlice[] {
  const placed = new Array<boolean>(wanted.size).fill(false);
  const bins = current.toSorted((a, b) => a.index - b.index).map((each) => keep(each, wanted, placed, most));
  if (placed.includes(false)) place(bins, sortedCopies(wanted, placed), most, taken);
  return bins;
}

/** What the slice already has; `placed` notes it, by number. */
function keep({ index, slice }: NumberedSlice, wanted: ReadonlyMap<string, ReadEndpoint>, placed: boolean[], most: number): Bin {
  const bin: Bin = { index, current: slice, endpoints: [], added: 0, removed: 0, changed: 0 };
  const list: readonly unknown[] = Array.isArray(slice.endpoints) ? slice.endpoints : [];
  for (const endpoint of list) {
    const key = hasAddresses(endpoint) ? keyOf(endpoint) : '';
    const source = bin.endpoints.length < most ? wanted.get(key) : undefined;
    if (source === undefined || placed[source.number] === true) {
      bin.removed += 1;
      continue;
    }
    placed[source.number] = true;
    const same = isCopy(endpoint as SliceEndpoint, source);
    if (!same) bin.changed += 1;
    bin.endpoints.push(same ? (endpoint as SliceEndpoint) : copyOf(source));
  }
  return bin;
}

function keyOf(endpoint: SliceEndpoint): string {
  return endpointKey(endpoint.addresses, endpoint.hostname);
}

function sortedCopies(wanted: ReadonlyMap<string, ReadEndpoint>, placed: readonly boolean[]): readonly SliceEndpoint[] {
  return [...wanted]
    .filter(([, { number }]) => placed[number] === false)
    .sort(([a], [b]) => compareText(a, b))
    .map(([, source]) => copyOf(source));
}

function place(bins: Bin[], endpoints: readonly SliceEndpoint[], most: number, taken: ReadonlySet<number>): void {
  let at = 0;
  const fill = (bin: Bin): void => {
    const next = endpoints.slice(at, at + most - bin.endpoints.length);
    bin.endpoints.push(...next);
    bin.added += next.length;
    at += next.length;
  };
  const changing = bins.filter(({ removed, changed }) => removed + changed > 0);
  for (const bin of changing.toSorted(fullestFirst)) fill(bin);
  const used = new Set([...taken, ...bins.map(({ index }) => index)]);
  let free = 0;
  while (at < endpoints.length) {
    const left = endpoints.length - at;
    const roomy = bins.filter((each) => most - each.endpoints.length >= left).toSorted(fullestFirst)[0];
    if (roomy !== undefined) {
      fill(roomy);
      return;
    }
    while (used.has(free)) free += 1;
    used.add(free);
    const added: Bin = { index: free, current: undefined, endpoints: [], added: 0, removed: 0, changed: 0 };
    fill(added);
    bins.push(added);
  }
}

function fullestFirst(a: Bin, b: Bin): number {
  return b.endpoints.length - a.endpoints.length || a.index - b.index;
}

/**
 * What is imported of an endpoint: addresses, conditions as they are, hostname (headless names need it) and zone. `nodeName`, `targetRef`
 * and `hints` stay behind: they name objects of the other cluster.
 */
function copyOf({ endpoint, hostname }: ReadEndpoint): SliceEndpoint {
  const { addresses, conditions, zone } = endpoint;
  return {
    addresses: [...addresses],
    conditions: conditionsOf(conditions),
    ...(hostname === undefined ? {} : { hostname }),
    ...(typeof zone === 'string' && zone !== '' ? { zone } : {}),
  };
}

function conditionsOf(conditions: EndpointConditions | null | undefined): EndpointConditions {
  const { ready, serving, terminating } = conditions ?? {};
  return {
    ...(typeof ready === 'boolean' ? { ready } : {}),
    ...(typeof serving === 'boolean' ? { serving } : {}),
    ...(typeof terminating === 'boolean' ? { terminating } : {}),
  };
}

const COPIED: ReadonlySet<string> = new Set(['addresses', 'conditions', 'hostname', 'zone']);

/** Whether an endpoint is what {@link copyOf} would make, without making it. Their keys are equal, so addresses and hostname are. */
function isCopy(endpoint: SliceEndpoint, { endpoint: source }: ReadEndpoint): boolean {
  const { conditions: a, zone } = endpoint;
  const { conditions: b } = source;
  if (!sameFlag(a?.ready, b?.ready) || !sameFlag(a?.serving, b?.serving) || !sameFlag(a?.terminating, b?.terminating))
    return false;
  const sourceZone = typeof source.zone === 'string' && source.zone !== '' ? source.zone : undefined;
  if ((zone ?? undefined) !== sourceZone) return false;
  for (const field in endpoint) if (!COPIED.has(field) && endpoint[field] !== undefined) return false;
  return true;
}

function sameFlag(a: unknown, b: unknown): boolean {
  return (a ?? undefined) === (b ?? undefined);
}
