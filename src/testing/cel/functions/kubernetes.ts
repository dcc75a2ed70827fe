import ipaddr from 'ipaddr.js';
import {
  addQuantities,
  checkDns1035Label,
  checkDnsLabel,
  checkDnsSubdomain,
  checkLabelKey,
  checkLabelValue,
  compareQuantities,
  isClustersetError,
  parseQuantity,
  type Quantity,
  quantityToNumber,
} from '../../../kube/plain/index.ts';
import { readDate, readTimestamp } from '../time.ts';
import { CelFailure, int, List, MapValue, noOverload, Opaque, Optional, type Value } from '../values.ts';
import { type CelFunction, define, text } from './function.ts';

const QUANTITY = 'kubernetes.Quantity';
const LINK = 'kubernetes.URL';
const ADDRESS = 'net.IP';
const RANGE = 'net.CIDR';
const SEMVER = 'kubernetes.Semver';
const FORMAT = 'kubernetes.NamedFormat';

/** Types of Kubernetes' own libraries. */
export const OPAQUE_TYPES: readonly string[] = [QUANTITY, LINK, ADDRESS, RANGE, SEMVER, FORMAT];

function content<T>(value: Value | undefined, type: string): T {
  if (value instanceof Opaque && value.type === type) return value.content as T;
  throw noOverload();
}

const isOk = (read: () => unknown): boolean => {
  try {
    read();
    return true;
  } catch (error) {
    if (error instanceof CelFailure) return false;
    throw error;
  }
};

function readQuantity(given: string): Quantity {
  try {
    return parseQuantity(given);
  } catch (error) {
    throw new CelFailure(isClustersetError(error) ? error.detail : String(error));
  }
}

/** Equal amounts are equal, however they were written. */
const quantity = (value: Quantity): Opaque => {
  const [digits, exponent] = normal(value);
  return new Opaque(QUANTITY, value, `${digits}e${exponent}`);
};

function normal({ mantissa, exponent }: Quantity): readonly [bigint, number] {
  let [digits, power] = [mantissa, exponent];
  if (digits === 0n) return [0n, 0];
  while (digits % 10n === 0n) {
    digits /= 10n;
    power += 1;
  }
  return [digits, power];
}

function amount(value: Value | undefined): Quantity {
  if (typeof value === 'bigint') return { mantissa: value, exponent: 0, format: 'DecimalSI' };
  return content<Quantity>(value, QUANTITY);
}

function wholeAmount(value: Quantity): bigint | undefined {
  const [digits, exponent] = normal(value);
  if (exponent < 0) return undefined;
  const result = digits * 10n ** BigInt(exponent);
  return result >= -(2n ** 63n) && result < 2n ** 63n ? result : undefined;
}

type Version = readonly [major: bigint, minor: bigint, patch: bigint, pre: readonly string[]];
const PART = '(0|[1-9]\\d*)';
const VERSION = new RegExp(`^${PART}\\.${PART}\\.${PART}(?:-([0-9A-Za-z.-]+))?(?:\\+[0-9A-Za-z.-]+)?$`);

function readVersion(given: string, isLoose: boolean): Version {
  const found = VERSION.exec(isLoose ? normalized(given) : given);
  const [, major = '', minor = '', patch = '', pre = ''] = found ?? [];
  if (found === null) throw new CelFailure(`No Major.Minor.Patch elements found`);
  return [int(BigInt(major)), int(BigInt(minor)), int(BigInt(patch)), pre === '' ? [] : pre.split('.')];
}

/** With the v taken off, missing parts filled in and leading zeros left out. */
function normalized(given: string): string {
  const [, numbers = '', rest = ''] = /^v?([0-9.]*)(.*)$/s.exec(given) ?? [];
  const parts = numbers.split('.').map((part) => part.replace(/^0+(?=\d)/, ''));
  while (parts.length < 3) parts.push('0');
  return parts.join('.') + rest;
}

const sign = (a: bigint, b: bigint): number => Number(a > b) - Number(a < b);

function compareVersions(a: Version, b: Version): number {
  const numbers = sign(a[0], b[0]) || sign(a[1], b[1]) || sign(a[2], b[2]);
  if (numbers !== 0) return numbers;
  if (a[3].length === 0 || b[3].length === 0) return Number(a[3].length === 0) - Number(b[3].length === 0);
  for (let at = 0; at < Math.min(a[3].length, b[3].length); at += 1) {
    const order = comparePre(a[3][at] ?? '', b[3][at] ?? '');
    if (order !== 0) return order;
  }
  return Math.sign(a[3].length - b[3].length);
}

