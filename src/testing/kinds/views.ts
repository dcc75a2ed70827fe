import { type AnyObject, apiVersionOf, isSameResource, type ResourceType, resourceType } from '../../kube/plain/index.ts';
import { type Fields, filled, inside, without } from './kind.ts';

/** A type whose objects are stored as those of another type: two groups serve one collection. */
export interface View {
  readonly type: ResourceType;
  /** The type that is stored. Whatever is invalid, the server says it of an object of this type. */
  readonly of: ResourceType;
  /** An object of the view as it is stored, but for its version. */
  readonly toStored: (object: AnyObject) => AnyObject;
  /** A stored object as the view shows it, but for its version. */
  readonly fromStored: (object: AnyObject) => AnyObject;
}

/** What the fields of events are called in the core group, and in their own (API: events.k8s.io/v1 Event). */
const NAMES: readonly (readonly [stored: string, shown: string])[] = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['reportingComponent', 'reportingController'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
];
const SHOWN: ReadonlyMap<string, string> = new Map(NAMES);
const STORED: ReadonlyMap<string, string> = new Map(NAMES.map(([stored, shown]) => [shown, stored]));

function renamed(object: AnyObject, names: ReadonlyMap<string, string>): Fields {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [names.get(name) ?? name, value]));
}

/** What is written of every event of the core group, though nobody has said it. */
export const CORE_UNSAID: Fields = {
  firstTimestamp: null,
  lastTimestamp: null,
  eventTime: null,
  reportingComponent: '',
  reportingInstance: '',
};

/** What is written of every event of the events group, though nobody has said it. */
export const EVENTS_UNSAID: Fields = { eventTime: null, deprecatedFirstTimestamp: null, deprecatedLastTimestamp: null };

/** A series always has its time, and in the events group a count, too. */
export const coreSeries = (series: Fields): Fields =>
  filled(series.count === 0 ? without(series, 'count') : series, { lastObservedTime: null });
export const eventsSeries = (series: Fields): Fields => filled(series, { count: 0, lastObservedTime: null });

/** Events of their own group, which are stored as those of the core group. */
export const EVENTS_VIEW: View = {
  type: resourceType('events.k8s.io/v1', 'Event', 'events'),
  of: resourceType('v1', 'Event', 'events'),
  toStored: (object) => filled(inside(renamed(object, STORED), { series: coreSeries }), CORE_UNSAID) as AnyObject,
  fromStored: (object) => {
    const empty = ['reportingComponent', 'reportingInstance'].filter((name) => object[name] === '');
    const shown = renamed(without(object, ...empty) as AnyObject, SHOWN);
    return filled(inside(shown, { series: eventsSeries }), EVENTS_UNSAID) as AnyObject;
  },
};

const VIEWS: readonly View[] = [EVENTS_VIEW];

/** How a type is a view of another, if it is. */
export function viewOf(type: ResourceType): View | undefined {
  return VIEWS.find((view) => isSameResource(view.type, type));
}

/** Whether objects of a version are stored with those of a type, though they are of another group. */
export function isOtherView(type: ResourceType, apiVersion: string): boolean {
  return VIEWS.some(
    ({ type: shown, of }) =>
      (isSameResource(type, shown) && apiVersion === apiVersionOf(of)) ||
      (isSameResource(type, of) && apiVersion === apiVersionOf(shown)),
  );
}
