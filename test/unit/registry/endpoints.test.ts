import { type ClusterEndpoint, chooseEndpoints, type EndpointChoice } from 'clusterset/registry';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, it } from 'vitest';

const endpointsOf = (...ranges: (string | undefined)[]): ClusterEndpoint[] =>
  ranges.map((clientCIDR, index) => ({ server: `https://${index}`, ...(clientCIDR === undefined ? {} : { clientCIDR }) }));

const chosen = (ranges: (string | undefined)[], client?: string, choice?: EndpointChoice): string[] =>
  chooseEndpoints(
    { endpoints: endpointsOf(...ranges) },
    { ...(client === undefined ? {} : { client }), ...(choice === undefined ? {} : { choice }) },
  ).candidates.map(({ server }) => server.slice('https://'.length));

/** Made once, and in no test: fast-check needs a second or more for the tables of `binary`, and much more on a busy machine. */
const anyText = fc.oneof(fc.string(), fc.string({ unit: 'binary' }));

describe('chooseEndpoints', () => {
  // The rule of kubefed for Clusters of the registry: the order of the list, a range for everyone included.
  it.each([
    ['the first range that holds the client', ['10.0.0.0/8', '10.1.0.0/16'], '10.1.2.3', ['0', '1']],
    ['a range for everyone before a narrow one', ['0.0.0.0/0', '10.0.0.0/8'], '10.1.2.3', ['0', '1']],
    ['not a range of others', ['192.168.0.0/16', '10.0.0.0/8'], '10.1.2.3', ['1']],
    ['nothing where no range holds the client', ['192.168.0.0/16'], '10.1.2.3', []],
  ])('takes %s with firstMatch', (_, ranges, client, expected) => {
    expect(chosen(ranges, client, 'firstMatch')).toEqual(expected);
  });

  it.each([
    ['the narrowest range', ['0.0.0.0/0', '10.0.0.0/8', '10.1.0.0/16'], '10.1.2.3', ['2', '1', '0']],
    ['equal ranges in the order of the list', ['10.1.0.0/16', '10.0.0.0/8', '10.1.0.0/16'], '10.1.2.3', ['0', '2', '1']],
    ['everyone last', [undefined, '10.0.0.0/8', ''], '10.1.2.3', ['1', '0', '2']],
  ])('prefers %s with longestPrefix, which is the default', (_, ranges, client, expected) => {
    expect(chosen(ranges, client, 'longestPrefix')).toEqual(expected);
    expect(chosen(ranges, client)).toEqual(expected);
  });

  it.each([
    // The registry's own example says "0.0.0.0", which is no range: everyone. Another bare address is a range of itself.
    ['0.0.0.0', '10.1.2.3', true],
    ['0.0.0.0', 'fd00::1', true],
    ['::', '10.1.2.3', true],
    ['0:0:0:0:0:0:0:0', '10.1.2.3', true],
    ['10.1.2.3', '10.1.2.3', true],
    ['10.1.2.3', '10.1.2.4', false],
    ['fd00::1', 'fd00::1', true],
    ['fd00::1', 'fd00::2', false],
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.5.5.5/8', '10.255.0.1', true],
    ['10.0.0.0/32', '10.0.0.1', false],
    ['fd00::/8', 'fd12::1', true],
    // IPv4 that is written as IPv6 is IPv4, on both sides; IPv6 for everyone doesn't hold IPv4 (kubefed's rule, Go's net.IPNet).
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['::ffff:10.0.0.0/104', '10.1.2.3', true],
    ['::ffff:10.0.0.0/104', '11.1.2.3', false],
    ['::/0', '10.1.2.3', false],
    ['::/0', '::ffff:10.1.2.3', false],
    ['0.0.0.0/0', 'fd00::1', false],
    // What can't be read holds nobody who knows where they are.
    ['10.0.0.0/33', '10.1.2.3', false],
    ['10.0.0.0/-1', '10.1.2.3', false],
    ['10.0.0.0/', '10.1.2.3', false],
    ['10.0.0.0/8/8', '10.1.2.3', false],
    ['10.0.0/8', '10.1.2.3', false],
    ['0x0a.0.0.0/8', '10.1.2.3', false],
    ['fe80::%eth0/10', 'fe80::1', false],
    ['everyone', '10.1.2.3', false],
  ])('the range %s and the client %s: %s', (range, client, isCandidate) => {
    const { candidates, issues } = chooseEndpoints({ endpoints: endpointsOf(range) }, { client });
    expect(candidates).toHaveLength(isCandidate ? 1 : 0);
    expect(issues.map(({ field }) => field)).toEqual(isCandidate ? [] : ['endpoints[0].clientCIDR']);
  });

  it('goes on behind a range that can not be read, where kubefed gave up the whole cluster', () => {
    const { candidates, issues } = chooseEndpoints({ endpoints: endpointsOf('nonsense', '10.0.0.0/8') }, { client: '10.1.2.3' });
    expect(candidates.map(({ server }) => server)).toEqual(['https://1']);
    expect(issues).toMatchObject([{ field: 'endpoints[0].clientCIDR', message: '"nonsense" is no range of addresses' }]);
  });

  it.each([undefined, 'localhost', '', '10.1', '010.0.0.1.'])(
    'takes all, in the order of the list, for the client %j',
    (client) => {
      expect(chosen(['0.0.0.0/0', 'nonsense', '10.0.0.0/8'], client)).toEqual(['0', '1', '2']);
    },
  );

  it('takes a client that is null for one that is not known', () => {
    const endpoints = endpointsOf('10.0.0.0/8', '0.0.0.0/0');
    expect(chooseEndpoints({ endpoints }, { client: null })).toEqual(chooseEndpoints({ endpoints }));
  });

  it('has no candidates where there are no endpoints', () => {
    expect(chooseEndpoints({}, { client: '10.0.0.1' })).toEqual({ candidates: [], issues: [] });
  });

  it('gives candidates whose ranges hold the client, in the same set for both choices', () => {
    const ipv4 = fc.ipV4();
    const range = fc.oneof(
      fc.tuple(ipv4, fc.integer({ min: 0, max: 32 })).map(([ip, bits]) => `${ip}/${bits}`),
      fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 128 })).map(([ip, bits]) => `${ip}/${bits}`),
      fc.string(),
      ipv4,
    );
    const client = fc.oneof(ipv4, fc.ipV6());
    fc.assert(
      fc.property(fc.array(range, { maxLength: 8 }), client, (ranges, address) => {
        const endpoints = endpointsOf(...ranges);
        const first = chooseEndpoints({ endpoints }, { client: address, choice: 'firstMatch' });
        const longest = chooseEndpoints({ endpoints }, { client: address, choice: 'longestPrefix' });
        expect(longest.candidates.toSorted(byServer)).toEqual(first.candidates.toSorted(byServer));
        expect(first.candidates).toEqual(endpoints.filter((each) => first.candidates.includes(each)));
        expect(first.candidates.length + first.issues.length).toBe(endpoints.length);
        for (const { clientCIDR = '' } of first.candidates) expect(holds(clientCIDR, address)).toBe(true);
      }),
    );
  });

  it('never throws, whatever stands for addresses and ranges', () => {
    fc.assert(
      fc.property(anyText, anyText, (clientCIDR, client) => {
        const { issues } = chooseEndpoints({ endpoints: [{ server: 'https://a', clientCIDR }] }, { client });
        const ofRange = issues.filter(({ field }) => field !== 'client');
        expect(ofRange.every(({ message }) => message.length < 500)).toBe(true);
      }),
    );
  });
});

