import { type AnyObject, type ResourceType, resourceType, type WatchEvent } from '../../kube/plain/index.ts';
import { type Behaviour, type BehaviourContext, fails, holds, same } from './behaviour.ts';

const SOURCE = 'API: events.k8s.io/v1 Event';

const core = resourceType('v1', 'Event', 'events');
const grouped = resourceType('events.k8s.io/v1', 'Event', 'events');

const TIME = '2026-01-01T00:00:00.000001Z';
const LATER = '2026-01-01T00:10:00.000000Z';

const said = { action: 'Watched', reason: 'Seen', type: 'Normal', reportingInstance: 'watcher-1', eventTime: TIME };
const about = (namespace: string): object => ({ apiVersion: 'v1', kind: 'Pod', namespace, name: 'web' });

/** An event as its own group has it. */
function told(namespace: string, name: string, fields: object = {}): AnyObject {
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { namespace, name },
    regarding: about(namespace),
    note: 'Seen at last',
    reportingController: 'example.com/watcher',
    ...said,
    ...fields,
  } as AnyObject;
}

/** An event as the core group has it, from before events had a group of their own. */
function counted(namespace: string, name: string): AnyObject {
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { namespace, name },
    involvedObject: about(namespace),
    message: 'Back-off restarting',
    reason: 'BackOff',
    type: 'Warning',
    source: { component: 'kubelet', host: 'node-1' },
    firstTimestamp: '2026-01-01T00:00:00Z',
    lastTimestamp: '2026-01-01T00:10:00Z',
    count: 5,
  } as AnyObject;
}

/** An object without what the server made of its metadata. */
const bare = ({ metadata: { namespace = '', name }, ...rest }: AnyObject): unknown => ({
  ...rest,
  metadata: { namespace, name },
});

async function read({ cluster, namespace }: BehaviourContext, type: ResourceType, name: string): Promise<AnyObject> {
  const found = await cluster.get(type, { namespace, name });
  if (found === undefined) throw new Error(`expected: ${type.group} has the event ${name}`);
  return found;
}

async function names({ cluster, namespace }: BehaviourContext, type: ResourceType, fieldSelector: string): Promise<string[]> {
  const { items } = await cluster.list(type, { namespace, fieldSelector });
  return items.map(({ metadata }) => metadata.name);
}

const owners = ({ metadata }: AnyObject): readonly string[] =>
  (metadata.managedFields ?? []).map(({ manager = '', apiVersion = '' }) => `${manager} ${apiVersion}`);

