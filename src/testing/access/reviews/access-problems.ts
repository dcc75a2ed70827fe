import { checkLabelKey } from '../../../kube/plain/index.ts';
import { type FieldProblem, forbiddenField, invalidValue, required } from '../../api/failures.ts';
import { type Fields, listOf, part, textOf, textsOf } from '../../kinds/kind.ts';
import { invalidBy, NONE, type Problems, when } from '../../kinds/problems.ts';
import type { Question } from './question.ts';

const ATTRIBUTES = 'spec.resourceAttributes';

/** What is wrong with a question about access (API: authorization.k8s.io/v1, validation of the access reviews). */
export function accessProblems({ kind, metadata, spec }: Question): Problems {
  const { resourceAttributes, nonResourceAttributes } = spec;
  const isLocal = kind === 'LocalSubjectAccessReview';
  const shown = {
    Path: textOf(part(spec, 'nonResourceAttributes'), 'path'),
    Verb: textOf(part(spec, 'nonResourceAttributes'), 'verb'),
  };
  const asksPath = nonResourceAttributes !== undefined;
  const asksResource = resourceAttributes !== undefined;
  const both = 'cannot be specified in combination with resourceAttributes';
  const neither = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
  const isOfNobody = kind !== 'SelfSubjectAccessReview' && textOf(spec, 'user') === '' && textsOf(spec, 'groups').length === 0;
  return [
    ...when(asksPath && asksResource, invalidValue('spec.nonResourceAttributes', shown, both)),
    ...when(!asksPath && !asksResource, invalidValue(ATTRIBUTES, null, neither)),
    ...when(isOfNobody, invalidValue('spec.user', '', 'at least one of user or group must be specified')),
    ...selectorProblems(part(spec, 'resourceAttributes'), 'fieldSelector', (requirement, path) => keyRequired(requirement, path)),
    ...selectorProblems(part(spec, 'resourceAttributes'), 'labelSelector', labelKeyProblems),
    ...metadataProblems(metadata, isLocal),
    ...(isLocal ? localProblems(metadata.namespace ?? '', spec, shown) : NONE),
  ];
}

function metadataProblems(metadata: Question['metadata'], isLocal: boolean): Problems {
  const { managedFields: _m, namespace, ...rest } = metadata;
  const isEmpty = Object.keys(rest).length === 0 && (isLocal || (namespace ?? '') === '');
  if (isEmpty) return NONE;
  const detail = isLocal ? 'must be empty except for namespace' : 'must be empty';
  const order = ORDER.filter((name) => Object.hasOwn(metadata, name));
  const shown = Object.fromEntries(order.map((name) => [name, (metadata as unknown as Fields)[name]]));
  return [invalidValue('metadata', shown, detail)];
}

/** The order in which a server writes metadata. */
const ORDER = ['name', 'generateName', 'namespace', 'labels', 'annotations', 'ownerReferences', 'finalizers', 'managedFields'];

function localProblems(namespace: string, spec: Fields, shown: unknown): Problems {
  const asked = textOf(part(spec, 'resourceAttributes'), 'namespace');
  const isOther = spec.resourceAttributes !== undefined && asked !== namespace;
  const asksPath = spec.nonResourceAttributes !== undefined;
  return [
    ...when(isOther, invalidValue(`${ATTRIBUTES}.namespace`, asked, 'must match metadata.namespace')),
    ...when(asksPath, invalidValue('spec.nonResourceAttributes', shown, 'disallowed on this kind of request')),
  ];
}

function selectorProblems(
  attributes: Fields,
  name: 'fieldSelector' | 'labelSelector',
  keyProblems: (requirement: Fields, path: string) => Problems,
): Problems {
  if (attributes[name] === undefined) return NONE;
  const path = `${ATTRIBUTES}.${name}`;
  const selector = part(attributes, name);
  const requirements = listOf(selector, 'requirements');
  const raw = textOf(selector, 'rawSelector');
  const both = raw !== '' && requirements.length > 0;
  const none = raw === '' && requirements.length === 0;
  return [
    ...when(both, invalidValue(`${path}.rawSelector`, raw, 'may not specified at the same time as requirements')),
    ...when(none, required(`${path}.requirements`, `when ${path} is specified, requirements or rawSelector is required`)),
    ...requirements.flatMap((requirement, index) => {
      const at = `${path}.requirements[${index}]`;
      const [ofKey, ofValues] = [keyProblems(requirement, at), valuesProblems(requirement, at)];
      return name === 'fieldSelector' ? [...ofKey, ...ofValues] : [...ofValues, ...ofKey];
    }),
  ];
}

function keyRequired(requirement: Fields, path: string): Problems {
  return when(textOf(requirement, 'key') === '', required(`${path}.key`, 'must be specified'));
}

function labelKeyProblems(requirement: Fields, path: string): Problems {
  const key = textOf(requirement, 'key');
  return invalidBy(`${path}.key`, key, checkLabelKey(key));
}

/** Operators that nobody knows are left to clients that are newer than the server. */
function valuesProblems(requirement: Fields, path: string): readonly FieldProblem[] {
  const hasValues = textsOf(requirement, 'values').length > 0;
  const missing = required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'");
  const surplus = forbiddenField(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
  switch (textOf(requirement, 'operator')) {
    case 'In':
    case 'NotIn':
      return hasValues ? NONE : [missing];
    case 'Exists':
    case 'DoesNotExist':
      return hasValues ? [surplus] : NONE;
    default:
      return NONE;
  }
}
