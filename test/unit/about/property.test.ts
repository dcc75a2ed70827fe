import { CLUSTER_ID_PROPERTY, CLUSTERSET_PROPERTY, clusterProperty, defineProperty, valueOfProperty } from 'clusterset/about';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { admittedProperty, saysNothing } from './fixtures.ts';

const NAME = 'fingerprint.example.com';
const fingerprint = defineProperty({
  name: NAME,
  schema: z.looseObject({ key: z.string(), algorithms: z.array(z.enum(['ed25519', 'rsa'])).exactOptional() }),
});
const region = defineProperty({ name: 'region.example.com', schema: z.string().max(20), encoding: 'text' });
const weight = defineProperty({ name: 'weight.example.com', schema: z.number().min(0), encoding: 'number' });
const anything = defineProperty({ name: 'any.example.com', schema: z.unknown() });
const numbers = defineProperty({ name: 'number.example.com', schema: z.number(), encoding: 'number' });
const texts = defineProperty({ name: 'text.example.com', schema: z.string(), encoding: 'text' });

function caught(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return error;
  }
}

describe('defineProperty (KEP-2149, additional properties)', () => {
  it('reads and writes JSON', () => {
    const written = fingerprint.write({ key: 'ab', algorithms: ['rsa'] });
    expect(written).toEqual(clusterProperty(NAME, '{"algorithms":["rsa"],"key":"ab"}'));
    expect(fingerprint.read(written)).toEqual({ ok: true, value: { key: 'ab', algorithms: ['rsa'] } });
  });

  it('reads and writes text and numbers', () => {
    expect(region.read(region.write('eu'))).toEqual({ ok: true, value: 'eu' });
    expect(valueOfProperty(weight.write(1.5))).toBe('1.5');
    expect(weight.read(clusterProperty(weight.name, '1e3'))).toEqual({ ok: true, value: 1000 });
  });

  it('keeps fields that the schema does not know', () => {
    expect(fingerprint.read(clusterProperty(NAME, '{"key":"a","later":1}'))).toEqual({ ok: true, value: { key: 'a', later: 1 } });
  });

  it.each([
    ['a value inside', fingerprint, '{"key":5}', 'spec.value.key', 'expected string'],
    ['a value in a list', fingerprint, '{"key":"a","algorithms":["md5"]}', 'spec.value.algorithms[0]', 'expected one of'],
    ['a list at the top', defineProperty({ name: NAME, schema: z.array(z.string()) }), '[1]', 'spec.value[0]', 'expected string'],
    ['text that is no JSON', fingerprint, '{"key":', 'spec.value', 'is no JSON'],
    ['an integer that was rounded', anything, '{"n":9007199254740993}', 'spec.value.n', 'beyond 2^53'],
    ['JSON that is too deep', anything, '['.repeat(60_000) + ']'.repeat(60_000), 'spec.value', 'nested too deeply'],
    ['text that is too long for its schema', region, 'x'.repeat(21), 'spec.value', 'string'],
    ['a number out of range', weight, '-1', 'spec.value', '>=0'],
    ['hexadecimal', weight, '0x10', 'spec.value', 'no decimal number'],
    ['a blank', weight, ' ', 'spec.value', 'no decimal number'],
    ['a number with a blank', weight, '5 ', 'spec.value', 'no decimal number'],
    ['more than a number', weight, '1e999', 'spec.value', 'no decimal number'],
    ['a number that was rounded', weight, '9007199254740993', 'spec.value', 'beyond 2^53'],
  ] as const)('does not read %s', (_name, property, value, field, message) => {
    expect(property.read(clusterProperty(property.name, value))).toMatchObject({
      ok: false,
      property: property.name,
      issues: [{ field, message: expect.stringContaining(message), mend: expect.any(String) }],
    });
  });

  it('does not read what says nothing, or is another property', () => {
    expect(region.read(saysNothing(region.name))).toMatchObject({ ok: false, issues: [{ field: 'spec.value' }] });
    expect(region.read(clusterProperty('other.example.com', 'eu'))).toMatchObject({
      ok: false,
      issues: [{ field: 'metadata.name' }],
    });
  });

  it('never quotes a long value', () => {
    const strict = defineProperty({ name: NAME, schema: z.strictObject({}) });
    const key = 'k'.repeat(100_000);
    const reading = strict.read(clusterProperty(NAME, JSON.stringify({ [key]: 1 })));
    expect(JSON.stringify(reading).length).toBeLessThan(700);
    const records = defineProperty({ name: NAME, schema: z.record(z.string(), z.number()) });
    expect(JSON.stringify(records.read(clusterProperty(NAME, JSON.stringify({ [key]: 'x' })))).length).toBeLessThan(700);
  });

  const cycle: unknown[] = [];
  cycle.push(cycle);

  it.each([
    ['what the schema does not allow', () => weight.write(-1), 'spec.value'],
    ['NaN', () => numbers.write(Number.NaN), 'spec.value'],
    ['an integer beyond 2^53', () => numbers.write(2 ** 60), 'spec.value'],
    ['an integer beyond 2^53 in JSON', () => anything.write({ n: 2 ** 60 }), 'spec.value.n'],
    ['empty text, which servers refuse', () => region.write(''), 'spec.value'],
    ['half a character', () => texts.write('a\ud834'), 'spec.value'],
    ['more than 128,000 code points', () => texts.write('x'.repeat(128_001)), 'spec.value'],
    ['a date', () => anything.write({ at: new Date(0) }), 'spec.value.at'],
    ['a map', () => anything.write(new Map()), 'spec.value'],
    ['a hole in a list', () => anything.write(['a', undefined]), 'spec.value[1]'],
    ['Infinity in JSON', () => anything.write([Number.POSITIVE_INFINITY]), 'spec.value[0]'],
    ['a bigint', () => anything.write({ n: 1n }), 'spec.value.n'],
    ['nothing', () => anything.write(undefined), 'spec.value'],
    ['what holds itself', () => anything.write(cycle), 'spec.value'],
  ])('does not write %s', (_name, write, field) => {
    const error = caught(write);
    expect(error).toMatchObject({ code: 'Invalid', object: { kind: 'ClusterProperty' }, field });
    expect((error as Error).message).toContain('.example.com');
    expect((error as Error).message.length).toBeLessThan(400);
  });

  it.each([
    ['a name under k8s.io', 'fingerprint.k8s.io'],
    ['no name', 'Not A Name'],
    ['the cluster id', CLUSTER_ID_PROPERTY],
    ['the ClusterSet', CLUSTERSET_PROPERTY],
  ])('does not take %s', (_name, name) => {
    expect(caught(() => defineProperty({ name, schema: z.string() }))).toMatchObject({ code: 'Invalid', field: 'metadata.name' });
  });
});

