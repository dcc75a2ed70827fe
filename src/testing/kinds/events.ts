import { type AnyObject, checkLabelKey } from '../../kube/plain/index.ts';
import { invalidValue, required } from '../api/failures.ts';
import { filled, type Kind, part, textOf } from './kind.ts';
import { invalidBy, NONE, type Problems, when } from './problems.ts';

const UNSAID = { eventTime: null, firstTimestamp: null, lastTimestamp: null, reportingComponent: '', reportingInstance: '' };
const CENTRAL: ReadonlySet<string> = new Set(['default', 'kube-system']);
const OTHER_NAMESPACE = 'does not match event.namespace';

/** Events with a time of their own say who saw what (API: core/v1 Event). */
function reportProblems(object: AnyObject): Problems {
  const reporter = textOf(object, 'reportingComponent');
  return [
    ...when(reporter === '', required('reportingComponent')),
    ...invalidBy('reportingComponent', reporter, checkLabelKey(reporter)),
    ...['reportingInstance', 'action', 'reason'].flatMap((name) => when(textOf(object, name) === '', required(name))),
  ];
}

/** What is written of every event, though nobody has said it. */
const withUnsaid = (object: AnyObject): AnyObject => filled(object, UNSAID) as AnyObject;

export const event: Kind = {
  prepareCreate: withUnsaid,
  prepareUpdate: withUnsaid,
  validate: (object) => {
    const { namespace = '' } = object.metadata;
    const about = textOf(part(object, 'involvedObject'), 'namespace');
    const isTimed = typeof object.eventTime === 'string';
    const isCentral = isTimed ? CENTRAL.has(namespace) : namespace === 'default';
    // An event with a time of its own may be about an object of another namespace.
    const isWrong = about === '' ? !isCentral : !isTimed && about !== namespace;
    return [
      ...when(isWrong, invalidValue('involvedObject.namespace', about, OTHER_NAMESPACE)),
      ...(isTimed ? reportProblems(object) : NONE),
    ];
  },
};
