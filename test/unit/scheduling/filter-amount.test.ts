import { compareQuantities, parseQuantity } from 'clusterset/kube';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { amountOf, boundOf, compareAmount } from '../../../src/scheduling/filter/amount.ts';

const SUFFIXES = ['', 'n', 'u', 'm', 'k', 'M', 'G', 'T', 'P', 'E', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei', 'e3', 'E-2', 'e+18'];
const quantityText = fc
  .tuple(
    fc.constantFrom('', '-', '+'),
    fc.oneof(fc.nat(20).map(String), fc.bigInt(0n, 10n ** 18n).map(String), fc.constantFrom('007', '1000', '1024')),
    fc.oneof(fc.constant(''), fc.constantFrom('.5', '.0', '.25', '.', '.123456789', '.1234567891', '.000000001')),
    fc.constantFrom(...SUFFIXES),
  )
  .map((parts) => parts.join(''));

describe('amounts', () => {
  it.each<[text: string, bound: string, sign: number]>([
    ['1Gi', '1024Mi', 0],
    ['1G', '1Gi', -1],
    ['500m', '0.5', 0],
    ['0.1', '100m', 0],
    ['0.3', '300000001n', -1],
    ['-1', '0', -1],
    ['9007199254740993', '9007199254740992', 1],
    ['8388608Gi', '9007199254740992', 0],
    ['8388609Gi', '9007199254740993', 1],
    ['999999999999999', '999999999999998', 1],
    ['1e3', '1k', 0],
    ['1E', '1000P', 0],
    ['-0', '0', 0],
    ['0.0000000001', '0', 1],
    ['0.0000000001', '1n', 0],
    // Kubernetes has no larger binary amounts than 2^63 - 1.
    ['999999999999999Ti', '999999999999998Ti', 0],
  ])('%s is to %s as %i is to 0', (text, bound, sign) => {
    expect(Math.sign(compareAmount(text, boundOf(bound)) ?? Number.NaN) + 0).toBe(sign);
  });

  it('compare as the exact arithmetic of quantities does', () => {
    fc.assert(
      fc.property(quantityText, quantityText, (a, b) => {
        const exact = compareQuantities(parseQuantity(a), parseQuantity(b));
        expect(Math.sign(compareAmount(a, boundOf(b)) ?? Number.NaN) + 0).toBe(exact);
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    '',
    'abc',
    '1 ',
    '1x',
    '1mi',
    '1Kii',
    '0x10',
    'Infinity',
    'NaN',
    '--1',
    '1.2.3',
    '1e99999',
    '1e',
    '9'.repeat(5000),
    '__proto__',
  ])('%j is no amount', (text) => {
    expect(amountOf(text)).toBeUndefined();
    expect(compareAmount(text, boundOf('1'))).toBeUndefined();
  });

  it.each<[string, number]>([
    ['12', 12],
    ['-3', -3],
    ['1.25', 1.25],
    ['250m', 0.25],
    ['2Ki', 2048],
    ['5u', 0.000005],
    ['1e1000', 1e300],
    ['-1e1000', -1e300],
  ])('%s as a number is %d', (text, number) => {
    expect(amountOf(text)).toBe(number);
  });

  it('are refused as bounds where they are none', () => {
    expect(() => boundOf('many')).toThrow(/quantities must match/);
  });
});
