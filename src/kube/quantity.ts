import { ClustersetError } from './errors.ts';

/** How a quantity was written, and is written again: `1500m` and `2G`, `1Gi`, or `12e6`. */
export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent';

/** An exact amount: `mantissa × 10^exponent`, no finer than nano (API: apimachinery resource.Quantity). */
export interface Quantity {
  readonly mantissa: bigint;
  readonly exponent: number;
  readonly format: QuantityFormat;
  /** The text it was read from, where Kubernetes would write that again (`0.5k` it rewrites, `1e+3` it doesn't). */
  readonly text?: string;
}

const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const BINARY: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };
const NANO = -9;
const MAX_BINARY = 2n ** 63n - 1n;
/** Longer exponents are no amount of anything, and would take memory to write out. */
const MAX_EXPONENT = 1000;

/**
 * Reads a quantity such as `1.5`, `1500m`, `2Gi` or `12e6`. Finer parts than nano are rounded up, away from zero, as Kubernetes does.
 *
 * @throws ClustersetError `Invalid`, in Kubernetes' words.
 */
export function parseQuantity(text: string): Quantity {
  const match = /^([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/.exec(text);
  if (match === null || text === '') {
    throw invalid("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
  }
  const [, sign, whole = '', fraction = '', suffix = ''] = match;
  const { base, exponent, format } = interpret(suffix);
  const digits = BigInt(`0${whole}${fraction}`);
  const mantissa = (base === 2 ? digits * 2n ** BigInt(exponent) : digits) * (sign === '-' ? -1n : 1n);
  const amount = roundUp(mantissa, (base === 10 ? exponent : 0) - fraction.length);
  const quantity: Quantity = format === 'BinarySI' ? capped(amount) : { ...amount, format };
  return keepsItsText(whole.replace(/^0+/, ''), fraction, { exponent, format }) ? { ...quantity, text } : quantity;
}

/** When Kubernetes writes a quantity as it read it: the number is short enough and its exponent fits a suffix. */
function keepsItsText(whole: string, fraction: string, { exponent, format }: Pick<Quantity, 'exponent' | 'format'>): boolean {
  const digits = `${whole === '' ? '0' : whole}${fraction}`;
  if (format === 'BinarySI') {
    const precision = 14 - (whole === '' ? 1 : whole.length) - Math.trunc((exponent * 3) / 10);
    return fraction === '' && precision >= 0 && BigInt(digits) % 8n !== 0n;
  }
  const scale = exponent - fraction.length;
  const isCanonical = scale % 3 === 0 && !digits.endsWith('000') && !digits.startsWith('0');
  return scale >= NANO && digits.length <= 18 && isCanonical;
}

function interpret(suffix: string): { base: 2 | 10; exponent: number; format: QuantityFormat } {
  if (Object.hasOwn(DECIMAL, suffix)) return { base: 10, exponent: DECIMAL[suffix] ?? 0, format: 'DecimalSI' };
  if (Object.hasOwn(BINARY, suffix)) return { base: 2, exponent: BINARY[suffix] ?? 0, format: 'BinarySI' };
  const scientific = /^[eE]([+-]?[0-9]+)$/.exec(suffix);
  const exponent = Number(scientific?.[1]);
  if (scientific === null || Math.abs(exponent) > MAX_EXPONENT) throw invalid("unable to parse quantity's suffix");
  return { base: 10, exponent, format: 'DecimalExponent' };
}

type Amount = Pick<Quantity, 'mantissa' | 'exponent'>;

function roundUp(mantissa: bigint, exponent: number): Amount {
  if (exponent >= NANO) return { mantissa, exponent };
  const divisor = 10n ** BigInt(NANO - exponent);
  const quotient = mantissa / divisor;
  const rest = mantissa % divisor;
  const away = mantissa < 0n ? -1n : 1n;
  return { mantissa: rest === 0n ? quotient : quotient + away, exponent: NANO };
}

function capped(amount: Amount): Quantity {
  const limit = { mantissa: amount.mantissa < 0n ? -MAX_BINARY : MAX_BINARY, exponent: 0 };
  const isTooLarge = compareAmounts(magnitude(amount), { mantissa: MAX_BINARY, exponent: 0 }) > 0;
  const { mantissa, exponent } = isTooLarge ? limit : amount;
  return { mantissa, exponent, format: 'BinarySI' };
}

const magnitude = ({ mantissa, exponent }: Amount): Amount => ({ mantissa: mantissa < 0n ? -mantissa : mantissa, exponent });

function compareAmounts(a: Amount, b: Amount): number {
  const [x, y] = aligned(a, b);
  if (x === y) return 0;
  return x < y ? -1 : 1;
}

/** Both mantissas at the smaller of the two exponents. */
function aligned(a: Amount, b: Amount): [bigint, bigint, number] {
  const exponent = Math.min(a.exponent, b.exponent);
  return [a.mantissa * 10n ** BigInt(a.exponent - exponent), b.mantissa * 10n ** BigInt(b.exponent - exponent), exponent];
}

/** Negative, zero or positive, as `a` is less than, equal to or greater than `b`. */
export function compareQuantities(a: Quantity, b: Quantity): number {
  return compareAmounts(a, b);
}

/** The sum, in the format of `a` unless `a` is zero. */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  const [x, y, exponent] = aligned(a, b);
  return { mantissa: x + y, exponent, format: a.mantissa === 0n ? b.format : a.format };
}

/** The amount as a number, rounded to the nearest that a double can hold. */
export function quantityToNumber(quantity: Quantity): number {
  return Number(`${quantity.mantissa}e${quantity.exponent}`);
}

/** The canonical text: no fraction, the largest suffix that needs none. `1024Mi` becomes `1Gi`, and `1000m` becomes `1`. */
export function formatQuantity(quantity: Quantity): string {
  if (quantity.mantissa === 0n) return '0';
  if (quantity.text !== undefined) return quantity.text;
  return quantity.format === 'BinarySI' && isWholeAndLarge(quantity) ? formatBinary(quantity) : formatDecimal(quantity);
}

/** Binary suffixes serve whole numbers from 1024 on; below, and for fractions, the decimal form loses nothing. */
function isWholeAndLarge(quantity: Quantity): boolean {
  if (compareAmounts(magnitude(quantity), { mantissa: 1024n, exponent: 0 }) < 0) return false;
  return quantity.exponent >= 0 || quantity.mantissa % 10n ** BigInt(-quantity.exponent) === 0n;
}

function formatBinary({ mantissa, exponent }: Quantity): string {
  let value = exponent >= 0 ? mantissa * 10n ** BigInt(exponent) : mantissa / 10n ** BigInt(-exponent);
  let power = 0;
  while (power < 60 && value % 1024n === 0n) {
    value /= 1024n;
    power += 10;
  }
  const suffix = Object.keys(BINARY).find((name) => BINARY[name] === power) ?? '';
  return `${value}${suffix}`;
}

function formatDecimal(quantity: Quantity): string {
  let { mantissa, exponent } = quantity;
  while (mantissa % 10n === 0n) {
    mantissa /= 10n;
    exponent += 1;
  }
  while (exponent % 3 !== 0) {
    mantissa *= 10n;
    exponent -= 1;
  }
  if (quantity.format === 'DecimalExponent') return exponent === 0 ? `${mantissa}` : `${mantissa}e${exponent}`;
  const largest = Math.min(exponent, 18);
  const suffix = Object.keys(DECIMAL).find((name) => DECIMAL[name] === largest) ?? '';
  return `${mantissa * 10n ** BigInt(exponent - largest)}${suffix}`;
}

/** Whether two values are the same amount, however they are written; false where either is no quantity. */
export function sameQuantity(a: unknown, b: unknown): boolean {
  const [x, y] = [asQuantity(a), asQuantity(b)];
  return x !== undefined && y !== undefined && compareAmounts(x, y) === 0;
}

function asQuantity(value: unknown): Quantity | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  try {
    return parseQuantity(String(value));
  } catch {
    return undefined;
  }
}

function invalid(message: string): ClustersetError {
  return new ClustersetError({ code: 'Invalid', message });
}
