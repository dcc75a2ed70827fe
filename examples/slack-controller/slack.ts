/** Incoming webhooks of Slack, and of the services that took them over (Mattermost, Rocket.Chat, …). */
import { type Clock, systemClock } from 'clusterset/runtime';
import type { Delivery, Post } from './bot.ts';

const TIMEOUT_MS = 10_000;

/**
 * Posts to a webhook. Whoever knows its URL may write to the channel, so that it is in no error and no answer: of what goes wrong only a status
 * or a code of the system is told, because messages of `fetch` may quote the URL. A redirection isn't followed, and counts as a failure.
 *
 * @throws Error where it is no URL, without what was given.
 */
export function slackWebhook(url: string, { clock = systemClock }: { readonly clock?: Clock } = {}): Post {
  if (!isWebhook(url)) throw new Error('the URL of the chat service is no http:// or https:// URL, or has a user in it');
  return async ({ text }, signal) => {
    const patience = new AbortController();
    const cancel = clock.after(TIMEOUT_MS, () => patience.abort());
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json; charset=utf-8' },
        body: JSON.stringify({ text }),
        redirect: 'manual',
        signal: AbortSignal.any([signal, patience.signal]),
      });
      // What it says beside the status is of no use, but the connection is only free when it has been let go.
      await response.body?.cancel().catch(() => undefined);
      return deliveryOf(response, clock.now());
    } catch (error) {
      return { delivered: false, reason: patience.signal.aborted ? `no answer within ${TIMEOUT_MS / 1000} s` : codeOf(error) };
    } finally {
      cancel();
    }
  };
}

function isWebhook(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && ['http:', 'https:'].includes(url.protocol) && url.username === '' && url.password === '';
}

function deliveryOf({ ok, status, headers }: Response, now: number): Delivery {
  if (ok) return { delivered: true };
  const retryAfterMs = waitOf(headers.get('retry-after') ?? '', now);
  return { delivered: false, reason: `it answered ${status}`, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** Seconds, or a date (RFC 9110 §10.2.3). */
function waitOf(retryAfter: string, now: number): number | undefined {
  if (/^\d+$/.test(retryAfter)) return Number(retryAfter) * 1000;
  const date = Date.parse(retryAfter);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

function codeOf(error: unknown): string {
  const { cause } = error as { readonly cause?: { readonly code?: unknown } };
  return typeof cause?.code === 'string' ? `no connection (${cause.code})` : 'no connection';
}
