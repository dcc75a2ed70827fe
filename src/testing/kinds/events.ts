import { type AnyObject, checkLabelKey, deepEqual, utf8 } from '../../kube/plain/index.ts';
import { invalidValue, required } from '../api/failures.ts';
import { type Fields, filled, inside, type Kind, numberOf, part, textOf } from './kind.ts';
import { IMMUTABLE, invalidBy, NONE, type Problems, when } from './problems.ts';
import { CORE_UNSAID, coreSeries, EVENTS_UNSAID, EVENTS_VIEW, eventsSeries } from './views.ts';

const CENTRAL: ReadonlySet<string> = new Set(['default', 'kube-system']);
const OTHER_NAMESPACE = 'does not match event.namespace';

const isTime = (value: unknown): boolean => typeof value === 'string';

/** The longest texts, in bytes of UTF-8. */
const LONGEST = { reportingInstance: 128, action: 128, reason: 128, message: 1024 } as const;

function tooLong(event: AnyObject, name: keyof typeof LONGEST): Problems {
  const most = LONGEST[name];
  return when(utf8(textOf(event, name)).length > most, invalidValue(name, '', `can have at most ${most} characters`));
}

/** Events with a time of their own say who saw what. The name of who reports is the only one that the server tells as it was given. */
function reportProblems(event: AnyObject, reporterField: string): Problems {
  const reporter = textOf(event, 'reportingComponent');
  const said = ['reportingInstance', 'action', 'reason'] as const;
  return [
    ...when(reporter === '', required(reporterField)),
    ...invalidBy(reporterField, reporter, checkLabelKey(reporter)),
    ...said.flatMap((name) => [...when(textOf(event, name) === '', required(name)), ...tooLong(event, name)]),
    ...tooLong(event, 'message'),
  ];
}

/** What must hold of every event, whichever group it is written through; it is given as it is stored. */
function commonProblems(event: AnyObject, reporterField: string): Problems {
  const { namespace = '' } = event.metadata;
  const about = textOf(part(event, 'involvedObject'), 'namespace');
  const isTimed = isTime(event.eventTime);
  const isCentral = isTimed ? CENTRAL.has(namespace) : namespace === 'default';
  // An event with a time of its own may be about an object of another namespace.
  const isWrong = about === '' ? !isCentral : !isTimed && about !== namespace;
  return [
    ...when(isWrong, invalidValue('involvedObject.namespace', about, OTHER_NAMESPACE)),
    ...(isTimed ? reportProblems(event, reporterField) : NONE),
  ];
}

/** Events aren't held to what names of other kinds are: theirs must only be a part of a path (API: IsValidPathSegmentName). */
function checkPathName(name: string): readonly string[] {
  if (name === '.' || name === '..') return [`may not be '${name}'`];
  return ['/', '%'].filter((character) => name.includes(character)).map((character) => `may not contain '${character}'`);
}

/** Events as the core group has them: whatever writes them has always been believed (API: core/v1 Event). */
export const coreEvent: Kind = {
  unsaid: CORE_UNSAID,
  checkName: checkPathName,
  defaults: (object) => inside(object, { series: coreSeries }) as AnyObject,
  prepareCreate: (object) => filled(object, CORE_UNSAID) as AnyObject,
  prepareUpdate: (object) => filled(object, CORE_UNSAID) as AnyObject,
  validateAll: (object, old, general) => {
    const own = commonProblems(object, 'reportingComponent');
    // A new one is first looked at as an event, and then as an object.
    return old === undefined && own.length > 0 ? own : [...general, ...own];
  },
};

function seriesProblems(event: AnyObject): Problems {
  if (event.series === undefined) return NONE;
  const series = part(event, 'series');
  return [
    ...when(numberOf(series, 'count') < 2, invalidValue('series.count', '', 'should be at least 2')),
    ...when(!isTime(series.lastObservedTime), required('series.lastObservedTime')),
  ];
}

