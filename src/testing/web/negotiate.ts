import { failure } from '../../kube/plain/index.ts';
import { plain, StatusError } from '../api/failures.ts';

/** How an answer is to be written, of what the Accept header names. */
export interface Format {
  readonly type: 'json' | 'yaml';
  /** The shape that objects take; absent where they stay as they are. */
  readonly as?: Shape;
}

/** What objects can be turned into. */
export interface Shape {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

interface Clause {
  readonly type: string;
  readonly quality: number;
  readonly parameters: ReadonlyMap<string, string>;
}

const PROTOBUF = 'application/vnd.kubernetes.protobuf';
const FORMATS = ['json', 'yaml'] as const;
/** What a real server says that it writes. Offline clusters read protobuf, and write JSON to whoever takes that as well. */
const WRITTEN: readonly string[] = ['application/json', 'application/yaml', PROTOBUF];
const STREAMED: readonly string[] = ['application/json;stream=watch', `${PROTOBUF};stream=watch`];

/** The clauses of an Accept header, those that are liked best first. Where two are liked as much, the one without a star comes first. */
function clausesOf(header: string): readonly Clause[] {
  const clauses = header.split(',').flatMap((text) => {
    const [type = '', ...rest] = text.split(';').map((part) => part.trim());
    const pairs = rest.map((part) => part.split('=').map((side) => side.trim())).filter(({ length }) => length === 2);
    const parameters = new Map(pairs as unknown as [string, string][]);
    const quality = parameters.has('q') ? Number(parameters.get('q')) || 0 : 1;
    parameters.delete('q');
    return type === '*' || type.split('/').length === 2 ? [{ type: type === '*' ? '*/*' : type, quality, parameters }] : [];
  });
  const stars = ({ type }: Clause): number => Number(type.startsWith('*')) * 2 + Number(type.endsWith('*'));
  return clauses.toSorted((a, b) => b.quality - a.quality || stars(a) - stars(b));
}

const isMatch = (pattern: string, type: string): boolean =>
  pattern === type || pattern === '*/*' || pattern === `${type.split('/')[0]}/*`;

/** The shape that a clause asks for. */
function shapeOf({ parameters }: Clause): Shape | undefined {
  if (!['as', 'g', 'v'].some((name) => parameters.has(name))) return undefined;
  return { group: parameters.get('g') ?? '', version: parameters.get('v') ?? '', kind: parameters.get('as') ?? '' };
}

/** The first format that the header names and that can be written here; `undefined` where there is none. */
export function chooseFormat(header: string | null, allows: (shape: Shape | undefined) => boolean): Format | undefined {
  if (header === null || header === '') return { type: 'json' };
  for (const clause of clausesOf(header)) {
    const as = shapeOf(clause);
    const type = FORMATS.find((format) => isMatch(clause.type, `application/${format}`) && hasKnownVersions(clause, format));
    if (type !== undefined && allows(as)) return { type, ...(as === undefined ? {} : { as }) };
  }
  return undefined;
}

function hasKnownVersions({ parameters }: Clause, type: Format['type']): boolean {
  const [stream = '', serverVersion = ''] = [parameters.get('stream'), parameters.get('sv')];
  return (stream === '' || (stream === 'watch' && type === 'json')) && (serverVersion === '' || serverVersion === 'v1');
}

const META_VERSIONS: ReadonlySet<string> = new Set(['v1', 'v1beta1']);
const META_SHAPES: ReadonlySet<string> = new Set(['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList']);

const isMetaShape = (shape: Shape | undefined): boolean =>
  shape === undefined || (shape.group === 'meta.k8s.io' && META_VERSIONS.has(shape.version) && META_SHAPES.has(shape.kind));

const isPlain = (shape: Shape | undefined): boolean => shape === undefined;

/** The format of an answer that holds objects. `undefined` where there is none. */
export function objectFormat(request: Request): Format | undefined {
  return chooseFormat(request.headers.get('accept'), isMetaShape);
}

/** The format of an answer that is what it is: of documents, and of failures. */
export function documentFormat(request: Request): Format | undefined {
  return chooseFormat(request.headers.get('accept'), isPlain);
}

/** What is asked for, as far as it decides which formats there are. */
export interface Asked {
  readonly isBuiltIn: boolean;
  readonly isCollection: boolean;
  readonly isWatch: boolean;
}

/**
 * Checks that there is a format for an answer that holds objects, before anything is done.
 *
 * @throws StatusError 406
 */
export function checkObjectFormat(request: Request, { isBuiltIn, isCollection, isWatch }: Asked): void {
  const isStreamable = isCollection && request.method === 'GET';
  if (isBuiltIn) checkRouter(request, isStreamable ? [...WRITTEN, ...STREAMED] : WRITTEN);
  const format = objectFormat(request);
  if (format === undefined) throw notAcceptable(WRITTEN);
  if (isWatch && format.type !== 'json') throw notAcceptable(STREAMED);
}

/**
 * Checks that there is a format for a document.
 *
 * @throws StatusError 406
 */
export function checkDocumentFormat(request: Request, written: readonly string[] = WRITTEN): void {
  if (documentFormat(request) === undefined) throw notAcceptable(written);
}

/**
 * The router of the real server looks at the header before anything else does, and knows neither parameters nor `application/*`.
 *
 * @throws StatusError 406
 */
export function checkRouter(request: Request, written: readonly string[] = WRITTEN): void {
  const header = request.headers.get('accept') ?? '';
  const names = header.split(',').map((text) => (text.split(';')[0] ?? '').trim());
  if (header === '' || names.some((name) => name === '*/*' || written.includes(name))) return;
  const message = `406: Not Acceptable\n\nAvailable representations: ${written.join(', ')}`;
  throw new StatusError(failure('NotAcceptable', message, {}));
}

function notAcceptable(written: readonly string[]): StatusError {
  return plain('NotAcceptable', `only the following media types are accepted: ${written.join(', ')}`);
}

/** What can't be turned into a list, or from one. */
export function wrongShape(shape: string, goType: string, isList: boolean): StatusError {
  const what = isList ? `is a list (${goType})` : `is not a list (${goType})`;
  return plain('NotAcceptable', `you requested ${shape}, but the requested object ${what}`);
}

/** A JSON answer as YAML, with the fields of the same order that Go's encoder has. */
export async function asYaml(answer: Response): Promise<Response> {
  const { stringify } = await import('yaml');
  const headers = new Headers(answer.headers);
  headers.set('content-type', 'application/yaml');
  // Other readers may take `on` and `y` for booleans (YAML 1.1).
  const text = stringify(await answer.json(), { sortMapEntries: true, version: '1.1', aliasDuplicateObjects: false });
  return new Response(text, { status: answer.status, headers });
}
