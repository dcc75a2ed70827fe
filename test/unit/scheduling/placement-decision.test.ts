import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PlacementDecision } from '../../../src/scheduling/decision/api.ts';
import { assembleDecisions, followDecision } from '../../../src/scheduling/decision/assemble.ts';
import { checkPlacementDecision } from '../../../src/scheduling/decision/check.ts';
import {
  type ChosenCluster,
  decisionKeyOf,
  type PlacementDecisionInput,
  placementDecisionsOf,
} from '../../../src/scheduling/decision/slices.ts';
import { type DecisionStep, planDecisions } from '../../../src/scheduling/decision/steps.ts';
import { ourSpec, upstreamSpec } from '../upstream.ts';

const KEY = 'multicluster.x-k8s.io/decision-key';
const INDEX = 'multicluster.x-k8s.io/decision-index';
const REVISION = 'multicluster.x-k8s.io/decision-revision';
const PLACEMENT = 'multicluster.x-k8s.io/placement-key';

const clusters = (...names: readonly string[]): readonly ChosenCluster[] => names.map((name) => ({ name }));
const numbered = (from: number, count: number): readonly ChosenCluster[] =>
  Array.from({ length: count }, (_, index) => ({ name: `c${String(from + index).padStart(4, '0')}` }));

function slicesOf(chosen: readonly ChosenCluster[], more: Partial<PlacementDecisionInput> = {}): readonly PlacementDecision[] {
  return placementDecisionsOf({ name: 'web', namespace: 'shop', clusters: chosen, schedulerName: 'clusterset', ...more });
}

function slice(
  index: string | undefined,
  names: readonly string[],
  labels: Readonly<Record<string, string>> = { [KEY]: 'web' },
): PlacementDecision {
  return {
    apiVersion: 'multicluster.x-k8s.io/v1alpha1',
    kind: 'PlacementDecision',
    metadata: {
      name: `web-${index}`,
      namespace: 'shop',
      labels: { ...labels, ...(index === undefined ? {} : { [INDEX]: index }) },
    },
    decisions: names.map((name) => ({ clusterProfileRef: { name } })),
  };
}

const namesOf = (slices: readonly PlacementDecision[]): readonly string[] =>
  assembleDecisions(slices).clusters.map(({ name }) => name);

function carriedOut(slices: readonly PlacementDecision[], step: DecisionStep): readonly PlacementDecision[] {
  const name = step.op === 'delete' ? step.key.name : step.object.metadata.name;
  const others = slices.filter(({ metadata }) => metadata.name !== name);
  return step.op === 'delete' ? others : [...others, step.object];
}

describe('PlacementDecision', () => {
  it("has upstream's structure", () => {
    expect(ourSpec(PlacementDecision.crd())).toEqual(upstreamSpec('placementdecisions.multicluster.x-k8s.io'));
  });

  it('needs no approval: only groups under .k8s.io itself are protected', () => {
    expect(PlacementDecision.crd().metadata).toEqual({ name: 'placementdecisions.multicluster.x-k8s.io' });
  });

  it.each<[string, unknown, readonly string[]]>([
    ['no decisions', {}, ['decisions']],
    [
      '101 decisions',
      { decisions: slicesOf(numbered(0, 100))[0]?.decisions.concat({ clusterProfileRef: { name: 'a' } }) },
      ['decisions'],
    ],
    ['a decision without a name', { decisions: [{ clusterProfileRef: {} }] }, ['decisions[0].clusterProfileRef.name']],
    ['a decision without a reference', { decisions: [{ reason: 'best' }] }, ['decisions[0].clusterProfileRef']],
    ['a spec, which nobody reads', { decisions: [], spec: { a: 1 } }, []],
  ])('with %s', (_, content, fields) => {
    const value = {
      apiVersion: 'multicluster.x-k8s.io/v1alpha1',
      kind: 'PlacementDecision',
      metadata: { name: 'a' },
      ...(content as object),
    };
    expect(PlacementDecision.shapeIssues(value).map(({ field }) => field)).toEqual(fields);
    if (fields.length === 0) expect(PlacementDecision.read(value)).toBe(value);
    else expect(() => PlacementDecision.read(value)).toThrowError('PlacementDecision a: decisions');
  });
});

