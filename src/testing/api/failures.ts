import { failure, type ResourceAddress, type Status, type StatusCause } from '../../kube/plain/index.ts';

/** What an API server answers in place of an object. The texts are Kubernetes' own: clients and people read them. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly status: Status;

  constructor(status: Status) {
    super(status.message ?? status.reason ?? 'failure');
    this.status = status;
  }
}

/** `deployments.apps "web"`, as messages name an object. */
const objectText = (type: ResourceAddress, name: string): string => `${qualified(type)} "${name}"`;
const qualified = ({ group, plural }: ResourceAddress): string => (group === '' ? plural : `${plural}.${group}`);
const details = ({ group, plural }: ResourceAddress, name: string): NonNullable<Status['details']> => ({
  name,
  ...(group === '' ? {} : { group }),
  kind: plural,
});

export function notFound(type: ResourceAddress, name: string): StatusError {
  return new StatusError(failure('NotFound', `${objectText(type, name)} not found`, details(type, name)));
}

export function alreadyExists(type: ResourceAddress, name: string, isTerminating: boolean): StatusError {
  const prefix = isTerminating ? 'object is being deleted: ' : '';
  return new StatusError(failure('AlreadyExists', `${prefix}${objectText(type, name)} already exists`, details(type, name)));
}

export function conflict(type: ResourceAddress, name: string, why: string): StatusError {
  const message = `Operation cannot be fulfilled on ${objectText(type, name)}: ${why}`;
  return new StatusError(failure('Conflict', message, details(type, name)));
}

/** The object has changed since it was read. */
export function modified(type: ResourceAddress, name: string): StatusError {
  return conflict(type, name, 'the object has been modified; please apply your changes to the latest version and try again');
}

