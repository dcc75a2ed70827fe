import { isClustersetError } from 'clusterset/kube';
import { type AccessProviderConfig, type ClusterEntry, clusterEntrySchema, resolveAccess } from 'clusterset/registry';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CA, junk } from './fixtures.ts';

const EXEC = 'client.authentication.k8s.io/exec';
const ARGS = 'clusterprofiles.multicluster.x-k8s.io/exec/additional-args';
const ENVS = 'clusterprofiles.multicluster.x-k8s.io/exec/additional-envs';

type Entry = Pick<ClusterEntry, 'name' | 'auth'>;

const entry = (extensions: readonly unknown[] = [], name = 'eu-1', provider = 'gke'): Entry => ({
  name,
  auth: { accessProviders: [{ name: provider, cluster: { server: `https://${name}.example`, extensions } }] },
});
const extension = (name: string, value: unknown) => ({ name, extension: value });

const config = (rest: Partial<AccessProviderConfig> = {}): AccessProviderConfig => ({
  name: 'gke',
  execConfig: {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: 'gke-plugin',
    args: ['--own'],
    env: [
      { name: 'ZONE', value: 'own' },
      { name: 'ACCOUNT', value: 'own' },
    ],
    provideClusterInfo: true,
  },
  profileSourcedCLIArgsPolicy: 'Append',
  profileSourcedEnvVarsPolicy: 'AppendIfNotExists',
  ...rest,
});

