import type { IPFamily } from './merge/ip-families.ts';

/** What is known of an address. */
export interface Address {
  readonly family: IPFamily;
  /** Unspecified, loopback or link-local: API servers take no such endpoint (API: discovery.k8s.io/v1 validation). */
  readonly special: boolean;
}

/** Reads an address as today's API servers do: no leading zeros, no IPv4 inside of IPv6, no interface. Nothing for other text. */
export function parseAddress(text: string): Address | undefined {
  return text.includes(':') ? parseIPv6(text) : parseIPv4(text);
}

const DOT = 0x2e;
const ZERO = 0x30;

/** Digit by digit, and without lists: this runs for every address of every slice that changes. */
function parseIPv4(text: string): Address | undefined {
  let address = 0;
  let bytes = 0;
  let value = -1;
  for (let at = 0; at <= text.length; at += 1) {
    const code = at === text.length ? DOT : text.charCodeAt(at);
    if (code !== DOT) {
      value = withDigit(value, code - ZERO);
      if (value < 0) return undefined;
      continue;
    }
    if (value < 0 || bytes === 4) return undefined;
    address = address * 256 + value;
    bytes += 1;
    value = -1;
  }
  return bytes === 4 ? ipv4Of(address) : undefined;
}

const IPV4: Address = { family: 'IPv4', special: false };
const SPECIAL_IPV4: Address = { family: 'IPv4', special: true };

function ipv4Of(address: number): Address {
  const first = Math.floor(address / 0x1000000);
  const linkLocal = Math.floor(address / 0x10000) === 0xa9fe || Math.floor(address / 0x100) === 0xe00000;
  return address === 0 || first === 127 || linkLocal ? SPECIAL_IPV4 : IPV4;
}

/** The number with one more digit; -1 for what is no byte. `value` is -1 before the first digit. */
function withDigit(value: number, digit: number): number {
  if (digit < 0 || digit > 9 || value === 0) return -1;
  const next = Math.max(value, 0) * 10 + digit;
  return next > 255 ? -1 : next;
}

const GROUP = /^[0-9a-fA-F]{1,4}$/;

function parseIPv6(text: string): Address | undefined {
  const groups = ipv6Groups(text);
  if (groups === undefined) return undefined;
  const [first = 0, , , , , sixth = 0] = groups;
  const zeros = groups.findIndex((group) => group !== 0);
  if (zeros === 5 && sixth === 0xffff) return undefined;
  const unspecified = zeros < 0;
  const loopback = zeros === 7 && groups[7] === 1;
  const linkLocal = (first & 0xffc0) === 0xfe80 || first === 0xff02;
  return { family: 'IPv6', special: unspecified || loopback || linkLocal };
}

function ipv6Groups(text: string): readonly number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half) => (half === '' ? [] : half.split(':').map(groupOf)));
  if (head === undefined) return undefined;
  const known = [...head, ...(tail ?? [])];
  const missing = 8 - known.length;
  if (known.includes(-1) || (tail === undefined ? missing !== 0 : missing < 1)) return undefined;
  return tail === undefined ? head : [...head, ...new Array<number>(missing).fill(0), ...tail];
}

function groupOf(text: string): number {
  return GROUP.test(text) ? Number.parseInt(text, 16) : -1;
}
