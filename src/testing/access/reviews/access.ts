import {
  type AnyObject,
  failure,
  isClustersetError,
  parseFieldSelector,
  parseLabelSelector,
  requirementsOf,
} from '../../../kube/plain/index.ts';
import { badRequest, StatusError } from '../../api/failures.ts';
import { type Fields, listOf, part, textOf, textsOf } from '../../kinds/kind.ts';
import type { Attributes } from '../attributes.ts';
import { authorize, missingRoles } from '../authorize.ts';
import type { PolicyRule } from '../rules.ts';
import type { User } from '../users.ts';
import { accessProblems } from './access-problems.ts';
import type { ReviewContext } from './context.ts';
import { invalidQuestion, type Question, questionOf } from './question.ts';

/** May I, may somebody, may somebody in this namespace (API: authorization.k8s.io/v1). */
export function reviewAccess(
  kind: 'SelfSubjectAccessReview' | 'SubjectAccessReview' | 'LocalSubjectAccessReview',
  body: unknown,
  context: ReviewContext,
): AnyObject {
  if (kind === 'LocalSubjectAccessReview' && context.namespace === undefined) throw nothingThere();
  const question = questionOf(kind, body, context);
  const problems = accessProblems(question);
  if (problems.length > 0) throw invalidQuestion(kind, '', problems);
  const { spec } = question;
  const user = kind === 'SelfSubjectAccessReview' ? context.user : userOf(spec);
  const attributes = attributesAsked(spec, user);
  const { roles } = context;
  const { allowed, reason } = roles === undefined ? { allowed: true, reason: '' } : authorize(attributes, roles);
  const evaluationError = selectorErrors(part(spec, 'resourceAttributes'));
  const why = { ...(reason === '' ? {} : { reason }), ...(evaluationError === '' ? {} : { evaluationError }) };
  return { ...question, status: { allowed, ...why } };
}

/** There is no such collection outside of namespaces. */
function nothingThere(): StatusError {
  return new StatusError(failure('NotFound', 'the server could not find the requested resource'));
}

function userOf(spec: Fields): User {
  const uid = textOf(spec, 'uid');
  return {
    name: textOf(spec, 'user'),
    groups: textsOf(spec, 'groups'),
    ...(uid === '' ? {} : { uid }),
    extra: part(spec, 'extra') as NonNullable<User['extra']>,
  };
}

function attributesAsked(spec: Fields, user: User): Attributes {
  if (spec.resourceAttributes === undefined) {
    const asked = part(spec, 'nonResourceAttributes');
    return { user, verb: textOf(asked, 'verb'), path: textOf(asked, 'path') };
  }
  const asked = part(spec, 'resourceAttributes');
  const given = (name: string): Fields => (textOf(asked, name) === '' ? {} : { [name]: textOf(asked, name) });
  return {
    user,
    verb: textOf(asked, 'verb'),
    group: textOf(asked, 'group'),
    version: textOf(asked, 'version') || '*',
    resource: textOf(asked, 'resource'),
    ...given('subresource'),
    ...given('namespace'),
    ...given('name'),
  };
}

/** Selectors that can't be read are left out, which allows no more than to ask without them. */
function selectorErrors(attributes: Fields): string {
  const { fieldSelector, labelSelector } = attributes;
  const fields = fieldSelector === undefined ? '' : fieldError(part(attributes, 'fieldSelector'));
  const labels = labelSelector === undefined ? '' : labelError(part(attributes, 'labelSelector'));
  const told = (name: string, how: string): readonly string[] =>
    how === '' ? [] : [`spec.resourceAttributes.${name} ${how} due to parse error`];
  return [...told('fieldSelector', fields), ...told('labelSelector', labels)].join('; ');
}

function fieldError(selector: Fields): string {
  const requirements = listOf(selector, 'requirements');
  const isGood = (requirement: Fields): boolean =>
    ['In', 'NotIn'].includes(textOf(requirement, 'operator')) && textsOf(requirement, 'values').length === 1;
  return howMuch(textOf(selector, 'rawSelector'), parseFieldSelector, requirements, isGood);
}

function labelError(selector: Fields): string {
  const requirements = listOf(selector, 'requirements');
  const isGood = (requirement: Fields): boolean =>
    isReadable(() =>
      requirementsOf({
        matchExpressions: [
          { key: textOf(requirement, 'key'), operator: textOf(requirement, 'operator'), values: textsOf(requirement, 'values') },
        ],
      }),
    );
  return howMuch(textOf(selector, 'rawSelector'), parseLabelSelector, requirements, isGood);
}

/** How much of a selector isn't understood. */
function howMuch(
  raw: string,
  parse: (text: string) => unknown,
  requirements: readonly Fields[],
  isGood: (requirement: Fields) => boolean,
): '' | 'ignored' | 'partially ignored' {
  if (raw !== '') return isReadable(() => parse(raw)) ? '' : 'ignored';
  const good = requirements.filter(isGood).length;
  if (good === requirements.length) return '';
  return good === 0 ? 'ignored' : 'partially ignored';
}

function isReadable(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (isClustersetError(error)) return false;
    throw error;
  }
}

const ALL: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'], resourceNames: [], nonResourceURLs: [] },
  { verbs: ['*'], apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: ['*'] },
];

/** What may I (API: authorization.k8s.io/v1 SelfSubjectRulesReview). The question itself isn't in the answer, as on a real server. */
export function reviewRules(body: unknown, context: ReviewContext): AnyObject {
  const { apiVersion, kind, spec } = questionOf('SelfSubjectRulesReview', body, context);
  const namespace = textOf(spec, 'namespace');
  if (namespace === '') throw badRequest('no namespace on request');
  const { roles, user } = context;
  const grants = roles?.grants(user, namespace) ?? [];
  const rules = roles === undefined ? ALL : grants.flatMap((grant) => grant.rules ?? []);
  const evaluationError = missingRoles(grants, ({ binding }) => binding.roleRef.kind.toLowerCase());
  return {
    apiVersion,
    kind,
    metadata: {} as Question['metadata'],
    spec: {},
    status: {
      resourceRules: rules.filter(({ resources }) => resources.length > 0).map(resourceRule),
      nonResourceRules: rules
        .filter(({ nonResourceURLs }) => nonResourceURLs.length > 0)
        .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
      incomplete: false,
      ...(evaluationError === '' ? {} : { evaluationError }),
    },
  };
}

function resourceRule({ verbs, apiGroups, resources, resourceNames }: PolicyRule): unknown {
  return { verbs, apiGroups, resources, ...(resourceNames.length === 0 ? {} : { resourceNames }) };
}
