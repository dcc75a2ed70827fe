import { inspect } from 'node:util';
import { accessEntry, connectEntry, ExecPlugins } from 'clusterset/client';
import { type Cluster, ClustersetError } from 'clusterset/kube';
import type { ClusterEntry } from 'clusterset/registry';
import { VirtualClock } from 'clusterset/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { handMade, typeOf } from '../runtime/fixtures.ts';
import { type Certificates, certificates } from './certificates.ts';
import { answer, type Handler, startServer, type TestServer } from './server.ts';

const SECRETS = typeOf('', 'Secret');
const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** Says who has asked, in the version. */
const whoAsks: Handler = ({ headers, client, path }, response) => {
  if (path.endsWith('/token')) {
    const status = { token: `for-${headers.authorization}`, expirationTimestamp: '2099-01-01T00:00:00Z' };
    answer(response, 201, { kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1', metadata: {}, status });
    return;
  }
  answer(response, 200, { gitVersion: `${headers.authorization ?? 'nobody'} ${client ?? '-'}` });
};

function hostWith(data: () => Readonly<Record<string, string>>): { readonly host: Cluster; readonly reads: () => number } {
  let reads = 0;
  const host = handMade({}, 'host');
  const get = (type: unknown): Promise<unknown> => {
    expect(type).toMatchObject({ kind: SECRETS.kind });
    reads += 1;
    return Promise.resolve({ metadata: { name: 'eu-1' }, data: data() });
  };
  return { host: Object.assign(host, { get }) as Cluster, reads: () => reads };
}

const secret = { namespace: 'fleet', name: 'eu-1' };

describe('connecting to an entry', () => {
  let known: Certificates;
  let server: TestServer;
  let caData: string;

  beforeAll(async () => {
    known = await certificates();
    caData = base64(known.ca);
    server = await startServer(whoAsks, { certificate: known.server });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  /** Who the server says has asked. */
  async function asks(entry: Partial<ClusterEntry>, options: Parameters<typeof connectEntry>[1] = {}): Promise<string> {
    const cluster = await connectEntry({ name: 'eu-1', ...entry }, options);
    try {
      return await cluster.version();
    } finally {
      await cluster.close();
    }
  }

  it('takes its token from a Secret of the host', async () => {
    const { host } = hostWith(() => ({ token: base64('t1') }));
    expect(await asks({ endpoints: [{ server: server.url, caData }], auth: { secret } }, { host })).toBe('Bearer t1 -');
  });

  it('reads the Secret again when the token is refused, and loses nothing', async () => {
    let token = 'old';
    const { host, reads } = hostWith(() => ({ token: base64(token), 'ca.crt': base64(known.ca) }));
    await using strict = await startServer(
      (request, response) => {
        if (request.headers.authorization === 'Bearer new') return whoAsks(request, response);
        token = 'new';
        answer(response, 401, {});
      },
      { certificate: known.server },
    );
    expect(await asks({ endpoints: [{ server: strict.url }], auth: { secret } }, { host })).toBe('Bearer new -');
    expect(reads()).toBe(2);
  });

  it('takes what the plugin of an access provider says, and runs it once for all', async () => {
    let runs = 0;
    const plugins = new ExecPlugins({
      run: ({ cluster }) => {
        runs += 1;
        return Promise.resolve({ token: `for ${String(cluster.server)}` });
      },
    });
    const entry = {
      endpoints: [{ server: server.url, caData }],
      auth: { accessProviders: [{ name: 'corp', cluster: { server: server.url, 'certificate-authority-data': caData } }] },
    };
    const execConfig = { apiVersion: 'client.authentication.k8s.io/v1', command: 'x', provideClusterInfo: true };
    const options = { plugins, providers: [{ name: 'corp', execConfig }] };
    expect(await asks(entry, options)).toBe(`Bearer for ${server.url} -`);
    await asks(entry, options);
    expect(runs).toBe(1);
  });

  it('sends what a plugin says to the address of its provider only', async () => {
    await using other = await startServer(whoAsks, { certificate: known.server });
    const plugins = new ExecPlugins({ run: () => Promise.resolve({ token: 't' }) });
    const provider = { name: 'corp', cluster: { server: server.url, 'certificate-authority-data': caData } };
    const entry = {
      endpoints: [other, server].map(({ url }) => ({ server: url, caData })),
      auth: { accessProviders: [provider] },
    };
    const execConfig = { apiVersion: 'client.authentication.k8s.io/v1', command: 'x' };
    expect(await asks(entry, { plugins, providers: [{ name: 'corp', execConfig }] })).toBe('Bearer t -');
    expect(other.received).toEqual([]);
  });

  it('takes Secrets from the namespaces only that it is told', async () => {
    const { host, reads } = hostWith(() => ({ token: base64('t') }));
    const entry = { endpoints: [{ server: server.url, caData }], auth: { secret } };
    expect(await asks(entry, { host, secretNamespaces: ['fleet'] })).toBe('Bearer t -');
    const before = reads();
    await expect(asks(entry, { host, secretNamespaces: ['other'] })).rejects.toThrowError(/from which none is taken/);
    expect(reads()).toBe(before);
  });

  it('asks for tokens of a service account with the other credentials, which travel with nothing else', async () => {
    const { host } = hostWith(() => ({ token: base64('bootstrap') }));
    const serviceAccount = { namespace: 'fleet', name: 'agent' };
    const entry = { endpoints: [{ server: server.url, caData }], auth: { secret, serviceAccount } };
    const before = server.received.length;
    expect(await asks(entry, { host })).toBe('Bearer for-Bearer bootstrap -');
    const [request] = server.received.slice(before);
    expect(request).toMatchObject({ method: 'POST', path: '/api/v1/namespaces/fleet/serviceaccounts/agent/token' });
    expect(request?.body).toMatchObject({ spec: { expirationSeconds: 3600 } });
    const access = await accessEntry({ name: 'eu-1', ...entry }, { host });
    expect(await access.current()).toMatchObject({ expiresAt: Date.parse('2099-01-01T00:00:00Z') });
    await access.close?.();
  });

  it.each<[string, (good: string) => string]>([
    ['nobody listens at', () => 'https://127.0.0.1:1'],
    ['does not resolve', () => 'https://nowhere.invalid'],
  ])('goes on to the next address when the first %s', async (_, bad) => {
    const { host } = hostWith(() => ({ token: base64('t') }));
    const endpoints = [bad(server.url), server.url].map((url) => ({ server: url, caData }));
    expect(await asks({ endpoints, auth: { secret } }, { host })).toBe('Bearer t -');
  });

  it('goes on to the next address when the first has a certificate of somebody else, and sends it nothing', async () => {
    await using elsewhere = await startServer(whoAsks, { certificate: known.elsewhere });
    const { host } = hostWith(() => ({ token: base64('t') }));
    const endpoints = [elsewhere.url, server.url].map((url) => ({ server: url, caData }));
    expect(await asks({ endpoints, auth: { secret } }, { host })).toBe('Bearer t -');
    expect(elsewhere.received).toEqual([]);
  });

  it.each<[string, Partial<NonNullable<ClusterEntry['endpoints']>[number]>]>([
    ['has an address that is none', { server: 'no address' }],
    ['has a proxy that is none', { proxyUrl: 'http://user:a/b@proxy' }],
    ['leaves out what can not be left out', { disabledTLSValidations: ['ValidityPeriod'] }],
  ])('goes on to the next address when the first %s', async (_, bad) => {
    const { host } = hostWith(() => ({ token: base64('t') }));
    const endpoints = [bad, {}].map((more) => ({ server: server.url, caData, ...more }));
    expect(await asks({ endpoints, auth: { secret } }, { host })).toBe('Bearer t -');
    await expect(asks({ endpoints: endpoints.slice(0, 1), auth: { secret } }, { host })).rejects.toMatchObject({
      code: 'Invalid',
    });
  });

  it('quotes no password of an address or a proxy that can not be read', async () => {
    const { host } = hostWith(() => ({ token: base64('t') }));
    for (const more of [{ server: 'https//user:planted@host' }, { proxyUrl: 'http://user:planted/x@proxy' }]) {
      const endpoints = [{ server: server.url, caData, ...more }];
      const error = await asks({ endpoints, auth: { secret } }, { host }).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'Invalid' });
      expect(inspect(error, { depth: 9 })).not.toContain('planted');
    }
  });

  it('sends what a plugin says to no address of another provider, where its own says none', async () => {
    await using other = await startServer(whoAsks, { certificate: known.server });
    const plugins = new ExecPlugins({ run: () => Promise.resolve({ token: 't' }) });
    const theirs = { name: 'other', cluster: { server: other.url, 'certificate-authority-data': caData } };
    const execConfig = { apiVersion: 'client.authentication.k8s.io/v1', command: 'x' };
    const options = { plugins, providers: [{ name: 'corp', execConfig }] };
    const auth = { accessProviders: [{ name: 'corp' }, theirs] };
    const entry = { endpoints: [other, server].map(({ url }) => ({ server: url, caData })), auth };
    expect(await asks(entry, options)).toBe('Bearer t -');
    await expect(asks({ ...entry, endpoints: [{ server: other.url, caData }] }, options)).rejects.toMatchObject({
      code: 'Invalid',
    });
    expect(other.received).toEqual([]);
  });

  it('goes on while the host is away, with what it has', async () => {
    const clock = new VirtualClock();
    const { host } = hostWith(() => ({ token: base64('t') }));
    const cluster = await connectEntry(
      { name: 'eu-1', endpoints: [{ server: server.url, caData }], auth: { secret } },
      { host, clock },
    );
    try {
      expect(await cluster.version()).toBe('Bearer t -');
      Object.assign(host, { get: () => new Promise(() => undefined) });
      await clock.advance(61_000);
      expect(await cluster.version()).toBe('Bearer t -');
    } finally {
      await cluster.close();
    }
  });

  it('goes on to the next address when the first does not speak TLS', async () => {
    await using plain = await startServer(whoAsks);
    const { host } = hostWith(() => ({ token: base64('t') }));
    const endpoints = [plain.url.replace('http:', 'https:'), server.url].map((url) => ({ server: url, caData }));
    expect(await asks({ endpoints, auth: { secret } }, { host })).toBe('Bearer t -');
    expect(plain.received).toEqual([]);
  });

  it('stays with an address that answers, also with an error: what was sent is not sent again', async () => {
    await using broken = await startServer((_request, response) => answer(response, 500, {}), {
      certificate: known.server,
    });
    const { host } = hostWith(() => ({ token: base64('t') }));
    const endpoints = [broken.url, server.url].map((url) => ({ server: url, caData }));
    await expect(asks({ endpoints, auth: { secret } }, { host })).rejects.toMatchObject({ status: 500 });
  });

  it('chooses by the address of the client', async () => {
    const { host } = hostWith(() => ({ token: base64('t') }));
    const endpoints = [
      { server: 'https://127.0.0.1:1', caData, clientCIDR: '192.168.0.0/16' },
      { server: server.url, caData, clientCIDR: '10.0.0.0/8' },
    ];
    expect(await asks({ endpoints, auth: { secret } }, { host, client: '10.1.2.3' })).toBe('Bearer t -');
    await expect(asks({ endpoints, auth: { secret } }, { host, client: '172.16.0.1' })).rejects.toThrowError(
      /no address to reach it at .*does not hold the client 172\.16\.0\.1/,
    );
  });

  it.each<[string, Partial<ClusterEntry['endpoints'] extends infer E ? NonNullable<E>[number & keyof E] : never>]>([
    ['leaves the name unchecked, and nothing else', { disabledTLSValidations: ['SubjectName'] } as never],
    ['checks another name', { tlsServerName: 'kubernetes.test' } as never],
  ])('%s where the endpoint says so', async (_, how) => {
    await using elsewhere = await startServer(whoAsks, { certificate: known.elsewhere });
    const { host } = hostWith(() => ({ token: base64('t') }));
    const endpoint = { server: elsewhere.url, caData };
    await expect(asks({ endpoints: [endpoint], auth: { secret } }, { host })).rejects.toMatchObject({ code: 'Unreachable' });
    expect(await asks({ endpoints: [{ ...endpoint, ...(how as object) }], auth: { secret } }, { host })).toBe('Bearer t -');
    const untrusted = { server: elsewhere.url, ...(how as object) };
    await expect(asks({ endpoints: [untrusted], auth: { secret } }, { host })).rejects.toMatchObject({ code: 'Unreachable' });
  });

  it.each<[string, ClusterEntry, RegExp, 'no host'?]>([
    [
      'a Secret and no host',
      { name: 'a', endpoints: [{ server: 'https://a' }], auth: { secret } },
      /in a Secret of a host/,
      'no host',
    ],
    ['no address', { name: 'a', auth: { secret } }, /no address to reach it at/],
    [
      'a provider that nobody has a plugin for',
      { name: 'a', endpoints: [{ server: 'https://a' }], auth: { accessProviders: [{ name: 'x' }] } },
      /no matching cluster accessor/,
    ],
    [
      'a check that can not be left out alone',
      { name: 'a', endpoints: [{ server: 'https://a', disabledTLSValidations: ['ValidityPeriod'] }], auth: { secret } },
      /the time of a certificate/,
    ],
  ])('says what is missing for %s', async (_, entry, message, without) => {
    const options = without === 'no host' ? {} : { host: hostWith(() => ({})).host };
    const error = await connectEntry(entry, options).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ClustersetError);
    expect(error).toMatchObject({ code: 'Invalid', cluster: 'a', mend: expect.any(String) });
    expect((error as Error).message).toMatch(message);
  });
});
