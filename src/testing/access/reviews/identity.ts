import type { AnyObject } from '../../../kube/plain/index.ts';
import { timestamp } from '../../../runtime/time/index.ts';
import { badRequest } from '../../api/failures.ts';
import { textOf, textsOf } from '../../kinds/kind.ts';
import type { User } from '../users.ts';
import type { ReviewContext } from './context.ts';
import { type Question, questionOf } from './question.ts';

/** Whose is this token (API: authentication.k8s.io/v1 TokenReview). */
export function reviewToken(body: unknown, context: ReviewContext): AnyObject {
  const question = questionOf('TokenReview', body, context);
  const token = textOf(question.spec, 'token');
  if (token === '') throw badRequest('token is required for TokenReview in authentication');
  const audiences = textsOf(question.spec, 'audiences');
  const result = audiences.length === 0 ? context.tokens.check(token) : context.tokens.check(token, audiences);
  if ('error' in result) return { ...question, status: { user: {}, error: result.error } };
  return { ...question, status: { authenticated: true, user: infoOf(result.user), audiences: result.audiences } };
}

/** Who am I (API: authentication.k8s.io/v1 SelfSubjectReview). */
export function reviewSelf(body: unknown, context: ReviewContext): AnyObject {
  const { apiVersion, kind } = questionOf('SelfSubjectReview', body, context);
  const metadata = { creationTimestamp: timestamp(context.clock.now()) } as Question['metadata'];
  return { apiVersion, kind, metadata, status: { userInfo: infoOf(context.user) } };
}

function infoOf({ name, uid, groups, extra }: User): unknown {
  return {
    username: name,
    ...(uid === undefined ? {} : { uid }),
    ...(groups.length === 0 ? {} : { groups }),
    ...(extra === undefined || Object.keys(extra).length === 0 ? {} : { extra }),
  };
}
