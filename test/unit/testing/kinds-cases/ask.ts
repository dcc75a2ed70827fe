import { type AnyObject, apiVersionOf, BUILT_IN, type ResourceType, resourcePath } from 'clusterset/kube';
import { UNFEDERATED } from '../../../../src/testing/kinds/unfederated.ts';
import { type KindCase, NAMESPACE } from './case.ts';

/** A request to an API server, and its answer; HTTP without the transport. */
export type Send = (request: {
  readonly method: 'GET' | 'POST' | 'PATCH';
  readonly path: string;
  readonly accept: string;
  readonly body?: unknown;
}) => Promise<{ readonly status: number; readonly body: unknown }>;

/** What a server said to a case, without what differs each time. */
export interface KindAnswer {
  readonly case: string;
  /** The object or the failure, after the creation and after each change. */
  readonly answers: readonly unknown[];
  /** The row of the object in a table: its cells. */
  readonly cells?: readonly unknown[];
}

const JSON_TYPE = 'application/json';
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';

export function nameOfCase({ object }: KindCase): string {
  return `${object.kind} ${object.metadata.name}`;
}

function typeOf({ apiVersion, kind }: Pick<AnyObject, 'apiVersion' | 'kind'>): ResourceType {
  const found = [...BUILT_IN, ...UNFEDERATED].find((type) => type.kind === kind && apiVersion === apiVersionOf(type));
  if (found === undefined) throw new Error(`${apiVersion} ${kind} is no built-in kind`);
  return found;
}

/** Creates the namespace that the cases live in. */
export async function prepare(send: Send): Promise<void> {
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } };
  await send({ method: 'POST', path: '/api/v1/namespaces', accept: JSON_TYPE, body });
}

/** Plays a case against a server. */
export async function ask(send: Send, kindCase: KindCase): Promise<KindAnswer> {
  const { object, changes } = kindCase;
  const type = typeOf(object);
  const { namespace, name } = object.metadata;
  const collection = resourcePath(type, namespace === undefined ? {} : { namespace });
  const path = `${collection}/${encodeURIComponent(name)}`;
  const created = await send({ method: 'POST', path: collection, accept: JSON_TYPE, body: object });
  const answers = [normal(created.body)];
  if (created.status !== 201) return { case: nameOfCase(kindCase), answers };
  for (const { of, body, as = object.apiVersion } of changes) {
    const root = resourcePath(typeOf({ apiVersion: as, kind: object.kind }), namespace === undefined ? {} : { namespace });
    const changedPath = `${root}/${encodeURIComponent(name)}${of === 'status' ? '/status' : ''}`;
    const request = body === undefined ? ({ method: 'GET' } as const) : ({ method: 'PATCH', body } as const);
    const changed = await send({ ...request, path: changedPath, accept: JSON_TYPE });
    answers.push(normal(changed.body));
  }
  const table = await send({ method: 'GET', path, accept: TABLE });
  return { case: nameOfCase(kindCase), answers, cells: cellsOf(table.body) };
}

interface Table {
  readonly columnDefinitions: readonly {
    readonly name: string;
    readonly type: string;
    readonly format: string;
    readonly priority: number;
  }[];
  readonly rows: readonly { readonly cells: readonly unknown[] }[];
}

const SINCE: ReadonlySet<string> = new Set(['Age', 'Last Schedule', 'Last Seen', 'First Seen']);

function cellsOf(body: unknown): readonly unknown[] {
  const { columnDefinitions, rows } = body as Table;
  return columnDefinitions.map(({ name }, index) => {
    const cell = rows[0]?.cells[index] ?? null;
    if (name === 'Created At') return 'TIME';
    if (typeof cell !== 'string') return cell;
    return SINCE.has(name) && /^\d/.test(cell) ? 'AGE' : text(cell).replace(/\(\w+ ago\)/, '(AGE ago)');
  });
}

/** Texts without what is made up anew each time: uids, addresses, node ports. */
function text(value: string): string {
  return (
    value
      .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UID')
      .replaceAll(/\b10\.(?:0|96)\.\d+\.(?!0\b)\d+\b/g, 'ADDRESS')
      .replaceAll(/:3[0-2]\d{3}\//g, ':PORT/')
      // What Go makes of a whole struct, and how it compares two of them, is said in other words offline.
      .replaceAll(/Invalid value: \{.*"[sS]pec":.*\}: field is immutable/g, 'Invalid value: {…}: field is immutable')
      .replaceAll(/\n@@.*/gs, '')
  );
}

const DROPPED: ReadonlySet<string> = new Set(['resourceVersion', 'manager', 'time']);

/** Only a controller takes these finalizers away, and offline there is none: offline clusters don't set them. */
function isProtection(name: string, value: unknown): boolean {
  return (
    name === 'finalizers' && Array.isArray(value) && value.every((each) => /^kubernetes\.io\/pvc?-protection$/.test(String(each)))
  );
}

/** Fields that nobody manages are left out by a real server, and an empty list offline. */
const isNobody = (name: string, value: unknown): boolean =>
  name === 'managedFields' && Array.isArray(value) && value.length === 0;

const TIMES: ReadonlySet<string> = new Set(['creationTimestamp', 'lastPhaseTransitionTime', 'lastTransitionTime']);

/** An answer without what differs each time. */
function normal(value: unknown): unknown {
  if (typeof value === 'string') return text(value);
  if (Array.isArray(value)) return value.map(normal);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .filter(([name, each]) => !DROPPED.has(name) && !isProtection(name, each) && !isNobody(name, each))
    .map(([name, each]) => {
      if (typeof each === 'string' && TIMES.has(name) && !each.startsWith('2026-01-01')) return [name, 'TIME'];
      if (name === 'nodePort' || name === 'healthCheckNodePort') return [name, 'PORT'];
      return [name, normal(each)];
    });
  return Object.fromEntries(entries.toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
}

/** The columns of a kind's table, as a server defines them, without their descriptions. */
export async function columnsOf(send: Send, type: ResourceType): Promise<readonly (readonly [string, string, string, number])[]> {
  const { body } = await send({ method: 'GET', path: `${resourcePath(type, {})}?limit=1`, accept: TABLE });
  return (body as Table).columnDefinitions.map(({ name, type: of, format, priority }) => [name, of, format, priority]);
}
