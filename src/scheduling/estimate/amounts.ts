import { formatQuantity, parseQuantity, type Quantity } from '../../kube/index.ts';

/** Amounts by resource: CPU in thousandths, everything else in whole units. */
export type Amounts = Map<string, number>;

/** Amounts beyond it count as this much: no machine has more, and whole numbers are exact up to here. */
export const MOST = Number.MAX_SAFE_INTEGER;

/**
 * A quantity in the unit that its resource is counted in, read without big integers and without anything that takes long: estimates read
 * hundreds of thousands of them.
 *
 * @returns NaN where that isn't possible: for what isn't plainly written, isn't a whole number, is beyond 2^53, or is no quantity.
 */
export function wholeAmount(name: string, text: string): number {
  let value = 0;
  let at = 0;
  for (; at < text.length; at += 1) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  if (at === 0) return Number.NaN;
  const unit = name === 'cpu' ? 1000 : 1;
  const amount = at === text.length ? value * unit : withSuffix(value, text, at, unit);
  return amount <= MOST ? amount : Number.NaN;
}

/** Of what follows the digits: a fraction or a suffix. */
function withSuffix(value: number, text: string, at: number, unit: number): number {
  if (text.charCodeAt(at) === 46) return withFraction(value, text, at + 1, unit);
  const end = text.length - at;
  if (end === 1 && text.charCodeAt(at) === 109) return whole(value * unit, 1000);
  if (end === 2 && text.charCodeAt(at + 1) === 105) return value * unit * binary(text.charCodeAt(at));
  return end === 1 ? value * unit * decimal(text.charCodeAt(at)) : Number.NaN;
}

/** Only of plain numbers, such as 0.5: what else is rare enough for the long way. */
function withFraction(before: number, text: string, start: number, unit: number): number {
  let value = before;
  let parts = 1;
  for (let at = start; at < text.length; at += 1) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
    parts *= 10;
  }
  return whole(value * unit, parts);
}

function whole(dividend: number, divisor: number): number {
  return dividend <= MOST && dividend % divisor === 0 ? dividend / divisor : Number.NaN;
}

function decimal(letter: number): number {
  switch (letter) {
    case 107: // k
      return 1e3;
    case 77: // M
      return 1e6;
    case 71: // G
      return 1e9;
    case 84: // T
      return 1e12;
    case 80: // P
      return 1e15;
    default:
      return Number.NaN;
  }
}

function binary(letter: number): number {
  switch (letter) {
    case 75: // Ki
      return 2 ** 10;
    case 77: // Mi
      return 2 ** 20;
    case 71: // Gi
      return 2 ** 30;
    case 84: // Ti
      return 2 ** 40;
    case 80: // Pi
      return 2 ** 50;
    default:
      return Number.NaN;
  }
}

/** The amount in the unit it is counted in, exactly; parts are rounded away from zero, as Kubernetes' `MilliValue` and `Value` do. */
export function exactAmount(name: string, { mantissa, exponent }: Quantity): bigint {
  const shift = name === 'cpu' ? exponent + 3 : exponent;
  if (shift >= 0) return mantissa * 10n ** BigInt(shift);
  const divisor = 10n ** BigInt(-shift);
  const quotient = mantissa / divisor;
  if (mantissa % divisor === 0n) return quotient;
  return mantissa < 0n ? quotient - 1n : quotient + 1n;
}

/** Reads a quantity, written as text or as a number. @returns nothing where it is none. */
export function readAmount(name: string, value: unknown): number | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const text = String(value);
  const plain = wholeAmount(name, text);
  if (!Number.isNaN(plain)) return plain;
  try {
    const amount = exactAmount(name, parseQuantity(text));
    const magnitude = amount < 0n ? -amount : amount;
    const most = magnitude > BigInt(MOST) ? MOST : Number(magnitude);
    return amount < 0n ? -most : most;
  } catch {
    return undefined;
  }
}

/** The quantity of an amount, as Kubernetes would write it: bytes with binary suffixes. */
export function formatAmount(name: string, amount: number | bigint): string {
  const isBytes = name === 'memory' || name.endsWith('storage') || name.startsWith('hugepages-');
  const exponent = name === 'cpu' ? -3 : 0;
  return formatQuantity({ mantissa: BigInt(amount), exponent, format: isBytes ? 'BinarySI' : 'DecimalSI' });
}

/** The quantities of amounts, by name. */
export function formatAmounts(amounts: ReadonlyMap<string, number>): Readonly<Record<string, string>> {
  const names = [...amounts.keys()].toSorted();
  return Object.fromEntries(names.map((name) => [name, formatAmount(name, amounts.get(name) ?? 0)]));
}

/** Adds to one amount. */
export function add(amounts: Amounts, name: string, amount: number): void {
  amounts.set(name, Math.min(MOST, (amounts.get(name) ?? 0) + amount));
}

/** Adds amounts to others. */
export function addAll(amounts: Amounts, others: ReadonlyMap<string, number>): void {
  for (const [name, amount] of others) add(amounts, name, amount);
}

/** Makes each amount at least that of the others. */
export function raiseTo(amounts: Amounts, others: ReadonlyMap<string, number>): void {
  for (const [name, amount] of others) if (amount > (amounts.get(name) ?? 0)) amounts.set(name, amount);
}
