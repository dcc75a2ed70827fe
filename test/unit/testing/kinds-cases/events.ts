import { casesOf, change, type KindCase, NAMESPACE, through } from './case.ts';

type Fields = Readonly<Record<string, unknown>>;

const CORE = 'v1';
const GROUP = 'events.k8s.io/v1';
const event = casesOf(CORE, 'Event');
const grouped = casesOf(GROUP, 'Event');

const TIME = '2026-01-01T00:00:00.000001Z';
const OTHER_TIME = '2026-01-01T00:10:00.000000Z';
const pod = { apiVersion: 'v1', kind: 'Pod', namespace: NAMESPACE, name: 'web', fieldPath: 'spec.containers{web}' };

/** An event with all that one of its own group must have. */
const told = (fields: Fields = {}): Fields => ({
  eventTime: TIME,
  reportingController: 'example.com/watcher',
  reportingInstance: 'watcher-1',
  action: 'Watched',
  reason: 'Seen',
  type: 'Normal',
  regarding: pod,
  ...fields,
});

/** The same, as the core group has it. */
const reported = (fields: Fields = {}): Fields => ({
  eventTime: TIME,
  reportingComponent: 'example.com/watcher',
  reportingInstance: 'watcher-1',
  action: 'Watched',
  reason: 'Seen',
  type: 'Normal',
  involvedObject: pod,
  ...fields,
});

const long = (length: number, letter = 'x'): string => letter.repeat(length);
const tooLong = { reportingInstance: long(129), action: long(129), reason: long(129) };
const noSeries = { series: { count: 1 } };

