import type { Json } from 'clusterset/kube';
import {
  type ClusterEntry,
  clusterEntrySchema,
  entriesOfKubeconfig,
  entryOfKubeconfigSecret,
  type KubeconfigFile,
  type KubeconfigItem,
  MANAGED_EXTENSION,
  type ManagedKubeconfigOptions,
  mergeKubeconfig,
  readKubeconfigFile,
} from 'clusterset/registry';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CA, junk, spoiled } from './fixtures.ts';

const context = (name: string, cluster: unknown, user?: unknown) => ({
  name,
  context: { cluster, ...(user === undefined ? {} : { user }) },
});

const KUBECONFIG = {
  apiVersion: 'v1',
  kind: 'Config',
  'current-context': 'eu',
  preferences: { colors: true },
  clusters: [
    {
      name: 'eu-cluster',
      cluster: {
        server: 'https://eu.example:6443',
        'certificate-authority-data': CA,
        'proxy-url': 'http://proxy:3128',
        'tls-server-name': 'kubernetes',
      },
    },
    { name: 'dev', cluster: { server: 'https://127.0.0.1:6443', 'insecure-skip-tls-verify': true } },
  ],
  users: [{ name: 'me', user: { token: 's3cret', future: true } }],
  contexts: [context('eu', 'eu-cluster', 'me'), context('dev', 'dev')],
};

describe('readKubeconfigFile', () => {
  it('takes a good file as it is', () => {
    expect(readKubeconfigFile(KUBECONFIG)).toEqual({ file: KUBECONFIG, issues: [] });
  });

  it.each([
    [undefined, []],
    [null, []],
    ['text', ['']],
    [[], ['']],
    [{ clusters: null, users: null }, []],
    [{ clusters: {} }, ['clusters']],
    [
      { users: [null, {}, { name: '' }, { name: 7 }, { name: 'a' }, { name: 'a' }] },
      [0, 1, 2, 3, 5].map((index) => `users[${index}].name`),
    ],
    [{ 'current-context': 7 }, ['current-context']],
  ])('of %j reports %j', (value, fields) => {
    expect(readKubeconfigFile(value).issues.map(({ field }) => field)).toEqual(fields);
  });

  it('has everything that was in a file that it says nothing of', () => {
    fc.assert(
      fc.property(fc.oneof(spoiled(KUBECONFIG), junk), (value) => {
        const { file, issues } = readKubeconfigFile(value);
        if (issues.length === 0) expect(withoutNulls(file)).toEqual(withoutNulls(value ?? {}));
      }),
      { numRuns: 500 },
    );
  });
});

/** A list, or a current context, that is null is the same as none. */
function withoutNulls(file: unknown): unknown {
  const optional = ['clusters', 'users', 'contexts', 'current-context'];
  return Object.fromEntries(Object.entries(file as object).filter(([name, value]) => value !== null || !optional.includes(name)));
}

describe('entriesOfKubeconfig', () => {
  it('gives each context as a cluster of its name, and says where its credentials are', () => {
    expect(entriesOfKubeconfig(KUBECONFIG, { path: '/home/me/config' })).toEqual({
      entries: [
        {
          name: 'eu',
          endpoints: [
            { server: 'https://eu.example:6443', caData: CA, proxyUrl: 'http://proxy:3128', tlsServerName: 'kubernetes' },
          ],
          auth: { context: 'eu', kubeconfig: '/home/me/config' },
        },
        {
          name: 'dev',
          endpoints: [{ server: 'https://127.0.0.1:6443', disabledTLSValidations: ['*'] }],
          auth: { context: 'dev', kubeconfig: '/home/me/config' },
        },
      ],
      issues: [],
    });
    expect(entriesOfKubeconfig(KUBECONFIG).entries[0]?.auth).toEqual({ context: 'eu' });
  });

  it.each([
    ['without a cluster', context('bad', 'nowhere', 'me'), 'contexts[bad].context.cluster'],
    ['without a name of a cluster', context('bad', undefined), 'contexts[bad].context.cluster'],
    ['without a user', context('bad', 'dev', 'nobody'), 'contexts[bad].context.user'],
    ['with a user that is none', context('bad', 'dev', 7), 'contexts[bad].context.user'],
    ['whose cluster has no address', context('bad', 'empty'), 'clusters[empty].cluster.server'],
    ['that is none', { name: 'bad', context: 'dev' }, 'contexts[bad].context.cluster'],
  ])('reports a context %s, and keeps the others', (_, bad, field) => {
    const clusters = [...KUBECONFIG.clusters, { name: 'empty', cluster: {} }];
    const { entries, issues } = entriesOfKubeconfig({ ...KUBECONFIG, clusters, contexts: [bad, ...KUBECONFIG.contexts] });
    expect(entries.map(({ name }) => name)).toEqual(['eu', 'dev']);
    expect(issues.map((issue) => issue.field)).toEqual([field]);
  });

  it.each([undefined, null, ''])('knows that a context may have no user: %j', (user) => {
    expect(entriesOfKubeconfig({ ...KUBECONFIG, contexts: [context('dev', 'dev', user)] }).issues).toEqual([]);
  });

  it('never throws, and gives entries of the one shape, whatever the file holds', () => {
    fc.assert(
      fc.property(fc.oneof(spoiled(KUBECONFIG), junk), (value) => {
        const { entries } = entriesOfKubeconfig(readKubeconfigFile(value).file);
        for (const entry of entries) expect(clusterEntrySchema.safeParse(entry).success).toBe(true);
        expect(Object.getPrototypeOf({})).toBe(Object.prototype);
      }),
      { numRuns: 500 },
    );
  });
});

