import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { ExecPlugins, runExecPlugin } from 'clusterset/client';
import { ClustersetError } from 'clusterset/kube';
import type { ExecPlugin } from 'clusterset/registry';
import type { Clock } from 'clusterset/runtime';
import { simulate, VirtualClock } from 'clusterset/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Credentials, Rotating } from '../../../src/client/credentials/credentials.ts';
import { credentialsIn } from '../../../src/client/credentials/exec-plugin.ts';
import { credentialsOfSecret } from '../../../src/client/credentials/secret.ts';
import { typeOf } from '../runtime/fixtures.ts';

const MARK = 'top-secret-7f3a';
const V1 = 'client.authentication.k8s.io/v1';

/** A plugin that is a few lines of JavaScript. */
function plugin(body: string, more: Partial<ExecPlugin> = {}): ExecPlugin {
  const file = join(mkdtempSync(join(tmpdir(), 'clusterset-test-')), 'plugin.mjs');
  writeFileSync(file, body);
  return { apiVersion: V1, command: process.execPath, args: [file], env: [], provideClusterInfo: false, cluster: {}, ...more };
}

function answer(status: unknown, apiVersion = V1): string {
  return `process.stdout.write(JSON.stringify({ kind: 'ExecCredential', apiVersion: '${apiVersion}', status: ${JSON.stringify(status)} }))`;
}

async function failureOf(work: Promise<unknown>): Promise<ClustersetError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof ClustersetError) return error;
  throw new TypeError('it should have failed with an error of ours');
}

describe('a credential plugin (KEP-541)', () => {
  it('is told of its cluster, and gives a token with its end', async () => {
    const body = `
      const info = JSON.parse(process.env.KUBERNETES_EXEC_INFO);
      const status = { token: [info.spec.cluster.server, info.spec.interactive, process.env.EXTRA].join(' '), expirationTimestamp: '2030-01-01T00:00:00Z' };
      process.stdout.write(JSON.stringify({ kind: 'ExecCredential', apiVersion: info.apiVersion, status }));`;
    const env = [{ name: 'EXTRA', value: 'x' }];
    const told = plugin(body, { env, provideClusterInfo: true, cluster: { server: 'https://a' } });
    expect(await runExecPlugin(told)).toEqual({ token: 'https://a false x', expiresAt: Date.parse('2030-01-01T00:00:00Z') });
  });

  it('is told nothing of its cluster where it does not want to know', async () => {
    const body = `const info = JSON.parse(process.env.KUBERNETES_EXEC_INFO); ${answer({ token: 'x' }).replace('"x"', 'String(info.spec.cluster)')}`;
    expect(await runExecPlugin(plugin(body, { cluster: { server: 'https://a' } }))).toEqual({ token: 'undefined' });
  });

  it('may give a certificate and its key', async () => {
    const both = plugin(answer({ clientCertificateData: 'c', clientKeyData: 'k' }));
    expect(await runExecPlugin(both)).toEqual({ cert: 'c', key: 'k' });
  });

  it.each<[string, string, RegExp]>([
    ['no JSON', `process.stdout.write('${MARK}')`, /does not print an ExecCredential/],
    ['something else', `process.stdout.write(JSON.stringify({ kind: 'Status', message: '${MARK}' }))`, /does not print/],
    ['another version', answer({ token: MARK }, 'client.authentication.k8s.io/v1beta1'), /answers in another version/],
    ['nothing in it', answer({}), /neither a token nor a certificate/],
    ['half a pair', answer({ token: MARK, clientKeyData: MARK }), /a half of a certificate/],
    ['an end that is no time', answer({ token: MARK, expirationTimestamp: MARK }), /no time/],
    ['exit code 3', `console.error('${MARK}'); console.log('${MARK}'); process.exit(3)`, /ended with exit code 3/],
    [
      'more than any credentials have',
      `process.stdout.write('${MARK}'.repeat(200000)); setInterval(() => {}, 1e6)`,
      /says more than/,
    ],
  ])('that gives %s fails without a word of what it said', async (_, body, message) => {
    const error = await failureOf(runExecPlugin(plugin(body)));
    expect(error).toMatchObject({ code: 'Unauthorized' });
    expect(error.message).toMatch(message);
    expect(JSON.stringify(error) + error.stack + String(error.cause)).not.toContain(MARK);
  });

  it('that is not there, or of an unknown version, fails with what to do', async () => {
    const missing = { ...plugin(''), command: '/nowhere/at/all' };
    expect(await failureOf(runExecPlugin(missing))).toMatchObject({
      code: 'Unauthorized',
      mend: expect.stringContaining('install it'),
    });
    const old = plugin('', { apiVersion: 'client.authentication.k8s.io/v1alpha1' });
    expect((await failureOf(runExecPlugin(old))).message).toMatch(/no version that is known/);
  });

  it.each<[string, Partial<ExecPlugin>]>([
    ['a variable that no program can be given', { env: [{ name: 'T', value: `${MARK}\u0000` }] }],
    ['an argument that no program can be given', { args: [`${MARK}\u0000`] }],
    ['more words than the machine takes', { args: [MARK.repeat(200_000)] }],
    ['no command', { command: '' }],
  ])('with %s fails with an error of ours, which quotes nothing', async (_, more) => {
    const error = await failureOf(runExecPlugin(plugin('', more)));
    expect(error).toMatchObject({ code: 'Unauthorized', message: expect.stringContaining("can't be run") });
    expect(inspect(error)).not.toContain(MARK);
  });

  it('that leaves something running which keeps its output open has said what it has said', async () => {
    const left = `import { spawn } from 'node:child_process'; spawn('sleep', ['30'], { detached: true, stdio: 'inherit' }).unref();`;
    expect(await runExecPlugin(plugin(`${left} ${answer({ token: 't' })}`))).toEqual({ token: 't' });
  });

  it('that hangs is given up in time, whatever keeps its output open', async () => {
    const left = `import { spawn } from 'node:child_process'; spawn('sleep', ['30'], { detached: true, stdio: 'inherit' }); setInterval(() => {}, 1000);`;
    expect((await failureOf(runExecPlugin(plugin(left), 500))).message).toMatch(/no answer within 500 ms/);
  });

  it('that gives no answer is ended, with all that it has started', async () => {
    const body = `import { spawn } from 'node:child_process'; spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' }); setInterval(() => {}, 1000);`;
    // The output stays open for as long as anybody has it: this ends only when the child of the plugin is gone, too.
    expect((await failureOf(runExecPlugin(plugin(body), 500))).message).toMatch(/no answer within 500 ms/);
  });
});