/** Events of both groups, which are the same objects. */
export const EVENT_CASES: readonly KindCase[] = [
  event('plain', { involvedObject: { kind: 'Pod', namespace: 'shop', name: 'web' } }),
  event('full', {
    involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'web', fieldPath: 'spec.containers{web}' },
    type: 'Warning',
    reason: 'BackOff',
    message: 'Back-off restarting\n',
    source: { component: 'kubelet', host: 'node-1' },
    firstTimestamp: '2026-01-01T00:00:00Z',
    lastTimestamp: '2026-01-01T00:10:00Z',
    count: 5,
  }),
  event('series', {
    involvedObject: { kind: 'Node', name: 'node-1', namespace: 'shop' },
    eventTime: '2026-01-01T00:00:00.000000Z',
    series: { count: 3, lastObservedTime: '2026-01-01T00:00:00.000000Z' },
    reportingComponent: 'example.com/watcher',
    reportingInstance: 'watcher-1',
    action: 'Watched',
    reason: 'Seen',
    type: 'Normal',
  }),
  event('elsewhere', { involvedObject: { kind: 'Pod', namespace: 'other', name: 'web' } }),
  event('of-a-node', { involvedObject: { kind: 'Node', name: 'node-1' } }),
  event('names-nobody', { metadata: { namespace: 'default' } }),
  event('Under_Scored', { involvedObject: { kind: 'Pod', namespace: NAMESPACE, name: 'web' } }),
  event('a/slash', { involvedObject: { kind: 'Pod', namespace: NAMESPACE, name: 'web' } }),
  event('bad-labels', { metadata: { labels: { 'a b': 'c d' }, finalizers: ['x'] }, involvedObject: pod }),
  event('bad-labels-elsewhere', { metadata: { labels: { 'a b': 'c' } }, involvedObject: { ...pod, namespace: 'other' } }),
  event('reports-nothing', { eventTime: TIME, reportingComponent: 'a b', involvedObject: pod }),
  event('reports-too-much', reported({ ...tooLong, message: long(1025) })),
  event('reports-enough', reported({ action: long(128), message: long(1024) })),
  event('untimed-may-be-long', { involvedObject: pod, reason: long(129), message: long(1025) }),
  event('wide-letters', reported({ action: long(65, 'é') })),
  event('series-of-nothing', { involvedObject: pod, series: {}, related: {} }),
  event('series-of-a-count', { involvedObject: pod, series: { count: 3 } }, through(GROUP)),
  event('series-of-a-time', { involvedObject: pod, series: { lastObservedTime: TIME } }, through(GROUP)),
  event(
    'anything-goes',
    reported({ ...noSeries, type: 'Odd' }),
    change({ reason: 'Other', message: 'new', eventTime: OTHER_TIME }),
  ),
  event(
    'read-through-its-group',
    {
      involvedObject: pod,
      message: 'Back-off restarting',
      source: { component: 'kubelet', host: 'node-1' },
      firstTimestamp: '2026-01-01T00:00:00Z',
      lastTimestamp: '2026-01-01T00:10:00Z',
      count: 5,
    },
    through(GROUP),
    through(GROUP, { metadata: { labels: { a: 'b' } } }),
    through(GROUP, { series: { count: 2, lastObservedTime: OTHER_TIME } }),
    through(CORE),
    through(GROUP, { deprecatedCount: 6, note: 'Other', deprecatedLastTimestamp: null, deprecatedSource: { host: null } }),
    change({ count: 6, message: 'Other' }),
  ),

  grouped('told', told({ note: 'Seen at last', related: { kind: 'Node', name: 'node-1' } }), through(CORE)),
  grouped('told-in-another-zone', told({ eventTime: '2026-01-01T01:00:00.000001+01:00' })),
  grouped('told-with-seconds-only', told({ eventTime: '2026-01-01T00:00:00Z' })),
  grouped('told-of-nobody', told({ regarding: undefined })),
  grouped('told-of-elsewhere', told({ regarding: { ...pod, namespace: 'other' } }), through(CORE)),
  grouped('told-untimed', told({ eventTime: null })),
  grouped('told-of-elsewhere-untimed', told({ eventTime: null, regarding: { ...pod, namespace: 'other' } })),
  grouped('empty', {}),
  grouped('says-nothing', { eventTime: TIME, regarding: pod }),
  grouped('says-too-much', told({ ...tooLong, note: long(1025) })),
  grouped('says-enough', told({ action: long(128), note: long(1024) })),
  grouped('odd-type', told({ type: 'Odd' })),
  grouped('odd-reporter', told({ reportingController: 'a b' })),
  grouped('in-the-old-way', {
    ...told(noSeries),
    deprecatedSource: { component: 'kubelet' },
    deprecatedFirstTimestamp: '2026-01-01T00:00:00Z',
    deprecatedLastTimestamp: '2026-01-01T00:00:00Z',
    deprecatedCount: 1,
  }),
  grouped('with-a-series', told({ series: { count: 2, lastObservedTime: TIME } }), through(CORE)),
  grouped('with-half-a-series', told({ series: { count: 2 } })),
  grouped('with-the-other-half', told({ series: { lastObservedTime: TIME } })),
  grouped('Under_Scored_Again', told()),
  grouped('bad-labels-and-type', told({ metadata: { labels: { 'a b': 'c d' }, finalizers: ['x'] }, type: '', action: '' })),
  grouped('core-fields', told({ message: 'Seen', involvedObject: pod, count: 3 })),
  grouped(
    'keeps-what-was-told',
    told({ note: 'Seen', related: { kind: 'Node', name: 'node-1' } }),
    change({ note: 'Other' }),
    change({ note: null }),
    change({
      eventTime: OTHER_TIME,
      reportingController: 'example.com/other',
      reportingInstance: 'other',
      action: 'Other',
      reason: 'Other',
      type: 'Warning',
      regarding: { name: 'other' },
      related: { name: 'other' },
      note: 'Other',
      deprecatedSource: { component: 'kubelet' },
      deprecatedFirstTimestamp: '2026-01-01T00:00:00Z',
      deprecatedLastTimestamp: '2026-01-01T00:00:00Z',
      deprecatedCount: 1,
      series: { count: 1 },
    }),
    change({ eventTime: null, regarding: null, related: null, type: null }),
    change({ reportingController: null }),
  ),
  grouped(
    'counts',
    told(),
    change({ series: { count: 2 } }),
    change({ series: { count: 2, lastObservedTime: TIME } }),
    change({ series: { count: 3, lastObservedTime: OTHER_TIME } }),
    through(CORE),
    change({ metadata: { labels: { a: 'b' } } }),
    change({ series: null }),
  ),
  grouped(
    'managed-by-two-groups',
    told({ series: { count: 2, lastObservedTime: TIME } }),
    through(CORE, {}),
    through(CORE, { message: 'Seen', series: { count: 1 } }),
    through(CORE, { message: 'Seen again' }),
    change({ metadata: { labels: { a: 'b' } } }),
    through(CORE, { involvedObject: { namespace: 'other' }, eventTime: null }),
  ),
];
