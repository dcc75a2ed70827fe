import ipaddr from 'ipaddr.js';
import type { Issue } from '../../kube/index.ts';
import type { ClusterEndpoint, ClusterEntry } from '../entry.ts';

/** Which of several ranges that hold the client's address counts: the first in the list, as in kubefed, or the narrowest. */
export type EndpointChoice = 'firstMatch' | 'longestPrefix';

/** What {@link chooseEndpoints} takes. */
export interface EndpointQuestion {
  /** The client's own IP address. Without it (or `null`, as JSON has it) every endpoint is a candidate, in the order of the list. */
  readonly client?: string | null;
  /** Default: `longestPrefix`. */
  readonly choice?: EndpointChoice;
}

/** Which endpoints a client should try, best first. */
export interface ChosenEndpoints {
  readonly candidates: readonly ClusterEndpoint[];
  /** Why an endpoint is no candidate, or its range can't be read: such a range holds no client that knows its address. */
  readonly issues: readonly Issue[];
}

interface Range {
  readonly endpoint: ClusterEndpoint;
  readonly prefix: number;
}

/**
 * Which endpoints of a cluster a client should use: those whose range holds its address, best first; after a failed connection the next one.
 *
 * - `firstMatch` is kubefed's rule, the only one that was ever published: the order of the list, so that a range for everyone hides what
 *   comes behind it. Here it only stands before it.
 * - `longestPrefix` prefers the narrowest range, as routers do; equal ranges stay in the order of the list.
 *
 * An endpoint without a range is for everyone. So is `0.0.0.0` or `::`, which the registry's own example says in place of `0.0.0.0/0`; another
 * bare address is a range of itself. An IPv4 address that is written as IPv6 counts as IPv4, and a range of IPv6 doesn't hold clients of IPv4.
 */
export function chooseEndpoints(entry: Pick<ClusterEntry, 'endpoints'>, question: EndpointQuestion = {}): ChosenEndpoints {
  const { choice = 'longestPrefix' } = question;
  const client = question.client ?? undefined;
  const issues: Issue[] = [];
  const address = client === undefined ? undefined : addressOf(client);
  if (client !== undefined && address === undefined) {
    issues.push({ field: 'client', message: `${JSON.stringify(client)} is no IP address, so that every endpoint counts` });
  }
  const ranges: Range[] = [];
  (entry.endpoints ?? []).forEach((endpoint, index) => {
    const prefix = prefixFor(endpoint.clientCIDR, address);
    if (typeof prefix !== 'number') issues.push({ field: `endpoints[${index}].clientCIDR`, ...prefix });
    // Who doesn't know its own address can't be told by a range that it should stay away.
    if (typeof prefix === 'number' || address === undefined) ranges.push({ endpoint, prefix: Number(prefix) });
  });
  const inOrder = choice === 'firstMatch' || address === undefined;
  const ordered = inOrder ? ranges : ranges.toSorted((a, b) => b.prefix - a.prefix);
  return { candidates: ordered.map(({ endpoint }) => endpoint), issues };
}

/** What is wrong with a range, whoever asks. */
export function rangeIssue(clientCIDR: string): Omit<Issue, 'field'> | undefined {
  const range = readRange(clientCIDR);
  if ('message' in range) return range;
  if (clientCIDR === '' || clientCIDR.includes('/')) return undefined;
  const meant = 'everyone' in range ? 'everyone' : 'this address alone';
  return { message: `"${clientCIDR}" has no prefix length: it is taken for ${meant}`, mend: 'write the range in full' };
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Problem = Omit<Issue, 'field'>;
const EVERYONE = { everyone: true } as const;
/** `0000:0000:0000:0000:0000:ffff:255.255.255.255` */
const LONGEST_ADDRESS = 45;
const LONGEST_RANGE = LONGEST_ADDRESS + '/128'.length;

/** How narrow the range is that holds the address, or why it doesn't. */
function prefixFor(text: string | undefined, client: Address | undefined): number | Problem {
  const range = readRange(text);
  if ('message' in range) return range;
  if ('everyone' in range || client === undefined) return 0;
  const { network, prefix } = range;
  const holds = network.kind() === client.kind() && client.match(network, prefix);
  return holds ? prefix : { message: `${text} does not hold the client ${client.toString()}` };
}

function readRange(text: string | undefined): typeof EVERYONE | { network: Address; prefix: number } | Problem {
  if (text === undefined || text === '') return EVERYONE;
  const [base = '', bits, ...more] = text.split('/', 3);
  const network = addressOf(base);
  const said = text.length > LONGEST_RANGE ? 'it' : JSON.stringify(text);
  const broken = { message: `${said} is no range of addresses`, mend: 'write it as in "10.0.0.0/8" or "fd00::/8"' };
  if (network === undefined || more.length > 0) return broken;
  const longest = network.kind() === 'ipv4' ? 32 : 128;
  if (bits === undefined) return network.toByteArray().every((byte) => byte === 0) ? EVERYONE : { network, prefix: longest };
  const isMapped = network.kind() === 'ipv4' && base.includes(':');
  const prefix = Number(bits) - (isMapped ? 96 : 0);
  return /^[0-9]{1,3}$/.test(bits) && prefix >= 0 && prefix <= longest ? { network, prefix } : broken;
}

/** An IP address as people write it: four decimal parts, or IPv6 without a zone. */
function addressOf(text: string): Address | undefined {
  if (text.length > LONGEST_ADDRESS) return undefined;
  const isWellFormed = text.includes(':') ? /^[0-9a-f:.]+$/i.test(text) : ipaddr.IPv4.isValidFourPartDecimal(text);
  if (!isWellFormed || !ipaddr.isValid(text)) return undefined;
  return ipaddr.process(text);
}
