import { failure, type ListOptions } from '../../kube/plain/index.ts';
import type { User } from '../access/index.ts';
import { badRequest, StatusError } from '../api/failures.ts';
import { checkSyntax } from '../api/select.ts';
import type { WriteContext } from '../api/write.ts';

/** Whether a parameter of a query is set: anything that isn't a clear no is a yes, as for a real server. */
export const isTrue = (value: string | null): boolean => value !== null && value !== '0' && value.toLowerCase() !== 'false';

/** The program behind a user agent: `kubectl` of `kubectl/v1.36.3 (linux/amd64)`. */
export function programOf(headers: Headers): string {
  return (headers.get('user-agent') ?? '').split('/')[0] || 'unknown';
}

/** Which objects a query asks for. */
export function listOptions(query: URLSearchParams, namespace: string | undefined): ListOptions {
  const match = query.get('resourceVersionMatch');
  const limit = readInteger(query, 'limit');
  readInteger(query, 'timeoutSeconds');
  const selectors = { labelSelector: query.get('labelSelector') ?? '', fieldSelector: query.get('fieldSelector') ?? '' };
  checkSyntax(selectors);
  checkOptions('ListOptions', isTrue(query.get('watch')) ? watchProblems(query) : listProblems(query));
  return {
    namespace,
    ...selectors,
    limit,
    continue: query.get('continue') ?? '',
    resourceVersion: query.get('resourceVersion') ?? '',
    ...(match === 'Exact' || match === 'NotOlderThan' ? { resourceVersionMatch: match } : {}),
  };
}

const FIELD = 'resourceVersionMatch';
const LATEST = 'NotOlderThan';
const CONTINUED = 'resourceVersionMatch is forbidden when continue is provided';

function listProblems(query: URLSearchParams): readonly OptionProblem[] {
  const [match, version] = [query.get(FIELD) ?? '', query.get('resourceVersion') ?? ''];
  const problems: OptionProblem[] = [];
  if (match !== '') {
    if (version === '') problems.push(forbidden(FIELD, 'resourceVersionMatch is forbidden unless resourceVersion is provided'));
    if ((query.get('continue') ?? '') !== '') problems.push(forbidden(FIELD, CONTINUED));
    if (match !== 'Exact' && match !== LATEST) problems.push(unsupported(FIELD, match, ['Exact', LATEST, '']));
    if (match === 'Exact' && version === '0')
      problems.push(forbidden(FIELD, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
  }
  if (query.has('sendInitialEvents')) problems.push(forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  return problems;
}

function watchProblems(query: URLSearchParams): readonly OptionProblem[] {
  const [match, isInitial] = [query.get(FIELD) ?? '', query.has('sendInitialEvents')];
  const problems: OptionProblem[] = [];
  if (isInitial && match !== LATEST)
    problems.push(forbidden(FIELD, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'));
  if (match === '') return problems;
  if (!isInitial)
    problems.push(forbidden(FIELD, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'));
  if (match !== LATEST) problems.push(unsupported(FIELD, match, [LATEST]));
  if ((query.get('continue') ?? '') !== '') problems.push(forbidden(FIELD, CONTINUED));
  return problems;
}

/** A whole number, 0 where there is none. @throws StatusError 400 */
function readInteger(query: URLSearchParams, name: string): number {
  const text = query.get(name);
  if (text === null) return 0;
  const problem = /^[+-]?[0-9]+$/.test(text) ? 'value out of range' : 'invalid syntax';
  if (problem === 'value out of range' && BigInt(text) === BigInt.asIntN(64, BigInt(text))) return Number(text);
  throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: ${problem}`);
}

/** What is wrong with a parameter. */
interface OptionProblem {
  readonly field: string;
  readonly reason: string;
  readonly message: string;
}

const forbidden = (field: string, why: string): OptionProblem => ({
  field,
  reason: 'FieldValueForbidden',
  message: `Forbidden: ${why}`,
});

function unsupported(field: string, value: unknown, known: readonly string[]): OptionProblem {
  const list = known.map((each) => JSON.stringify(each)).join(', ');
  const message = `Unsupported value: ${JSON.stringify(value)}: supported values: ${list}`;
  return { field, reason: 'FieldValueNotSupported', message };
}

/** @throws StatusError 422 where there is any problem. */
function checkOptions(kind: string, problems: readonly OptionProblem[]): void {
  if (problems.length === 0) return;
  const texts = [...new Set(problems.map(({ field, message }) => `${field}: ${message}`))];
  const text = `${kind}.meta.k8s.io "" is invalid: ${texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`}`;
  const causes = problems.map(({ field, reason, message }) => ({ reason, message, field }));
  throw new StatusError(failure('Invalid', text, { group: 'meta.k8s.io', kind, causes }));
}

/** How options of a write are called. */
export type WriteOptions = 'CreateOptions' | 'UpdateOptions' | 'PatchOptions';

const MOST_MANAGER_BYTES = 128;

function managerProblems(manager: string): readonly OptionProblem[] {
  const field = 'fieldManager';
  if (new TextEncoder().encode(manager).length > MOST_MANAGER_BYTES) {
    return [{ field, reason: 'FieldValueTooLong', message: `Too long: may not be more than ${MOST_MANAGER_BYTES} bytes` }];
  }
  return [...manager].flatMap((character, index) => {
    if (!/[\p{C}\p{Zl}\p{Zp}]/u.test(character) && (character === ' ' || !/\p{Zs}/u.test(character))) return [];
    const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    const problem = `invalid character U+${code} (at position ${index})`;
    return [{ field, reason: 'FieldValueInvalid', message: `Invalid value: ${JSON.stringify(manager)}: ${problem}` }];
  });
}

const VALIDATIONS: readonly string[] = ['', 'Ignore', 'Strict', 'Warn'];

/** How a write is to be done. `isApply` says whether a patch is one that applies. @throws StatusError 422 */
export function writeContext(
  query: URLSearchParams,
  headers: Headers,
  user: User,
  subresource: WriteContext['subresource'],
  kind: WriteOptions = 'CreateOptions',
  isApply = false,
): WriteContext {
  const manager = query.get('fieldManager') ?? '';
  const validation = query.get('fieldValidation') ?? '';
  const dryRun = query.getAll('dryRun');
  const needed = 'Required value: is required for apply patch';
  checkOptions(kind, [
    ...(kind === 'PatchOptions' && !isApply && query.has('force')
      ? [forbidden('force', 'may not be specified for non-apply patch')]
      : []),
    ...(isApply && manager === '' ? [{ field: 'fieldManager', reason: 'FieldValueRequired', message: needed }] : []),
    ...managerProblems(manager),
    ...(dryRun.every((each) => each === 'All') ? [] : [unsupported('dryRun', dryRun, ['All'])]),
    ...(VALIDATIONS.includes(validation) ? [] : [unsupported('fieldValidation', validation, VALIDATIONS)]),
  ]);
  return {
    fieldManager: manager || programOf(headers),
    dryRun: dryRun.length > 0,
    fieldValidation: (validation || 'Warn') as WriteContext['fieldValidation'],
    subresource,
    warnings: [],
    user,
  };
}
