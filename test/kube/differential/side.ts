import { applyMergePatch } from '../../../src/kube/index.ts';
import type { Answer, Fields, Step } from './step.ts';

/** A request as it goes to a server. */
export interface Sent {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** A watch that runs along. */
export interface Stream {
  readonly events: readonly unknown[];
  close(): void;
}

/** A server, whichever. */
export interface Server {
  send(request: Sent): Promise<Answer>;
  /** The answer where there is no stream, or else the stream. */
  watch(request: Sent): Promise<Answer | Stream>;
  /** Until reads are no older than what has been written. */
  settle(path: string): Promise<void>;
}

interface Seen {
  readonly object: Fields;
  readonly version: string;
  readonly uid: string;
}

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether nothing of what is answered is kept. */
function isDryRun({ query, body }: Step): boolean {
  const json = body !== undefined && 'json' in body && isFields(body.json) ? body.json : {};
  return query.dryRun !== undefined || json.dryRun !== undefined;
}

/** What a run has seen on one side, so that later steps can refer to it. */
export class Memory {
  readonly #run: string;
  readonly #objects = new Map<string, readonly Seen[]>();
  readonly #lists = new Map<string, { readonly version: string; readonly token: string }>();

  constructor(run: string) {
    this.#run = run;
  }

  /** A text with its references read. */
  resolve(text: string): string {
    return text
      .replaceAll(/\{\{(rv|old|uid|listed|continue) ((?:[^{}]|\{\{\w+\}\})+)\}\}/g, (_, what: string, path: string) =>
        this.#read(what, path),
      )
      .replaceAll('{{ns}}', `ns-${this.#run}`)
      .replaceAll('{{run}}', this.#run);
  }

  #read(what: string, template: string): string {
    const path = this.resolve(template);
    const seen = this.#objects.get(path) ?? [];
    const last = seen.at(-1);
    if (what === 'rv') return last?.version ?? '1';
    if (what === 'old') return seen.findLast(({ version }) => version !== last?.version)?.version ?? '1';
    if (what === 'uid') return last?.uid ?? '99999999-1111-4111-8111-999999999999';
    const list = this.#lists.get(path);
    return what === 'listed' ? (list?.version ?? '') : (list?.token ?? '');
  }

  /** The body of a step. */
  body({ body }: Step): string | undefined {
    if (body === undefined) return undefined;
    if ('text' in body) return this.resolve(body.text);
    if ('json' in body) return this.resolve(JSON.stringify(body.json));
    const change = JSON.parse(this.resolve(JSON.stringify(body.change))) as unknown;
    const last = this.#objects.get(this.resolve(body.last))?.at(-1)?.object ?? {};
    return JSON.stringify(applyMergePatch(last as never, change as never));
  }

  /** Takes note of an answer. */
  note(step: Step, path: string, { status, body }: Answer): void {
    if (status >= 300 || !isFields(body) || !isFields(body.metadata)) return;
    const { resourceVersion, uid, name } = body.metadata as Readonly<Record<string, string>>;
    if (step.method === 'GET' && resourceVersion !== undefined && body.kind !== 'Table' && Array.isArray(body.items)) {
      this.#lists.set(path, { version: resourceVersion, token: (body.metadata as { continue?: string }).continue ?? '' });
      return;
    }
    if (uid === undefined || resourceVersion === undefined || name === undefined || isDryRun(step)) return;
    if (body.kind === 'PartialObjectMetadata' || body.kind === 'Scale') return;
    // All versions of a kind are the same objects.
    const collection =
      step.method === 'POST'
        ? path
        : path
            .split('/')
            .slice(0, path.endsWith('/status') ? -2 : -1)
            .join('/');
    const key = `${collection.replace('/v1beta1/', '/v1/')}/${name}`;
    this.#objects.set(key, [...(this.#objects.get(key) ?? []), { object: body, version: resourceVersion, uid }]);
  }
}

/** What a step comes to on one side. */
export function sentBy(step: Step, memory: Memory): Sent {
  const query = new URLSearchParams(
    Object.entries(step.query).map(([name, value]): [string, string] => [name, memory.resolve(value)]),
  );
  // No server knows the version of what hasn't been seen.
  const version = step.query.resourceVersion ?? '';
  if (version.includes('{{') && ['', '1'].includes(query.get('resourceVersion') ?? '')) {
    query.delete('resourceVersion');
    if (!query.has('sendInitialEvents')) query.delete('resourceVersionMatch');
  }
  const text = query.size === 0 ? '' : `?${query}`;
  return {
    method: step.method,
    path: `${encodeURI(memory.resolve(step.path))}${text}`,
    headers: {
      accept: step.accept ?? 'application/json',
      'user-agent': 'differential/1.0',
      ...(step.type === undefined ? {} : { 'content-type': step.type }),
    },
    body: step.method === 'GET' ? undefined : memory.body(step),
  };
}
