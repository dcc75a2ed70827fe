import { type AnyObject, compareText, isRecord, type ObjectKey } from '../../kube/plain/index.ts';
import type { StoredEvent } from '../api/storage.ts';
import { type PolicyRule, rulesOf } from './rules.ts';
import { serviceAccountName, type User } from './users.ts';

/** What is read of a cluster to know who may do what: its storage fits. */
export interface AccessReader {
  get(collection: string, key: ObjectKey): AnyObject | undefined;
  /** The objects of a collection, in no order. */
  list(collection: string): Iterable<AnyObject>;
  /** Tells of every change from now on, until the result is called. */
  listen(listener: (event: StoredEvent) => void): () => void;
}

const ROLES = 'roles.rbac.authorization.k8s.io';
export const CLUSTER_ROLES = 'clusterroles.rbac.authorization.k8s.io';
const ROLE_BINDINGS = 'rolebindings.rbac.authorization.k8s.io';
const CLUSTER_ROLE_BINDINGS = 'clusterrolebindings.rbac.authorization.k8s.io';

const COLLECTIONS: ReadonlySet<string> = new Set([ROLES, CLUSTER_ROLES, ROLE_BINDINGS, CLUSTER_ROLE_BINDINGS]);

/** What a binding refers to (API: rbac.authorization.k8s.io/v1 RoleRef). */
export interface RoleRef {
  readonly kind: string;
  readonly name: string;
}

interface Subject {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
}

/** What a binding gives to one of its subjects. */
interface Binding {
  readonly name: string;
  /** Empty for a ClusterRoleBinding. */
  readonly namespace: string;
  readonly roleRef: RoleRef;
  readonly subject: Subject;
  /** Where the subject stands in the binding: of several that are the same user the first counts. */
  readonly index: number;
}

/** What a user has through one binding. */
export interface Grant {
  readonly binding: Binding;
  /** Absent where there is no such role. */
  readonly rules?: readonly PolicyRule[];
}

/** For how many users, and for how many namespaces of each, it is kept what was found. */
const MOST_KEPT = 1000;

/** Bindings by subject, and for each subject by their name. */
type Bindings = Map<string, Map<string, Binding>>;

/**
 * Who has which rules in a cluster. Bindings are found by their subjects, and what was found for a user is kept until a role or a binding
 * changes.
 */
export class Roles {
  readonly #reader: AccessReader;
  readonly #stop: () => void;
  /** By namespace; the empty one has the bindings of the whole cluster. */
  readonly #bindings = new Map<string, Bindings>();
  #found = new WeakMap<User, Map<string, readonly Grant[]>>();
  readonly #foundByName = new Map<string, Map<string, readonly Grant[]>>();

  constructor(reader: AccessReader) {
    this.#reader = reader;
    for (const collection of [CLUSTER_ROLE_BINDINGS, ROLE_BINDINGS])
      for (const binding of reader.list(collection)) this.#add(binding);
    this.#stop = reader.listen((event) => this.#hear(event));
  }

  /** What a user has in a namespace, with what it has everywhere; in order of the bindings' names, those of the whole cluster first. */
  grants(user: User, namespace = ''): readonly Grant[] {
    const known = this.#known(user);
    let grants = known.get(namespace);
    if (grants === undefined) {
      const own = namespace === '' ? [] : this.#bound(user, namespace);
      grants = [...this.#bound(user, ''), ...own].map((binding) => this.#grant(binding));
      if (known.size >= MOST_KEPT) known.clear();
      known.set(namespace, grants);
    }
    return grants;
  }

  /** The rules of the role that a binding in a namespace refers to; nothing where there is no such role. */
  rules({ kind, name }: RoleRef, namespace: string): readonly PolicyRule[] | undefined {
    const role = kind === 'Role' ? this.#reader.get(ROLES, { namespace, name }) : this.#reader.get(CLUSTER_ROLES, { name });
    return role === undefined ? undefined : rulesOf(role);
  }

  /** Hears of no more changes. */
  stop(): void {
    this.#stop();
  }

  /** What was found for a user, by namespace. Users that come anew with each request, as by impersonation, are known by what they are. */
  #known(user: User): Map<string, readonly Grant[]> {
    const before = this.#found.get(user);
    if (before !== undefined) return before;
    const key = JSON.stringify([user.name, user.groups]);
    const known = this.#foundByName.get(key) ?? new Map<string, readonly Grant[]>();
    if (this.#foundByName.size >= MOST_KEPT) this.#foundByName.clear();
    this.#foundByName.set(key, known);
    this.#found.set(user, known);
    return known;
  }

  #grant(binding: Binding): Grant {
    const rules = this.rules(binding.roleRef, binding.namespace);
    return rules === undefined ? { binding } : { binding, rules };
  }