function comparePre(a: string, b: string): number {
  const [isNumber, isOther] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (isNumber && isOther) return sign(BigInt(a), BigInt(b));
  if (isNumber !== isOther) return isNumber ? -1 : 1;
  return Number(a > b) - Number(a < b);
}

const version = (value: Version, given: string): Opaque => new Opaque(SEMVER, value, given);

function comparison(a: Value | undefined, b: Value | undefined): number {
  if (a instanceof Opaque && a.type === SEMVER) return compareVersions(a.content as Version, content<Version>(b, SEMVER));
  return Math.sign(compareQuantities(content<Quantity>(a, QUANTITY), content<Quantity>(b, QUANTITY)));
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;

function readAddress(given: string): Address {
  const isKnown = given.includes(':') ? ipaddr.IPv6.isValid(given) : ipaddr.IPv4.isValidFourPartDecimal(given);
  const hasZeros = !given.includes(':') && /(?:^|\.)0\d/.test(given);
  if (!isKnown || hasZeros) {
    throw new CelFailure(
      `IP Address ${JSON.stringify(given)} parse error during conversion from string: ParseAddr(${JSON.stringify(given)}): unable to parse IP`,
    );
  }
  if (given.includes('%')) throw new CelFailure(`IP address ${JSON.stringify(given)} with zone value is not allowed`);
  const address = ipaddr.parse(given);
  if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress()) {
    throw new CelFailure(`IPv4-mapped IPv6 address ${JSON.stringify(given)} is not allowed`);
  }
  return address;
}

const addressText = (address: Address): string =>
  address instanceof ipaddr.IPv6 ? address.toRFC5952String() : address.toString();
const ip = (address: Address): Opaque => new Opaque(ADDRESS, address, addressText(address));

interface Cidr {
  readonly address: Address;
  readonly bits: number;
}

function readCidr(given: string): Cidr {
  const [, host = '', length = ''] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(given) ?? [];
  const problem = `network address parse error during conversion from string: netip.ParsePrefix(${JSON.stringify(given)}): invalid prefix`;
  if (host === '') throw new CelFailure(problem);
  const address = readAddress(host);
  const bits = Number(length);
  if (bits > (address instanceof ipaddr.IPv6 ? 128 : 32)) throw new CelFailure(problem);
  return { address, bits };
}

const cidr = (value: Cidr): Opaque => new Opaque(RANGE, value, `${addressText(value.address)}/${value.bits}`);

function masked({ address, bits }: Cidr): Cidr {
  const bytes = address.toByteArray().map((byte, at) => byte & (0xff00 >> Math.min(8, Math.max(0, bits - at * 8))) & 0xff);
  return { address: ipaddr.fromByteArray(bytes), bits };
}

function isWithin(outer: Cidr, address: Address, bits: number): boolean {
  if (address.kind() !== outer.address.kind() || bits < outer.bits) return false;
  return addressText(masked({ address, bits: outer.bits }).address) === addressText(masked(outer).address);
}

const addressOf = (value: Value | undefined): Address =>
  typeof value === 'string' ? readAddress(value) : content<Address>(value, ADDRESS);
const cidrOf = (value: Value | undefined): Cidr => (typeof value === 'string' ? readCidr(value) : content<Cidr>(value, RANGE));

const inRange = (name: string, ranges: readonly string[]): CelFunction =>
  define(name, [`${ADDRESS}.${name}(): bool`], ([value]) => ranges.includes(content<Address>(value, ADDRESS).range()));

function isLinkLocalMulticast(address: Address): boolean {
  const [first = 0, second = 0, third = 0] = address.toByteArray();
  return address instanceof ipaddr.IPv6 ? first === 0xff && (second & 0x0f) === 2 : first === 224 && second === 0 && third === 0;
}

const NOT_GLOBAL: ReadonlySet<string> = new Set(['unspecified', 'loopback', 'multicast', 'linkLocal', 'broadcast']);

interface Link {
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
}

