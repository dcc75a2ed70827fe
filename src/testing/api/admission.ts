import {
  type AnyObject,
  apiVersionOf,
  applyJsonPatch,
  failure,
  type JsonPatchOperation,
  type ResourceAddress,
  type Status,
} from '../../kube/plain/index.ts';
import type { User } from '../access/index.ts';
import { type Random, randomUuid } from '../random.ts';
import { copy } from '../schema/conform.ts';
import type { Served } from './catalogue.ts';
import { StatusError } from './failures.ts';

/** What is being done to an object (API: admission.k8s.io/v1 Operation). */
export type AdmissionOperation = 'CREATE' | 'UPDATE' | 'DELETE';

/** API: meta/v1 GroupVersionKind */
export interface AdmissionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** API: meta/v1 GroupVersionResource */
export interface AdmissionResource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

/** API: admission.k8s.io/v1 AdmissionRequest */
export interface AdmissionRequest {
  readonly uid: string;
  readonly kind: AdmissionKind;
  readonly resource: AdmissionResource;
  readonly subResource?: string;
  readonly requestKind: AdmissionKind;
  readonly requestResource: AdmissionResource;
  readonly requestSubResource?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly operation: AdmissionOperation;
  readonly userInfo: { readonly username: string; readonly groups: readonly string[] };
  /** `null` for deletions. */
  readonly object: AnyObject | null;
  /** `null` for creations. */
  readonly oldObject: AnyObject | null;
  readonly dryRun: boolean;
}

/** API: admission.k8s.io/v1 AdmissionResponse */
export interface AdmissionResponse {
  readonly uid?: string;
  readonly allowed: boolean;
  /** Why not. */
  readonly status?: Partial<Status>;
  /** A JSON patch, as base64 of its JSON. */
  readonly patch?: string;
  readonly patchType?: 'JSONPatch';
  readonly warnings?: readonly string[];
}

/** API: admission.k8s.io/v1 AdmissionReview, as a webhook is sent it. */
export interface AdmissionReview {
  readonly apiVersion: 'admission.k8s.io/v1';
  readonly kind: 'AdmissionReview';
  readonly request: AdmissionRequest;
}

/** A webhook of an offline cluster: the function behind it, in this process. */
export interface AdmissionHook {
  /** As in a webhook configuration: `no-latest.example.com`. Hooks are asked in the order of their names. */
  readonly name: string;
  /** Mutating hooks are asked first, may change the object, and see what those before them have changed. */
  readonly type: 'Mutating' | 'Validating';
  /** Default: CREATE and UPDATE. */
  readonly operations?: readonly AdmissionOperation[];
  /** Plurals with their group or without, and `/status` and the like for subresources: `deployments.apps`, `pods/status`. Default: all resources. */
  readonly resources?: readonly string[];
  /** What happens where the function throws. Default `Fail`. */
  readonly failurePolicy?: 'Fail' | 'Ignore';
  /** The answer: a whole AdmissionReview as a webhook sends it, or its response alone. It comes at once: a promise is none. */
  review(review: AdmissionReview): AdmissionResponse | { readonly response: AdmissionResponse };
}

/** What a request that is to be admitted is about. */
export interface AdmissionSubject {
  readonly served: Served;
  readonly operation: AdmissionOperation;
  readonly object: AnyObject | undefined;
  readonly old: AnyObject | undefined;
  readonly context: {
    readonly user?: User;
    readonly dryRun: boolean;
    readonly subresource?: string | undefined;
    readonly warnings?: string[];
  };
}

const SYSTEM: User = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] };

/** The hooks of one cluster. */
export class Admission {
  readonly #random: Random;
  #hooks: readonly AdmissionHook[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  /** Asks a hook from now on, until the result is disposed of. */
  add(hook: AdmissionHook): Disposable {
    this.#hooks = [...this.#hooks, hook].toSorted((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
    return {
      [Symbol.dispose]: () => {
        this.#hooks = this.#hooks.filter((each) => each !== hook);
      },
    };
  }

