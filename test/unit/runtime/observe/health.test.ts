import { type HealthCheck, handlers, healthHandler, Metrics } from 'clusterset/runtime';
import { VirtualClock } from 'clusterset/testing';
import { describe, expect, it } from 'vitest';

const well: HealthCheck = () => undefined;
const ill: HealthCheck = () => {
  throw new Error('the lease is lost');
};
const later: HealthCheck = async () => {
  await Promise.resolve();
  throw new Error('not yet synced');
};
const get = (path: string, method = 'GET'): Request => new Request(`http://127.0.0.1${path}`, { method });

async function answered(path: string, checks: Parameters<typeof healthHandler>[0]['checks'], method = 'GET') {
  const response = await healthHandler({ clock: new VirtualClock(), checks })(get(path, method));
  return [response.status, await response.text()];
}

describe('health', () => {
  it.each<[string, string, Readonly<Record<string, HealthCheck>>, number, string]>([
    ['is ok', '/readyz', { a: well, b: well }, 200, 'ok'],
    ['is ok with a slash at the end', '/readyz/', { a: well }, 200, 'ok'],
    [
      'lists its checks when it is asked to',
      '/readyz?verbose',
      { b: well, a: well },
      200,
      '[+]a ok\n[+]b ok\nhealthz check passed\n',
    ],
    [
      'lists them with no reasons when one fails',
      '/readyz',
      { b: ill, a: well, c: later },
      500,
      '[+]a ok\n[-]b failed: reason withheld\n[-]c failed: reason withheld\nhealthz check failed\n',
    ],
    ['leaves checks out', '/readyz?exclude=b&exclude=c', { b: ill, a: well, c: later }, 200, 'ok'],
    ['says so', '/readyz?verbose=1&exclude=b', { b: ill, a: well }, 200, '[+]a ok\n[+]b excluded: ok\nhealthz check passed\n'],
    [
      'says which it knows nothing of',
      '/readyz?verbose&exclude=b&exclude=x%22',
      { b: ill },
      200,
      '[+]b excluded: ok\nwarn: some health checks cannot be excluded: no matches for "x\\""\nhealthz check passed\n',
    ],
    ['has one check of that name', '/readyz/a', { a: well, b: ill }, 200, 'ok'],
    ['says why one fails', '/readyz/b', { a: well, b: ill }, 500, 'internal server error: the lease is lost\n'],
    ['says why one fails later', '/readyz/c', { c: later }, 500, 'internal server error: not yet synced\n'],
    ['finds a check by its name in a path', '/readyz/a%20b', { 'a b': well }, 200, 'ok'],
    ['knows no other check', '/readyz/x', { a: well }, 404, '404 page not found\n'],
    ['knows no check of all objects', '/readyz/constructor', { a: well }, 404, '404 page not found\n'],
    ['knows nothing below a check', '/readyz/a/b', { a: well }, 404, '404 page not found\n'],
    ['takes what is no text for a name', '/readyz/%ff', { a: well }, 404, '404 page not found\n'],
    ['pings where there are no checks', '/readyz?verbose', {}, 200, '[+]ping ok\nhealthz check passed\n'],
    ['is pinged where there are no checks', '/readyz/ping', {}, 200, 'ok'],
    ['has no ping where there are checks', '/readyz/ping', { a: well }, 404, '404 page not found\n'],
  ])('%s: %s', async (_, path, readyz, status, body) => {
    expect(await answered(path, { readyz })).toEqual([status, body]);
  });

  it.each(['/', '/metrics', '/readyzz', '//x'])('has nothing at %s', async (path) => {
    expect((await answered(path, {}))[0]).toBe(404);
  });

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('takes no %s', async (method) => {
    expect(await answered('/readyz', { readyz: { a: ill } }, method)).toEqual([405, 'method not allowed\n']);
  });

  it.each([
    ['/readyz/a', 200],
    ['/readyz', 500],
  ])('answers HEAD %s without a body', async (path, status) => {
    expect(await answered(path, { readyz: { a: well, b: ill } }, 'HEAD')).toEqual([status, '']);
  });

  it('is alive by the checks of its health, unless it has its own', async () => {
    expect((await answered('/livez', { healthz: { a: ill } }))[0]).toBe(500);
    expect((await answered('/livez', { healthz: { a: ill }, livez: {} }))[0]).toBe(200);
    expect((await answered('/healthz', { readyz: { a: ill } }))[0]).toBe(200);
  });

  it('waits so long for a check, for all at once, and tells it when its time is over', async () => {
    const clock = new VirtualClock();
    const aborted: string[] = [];
    const hangs = (name: string): HealthCheck => {
      return (signal) => new Promise(() => signal.addEventListener('abort', () => aborted.push(name)));
    };
    const handle = healthHandler({ clock, timeoutMs: 200, checks: { readyz: { a: hangs('a'), b: hangs('b'), c: well } } });
    let answer: Response | undefined;
    const asking = Promise.resolve(handle(get('/readyz'))).then((response) => {
      answer = response;
    });
    await clock.advance(199);
    expect([answer, aborted]).toEqual([undefined, []]);
    await clock.advance(1);
    await asking;
    expect(await answer?.text()).toBe(
      '[-]a failed: reason withheld\n[-]b failed: reason withheld\n[+]c ok\nhealthz check failed\n',
    );
    expect(aborted).toEqual(['a', 'b']);
    expect(clock.waiting).toBe(0);
  });

  it('leaves no timer behind', async () => {
    const clock = new VirtualClock();
    await healthHandler({ clock, checks: { readyz: { a: well, b: ill } } })(get('/readyz'));
    expect(clock.waiting).toBe(0);
  });
});

describe('several handlers as one', () => {
  const metrics = new Metrics();
  metrics.gauge({ name: 'up', help: 'Up.' }).set({}, 1);
  const handle = handlers(metrics.handle, healthHandler({ clock: new VirtualClock(), checks: {} }));

  it.each([
    ['GET', '/metrics', 200],
    ['GET', '/readyz', 200],
    ['POST', '/metrics', 405],
    ['POST', '/readyz', 405],
    ['GET', '/', 404],
  ])('answer %s %s with %i', async (method, path, status) => {
    expect((await handle(get(path, method))).status).toBe(status);
  });
});
