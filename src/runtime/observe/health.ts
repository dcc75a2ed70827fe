import { compareText } from '../../kube/plain/index.ts';
import type { Clock } from '../clock.ts';
import { type Handle, isRead, notAllowed, notFound, text } from './answers.ts';
import { within } from './within.ts';

/**
 * Says that all is well by returning, and what isn't by throwing. The message of the error is told to whoever asks for this one check; the
 * lists of all checks withhold it. The signal fires when the check's time is over.
 */
export type HealthCheck = (signal: AbortSignal) => void | Promise<void>;

/** Checks by name: a name is a part of a path. */
export type HealthChecks = Readonly<Record<string, HealthCheck>>;

/** What {@link healthHandler} takes. */
export interface HealthOptions {
  readonly clock: Clock;
  /** The checks of each path. What is absent has none, and says ok as long as the process answers; `livez` is `healthz` where it is absent. */
  readonly checks: { readonly healthz?: HealthChecks; readonly readyz?: HealthChecks; readonly livez?: HealthChecks };
  /** How long one check may take, in milliseconds. Default 1,000: probes of Kubernetes give up after a second, too. */
  readonly timeoutMs?: number;
}

/** What came of a check. */
interface Finding {
  readonly name: string;
  readonly state: 'ok' | 'failed' | 'excluded';
}

/**
 * Answers `/healthz`, `/readyz` and `/livez` as controller-runtime does:
 *
 * - `/readyz` runs all its checks, at once: 200 `ok`, or 500 with a line for each and no reasons. `?verbose` has the lines in both cases;
 *   `?exclude=name` leaves a check out, as often as it is given.
 * - `/readyz/name` runs one check: 200 `ok`, or 500 with the reason.
 * - Where there are no checks there is one called `ping`, which is always well.
 *
 * Other paths are 404, methods but GET and HEAD are 405. Nothing is remembered: who asks often asks the checks often.
 */
export function healthHandler({ clock, checks, timeoutMs = 1000 }: HealthOptions): Handle {
  const { healthz = {}, readyz = {}, livez = healthz } = checks;
  const paths = new Map(Object.entries({ healthz, readyz, livez }).map(([path, all]) => [path, checksOf(all)]));
  return async (request) => {
    const { pathname, searchParams } = new URL(request.url);
    const [root = '', name, ...more] = pathname.split('/').filter((part) => part !== '');
    const all = paths.get(root);
    const asked = name === undefined ? undefined : all?.get(decoded(name));
    if (all === undefined || more.length > 0 || (name !== undefined && asked === undefined)) return notFound();
    if (!isRead(request)) return notAllowed();
    const run = (check: HealthCheck): Promise<string | undefined> => problemOf(check, clock, timeoutMs);
    const answer = asked === undefined ? await aggregate(all, searchParams, run) : await single(asked, run);
    return request.method === 'HEAD' ? new Response(null, { status: answer.status, headers: answer.headers }) : answer;
  };
}

function checksOf(checks: HealthChecks): ReadonlyMap<string, HealthCheck> {
  const all = Object.entries(checks).sort(([a], [b]) => compareText(a, b));
  return new Map(all.length === 0 ? [['ping', () => undefined]] : all);
}

/** A path may hold what is no text. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

type Run = (check: HealthCheck) => Promise<string | undefined>;

async function single(check: HealthCheck, run: Run): Promise<Response> {
  const problem = await run(check);
  return problem === undefined ? text(200, 'ok') : text(500, `internal server error: ${problem}\n`);
}

async function aggregate(checks: ReadonlyMap<string, HealthCheck>, asked: URLSearchParams, run: Run): Promise<Response> {
  const excluded = new Set(asked.getAll('exclude'));
  const findings = await Promise.all(
    [...checks].map(async ([name, check]): Promise<Finding> => {
      if (excluded.has(name)) return { name, state: 'excluded' };
      return { name, state: (await run(check)) === undefined ? 'ok' : 'failed' };
    }),
  );
  const hasFailed = findings.some(({ state }) => state === 'failed');
  if (!hasFailed && !asked.has('verbose')) return text(200, 'ok');
  const unknown = [...excluded].filter((name) => !checks.has(name));
  const lines = [
    ...findings.map(line),
    ...(unknown.length === 0 ? [] : [`warn: some health checks cannot be excluded: no matches for ${quoted(unknown)}`]),
    `healthz check ${hasFailed ? 'failed' : 'passed'}`,
  ];
  return text(hasFailed ? 500 : 200, `${lines.join('\n')}\n`);
}

function line({ name, state }: Finding): string {
  if (state === 'failed') return `[-]${name} failed: reason withheld`;
  return `[+]${name} ${state === 'excluded' ? 'excluded: ok' : 'ok'}`;
}

const quoted = (names: readonly string[]): string => names.map((name) => JSON.stringify(name)).join(',');

/** Why a check isn't well; nothing where it is. */
async function problemOf(check: HealthCheck, clock: Clock, timeoutMs: number): Promise<string | undefined> {
  try {
    await within(clock, timeoutMs, check);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : 'it failed';
  }
}
