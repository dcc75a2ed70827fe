import { type AnyObject, formatKey, keyOf } from 'clusterset/kube';
import { type CacheEvent, ObjectCache } from 'clusterset/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { configMap } from '../fixtures.ts';

/** What a cache is to be, written down as simply as can be: everything is looked for and made anew each time. */
interface Model {
  objects: AnyObject[];
  seen: number;
  synced: boolean;
}

/** The cache, and a copy that is kept by a listener from what it is told, and nothing else. */
interface Real {
  readonly cache: ObjectCache;
  readonly copy: Map<string, AnyObject>;
  readonly late: Map<string, AnyObject>[];
}

type Command = fc.Command<Model, Real>;

const values = ({ data }: AnyObject): readonly string[] => String((data as { value?: string }).value).split('');
const versionOf = ({ metadata }: AnyObject): number => Number(metadata.resourceVersion);
const sameName = (a: AnyObject) => (b: AnyObject) => formatKey(keyOf(a)) === formatKey(keyOf(b));
const byKey = (a: AnyObject, b: AnyObject): number => (formatKey(keyOf(a)) < formatKey(keyOf(b)) ? -1 : 1);
const sorted = (objects: Iterable<AnyObject>): AnyObject[] => [...objects].toSorted(byKey);

function keepCopy(copy: Map<string, AnyObject>, event: CacheEvent): void {
  const key = formatKey(keyOf(event.type === 'removed' ? event.previous : event.object));
  expect(copy.get(key)).toBe('previous' in event ? event.previous : undefined);
  if ('object' in event) copy.set(key, event.object);
  else copy.delete(key);
}

function check(model: Model, { cache, copy, late }: Real): void {
  const expected = sorted(model.objects);
  expect(sorted(cache.values())).toEqual(expected);
  expect(cache.size).toBe(expected.length);
  expect([cache.synced, cache.freshness().version]).toEqual([model.synced, model.seen === 0 ? '' : String(model.seen)]);
  for (const each of [copy, ...late]) expect(sorted(each.values())).toEqual(expected);
  for (const value of 'xyz') {
    expect(sorted(cache.byIndex('value', value))).toEqual(expected.filter((object) => values(object).includes(value)));
  }
  for (const namespace of ['default', 'other']) {
    expect(sorted(cache.byNamespace(namespace))).toEqual(expected.filter(({ metadata }) => metadata.namespace === namespace));
  }
}

/** A command that always can be given: what it does to the model, and to the cache. */
function command(text: string, toModel: (model: Model) => void, toReal: (real: Real) => void): Command {
  return {
    check: () => true,
    run(model, real) {
      toModel(model);
      toReal(real);
      check(model, real);
    },
    toString: () => text,
  };
}

const anObject: fc.Arbitrary<AnyObject> = fc
  .record({
    name: fc.constantFrom('a', 'b', 'c'),
    namespace: fc.constantFrom('default', 'other'),
    version: fc.integer({ min: 1, max: 40 }),
    life: fc.constantFrom(1, 2),
    value: fc.subarray(['x', 'y', 'z']).map((all) => all.join('')),
  })
  .map(({ name, namespace, version, life, value }) => {
    const { metadata, ...rest } = configMap(name, version, { uid: `${name}-${life}`, value });
    return { ...rest, metadata: { ...metadata, namespace } };
  });
const aVersion = fc.integer({ min: 1, max: 40 });

const put = anObject.map((object) =>
  command(
    `put ${formatKey(keyOf(object))}@${versionOf(object)}`,
    (model) => {
      const known = model.objects.find(sameName(object));
      const isOld = versionOf(object) <= model.seen;
      const isSame = known !== undefined && known.metadata.uid === object.metadata.uid;
      if (isOld || (isSame && versionOf(known) >= versionOf(object))) return;
      model.objects = [...model.objects.filter((each) => each !== known), object];
    },
    ({ cache }) => cache.put(object),
  ),
);
const remove = anObject.map((object) =>
  command(
    `remove ${formatKey(keyOf(object))} ${object.metadata.uid}`,
    (model) => {
      model.objects = model.objects.filter((each) => !sameName(object)(each) || each.metadata.uid !== object.metadata.uid);
    },
    ({ cache }) => cache.remove(object),
  ),
);
const advance = aVersion.map((version) =>
  command(
    `advance ${version}`,
    (model) => {
      model.seen = version;
    },
    ({ cache }) => cache.advance(String(version)),
  ),
);
const replace = fc
  .tuple(fc.uniqueArray(anObject, { selector: (object) => formatKey(keyOf(object)) }), aVersion)
  .map(([objects, version]) =>
    command(
      `replace ${objects.length} at ${version}`,
      (model) => {
        // The very version that is there is the very object.
        const isKnown = (object: AnyObject) => (each: AnyObject) =>
          sameName(object)(each) && each.metadata.uid === object.metadata.uid && versionOf(each) === versionOf(object);
        model.objects = objects.map((object) => model.objects.find(isKnown(object)) ?? object);
        model.seen = version;
        model.synced = true;
      },
      ({ cache }) => cache.replace(objects, String(version)),
    ),
  );
const join = fc.constant(
  command(
    'join',
    () => undefined,
    ({ cache, late }) => {
      const copy = new Map<string, AnyObject>();
      late.push(copy);
      cache.listen((event) => keepCopy(copy, event), { replay: true });
    },
  ),
);

describe('an object cache and a naive model of it', () => {
  it.each([
    ['from the beginning', true],
    ['with indexes that come late', false],
  ])('are the same after whatever happens, %s', (_, hasIndex) => {
    fc.assert(
      fc.property(fc.commands([put, put, remove, advance, replace, join], { maxCommands: 40 }), (commands) => {
        const errors: unknown[] = [];
        const onError = (error: unknown): void => void errors.push(error);
        const cache = new ObjectCache({ onError, ...(hasIndex ? { indexes: { value: values } } : {}) });
        const copy = new Map<string, AnyObject>();
        cache.listen((event) => keepCopy(copy, event));
        if (!hasIndex) {
          cache.put(configMap('first', 1));
          cache.addIndex('value', values);
          cache.byNamespace('default');
          cache.remove(configMap('first', 2));
        }
        fc.modelRun(() => ({ model: { objects: [], seen: 0, synced: false }, real: { cache, copy, late: [] } }), commands);
        // A listener's own expectations fail within the cache.
        expect(errors).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it('wakes exactly those whose version is there, and leaves nobody behind when versions go back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(aVersion, { maxLength: 12 }), fc.array(aVersion, { maxLength: 12 }), async (waits, versions) => {
        const cache = new ObjectCache();
        let seen = 0;
        const waiting = new Map<number, { readonly version: number; outcome: string }>();
        for (const [at, version] of waits.entries()) {
          const each = { version, outcome: 'pending' };
          waiting.set(at, each);
          cache.waitForVersion(String(version)).then(
            () => {
              each.outcome = 'there';
            },
            () => {
              each.outcome = 'gone';
            },
          );
        }
        for (const version of versions) {
          cache.advance(String(version));
          for (let turn = 0; turn < 4; turn += 1) await Promise.resolve();
          for (const [at, each] of waiting) {
            const whereNot = version < seen ? 'gone' : 'pending';
            expect(each.outcome).toBe(each.version <= version ? 'there' : whereNot);
            if (each.outcome !== 'pending') waiting.delete(at);
          }
          seen = version;
        }
      }),
      { numRuns: 100 },
    );
  });
});