const credential = (cluster: string) => ({ command: 'clusterset', args: ['credential', cluster] });
const entry = (name: string, rest: Partial<ClusterEntry> = {}): ClusterEntry => ({
  name,
  endpoints: [{ server: `https://${name}.example`, caData: CA }],
  ...rest,
});
const namesIn = (list: readonly KubeconfigItem[] | undefined): readonly string[] => (list ?? []).map(({ name }) => name);

describe('mergeKubeconfig', () => {
  it('writes clusters, contexts, and users that run a program', () => {
    const { file, added, issues } = mergeKubeconfig({}, [entry('eu')], { credential });
    const extensions = [{ name: MANAGED_EXTENSION, extension: { owner: 'clusterset' } }];
    expect(file).toEqual({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'eu', cluster: { server: 'https://eu.example', 'certificate-authority-data': CA, extensions } }],
      users: [
        {
          name: 'clusterset:eu',
          user: {
            exec: {
              apiVersion: 'client.authentication.k8s.io/v1',
              command: 'clusterset',
              args: ['credential', 'eu'],
              interactiveMode: 'Never',
              provideClusterInfo: false,
            },
            extensions,
          },
        },
      ],
      contexts: [{ name: 'eu', context: { cluster: 'eu', user: 'clusterset:eu', extensions } }],
    });
    expect([added, issues]).toEqual([['eu'], []]);
  });

  it('writes no users without a program, as in the cluster registry’s idea of a shared kubeconfig', () => {
    const { file } = mergeKubeconfig({}, [entry('eu')]);
    expect(file.users).toBeUndefined();
    expect(file.contexts?.[0]?.context).not.toHaveProperty('user');
  });

  it('adds, changes and removes its own, and nothing of others', () => {
    const first = mergeKubeconfig(KUBECONFIG, [entry('a'), entry('b'), entry('c')], { credential }).file;
    const moved = entry('b', { endpoints: [{ server: 'https://elsewhere' }] });
    const second = mergeKubeconfig(first, [moved, entry('c'), entry('d')], { credential });
    expect([second.added, second.changed, second.removed]).toEqual([['d'], ['b'], ['a']]);
    expect(namesIn(second.file.contexts)).toEqual(['eu', 'dev', 'b', 'c', 'd']);
    expect(second.file.users?.[0]).toBe(KUBECONFIG.users[0]);
    expect(second.file).toMatchObject({ preferences: { colors: true }, 'current-context': 'eu' });
  });

  it.each([
    ['clusters', { name: 'a', cluster: { server: 'https://mine' } }],
    ['contexts', context('a', 'dev')],
    ['users', { name: 'clusterset:a', user: { token: 's3cret' } }],
  ])('leaves out a cluster whose name is taken in %s, wherever it stands there', (field, foreign) => {
    const ours = mergeKubeconfig({}, [entry('a')], { credential }).file;
    for (const list of [[foreign], [...((ours as Record<string, unknown[]>)[field] ?? []), foreign]]) {
      const file: KubeconfigFile = { ...ours, [field]: list };
      const merged = mergeKubeconfig(file, [entry('a'), entry('b')], { credential });
      expect(merged.issues).toMatchObject([{ field: 'a', message: expect.stringContaining(`${field} has an entry`) }]);
      expect((merged.file as Record<string, unknown[]>)[field]?.[0]).toBe(foreign);
      expect(merged.added).toEqual(['b']);
    }
  });

  it('keeps two owners apart', () => {
    const both = mergeKubeconfig(mergeKubeconfig({}, [entry('a')], { owner: 'one' }).file, [entry('b')], { owner: 'two' });
    expect(namesIn(both.file.contexts)).toEqual(['a', 'b']);
    const clash = mergeKubeconfig(both.file, [entry('a'), entry('b')], { owner: 'two' });
    expect(clash.issues).toMatchObject([{ field: 'a' }]);
    const gone = mergeKubeconfig(both.file, [], { owner: 'two' });
    expect([namesIn(gone.file.contexts), gone.removed]).toEqual([['a'], ['b']]);
  });

  it('keeps the namespace that somebody has given a context of ours', () => {
    const { file } = mergeKubeconfig({}, [entry('a')]);
    const [item] = file.contexts ?? [];
    const used = { ...file, contexts: [{ ...item, name: 'a', context: { ...(item?.context as object), namespace: 'shop' } }] };
    expect(mergeKubeconfig(used, [entry('a')]).file).toBe(used);
    const moved = mergeKubeconfig(used, [entry('a', { endpoints: [{ server: 'https://new' }] })]);
    expect(moved.file.contexts?.[0]?.context).toHaveProperty('namespace', 'shop');
  });

  it('has no current context any more where that was ours and has gone', () => {
    const file = { ...mergeKubeconfig({}, [entry('a'), entry('b')]).file, 'current-context': 'a' };
    expect(mergeKubeconfig(file, [entry('b')]).file['current-context']).toBe('');
    expect(mergeKubeconfig(file, [entry('a')]).file['current-context']).toBe('a');
    const foreign = { ...KUBECONFIG, 'current-context': 'gone' };
    expect(mergeKubeconfig(foreign, [entry('b')]).file['current-context']).toBe('gone');
  });

  it.each<[string, Partial<ClusterEntry>, RegExp]>([
    ['no address', { endpoints: [] }, /no address/],
    [
      'checks that a kubeconfig can’t leave out',
      { endpoints: [{ server: 'https://a', disabledTLSValidations: ['SubjectName'] }] },
      /can not say/,
    ],
    [
      'certificates for which kubectl refuses the whole file',
      { endpoints: [{ server: 'https://a', caData: '-----BEGIN' }] },
      /no base64/,
    ],
  ])('leaves out a cluster with %s, and writes the others', (_, rest, message) => {
    const { file, issues } = mergeKubeconfig({}, [entry('a', rest), entry('b')]);
    expect(namesIn(file.contexts)).toEqual(['b']);
    expect(issues).toMatchObject([{ field: 'a', message: expect.stringMatching(message) }]);
  });

  it('writes no certificates beside the word that none are checked, which kubectl refuses', () => {
    const { file } = mergeKubeconfig({}, [
      entry('a', { endpoints: [{ server: 'https://a', caData: CA, disabledTLSValidations: ['*'] }] }),
    ]);
    expect(file.clusters?.[0]?.cluster).toMatchObject({ 'insecure-skip-tls-verify': true });
    expect(file.clusters?.[0]?.cluster).not.toHaveProperty('certificate-authority-data');
  });

  it.each([[{}], [{ users: [] }], [KUBECONFIG], [{ clusters: KUBECONFIG.clusters }]])(
    'gives the very file back where there is nothing to write: %#',
    (file) => {
      expect(mergeKubeconfig(file, []).file).toBe(file);
    },
  );

  const mark = (owner: unknown) => ({ extensions: [{ name: MANAGED_EXTENSION, extension: { owner } }] });
  const name = fc.constantFrom('a', 'b', 'clusterset:a', '__proto__', 'constructor');
  const content = fc.oneof(junk, fc.constantFrom('clusterset', 'other', 7).map(mark));
  const items = (part: string) =>
    fc.array(
      fc.tuple(name, content, junk).map(([each, value, extra]) => ({ name: each, [part]: value, extra })),
      { maxLength: 5 },
    );
  const anyFile = fc.record(
    {
      clusters: items('cluster'),
      users: items('user'),
      contexts: items('context'),
      'current-context': name,
      preferences: junk,
      future: junk,
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<KubeconfigFile>;
  const endpoints = fc.constantFrom<ClusterEntry['endpoints'][]>(
    [{ server: 'https://x' }],
    [{ server: 'https://y', caData: CA }],
    [],
  );
  const anyEntries = fc.uniqueArray(fc.record({ name, endpoints }) as fc.Arbitrary<ClusterEntry>, {
    selector: (each) => each.name,
  });
  const options = fc.constantFrom<ManagedKubeconfigOptions>({}, { credential }, { owner: 'other', credential });
  const PARTS = { clusters: 'cluster', users: 'user', contexts: 'context' } as const;

  /** Items without this owner's mark, by another way than the code has. */
  const foreignIn = (file: KubeconfigFile, owner: string) =>
    Object.entries(PARTS).map(([field, part]) =>
      (file[field as keyof typeof PARTS] ?? []).filter((item) => {
        const extensions: unknown = (item[part] as Json as { extensions?: unknown } | null | undefined)?.extensions;
        const list = Array.isArray(extensions) ? extensions : [];
        const first = list.find((each) => each?.name === MANAGED_EXTENSION);
        return first?.extension?.owner !== owner;
      }),
    );

  it('is done after one time, and leaves what others have written as it is, in its order, whatever the file holds', () => {
    fc.assert(
      fc.property(anyFile, anyEntries, options, (file, entries, how) => {
        const before = structuredClone(file);
        const once = mergeKubeconfig(file, entries, how);
        expect(file).toEqual(before);
        const twice = mergeKubeconfig(once.file, entries, how);
        expect(twice.file).toBe(once.file);
        expect([twice.added, twice.changed, twice.removed]).toEqual([[], [], []]);
        expect(twice.issues).toEqual(once.issues);
        const owner = how.owner ?? 'clusterset';
        expect(foreignIn(once.file, owner)).toEqual(foreignIn(before, owner));
        expect(once.file).toMatchObject({ ...('preferences' in before ? { preferences: before.preferences } : {}) });
        const written = entries.filter(({ name: each }) => !once.issues.some(({ field }) => field === each));
        const ours = (once.file.contexts ?? []).filter((item) => !foreignIn(once.file, owner).flat().includes(item));
        expect(namesIn(ours).toSorted()).toEqual(written.map((each) => each.name).toSorted());
      }),
      { numRuns: 500 },
    );
  });

  it('takes thousands of clusters without looking through the file for each', () => {
    const many = Array.from({ length: 5000 }, (_, index) => entry(`c${index}`));
    const { file, added } = mergeKubeconfig({}, many, { credential });
    expect(added).toHaveLength(5000);
    expect(mergeKubeconfig(file, many, { credential }).file).toBe(file);
  });
});