describe('resolveAccess', () => {
  it('gives the plugin of the consumer with the words of the profile (KEP-5339)', () => {
    const { provider, exec, endpoint } = resolveAccess(
      entry([
        extension(EXEC, { clusterName: 'eu-1' }),
        extension(ARGS, ['--cluster', 'eu-1']),
        extension(ENVS, { ZONE: 'eu', REGION: 'eu' }),
      ]),
      [config()],
    );
    expect(provider).toBe('gke');
    expect(exec).toEqual({
      apiVersion: 'client.authentication.k8s.io/v1',
      command: 'gke-plugin',
      args: ['--own', '--cluster', 'eu-1'],
      env: [
        { name: 'ACCOUNT', value: 'own' },
        { name: 'REGION', value: 'eu' },
        { name: 'ZONE', value: 'own' },
      ],
      provideClusterInfo: true,
      cluster: { server: 'https://eu-1.example', config: { clusterName: 'eu-1' } },
    });
    expect(endpoint).toEqual({ server: 'https://eu-1.example' });
  });

  it('takes the first of the consumer’s providers that the profile has', () => {
    const offered: Entry = { name: 'a', auth: { accessProviders: [{ name: 'two' }, { name: 'one' }] } };
    const providers = ['none', 'one', 'two'].map((name) => config({ name }));
    expect(resolveAccess(offered, providers).provider).toBe('one');
    expect(resolveAccess(offered, providers.toReversed()).provider).toBe('two');
  });

  it('says where that provider’s server is, and not another’s', () => {
    const offered: Entry = {
      name: 'a',
      auth: {
        accessProviders: [
          { name: 'other', cluster: { server: 'https://other' } },
          { name: 'gke', cluster: { server: 'host:6443', 'certificate-authority-data': CA, 'proxy-url': 'http://proxy' } },
        ],
      },
    };
    expect(resolveAccess(offered, [config()]).endpoint).toEqual({
      server: 'https://host:6443',
      caData: CA,
      proxyUrl: 'http://proxy',
    });
    expect(resolveAccess({ name: 'a', auth: { accessProviders: [{ name: 'gke' }] } }, [config()])).not.toHaveProperty('endpoint');
  });

  it.each<[string, Entry, AccessProviderConfig, RegExp]>([
    ['no provider matches', entry([], 'eu-1', 'eks'), config(), /no matching cluster accessor found for cluster profile "eu-1"/],
    ['the profile offers none', { name: 'eu-1' }, config(), /no matching cluster accessor found/],
    ['there is no plugin', entry(), { name: 'gke' }, /no exec config found for provider "gke"/],
    ['the plugin is null', entry(), { name: 'gke', execConfig: null as never }, /no exec config found for provider "gke"/],
    [
      'the policy for arguments is none',
      entry([extension(ARGS, [])]),
      config({ profileSourcedCLIArgsPolicy: 'append' as never }),
      /profileSourcedCLIArgsPolicy is "append"/,
    ],
    [
      'the policy for variables is none',
      entry([extension(ENVS, {})]),
      config({ profileSourcedEnvVarsPolicy: 'Append' as never }),
      /profileSourcedEnvVarsPolicy is "Append"/,
    ],
  ])('fails where %s', (_, from, provider, message) => {
    const failed = catching(() => resolveAccess(from, [provider]));
    expect(failed).toMatchObject({ code: 'Invalid', cluster: 'eu-1' });
    expect((failed as Error).message).toMatch(message);
  });

  it.each(['', null, undefined])('ignores what a profile says where the policies are %j', (policy) => {
    const unset = config({ profileSourcedCLIArgsPolicy: policy as never, profileSourcedEnvVarsPolicy: policy as never });
    const said = entry([extension(ARGS, ['-a']), extension(ENVS, { ANOTHER: 'x' })]);
    expect(resolveAccess(said, [unset]).exec).toEqual(resolveAccess(entry([]), [unset]).exec);
  });

  it('takes no offence at an unknown policy where nothing asks for it', () => {
    const odd = config({ profileSourcedCLIArgsPolicy: 'x' as never, profileSourcedEnvVarsPolicy: 'y' as never });
    expect(resolveAccess(entry([extension(EXEC, {})]), [odd]).exec.args).toEqual(['--own']);
  });

  it.each([
    // KEP-5339 wants a list; the CRD takes only objects; some write the list as text.
    ['a list', ['-a', 'b c'], ['-a', 'b c']],
    ['an object with a list', { args: ['-a', 'b c'] }, ['-a', 'b c']],
    ['JSON', '["-a", "b c"]', ['-a', 'b c']],
    ['YAML', '- -a\n- b c\n', ['-a', 'b c']],
    ['YAML, indented and quoted', '  - "-a"\r\n  - \'b c\'', ['-a', 'b c']],
    ['YAML with addresses and options', '- --server=https://x:1/y#z\n- a:b', ['--server=https://x:1/y#z', 'a:b']],
    ['an empty list', [], []],
    ['the same twice, which stays twice', ['-v', '-v'], ['-v', '-v']],
  ])('reads arguments that are %s', (_, value, expected) => {
    expect(resolveAccess(entry([extension(ARGS, value)]), [config()]).exec.args).toEqual(['--own', ...expected]);
  });

  it.each([
    ['a number', 7],
    ['null', null],
    ['numbers', ['a', 7]],
    ['an object without a list', { arguments: ['a'] }],
    ['broken JSON', '["a"'],
    ['JSON of something else', '[1]'],
    ['plain text', 'a b'],
    ['an empty text', ''],
    // What isn't read as YAML does would be other words than the manager meant.
    ['YAML with escapes', '- "a\\nb"'],
    ['YAML with a comment', '- a # b'],
    ['YAML with a map', '- a: b'],
    ['YAML with a nested list', '- - a'],
    ['YAML with a block', '- |\n  a'],
    ['YAML with an anchor', '- &x a'],
    ['YAML with half a quote', '- "a'],
    ['a text that no program can be given', ['a\0b']],
  ])('refuses arguments that are %s', (_, value) => {
    expect(catching(() => resolveAccess(entry([extension(ARGS, value)]), [config()]))).toMatchObject({
      code: 'Invalid',
      cluster: 'eu-1',
      mend: expect.stringContaining('"args"'),
    });
  });

  it.each([
    [
      'Replace',
      [
        ['ACCOUNT', 'own'],
        ['NEW', 'theirs'],
        ['ZONE', 'theirs'],
      ],
    ],
    [
      'AppendIfNotExists',
      [
        ['ACCOUNT', 'own'],
        ['NEW', 'theirs'],
        ['ZONE', 'own'],
      ],
    ],
    [
      'Ignore',
      [
        ['ACCOUNT', 'own'],
        ['ZONE', 'own'],
      ],
    ],
    [
      undefined,
      [
        ['ACCOUNT', 'own'],
        ['ZONE', 'own'],
      ],
    ],
  ] as const)('with the policy %s for variables', (policy, expected) => {
    const { profileSourcedEnvVarsPolicy: _, ...rest } = config();
    const provider = { ...rest, ...(policy === undefined ? {} : { profileSourcedEnvVarsPolicy: policy }) };
    const { exec } = resolveAccess(entry([extension(ENVS, { ZONE: 'theirs', NEW: 'theirs' })]), [provider]);
    expect(exec.env.map(({ name, value }) => [name, value])).toEqual(expected);
  });

  it('ignores arguments and variables of profiles where nothing is said', () => {
    const { name, execConfig } = config();
    const from = entry([extension(ARGS, 'nonsense'), extension(ENVS, 'nonsense')]);
    const { exec } = resolveAccess(from, [{ name, ...(execConfig === undefined ? {} : { execConfig }) }]);
    expect(exec.args).toEqual(['--own']);
    expect(exec.env).toHaveLength(2);
  });

  it.each([[['A=B']], [7], [null], [{ A: 7 }], [{ '': 'x' }], [{ 'A=B': 'x' }], [{ 'A\0': 'x' }], [{ A: 'x\0' }]])(
    'refuses variables that are %j',
    (value) => {
      expect(catching(() => resolveAccess(entry([extension(ENVS, value)]), [config()]))).toMatchObject({ code: 'Invalid' });
    },
  );

  it('goes through extensions in the order of the list, also where one stands twice', () => {
    const { exec } = resolveAccess(
      entry([
        extension(ARGS, ['-a']),
        extension(EXEC, { first: true }),
        extension(ARGS, ['-b']),
        extension(ENVS, { A: '1', B: '1' }),
        extension(ENVS, { B: '2' }),
        extension(EXEC, { last: true }),
      ]),
      [config()],
    );
    expect(exec.args).toEqual(['--own', '-a', '-b']);
    expect(exec.env).toContainEqual({ name: 'B', value: '1' });
    expect(exec.cluster.config).toEqual({ last: true });
  });

  it('hands no path of another machine to the plugin', () => {
    const offered: Entry = {
      name: 'a',
      auth: { accessProviders: [{ name: 'gke', cluster: { server: 'https://a', 'certificate-authority': '/etc/shadow' } }] },
    };
    expect(resolveAccess(offered, [config()]).exec.cluster).toEqual({ server: 'https://a' });
  });

  it('gives the same key for the same words, in whatever order, and another for others', () => {
    const keyOf = (...extensions: unknown[]): string => resolveAccess(entry(extensions), [config()]).key;
    const key = keyOf(extension(ENVS, { A: '1', B: '2' }), extension(EXEC, { x: 1, y: 2 }));
    expect(keyOf(extension(EXEC, { y: 2, x: 1 }), extension(ENVS, { B: '2', A: '1' }))).toBe(key);
    expect(keyOf(extension(ENVS, { A: '1', B: '3' }), extension(EXEC, { x: 1, y: 2 }))).not.toBe(key);
    expect(keyOf(extension(ENVS, { A: '1', B: '2' }), extension(EXEC, { x: 1, y: 3 }))).not.toBe(key);
    expect(resolveAccess(entry([], 'eu-1'), [config()]).key).not.toBe(resolveAccess(entry([], 'eu-2'), [config()]).key);
  });

  it('gives to B after A what it gives to B alone, and changes nothing of what it was given', () => {
    // The reference library appended to the entry of the consumer, so that B got what was meant for A.
    const words = fc.record({
      args: fc.array(fc.string({ unit: 'grapheme-ascii' })),
      envs: fc.dictionary(fc.constantFrom('A', 'B', 'ZONE', '__proto__'), fc.string({ unit: 'grapheme-ascii' })),
    });
    const policy = fc.record({
      profileSourcedCLIArgsPolicy: fc.constantFrom('Append' as const, 'Ignore' as const),
      profileSourcedEnvVarsPolicy: fc.constantFrom('AppendIfNotExists' as const, 'Replace' as const, 'Ignore' as const),
    });
    fc.assert(
      fc.property(words, words, policy, (forA, forB, policies) => {
        const of = (name: string, { args, envs }: { args: string[]; envs: Record<string, string> }): Entry =>
          entry([extension(ARGS, args), extension(ENVS, envs)], name);
        const shared = frozen([config(policies)]);
        const alone = resolveAccess(of('b', forB), [config(policies)]);
        resolveAccess(frozen(of('a', forA)), shared);
        expect(resolveAccess(frozen(of('b', forB)), shared)).toEqual(alone);
      }),
    );
  });

  it('throws nothing but errors of ours, whatever the extensions are', () => {
    const anyExtension = fc.oneof(fc.record({ name: fc.constantFrom(EXEC, ARGS, ENVS), extension: junk }), junk);
    fc.assert(
      fc.property(fc.oneof(fc.array(anyExtension), junk), (extensions) => {
        const from = { name: 'a', auth: { accessProviders: [{ name: 'gke', cluster: { server: 'https://a', extensions } }] } };
        expect(clusterEntrySchema.safeParse(from).success).toBe(true);
        const result = catching(() => resolveAccess(from as Entry, [config()]));
        if (result instanceof Error) expect(isClustersetError(result)).toBe(true);
        expect(Object.getPrototypeOf({})).toBe(Object.prototype);
      }),
      { numRuns: 500 },
    );
  });

  it('refuses what is nested more deeply than the stack reaches', () => {
    const deep: unknown = JSON.parse(`{"a":${'['.repeat(9000)}${']'.repeat(9000)}}`);
    expect(catching(() => resolveAccess(entry([extension(EXEC, deep)]), [config()]))).toMatchObject({
      code: 'Invalid',
      cluster: 'eu-1',
    });
  });
});

function catching(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error;
  }
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value);
    for (const child of Object.values(value)) frozen(child);
  }
  return value;
}