export function applyConflict(fields: readonly { readonly manager: string; readonly field: string }[]): StatusError {
  const causes = fields.map(({ manager, field }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${manager}`,
    field,
  }));
  const [first] = fields;
  const lines = [...new Set(fields.map(({ manager }) => manager))].flatMap((manager) => [
    `conflicts with ${manager}:`,
    ...fields.filter((each) => each.manager === manager).map(({ field }) => `- ${field}`),
  ]);
  const text =
    fields.length === 1
      ? `Apply failed with 1 conflict: conflict with ${first?.manager}: ${first?.field}`
      : `Apply failed with ${fields.length} conflicts: ${lines.join('\n')}`;
  return new StatusError(failure('Conflict', text, { causes }));
}

export function badRequest(message: string): StatusError {
  return plain('BadRequest', message);
}

/** 500: what the server's code says where nobody has thought of a better answer. */
export function crude(message: string): StatusError {
  return new StatusError({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, code: 500 });
}

/** A failure that tells nothing but its message. */
export function plain(reason: string, message: string): StatusError {
  const { details: _, ...status } = failure(reason, message);
  return new StatusError(status);
}

export function forbidden(type: ResourceAddress, name: string, why: string, causes: readonly StatusCause[] = []): StatusError {
  const message = `${objectText(type, name)} is forbidden: ${why}`;
  return new StatusError(failure('Forbidden', message, { ...details(type, name), ...(causes.length === 0 ? {} : { causes }) }));
}

/** One thing that is wrong with a field. */
export interface FieldProblem {
  readonly type:
    | 'Required'
    | 'Invalid'
    | 'NotFound'
    | 'NotSupported'
    | 'Forbidden'
    | 'TypeInvalid'
    | 'TooLong'
    | 'TooMany'
    | 'Duplicate';
  readonly field: string;
  /** What stands behind the type: `Invalid value: "x": must be …`. */
  readonly body: string;
}

const CAUSE: Readonly<Record<FieldProblem['type'], string>> = {
  Required: 'FieldValueRequired',
  Invalid: 'FieldValueInvalid',
  NotFound: 'FieldValueNotFound',
  NotSupported: 'FieldValueNotSupported',
  Forbidden: 'FieldValueForbidden',
  TypeInvalid: 'FieldValueTypeInvalid',
  TooLong: 'FieldValueTooLong',
  TooMany: 'FieldValueTooMany',
  Duplicate: 'FieldValueDuplicate',
};

export const required = (field: string, detail = ''): FieldProblem => ({
  type: 'Required',
  field,
  body: detail === '' ? 'Required value' : `Required value: ${detail}`,
});

export const invalidValue = (field: string, value: unknown, detail: string): FieldProblem => ({
  type: 'Invalid',
  field,
  body: `Invalid value: ${shown(value)}: ${detail}`,
});

export const forbiddenField = (field: string, detail: string): FieldProblem => ({
  type: 'Forbidden',
  field,
  body: `Forbidden: ${detail}`,
});

const shown = (value: unknown): string => JSON.stringify(value) ?? 'null';

/** 422: the object was understood and refused. `kind` is the kind here, in contrast to the other failures. */
export function invalid(type: ResourceAddress, name: string, problems: readonly FieldProblem[]): StatusError {
  const texts = [...new Set(problems.map(({ field, body }) => `${field}: ${body}`))];
  const list = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  const kind = type.group === '' ? type.kind : `${type.kind}.${type.group}`;
  return new StatusError(
    failure('Invalid', `${kind} "${name}" is invalid: ${list}`, {
      name,
      ...(type.group === '' ? {} : { group: type.group }),
      kind: type.kind,
      causes: problems.map((problem) => ({ reason: CAUSE[problem.type], message: problem.body, field: problem.field })),
    }),
  );
}

/** How a server speaks of what it can't decode, whether it was sent or came of a patch. */
export type Undecodable = (why: string) => StatusError;

/** 400: a body doesn't decode. */
export function undecodable(type: ResourceAddress & { readonly kind: string }, body: unknown): Undecodable {
  const { kind = type.kind, apiVersion = type.version } = body as { readonly kind?: unknown; readonly apiVersion?: unknown };
  const version = String(apiVersion).split('/').at(-1) ?? '';
  return (why) => badRequest(`${String(kind)} in version "${version}" cannot be handled as a ${type.kind}: ${why}`);
}

/** 422: what a patch makes of an object doesn't decode. */
export function invalidPatch(patched: unknown): Undecodable {
  return (why) => {
    const cause = { reason: CAUSE.Invalid, message: `Invalid value: ${shown(JSON.stringify(patched))}: ${why}`, field: 'patch' };
    return new StatusError(failure('Invalid', ` "" is invalid: patch: ${cause.message}`, { causes: [cause] }));
  };
}

/** Strategic patches aren't read from text: values that don't fit are spoken of in other words. */
export function restoring(fail: Undecodable): Undecodable {
  return (why) => fail(restored(why));
}

/** What is wrong with a value that is converted and not read. */
export function restored(why: string): string {
  if (why.startsWith('illegal base64')) return `error decoding from json: ${why}`;
  const [, given = '', fraction = '', type = ''] = /^json: cannot unmarshal (\w+)( [\d.]+)? .* of type (.+)$/.exec(why) ?? [];
  if (type === '') return why;
  if (fraction !== '') return `cannot convert float64 to ${type}`;
  const what = RESTORED.find(([pattern]) => pattern.test(type))?.[1];
  // Go turns numbers into texts, and nothing else; the server doesn't want that.
  if (what === undefined && given === 'number' && isText(type)) return `cannot convert int64 to ${type}`;
  return what === undefined
    ? `unrecognized type: ${isText(type) ? 'string' : type}`
    : `cannot restore ${what} ${GO_KINDS[given] ?? given}`;
}

const isText = (type: string): boolean => type === 'string' || /^v\d\w*\.\w+$/.test(type);

const RESTORED: readonly (readonly [RegExp, string])[] = [
  [/^map/, 'map from'],
  [/^\[\]/, 'slice from'],
  [/^v\d\w*\.(?!\w+Type$)/, 'struct from:'],
];
const GO_KINDS: Readonly<Record<string, string>> = { number: 'int64', object: 'map', array: 'slice' };

/** 410: the history that is asked for isn't kept any more. */
export function tooOld(asked: string, oldest: number): StatusError {
  return plain('Expired', `too old resource version: ${asked} (${oldest})`);
}

/** 501: said clearly, so that nobody takes it for a success. */
export function notImplemented(feature: string): StatusError {
  return new StatusError(failure('NotImplemented', `offline clusters do not simulate ${feature}`));
}
