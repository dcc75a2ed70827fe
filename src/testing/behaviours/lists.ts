import type { AnyObject, WatchEvent, WatchOptions } from '../../kube/plain/index.ts';
import { type Behaviour, type BehaviourContext, configMap, configMaps, fails, holds, same } from './behaviour.ts';

const SOURCE = 'Kubernetes API concepts: lists and watches';

const names = (objects: readonly { readonly metadata: { readonly name: string } }[]): string[] =>
  objects.map(({ metadata }) => metadata.name);

async function makeThree({ cluster, namespace }: BehaviourContext): Promise<void> {
  for (const [name, tier] of [
    ['a', 'web'],
    ['b', 'db'],
    ['c', 'web'],
  ] as const) {
    await cluster.create(configMaps, configMap(namespace, name, {}, { labels: { tier } }));
  }
}

/** Reads events until there are so many that aren't bookmarks. */
async function take({ cluster, namespace }: BehaviourContext, count: number, options: WatchOptions = {}): Promise<string[]> {
  const seen: string[] = [];
  for await (const event of cluster.watch(configMaps, { namespace, timeoutSeconds: 20, ...options })) {
    if (event.type === 'BOOKMARK') continue;
    seen.push(describe(event));
    if (seen.length === count) break;
  }
  return seen;
}

function describe(event: WatchEvent<AnyObject>): string {
  return event.type === 'BOOKMARK' ? 'BOOKMARK' : `${event.type} ${event.object.metadata.name}`;
}

/** kube-root-ca.crt is there where controllers run. */
const MINE = 'metadata.name!=kube-root-ca.crt';