describe('placementDecisionsOf', () => {
  it('lists clusters by name, each once, with the first reason', () => {
    const chosen = [
      { name: 'eu-2', namespace: 'shop' },
      { name: 'eu-1', reason: 'best' },
      { name: 'eu-1', namespace: 'shop', reason: 'second' },
      { name: 'eu-1', namespace: 'fleet', reason: '' },
    ];
    expect(slicesOf(chosen, { placementKey: 'web', revision: '7' })).toEqual([
      {
        apiVersion: 'multicluster.x-k8s.io/v1alpha1',
        kind: 'PlacementDecision',
        metadata: {
          name: 'web-0',
          namespace: 'shop',
          labels: { [KEY]: 'web', [INDEX]: '0', [PLACEMENT]: 'web', [REVISION]: '7' },
        },
        decisions: [
          { clusterProfileRef: { name: 'eu-1', namespace: 'fleet' } },
          { clusterProfileRef: { name: 'eu-1' }, reason: 'best' },
          { clusterProfileRef: { name: 'eu-2' } },
        ],
        schedulerName: 'clusterset',
      },
    ]);
  });

  it.each([
    [0, [0]],
    [1, [1]],
    [100, [100]],
    [101, [100, 1]],
    [250, [100, 100, 50]],
  ])('puts %i clusters into slices of %j', (count, sizes) => {
    const slices = slicesOf(numbered(0, count));
    expect(slices.map(({ decisions }) => decisions.length)).toEqual(sizes);
    expect(slices.map(({ metadata }) => [metadata.name, metadata.labels?.[INDEX]])).toEqual(
      sizes.map((_, index) => [`web-${index}`, `${index}`]),
    );
    expect(slices.flatMap(checkPlacementDecision)).toEqual([]);
  });

  it('shortens names that are too long for a label, or for an object with a number, and never to the same', () => {
    const long = [`${'a'.repeat(252)}b`, `${'a'.repeat(252)}c`];
    const found = long.map((name) => slicesOf([], { name, placementKey: `${name} !`, revision: '' })[0]);
    for (const each of found) expect(checkPlacementDecision(each)).toEqual([]);
    expect(found[0]?.metadata.labels?.[KEY]).toMatch(/^a{46}-[0-9a-f]{16}$/);
    expect(found[0]?.metadata.labels?.[KEY]).toBe(decisionKeyOf(long[0] ?? ''));
    expect(found[0]?.metadata.name).not.toBe(found[1]?.metadata.name);
    expect(found[0]?.metadata.labels).not.toEqual(found[1]?.metadata.labels);
  });

  it.each<[Partial<PlacementDecisionInput>, string]>([
    [{ name: 'Web' }, 'name'],
    [{ namespace: 'a.b' }, 'namespace'],
    [{ clusters: clusters('eu-1', '__proto__') }, 'clusters[1].name'],
    [{ clusters: [{ name: 'a', namespace: '-' }] }, 'clusters[0].namespace'],
  ])('refuses names that no object can have: %j', (more, field) => {
    expect(() => slicesOf([], more)).toThrowError(`${field}: `);
  });

  it('does not depend on the order of clusters', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(400), { maxLength: 300 }), (ids) => {
        const chosen = ids.map((id) => ({ name: `c${id}` }));
        expect(slicesOf(chosen.toReversed())).toEqual(slicesOf(chosen));
      }),
    );
  });
});

