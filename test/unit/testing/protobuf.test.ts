import { systemClock } from 'clusterset/runtime';
import { OfflineCluster } from 'clusterset/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Handler } from '../../../src/testing/web/handler.ts';
import { decodeObject, openEnvelope, ProtobufError } from '../../../src/testing/web/protobuf/index.ts';
import { Reader } from '../../../src/testing/web/protobuf/reader.ts';
import samples from '../../fixtures/kubernetes-protobuf.json' with { type: 'json' };

const bytesOf = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, 'base64'));
const decode = (bytes: Uint8Array): unknown => decodeObject(openEnvelope(bytes));

/** The least that writes protobuf. */
function varint(number: bigint): number[] {
  const rest = BigInt.asUintN(64, number);
  return rest < 128n ? [Number(rest)] : [Number(rest & 127n) | 128, ...varint(rest >> 7n)];
}
const field = (number: number, bytes: Iterable<number>): number[] => {
  const content = [...bytes];
  return [...varint(BigInt(number * 8 + 2)), ...varint(BigInt(content.length)), ...content];
};
const text = (number: number, value: string): number[] => field(number, Buffer.from(value));
const integer = (number: number, value: number): number[] => [...varint(BigInt(number * 8)), ...varint(BigInt(value))];
const entries = (number: number, map: Readonly<Record<string, Iterable<number>>>): number[] =>
  Object.entries(map).flatMap(([key, value]) => field(number, [...text(1, key), ...field(2, value)]));
const enveloped = (apiVersion: string, kind: string, raw: Iterable<number>): Uint8Array =>
  Uint8Array.from([0x6b, 0x38, 0x73, 0, ...field(1, [...text(1, apiVersion), ...text(2, kind)]), ...field(2, raw)]);

const LINE = fc.string({ unit: 'grapheme', maxLength: 5 }).map((value) => value.toWellFormed());
const TEXTS = fc.dictionary(LINE, LINE, { maxKeys: 3, noNullPrototype: true });

