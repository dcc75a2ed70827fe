import type { AnyObject } from 'clusterset/kube';
import type { ClusterEntry } from 'clusterset/registry';

export const fleet: readonly ClusterEntry[] = [
  { name: 'eu-1', labels: { region: 'eu', tier: 'prod' } },
  { name: 'eu-2', labels: { region: 'eu', tier: 'test' } },
  { name: 'us-1', labels: { region: 'us', tier: 'prod' } },
];

export const deploymentTemplate = {
  metadata: { labels: { app: 'web' } },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        containers: [
          { name: 'web', image: 'shop/web:1', env: [{ name: 'REGION', value: 'none' }], ports: [{ containerPort: 80 }] },
          { name: 'log', image: 'shop/log:1' },
        ],
      },
    },
  },
};

/** A federated Deployment `shop/web`, placed everywhere. */
export function federatedDeployment(spec: Record<string, unknown> = {}, metadata: Record<string, unknown> = {}): AnyObject {
  return {
    apiVersion: 'types.kubefed.io/v1beta1',
    kind: 'FederatedDeployment',
    metadata: { name: 'web', namespace: 'shop', ...metadata },
    spec: { template: deploymentTemplate, placement: { clusterSelector: {} }, ...spec },
  };
}

export function federatedNamespace(placement: Record<string, unknown> = { clusterSelector: {} }): AnyObject {
  return {
    apiVersion: 'types.kubefed.io/v1beta1',
    kind: 'FederatedNamespace',
    metadata: { name: 'shop', namespace: 'shop' },
    spec: { template: {}, placement },
  };
}
