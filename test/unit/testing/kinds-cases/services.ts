import { casesOf, change, type KindCase, status } from './case.ts';

const service = casesOf('v1', 'Service');
const ingress = casesOf('networking.k8s.io/v1', 'Ingress');
const policy = casesOf('networking.k8s.io/v1', 'NetworkPolicy');
const slice = casesOf('discovery.k8s.io/v1', 'EndpointSlice');

const port = { port: 80 };
const backend = { service: { name: 'web', port: { number: 80 } } };
const rule = (host?: string): object => ({
  ...(host === undefined ? {} : { host }),
  http: { paths: [{ path: '/', pathType: 'Prefix', backend }] },
});

export const SERVICE_CASES: readonly KindCase[] = [
  service('plain', { spec: { ports: [port] } }),
  service('full', {
    spec: {
      selector: { b: '2', a: '1' },
      ports: [
        { name: 'http', port: 80, targetPort: 'web', appProtocol: 'http' },
        { name: 'dns', port: 53, protocol: 'UDP' },
      ],
      sessionAffinity: 'ClientIP',
      externalIPs: ['198.51.100.1'],
      publishNotReadyAddresses: true,
    },
  }),
  service('headless', { spec: { clusterIP: 'None', selector: { app: 'web' } } }),
  service('external', { spec: { type: 'ExternalName', externalName: 'example.com' } }),
  service('node-port', { spec: { type: 'NodePort', ports: [port] } }),
  service('own-node-port', { spec: { type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] } }),
  service(
    'balanced',
    { spec: { type: 'LoadBalancer', ports: [port] } },
    status({ loadBalancer: { ingress: [{ ip: '198.51.100.9' }, { hostname: 'lb.example.com' }] } }),
  ),
  service('pending', {
    spec: {
      type: 'LoadBalancer',
      loadBalancerClass: 'example.com/lb',
      allocateLoadBalancerNodePorts: false,
      ports: [port],
      externalTrafficPolicy: 'Cluster',
    },
  }),
  service('becomes-node-port', { spec: { ports: [port] } }, change({ spec: { type: 'NodePort' } })),
  service('becomes-cluster-ip', { spec: { type: 'NodePort', ports: [port] } }, change({ spec: { type: 'ClusterIP' } })),
  service('no-ports', { spec: {} }),
  service('no-spec', {}),
  service('nameless-ports', { spec: { ports: [port, { port: 81 }] } }),
  service('twin-ports', {
    spec: {
      ports: [
        { name: 'a', port: 80 },
        { name: 'b', port: 80 },
        { name: 'a', port: 82 },
      ],
    },
  }),
  service('bad-ports', {
    spec: {
      ports: [
        { name: 'a', port: 0 },
        { name: 'B_', port: 70000, protocol: 'HTTP' },
        { name: 'c', port: 80, targetPort: 'Not_A_Name' },
        { name: 'd', port: 81, targetPort: 70000 },
      ],
    },
  }),
  service('bad-type', { spec: { type: 'Other', ports: [port] } }),
  service('bad-affinity', { spec: { sessionAffinity: 'Always', ports: [port] } }),
  service('bad-address', { spec: { clusterIP: 'here', ports: [port] } }),
  service('external-nowhere', { spec: { type: 'ExternalName' } }),
  service('bad-selector', { spec: { selector: { 'a b': 'c' }, ports: [port] } }),
  service('external-traffic', { spec: { externalTrafficPolicy: 'Local', ports: [port] } }),
  service('node-port-low', { spec: { type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] } }),
  service('node-port-unasked', { spec: { ports: [{ port: 80, nodePort: 30081 }] } }),
  service(
    'address-changes',
    { spec: { ports: [port] } },
    change({ spec: { clusterIP: '10.0.77.77', clusterIPs: ['10.0.77.77'] } }),
  ),
  service('1numeric', { spec: { ports: [port] } }),
  service('Bad_Name', { spec: { ports: [port] } }),

  ingress('plain', { spec: { defaultBackend: backend } }),
  ingress(
    'full',
    {
      metadata: { annotations: { a: 'b' } },
      spec: {
        ingressClassName: 'nginx',
        tls: [{ hosts: ['a.example.com'], secretName: 'tls' }],
        rules: [rule('a.example.com'), rule('*.example.com'), rule('c.example.com'), rule('d.example.com')],
      },
    },
    status({ loadBalancer: { ingress: [{ ip: '198.51.100.9' }] } }),
  ),
  ingress('no-host', { spec: { rules: [rule()] } }),
  ingress('resource', { spec: { defaultBackend: { resource: { apiGroup: 'example.com', kind: 'Bucket', name: 'b' } } } }),
  ingress('changed', { spec: { rules: [rule('a.example.com')] } }, change({ spec: { rules: [rule('b.example.com')] } })),
  ingress('empty', { spec: {} }),
  ingress('no-path-type', { spec: { rules: [{ http: { paths: [{ path: '/', backend }] } }] } }),
  ingress('bad-path-type', { spec: { rules: [{ http: { paths: [{ path: '/', pathType: 'Regex', backend }] } }] } }),
  ingress('relative-path', {
    spec: {
      rules: [
        {
          http: {
            paths: [
              { path: 'a', pathType: 'Exact', backend },
              { path: '/a//b', pathType: 'Prefix', backend },
            ],
          },
        },
      ],
    },
  }),
  ingress('no-path', {
    spec: {
      rules: [
        {
          http: {
            paths: [
              { pathType: 'Exact', backend },
              { pathType: 'ImplementationSpecific', backend },
            ],
          },
        },
      ],
    },
  }),
  ingress('no-paths', { spec: { rules: [{ http: { paths: [] } }] } }),
  ingress('no-backend', { spec: { rules: [{ http: { paths: [{ path: '/', pathType: 'Prefix', backend: {} }] } }] } }),
  ingress('bad-backend', { spec: { defaultBackend: { service: { name: '', port: {} } } } }),
  ingress('two-ports', { spec: { defaultBackend: { service: { name: 'web', port: { name: 'a', number: 1 } } } } }),
  ingress('bad-host', { spec: { rules: [rule('Not A Host'), rule('192.0.2.1'), rule('*.*.com')] } }),
  ingress('bad-tls', { spec: { defaultBackend: backend, tls: [{ hosts: ['A_'], secretName: 'Bad_' }] } }),

  policy('plain', { spec: { podSelector: {} } }),
  policy('no-spec', {}),
  policy('full', {
    spec: {
      podSelector: { matchLabels: { app: 'web' } },
      ingress: [
        {
          from: [{ podSelector: {} }, { ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }],
          ports: [{ port: 80 }, { port: 'web', protocol: 'UDP' }, { port: 100, endPort: 200 }],
        },
      ],
      egress: [{}],
    },
  }),
  policy('egress-only', { spec: { podSelector: {}, policyTypes: ['Egress'] } }),
  policy('deny-all', { spec: { podSelector: {}, ingress: [], policyTypes: ['Ingress', 'Egress'] } }),
  policy('bad-types', { spec: { podSelector: {}, policyTypes: ['Sideways'] } }),
  policy('many-types', { spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress', 'Ingress'] } }),
  policy('bad-block', {
    spec: {
      podSelector: {},
      ingress: [
        {
          from: [
            { ipBlock: { cidr: 'all' } },
            {},
            { podSelector: {}, ipBlock: { cidr: '10.0.0.0/8' } },
            { ipBlock: { cidr: '10.0.0.0/8', except: ['11.0.0.0/16'] } },
          ],
        },
      ],
    },
  }),
  policy('bad-ports', {
    spec: {
      podSelector: {},
      ingress: [
        {
          ports: [
            { port: 0 },
            { port: 'Not_A_Name' },
            { protocol: 'HTTP', port: 80 },
            { port: 80, endPort: 70 },
            { endPort: 70 },
          ],
        },
      ],
    },
  }),

  slice('plain', { addressType: 'IPv4' }),
  slice('empty-lists', { addressType: 'IPv4', endpoints: [], ports: [] }),
  slice('full', {
    metadata: { labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    endpoints: [
      { addresses: ['10.1.2.3'], conditions: { ready: true }, nodeName: 'a', zone: 'z' },
      { addresses: ['10.1.2.4'] },
      { addresses: ['10.1.2.5'] },
      { addresses: ['10.1.2.6'] },
    ],
    ports: [{ port: 80 }, { name: 'dns', port: 53, protocol: 'UDP' }],
  }),
  slice('names', { addressType: 'FQDN', endpoints: [{ addresses: ['a.example.com'] }], ports: [{ name: 'any' }] }),
  slice('many-ports', {
    addressType: 'IPv6',
    endpoints: [{ addresses: ['2001:db8::1'] }],
    ports: [
      { name: 'a', port: 1 },
      { name: 'b', port: 2 },
      { name: 'c', port: 3 },
      { name: 'd', port: 4 },
    ],
  }),
  slice('no-type', { endpoints: [] }),
  slice('bad-type', { addressType: 'IPX', endpoints: [] }),
  slice('bad-endpoints', {
    addressType: 'IPv4',
    endpoints: [{ addresses: ['here'] }, { addresses: [] }, { addresses: ['127.0.0.1'] }],
    ports: [
      { name: 'A_', port: 0 },
      { name: 'b', port: 80, protocol: 'HTTP' },
    ],
  }),
  slice('twin-ports', { addressType: 'IPv4', endpoints: [], ports: [{ port: 1 }, { port: 2 }] }),
  slice('type-changes', { addressType: 'IPv4' }, change({ addressType: 'IPv6' })),
];