/** Two groups serve Events: they are the same objects, under other names of their fields. */
export const EVENT_BEHAVIOURS: readonly Behaviour[] = [
  {
    name: 'an Event that is written through its own group is read through the core group',
    source: SOURCE,
    async check(context) {
      const { cluster, namespace } = context;
      const created = await cluster.create(grouped, told(namespace, 'a', { series: { count: 2, lastObservedTime: LATER } }));
      const unset = { deprecatedSource: {}, deprecatedFirstTimestamp: null, deprecatedLastTimestamp: null };
      const series = { count: 2, lastObservedTime: LATER };
      same(bare(created), { ...told(namespace, 'a', { series }), ...unset });
      const shown = await read(context, core, 'a');
      const { note, regarding, reportingController, ...rest } = told(namespace, 'a', { series });
      const renamed = { message: note, involvedObject: regarding, reportingComponent: reportingController };
      const nothing = { source: {}, firstTimestamp: null, lastTimestamp: null };
      same(bare(shown), { ...rest, apiVersion: 'v1', ...renamed, ...nothing });
      same([shown.metadata.uid, shown.metadata.resourceVersion], [created.metadata.uid, created.metadata.resourceVersion]);
    },
  },
  {
    name: 'an Event that is written through the core group is read through its own group',
    source: SOURCE,
    async check(context) {
      const { cluster, namespace } = context;
      await cluster.create(core, counted(namespace, 'a'));
      same(bare(await read(context, grouped, 'a')), {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { namespace, name: 'a' },
        regarding: about(namespace),
        note: 'Back-off restarting',
        reason: 'BackOff',
        type: 'Warning',
        eventTime: null,
        deprecatedSource: { component: 'kubelet', host: 'node-1' },
        deprecatedFirstTimestamp: '2026-01-01T00:00:00Z',
        deprecatedLastTimestamp: '2026-01-01T00:10:00Z',
        deprecatedCount: 5,
      });
    },
  },
  {
    name: 'a watch of one group tells of Events that are written through the other',
    source: SOURCE,
    async check({ cluster, namespace }) {
      const { resourceVersion } = await cluster.list(core, { namespace });
      await cluster.create(grouped, told(namespace, 'a'));
      await cluster.create(core, counted(namespace, 'b'));
      await cluster.patch(
        grouped,
        { namespace, name: 'a' },
        { type: 'merge', body: { series: { count: 2, lastObservedTime: LATER } } },
      );
      await cluster.delete(core, { namespace, name: 'a' });
      for (const [type, text] of [
        [core, 'message'],
        [grouped, 'note'],
      ] as const) {
        const events: WatchEvent<AnyObject>[] = [];
        for await (const event of cluster.watch(type, { namespace, resourceVersion, timeoutSeconds: 20 })) {
          events.push(event);
          if (events.length === 4) break;
        }
        const shown = events.map((event) =>
          event.type === 'BOOKMARK' ? event.type : [event.type, event.object.apiVersion, event.object[text]],
        );
        const version = type === core ? 'v1' : 'events.k8s.io/v1';
        same(shown, [
          ['ADDED', version, 'Seen at last'],
          ['ADDED', version, 'Back-off restarting'],
          ['MODIFIED', version, 'Seen at last'],
          ['DELETED', version, 'Seen at last'],
        ]);
      }
    },
  },
  {
    name: 'each group selects Events by its own names of their fields',
    source: SOURCE,
    async check(context) {
      const { cluster, namespace } = context;
      await cluster.create(grouped, told(namespace, 'a'));
      await cluster.create(core, counted(namespace, 'b'));
      same(await names(context, grouped, 'regarding.name=web,reason=Seen'), ['a']);
      same(await names(context, core, 'involvedObject.name=web,reason=Seen'), ['a']);
      same(await names(context, grouped, 'reportingController=example.com/watcher'), ['a']);
      same(await names(context, core, 'reportingComponent=example.com/watcher'), ['a']);
      same(await names(context, core, 'source=example.com/watcher'), ['a']);
      same(await names(context, core, 'source=kubelet'), ['b']);
      same(await names(context, grouped, 'type!=Normal'), ['b']);
      for (const [type, field] of [
        [grouped, 'involvedObject.name'],
        [grouped, 'source'],
        [core, 'regarding.name'],
      ] as const) {
        await fails(() => names(context, type, `${field}=web`), {
          code: 'BadRequest',
          status: 400,
          message: `field label not supported: ${field}`,
        });
      }
    },
  },
  {
    name: 'the group of Events refuses what the core group lets pass',
    source: SOURCE,
    async check({ cluster, namespace }) {
      const fields = { eventTime: null, type: 'Odd', series: { count: 1 }, deprecatedCount: 1 };
      await fails(() => cluster.create(grouped, told(namespace, 'a', fields)), {
        code: 'Invalid',
        status: 422,
        issues: [
          { field: 'series.count', reason: 'FieldValueInvalid', message: 'Invalid value: "": should be at least 2' },
          { field: 'series.lastObservedTime', reason: 'FieldValueRequired', message: 'Required value' },
          { field: 'eventTime', reason: 'FieldValueRequired', message: 'Required value' },
          { field: 'type', reason: 'FieldValueInvalid', message: 'Invalid value: "": has invalid value: Odd' },
          { field: 'count', reason: 'FieldValueInvalid', message: 'Invalid value: "": needs to be unset' },
        ],
      });
      const { note: message, regarding: involvedObject, deprecatedCount: count, ...rest } = told(namespace, 'a', fields);
      const created = await cluster.create(core, { ...rest, apiVersion: 'v1', message, involvedObject, count } as AnyObject);
      same([created.type, created.count], ['Odd', 1]);
    },
  },
  {
    name: 'through its own group only the series of an Event can be changed',
    source: SOURCE,
    async check({ cluster, namespace }) {
      const key = { namespace, name: 'a' };
      await cluster.create(grouped, told(namespace, 'a'));
      await fails(() => cluster.patch(grouped, key, { type: 'merge', body: { note: 'Other' } }), {
        code: 'Invalid',
        status: 422,
        message: 'Event "a" is invalid: message: Invalid value: "Other": field is immutable',
      });
      const series = { count: 2, lastObservedTime: LATER };
      const patched = await cluster.patch(grouped, key, { type: 'merge', body: { series } });
      same(patched.series, series);
      const changed = await cluster.patch(core, key, { type: 'merge', body: { message: 'Other' } });
      same([changed.message, changed.series], ['Other', series]);
    },
  },
  {
    name: 'whoever writes an Event through one group is the only one that owns fields, of those who write through the other',
    source: `${SOURCE}; API: Server-side apply`,
    async check({ cluster, namespace }) {
      const key = { namespace, name: 'a' };
      const created = await cluster.create(grouped, told(namespace, 'a'), { fieldManager: 'first' });
      same(owners(created), ['first events.k8s.io/v1']);
      const applied = { apiVersion: 'v1', kind: 'Event', metadata: key, message: 'Other' };
      const { object } = await cluster.apply(core, applied as AnyObject, { fieldManager: 'second' });
      same([object.message, owners(object)], ['Other', ['second v1']]);
      const touched = await cluster.patch(grouped, key, { type: 'merge', body: {} }, { fieldManager: 'third' });
      same([touched.note, owners(touched)], ['Other', []]);
      holds(touched.metadata.resourceVersion !== object.metadata.resourceVersion, 'a new version, since fewer own fields');
    },
  },
  {
    name: 'an Event of one group is none of the other, until it is stored',
    source: SOURCE,
    async check({ cluster, namespace }) {
      const mismatch = (given: string, wanted: string): string =>
        `the API version in the data (${given}) does not match the expected API version (${wanted})`;
      const refused = { code: 'BadRequest', status: 400 } as const;
      await fails(() => cluster.create(grouped, counted(namespace, 'a')), {
        ...refused,
        message: mismatch('v1', 'events.k8s.io/v1'),
      });
      await fails(() => cluster.create(core, told(namespace, 'a')), {
        ...refused,
        message: mismatch('events.k8s.io/v1', 'v1'),
      });
      await fails(() => cluster.apply(core, told(namespace, 'a'), { fieldManager: 'x' }), {
        ...refused,
        message: 'invalid object type: events.k8s.io/v1, Kind=Event',
      });
      const { created } = await cluster.apply(grouped, told(namespace, 'a'), { fieldManager: 'x' });
      same(created, true, 'whether it was created');
      await fails(() => cluster.create(core, counted(namespace, 'a')), { code: 'AlreadyExists', status: 409 });
    },
  },
  {
    name: 'an Event that is deleted through one group is gone from the other',
    source: SOURCE,
    async check({ cluster, namespace }) {
      const key = { namespace, name: 'a' };
      await cluster.create(core, counted(namespace, 'a'));
      same(await cluster.delete(grouped, key), 'gone');
      same(await cluster.get(core, key), undefined);
      same(await cluster.delete(core, key), 'absent');
      await fails(() => cluster.patch(grouped, key, { type: 'merge', body: {} }), {
        code: 'NotFound',
        status: 404,
        message: 'events.events.k8s.io "a" not found',
      });
    },
  },
];
