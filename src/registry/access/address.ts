import ipaddr from 'ipaddr.js';

/** The URL that a registry's address stands for, or why there is none. */
export type ServerUrl = { readonly url: string } | { readonly problem: string; readonly mend: string };

const PORTS = { lowest: 1, highest: 65_535 };
/** More than any address has; what is longer isn't looked at. */
const LONGEST = 2048;
const LONGEST_HOST = 253;
const MEND = 'write it as in "host:6443", "10.0.0.1:6443", "[fd00::1]:6443" or "https://host:6443"';
const PROXY_MEND = 'write it as in "http://proxy:3128", without a user: give that to the client';
/** What a path may hold (RFC 3986 §3.3). */
const PATH = /^[a-z0-9._~!$&'()*+,;=:%/-]*$/i;

/**
 * Reads an address as registries write it: host, host:port, IP, IP:port, or a URL. Without a scheme it is https. What isn't needed to reach a
 * server (a user, a query, a fragment) is refused, because some of it may be secret; so is what URLs would take for another host than people
 * do, such as `010.0.0.1`.
 */
export function serverUrl(address: string): ServerUrl {
  const text = address.length > LONGEST ? address : address.trim();
  if (text === '') return { problem: 'is empty', mend: MEND };
  if (text.length > LONGEST) return { problem: `is longer than ${LONGEST} characters`, mend: MEND };
  const match = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/i.exec(text);
  const scheme = match?.[1]?.toLowerCase() ?? 'https';
  if (scheme !== 'http' && scheme !== 'https')
    return { problem: `has the scheme "${scheme}": only http and https are known`, mend: MEND };
  const [authority = '', ...path] = bracketed(match?.[2] ?? text).split('/');
  const below = withoutTrailingSlashes(path.join('/'));
  if (/[@?#\\]/.test(authority) || !PATH.test(below)) return { problem: 'holds more than host, port and path', mend: MEND };
  const server = serverOf(authority);
  return 'problem' in server ? server : { url: `${scheme}://${server.url}${below === '' ? '' : `/${below}`}` };
}

function serverOf(authority: string): ServerUrl {
  const [, host, digits] = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?$/i.exec(authority) ?? [];
  if (host === undefined || !isHost(host)) return { problem: 'has no host that can be read', mend: MEND };
  if (digits === undefined) return { url: host.toLowerCase() };
  const port = Number(digits);
  return port >= PORTS.lowest && port <= PORTS.highest
    ? { url: `${host.toLowerCase()}:${port}` }
    : { problem: `has the port ${port}, which is not between ${PORTS.lowest} and ${PORTS.highest}`, mend: MEND };
}

/**
 * Reads the URL of a proxy: http, https or socks5, as kubefed and kubeconfigs allow. One with a user in it is refused: an entry holds no
 * credentials, not even those for a proxy.
 */
export function proxyUrl(address: string): ServerUrl {
  const [, scheme, rest = ''] = /^(https?|socks5):\/\/(.*)$/i.exec(address.length > LONGEST ? '' : address.trim()) ?? [];
  if (scheme === undefined) return { problem: 'is no proxy of http, https or socks5', mend: PROXY_MEND };
  const read = serverUrl(`https://${rest}`);
  return 'problem' in read
    ? { problem: read.problem, mend: PROXY_MEND }
    : { url: read.url.replace('https', scheme.toLowerCase()) };
}

/** A bare IPv6 address, which has more than one colon, gets the brackets that a URL wants. */
function bracketed(text: string): string {
  const isBareIpv6 = /^[0-9a-f:.]+$/i.test(text) && text.split(':').length > 2;
  return isBareIpv6 ? `[${text}]` : text;
}

/** Not by a pattern: those look again from every slash on. */
function withoutTrailingSlashes(path: string): string {
  let end = path.length;
  while (path[end - 1] === '/') end -= 1;
  return path.slice(0, end);
}

/** A name or an IP address. A name that ends in a number would be an IP address to URLs (WHATWG URL, "ends in a number"). */
function isHost(host: string): boolean {
  if (host.startsWith('[')) return ipaddr.IPv6.isValid(host.slice(1, -1));
  const labels = (host.endsWith('.') ? host.slice(0, -1) : host).split('.');
  const endsInNumber = /^([0-9]+|0x[0-9a-f]*)$/i.test(labels.at(-1) ?? '');
  if (endsInNumber) return ipaddr.IPv4.isValidFourPartDecimal(host) && labels.every((label) => !/^0[0-9]/.test(label));
  return host.length <= LONGEST_HOST && labels.every((label) => label !== '' && label.length <= 63);
}