  /** The object as mutating hooks make it. @throws StatusError where one of them refuses it. */
  mutate(subject: AdmissionSubject): AnyObject | undefined {
    let { object } = subject;
    for (const hook of this.#asked('Mutating', subject)) {
      const { patch, patchType } = this.#ask(hook, { ...subject, object });
      if (patch === undefined || object === undefined) continue;
      if (patchType !== 'JSONPatch')
        throw failedCall(hook, 'received invalid webhook response: webhook returned response.patch but not response.patchType');
      object = patched(object, patch);
    }
    return object;
  }

  /** @throws StatusError where a validating hook refuses the object. */
  validate(subject: AdmissionSubject): void {
    for (const hook of this.#asked('Validating', subject)) this.#ask(hook, subject);
  }

  #asked(type: AdmissionHook['type'], subject: AdmissionSubject): readonly AdmissionHook[] {
    if (this.#hooks.length === 0) return this.#hooks;
    return this.#hooks.filter((hook) => hook.type === type && isMeant(hook, subject));
  }

  #ask(hook: AdmissionHook, subject: AdmissionSubject): AdmissionResponse {
    const response = this.#answerOf(hook, subject);
    if (response === undefined) return { allowed: true };
    subject.context.warnings?.push(...(response.warnings ?? []));
    if (!response.allowed) throw denied(hook, response.status ?? {});
    return response;
  }

  #answerOf(hook: AdmissionHook, subject: AdmissionSubject): AdmissionResponse | undefined {
    const request = requestOf(subject, randomUuid(this.#random));
    try {
      const answer = hook.review({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request });
      const response = 'response' in answer ? answer.response : answer;
      if (typeof response?.allowed !== 'boolean') throw new TypeError('the answer holds no response');
      return response;
    } catch (error) {
      if (hook.failurePolicy === 'Ignore') return undefined;
      throw failedCall(hook, `failed to call webhook: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

function isMeant({ operations = ['CREATE', 'UPDATE'], resources }: AdmissionHook, subject: AdmissionSubject): boolean {
  if (!operations.includes(subject.operation)) return false;
  const part = subject.context.subresource === undefined ? '' : `/${subject.context.subresource}`;
  const { plural } = subject.served.type;
  if (resources === undefined) return part === '';
  return resources.includes(`${subject.served.collection}${part}`) || resources.includes(`${plural}${part}`);
}

function requestOf({ served, operation, object, old, context }: AdmissionSubject, uid: string): AdmissionRequest {
  const { user = SYSTEM, dryRun, subresource } = context;
  const { type } = served;
  const { name, namespace } = (object ?? old)?.metadata ?? {};
  const kind: AdmissionKind = { group: type.group, version: type.version, kind: type.kind };
  const resource = resourceOf(type);
  return {
    uid,
    kind,
    resource,
    ...(subresource === undefined ? {} : { subResource: subresource, requestSubResource: subresource }),
    requestKind: kind,
    requestResource: resource,
    ...(name === undefined ? {} : { name }),
    ...(namespace === undefined ? {} : { namespace }),
    operation,
    userInfo: { username: user.name, groups: [...user.groups] },
    object: object === undefined ? null : { ...copy(object), apiVersion: apiVersionOf(type) },
    oldObject: old === undefined ? null : copy(old),
    dryRun,
  };
}

const resourceOf = ({ group, version, plural }: ResourceAddress): AdmissionResource => ({ group, version, resource: plural });

function patched(object: AnyObject, patch: string): AnyObject {
  try {
    const operations = JSON.parse(decodeURIComponent(escape(atob(patch)))) as readonly JsonPatchOperation[];
    return applyJsonPatch(copy(object), operations) as AnyObject;
  } catch (error) {
    throw internal(error instanceof Error ? error.message : String(error));
  }
}

const BAD_REQUEST = 400;

function denied(
  { name }: AdmissionHook,
  { message = '', reason = '', code = BAD_REQUEST, details }: Partial<Status>,
): StatusError {
  const why = message || reason;
  const text = `admission webhook ${JSON.stringify(name)} denied the request${why === '' ? ' without explanation' : `: ${why}`}`;
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: text,
    ...(reason === '' ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    code: Math.max(code, BAD_REQUEST),
  });
}

function failedCall({ name }: AdmissionHook, why: string): StatusError {
  return internal(`failed calling webhook ${JSON.stringify(name)}: ${why}`);
}

function internal(message: string): StatusError {
  return new StatusError(failure('InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] }));
}