  #bound(user: User, namespace: string): readonly Binding[] {
    const bySubject = this.#bindings.get(namespace);
    if (bySubject === undefined) return [];
    const found = new Map<string, Binding>();
    for (const key of [userKey(user.name), ...user.groups.map(groupKey)]) {
      for (const [name, binding] of bySubject.get(key) ?? []) {
        const other = found.get(name);
        if (other === undefined || binding.index < other.index) found.set(name, binding);
      }
    }
    return [...found.values()].toSorted((a, b) => compareText(a.name, b.name));
  }

  #hear({ collection, type, object, previous }: StoredEvent): void {
    if (!COLLECTIONS.has(collection)) return;
    this.#found = new WeakMap();
    this.#foundByName.clear();
    if (collection !== ROLE_BINDINGS && collection !== CLUSTER_ROLE_BINDINGS) return;
    if (previous !== undefined) this.#remove(previous);
    if (type !== 'DELETED') this.#add(object);
  }

  #add(object: AnyObject): void {
    const namespace = object.metadata.namespace ?? '';
    const bySubject: Bindings = this.#bindings.get(namespace) ?? new Map();
    this.#bindings.set(namespace, bySubject);
    for (const [key, binding] of bindingsOf(object)) {
      const byName = bySubject.get(key) ?? new Map<string, Binding>();
      bySubject.set(key, byName);
      if (!byName.has(binding.name)) byName.set(binding.name, binding);
    }
  }

  #remove(object: AnyObject): void {
    const { name, namespace = '' } = object.metadata;
    const bySubject = this.#bindings.get(namespace);
    for (const [key] of bindingsOf(object)) {
      const byName = bySubject?.get(key);
      byName?.delete(name);
      if (byName?.size === 0) bySubject?.delete(key);
    }
  }
}

const userKey = (name: string): string => `User/${name}`;
const groupKey = (name: string): string => `Group/${name}`;

/** The subjects of a binding under the keys by which users look for themselves. */
function bindingsOf(object: AnyObject): readonly (readonly [key: string, binding: Binding])[] {
  const { name, namespace = '' } = object.metadata;
  const roleRef = roleRefOf(object);
  return (Array.isArray(object.subjects) ? object.subjects : []).flatMap((each: unknown, index) => {
    const subject = subjectOf(each);
    const key = keyOfSubject(subject, namespace);
    return key === undefined ? [] : [[key, { name, namespace, roleRef, subject, index }] as const];
  });
}

/** What a binding refers to. */
export function roleRefOf({ roleRef }: AnyObject): RoleRef {
  const { kind, name } = isRecord(roleRef) ? roleRef : {};
  return { kind: text(kind), name: text(name) };
}

function subjectOf(value: unknown): Subject {
  const { kind, name, namespace } = isRecord(value) ? value : {};
  return { kind: text(kind), name: text(name), namespace: text(namespace) };
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** A ServiceAccount without namespace is one of the binding's. */
function keyOfSubject({ kind, name, namespace }: Subject, own: string): string | undefined {
  if (kind === 'User') return userKey(name);
  if (kind === 'Group') return groupKey(name);
  const where = namespace || own;
  return kind === 'ServiceAccount' && where !== '' ? userKey(serviceAccountName(where, name)) : undefined;
}
