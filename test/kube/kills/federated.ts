import { BUILT_IN_FEDERATED_TYPES, type FederatedType } from '../../../src/federation/index.ts';

export const HOST = 'host';
export const MEMBERS = ['eu-1', 'us-1'] as const;
export const NAMESPACE = 'shop';

/** Somebody else has objects of these names in the first member: nothing may be written there. */
export const TAKEN = ['taken-0', 'taken-1'] as const;

export const TYPES: readonly FederatedType[] = BUILT_IN_FEDERATED_TYPES.filter(({ target }) =>
  ['Namespace', 'ConfigMap'].includes(target.kind),
);
