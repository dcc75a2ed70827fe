import type { AnyObject } from 'clusterset/kube';
import {
  clusterEntrySchema,
  entryOfClusterProfile,
  entryOfKubeFedCluster,
  entryOfRegistryCluster,
  isReady,
  type MappedCluster,
  REGISTRY_KINDS,
} from 'clusterset/registry';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CA, clusterProfile, junk, kubeFedCluster, registryCluster, spoiled } from './fixtures.ts';

const readyOf = ({ entry }: MappedCluster): unknown => entry?.conditions?.find(({ type }) => type === 'Ready');
const fieldsOf = ({ issues }: MappedCluster): readonly string[] => issues.map(({ field }) => field);

const FULL = {
  registry: registryCluster(
    {
      spec: {
        kubernetesApiEndpoints: {
          serverEndpoints: [{ clientCIDR: '10.0.0.0/8', serverAddress: '10.0.0.1:6443' }, { serverAddress: 'eu-1.example' }],
          caBundle: CA,
        },
        authInfo: { user: { kind: 'Role', name: 'people' }, controller: { kind: 'Secret', name: 'eu-1', namespace: 'keys' } },
      },
      status: { conditions: [{ type: 'OK', status: 'True', lastHeartbeatTime: '2018-06-01T00:00:00Z' }] },
    },
    { labels: { tier: 'prod', 'topology.kubernetes.io/region': 'eu', 'topology.kubernetes.io/zone': 'eu-a' } },
  ),
  profile: clusterProfile({
    conditions: [
      { type: 'ControlPlaneHealthy', status: 'True', reason: 'Fine', message: '', lastTransitionTime: '2025-01-01T00:00:00Z' },
    ],
    version: { kubernetes: 'v1.34.1' },
    properties: [{ name: 'location', value: 'eu', lastObservedTime: '2025-01-01T00:00:00Z' }],
    accessProviders: [
      {
        name: 'gke',
        cluster: {
          server: 'https://eu-1.example',
          'certificate-authority-data': CA,
          'tls-server-name': 'kubernetes',
          'proxy-url': 'http://proxy:3128',
          extensions: [{ name: 'client.authentication.k8s.io/exec', extension: { clusterName: 'eu-1' } }],
        },
      },
    ],
  }),
  kubefed: kubeFedCluster(
    { caBundle: CA, proxyURL: 'socks5://proxy:1080', disabledTLSValidations: ['SubjectName'] },
    {
      conditions: [{ type: 'Ready', status: 'True', reason: 'ClusterReady', lastProbeTime: '2021-01-01T00:00:00Z' }],
      kubernetesVersion: 'v1.20.0',
      region: 'eu',
      zones: ['eu-a', 'eu-b'],
    },
  ),
};