describe('what a plugin prints', () => {
  const told = { command: 'p', apiVersion: V1 };

  /** Half of what is drawn is all but an answer: nothing that is quite random would get far. */
  const word = fc.string({ minLength: 12, unit: fc.constantFrom(...'qxzjkw0917') }).map((text) => `#${text}`);
  const odd = fc.oneof(word, fc.constantFrom('', null, 0, true, '2030-01-01T00:00:00Z', 't\n'), fc.jsonValue());
  const said = fc.oneof({ weight: 4, arbitrary: word }, odd);
  const time = fc.oneof({ weight: 2, arbitrary: fc.constant('2030-01-01T00:00:00Z') }, odd);
  const fields = fc.record(
    { token: said, clientCertificateData: said, clientKeyData: said, expirationTimestamp: time },
    { requiredKeys: [] },
  );
  const status = fc.oneof({ weight: 9, arbitrary: fields }, odd);
  const kind = fc.oneof({ weight: 20, arbitrary: fc.constant('ExecCredential') }, odd);
  const apiVersion = fc.oneof({ weight: 20, arbitrary: fc.constant(V1) }, odd);
  const printed = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind, apiVersion, status }).map((value) => JSON.stringify(value)) },
    fc.tuple(fc.record({ kind, apiVersion, status }), fc.nat(200)).map(([value, end]) => JSON.stringify(value).slice(0, end)),
    fc.json(),
    fc.string({ unit: 'binary' }),
    word,
  );

  it('is credentials or an error of ours, whatever it is, and is quoted nowhere', () => {
    const seen = { good: 0, bad: 0 };
    fc.assert(
      fc.property(printed, (text) => {
        try {
          const { token, cert, key, expiresAt } = credentialsIn(text, told);
          expect(token !== undefined || (cert !== undefined && key !== undefined)).toBe(true);
          expect(Number.isNaN(expiresAt)).toBe(false);
          expect(token ?? 't').toMatch(/^[ -~]+$/);
          seen.good += 1;
        } catch (error) {
          expect(error).toBeInstanceOf(ClustersetError);
          expect(error).toMatchObject({ code: 'Unauthorized' });
          const { message, stack } = error as ClustersetError;
          // The stack names this file, which doesn't hold any of these words.
          for (const part of text.match(/#[qxzjkw0917]{12,}/g) ?? [])
            expect(message + stack + inspect(error)).not.toContain(part);
          expect(message).not.toContain('2030-01-01');
          seen.bad += 1;
        }
      }),
      { numRuns: 3_000 },
    );
    expect(seen.good).toBeGreaterThan(200);
    expect(seen.bad).toBeGreaterThan(200);
  });

  it('may be nested as deeply as it likes', () => {
    expect(() => credentialsIn('['.repeat(500_000), told)).toThrowError(/does not print/);
    expect(() => credentialsIn(`${'['.repeat(500_000)}${']'.repeat(500_000)}`, told)).toThrowError(/does not print/);
  });

  it.each<[string, unknown, RegExp]>([
    ['a token over two lines', { token: 'a\nb' }, /no header can hold/],
    ['an end that is a number', { token: 'a', expirationTimestamp: 1 }, /no time/],
  ])('is no credentials with %s', (_, wrong, message) => {
    const line = JSON.stringify({ kind: 'ExecCredential', apiVersion: V1, status: wrong });
    expect(() => credentialsIn(line, told)).toThrowError(message);
  });
});

