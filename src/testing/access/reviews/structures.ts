import { type ResourceType, resourceType } from '../../../kube/plain/index.ts';
import type { Served } from '../../api/catalogue.ts';
import { builtInKinds } from '../../schema/built-in.ts';
import { ANY, type Schema, type StructSchema } from '../../schema/schema.ts';

interface StructOptions {
  /** Fields that are written also where they are empty. */
  readonly required?: readonly string[];
  /** Whether it is there even when nothing of it is set. */
  readonly zero?: boolean;
}

function struct(fields: Readonly<Record<string, Schema>>, { required = [], zero = false }: StructOptions = {}): StructSchema {
  return {
    type: 'struct',
    names: Object.keys(fields),
    required: new Set(required),
    atomic: false,
    preserve: false,
    field: (name) => (Object.hasOwn(fields, name) ? fields[name] : undefined),
    ...(zero ? { zero } : {}),
  };
}

const text: Schema = { type: 'scalar', scalar: 'string' };
const integer: Schema = { type: 'scalar', scalar: 'integer' };
const texts: Schema = { type: 'list', list: 'atomic', keys: [], items: text };
const extra: Schema = { type: 'map', atomic: false, values: texts };
const requirement = struct({ key: text, operator: text, values: texts });
const selector = struct({ rawSelector: text, requirements: { type: 'list', list: 'atomic', keys: [], items: requirement } });

const resourceAttributes = struct({
  namespace: text,
  verb: text,
  group: text,
  version: text,
  resource: text,
  subresource: text,
  name: text,
  fieldSelector: selector,
  labelSelector: selector,
});
const own = { resourceAttributes, nonResourceAttributes: struct({ path: text, verb: text }) };
const others = { ...own, user: text, groups: texts, extra, uid: text };
const boundObjectRef = struct({ kind: text, apiVersion: text, name: text, uid: text });
const tokenRequest = struct({ audiences: texts, expirationSeconds: integer, boundObjectRef }, { zero: true });

const SPECS = {
  SelfSubjectAccessReview: struct(own, { zero: true }),
  SubjectAccessReview: struct(others, { zero: true }),
  LocalSubjectAccessReview: struct(others, { zero: true }),
  SelfSubjectRulesReview: struct({ namespace: text }, { zero: true }),
  TokenReview: struct({ token: text, audiences: texts }, { zero: true }),
  SelfSubjectReview: undefined,
  TokenRequest: { ...tokenRequest, required: new Set(['audiences', 'boundObjectRef']) },
} as const satisfies Readonly<Record<string, StructSchema | undefined>>;

/** A kind of question that is answered and not stored. */
export type ReviewKind = keyof typeof SPECS;

const AUTHORIZATION = 'authorization.k8s.io/v1';
const AUTHENTICATION = 'authentication.k8s.io/v1';

/** A resource that nothing is stored of: who creates an object of it gets the answer. */
export interface VirtualResource {
  readonly type: ResourceType & { readonly kind: ReviewKind };
  /** Empty for a subresource. */
  readonly singular: string;
  readonly verbs: readonly ['create'];
  /** Of which resource it is a part, and under which name. */
  readonly subresource?: { readonly group: string; readonly version: string; readonly plural: string; readonly name: string };
}

function virtual(apiVersion: string, kind: ReviewKind, scope: 'Cluster' | 'Namespaced' = 'Cluster'): VirtualResource {
  const singular = kind.toLowerCase();
  return { type: typeOf(apiVersion, kind, `${singular}s`, scope), singular, verbs: ['create'] };
}

function typeOf(apiVersion: string, kind: ReviewKind, plural: string, scope: 'Cluster' | 'Namespaced'): VirtualResource['type'] {
  return { ...resourceType(apiVersion, kind, plural, scope), kind };
}

/** The resources of questions, as discovery tells of them, in its order. */
export const VIRTUAL: readonly VirtualResource[] = [
  virtual(AUTHENTICATION, 'SelfSubjectReview'),
  virtual(AUTHENTICATION, 'TokenReview'),
  virtual(AUTHORIZATION, 'LocalSubjectAccessReview', 'Namespaced'),
  virtual(AUTHORIZATION, 'SelfSubjectAccessReview'),
  virtual(AUTHORIZATION, 'SelfSubjectRulesReview'),
  virtual(AUTHORIZATION, 'SubjectAccessReview'),
  {
    type: typeOf(AUTHENTICATION, 'TokenRequest', 'serviceaccounts/token', 'Namespaced'),
    singular: '',
    verbs: ['create'],
    subresource: { group: '', version: 'v1', plural: 'serviceaccounts', name: 'token' },
  },
];

/** The virtual resource that a path leads to, if any: `selfsubjectreviews`, or `serviceaccounts` with the subresource `token`. */
export function virtualResource(
  group: string,
  version: string,
  plural: string,
  subresource?: string,
): VirtualResource | undefined {
  return VIRTUAL.find(({ type, subresource: part }) => {
    const at = part ?? type;
    return at.group === group && at.version === version && at.plural === plural && part?.name === subresource;
  });
}

const known = new Map<ReviewKind, Served>();

/** A virtual resource, in the form that the rest of a server knows resources. */
export function servedReview(kind: ReviewKind): Served {
  const before = known.get(kind);
  if (before !== undefined) return before;
  const found = VIRTUAL.find(({ type }) => type.kind === kind);
  if (found === undefined) throw new Error(`there is no virtual resource of kind ${kind}`);
  const metadata =
    builtInKinds()
      .find(({ type }) => type.kind === 'ConfigMap')
      ?.schema.field('metadata') ?? ANY;
  const spec = SPECS[kind];
  const fields = { apiVersion: text, kind: text, metadata, ...(spec === undefined ? {} : { spec }), status: ANY };
  const served: Served = {
    type: found.type,
    resource: found.type.plural,
    collection: found.type.plural,
    singular: found.singular,
    schema: struct(fields),
    subresources: new Set(),
    shortNames: [],
    categories: [],
    hasGeneration: false,
  };
  known.set(kind, served);
  return served;
}