describe('entryOfRegistryCluster', () => {
  it('reads the last shape, of 2018-05-29', () => {
    expect(entryOfRegistryCluster(FULL.registry)).toEqual({
      entry: {
        name: 'eu-1',
        labels: { tier: 'prod', 'topology.kubernetes.io/region': 'eu', 'topology.kubernetes.io/zone': 'eu-a' },
        region: 'eu',
        zones: ['eu-a'],
        conditions: [
          { type: 'OK', status: 'True' },
          { type: 'Ready', status: 'True' },
        ],
        endpoints: [
          { server: 'https://10.0.0.1:6443', clientCIDR: '10.0.0.0/8', caData: CA },
          { server: 'https://eu-1.example', caData: CA },
        ],
        auth: { secret: { namespace: 'keys', name: 'eu-1' } },
      },
      issues: [],
    });
  });

  // The shapes that the API had over time; a real object has only one of them.
  it.each([
    ['2017-10-04', { state: { kubeApiServer: { servers: ['https://a:1', 'b'], caBundle: CA } } }],
    [
      '2017-10-17',
      {
        spec: {
          kubernetesApiEndpoints: { serverEndpoints: [{ serverAddress: 'https://a:1' }, { serverAddress: 'b' }], caBundle: CA },
        },
      },
    ],
    ['the talks', { spec: { serverEndpoints: ['https://a:1', 'b'], caBundle: CA } }],
  ])('reads the addresses of %s', (_, rest) => {
    const { entry, issues } = entryOfRegistryCluster(registryCluster(rest));
    expect(entry?.endpoints).toEqual([
      { server: 'https://a:1', caData: CA },
      { server: 'https://b', caData: CA },
    ]);
    expect(issues).toEqual([]);
  });

  it('lets the newest shape win where an object has several', () => {
    const state = { kubeApiServer: { servers: ['oldest'] } };
    const kubernetesApiEndpoints = { serverEndpoints: [{ serverAddress: 'newest' }] };
    const serversOf = (rest: Record<string, unknown>) =>
      entryOfRegistryCluster(registryCluster(rest)).entry?.endpoints?.map(({ server }) => server);
    expect(serversOf({ spec: { kubernetesApiEndpoints, serverEndpoints: ['slide'] }, state })).toEqual(['https://newest']);
    expect(serversOf({ spec: { serverEndpoints: ['slide'] }, state })).toEqual(['https://slide']);
    expect(serversOf({ spec: { kubernetesApiEndpoints: { serverEndpoints: [] } }, state })).toEqual(['https://oldest']);
  });

  it.each([
    ['no credentials where nothing is said', {}, undefined],
    ['the final reference', { controller: { kind: 'Secret', name: 'a', namespace: 'n' } }, { namespace: 'n', name: 'a' }],
    ['that of 2018-05-22', { controllerAuthInfo: { kind: 'Secret', name: 'a', namespace: 'n' } }, { namespace: 'n', name: 'a' }],
    [
      'the object’s own namespace',
      { controller: { kind: 'Secret', name: 'a', namespace: '' } },
      { namespace: 'inventory', name: 'a' },
    ],
    ['nothing of what is for people', { user: { kind: 'Secret', name: 'a', namespace: 'n' } }, undefined],
    ['nothing of another kind', { controller: { kind: 'ConfigMap', name: 'a', namespace: 'n' } }, undefined],
    ['nothing of the providers of 2017', { providers: [{ name: 'gcp', config: {} }] }, undefined],
    [
      'one reference whole, never parts of two',
      { controllerAuthInfo: { kind: 'Secret', name: 'a', namespace: 'kube-system' }, controller: { kind: 'Secret', name: 'b' } },
      { namespace: 'inventory', name: 'b' },
    ],
    [
      'one whole, also without a kind',
      { controllerAuthInfo: { kind: 'Secret', name: 'a', namespace: 'n' }, controller: { name: 'b' } },
      undefined,
    ],
  ])('takes %s', (_, authInfo, secret) => {
    const { entry } = entryOfRegistryCluster(registryCluster({ spec: { authInfo } }));
    expect(entry?.auth).toEqual(secret === undefined ? undefined : { secret });
  });

  it('leaves out an address that can not be read, says which, and keeps the others', () => {
    const serverEndpoints = [
      { serverAddress: 'a' },
      { serverAddress: '' },
      { clientCIDR: 'b' },
      null,
      { serverAddress: 'c', clientCIDR: 7 },
      { serverAddress: 'd' },
    ];
    const mapped = entryOfRegistryCluster(registryCluster({ spec: { kubernetesApiEndpoints: { serverEndpoints } } }));
    expect(mapped.entry?.endpoints).toEqual([{ server: 'https://a' }, { server: 'https://d' }]);
    const at = (index: number): string => `spec.kubernetesApiEndpoints.serverEndpoints[${index}]`;
    expect(fieldsOf(mapped)).toEqual([
      `${at(1)}.serverAddress`,
      `${at(2)}.serverAddress`,
      `${at(3)}.serverAddress`,
      `${at(4)}.clientCIDR`,
    ]);
  });

  it('names a doubtful range by its place in the object, also behind an address that is left out', () => {
    const serverEndpoints = [
      { serverAddress: '' },
      { serverAddress: 'a', clientCIDR: '0.0.0.0' },
      { serverAddress: 'b', clientCIDR: 'x' },
    ];
    const mapped = entryOfRegistryCluster(registryCluster({ spec: { kubernetesApiEndpoints: { serverEndpoints } } }));
    expect(mapped.issues.slice(1)).toMatchObject([
      {
        field: 'spec.kubernetesApiEndpoints.serverEndpoints[1].clientCIDR',
        message: expect.stringContaining('taken for everyone'),
      },
      { field: 'spec.kubernetesApiEndpoints.serverEndpoints[2].clientCIDR', message: '"x" is no range of addresses' },
    ]);
    expect(mapped.entry?.endpoints).toHaveLength(2);
  });
});

