export {
  CLUSTER_ID_PROPERTY,
  CLUSTERSET_PROPERTY,
  ClusterProperty,
  clusterProperty,
  valueOfProperty,
} from './api.ts';
export {
  adviseOnClusterProperty,
  checkClusterId,
  checkClusterProperty,
  checkClusterSetName,
  checkPropertyName,
  checkPropertyValue,
  LONGEST_PROPERTY_VALUE,
  type McsReason,
  type McsUse,
  type McsUseOptions,
  mcsUseOf,
} from './check.ts';
export {
  type Claim,
  type ClaimOptions,
  type ClaimReason,
  type ClaimRefusal,
  type ClaimStep,
  claimIdentity,
  type WantedIdentity,
} from './claim.ts';
export {
  type ClaimOutcome,
  claim,
  type Published,
  type PublishOptions,
  publish,
  readIdentity,
  readMember,
  readProperties,
  verify,
} from './client.ts';
export type { Finding, FindingLevel, FindingReason } from './finding.ts';
export {
  type ClusterIdentity,
  type IdentityAdvice,
  type IdentityProblem,
  type IdentityReason,
  identityOf,
} from './identity.ts';
export { forgetIdentity, parseRemembered, type RememberedIdentity } from './memory.ts';
export {
  type DefinedProperty,
  defineProperty,
  type PropertyDefinition,
  type PropertyEncoding,
  type PropertyReading,
} from './property.ts';
export {
  type ClusterSetVerdict,
  type MemberFacts,
  type VerifiedMember,
  type VerifyOptions,
  verifyClusterSet,
} from './verify.ts';
