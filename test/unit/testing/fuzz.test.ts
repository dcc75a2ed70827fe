import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  headerFields,
  methods,
  paths,
  queries,
  bodies as sentBodies,
  tree,
  usefulWrites,
  type Write,
} from './fuzz/arbitraries.ts';
import {
  BAD_NAMES,
  CONFIG_MAPS,
  checkAll,
  chunks,
  everyWay,
  Face,
  GADGETS,
  nested,
  ONE,
  patch,
  post,
  TYPES,
  WIDGET,
  WIDGETS,
  widget,
  withFields,
} from './fuzz/face.ts';

const SEED = 20_261_122;

describe('whatever a client sends', () => {
  it('bodies of any depth are answered, and none of them reaches the end of the stack', async () => {
    const depths = [480, 600, 100_000];
    const bodies = depths.flatMap((levels) => [
      nested(levels, '[', ']'),
      nested(levels, '{"a":', '}'),
      '{"a":'.repeat(levels),
      widget(nested(levels, '[', ']')),
      widget(nested(levels, '{"a":', '}')),
      withFields(nested(levels, '{"f:a":', '}').replace(':1}', ':{}}')),
    ]);
    const statuses = await checkAll(bodies.flatMap(everyWay));
    expect(new Set(statuses)).toEqual(new Set([200, 201, 400, 404, 409, 415, 422]));
  });

  it('as much as may be is taken, and what is deeper is refused in the words of a real server', async () => {
    const face = await Face.open();
    const create = (levels: number) =>
      face.ask(post(widget(nested(levels, '[', ']')).replace('"one"', '"new"'), TYPES.json, WIDGETS));
    expect((await create(490)).status).toBe(201);
    const { status, text } = await create(600);
    expect([status, text]).toEqual([400, expect.stringContaining("json parse error: invalid character '[' exceeded max depth")]);
  });

  it('an object grows no deeper by patches than by a body', async () => {
    const face = await Face.open();
    const deep = nested(300, '{"a":', '}');
    const grow = { op: 'add', path: `/spec/free/a${'/a'.repeat(300)}`, value: JSON.parse(deep) };
    expect((await face.ask(patch(`{"spec":{"free":{"a":${deep}}}}`, TYPES.merge, WIDGET))).status).toBe(200);
    const both = [{ op: 'add', path: '/spec/free/a', value: JSON.parse(deep) }, grow];
    expect(await face.check(patch(JSON.stringify(both), TYPES.jsonPatch, WIDGET))).toBe(400);
    const copies = Array.from({ length: 12 }, (_, index) => ({
      op: 'copy',
      from: '/spec',
      path: `/spec${'/free'.repeat(2 ** index)}`,
    }));
    expect(await face.check(patch(JSON.stringify(copies), TYPES.jsonPatch, WIDGET))).toBe(400);
  });

  it('copies of copies end before the memory does', async () => {
    const copies = Array.from({ length: 60 }, () => ({ op: 'copy', from: '/spec/free', path: '/spec/free/a/-' }));
    expect(await checkAll([patch(JSON.stringify(copies), TYPES.jsonPatch, WIDGET)])).toEqual([422]);
  });

  it('bodies that are too large are refused, also those that come in pieces', async () => {
    const large = `{"data":{"a":"${'x'.repeat(3 * 1024 * 1024)}"}}`;
    const requests = [
      post(large),
      patch(large, TYPES.merge),
      patch(large, TYPES.apply),
      post(chunks(65_536, 49)),
      // Nobody waits for the end of what has none.
      post(chunks(65_536, Number.POSITIVE_INFINITY)),
      patch(chunks(1_048_576, Number.POSITIVE_INFINITY), TYPES.merge),
    ];
    expect(await checkAll(requests)).toEqual(requests.map(() => 413));
  });

  it('texts that break off, and numbers that are none, are answered in every way of sending them', async () => {
    const whole = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"new","labels":{"a":"b"}},"data":{"a":"\\u00e4"}}';
    const bodies = [
      ...Array.from({ length: whole.length }, (_, end) => whole.slice(0, end)),
      ...[
        'NaN',
        'Infinity',
        '-',
        '1e400',
        '-1e999',
        '1E+5000',
        '0x1',
        '.5',
        `1${'0'.repeat(400)}`,
        '99999999999999999999',
      ].flatMap((number) => [number, `{"metadata":{"name":"new","generation":${number}}}`, widget(number)]),
      ...['null', 'true', '""', '[]', '{}', '[null]', '[[]]', '[{}]', '{"a":1}{"a":2}', '{"a":1,"a":2}', '\u0000', '\ufeff{}'],
    ];
    await checkAll(bodies.flatMap(everyWay));
  });

  it('infinite numbers are stored nowhere', async () => {
    const infinite = [post(widget('1e400'), TYPES.json, WIDGETS), patch(widget('1e400'), TYPES.apply, WIDGET)];
    const yaml = 'apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: one}\nspec: {free: {a: .inf}}\n';
    expect(await checkAll([...infinite, patch(yaml, TYPES.apply, WIDGET)])).toEqual([400, 400, 400]);
  });

  it('bytes of other encodings are answered', async () => {
    const text = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"new"},"data":{"a":"ä€😀"}}';
    const bytes = [
      Buffer.from(text, 'latin1'),
      Buffer.from(text, 'utf16le'),
      Buffer.from(`\ufeff${text}`),
      Buffer.from(`\ufeff${text}`, 'utf16le'),
      gzipSync(text),
      Buffer.from([0xff, 0xfe, 0xfd]),
      Buffer.from([0xed, 0xa0, 0x80]),
      Buffer.from([0xf0, 0x9f]),
    ].map((each) => new Uint8Array(each));
    const encodings = ['gzip', 'br', 'identity', 'nonsense'];
    const charsets = ['utf-16', 'latin1', '"', ';;;', 'utf-8; charset=utf-16'];
    const odd = bytes.flatMap((body) => [
      ...encodings.map((encoding) => ({ ...post(body), headers: { 'content-type': TYPES.json, 'content-encoding': encoding } })),
      ...charsets.map((charset) => post(body, `application/json; charset=${charset}`)),
    ]);
    await checkAll([...bytes.flatMap(everyWay), ...odd]);
  });

  it('YAML is read without its bombs, tags and objects', async () => {
    const head = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n';
    const bomb = Array.from(
      { length: 12 },
      (_, index) => `a${index}: &a${index} [${`*a${index - 1},`.repeat(index === 0 ? 0 : 9)}1]`,
    );
    const texts = [
      bomb.join('\n'),
      'a: &a [*a]',
      '&a [*a]',
      'a: *b',
      'data: {a: !!js/function "function () {}"}',
      'data: {a: !!binary YQ==, b: !!timestamp 2020-01-01, c: !!set {a, b}, d: !!omap [a: b]}',
      'data: {a: !foo b}',
      'data: &d {a: b}\nbinaryData: *d',
      'data: {<<: {__proto__: {a: b}}}',
      '__proto__: {a: b}\nconstructor: {prototype: {a: b}}',
      'data: {? [a, b] : c, ? {a: b} : d, 1: e, null: f, true: g}',
      '---\n---\n...\n---',
      '--- a\n--- b',
      '%YAML 9.9\n---\na: b',
      '%TAG ! tag:evil,2000:\n---\n!a b',
      '\ta: b',
      'a: "\\x',
      'a: |9999999999\n  b',
      '? ? ? ? ? ?',
      '- - - - - - - - - - -',
      `${'- '.repeat(20_000)}a`,
      `${Array.from({ length: 900 }, (_, index) => `${' '.repeat(index)}a:`).join('\n')} b`,
      'a: 0o777\nb: 0x1F\nc: 1_000\nd: 190:20:30\ne: .inf\nf: .nan\ng: ~\nh: yes\ni: 010',
    ];
    const all = texts.flatMap((text) => [text, `${head}${text}`]);
    await checkAll(all.flatMap((text) => [patch(text, TYPES.apply), patch(text, TYPES.apply, WIDGET), post(text, TYPES.yaml)]));
  });

  it('names from the prototype are names as any other', async () => {
    const bodies = BAD_NAMES.flatMap((name) => [
      `{"metadata":{"name":"${name}"}}`,
      `{"metadata":{"name":"new","labels":{"${name}":"a"},"annotations":{"${name}":"a"}},"data":{"${name}":"a"},"${name}":{"polluted":1}}`,
      `{"metadata":{"name":"new","${name}":{"polluted":1}},"${name}":null}`,
      `{"${name}":{"polluted":1},"data":{"${name}":"a"},"metadata":{"labels":{"${name}":null}}}`,
      widget(`{"${name}":{"polluted":1,"${name}":[{"${name}":1}]}}`),
      widget('1').replace('"free"', `"${name}"`),
      `[{"op":"add","path":"/${name}/polluted","value":1}]`,
      `[{"op":"add","path":"/data/${name}","value":"1"},{"op":"copy","from":"/data/${name}","path":"/data/b"}]`,
      `[{"op":"move","from":"/${name}","path":"/data"},{"op":"test","path":"/${name}","value":null}]`,
      withFields(`{"f:${name}":{"f:${name}":{}},"${name}":{}}`),
    ]);
    const targets = BAD_NAMES.flatMap((name) => [
      `/${name}`,
      `/api/${name}`,
      `/api/v1/${name}`,
      `/apis/${name}/v1/widgets`,
      `/apis/example.com/${name}`,
      `/openapi/v3/apis/${name}/${name}`,
      `${CONFIG_MAPS}/${name}`,
      `${ONE}/${name}`,
      `/api/v1/namespaces/${name}/configmaps/${name}`,
      `${CONFIG_MAPS}?${name}=1&labelSelector=${name}&fieldSelector=metadata.name=${name}`,
      `${CONFIG_MAPS}?fieldSelector=${name}=a`,
      `${CONFIG_MAPS}?labelSelector=!${name},${name}+in+(a)&continue=${name}`,
    ]);
    await checkAll([
      ...bodies.flatMap(everyWay),
      ...targets.flatMap((path) => ['GET', 'DELETE', 'PUT', 'POST'].map((method) => ({ method, path: asDry(path) }))),
    ]);
  });

  it('what is called so is stored and read like everything else', async () => {
    const face = await Face.open();
    const body = `{"metadata":{"name":"new"},"data":{"__proto__":"a","constructor":"b"}}`;
    expect((await face.ask({ method: 'POST', path: CONFIG_MAPS, body })).status).toBe(201);
    expect((await face.ask({ method: 'GET', path: `${CONFIG_MAPS}/new` })).text).toContain('{"__proto__":"a","constructor":"b"}');
    expect((await face.ask(patch('{"data":{"__proto__":"c"}}', TYPES.merge, `${CONFIG_MAPS}/new`))).text).toContain(
      '"__proto__":"c"',
    );
    expect(face.cluster.violations()).toEqual([]);
  });
});