describe('a great many letters', () => {
  it.each([':', '1.', '/', 'f', '1:', '0.0.0.0/'])('%j are no range and no address, and nobody is shown them', (part) => {
    const text = part.repeat(200_000);
    const { candidates, issues } = chooseEndpoints({ endpoints: endpointsOf(text) }, { client: '10.0.0.1' });
    expect(candidates).toEqual([]);
    expect(issues).toMatchObject([{ message: 'it is no range of addresses' }]);
    expect(chooseEndpoints({ endpoints: endpointsOf('10.0.0.0/8') }, { client: text }).candidates).toHaveLength(1);
  });
});

const byServer = (a: ClusterEndpoint, b: ClusterEndpoint): number => (a.server < b.server ? -1 : 1);

/** The same question, asked of the library of addresses in another way. */
function holds(range: string, client: string): boolean {
  if (range === '' || /^[0.]+$|^[0:]+$/.test(range)) return true;
  const [base = '', bits] = range.split('/');
  const network = ipaddr.process(base);
  const address = ipaddr.process(client);
  if (network.kind() !== address.kind()) return false;
  const longest = network.kind() === 'ipv4' ? 32 : 128;
  const isMapped = network.kind() === 'ipv4' && base.includes(':');
  const prefix = Math.min(longest, Number(bits ?? longest) - (isMapped && bits !== undefined ? 96 : 0));
  const binary = (ip: ipaddr.IPv4 | ipaddr.IPv6): string =>
    ip
      .toByteArray()
      .map((byte) => byte.toString(2).padStart(8, '0'))
      .join('');
  return binary(network).slice(0, prefix) === binary(address).slice(0, prefix);
}