describe('assembleDecisions', () => {
  it.each<[string, readonly PlacementDecision[], string, readonly string[]]>([
    ['no slice', [], 'NoSlices', []],
    ['one slice without labels', [slice(undefined, ['a'], {})], 'Complete', ['a']],
    ['one empty slice', [slice('0', [])], 'Complete', []],
    ['slices in any order, with a cluster twice', [slice('1', ['b', 'a']), slice('0', ['a'])], 'Complete', ['a', 'b']],
    ['a lone second slice', [slice('1', ['a'])], 'IndexMissing', ['a']],
    ['a gap', [slice('0', ['a']), slice('2', ['c'])], 'IndexMissing', ['a', 'c']],
    ['two of a place', [slice('0', ['a']), slice('0', ['b'])], 'IndexTwice', ['a', 'b']],
    ['one without a place', [slice('0', ['a']), slice(undefined, ['b'])], 'NoIndex', ['a', 'b']],
    ['a place with a zero in front', [slice('0', ['a']), slice('01', ['b'])], 'NoIndex', ['a', 'b']],
    ['two decisions', [slice('0', ['a']), slice('1', ['b'], { [KEY]: 'db' })], 'SeveralKeys', ['a', 'b']],
    ['several without a key', [slice('0', ['a'], {}), slice('1', ['b'], {})], 'SeveralKeys', ['a', 'b']],
    [
      'two revisions',
      [slice('0', ['a'], { [KEY]: 'web', [REVISION]: '1' }), slice('1', ['b'], { [KEY]: 'web', [REVISION]: '2' })],
      'SeveralRevisions',
      ['a', 'b'],
    ],
    [
      'a revision that only one has',
      [slice('0', ['a'], { [KEY]: 'web', [REVISION]: '1' }), slice('1', ['b'])],
      'SeveralRevisions',
      ['a', 'b'],
    ],
    ['an unreadable one', [slice('0', ['a']), {} as PlacementDecision], 'Unreadable', ['a']],
  ])('finds %s', (_, slices, why, names) => {
    expect(assembleDecisions(slices)).toMatchObject({ why, complete: why === 'Complete' });
    expect(namesOf(slices)).toEqual(names);
  });

  it('fills in namespaces, and takes reasons from the first slice', () => {
    const two = [
      { ...slice('1', []), decisions: [{ clusterProfileRef: { name: 'a', namespace: 'shop' }, reason: 'second' }] },
      {
        ...slice('0', []),
        decisions: [
          { clusterProfileRef: { name: 'a' }, reason: 'first' },
          { clusterProfileRef: { name: 'a', namespace: 'fleet' } },
        ],
      },
    ];
    expect(assembleDecisions(two).clusters).toEqual([
      { name: 'a', namespace: 'fleet' },
      { name: 'a', namespace: 'shop', reason: 'first' },
    ]);
  });

  it('lets nobody remove anything before the decision is complete', () => {
    const deployed = [
      { name: 'b', namespace: 'shop' },
      { name: 'a', namespace: 'shop' },
    ];
    const whole = followDecision(deployed, assembleDecisions([slice('0', ['b', 'c'])]));
    expect(whole).toEqual({
      deploy: [{ name: 'c', namespace: 'shop' }],
      remove: [{ name: 'a', namespace: 'shop' }],
      hold: [],
    });
    expect(followDecision(deployed, assembleDecisions([slice('1', ['b', 'c'])]))).toEqual({
      ...whole,
      remove: [],
      hold: whole.remove,
    });
    expect(followDecision(deployed, assembleDecisions([])).hold).toHaveLength(2);
  });
});

