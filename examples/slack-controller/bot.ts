/** Tells a chat what happens to the clusters of a source. It knows neither the service behind `post` nor where the store is. */
import { type ClusterSource, deepEqual } from 'clusterset/kube';
import { type Announced, type Announcement, acknowledge, announcements, type ClusterEntry } from 'clusterset/registry';
import { type Clock, sleep, systemClock, unlessAborted } from 'clusterset/runtime';

/** Whether a message has arrived; else why not, in words that hold nothing secret, and how long the service wants to be left alone. */
export type Delivery =
  | { readonly delivered: true }
  | { readonly delivered: false; readonly reason: string; readonly retryAfterMs?: number };

/** Sends one message. What goes wrong is an answer, too: it doesn't reject. */
export type Post = (message: { readonly text: string }, signal: AbortSignal) => Promise<Delivery>;

/** Where it is kept what has been said. */
export interface Store {
  read(): Promise<Announced | undefined>;
  write(announced: Announced): Promise<void>;
}

export interface BotOptions {
  readonly source: ClusterSource<ClusterEntry>;
  readonly post: Post;
  readonly store: Store;
  readonly signal: AbortSignal;
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  readonly log?: (line: string) => void;
}

/** What happens at once is said in one message, of so many lines at most: services take about one message a second. */
const MOST_LINES = 20;
const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 60_000;
/** No service may silence the bot for longer. */
const LONGEST_ASKED_MS = 3_600_000;

/**
 * Runs until the signal fires. Every message is sent until the service has acknowledged it, in order, and only then is it noted in the store: one
 * that was sent when the process ended may be sent again, none is lost. While the service is down, the clusters go on changing; what is said
 * afterwards is the difference between what was said last and what is then.
 *
 * @throws what the store throws when it is read for the first time, or can't be written at the start.
 */
export async function runBot({
  source,
  post,
  store,
  signal,
  clock = systemClock,
  log = () => undefined,
}: BotOptions): Promise<void> {
  let known = await store.read();
  // Whoever can't note what has been said would say it again after every restart: better to say nothing at all.
  await store.write(known ?? announcements(undefined, []).next);
  const patience = { clock, signal, log };

  const become = async (next: Announced): Promise<void> => {
    known = next;
    await untilDone('the store', () => written(store, next), patience);
  };

  try {
    for await (const entries of source.watch(signal)) {
      const { announcements: told, next } = announcements(known, entries);
      for (let start = 0; start < told.length; start += MOST_LINES) {
        const batch = told.slice(start, start + MOST_LINES);
        const text = batch.map(textOf).join('\n');
        await untilDone('the chat service', () => unlessAborted(() => post({ text }, signal), signal), patience);
        await become(acknowledge(known, batch));
        log(`said: ${text.replaceAll('\n', ' ')}`);
      }
      // Fields that nobody looked at before are taken in without a word.
      if (!deepEqual(next, known)) await become(next);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function written(store: Store, announced: Announced): Promise<Delivery> {
  try {
    await store.write(announced);
    return { delivered: true };
  } catch (error) {
    return { delivered: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

interface Patience {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}

/** Tries until it is done: after 1 s, doubled up to a minute, or when the other side says. Rejects when the signal fires. */
async function untilDone(what: string, attempt: () => Promise<Delivery>, { clock, signal, log }: Patience): Promise<void> {
  for (let failures = 0; ; failures += 1) {
    const outcome = await attempt();
    if (outcome.delivered) return;
    const delay = delayOf(outcome.retryAfterMs, failures);
    log(`${what}: ${outcome.reason}; again in ${delay / 1000} s`);
    await sleep(clock, delay, signal);
  }
}

function delayOf(askedMs: number | undefined, failures: number): number {
  if (askedMs !== undefined) return Math.min(LONGEST_ASKED_MS, Math.max(FIRST_DELAY_MS, askedMs));
  return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** failures);
}

/** What is said, in one line. */
export function textOf(announcement: Announcement): string {
  const cluster = `Cluster ${plain(announcement.cluster)}`;
  switch (announcement.type) {
    case 'added':
      return `${cluster} was added.`;
    case 'changed':
      return `${cluster} was changed: ${announcement.fields.map(plain).join(', ')}.`;
    case 'removed':
      return `${cluster} was removed.`;
    case 'unreachable': {
      const why = plain(announcement.message ?? '') || plain(announcement.reason ?? '');
      return `${cluster} is unreachable${why === '' ? '.' : `: ${why}`}`;
    }
    case 'reachable':
      return `${cluster} is reachable again.`;
  }
}

const LONGEST_PART = 300;

/** One short line, in which the service finds nobody to call and nothing to link: Slack gives a meaning to `&`, `<` and `>` alone. */
function plain(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  const short = line.length > LONGEST_PART ? `${line.slice(0, LONGEST_PART)}…` : line;
  return short.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
