import type { AnyObject } from '../../../kube/plain/index.ts';
import { reviewAccess, reviewRules } from './access.ts';
import type { ReviewContext } from './context.ts';
import { reviewSelf, reviewToken } from './identity.ts';
import type { ReviewKind } from './structures.ts';
import { requestToken } from './token-request.ts';

/**
 * Answers a question that somebody has posted; nothing is stored but the tokens that are issued. The answer goes out with 201.
 *
 * @throws StatusError where the question is none, or what it is about isn't there.
 */
export function review(kind: ReviewKind, body: unknown, context: ReviewContext): AnyObject {
  switch (kind) {
    case 'SelfSubjectAccessReview':
    case 'SubjectAccessReview':
    case 'LocalSubjectAccessReview':
      return reviewAccess(kind, body, context);
    case 'SelfSubjectRulesReview':
      return reviewRules(body, context);
    case 'TokenReview':
      return reviewToken(body, context);
    case 'SelfSubjectReview':
      return reviewSelf(body, context);
    case 'TokenRequest':
      return requestToken(body, context);
    default:
      return kind satisfies never;
  }
}