describe('planDecisions', () => {
  const ops = ({ steps }: ReturnType<typeof planDecisions>): readonly string[] =>
    steps.map((step) => `${step.op} ${step.op === 'delete' ? step.key.name : step.object.metadata.name}`);

  it.each<[string, readonly PlacementDecision[], readonly PlacementDecision[], readonly string[]]>([
    ['nothing where nothing changed', slicesOf(numbered(0, 150)), slicesOf(numbered(0, 150).toReversed()), []],
    ['the first slice last', [], slicesOf(numbered(0, 250)), ['create web-2', 'create web-1', 'create web-0']],
    ['only what changed', slicesOf(numbered(0, 150)), slicesOf(numbered(0, 151)), ['update web-1']],
    [
      'from behind, where clusters move up',
      slicesOf(numbered(1, 250)),
      slicesOf(numbered(0, 301)),
      ['create web-3', 'update web-2', 'update web-1', 'update web-0'],
    ],
    [
      'from the front, where clusters move down, and deletes last',
      slicesOf(numbered(0, 301)),
      slicesOf(numbered(1, 200)),
      ['update web-0', 'update web-1', 'delete web-2', 'delete web-3'],
    ],
    ['an empty slice where nothing is chosen', slicesOf(numbered(0, 101)), slicesOf([]), ['update web-0', 'delete web-1']],
    ['deletions of all slices, the first one first', slicesOf(numbered(0, 101)), [], ['delete web-0', 'delete web-1']],
  ])('writes %s', (_, existing, wanted, expected) => {
    const plan = planDecisions(existing, wanted);
    expect(ops(plan)).toEqual(expected);
    expect(plan).toMatchObject({ held: [], exposed: [] });
    expect(ops(planDecisions(existing.toReversed(), wanted))).toEqual(expected);
  });

  it('keeps what others wrote, and takes a revision away that is not wanted any more', () => {
    const [before] = slicesOf(clusters('a'), { revision: '1' });
    const existing = {
      ...(before ?? slice('0', [])),
      metadata: {
        name: 'web-0',
        namespace: 'shop',
        uid: 'u',
        resourceVersion: '5',
        annotations: { owner: 'me' },
        labels: { ...before?.metadata.labels, team: 'x' },
      },
      extra: 1,
    };
    const { steps } = planDecisions([existing], slicesOf(clusters('b')));
    expect(steps).toMatchObject([
      {
        op: 'update',
        object: {
          metadata: {
            uid: 'u',
            resourceVersion: '5',
            annotations: { owner: 'me' },
            labels: { team: 'x', [KEY]: 'web', [INDEX]: '0' },
          },
          decisions: [{ clusterProfileRef: { name: 'b' } }],
          extra: 1,
        },
      },
    ]);
    expect(steps[0]?.op === 'update' && Object.keys(steps[0].object.metadata.labels ?? {})).not.toContain(REVISION);
    expect(planDecisions([existing], [])).toMatchObject({ steps: [{ op: 'delete', uid: 'u', resourceVersion: '5' }] });
  });

  it('leaves slices of other decisions alone, and writes nothing at all where one is in the way', () => {
    const foreign = slice('0', ['x'], { [KEY]: 'db' });
    const elsewhere = { ...foreign, metadata: { ...foreign.metadata, name: 'db-0' } };
    expect(ops(planDecisions([elsewhere], slicesOf(clusters('a'))))).toEqual(['create web-0']);
    expect(planDecisions([foreign], slicesOf(numbered(0, 101)))).toEqual({
      steps: [],
      held: [{ name: 'web-0', reason: 'OtherDecision' }],
      exposed: [],
    });
    const going = { ...slice('0', ['a']), metadata: { ...slice('0', []).metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
    expect(planDecisions([going], slicesOf(clusters('a'))).held).toEqual([{ name: 'web-0', reason: 'BeingDeleted' }]);
    expect(planDecisions([going], []).steps).toEqual([]);
  });

  it('names the clusters that slices in another order would show nowhere for a moment', () => {
    const [first = slice('0', []), second = slice('1', [])] = slicesOf(numbered(0, 101));
    const swapped = [
      { ...first, decisions: [...first.decisions.slice(0, 99), ...second.decisions] },
      { ...second, decisions: first.decisions.slice(99) },
    ];
    expect(planDecisions(swapped, [first, second]).exposed).toEqual(['shop/c0099']);
  });

  it.each([
    ['with a revision', true],
    ['without', false],
  ])('never lets readers miss a cluster that stays, wherever it stops, %s', (_, hasRevision) => {
    const arbitrary = fc
      .tuple(fc.nat(), fc.nat(420))
      .map(([seed, count]) =>
        [...new Array<number>(count).keys()].filter((id) => (Math.imul(seed ^ id, 2_654_435_761) >>> 28) % 4 !== 0),
      );
    const drawn = (ids: readonly number[], revision: string): readonly PlacementDecision[] =>
      slicesOf(
        ids.map((id) => ({ name: `c${String(id).padStart(3, '0')}` })),
        hasRevision ? { revision } : {},
      );
    fc.assert(
      fc.property(fc.option(arbitrary, { freq: 8 }), arbitrary, fc.nat(20), (before, after, stop) => {
        const wanted = drawn(after, '2');
        let slices = before === null ? [] : drawn(before, '1');
        const chosen = new Set(namesOf(wanted));
        const stays = namesOf(slices).filter((name) => chosen.has(name));
        let plan = planDecisions(slices, wanted);
        expect(plan.exposed).toEqual([]);
        for (let at = 0; at < plan.steps.length; at += 1) {
          if (at === stop) plan = planDecisions(slices, wanted);
          const step = plan.steps[at === stop ? 0 : at];
          if (step === undefined) break;
          slices = carriedOut(slices, step);
          if (at === stop) break;
          const seen = assembleDecisions(slices);
          const listed = new Set(seen.clusters.map(({ name }) => name));
          expect(stays.filter((name) => !listed.has(name))).toEqual([]);
          if (hasRevision || before === null) expect(seen.complete).toBe(at === plan.steps.length - 1);
        }
        for (const step of planDecisions(slices, wanted).steps) slices = carriedOut(slices, step);
        expect(planDecisions(slices, wanted).steps).toEqual([]);
        expect(assembleDecisions(slices)).toEqual({ ...assembleDecisions(wanted), complete: true, why: 'Complete' });
        expect(slices).toHaveLength(wanted.length);
      }),
      { numRuns: 100 },
    );
  });
});

describe('checkPlacementDecision', () => {
  const good = slice('0', ['a']);
  const labelled = (labels: Readonly<Record<string, unknown>>): unknown => ({ ...good, metadata: { ...good.metadata, labels } });
  it.each<[string, unknown, readonly string[]]>([
    ['nothing', good, []],
    ['another kind', { ...good, kind: 'Placement' }, ['kind']],
    ['its shape', { ...good, decisions: 'all' }, ['decisions']],
    ['its own name', { ...good, metadata: { name: 'A' } }, ['metadata.name', 'metadata.namespace']],
    [
      'names',
      { ...good, decisions: [{ clusterProfileRef: { name: 'A', namespace: 'a.b' } }] },
      ['decisions[0].clusterProfileRef.name', 'decisions[0].clusterProfileRef.namespace'],
    ],
    [
      'a cluster twice',
      { ...good, decisions: [{ clusterProfileRef: { name: 'a' } }, { clusterProfileRef: { name: 'a', namespace: 'shop' } }] },
      ['decisions[1].clusterProfileRef'],
    ],
    ['a place that is no number', labelled({ [KEY]: 'web', [INDEX]: '-1' }), [`metadata.labels[${INDEX}]`]],
    ['a place that is no text', labelled({ [KEY]: 'web', [INDEX]: 1 }), [`metadata.labels[${INDEX}]`]],
    ['a second slice without a key', labelled({ [INDEX]: '1' }), [`metadata.labels[${KEY}]`]],
    ['a key that is no label', labelled({ [KEY]: 'a b' }), [`metadata.labels[${KEY}]`]],
    ['a key that is no text', labelled({ [KEY]: 5 }), [`metadata.labels[${KEY}]`]],
    ['no labels at all', labelled(null as unknown as Record<string, unknown>), []],
  ])('complains about %s', (_, value, fields) => {
    expect(checkPlacementDecision(value).map(({ field }) => field)).toEqual(fields);
  });
});
