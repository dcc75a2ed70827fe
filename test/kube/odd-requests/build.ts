import type { RawRequest } from './raw.ts';

export const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
export const ONE = `${CONFIG_MAPS}/one`;
const WIDGETS = '/apis/example.com/v1/namespaces/default/widgets';
export const WIDGET = `${WIDGETS}/one`;

export type Options = { readonly headers?: Readonly<Record<string, string>> };

export const get = (target: string, headers: Readonly<Record<string, string>> = {}): RawRequest => ({
  method: 'GET',
  target,
  headers: Object.entries(headers),
});
export const send = (
  method: string,
  target: string,
  type: string,
  body: string | Buffer,
  { headers = {} }: Options = {},
): RawRequest => ({
  method,
  target,
  headers: [...(type === '' ? [] : [['content-type', type] as const]), ...Object.entries(headers)],
  body,
});
export const post = (body: unknown, options?: Options): RawRequest =>
  send('POST', `${CONFIG_MAPS}?dryRun=All`, 'application/json', text(body), options);
export const postWidget = (body: unknown, options?: Options): RawRequest =>
  send('POST', `${WIDGETS}?dryRun=All`, 'application/json', text(body), options);
export const text = (body: unknown): string | Buffer =>
  typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
export const TYPES = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;
export const patch = (kind: keyof typeof TYPES, body: unknown, target = ONE): RawRequest =>
  send('PATCH', `${target}?dryRun=All&fieldManager=odd`, TYPES[kind], text(body));

export const map = (fields: Readonly<Record<string, unknown>>, metadata: Readonly<Record<string, unknown>> = {}): unknown => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'new', ...metadata },
  ...fields,
});
export const widget = (spec: unknown): unknown => ({
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  metadata: { name: 'new' },
  spec,
});
/** JSON in which `__proto__` is a key as any other. */
export const proto = (json: string): string => json.replaceAll('PROTO', '__proto__');
export const nested = (levels: number, open = '[', close = ']'): string => `${open.repeat(levels)}1${close.repeat(levels)}`;
export const utf16 = Buffer.from(`\ufeff${JSON.stringify(map({}))}`, 'utf16le');
export const bomb = [
  'a: &a [x,x,x,x,x,x,x,x,x]',
  ...'bcdefgh'.split('').map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[index]}`).join(',')}]`),
].join('\n');

export function chunked(body: string | Buffer): string {
  const content = body.toString();
  const parts: string[] = [];
  for (let at = 0; at < content.length; at += 60_000) {
    const part = content.slice(at, at + 60_000);
    parts.push(`${part.length.toString(16)}\r\n${part}\r\n`);
  }
  return `${parts.join('')}0\r\n\r\n`;
}

/** Requests with their names. */
export type Named = readonly (readonly [name: string, request: RawRequest])[];