describe('entryOfClusterProfile', () => {
  it('reads what KEP-4322 and KEP-5339 have', () => {
    const { accessProviders } = FULL.profile.status as { accessProviders: unknown };
    const { entry, issues } = entryOfClusterProfile(FULL.profile, 'namespace/name');
    expect(issues).toEqual([]);
    expect(entry).toEqual({
      name: 'fleet/eu-1',
      properties: { location: 'eu' },
      conditions: [
        { type: 'ControlPlaneHealthy', status: 'True', reason: 'Fine', message: '', lastTransitionTime: '2025-01-01T00:00:00Z' },
        { type: 'Ready', status: 'True', reason: 'Fine', message: '', lastTransitionTime: '2025-01-01T00:00:00Z' },
      ],
      endpoints: [{ server: 'https://eu-1.example', caData: CA, tlsServerName: 'kubernetes', proxyUrl: 'http://proxy:3128' }],
      auth: { accessProviders },
      kubernetesVersion: 'v1.34.1',
    });
  });

  it('takes of the deprecated list what the new one has not, by name', () => {
    const { entry } = entryOfClusterProfile(
      clusterProfile({
        credentialProviders: [
          { name: 'both', cluster: { server: 'https://old' } },
          { name: 'old', cluster: { server: 'https://only-old' } },
        ],
        accessProviders: [{ name: 'both', cluster: { server: 'https://new' } }],
      }),
    );
    expect(entry?.auth?.accessProviders?.map(({ name, cluster }) => [name, cluster?.server])).toEqual([
      ['both', 'https://new'],
      ['old', 'https://only-old'],
    ]);
    expect(entry?.endpoints?.map(({ server }) => server)).toEqual(['https://new', 'https://only-old']);
  });

  it('has each endpoint once, where the first provider has it', () => {
    const provider = (name: string, server: string) => ({ name, cluster: { server } });
    const accessProviders = [provider('a', 'https://one'), provider('b', 'https://two'), provider('c', 'https://one')];
    const { entry } = entryOfClusterProfile(clusterProfile({ accessProviders }));
    expect(entry?.endpoints).toEqual([{ server: 'https://one' }, { server: 'https://two' }]);
  });

  it('reports providers, addresses and properties that can not be used, and keeps the rest', () => {
    const mapped = entryOfClusterProfile(
      clusterProfile({
        accessProviders: [
          { cluster: { server: 'https://nobody' } },
          { name: 'bad', cluster: { server: 'ftp://x' } },
          { name: 'odd', cluster: { server: 7, 'proxy-url': 'x' } },
          { name: 'bare' },
          {
            name: 'good',
            cluster: { server: 'https://good', 'certificate-authority-data': '?', 'proxy-url': 'http://u:p@proxy' },
          },
        ],
        properties: [
          { name: '__proto__', value: 'kept' },
          { name: 'a', value: '1' },
          { name: 'a', value: '2' },
          { name: 'b' },
          7,
        ],
      }),
    );
    expect(fieldsOf(mapped)).toEqual([
      'status.accessProviders[0].name',
      'status.accessProviders[2].cluster.server',
      'status.accessProviders[bad].cluster.server',
      'status.accessProviders[good].cluster.certificate-authority-data',
      'status.accessProviders[good].cluster.proxy-url',
      'status.properties[2]',
      'status.properties[3]',
      'status.properties[4]',
    ]);
    expect(mapped.entry?.endpoints).toEqual([{ server: 'https://good' }]);
    expect(mapped.entry?.auth?.accessProviders?.map(({ name }) => name)).toEqual(['bad', 'odd', 'bare', 'good']);
    expect(Object.entries(mapped.entry?.properties ?? {})).toEqual([
      ['__proto__', 'kept'],
      ['a', '1'],
    ]);
    expect({}).not.toHaveProperty('kept');
  });
});

