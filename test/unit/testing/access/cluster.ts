import type { AnyObject } from 'clusterset/kube';
import { resourceType } from 'clusterset/kube';
import { VirtualClock } from 'clusterset/testing';
import { Access, type Attributes, type User } from '../../../../src/testing/access/index.ts';
import { ApiServer } from '../../../../src/testing/api/api-server.ts';
import { StatusError } from '../../../../src/testing/api/failures.ts';
import { seededRandom } from '../../../../src/testing/random.ts';

const API_VERSION = 'rbac.authorization.k8s.io/v1';
const TYPES = {
  Role: resourceType(API_VERSION, 'Role', 'roles'),
  ClusterRole: resourceType(API_VERSION, 'ClusterRole', 'clusterroles', 'Cluster'),
  RoleBinding: resourceType(API_VERSION, 'RoleBinding', 'rolebindings'),
  ClusterRoleBinding: resourceType(API_VERSION, 'ClusterRoleBinding', 'clusterrolebindings', 'Cluster'),
  ServiceAccount: resourceType('v1', 'ServiceAccount', 'serviceaccounts'),
  Secret: resourceType('v1', 'Secret', 'secrets'),
} as const;

export type Kind = keyof typeof TYPES;

/** An API server with RBAC, on a clock that stands still. */
export class Cluster {
  readonly clock = new VirtualClock();
  readonly server = new ApiServer(this.clock, seededRandom(1));
  readonly access: Access;

  constructor(rbac = true) {
    this.access = new Access(this.server, { rbac });
  }

  create(kind: Kind, name: string, fields: object = {}, labels: Readonly<Record<string, string>> = {}): AnyObject {
    const { scope } = TYPES[kind];
    return this.server.create(
      this.#served(kind),
      scope === 'Cluster' ? undefined : 'default',
      { metadata: { name, labels }, ...fields },
      WRITE,
    );
  }

  delete(kind: Kind, name: string): void {
    this.server.delete(this.#served(kind), this.#key(kind, name), {});
  }

  get(kind: Kind, name: string): AnyObject {
    return this.server.get(this.#served(kind), this.#key(kind, name));
  }

  #served(kind: Kind): NonNullable<ReturnType<ApiServer['served']>> {
    const served = this.server.served(TYPES[kind]);
    if (served === undefined) throw new Error(`${kind} is not served`);
    return served;
  }

  #key(kind: Kind, name: string): { readonly name: string; readonly namespace?: string } {
    return TYPES[kind].scope === 'Cluster' ? { name } : { namespace: 'default', name };
  }
}

export const WRITE = { fieldManager: 'test', dryRun: false, fieldValidation: 'Warn' as const, warnings: [] };

export const user = (name: string, ...groups: readonly string[]): User => ({ name, groups });

/** A request to pods in `default`. */
export const pods = (who: User, verb: string, more: object = {}): Attributes => ({
  user: who,
  verb,
  group: '',
  version: 'v1',
  resource: 'pods',
  namespace: 'default',
  ...more,
});

export const rule = (apiGroup: string, resource: string, ...verbs: readonly string[]): object => ({
  apiGroups: [apiGroup],
  resources: [resource],
  verbs,
});

export const roleRef = (kind: string, name: string): object => ({
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name },
});

export const toUser = (name: string): object => ({ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name });

/** The failure that work ends with. */
export function failureOf(work: () => unknown): StatusError['status'] {
  try {
    work();
  } catch (error) {
    if (error instanceof StatusError) return error.status;
    throw error;
  }
  throw new Error('it did not fail');
}
