import { type Cluster, isClustersetError, resourceType, type StructuralSchema } from 'clusterset/kube';
import { OfflineCluster, simulate } from 'clusterset/testing';
import { type CelEvaluator, celEvaluator } from 'clusterset/testing/cel';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import recorded from './cel-answers.json' with { type: 'json' };
import { type Answers, askAll } from './cel-ask.ts';
import { CASES, DEFINITIONS } from './cel-cases.ts';

const crds = resourceType('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', 'Cluster');
const type = resourceType('example.com/v1', 'Thing', 'things');

const definition = (spec: StructuralSchema): never =>
  ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'things.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { kind: 'Thing', plural: 'things' },
      versions: [
        { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', properties: { spec } } } },
      ],
    },
  }) as never;

const thing = (spec: unknown): never =>
  ({ apiVersion: 'example.com/v1', kind: 'Thing', metadata: { namespace: 'default', name: 'a' }, spec }) as never;

const offline = (cel?: CelEvaluator): Cluster =>
  new OfflineCluster({ name: 'eu-1', rollouts: false, ...(cel === undefined ? {} : { cel }) }).connect();

const failureOf = async (act: () => Promise<unknown>): Promise<{ code: string; status: number | undefined; detail: string }> => {
  const error = await act().then(
    () => undefined,
    (failure: unknown) => failure,
  );
  if (!isClustersetError(error)) throw error ?? new Error('it succeeded');
  return { code: error.code, status: error.status, detail: error.detail };
};

const ruled = (schema: object, rule: string): StructuralSchema => ({ ...schema, 'x-kubernetes-validations': [{ rule }] });

describe('an offline cluster answers as a real API server has answered', () => {
  let answers: Answers;
  beforeAll(async () => {
    answers = await askAll(offline(celEvaluator()));
  });

  const known: Answers = recorded;
  it.each(CASES.map(({ name }) => name))('the value: %s', (name) => {
    expect(known.cases[name]).toBeDefined();
    expect(answers.cases[name]).toEqual(known.cases[name]);
  });
  it.each(DEFINITIONS.map(([name]) => name))('the definition: %s', (name) => {
    expect(known.definitions[name]).toBeDefined();
    expect(answers.definitions[name]).toEqual(known.definitions[name]);
  });
});

describe('what nobody understands is refused', () => {
  it('without an evaluator, and names the mend', async () => {
    const { status, detail } = await failureOf(() => offline().create(crds, definition(ruled({ type: 'object' }, 'true'))));
    expect(status).toBe(501);
    expect(detail).toMatch(/celEvaluator\(\)/);
  });

  it.each([
    ['optional elements of lists', 'size([?optional.of(1)]) == 1'],
    ['optional entries of maps', '{?"a": optional.of(1)}.size() == 1'],
    ['patterns with which JavaScript may never end', '"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!".matches("^(a+)+$")'],
  ])('%s', async (_, rule) => {
    const { status } = await failureOf(() => offline(celEvaluator()).create(crds, definition(ruled({ type: 'object' }, rule))));
    expect(status).toBe(501);
  });

  it('but all clusters of a world can be given an evaluator', async () => {
    await using world = await simulate({ host: {}, members: { 'eu-1': {} }, cel: celEvaluator() });
    for (const name of ['host', 'eu-1']) {
      await world.connect(name).create(crds, definition(ruled({ type: 'object' }, 'true')));
    }
  });
});