describe('protobuf', () => {
  it.each(samples.map((sample, index) => [index, sample.kind, sample] as const))(
    "comes to the JSON that Kubernetes' own encoder writes: sample %i, %s",
    (_, __, { protobuf, object }) => {
      expect(decode(bytesOf(protobuf))).toStrictEqual(object);
    },
  );

  it('comes to what was written, whatever that is', () => {
    const bytes = fc.dictionary(LINE, fc.uint8Array({ maxLength: 5 }), { minKeys: 1, maxKeys: 3, noNullPrototype: true });
    fc.assert(
      fc.property(LINE, fc.maxSafeInteger(), TEXTS, bytes, (name, generation, data, binaryData) => {
        const metadata = [...text(1, name), ...integer(7, generation)];
        const lines = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value)]));
        const raw = [...field(1, metadata), ...entries(2, lines), ...entries(3, binaryData)];
        expect(decode(enveloped('v1', 'ConfigMap', raw))).toStrictEqual({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { ...(name === '' ? {} : { name }), ...(generation === 0 ? {} : { generation }) },
          ...(Object.keys(data).length === 0 ? {} : { data }),
          binaryData: Object.fromEntries(
            Object.entries(binaryData).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
          ),
        });
      }),
    );
  });

  it('numbers are read with their sign', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (number) => {
        expect(new Reader(Uint8Array.from(varint(BigInt(number)))).varint()).toBe(number);
      }),
    );
  });

  it('a message in pieces is one message, and the last of several values counts', () => {
    const raw = [...field(1, text(1, 'a')), ...field(1, [...text(3, 'shop'), ...text(1, 'b')]), ...integer(99, 1)];
    expect(decode(enveloped('v1', 'ConfigMap', raw))).toMatchObject({ metadata: { name: 'b', namespace: 'shop' } });
  });

  it('options for a deletion are read in every group', () => {
    const raw = [...integer(1, 5), ...text(4, 'Orphan')];
    const options = { gracePeriodSeconds: 5, propagationPolicy: 'Orphan' };
    expect(decode(enveloped('apps/v1', 'DeleteOptions', raw))).toStrictEqual({
      apiVersion: 'apps/v1',
      kind: 'DeleteOptions',
      ...options,
    });
  });

  it.each([
    ['nothing', [], 'empty data'],
    ['no protobuf', Buffer.from('{"kind":"ConfigMap"}'), 'provided data does not appear to be a protobuf message'],
    ['nothing behind the beginning', [0x6b, 0x38, 0x73, 0], 'empty body'],
    ['a length beyond the end', enveloped('v1', 'ConfigMap', [0x0a, 0x7f]), 'unexpected EOF'],
    ['a length that never ends', enveloped('v1', 'ConfigMap', [0x0a, ...Array(11).fill(0xff)]), 'integer overflow'],
    ['a negative length', enveloped('v1', 'ConfigMap', [0x0a, ...varint(-1n)]), 'negative length'],
    ['a number where a message is', enveloped('v1', 'ConfigMap', integer(1, 1)), 'wrong wireType = 0'],
    ['field 0', enveloped('v1', 'ConfigMap', [0x02, 0x00]), 'illegal tag 0'],
    ['the end of a group', enveloped('v1', 'ConfigMap', [0x7c]), 'wiretype end group'],
    ['a wire type that there isn’t', enveloped('v1', 'ConfigMap', [0x0f]), 'illegal wireType 7'],
    ['a time that there isn’t', enveloped('v1', 'ConfigMap', field(1, field(8, integer(1, 2 ** 52)))), 'a time outside'],
    ['fields that are no JSON', enveloped('v1', 'ConfigMap', field(1, field(17, field(7, text(1, '{'))))), "can't be read"],
  ])('is refused where it is %s', (_, bytes, message) => {
    expect(() => decode(Uint8Array.from(bytes))).toThrow(ProtobufError);
    expect(() => decode(Uint8Array.from(bytes))).toThrow(message);
  });

  it('is read or refused, and nothing else, whatever becomes of it on its way', () => {
    const where = fc.record({ sample: fc.nat(samples.length - 1), at: fc.nat(), byte: fc.nat(255), end: fc.nat() });
    fc.assert(
      fc.property(where, ({ sample, at, byte, end }) => {
        const bytes = bytesOf(samples[sample]?.protobuf ?? '');
        bytes[4 + (at % (bytes.length - 4))] = byte;
        try {
          decode(end % 2 === 0 ? bytes : bytes.subarray(0, end % bytes.length));
        } catch (error) {
          expect(error).toBeInstanceOf(ProtobufError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('has bounds: for structs within structs, groups within groups, and the number of structs', () => {
    let schema: number[] = text(2, 'x');
    // `not` within `not`: field 28 of a schema.
    for (let depth = 0; depth < 1000; depth += 1) schema = field(28, schema);
    const version = field(4, field(1, schema));
    const crd = enveloped('apiextensions.k8s.io/v1', 'CustomResourceDefinition', field(2, field(7, version)));
    expect(() => decode(crd)).toThrow('exceeded max recursion depth');
    const groups = Uint8Array.from({ length: 100_000 }, () => 0x7b);
    expect(() => decode(enveloped('v1', 'ConfigMap', groups))).toThrow('unexpected EOF');
    const containers = new Uint8Array(600_000).map((_, index) => (index % 2 === 0 ? 0x12 : 0));
    const pod = Buffer.from(field(2, []));
    const length = varint(BigInt(containers.length));
    const raw = Buffer.concat([pod.subarray(0, 1), Buffer.from(length), containers]);
    expect(() => decodeObject({ apiVersion: 'v1', kind: 'Pod', raw })).toThrow('more than 250000 messages');
  });
});

describe('an offline cluster that is sent protobuf', () => {
  const TYPE = 'application/vnd.kubernetes.protobuf';
  const CONFIG_MAPS = 'https://offline/api/v1/namespaces/default/configmaps';

  const serve = (): Handler => new Handler(new OfflineCluster({ name: 'wire', clock: systemClock }));

  async function send(body: Uint8Array, accept = `${TYPE},application/json`, handler = serve()): Promise<Response> {
    const headers = { 'content-type': TYPE, accept };
    return handler.handle(new Request(CONFIG_MAPS, { method: 'POST', headers, body: Buffer.from(body) }));
  }

  it('takes it, and answers in JSON', async () => {
    const raw = [...field(1, text(1, 'one')), ...entries(2, { a: Buffer.from('b') })];
    const answer = await send(enveloped('v1', 'ConfigMap', raw));
    expect([answer.status, answer.headers.get('content-type')]).toEqual([201, 'application/json']);
    expect(await answer.json()).toMatchObject({ kind: 'ConfigMap', metadata: { name: 'one' }, data: { a: 'b' } });
  });

  it('takes an object that says of itself nothing for what the path says', async () => {
    const answer = await send(enveloped('', '', field(1, text(1, 'one'))));
    expect(answer.status).toBe(201);
  });

  it.each([
    [enveloped('v1', 'ConfigMap', [0x0a, 0x7f]), 'ConfigMap in version "v1" cannot be handled as a ConfigMap: unexpected EOF'],
    [enveloped('v1', 'Foo', []), 'Foo in version "v1" cannot be handled as a ConfigMap'],
    [
      Buffer.from('abc'),
      'the object provided is unrecognized (must be of type ConfigMap): provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] (616263)',
    ],
  ])('says what is wrong with it', async (body, message) => {
    const answer = await send(body);
    const status = (await answer.json()) as { readonly message: string };
    expect([answer.status, status.message.startsWith(message)]).toEqual([400, true]);
  });

  it('answers nothing to who reads nothing else, and changes nothing', async () => {
    const handler = serve();
    const answer = await send(enveloped('v1', 'ConfigMap', field(1, text(1, 'one'))), TYPE, handler);
    expect([answer.status, ((await answer.json()) as { readonly reason: string }).reason]).toEqual([406, 'NotAcceptable']);
    expect((await handler.handle(new Request(`${CONFIG_MAPS}/one`))).status).toBe(404);
  });
});