describe('entryOfKubeFedCluster', () => {
  it('reads what kubefed v0.10.0 has', () => {
    expect(entryOfKubeFedCluster(FULL.kubefed)).toEqual({
      entry: {
        name: 'eu-1',
        region: 'eu',
        zones: ['eu-a', 'eu-b'],
        conditions: [{ type: 'Ready', status: 'True', reason: 'ClusterReady' }],
        endpoints: [
          {
            server: 'https://eu-1.example:6443',
            caData: CA,
            proxyUrl: 'socks5://proxy:1080',
            disabledTLSValidations: ['SubjectName'],
          },
        ],
        auth: { secret: { namespace: 'kube-federation-system', name: 'eu-1-token' } },
        kubernetesVersion: 'v1.20.0',
      },
      issues: [],
    });
  });

  // kubefed v0.10.0 clusters: "*" must stand alone; unknown ones are refused by its webhook.
  it.each([
    [['*'], ['*'], []],
    [['*', 'SubjectName'], ['SubjectName'], [0]],
    [['ValidityPeriod', 'SubjectName'], ['ValidityPeriod', 'SubjectName'], []],
    [['SubjectName', 'SubjectName'], ['SubjectName'], []],
    [['subjectname'], undefined, [0]],
    [[7, null, 'SubjectName', {}], ['SubjectName'], [0, 1, 3]],
    ['*', undefined, []],
  ])('of the disabled validations %j follows %j', (disabledTLSValidations, expected, refused) => {
    const mapped = entryOfKubeFedCluster(kubeFedCluster({ disabledTLSValidations }));
    expect(mapped.entry?.endpoints?.[0]?.disabledTLSValidations).toEqual(expected);
    expect(fieldsOf(mapped)).toEqual(refused.map((index) => `spec.disabledTLSValidations[${index}]`));
  });

  it.each([
    ['spec.apiEndpoint', { apiEndpoint: 'ftp://x' }, undefined],
    ['spec.proxyURL', { proxyURL: 'proxy:3128' }, [{ server: 'https://eu-1.example:6443' }]],
    ['spec.proxyURL', { proxyURL: 'http://user:hunter2@proxy' }, [{ server: 'https://eu-1.example:6443' }]],
    ['spec.caBundle', { caBundle: 'not base64!' }, [{ server: 'https://eu-1.example:6443' }]],
  ])('reports %s, and keeps the rest', (field, spec, endpoints) => {
    const mapped = entryOfKubeFedCluster(kubeFedCluster(spec));
    expect(fieldsOf(mapped)).toEqual([field]);
    expect(mapped.entry?.endpoints).toEqual(endpoints);
    expect(JSON.stringify(mapped)).not.toContain('hunter2');
  });

  it.each([{}, { name: '' }, { name: 7 }, 'eu-1-token', null])('has no credentials by the reference %j', (secretRef) => {
    const mapped = entryOfKubeFedCluster(kubeFedCluster({ secretRef }));
    expect(mapped.entry).not.toHaveProperty('auth');
    expect(fieldsOf(mapped)).toEqual(['spec.secretRef.name']);
  });

  it('ends soon for a great many validations', () => {
    const half = 100_000;
    const list = [...Array(half).fill('SubjectName'), ...Array(half).fill('ValidityPeriod'), ...Array(half).fill('?')];
    const { entry, issues } = entryOfKubeFedCluster(kubeFedCluster({ disabledTLSValidations: list }));
    expect(entry?.endpoints?.[0]?.disabledTLSValidations).toEqual(['SubjectName', 'ValidityPeriod']);
    expect(issues).toHaveLength(101);
    expect(issues.at(-1)?.message).toBe(`has ${half - 100} more mistakes, which are not listed`);
  });
});