/** Collections: lists, pages, selectors, watches. */
export const LIST_BEHAVIOURS: readonly Behaviour[] = [
  {
    name: 'a list has the objects in the order of their names, and the version that a watch goes on from',
    source: SOURCE,
    async check(context) {
      const { cluster, namespace } = context;
      await makeThree(context);
      const list = await cluster.list(configMaps, { namespace, fieldSelector: MINE });
      same(names(list.items), ['a', 'b', 'c']);
      same(list.items[0]?.kind, 'ConfigMap', 'the kind of an item');
      same(list.items[0]?.apiVersion, 'v1', 'the apiVersion of an item');
      const watching = take(context, 1, { resourceVersion: list.resourceVersion, fieldSelector: MINE });
      await cluster.create(configMaps, configMap(namespace, 'd'));
      same(await watching, ['ADDED d']);
    },
  },
  {
    name: 'selectors choose by labels and fields',
    source: SOURCE,
    async check(context) {
      const { cluster, namespace } = context;
      await makeThree(context);
      same(names((await cluster.list(configMaps, { namespace, labelSelector: 'tier=web' })).items), ['a', 'c']);
      same(names((await cluster.list(configMaps, { namespace, labelSelector: 'tier in (db),tier' })).items), ['b']);
      same(names((await cluster.list(configMaps, { namespace, fieldSelector: 'metadata.name=b' })).items), ['b']);
      await fails(() => cluster.list(configMaps, { namespace, labelSelector: 'a b' }), {
        code: 'BadRequest',
        status: 400,
        message: "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
      });
      await fails(() => cluster.list(configMaps, { namespace, fieldSelector: 'data.x=y' }), { code: 'BadRequest', status: 400 });
    },
  },
  {
    name: 'pages are of one moment, and the last has no continue',
    source: SOURCE,
    async check(context) {
      const { cluster, namespace } = context;
      await makeThree(context);
      const first = await cluster.list(configMaps, { namespace, limit: 2 });
      same(names(first.items), ['a', 'b']);
      await cluster.create(configMaps, configMap(namespace, 'bb'));
      const second = await cluster.list(configMaps, { namespace, limit: 10, continue: first.continue });
      same(names(second.items), ['c'], 'the second page, which was listed before bb came');
      same(second.resourceVersion, first.resourceVersion, 'the resourceVersion');
      same(second.continue, undefined, 'continue on the last page');
      await fails(() => cluster.list(configMaps, { namespace, continue: 'nonsense' }), { code: 'BadRequest', status: 400 });
    },
  },
  {
    name: 'a list may ask for a version, and not for one from the future',
    source: SOURCE,
    async check(context) {
      const { cluster, namespace } = context;
      const created = await cluster.create(configMaps, configMap(namespace, 'a'));
      const { resourceVersion = '' } = created.metadata;
      await cluster.create(configMaps, configMap(namespace, 'b'));
      const then = await cluster.list(configMaps, {
        namespace,
        resourceVersion,
        resourceVersionMatch: 'Exact',
        fieldSelector: 'metadata.name!=x',
      });
      same(names(then.items).includes('b'), false, 'whether b was there');
      await fails(() => cluster.list(configMaps, { namespace, resourceVersionMatch: 'Exact' }), {
        code: 'Invalid',
        status: 422,
        message:
          'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
      });
      await fails(
        () => cluster.list(configMaps, { namespace, resourceVersion: '99999999', resourceVersionMatch: 'NotOlderThan' }),
        {
          code: 'Timeout',
          status: 504,
          message: /^Timeout: Too large resource version: 99999999, current: \d+$/,
        },
      );
    },
  },
  {
    name: 'a watch without a version begins with what is there',
    source: SOURCE,
    async check(context) {
      await makeThree(context);
      same((await take(context, 3, { fieldSelector: MINE })).toSorted(), ['ADDED a', 'ADDED b', 'ADDED c']);
    },
  },
  {
    name: 'a watch tells of changes in order, and a deletion with the last state',
    source: SOURCE,
    async check(context) {
      const { cluster, namespace } = context;
      const { resourceVersion } = await cluster.list(configMaps, { namespace });
      const created = await cluster.create(configMaps, configMap(namespace, 'a', { k: '1' }));
      await cluster.update(configMaps, { ...created, data: { k: '2' } });
      await cluster.delete(configMaps, { namespace, name: 'a' });
      const events: WatchEvent<AnyObject>[] = [];
      for await (const event of cluster.watch(configMaps, {
        namespace,
        resourceVersion,
        timeoutSeconds: 20,
        fieldSelector: MINE,
      })) {
        events.push(event);
        if (events.length === 3) break;
      }
      same(events.map(describe), ['ADDED a', 'MODIFIED a', 'DELETED a']);
      const last = events[2];
      if (last === undefined || last.type === 'BOOKMARK') throw new Error('expected a deletion');
      same(last.object.data, { k: '2' });
      holds(Number(last.object.metadata.resourceVersion) > Number(created.metadata.resourceVersion), 'a later resourceVersion');
    },
  },
  {
    name: 'an object that leaves a selector is deleted from the watch, and one that enters is added',
    source: SOURCE,
    async check(context) {
      const { cluster, namespace } = context;
      const key = { namespace, name: 'a' };
      const { resourceVersion } = await cluster.list(configMaps, { namespace });
      await cluster.create(configMaps, configMap(namespace, 'a', {}, { labels: { tier: 'db' } }));
      for (const tier of ['web', 'web2', 'web'])
        await cluster.patch(configMaps, key, { type: 'merge', body: { metadata: { labels: { tier } } } });
      same(await take(context, 3, { resourceVersion, labelSelector: 'tier=web' }), ['ADDED a', 'DELETED a', 'ADDED a']);
    },
  },
  {
    name: 'initial events end with a bookmark that says so',
    source: 'KEP-3157',
    async check(context) {
      const { cluster, namespace } = context;
      await makeThree(context);
      const seen: string[] = [];
      const options: WatchOptions = {
        namespace,
        sendInitialEvents: true,
        resourceVersionMatch: 'NotOlderThan',
        allowWatchBookmarks: true,
        timeoutSeconds: 20,
        fieldSelector: MINE,
      };
      for await (const event of cluster.watch(configMaps, options)) {
        if (event.type === 'BOOKMARK' && event.initialEventsEnd) break;
        seen.push(describe(event));
      }
      same(seen.toSorted(), ['ADDED a', 'ADDED b', 'ADDED c']);
      await fails(() => take(context, 1, { sendInitialEvents: true }), {
        code: 'Invalid',
        status: 422,
        message: /sendInitialEvents requires setting resourceVersionMatch to NotOlderThan/,
      });
    },
  },
  {
    name: 'a watch ends after its time-out, and when its signal fires',
    source: SOURCE,
    async check({ cluster, namespace }) {
      const { resourceVersion } = await cluster.list(configMaps, { namespace });
      const events: unknown[] = [];
      for await (const event of cluster.watch(configMaps, {
        namespace,
        resourceVersion,
        timeoutSeconds: 1,
        allowWatchBookmarks: false,
      }))
        events.push(event);
      same(events, []);
      const controller = new AbortController();
      const watching = (async () => {
        for await (const event of cluster.watch(configMaps, { namespace, resourceVersion, signal: controller.signal }))
          events.push(event);
      })();
      await cluster.create(configMaps, configMap(namespace, 'a'));
      while (events.length === 0) await cluster.get(configMaps, { namespace, name: 'a' });
      controller.abort();
      const error = await watching.then(
        () => undefined,
        (failure: { code?: string }) => failure,
      );
      same(error?.code, 'Aborted');
    },
  },
];