const asDry = (path: string): string => `${path}${path.includes('?') ? '&' : '?'}dryRun=All`;

describe('random requests', () => {
  it('are answered, and change nothing where they are dry runs', async () => {
    const face = await Face.open();
    const before = face.stored();
    let asked = 0;
    const property = fc.asyncProperty(
      methods,
      paths,
      queries,
      headerFields,
      sentBodies,
      async (way, at, parameters, more, sent) => {
        // A deletion with a body is done as that says, and not as the query does.
        const hasBody = way !== 'GET' && way !== 'HEAD' && way !== 'DELETE';
        // A dry run that is another one as well is refused.
        await face.check({
          method: way,
          path: `${at}?dryRun=All${parameters}`,
          headers: more,
          ...(hasBody ? { body: sent } : {}),
        });
        asked += 1;
      },
    );
    await fc.assert(property, { seed: SEED, numRuns: 2500 });
    expect(face.stored()).toBe(before);
    await face.works();
    expect(asked).toBe(2500);
  });

  it('leave a cluster whole where they write', async () => {
    const face = await Face.open();
    const written = new Map<number, number>();
    const write: fc.Arbitrary<Write> = fc.record({
      method: fc.constantFrom('POST', 'PUT', 'PATCH', 'PATCH', 'PATCH', 'DELETE'),
      path: fc.constantFrom(CONFIG_MAPS, ONE, WIDGETS, WIDGET, `${WIDGET}/status`, GADGETS, `${GADGETS}/one`),
      type: fc.constantFrom(...Object.values(TYPES)),
      body: sentBodies,
    });
    const property = fc.asyncProperty(fc.oneof(write, usefulWrites), async ({ method: verb, path: at, type, body: sent }) => {
      const before = face.stored();
      const way = { method: verb, path: `${at}?fieldManager=fuzz${type === TYPES.apply ? '&force=1' : ''}`, body: sent };
      const status = await face.check({ ...way, headers: { 'content-type': type } });
      written.set(status, (written.get(status) ?? 0) + 1);
      if (status >= 400) expect(face.stored()).toBe(before);
    });
    await fc.assert(property, { seed: SEED, numRuns: 1000 });
    expect(face.stored().length).toBeGreaterThan(100);
    expect(written.get(200) ?? 0).toBeGreaterThan(100);
    await expect(face.ask({ method: 'GET', path: CONFIG_MAPS })).resolves.toMatchObject({ status: 200 });
  });

  it('of directives and fields that belong to others are answered', async () => {
    const face = await Face.open();
    const before = face.stored();
    const directive = fc.tuple(
      fc.constantFrom(
        '$patch',
        '$retainKeys',
        '$setElementOrder/finalizers',
        '$setElementOrder',
        '$deleteFromPrimitiveList/finalizers',
        'finalizers',
      ),
      tree,
    );
    const strategic = fc.array(directive, { minLength: 1, maxLength: 4 }).map((entries) => Object.fromEntries(entries));
    const garbage = fc.array(
      fc.tuple(fc.constantFrom('f:a', '.', 'k:{', 'k:{"a":1}', 'v:', 'v:{}', 'i:-1', 'x:y', '', 'f:'), tree),
      { maxLength: 4 },
    );
    const property = fc.asyncProperty(strategic, garbage, async (fields, entries) => {
      await face.check(patch(JSON.stringify({ metadata: fields, data: fields, ...fields }), TYPES.strategic));
      await face.check(post(withFields(JSON.stringify(Object.fromEntries(entries)))));
    });
    await fc.assert(property, { seed: SEED, numRuns: 600 });
    expect(face.stored()).toBe(before);
  });
});

