import { failure, isRecord, type ResourceType } from '../../kube/plain/index.ts';
import { badRequest, plain, StatusError } from '../api/failures.ts';
import { JsonProblem, readJson } from './json.ts';
import { readYaml, YamlProblem } from './yaml.ts';

/** The largest body that an API server takes. */
const MOST_BYTES = 3 * 1024 * 1024;

const JSON_TYPE = 'application/json';
const YAML_TYPE = 'application/yaml';
const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf';

/** What a body is to be. */
export interface Expected {
  readonly type: Pick<ResourceType, 'group' | 'version' | 'kind'>;
  /** Set for what a CRD defines, of which nobody knows the protobuf. */
  readonly custom?: unknown;
}

const DELETE_OPTIONS: Expected = { type: { group: 'meta.k8s.io', version: 'v1', kind: 'DeleteOptions' } };

/**
 * Reads a body as the media type says: JSON, YAML, or Kubernetes' protobuf for built-in kinds. An empty body of a deletion, and one of which
 * nobody said what to expect, is `undefined`.
 *
 * @throws StatusError 400, 413 or 415
 */
export async function readBody(request: Request, expected?: Expected): Promise<unknown> {
  const type = mediaType(request.headers.get('content-type'));
  const isRead = type !== undefined && (type === PROTOBUF_TYPE || type === JSON_TYPE || type === YAML_TYPE || isPatch(type));
  if (expected !== undefined && (!isRead || (type === PROTOBUF_TYPE && expected.custom !== undefined))) {
    throw unsupported(type);
  }
  const bytes = await readBytes(request);
  if (bytes.length === 0 && expected === undefined) return undefined;
  if (!isRead) throw unsupported(type);
  const wanted = expected ?? DELETE_OPTIONS;
  if (type === PROTOBUF_TYPE) return readProtobuf(bytes, wanted);
  const fail = (problem: string): StatusError =>
    expected === undefined ? badRequest(problem) : unrecognized(problem, bytes, expected);
  const body = await parse(bytes, type, {
    json: (why) => fail(`couldn't get version/kind; json parse error: ${why}`),
    yaml: (why) => fail(`error decoding YAML: ${why}`),
  });
  return expected === undefined ? body : asObject(body, bytes, expected);
}

/** How a server speaks of a text that it can't read. */
interface Wording {
  readonly json: (why: string) => StatusError;
  readonly yaml: (why: string) => StatusError;
}

const OF_APPLY: Wording = {
  json: (why) => badRequest(`error decoding YAML: error converting YAML to JSON: ${why}`),
  yaml: (why) => badRequest(`error decoding YAML: error converting YAML to JSON: ${why}`),
};

/**
 * Reads a patch, whose media type is one of those that are taken.
 *
 * @throws StatusError 400 or 413
 */
export async function readPatch(request: Request, type: string): Promise<unknown> {
  const bytes = await readBytes(request);
  if (type.includes('yaml')) return parse(bytes, type, OF_APPLY);
  const prefix = type.includes('strategic') ? '' : 'error decoding patch: ';
  const fail = (why: string): StatusError => badRequest(`${prefix}${why}`);
  return parse(bytes, type, { json: fail, yaml: fail });
}

/** JSON is YAML, and most clients send it. */
async function parse(bytes: Uint8Array, type: string, wording: Wording): Promise<unknown> {
  try {
    if (!type.includes('yaml')) return readJson(bytes);
    const text = new TextDecoder().decode(bytes);
    return (/^[{[]/.test(text) ? jsonIn(bytes) : undefined) ?? (await readYaml(text));
  } catch (error) {
    if (error instanceof JsonProblem) throw wording.json(error.message);
    throw error instanceof YamlProblem ? wording.yaml(error.message) : error;
  }
}

const isPatch = (type: string): boolean => /^application\/[\w-]+patch\+(json|yaml)$/.test(type);

/** The media type without its parameters; `undefined` where it can't be read. */
function mediaType(header: string | null): string | undefined {
  if (header === null || header === '') return JSON_TYPE;
  const parsed = /^\s*([\w.+-]+\/[\w.+-]+)\s*(?:;\s*[\w-]+=(?:"[^"]*"|[^\s;"]+)\s*)*;?\s*$/.exec(header);
  return parsed?.[1]?.toLowerCase();
}

