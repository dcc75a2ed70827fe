import { type AnyObject, failure, parseApiVersion, resourceType } from '../../../kube/plain/index.ts';
import { timestamp } from '../../../runtime/time/index.ts';
import { badRequest, invalidValue, notFound, StatusError } from '../../api/failures.ts';
import { NAMESPACES } from '../../api/state.ts';
import { type Fields, numberOf, part, textOf, textsOf } from '../../kinds/kind.ts';
import { type BoundObject, ISSUER } from '../tokens.ts';
import { serviceAccountUser } from '../users.ts';
import type { ReviewContext } from './context.ts';
import { invalidQuestion, questionOf } from './question.ts';

const SERVICE_ACCOUNTS = resourceType('v1', 'ServiceAccount', 'serviceaccounts');
const DEFAULT_SECONDS = 3600;
const SHORTEST_SECONDS = 600;
const LONGEST_SECONDS = 2 ** 32;

/** Issues a token of the ServiceAccount that the path names (API: authentication.k8s.io/v1 TokenRequest). */
export function requestToken(body: unknown, context: ReviewContext): AnyObject {
  const { namespace = '', name = '', tokens, clock, reader } = context;
  const { metadata, spec, ...rest } = questionOf('TokenRequest', body, context, { expirationSeconds: DEFAULT_SECONDS });
  if ((metadata.name ?? '') !== '' && metadata.name !== name) {
    const problem = invalidValue('metadata.name', metadata.name, 'must match the service account name if specified');
    throw invalidQuestion('TokenRequest', name, [problem]);
  }
  if (reader.get('namespaces', { name: namespace }) === undefined) throw notFound(NAMESPACES, namespace);
  const account = reader.get('serviceaccounts', { namespace, name });
  if (account === undefined) throw notFound(SERVICE_ACCOUNTS, name);
  const { uid = '' } = account.metadata;
  checkUid(metadata.uid ?? '', uid, name);
  const seconds = numberOf(spec, 'expirationSeconds');
  checkSeconds(seconds);
  const given = textsOf(spec, 'audiences');
  const audiences = given.length === 0 ? [ISSUER] : given;
  const bound = spec.boundObjectRef === undefined ? undefined : boundObject(part(spec, 'boundObjectRef'), context);
  const issued = tokens.issue(serviceAccountUser(account), { expirationSeconds: seconds, audiences, bound });
  const { managedFields, ...own } = metadata;
  return {
    ...rest,
    metadata: {
      ...own,
      name,
      namespace,
      uid,
      creationTimestamp: timestamp(clock.now()),
      ...(managedFields === undefined ? {} : { managedFields }),
    },
    spec: { audiences, expirationSeconds: seconds, boundObjectRef: spec.boundObjectRef ?? null },
    status: { token: issued.token, expirationTimestamp: timestamp(issued.expiresAt) },
  };
}

function checkUid(asked: string, uid: string, name: string): void {
  if (asked === '' || asked === uid) return;
  const why = `the UID in the token request (${asked}) does not match the UID of the service account (${uid})`;
  throw conflicting('TokenRequest.authentication.k8s.io', { name, group: 'authentication.k8s.io', kind: 'TokenRequest' }, why);
}

/** The messages name kinds where those of other conflicts name resources. */
function conflicting(
  kind: string,
  details: { readonly name: string; readonly group?: string; readonly kind: string },
  why: string,
): StatusError {
  const message = `Operation cannot be fulfilled on ${kind} ${JSON.stringify(details.name)}: ${why}`;
  return new StatusError(failure('Conflict', message, details));
}

function checkSeconds(seconds: number): void {
  const field = 'spec.expirationSeconds';
  if (seconds < SHORTEST_SECONDS) {
    throw invalidQuestion('TokenRequest', '', [invalidValue(field, seconds, 'may not specify a duration less than 10 minutes')]);
  }
  if (seconds > LONGEST_SECONDS) {
    throw invalidQuestion('TokenRequest', '', [
      invalidValue(field, seconds, 'may not specify a duration larger than 2^32 seconds'),
    ]);
  }
}

const BINDABLE = {
  Pod: resourceType('v1', 'Pod', 'pods'),
  Secret: resourceType('v1', 'Secret', 'secrets'),
  Node: resourceType('v1', 'Node', 'nodes', 'Cluster'),
} as const;

/** The object that a token is to be bound to. */
function boundObject(ref: Fields, { namespace = '', name, reader }: ReviewContext): BoundObject {
  const kind = textOf(ref, 'kind');
  const { group, version } = parseApiVersion(textOf(ref, 'apiVersion'));
  if (group !== '' || !(kind === 'Pod' || kind === 'Secret' || kind === 'Node')) {
    throw badRequest(`cannot bind token to object of type ${group}/${version}, Kind=${kind}`);
  }
  const type = BINDABLE[kind];
  const wanted = textOf(ref, 'name');
  const collection = type.plural as BoundObject['collection'];
  const object = reader.get(collection, kind === 'Node' ? { name: wanted } : { namespace, name: wanted });
  if (object === undefined) throw notFound(type, wanted);
  if (kind === 'Pod' && textOf(part(object, 'spec'), 'serviceAccountName') !== name) {
    throw badRequest(
      `cannot bind token for serviceaccount ${JSON.stringify(name)} to pod running with different serviceaccount name.`,
    );
  }
  const { uid = '' } = object.metadata;
  const asked = textOf(ref, 'uid');
  if (asked === '' || asked === uid) return { collection, name: wanted, uid };
  const why = `the UID in the bound object reference (${asked}) does not match the UID in record. The object might have been deleted and then recreated`;
  throw conflicting(kind, { name: wanted, kind }, why);
}