const mustBeUnset = (field: string): Problems[number] => invalidValue(field, '', 'needs to be unset');

/** What must hold of a new event of the events group beside what must hold of all. */
function createProblems(event: AnyObject): Problems {
  const type = textOf(event, 'type');
  const { component = '', host = '' } = part(event, 'source');
  return [
    ...seriesProblems(event),
    ...when(!isTime(event.eventTime), required('eventTime')),
    ...when(type !== 'Normal' && type !== 'Warning', invalidValue('type', '', `has invalid value: ${type}`)),
    ...when(isTime(event.firstTimestamp), mustBeUnset('firstTimestamp')),
    ...when(isTime(event.lastTimestamp), mustBeUnset('lastTimestamp')),
    ...when(numberOf(event, 'count') !== 0, mustBeUnset('count')),
    ...when(component !== '' || host !== '', mustBeUnset('source')),
  ];
}

const REFERENCE = {
  Kind: 'kind',
  Namespace: 'namespace',
  Name: 'name',
  UID: 'uid',
  APIVersion: 'apiVersion',
  ResourceVersion: 'resourceVersion',
  FieldPath: 'fieldPath',
} as const;
const SOURCE = { Component: 'component', Host: 'host' } as const;

/** A struct as the server's code writes it. */
const struct = (fields: Fields, names: Readonly<Record<string, string>>): Fields =>
  Object.fromEntries(Object.entries(names).map(([name, field]) => [name, textOf(fields, field)]));

/** What nobody may change of an event through the events group, as messages show it, in their order. */
const KEPT: readonly (readonly [field: string, shown: (event: AnyObject) => unknown])[] = [
  ['involvedObject', (event) => struct(part(event, 'involvedObject'), REFERENCE)],
  ['reason', (event) => textOf(event, 'reason')],
  ['message', (event) => textOf(event, 'message')],
  ['source', (event) => struct(part(event, 'source'), SOURCE)],
  ['firstTimestamp', ({ firstTimestamp = null }) => firstTimestamp],
  ['lastTimestamp', ({ lastTimestamp = null }) => lastTimestamp],
  ['count', (event) => numberOf(event, 'count')],
  ['reason', (event) => textOf(event, 'reason')],
  ['type', (event) => textOf(event, 'type')],
  ['eventTime', ({ eventTime = null }) => eventTime],
  ['action', (event) => textOf(event, 'action')],
  ['related', (event) => (event.related === undefined ? null : struct(part(event, 'related'), REFERENCE))],
  ['reportingController', (event) => textOf(event, 'reportingComponent')],
  ['reportingInstance', (event) => textOf(event, 'reportingInstance')],
];

/** Only the series of an event can be changed, and its metadata. */
function updateProblems(event: AnyObject, old: AnyObject): Problems {
  return [
    ...(deepEqual(event.series, old.series) ? NONE : seriesProblems(event)),
    ...KEPT.flatMap(([field, shown]) => when(!deepEqual(shown(event), shown(old)), invalidValue(field, shown(event), IMMUTABLE))),
  ];
}

/** Events as their own group has them (API: events.k8s.io/v1 Event). What is wrong is told in the words of the core group. */
export const groupedEvent: Kind = {
  unsaid: EVENTS_UNSAID,
  defaults: (object) => inside(object, { series: eventsSeries }) as AnyObject,
  prepareCreate: (object) => filled(object, EVENTS_UNSAID) as AnyObject,
  prepareUpdate: (object) => filled(object, EVENTS_UNSAID) as AnyObject,
  validateAll: (object, old, general) => {
    const stored = EVENTS_VIEW.toStored(object);
    const common = commonProblems(stored, 'reportingController');
    return old === undefined
      ? [...common, ...general, ...createProblems(stored)]
      : [...general, ...common, ...updateProblems(stored, EVENTS_VIEW.toStored(old))];
  },
};