/** Protobuf itself is unsupported for what a CRD defines. A real server breaks the connection there. */
function unsupported(type: string | undefined): StatusError {
  const read = [JSON_TYPE, YAML_TYPE, ...(type === PROTOBUF_TYPE ? [] : [PROTOBUF_TYPE])];
  const message = `the body of the request was in an unknown format - accepted media types include: ${read.join(', ')}`;
  return plain('UnsupportedMediaType', message);
}

async function readBytes(request: Request): Promise<Uint8Array> {
  if (request.body === null) return new Uint8Array();
  const reader = request.body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    size += chunk.value.byteLength;
    if (size > MOST_BYTES) {
      await reader.cancel();
      throw new StatusError(failure('RequestEntityTooLarge', `Request entity too large: limit is ${MOST_BYTES}`));
    }
    chunks.push(chunk.value);
  }
  const [first] = chunks;
  if (chunks.length === 1 && first !== undefined) return first;
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

/** The decoder and what is recorded of the messages are loaded when somebody first sends any. */
async function readProtobuf(bytes: Uint8Array, expected: Expected): Promise<unknown> {
  const { decodeObject, openEnvelope, ProtobufError } = await import('./protobuf/index.ts');
  const { group, version, kind } = expected.type;
  const opened = guarded(() => openEnvelope(bytes));
  if (opened instanceof ProtobufError) throw unrecognized(opened.message, bytes, expected);
  const envelope = {
    apiVersion: opened.apiVersion || (group === '' ? version : `${group}/${version}`),
    kind: opened.kind || kind,
    raw: opened.raw,
  };
  const decoded = guarded(() => decodeObject(envelope));
  if (!(decoded instanceof ProtobufError)) return decoded ?? { apiVersion: envelope.apiVersion, kind: envelope.kind };
  const given = JSON.stringify(envelope.apiVersion.split('/').at(-1));
  throw badRequest(`${envelope.kind} in version ${given} cannot be handled as a ${kind}: ${decoded.message}`);

  function guarded<T>(read: () => T): T | InstanceType<typeof ProtobufError> {
    try {
      return read();
    } catch (error) {
      if (error instanceof ProtobufError) return error;
      throw error;
    }
  }
}

/** What a text holds that may be JSON; nothing where it is YAML of another kind. */
function jsonIn(bytes: Uint8Array): unknown {
  try {
    return readJson(bytes);
  } catch (error) {
    if (error instanceof JsonProblem && !error.isTooDeep) return undefined;
    throw error;
  }
}

const GO_HEAD = String.raw`struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }`;

/** An object, or nothing, which is taken for an empty one of a built-in kind. */
function asObject(body: unknown, bytes: Uint8Array, expected: Expected): unknown {
  const object = body ?? {};
  if (!isRecord(object)) {
    const given = Array.isArray(object) ? 'array' : goType(object);
    const problem = `couldn't get version/kind; json parse error: json: cannot unmarshal ${given} into Go value of type ${GO_HEAD}`;
    throw unrecognized(problem, bytes, expected);
  }
  if (expected.custom !== undefined && (object.kind ?? '') === '') {
    throw unrecognized(`Object 'Kind' is missing in '${new TextDecoder().decode(bytes)}'`, bytes, expected);
  }
  return object;
}

const goType = (value: unknown): string => (typeof value === 'boolean' ? 'bool' : typeof value);

const MOST_SHOWN = 30;

function unrecognized(problem: string, bytes: Uint8Array, { type }: Expected): StatusError {
  return badRequest(`the object provided is unrecognized (must be of type ${type.kind}): ${problem} (${summary(bytes)})`);
}

/** The beginning of a body: as text where it looks like JSON, else in hexadecimal digits. */
function summary(bytes: Uint8Array): string {
  if (bytes.length === 0) return '<empty>';
  const head = bytes.subarray(0, MOST_SHOWN);
  const isText = bytes[0] === 0x7b;
  const shown = isText ? new TextDecoder().decode(head) : Array.from(head, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return bytes.length > MOST_SHOWN ? `${shown} ...` : shown;
}
