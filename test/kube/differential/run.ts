import { type Difference, differences } from './difference.ts';
import { Normaliser } from './normal.ts';
import { Memory, type Sent, type Server, type Stream, sentBy } from './side.ts';
import type { Answer, Step } from './step.ts';

/** Where the two sides said something else. */
export interface Mismatch {
  /** Which step; a watch is told by the step that opened it. */
  readonly index: number;
  readonly step: Step;
  readonly sent: Sent;
  readonly what: string;
  readonly differences: readonly Difference[];
  readonly real: unknown;
  readonly offline: unknown;
}

interface Played {
  readonly sent: readonly Sent[];
  readonly answers: readonly Answer[];
  readonly streams: ReadonlyMap<number, readonly unknown[]>;
}

const WAIT_MS = 3000;
const GRACE_MS = 25;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Plays a sequence on one side. `wanted` says how many events to wait for on each watch. */
async function play(steps: readonly Step[], server: Server, run: string, wanted?: Played): Promise<Played> {
  const memory = new Memory(run);
  const [sent, answers]: [Sent[], Answer[]] = [[], []];
  const streams = new Map<number, Stream>();
  const namespace = JSON.stringify({ metadata: { name: `ns-${run}` } });
  await server.send({
    method: 'POST',
    path: '/api/v1/namespaces',
    headers: { 'content-type': 'application/json' },
    body: namespace,
  });
  for (const [index, step] of steps.entries()) {
    const request = sentBy(step, memory);
    const [path = ''] = request.path.split('?');
    const reads = step.method === 'GET' && (step.watch || step.query.resourceVersion !== undefined);
    if (reads) await server.settle(path);
    sent.push(request);
    const answer = step.watch ? await server.watch(request) : await server.send(request);
    if ('events' in answer) {
      streams.set(index, answer);
      answers.push({ status: 200, type: '', warnings: [], body: null });
    } else {
      memory.note(step, path, answer);
      answers.push(answer);
    }
  }
  const isThere = (): boolean =>
    [...streams].every(([index, { events }]) => events.length >= (wanted?.streams.get(index)?.length ?? 0));
  for (let waited = 0; streams.size > 0 && !isThere() && waited < WAIT_MS; waited += 10) await pause(10);
  if (streams.size > 0) await pause(wanted === undefined ? 1 : GRACE_MS);
  for (const stream of streams.values()) stream.close();
  return { sent, answers, streams: new Map([...streams].map(([index, { events }]) => [index, [...events]])) };
}

/** Plays a sequence on both sides, and says where they first part. */
export async function compare(
  steps: readonly Step[],
  offline: () => Promise<Server>,
  real: Server,
  run: string,
): Promise<Mismatch | undefined> {
  const here = await play(steps, await offline(), run);
  const there = await play(steps, real, run, here);
  const [hereAs, thereAs] = [new Normaliser(run), new Normaliser(run)];
  for (const [index, step] of steps.entries()) {
    const [ours, theirs] = [here.answers[index] as Answer, there.answers[index] as Answer];
    const found = mismatch(index, step, here.sent[index] as Sent, 'the answer', hereAs.answer(ours), thereAs.answer(theirs));
    if (found !== undefined) return found;
  }
  for (const [index, step] of steps.entries()) {
    const [ours = [], theirs = []] = [here.streams.get(index), there.streams.get(index)];
    const events = (stream: readonly unknown[], normaliser: Normaliser): unknown =>
      stream.map((event) => normaliser.body(event)).filter((event) => !isBookmark(event));
    const found = mismatch(index, step, here.sent[index] as Sent, 'the watch', events(ours, hereAs), events(theirs, thereAs));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A bookmark that comes when it is time for it, in contrast to that at the end of the initial events. */
function isBookmark(event: unknown): boolean {
  const { type, annotations } = event as { readonly type?: unknown; readonly annotations?: unknown };
  return type === 'BOOKMARK' && annotations === undefined;
}

function mismatch(index: number, step: Step, sent: Sent, what: string, offline: unknown, real: unknown): Mismatch | undefined {
  const found = differences(offline, real);
  return found.length === 0 ? undefined : { index, step, sent, what, differences: found, real, offline };
}

/** The shortest sequence, found by leaving out single steps, that still shows the same sort of mismatch. */
export async function shrink(
  steps: readonly Step[],
  found: Mismatch,
  again: (steps: readonly Step[]) => Promise<Mismatch | undefined>,
): Promise<{ readonly steps: readonly Step[]; readonly mismatch: Mismatch }> {
  let best = { steps, mismatch: found };
  const isSame = (other: Mismatch | undefined): other is Mismatch => other?.differences[0]?.path === found.differences[0]?.path;
  if (found.what === 'the answer') {
    const prefix = steps.slice(0, found.index + 1);
    const other = await again(prefix);
    if (isSame(other)) best = { steps: prefix, mismatch: other };
  }
  for (let at = best.steps.length - 2; at >= 0; at -= 1) {
    const fewer = best.steps.toSpliced(at, 1);
    const other = await again(fewer);
    if (isSame(other)) best = { steps: fewer, mismatch: other };
  }
  return best;
}
