import type { ClusterSource } from 'clusterset/kube';
import { combineSources, newestValues, staticSource } from 'clusterset/runtime';
import { VirtualClock } from 'clusterset/testing';
import { describe, expect, it } from 'vitest';

type Entry = { readonly name: string };

/** A source that says what it is told to. */
class Told implements ClusterSource<Entry> {
  say: (entries: readonly Entry[]) => void = () => undefined;
  fail: (error: Error) => void = () => undefined;
  watches = 0;

  watch(signal: AbortSignal): AsyncIterable<readonly Entry[]> {
    this.watches += 1;
    return newestValues<readonly Entry[]>(
      (say, stopping) =>
        new Promise((resolve, reject) => {
          this.say = say;
          this.fail = reject;
          stopping.addEventListener('abort', () => resolve(), { once: true });
        }),
      signal,
    );
  }
}

const named = (...names: readonly string[]): readonly Entry[] => names.map((name) => ({ name }));
const all = (lists: readonly (readonly Entry[])[]): readonly Entry[] => lists.flat();

describe('newestValues', () => {
  it('gives a slow reader the newest only, and ends with the signal', async () => {
    const stopping = new AbortController();
    let say: (value: number) => void = () => undefined;
    const work = (tell: (value: number) => void, signal: AbortSignal): Promise<void> => {
      say = tell;
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    };
    const values = newestValues(work, stopping.signal);
    const first = values.next();
    say(1);
    expect(await first).toEqual({ done: false, value: 1 });
    say(2);
    say(3);
    expect(await values.next()).toEqual({ done: false, value: 3 });
    const last = values.next();
    stopping.abort();
    expect(await last).toEqual({ done: true, value: undefined });
  });

  it('throws what the work throws, and stops the work when the reader leaves', async () => {
    const failing = newestValues(() => Promise.reject(new Error('no')), new AbortController().signal);
    await expect(failing.next()).rejects.toThrowError('no');
    let isStopped = false;
    const work = (say: (value: number) => void, signal: AbortSignal): Promise<void> => {
      say(1);
      return new Promise((resolve) =>
        signal.addEventListener(
          'abort',
          () => {
            isStopped = true;
            resolve();
          },
          { once: true },
        ),
      );
    };
    for await (const value of newestValues(work, new AbortController().signal)) {
      expect(value).toBe(1);
      break;
    }
    expect(isStopped).toBe(true);
  });
});

describe('combineSources', () => {
  it('says nothing before all have spoken, and then everything together', async () => {
    const [a, b] = [new Told(), new Told()];
    const stopping = new AbortController();
    const values = combineSources({ sources: [a, b], combine: all })
      .watch(stopping.signal)
      [Symbol.asyncIterator]();
    const first = values.next();
    a.say(named('one'));
    await new Promise((resolve) => setImmediate(resolve));
    b.say(named('two'));
    expect((await first).value).toEqual(named('one', 'two'));
    a.say([]);
    expect((await values.next()).value).toEqual(named('two'));
    stopping.abort();
    expect((await values.next()).done).toBe(true);
  });

  it('says what is known so far where that is wanted', async () => {
    const stopping = new AbortController();
    const sources = [new Told(), staticSource(named('two'))];
    const values = combineSources({ sources, combine: all, partial: true }).watch(stopping.signal)[Symbol.asyncIterator]();
    expect((await values.next()).value).toEqual(named('two'));
    stopping.abort();
    await values.return?.();
  });

  it('keeps what a source said while it fails, asks it again, and tells of it', async () => {
    const clock = new VirtualClock();
    const [a, b] = [new Told(), new Told()];
    const failures: [number, string][] = [];
    const stopping = new AbortController();
    const onError = (source: number, error: unknown): void => void failures.push([source, (error as Error).message]);
    const values = combineSources({ sources: [a, b], combine: all, clock, onError })
      .watch(stopping.signal)
      [Symbol.asyncIterator]();
    const first = values.next();
    a.say(named('one'));
    b.say(named('two'));
    expect((await first).value).toEqual(named('one', 'two'));
    a.fail(new Error('away'));
    const second = values.next();
    await new Promise((resolve) => setImmediate(resolve));
    b.say(named('three'));
    expect((await second).value).toEqual(named('one', 'three'));
    expect(failures).toEqual([[0, 'away']]);
    await clock.advance(1_000);
    expect(a.watches).toBe(2);
    const third = values.next();
    a.say(named('back'));
    expect((await third).value).toEqual(named('back', 'three'));
    stopping.abort();
    await values.return?.();
  });
});
