import { compareQuantities, parseQuantity, type Quantity, quantityToNumber } from '../../kube/index.ts';

/** An amount to compare with, read once. */
export interface Bound {
  /** NaN where a number doesn't hold it exactly enough. */
  readonly plain: number;
  readonly quantity: Quantity;
}

/**
 * Longest text that is read as an amount, in characters. The arithmetic of quantities is exact, so that reading longer ones would cost
 * whoever reads more than whoever writes.
 */
const LONGEST = 128;
/** Amounts beyond count as this one, so that differences of two are numbers still. */
const LARGEST = 1e300;
/** Decimal numbers of so many digits keep their order as doubles, and no two become one. */
const EXACT_DIGITS = 15;
const FINEST_DIGITS = 9;

/** By the character code of k, M, G and T. */
const DECIMAL: ReadonlyMap<number, number> = new Map([
  [107, 1e3],
  [77, 1e6],
  [71, 1e9],
  [84, 1e12],
]);
/** By the character code of the K, M, G and T of Ki, Mi, Gi and Ti. */
const BINARY: ReadonlyMap<number, number> = new Map([
  [75, 2 ** 10],
  [77, 2 ** 20],
  [71, 2 ** 30],
  [84, 2 ** 40],
]);
const LETTER_I = 105;
const LETTER_M = 109;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;

/** What `parseQuantity` takes: asked first, because errors are dear and a fleet may be full of texts that are no amounts. */
const QUANTITY = /^(?=.)[+-]?[0-9]*(?:\.[0-9]*)?(?:[numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?$/;

/**
 * Reads an amount to compare with.
 *
 * @throws ClustersetError `Invalid` for a text that is no quantity.
 */
export function boundOf(text: string): Bound {
  return { plain: plainNumber(text), quantity: parseQuantity(text) };
}

/** Negative, zero or positive, as the amount is less than, equal to or greater than the bound; nothing for what is no amount. Exact. */
export function compareAmount(text: string, bound: Bound): number | undefined {
  const plain = plainNumber(text);
  const difference = plain - bound.plain;
  if (!Number.isNaN(difference)) return difference;
  const quantity = quantityOf(text);
  return quantity === undefined ? undefined : compareQuantities(quantity, bound.quantity);
}

/** The amount as a number, between -1e300 and 1e300; nothing for what is no amount. */
export function amountOf(text: string): number | undefined {
  const plain = plainNumber(text);
  if (!Number.isNaN(plain)) return plain;
  const quantity = quantityOf(text);
  return quantity === undefined ? undefined : Math.max(-LARGEST, Math.min(LARGEST, quantityToNumber(quantity)));
}

function quantityOf(text: string): Quantity | undefined {
  if (text.length > LONGEST || !QUANTITY.test(text)) return undefined;
  try {
    return parseQuantity(text);
  } catch {
    return undefined;
  }
}

/**
 * The number, where reading it takes no more than a look at its characters: whole numbers with the usual suffixes and short decimal ones.
 * Compared with each other they give what exact arithmetic gives. NaN for everything else, which may be a quantity all the same.
 */
function plainNumber(text: string): number {
  const start = text.charCodeAt(0) === MINUS ? 1 : 0;
  let whole = 0;
  let index = start;
  for (; index < text.length; index += 1) {
    const digit = text.charCodeAt(index) - ZERO;
    if (digit < 0 || digit > 9) break;
    if (index - start === EXACT_DIGITS) return Number.NaN;
    whole = whole * 10 + digit;
  }
  if (index === start) return Number.NaN;
  const isDecimal = text.charCodeAt(index) === POINT;
  // Reading the text as a whole gives the nearest number; putting it together from two parts might not.
  if (isDecimal) return isShortDecimal(text, start, index) ? Number(text) : Number.NaN;
  const amount = index === text.length ? whole : withSuffix(whole, text, index);
  return start === 0 ? amount : -amount;
}

/** Finer parts than nano are rounded by quantities, and not by numbers. */
function isShortDecimal(text: string, start: number, point: number): boolean {
  const decimals = text.length - point - 1;
  if (decimals < 1 || decimals > FINEST_DIGITS || point - start + decimals > EXACT_DIGITS) return false;
  for (let index = point + 1; index < text.length; index += 1) {
    const digit = text.charCodeAt(index) - ZERO;
    if (digit < 0 || digit > 9) return false;
  }
  return true;
}

function withSuffix(whole: number, text: string, at: number): number {
  const letter = text.charCodeAt(at);
  const length = text.length - at;
  // A quotient of whole numbers is the nearest double to it; products are exact as far as integers are.
  if (length === 1 && letter === LETTER_M) return whole / 1000;
  const isBinary = length === 2 && text.charCodeAt(at + 1) === LETTER_I;
  if (length > 1 && !isBinary) return Number.NaN;
  const product = whole * ((isBinary ? BINARY : DECIMAL).get(letter) ?? Number.NaN);
  return Number.isSafeInteger(product) ? product : Number.NaN;
}