describe('whatever the value', () => {
  it('is read as it was written, in JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const written = caught(() => anything.write(value));
        if (written instanceof Error) {
          expect(written.message).toContain('2^53');
          return;
        }
        const reading = anything.read(written as ReturnType<typeof anything.write>);
        expect(reading).toEqual({ ok: true, value: JSON.parse(JSON.stringify(value)) });
      }),
      { numRuns: 300 },
    );
  });

  it('is read as it was written, in text and as a number', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), fc.double({ noNaN: true }), (text, number) => {
        expect(texts.read(texts.write(text))).toEqual({ ok: true, value: text });
        if (!Number.isFinite(number) || (Number.isInteger(number) && !Number.isSafeInteger(number))) return;
        expect(numbers.read(numbers.write(number))).toEqual({ ok: true, value: number });
      }),
      { numRuns: 300 },
    );
  });

  it('equal values are written alike', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), fc.boolean()), (value) => {
        const turned = Object.fromEntries(Object.entries(value).toReversed());
        expect(anything.write(turned)).toEqual(anything.write(value));
      }),
    );
  });

  it('reading never throws, whatever upstream admits', () => {
    fc.assert(
      fc.property(admittedProperty, fc.constantFrom(fingerprint, region, weight, anything), (property, reader) => {
        const reading = reader.read({ ...property, metadata: { name: reader.name } });
        if (!reading.ok) expect(JSON.stringify(reading).length).toBeLessThan(1000);
      }),
      { numRuns: 100 },
    );
  });
});
