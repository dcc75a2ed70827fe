import type { Override } from 'clusterset/federation';
import type { AnyObject } from 'clusterset/kube';

const apiVersion = 'types.kubefed.io/v1beta1';

/** A FederatedDeployment such as people have: a container with environment, ports, resources and probes; for all clusters. */
export function federatedWeb(name: string, { overrides = [] }: { readonly overrides?: readonly Override[] } = {}): AnyObject {
  const labels = { app: name };
  const probe = { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 10 };
  const container = {
    name: 'web',
    image: 'registry.example.com/shop/web:1.28',
    env: ['REGION', 'LOG_LEVEL', 'CURRENCY', 'BACKEND'].map((each) => ({ name: each, value: `value of ${each}` })),
    ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
    livenessProbe: probe,
    readinessProbe: probe,
  };
  const template = {
    metadata: { labels },
    spec: {
      replicas: 3,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  };
  const spec = { template, placement: { clusterSelector: {} }, overrides };
  return { apiVersion, kind: 'FederatedDeployment', metadata: { namespace: 'shop', name }, spec };
}

/** The namespace of it. */
export function federatedShop(): AnyObject {
  const spec = { template: {}, placement: { clusterSelector: {} } };
  return { apiVersion, kind: 'FederatedNamespace', metadata: { namespace: 'shop', name: 'shop' }, spec };
}
