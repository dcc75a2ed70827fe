import { failure } from '../../kube/plain/index.ts';
import { StatusError } from '../api/failures.ts';
import { type Attributes, isResource } from './attributes.ts';

/** 401: the credentials are nobody's. */
export function unauthorized(): StatusError {
  const { details: _, ...status } = failure('Unauthorized', 'Unauthorized');
  return new StatusError(status);
}

/** 403: the user may not do that. `reason` is what the authorizer had to say. */
export function denied(attributes: Attributes, reason: string): StatusError {
  const why = reason === '' ? escaped(denial(attributes)) : `${escaped(denial(attributes))}: ${reason}`;
  if (!isResource(attributes)) return new StatusError(failure('Forbidden', `forbidden: ${why}`));
  const { group, resource, name } = attributes;
  return forbiddenResource({ group, resource, ...(name === undefined ? {} : { name }) }, why);
}

/** 403 about a resource, or about an object of that name. */
export function forbiddenResource(
  { group, resource, name = '' }: { readonly group: string; readonly resource: string; readonly name?: string },
  why: string,
): StatusError {
  const qualified = group === '' ? resource : `${resource}.${group}`;
  const object = name === '' ? qualified : `${qualified} ${JSON.stringify(name)}`;
  const details = { ...(name === '' ? {} : { name }), ...(group === '' ? {} : { group }), kind: resource };
  return new StatusError(failure('Forbidden', `${object} is forbidden: ${why}`, details));
}

function denial(attributes: Attributes): string {
  const { user, verb } = attributes;
  const subject = `User ${JSON.stringify(user.name)} cannot ${verb}`;
  if (!isResource(attributes)) return `${subject} path ${JSON.stringify(attributes.path)}`;
  const { group, resource, subresource, namespace } = attributes;
  const whole = subresource === undefined ? resource : `${resource}/${subresource}`;
  const scope = namespace === undefined ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`;
  return `${subject} resource ${JSON.stringify(whole)} in API group ${JSON.stringify(group)} ${scope}`;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** Messages are kept from looking like HTML. */
const escaped = (text: string): string => text.replace(/[&<>]/g, (character) => ENTITIES[character] ?? character);