describe('what plugins have said', () => {
  const exec = plugin('');

  function counting(clock: VirtualClock, expiresAt?: number) {
    const runs: string[] = [];
    const plugins = new ExecPlugins({
      clock,
      run: async ({ args }) => {
        runs.push(args.join());
        return { token: `t${runs.length}`, ...(expiresAt === undefined ? {} : { expiresAt }) };
      },
    });
    return { runs, plugins };
  }

  it('is shared by all that ask the same, also while the plugin runs', async () => {
    const { runs, plugins } = counting(new VirtualClock());
    const asked = await Promise.all([1, 2, 3].map(() => plugins.credentials({ key: 'a', exec })));
    expect(asked.map(({ token }) => token)).toEqual(['t1', 't1', 't1']);
    expect(await plugins.credentials({ key: 'b', exec })).toEqual({ token: 't2' });
    expect(runs).toHaveLength(2);
  });

  it('is used until shortly before it ends', async () => {
    const clock = new VirtualClock();
    const { runs, plugins } = counting(clock, clock.now() + 60_000);
    await plugins.credentials({ key: 'a', exec });
    await clock.advance(49_000);
    await plugins.credentials({ key: 'a', exec });
    expect(runs).toHaveLength(1);
    await clock.advance(2_000);
    await plugins.credentials({ key: 'a', exec });
    expect(runs).toHaveLength(2);
  });

  it('is asked for once more when it was refused, however many clusters say so', async () => {
    const { runs, plugins } = counting(new VirtualClock());
    const first = await plugins.credentials({ key: 'a', exec });
    const again = await Promise.all([1, 2, 3].map(() => plugins.credentials({ key: 'a', exec }, first)));
    expect(again.map(({ token }) => token)).toEqual(['t2', 't2', 't2']);
    expect(runs).toHaveLength(2);
  });

  it('is kept for as many as there may be clusters, and not for ever more', async () => {
    const { runs, plugins } = counting(new VirtualClock());
    for (let key = 0; key <= 1_000; key += 1) await plugins.credentials({ key: String(key), exec });
    await plugins.credentials({ key: '1000', exec });
    expect(runs).toHaveLength(1_001);
    await plugins.credentials({ key: '0', exec });
    expect(runs).toHaveLength(1_002);
  });

  it('is not kept where the plugin fails', async () => {
    let runs = 0;
    const plugins = new ExecPlugins({
      run: () => {
        runs += 1;
        return runs === 1 ? Promise.reject(new Error('no')) : Promise.resolve({ token: 'good' });
      },
    });
    await expect(plugins.credentials({ key: 'a', exec })).rejects.toThrowError('no');
    expect(await plugins.credentials({ key: 'a', exec })).toEqual({ token: 'good' });
  });
});