describe('secrets', () => {
  const MARK = 'hunter2';
  const secretOf = (value: string) => `${MARK}-${value}`;
  const user = {
    token: secretOf('token'),
    tokenFile: secretOf('file'),
    username: secretOf('name'),
    password: secretOf('password'),
    'client-certificate-data': secretOf('certificate'),
    'client-key-data': secretOf('key'),
    'auth-provider': { name: secretOf('provider'), config: { 'id-token': secretOf('id') } },
    exec: { command: secretOf('command'), args: [secretOf('argument')], env: [{ name: 'TOKEN', value: secretOf('variable') }] },
  };
  const loaded = {
    ...KUBECONFIG,
    users: [{ name: 'me', user }, { name: 'me', user }, { name: '', user }, { user }, secretOf('item')],
    clusters: [
      ...KUBECONFIG.clusters,
      { name: 'userinfo', cluster: { server: `https://admin:${secretOf('url')}@host` } },
      { name: 'query', cluster: { server: `https://host/?token=${secretOf('query')}` } },
      { name: 'proxy', cluster: { server: 'https://host', 'proxy-url': `http://admin:${secretOf('proxy')}@proxy:3128` } },
      { name: 'ca', cluster: { server: 'https://host', 'certificate-authority-data': `${secretOf('ca')}!` } },
    ],
    contexts: [...KUBECONFIG.contexts, ...['userinfo', 'query', 'proxy', 'ca'].map((each) => context(each, each, 'me'))],
  };

  it('of a kubeconfig are in no issue, no entry, and nothing that is written of them', () => {
    const { file, issues: reading } = readKubeconfigFile(loaded);
    const { entries, issues: mapping } = entriesOfKubeconfig(file);
    expect(entries.map(({ name }) => name)).toEqual(['eu', 'dev', 'proxy', 'ca']);
    expect(mapping).toHaveLength(4);
    const merged = mergeKubeconfig({}, entries, { credential });
    expect(namesIn(merged.file.contexts)).toHaveLength(4);
    expect(JSON.stringify([reading, entries, mapping, merged])).not.toContain(MARK);
    // Into the file that holds them they may stay; what is said about it tells nothing of them.
    const { file: _, ...said } = mergeKubeconfig(file, entries, { credential });
    expect(JSON.stringify(said)).not.toContain(MARK);
  });

  it('of a Secret with a kubeconfig are in neither its entry nor its issues, whatever else it holds', () => {
    const secret = { namespace: 'fleet', name: 'eu-1', key: 'value' };
    const anyContext = fc.constantFrom('eu', 'dev', 'userinfo', 'query', 'proxy', 'ca', 'nowhere', '');
    fc.assert(
      fc.property(anyContext, fc.oneof(fc.constant(loaded), spoiled(loaded)), (current, value) => {
        const { file } = readKubeconfigFile({ ...(value as object), 'current-context': current });
        const mapped = entryOfKubeconfigSecret({ name: 'eu-1', secret, file });
        expect(JSON.stringify(mapped)).not.toContain(MARK);
        if (mapped.entry !== undefined) expect(clusterEntrySchema.safeParse(mapped.entry).success).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
