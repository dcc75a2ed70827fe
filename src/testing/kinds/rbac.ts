import { type AnyObject, checkDnsSubdomain, deepEqual } from '../../kube/plain/index.ts';
import { invalidValue, required } from '../api/failures.ts';
import { each, type Fields, filling, inside, type Kind, listOf, part, textOf, textsOf } from './kind.ts';
import { invalidBy, labelSelector, NONE, oneOf, type Problems, unsupported, when } from './problems.ts';

const GROUP = 'rbac.authorization.k8s.io';

/** What is wrong with the name of a role or a binding: it must fit into a path. */
function checkPathSegment(name: string): readonly string[] {
  if (name === '.' || name === '..') return [`may not be '${name}'`];
  return ['/', '%'].filter((character) => name.includes(character)).map((character) => `may not contain '${character}'`);
}

function ruleProblems(rule: Fields, path: string, isNamespaced: boolean): Problems {
  const urls = textsOf(rule, 'nonResourceURLs');
  const none = (name: string): boolean => textsOf(rule, name).length === 0;
  const isMixed = !none('apiGroups') || !none('resources') || !none('resourceNames');
  const verbs = when(none('verbs'), required(`${path}.verbs`, 'verbs must contain at least one value'));
  if (urls.length > 0) {
    const field = `${path}.nonResourceURLs`;
    return [
      ...verbs,
      ...when(isNamespaced, invalidValue(field, urls, 'namespaced rules cannot apply to non-resource URLs')),
      ...when(isMixed, invalidValue(field, urls, 'rules cannot apply to both regular resources and non-resource URLs')),
    ];
  }
  return [
    ...verbs,
    ...when(none('apiGroups'), required(`${path}.apiGroups`, 'resource rules must supply at least one api group')),
    ...when(none('resources'), required(`${path}.resources`, 'resource rules must supply at least one resource')),
  ];
}

const roleOf = (isNamespaced: boolean): Kind => ({
  checkName: checkPathSegment,
  validate: (object) => [
    ...listOf(object, 'rules').flatMap((rule, index) => ruleProblems(rule, `rules[${index}]`, isNamespaced)),
    ...listOf(part(object, 'aggregationRule'), 'clusterRoleSelectors').flatMap((selector, index) =>
      labelSelector(`aggregationRule.clusterRoleSelectors[${index}]`, selector),
    ),
  ],
});

export const role: Kind = roleOf(true);
export const clusterRole: Kind = roleOf(false);

const SUBJECTS = ['ServiceAccount', 'User', 'Group'];

function subjectDefaults(subject: Fields): Fields {
  return subject.kind === 'User' || subject.kind === 'Group' ? filling({ apiGroup: GROUP })(subject) : subject;
}

function subjectProblems(subject: Fields, path: string, isNamespaced: boolean): Problems {
  const [kind, name, group] = [textOf(subject, 'kind'), textOf(subject, 'name'), textOf(subject, 'apiGroup')];
  const isAccount = kind === 'ServiceAccount';
  const wanted = isAccount ? '' : GROUP;
  return [
    ...when(name === '', required(`${path}.name`)),
    ...(isAccount && name !== '' ? invalidBy(`${path}.name`, name, checkDnsSubdomain(name)) : NONE),
    ...(SUBJECTS.includes(kind) ? oneOf(`${path}.apiGroup`, group, [wanted]) : [unsupported(`${path}.kind`, kind, SUBJECTS)]),
    ...when(isAccount && !isNamespaced && textOf(subject, 'namespace') === '', required(`${path}.namespace`)),
  ];
}

const bindingOf = (isNamespaced: boolean): Kind => ({
  checkName: checkPathSegment,
  defaults: (object) => {
    const empty = { apiGroup: GROUP, kind: '', name: '' };
    const referred = inside({ ...object, roleRef: object.roleRef ?? {} }, { roleRef: filling(empty) });
    return each(referred, { subjects: subjectDefaults }) as AnyObject;
  },
  validate: (object, old) => {
    const ref = part(object, 'roleRef');
    const name = textOf(ref, 'name');
    const shown = { APIGroup: ref.apiGroup, Kind: ref.kind, Name: ref.name };
    const isOther = old !== undefined && !deepEqual(old.roleRef, object.roleRef);
    return [
      ...oneOf('roleRef.apiGroup', ref.apiGroup, [GROUP]),
      ...oneOf('roleRef.kind', ref.kind, isNamespaced ? ['Role', 'ClusterRole'] : ['ClusterRole']),
      ...(name === '' ? [required('roleRef.name')] : invalidBy('roleRef.name', name, checkPathSegment(name))),
      ...listOf(object, 'subjects').flatMap((subject, index) => subjectProblems(subject, `subjects[${index}]`, isNamespaced)),
      ...when(isOther, invalidValue('roleRef', shown, 'cannot change roleRef')),
    ];
  },
});

export const roleBinding: Kind = bindingOf(true);
export const clusterRoleBinding: Kind = bindingOf(false);