describe('protobuf', () => {
  const recorded = JSON.parse(readFileSync(`${import.meta.dirname}/../../fixtures/kubernetes-protobuf.json`, 'utf8')) as unknown;

  it('is answered wherever it breaks off, and whatever of it is changed', async () => {
    const encodings = encodingsIn(recorded).toSorted((a, b) => a.length - b.length);
    expect(encodings.length).toBeGreaterThan(5);
    const face = await Face.open();
    const before = face.stored();
    const send = (bytes: Uint8Array<ArrayBuffer>) => face.check(post(bytes, TYPES.protobuf));
    for (const whole of encodings.slice(0, 6)) {
      for (let end = 0; end < Math.min(whole.length, 120); end += 1) await send(whole.slice(0, end));
    }
    const change = fc.record({ which: fc.nat(), at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }), end: fc.nat() });
    const property = fc.asyncProperty(change, async ({ which, at, byte, end }) => {
      const bytes = (encodings[which % encodings.length] ?? new Uint8Array()).slice();
      bytes[at % bytes.length] = byte;
      await send(end % 3 === 0 ? bytes.slice(0, end % bytes.length) : bytes);
    });
    await fc.assert(property, { seed: SEED, numRuns: 1500 });
    expect(face.stored()).toBe(before);
    await face.works();
  });
});

/** The texts in base64 that begin as Kubernetes' protobuf does. */
function encodingsIn(value: unknown): readonly Uint8Array<ArrayBuffer>[] {
  if (typeof value === 'string') return value.startsWith('azhzA') ? [new Uint8Array(Buffer.from(value, 'base64'))] : [];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(encodingsIn) : [];
}