describe('credentials that rotate', () => {
  function rotating(clock: VirtualClock, answers: (Credentials | Error)[]) {
    const refusals: (Credentials | undefined)[] = [];
    const access = new Rotating({
      cluster: 'eu-1',
      mend: 'look there',
      clock,
      load: async (refused) => {
        refusals.push(refused);
        const next = answers.shift() ?? new Error('there are no more');
        if (next instanceof Error) throw next;
        return next;
      },
    });
    return { access, refusals };
  }

  it('are renewed before they end, and asked for once however many wait', async () => {
    const clock = new VirtualClock();
    const end = clock.now() + 100_000;
    const { access, refusals } = rotating(clock, [{ token: 'a', expiresAt: end }, { token: 'b' }]);
    const both = await Promise.all([access.current(), access.current()]);
    expect(both.map(({ headers }) => headers.authorization)).toEqual(['Bearer a', 'Bearer a']);
    await clock.advance(79_000);
    expect((await access.current()).headers.authorization).toBe('Bearer a');
    await clock.advance(2_000);
    // Nobody waits for the others while these are good.
    const early = await Promise.all([access.current(), access.current()]);
    expect(early.map(({ headers }) => headers.authorization)).toEqual(['Bearer a', 'Bearer a']);
    await clock.advance(0);
    expect((await access.current()).headers.authorization).toBe('Bearer b');
    expect(refusals).toHaveLength(2);
  });

  /** Credentials that come when they are told to. */
  function byHand(clock: VirtualClock) {
    const asked: { readonly refused: Credentials | undefined; readonly give: (credentials: Credentials) => void }[] = [];
    const access = new Rotating({
      cluster: 'eu-1',
      mend: 'look there',
      clock,
      load: (refused) => new Promise((give) => asked.push({ refused, give })),
    });
    return { access, asked };
  }

  it('keep no request waiting while they are good: who gives them may be away for long', async () => {
    const clock = new VirtualClock();
    const { access, asked } = byHand(clock);
    const first = access.current();
    asked[0]?.give({ token: 'a' });
    await first;
    await clock.advance(61_000);
    expect(await access.current()).toBe(await first);
    await clock.advance(600_000);
    expect(await access.current()).toBe(await first);
    expect(asked).toHaveLength(2);
  });

  it('are not looked for with each request where they can not be had, and others are there', async () => {
    const clock = new VirtualClock();
    const { access, refusals } = rotating(clock, [{ token: 'a' }]);
    await access.current();
    await clock.advance(61_000);
    for (let request = 0; request < 20; request += 1) {
      expect((await access.current()).headers.authorization).toBe('Bearer a');
      await clock.advance(0);
    }
    expect(refusals).toHaveLength(2);
    await clock.advance(5_000);
    await access.current();
    expect(refusals).toHaveLength(3);
  });

  it('are asked for anew where they were refused while they were being renewed, and what comes late counts no more', async () => {
    const clock = new VirtualClock();
    const { access, asked } = byHand(clock);
    const first = access.current();
    asked[0]?.give({ token: 'a' });
    await first;
    await clock.advance(61_000);
    await access.current();
    access.refresh(await first);
    const second = access.current();
    expect(asked.map(({ refused }) => refused)).toEqual([undefined, undefined, { token: 'a' }]);
    asked[2]?.give({ token: 'b' });
    expect((await second).headers.authorization).toBe('Bearer b');
    asked[1]?.give({ token: 'a' });
    await clock.advance(0);
    expect(await access.current()).toBe(await second);
  });

  it('that have ended by this clock when they come are used for a moment: clocks differ, and each request would ask', async () => {
    const clock = new VirtualClock();
    const ended = { token: 'a', expiresAt: clock.now() - 3_600_000 };
    const { access, refusals } = rotating(clock, [ended, ended, ended]);
    for (let request = 0; request < 20; request += 1) await access.current();
    expect(refusals).toHaveLength(1);
    await clock.advance(1_000);
    await access.current();
    expect(refusals).toHaveLength(2);
  });

  it('without an end are looked for again also where the clock is set back', async () => {
    const clock = new VirtualClock();
    let setBack = 0;
    const wrong: Clock = {
      now: () => clock.now() - setBack,
      monotonic: () => clock.monotonic(),
      after: (ms, callback) => clock.after(ms, callback),
      turn: () => clock.turn(),
    };
    let loads = 0;
    const load = (): Promise<Credentials> => {
      loads += 1;
      return Promise.resolve({ token: 'a' });
    };
    const access = new Rotating({ cluster: 'eu-1', mend: '', clock: wrong, load });
    await access.current();
    setBack = 86_400_000;
    await clock.advance(61_000);
    await access.current();
    expect(loads).toBe(2);
  });

  it('stay the same object where they are the same, so that connections stay', async () => {
    const clock = new VirtualClock();
    const { access } = rotating(clock, [
      { token: 'a', ca: 'x' },
      { token: 'a', ca: 'x' },
    ]);
    const first = await access.current();
    await clock.advance(61_000);
    expect(await access.current()).toBe(first);
  });

  it('are asked for anew when they were refused, once', async () => {
    const { access, refusals } = rotating(new VirtualClock(), [{ token: 'a' }, { token: 'b' }]);
    const first = await access.current();
    access.refresh(first);
    access.refresh(first);
    const second = await access.current();
    access.refresh(first);
    expect(await access.current()).toBe(second);
    expect(refusals).toEqual([undefined, { token: 'a' }]);
  });

  it('are used on while they are good where they cannot be renewed, and not longer', async () => {
    const clock = new VirtualClock();
    const first = { token: 'a', expiresAt: clock.now() + 100_000 };
    const { access } = rotating(clock, [first, new Error(MARK), new Error(MARK)]);
    await access.current();
    await clock.advance(90_000);
    expect((await access.current()).headers.authorization).toBe('Bearer a');
    await clock.advance(20_000);
    const error = await failureOf(access.current());
    expect(error).toMatchObject({ code: 'Unauthorized', cluster: 'eu-1', mend: 'look there' });
    expect(error.message + String(error.cause)).not.toContain(MARK);
  });
});