describe('readiness', () => {
  // Cluster registry: OK. KEP-4322: ControlPlaneHealthy. kubefed v0.10.0 health: Ready, which it leaves out beside Offline and ConfigMalformed.
  const said = (type: string, status: unknown) => ({ type, status, reason: 'R' });
  it.each([
    ['a registry that says OK', registryCluster({ status: { conditions: [said('OK', 'True')] } }), 'True'],
    ['a registry that does not', registryCluster({ status: { conditions: [said('OK', 'False')] } }), 'False'],
    ['a registry that says OK is unknown', registryCluster({ status: { conditions: [said('OK', 'Unknown')] } }), 'Unknown'],
    ['a registry in which OK can not be read', registryCluster({ status: { conditions: [said('OK', false)] } }), 'Unknown'],
    [
      'a registry with a Ready of its own',
      registryCluster({ status: { conditions: [said('Ready', 'True'), said('OK', 'False')] } }),
      'False',
    ],
    ['a registry with no more than that', registryCluster({ status: { conditions: [said('Ready', 'False')] } }), 'False'],
    ['a registry that says nothing', registryCluster(), undefined],
    ['a profile with a healthy control plane', clusterProfile({ conditions: [said('ControlPlaneHealthy', 'True')] }), 'True'],
    ['a profile with another', clusterProfile({ conditions: [said('ControlPlaneHealthy', 'False')] }), 'False'],
    [
      'a profile whose Ready means something else',
      clusterProfile({ conditions: [said('Ready', 'True'), said('ControlPlaneHealthy', 'False')] }),
      'False',
    ],
    ['a profile that only joined', clusterProfile({ conditions: [said('Joined', 'True')] }), undefined],
    ['kubefed’s Ready', kubeFedCluster({}, { conditions: [said('Ready', 'True'), said('Offline', 'False')] }), 'True'],
    ['kubefed’s Ready, False', kubeFedCluster({}, { conditions: [said('Ready', 'False'), said('Offline', 'False')] }), 'False'],
    ['kubefed’s Offline', kubeFedCluster({}, { conditions: [said('Offline', 'True')] }), 'False'],
    ['kubefed’s ConfigMalformed', kubeFedCluster({}, { conditions: [said('ConfigMalformed', 'True')] }), 'False'],
    ['kubefed’s Offline that is over', kubeFedCluster({}, { conditions: [said('Offline', 'False')] }), undefined],
  ])('by %s', (_, object, expected) => {
    const { entryOf } = Object.values(REGISTRY_KINDS).find(({ type }) => type.kind === object.kind) ?? REGISTRY_KINDS.cluster;
    const mapped = entryOf(object);
    expect(readyOf(mapped)).toEqual(expected === undefined ? undefined : { type: 'Ready', status: expected, reason: 'R' });
    if (mapped.entry !== undefined) expect(isReady(mapped.entry)).toBe(expected === undefined || expected === 'True');
  });

  it('is not lost on conditions that are none', () => {
    const conditions = [null, 7, {}, { type: '' }, { status: 'True' }, said('Offline', 'True')];
    const mapped = entryOfKubeFedCluster(kubeFedCluster({}, { conditions }));
    expect(readyOf(mapped)).toMatchObject({ status: 'False' });
    expect(fieldsOf(mapped)).toEqual([0, 1, 2, 3, 4].map((index) => `status.conditions[${index}].type`));
    expect(fieldsOf(entryOfKubeFedCluster(kubeFedCluster({}, { conditions: 'Offline' })))).toEqual(['status.conditions']);
  });
});

const MAPPINGS: readonly (readonly [string, (object: AnyObject) => MappedCluster, AnyObject])[] = [
  ['entryOfRegistryCluster', entryOfRegistryCluster, FULL.registry],
  ['entryOfClusterProfile', entryOfClusterProfile, FULL.profile],
  ['entryOfKubeFedCluster', entryOfKubeFedCluster, FULL.kubefed],
];

describe.each(MAPPINGS)('%s', (_, entryOf, good) => {
  it('says nothing of a good object, and gives the same twice', () => {
    expect(entryOf(good).issues).toEqual([]);
    expect(entryOf(good)).toEqual(entryOf(structuredClone(good)));
  });

  it.each([undefined, null, 7, {}, '', []])('knows no cluster by the name %j, and says so', (name) => {
    const expected = { entry: undefined, issues: [expect.objectContaining({ field: 'metadata.name' })] };
    expect(entryOf({ ...good, metadata: { ...good.metadata, name } } as never)).toEqual(expected);
    expect(entryOf({ ...good, metadata: name } as never)).toEqual(expected);
  });

  it('never throws, changes nothing, and gives entries of the one shape, whatever stands in the fields', () => {
    const object = fc.oneof({ weight: 4, arbitrary: spoiled(good) }, junk);
    fc.assert(
      fc.property(object, (value) => {
        const before = structuredClone(value);
        const { entry, issues } = entryOf(value as AnyObject);
        expect(value).toEqual(before);
        if (entry !== undefined) expect(clusterEntrySchema.safeParse(entry).error).toBeUndefined();
        for (const { field, message } of issues) expect([typeof field, typeof message]).toEqual(['string', 'string']);
        expect(Object.getPrototypeOf({})).toBe(Object.prototype);
      }),
      { numRuns: 600 },
    );
  });

  it('spoils nothing but labels where labels are spoiled', () => {
    fc.assert(
      fc.property(junk, (labels) => {
        const { entry } = entryOf({ ...good, metadata: { ...good.metadata, labels } } as never);
        const plain = entryOf({ ...good, metadata: { ...good.metadata, labels: {} } } as never);
        expect({ ...entry, labels: 0, region: 0, zones: 0 }).toEqual({ ...plain.entry, labels: 0, region: 0, zones: 0 });
      }),
    );
  });
});