/** As Go reads a URL in a request: with a scheme, or a path from the root. */
function readLink(given: string): Link {
  const [, scheme = '', host = '', path = '', query = ''] =
    /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/(?:[^/?#@]*@)?([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#.*)?$/s.exec(given) ?? [];
  const isAbsolute = scheme !== '' || path.startsWith('/');
  const isPlain = /^[^\s\p{Cc}]*$/u.test(given) && !/%(?![0-9A-Fa-f]{2})/.test(host + path);
  const hasHost = /^(?:\[[0-9A-Fa-f:.%]+\]|[^\s:<>"[\]]*)(?::\d*)?$/.test(host);
  if (given === '' || !isAbsolute || !isPlain || !hasHost) {
    throw new CelFailure(
      `URL parse error during conversion from string: parse ${JSON.stringify(given)}: invalid URI for request`,
    );
  }
  return { scheme: scheme.toLowerCase(), host, path, query };
}

function queryOf({ query }: Link): MapValue {
  const values = new Map<string, Value[]>();
  for (const [key, value] of new URLSearchParams(query)) values.set(key, [...(values.get(key) ?? []), value]);
  return new MapValue([...values].map(([key, all]) => [key, new List(all)] as const));
}

const linkPart = (name: string, result: string, read: (link: Link) => Value): CelFunction =>
  define(name, [`${LINK}.${name}(): ${result}`], ([value]) => read(content<Link>(value, LINK)));

const matches = (pattern: RegExp, problem: string) => (value: string) => (pattern.test(value) ? [] : [problem]);
const trailing = (check: (value: string) => readonly string[]) => (value: string) => check(value.replace(/-$/, 'a'));

const FORMATS: Readonly<Record<string, (value: string) => readonly string[]>> = {
  dns1123Label: checkDnsLabel,
  dns1123Subdomain: checkDnsSubdomain,
  dns1035Label: checkDns1035Label,
  dns1123LabelPrefix: trailing(checkDnsLabel),
  dns1123SubdomainPrefix: trailing(checkDnsSubdomain),
  dns1035LabelPrefix: trailing(checkDns1035Label),
  qualifiedName: checkLabelKey,
  labelValue: checkLabelValue,
  uri: (value) => (isOk(() => readLink(value)) ? [] : [`parse ${JSON.stringify(value)}: invalid URI for request`]),
  uuid: matches(/^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i, 'does not match the UUID format'),
  byte: matches(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/, 'invalid base64'),
  date: (value) => (readDate(value) === undefined ? ['invalid date'] : []),
  datetime: (value) => (readTimestamp(value) === undefined ? ['invalid datetime'] : []),
};

const named = (name: string): Value => new Opaque(FORMAT, name, name);

export const KUBERNETES_FUNCTIONS: readonly CelFunction[] = [
  define('quantity', [`quantity(string): ${QUANTITY}`], ([given]) => quantity(readQuantity(text(given)))),
  define('isQuantity', ['isQuantity(string): bool'], ([given]) => isOk(() => readQuantity(text(given)))),
  define('sign', [`${QUANTITY}.sign(): int`], ([value]) => BigInt(sign(amount(value).mantissa, 0n))),
  define('isInteger', [`${QUANTITY}.isInteger(): bool`], ([value]) => wholeAmount(amount(value)) !== undefined),
  define('asInteger', [`${QUANTITY}.asInteger(): int`], ([value]) => {
    const result = wholeAmount(amount(value));
    if (result === undefined) throw new CelFailure('cannot convert value to integer');
    return result;
  }),
  define('asApproximateFloat', [`${QUANTITY}.asApproximateFloat(): double`], ([value]) => quantityToNumber(amount(value))),
  define('add', [`${QUANTITY}.add(${QUANTITY}): ${QUANTITY}`, `${QUANTITY}.add(int): ${QUANTITY}`], ([a, b]) =>
    quantity(addQuantities(amount(a), amount(b))),
  ),
  define('sub', [`${QUANTITY}.sub(${QUANTITY}): ${QUANTITY}`, `${QUANTITY}.sub(int): ${QUANTITY}`], ([a, b]) => {
    const { text: _, ...other } = amount(b);
    return quantity(addQuantities(amount(a), { ...other, mantissa: -other.mantissa }));
  }),
  define(
    'isGreaterThan',
    [`${QUANTITY}.isGreaterThan(${QUANTITY}): bool`, `${SEMVER}.isGreaterThan(${SEMVER}): bool`],
    ([a, b]) => comparison(a, b) > 0,
  ),
  define(
    'isLessThan',
    [`${QUANTITY}.isLessThan(${QUANTITY}): bool`, `${SEMVER}.isLessThan(${SEMVER}): bool`],
    ([a, b]) => comparison(a, b) < 0,
  ),
  define('compareTo', [`${QUANTITY}.compareTo(${QUANTITY}): int`, `${SEMVER}.compareTo(${SEMVER}): int`], ([a, b]) =>
    BigInt(comparison(a, b)),
  ),
  define('semver', [`semver(string): ${SEMVER}`, `semver(string, bool): ${SEMVER}`], ([given, isLoose]) =>
    version(readVersion(text(given), isLoose === true), isLoose === true ? normalized(text(given)) : text(given)),
  ),
  define('isSemver', ['isSemver(string): bool', 'isSemver(string, bool): bool'], ([given, isLoose]) =>
    isOk(() => readVersion(text(given), isLoose === true)),
  ),
  define('major', [`${SEMVER}.major(): int`], ([value]) => content<Version>(value, SEMVER)[0]),
  define('minor', [`${SEMVER}.minor(): int`], ([value]) => content<Version>(value, SEMVER)[1]),
  define('patch', [`${SEMVER}.patch(): int`], ([value]) => content<Version>(value, SEMVER)[2]),
  define('ip', [`ip(string): ${ADDRESS}`, `${RANGE}.ip(): ${ADDRESS}`], ([value]) =>
    typeof value === 'string' ? ip(readAddress(value)) : ip(content<Cidr>(value, RANGE).address),
  ),
  define('isIP', ['isIP(string): bool'], ([given]) => isOk(() => readAddress(text(given)))),
  define(
    'ip.isCanonical',
    ['IpNamespace.isCanonical(string): bool'],
    ([given]) => addressText(readAddress(text(given))) === given,
  ),
  define('family', [`${ADDRESS}.family(): int`], ([value]) =>
    content<Address>(value, ADDRESS) instanceof ipaddr.IPv6 ? 6n : 4n,
  ),
  inRange('isUnspecified', ['unspecified']),
  inRange('isLoopback', ['loopback']),
  inRange('isLinkLocalUnicast', ['linkLocal']),
  define('isLinkLocalMulticast', [`${ADDRESS}.isLinkLocalMulticast(): bool`], ([value]) =>
    isLinkLocalMulticast(content<Address>(value, ADDRESS)),
  ),
  define(
    'isGlobalUnicast',
    [`${ADDRESS}.isGlobalUnicast(): bool`],
    ([value]) => !NOT_GLOBAL.has(content<Address>(value, ADDRESS).range()),
  ),
  define('cidr', [`cidr(string): ${RANGE}`], ([given]) => cidr(readCidr(text(given)))),
  define('isCIDR', ['isCIDR(string): bool'], ([given]) => isOk(() => readCidr(text(given)))),
  define('containsIP', [`${RANGE}.containsIP(string): bool`, `${RANGE}.containsIP(${ADDRESS}): bool`], ([value, given]) => {
    const address = addressOf(given);
    return isWithin(cidrOf(value), address, address instanceof ipaddr.IPv6 ? 128 : 32);
  }),
  define('containsCIDR', [`${RANGE}.containsCIDR(string): bool`, `${RANGE}.containsCIDR(${RANGE}): bool`], ([value, given]) => {
    const inner = cidrOf(given);
    return isWithin(cidrOf(value), inner.address, inner.bits);
  }),
  define('prefixLength', [`${RANGE}.prefixLength(): int`], ([value]) => BigInt(content<Cidr>(value, RANGE).bits)),
  define('masked', [`${RANGE}.masked(): ${RANGE}`], ([value]) => cidr(masked(content<Cidr>(value, RANGE)))),
  define('string', [`string(${ADDRESS}): string`, `string(${RANGE}): string`], () => null),
  define('url', [`url(string): ${LINK}`], ([given]) => new Opaque(LINK, readLink(text(given)), text(given))),
  define('isURL', ['isURL(string): bool'], ([given]) => isOk(() => readLink(text(given)))),
  linkPart('getScheme', 'string', ({ scheme }) => scheme),
  linkPart('getHost', 'string', ({ host }) => host),
  linkPart('getHostname', 'string', ({ host }) => host.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1')),
  linkPart('getPort', 'string', ({ host }) => /:(\d*)$/.exec(host.replace(/^\[.*\]/, ''))?.[1] ?? ''),
  linkPart('getEscapedPath', 'string', ({ path }) => path),
  linkPart('getQuery', 'map<string, list<string>>', queryOf),
  define(
    'format.named',
    [`FormatNamespace.named(string): optional<${FORMAT}>`],
    ([name]) => new Optional(Object.hasOwn(FORMATS, text(name)) ? named(text(name)) : undefined),
  ),
  ...Object.keys(FORMATS).map((name) => define(`format.${name}`, [`FormatNamespace.${name}(): ${FORMAT}`], () => named(name))),
  define('validate', [`${FORMAT}.validate(string): optional<list<string>>`], ([format, given]) => {
    const problems = FORMATS[content<string>(format, FORMAT)]?.(text(given)) ?? [];
    return new Optional(problems.length === 0 ? undefined : new List(problems));
  }),
];
