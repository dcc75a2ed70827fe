import { failure } from '../../kube/index.ts';
import { badRequest, StatusError } from '../api/failures.ts';

/** The largest body that an API server takes. */
const MOST_BYTES = 3 * 1024 * 1024;

/** Reads a body as JSON, or as YAML where the client says that it may be that. An empty body is `undefined`. */
export async function readBody(request: Request): Promise<unknown> {
  const type = request.headers.get('content-type') ?? 'application/json';
  if (type.includes('protobuf')) {
    const message =
      'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml';
    throw new StatusError(failure('UnsupportedMediaType', message));
  }
  const text = await readText(request);
  if (text.trim() === '') return undefined;
  return type.includes('yaml') ? parseYaml(text) : parseJson(text);
}

async function readText(request: Request): Promise<string> {
  if (request.body === null) return '';
  const decoder = new TextDecoder();
  const reader = request.body.getReader();
  let size = 0;
  let text = '';
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    size += chunk.value.byteLength;
    if (size > MOST_BYTES) {
      await reader.cancel();
      throw new StatusError(failure('RequestEntityTooLarge', `Request entity too large: limit is ${MOST_BYTES}`));
    }
    text += decoder.decode(chunk.value, { stream: true });
  }
  return text + decoder.decode();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badRequest(`the body of the request is no JSON: ${(error as Error).message}`);
  }
}

/** JSON is YAML, and most clients send it; the parser is loaded for the others. */
async function parseYaml(text: string): Promise<unknown> {
  if (text.trimStart().startsWith('{')) return parseJson(text);
  const { parse } = await import('yaml');
  try {
    return parse(text, { maxAliasCount: 100 });
  } catch (error) {
    throw badRequest(`error decoding YAML: ${(error as Error).message.split('\n')[0]}`);
  }
}