describe('rules can neither crash nor hold up a cluster', () => {
  const spec = {
    type: 'object',
    properties: {
      n: { type: 'integer' },
      s: { type: 'string' },
      l: { type: 'array', items: { type: 'integer' } },
      m: { type: 'object', additionalProperties: { type: 'string' } },
    },
  };
  const value = { n: 1, s: 'aé', l: Array.from({ length: 500 }, (_, index) => index), m: { a: 'b', constructor: 'c' } };

  it('however deep they go through lists', async () => {
    const cluster = offline(celEvaluator());
    const rule = 'self.l.all(a, self.l.all(b, self.l.all(c, self.l.all(d, a + b + c + d >= 0))))';
    await cluster.create(crds, definition(ruled(spec, rule)));
    const before = performance.now();
    const { status, detail } = await failureOf(() => cluster.create(type, thing(value)));
    expect(performance.now() - before).toBeLessThan(5000);
    expect(status).toBe(422);
    expect(detail).toMatch(/operation cancelled: actual cost limit exceeded/);
  });

  it('however large what they make', async () => {
    const double = '.map(x, [x, x])';
    const cluster = offline(celEvaluator());
    await cluster.create(
      crds,
      definition(ruled(spec, `size(self.l${double}${double}${double}.flatten(9)) > lists.range(99999999).size()`)),
    );
    expect((await failureOf(() => cluster.create(type, thing(value)))).detail).toMatch(/cost limit exceeded/);
  });

  it('however deep they are written', async () => {
    const deep = `${'('.repeat(5000)}true${')'.repeat(5000)}`;
    expect((await failureOf(() => offline(celEvaluator()).create(crds, definition(ruled(spec, deep))))).status).toBe(422);
  });

  const atoms = fc.constantFrom(
    'self.n',
    'self.s',
    'self.l',
    'self.m',
    '1',
    '-1',
    '2.5',
    '"a"',
    '"é😀"',
    'true',
    'null',
    '[]',
    '{}',
    'oldSelf.n',
    'self.?s',
    'x',
    'duration("1s")',
    'b"a"',
    '9223372036854775807',
    '1u',
  );
  const { expression } = fc.letrec<{ expression: string }>((tie) => ({
    expression: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      atoms,
      fc
        .tuple(
          tie('expression'),
          fc.constantFrom('+', '-', '*', '/', '%', '==', '!=', '<', '>=', '&&', '||', 'in'),
          tie('expression'),
        )
        .map(([a, op, b]) => `(${a} ${op} ${b})`),
      fc
        .tuple(
          tie('expression'),
          fc.constantFrom('all', 'exists', 'exists_one', 'map', 'filter', 'sortBy', 'optMap'),
          tie('expression'),
        )
        .map(([a, macro, b]) => `${a}.${macro}(x, ${b})`),
      fc
        .tuple(
          tie('expression'),
          fc.constantFrom('size', 'sum', 'min', 'sort', 'distinct', 'reverse', 'flatten', 'trim', 'first', 'value', 'nope'),
        )
        .map(([a, name]) => `${a}.${name}()`),
      fc
        .tuple(
          fc.constantFrom(
            'string',
            'int',
            'double',
            'type',
            'dyn',
            'size',
            'quantity',
            'ip',
            'url',
            'semver',
            'has',
            'sets.contains',
            'optional.of',
          ),
          tie('expression'),
        )
        .map(([name, a]) => `${name}(${a})`),
      fc
        .tuple(
          tie('expression'),
          fc.constantFrom('split', 'matches', 'replace', 'substring', 'format', 'orValue'),
          tie('expression'),
        )
        .map(([a, name, b]) => `${a}.${name}(${b})`),
      fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => `${a}[${b}]`),
      fc.tuple(tie('expression'), tie('expression'), tie('expression')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
    ),
  }));

  it('whatever they say', async () => {
    const counts = { stored: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          { weight: 6, arbitrary: expression.map((text) => `dyn(${text}) == dyn(${text})`) },
          { weight: 1, arbitrary: fc.string() },
        ),
        async (rule) => {
          const cluster = offline(celEvaluator());
          const before = performance.now();
          try {
            await cluster.create(crds, definition(ruled(spec, rule)));
            await cluster.create(type, thing(value));
            counts.stored += 1;
          } catch (error) {
            if (!isClustersetError(error) || ![422, 501].includes(error.status ?? 0)) throw error;
            counts.refused += 1;
          }
          expect(performance.now() - before).toBeLessThan(5000);
        },
      ),
      { numRuns: 400, seed: 6 },
    );
    // Enough of both that the test says something.
    expect(Math.min(counts.stored, counts.refused)).toBeGreaterThan(20);
  });
});
