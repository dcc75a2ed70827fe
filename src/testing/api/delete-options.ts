import { type DeleteOptions, failure, isRecord } from '../../kube/plain/index.ts';
import type { User } from '../access/index.ts';
import { badRequest, StatusError } from './failures.ts';

/** How one object, or each of a collection, is to be deleted (API: meta/v1 DeleteOptions). */
export interface Removal extends Omit<DeleteOptions, 'signal'> {
  /** The older way to say what becomes of dependents. */
  readonly orphanDependents?: boolean | undefined;
  /** Who asks for it; the server itself where nobody is named. */
  readonly user?: User | undefined;
}

const POLICIES = ['Foreground', 'Background', 'Orphan'];

/** @throws StatusError 422 for options that don't go together, or that nobody knows. */
export function checkRemoval({ propagationPolicy: policy, orphanDependents }: Removal): void {
  if (policy === undefined) return;
  const shown = JSON.stringify(policy);
  if (orphanDependents !== undefined) {
    const why = 'orphanDependents and deletionPropagation cannot be both set';
    throw invalidOption('propagationPolicy', 'FieldValueInvalid', `Invalid value: ${shown}: ${why}`);
  }
  if (POLICIES.includes(policy)) return;
  const known = [...POLICIES, 'nil'].map((each) => JSON.stringify(each)).join(', ');
  throw invalidOption('propagationPolicy', 'FieldValueNotSupported', `Unsupported value: ${shown}: supported values: ${known}`);
}

function invalidOption(field: string, reason: string, message: string): StatusError {
  const causes = [{ reason, message, field }];
  const text = `DeleteOptions.meta.k8s.io "" is invalid: ${field}: ${message}`;
  return new StatusError(failure('Invalid', text, { group: 'meta.k8s.io', kind: 'DeleteOptions', causes }));
}

/**
 * Reads the options of a deletion from a body or, where there is none, from a query: the server looks at one of the two.
 *
 * @throws StatusError 400 where they can't be read, 422 where they mean nothing.
 */
export function readRemoval(body: unknown, query: { get(name: string): string | null; getAll(name: string): string[] }): Removal {
  const removal = body === undefined ? ofQuery(query) : ofBody(body);
  checkRemoval(removal);
  return removal;
}

function ofQuery(query: { get(name: string): string | null; getAll(name: string): string[] }): Removal {
  const policy = query.get('propagationPolicy');
  const orphan = query.get('orphanDependents');
  const grace = query.get('gracePeriodSeconds');
  if (grace !== null && !/^[+-]?\d+$/.test(grace))
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(grace)}: invalid syntax`);
  return {
    ...(policy === null ? {} : { propagationPolicy: policy as DeleteOptions['propagationPolicy'] }),
    ...(orphan === null ? {} : { orphanDependents: !['false', '0'].includes(orphan.toLowerCase()) }),
    ...(grace === null ? {} : { gracePeriodSeconds: Number(grace) }),
    dryRun: isDryRun(query.getAll('dryRun')),
  };
}

/** How the types of Go are called that the fields must have. */
const FIELDS: Readonly<Record<string, readonly [type: string, fits: (value: unknown) => boolean]>> = {
  propagationPolicy: ['v1.DeletionPropagation', (value) => typeof value === 'string'],
  orphanDependents: ['bool', (value) => typeof value === 'boolean'],
  gracePeriodSeconds: ['int64', (value) => Number.isInteger(value)],
  preconditions: ['v1.Preconditions', isRecord],
  dryRun: ['[]string', Array.isArray],
};

/** Where the server keeps the list of what it knows: part of a message. */
const SCHEME = 'pkg/runtime/scheme.go:111';

/** What a reader looks at first: part of a message. */
const HEAD = String.raw`struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }`;

function jsonType(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

function ofBody(body: unknown): Removal {
  if (!isRecord(body))
    throw badRequest(
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${jsonType(body)} into Go value of type ${HEAD}`,
    );
  const { kind = 'DeleteOptions', apiVersion = 'v1' } = body;
  if (kind !== 'DeleteOptions' && kind !== '')
    throw badRequest(
      `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme ${JSON.stringify(SCHEME)}`,
    );
  for (const [field, [type, fits]] of Object.entries(FIELDS)) {
    const value = body[field];
    if (value === undefined || value === null || fits(value)) continue;
    throw badRequest(`json: cannot unmarshal ${jsonType(value)} into Go struct field DeleteOptions.${field} of type ${type}`);
  }
  const given = Object.keys(FIELDS).filter((field) => body[field] !== undefined && body[field] !== null);
  const options = Object.fromEntries(given.map((field) => [field, body[field]]));
  return { ...(options as Removal), dryRun: isDryRun((options.dryRun as readonly string[] | undefined) ?? []) };
}

function isDryRun(values: readonly string[]): boolean {
  if (values.every((value) => value === 'All')) return values.length > 0;
  throw invalidOption(
    'dryRun',
    'FieldValueNotSupported',
    `Unsupported value: ${JSON.stringify(values)}: supported values: "All"`,
  );
}
