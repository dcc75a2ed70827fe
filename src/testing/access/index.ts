export { Access, type AccessOptions } from './access.ts';
export { aggregateClusterRoles, aggregatedRules } from './aggregation.ts';
export {
  type Attributes,
  attributesOf,
  isResource,
  type PathAttributes,
  type RequestFacts,
  type ResourceAttributes,
} from './attributes.ts';
export { authorize, type Decision } from './authorize.ts';
export { createDefaultPolicy, defaultPolicy } from './default-policy.ts';
export { denied, unauthorized } from './denials.ts';
export { checkEscalation, type PolicyWrite } from './escalation.ts';
export { Impersonation, impersonatedUser } from './impersonation.ts';
export type { ReviewContext } from './reviews/context.ts';
export { review } from './reviews/review.ts';
export { type ReviewKind, VIRTUAL, type VirtualResource, virtualResource } from './reviews/structures.ts';
export { type AccessReader, Roles } from './roles.ts';
export { type BoundObject, ISSUER, type IssuedToken, type TokenCheck, type TokenOptions, Tokens } from './tokens.ts';
export {
  ANONYMOUS,
  AUTHENTICATED,
  MASTERS,
  serviceAccountName,
  serviceAccountOf,
  serviceAccountUser,
  type User,
} from './users.ts';