describe('credentials in a Secret', () => {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');

  async function read(data: Readonly<Record<string, string>>, key?: string): Promise<Credentials> {
    await using world = await simulate({ host: {}, members: {} });
    const host = world.cluster('host').connect();
    const encoded = Object.fromEntries(Object.entries(data).map(([name, text]) => [name, base64(text)]));
    await host.create(typeOf('', 'Secret'), {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'eu-1', namespace: 'default' },
      data: encoded,
    } as never);
    return credentialsOfSecret(host, { namespace: 'default', name: 'eu-1', ...(key === undefined ? {} : { key }) });
  }

  const kubeconfig = (user: Readonly<Record<string, unknown>>): string =>
    JSON.stringify({
      clusters: [{ name: 'c', cluster: { server: 'https://a', 'certificate-authority-data': base64('CA') } }],
      users: [{ name: 'u', user }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    });

  it.each<[string, Readonly<Record<string, string>>, string | undefined, Credentials]>([
    ['a token (kubefed)', { token: 't\n' }, undefined, { token: 't' }],
    ['a token with an authority', { token: 't', 'ca.crt': 'CA' }, undefined, { token: 't', ca: 'CA' }],
    ['a kubeconfig', { kubeconfig: kubeconfig({ token: 't' }) }, undefined, { token: 't', ca: 'CA' }],
    ['a kubeconfig of Cluster API', { value: kubeconfig({ token: 't' }) }, undefined, { token: 't', ca: 'CA' }],
    ['a kubeconfig under a key of its own', { mine: kubeconfig({ token: 't' }), token: 'no' }, 'mine', { token: 't', ca: 'CA' }],
    [
      'a client certificate',
      { kubeconfig: kubeconfig({ 'client-certificate-data': base64('C'), 'client-key-data': base64('K') }) },
      undefined,
      { cert: 'C', key: 'K', ca: 'CA' },
    ],
    [
      'a name and password',
      { kubeconfig: kubeconfig({ username: 'n', password: 'p' }) },
      undefined,
      { basic: { username: 'n', password: 'p' }, ca: 'CA' },
    ],
  ])('may be %s', async (_, data, key, expected) => {
    expect(await read(data, key)).toEqual(expected);
  });

  it.each<[string, Readonly<Record<string, string>>, RegExp]>([
    ['nothing', { other: MARK }, /neither a kubeconfig nor a token/],
    ['a program to run', { kubeconfig: kubeconfig({ exec: { command: MARK }, token: MARK }) }, /user\.exec is not followed/],
    ['a file to read', { kubeconfig: kubeconfig({ tokenFile: MARK }) }, /tokenFile is not followed/],
    ['half a pair', { kubeconfig: kubeconfig({ token: MARK, 'client-key-data': MARK }) }, /a half of a certificate/],
    ['broken YAML', { kubeconfig: `users: [${MARK}` }, /a mistake in its YAML/],
    ['no user', { kubeconfig: '{}' }, /no credentials in its current context/],
  ])('are refused where there is %s, and nothing is quoted', async (_, data, message) => {
    const error = await failureOf(read(data));
    expect(error.code).toBe('Invalid');
    expect(error.message).toMatch(message);
    expect(JSON.stringify(error) + error.stack + String(error.cause)).not.toContain(MARK);
  });
});
