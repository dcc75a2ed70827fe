import { serverUrl } from 'clusterset/registry';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { proxyUrl } from '../../../src/registry/access/address.ts';

const urlOf = (address: string): string | undefined => {
  const read = serverUrl(address);
  return 'url' in read ? read.url : undefined;
};
const problemOf = (address: string): string => {
  const read = serverUrl(address);
  return 'problem' in read ? read.problem : '';
};

describe('serverUrl', () => {
  it.each([
    // API: clusterregistry.k8s.io/v1alpha1: host, host:port, IP or IP:port; kubefed's join stored whole URLs.
    ['host.example', 'https://host.example'],
    ['Host.Example:6443', 'https://host.example:6443'],
    ['10.0.0.1', 'https://10.0.0.1'],
    ['10.0.0.1:6443', 'https://10.0.0.1:6443'],
    ['https://10.0.0.1:6443', 'https://10.0.0.1:6443'],
    // kubefed v0.10.0, KubeFedCluster apiEndpoint: http or https, port 1 to 65535.
    ['http://host:65535', 'http://host:65535'],
    ['HTTPS://host:1/', 'https://host:1'],
    ['host:06443', 'https://host:6443'],
    [' host ', 'https://host'],
    ['https://proxy.example/k8s/clusters/C-1/', 'https://proxy.example/k8s/clusters/C-1'],
    ['fd00::1', 'https://[fd00::1]'],
    ['[fd00::1]:6443', 'https://[fd00::1]:6443'],
    ['https://[FD00::1]/x', 'https://[fd00::1]/x'],
    ['under_score', 'https://under_score'],
  ])('reads %j as %s', (address, url) => {
    expect(urlOf(address)).toBe(url);
  });

  it.each([
    ['', /empty/],
    ['   ', /empty/],
    ['ftp://host', /scheme "ftp"/],
    ['host:0', /port 0/],
    ['host:65536', /port 65536/],
    ['host:', /no host/],
    ['https://', /no host/],
    ['https://user:hunter2@host', /more than host/],
    ['https://host?token=hunter2', /more than host|no host/],
    ['https://host/x?token=hunter2', /more than host/],
    ['https://host/#hunter2', /more than host/],
    ['https://host\\@other', /more than host/],
    ['host/\u001b[31m', /more than host/],
    ['a b', /no host/],
    ['a..b', /no host/],
    ['1:2:3', /no host/],
    ['[::::]:6443', /no host/],
    // URLs read these as other addresses, or not at all (WHATWG URL, IPv4 parser).
    ['010.0.0.1', /no host/],
    ['0x7f.1', /no host/],
    ['1.2.3', /no host/],
    ['999.1.1.1', /no host/],
    [`${'a'.repeat(64)}.example`, /no host/],
    ['a'.repeat(3000), /longer than 2048/],
  ])('refuses %j', (address, problem) => {
    expect(problemOf(address)).toMatch(problem);
    expect(problemOf(address)).not.toContain('hunter2');
  });

  it('says only what URLs can read, and mean the same host by', () => {
    const part = fc.constantFrom(
      'a',
      'Z',
      '0',
      '9',
      '.',
      ':',
      '/',
      '[',
      ']',
      '-',
      '_',
      '@',
      '%',
      'fd00::1',
      '10.0.0.1',
      '0x1',
      'http://',
      '?',
      '#',
      '\\',
      ' ',
      '"',
    );
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.array(part, { maxLength: 12 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (address) => {
        const url = urlOf(address);
        // Whether a name in punycode is well-formed takes tables that pure code hasn't.
        if (url === undefined || url.includes('xn--')) return;
        const { hostname, username, search, hash } = new URL(url);
        expect([username, search, hash]).toEqual(['', '', '']);
        const written = /^https?:\/\/(\[[^\]]+\]|[^:/]+)/.exec(url)?.[1] ?? '';
        if (!written.startsWith('[')) expect(hostname).toBe(written);
        expect(urlOf(url)).toBe(url);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['slashes with something behind them', `host${'/'.repeat(2_000_000)}x`],
    ['slashes', `host/${'/'.repeat(1900)}x`],
    ['colons', ':'.repeat(2_000_000)],
    ['a scheme without an end', 'a'.repeat(2_000_000)],
    ['labels', 'a.'.repeat(1000)],
  ])('ends soon for a great many %s', (_, address) => {
    // A pattern that looks back over the whole text at each place would not end within the time of a test.
    expect(() => serverUrl(address)).not.toThrow();
  });
});

describe('proxyUrl', () => {
  // kubefed v0.10.0 clusters: http, https or socks5; a kubeconfig's proxy-url is the same.
  it.each([
    ['http://proxy:3128', 'http://proxy:3128'],
    ['https://proxy', 'https://proxy'],
    ['SOCKS5://proxy:1080/', 'socks5://proxy:1080'],
    ['http://[fd00::1]:3128', 'http://[fd00::1]:3128'],
  ])('reads %j as %s', (address, url) => {
    expect(proxyUrl(address)).toEqual({ url });
  });

  it.each([
    '',
    'proxy:3128',
    'socks4://proxy',
    'ftp://proxy',
    'file:///etc/passwd',
    'http://',
    'http://user:hunter2@proxy',
    'http://proxy?a=hunter2',
    'http://p:0',
  ])('refuses %j, and quotes nothing of it', (address) => {
    const read = proxyUrl(address);
    expect(read).toHaveProperty('problem');
    expect(JSON.stringify(read)).not.toContain('hunter2');
  });
});
