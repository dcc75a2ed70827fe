/** The fleet of the story. */
export const FLEET = `
- name: eu-1
  labels: { environment: production, region: eu }
- name: us-1
  labels: { environment: production, region: us }
`;

const EVERYWHERE = `placement:
    clusterSelector:
      matchLabels: { environment: production }`;

/** A whole application: every kind of thing that the story wants to see federated. */
export const APPLICATION = `
apiVersion: v1
kind: Namespace
metadata: { name: shop }
---
apiVersion: v1
kind: Namespace
metadata: { name: kube-federation-system }
---
apiVersion: types.kubefed.io/v1beta1
kind: FederatedNamespace
metadata: { name: shop, namespace: shop }
spec:
  ${EVERYWHERE}
---
apiVersion: types.kubefed.io/v1beta1
kind: FederatedConfigMap
metadata: { name: settings, namespace: shop }
spec:
  template:
    data: { currency: EUR, banner: Welcome }
  ${EVERYWHERE}
  overrides:
    - clusterSelector: { matchLabels: { region: us } }
      clusterOverrides:
        - { path: /data/currency, value: USD }
---
apiVersion: types.kubefed.io/v1beta1
kind: FederatedSecret
metadata: { name: payments, namespace: shop }
spec:
  template:
    type: Opaque
    stringData: { api-key: not-a-real-key }
  ${EVERYWHERE}
---
apiVersion: types.kubefed.io/v1beta1
kind: FederatedDeployment
metadata: { name: web, namespace: shop }
spec:
  template:
    spec:
      selector: { matchLabels: { app: web } }
      template:
        metadata: { labels: { app: web } }
        spec:
          containers:
            - name: web
              image: nginx:1.28
              env:
                - { name: REGION, value: eu }
  ${EVERYWHERE}
  overrides:
    - clusterName: us-1
      clusterOverrides:
        - { path: /spec/template/spec/containers/0/image, value: 'nginx:1.29' }
        - { path: /spec/template/spec/containers/0/env/0/value, value: us }
---
apiVersion: scheduling.kubefed.io/v1alpha1
kind: ReplicaSchedulingPreference
metadata: { name: web, namespace: shop }
spec:
  targetKind: FederatedDeployment
  totalReplicas: 6
  rebalance: true
  intersectWithClusterSelector: true
  clusters:
    eu-1: { weight: 1, maxReplicas: 5 }
    us-1: { weight: 1, minReplicas: 2 }
---
apiVersion: types.kubefed.io/v1beta1
kind: FederatedService
metadata: { name: web, namespace: shop }
spec:
  template:
    spec:
      selector: { app: web }
      ports:
        - { port: 80 }
  ${EVERYWHERE}
---
apiVersion: types.kubefed.io/v1beta1
kind: FederatedCustomResourceDefinition
metadata: { name: promotions.shop.example.com }
spec:
  template:
    spec:
      group: shop.example.com
      scope: Namespaced
      names: { kind: Promotion, plural: promotions, singular: promotion }
      versions:
        - name: v1
          served: true
          storage: true
          schema:
            openAPIV3Schema:
              type: object
              properties:
                spec:
                  type: object
                  required: [discountPercent]
                  properties:
                    discountPercent: { type: integer, maximum: 100 }
  ${EVERYWHERE}
---
apiVersion: core.kubefed.io/v1beta1
kind: FederatedTypeConfig
metadata: { name: promotions.shop.example.com, namespace: kube-federation-system }
spec:
  propagation: Enabled
  targetType: { group: shop.example.com, version: v1, kind: Promotion, pluralName: promotions, scope: Namespaced }
  federatedType:
    { group: types.kubefed.io, version: v1beta1, kind: FederatedPromotion, pluralName: federatedpromotions, scope: Namespaced }
---
apiVersion: types.kubefed.io/v1beta1
kind: FederatedPromotion
metadata: { name: autumn, namespace: shop }
spec:
  template:
    spec: { discountPercent: 10 }
  ${EVERYWHERE}
  overrides:
    - clusterSelector: { matchLabels: { region: us } }
      clusterOverrides:
        - { path: /spec/discountPercent, value: 15 }
`;

/** Federated objects in a member. */
export const OBJECTS = 7;

/** Its member object is made by somebody else before. */
export const FOREIGN = `
apiVersion: types.kubefed.io/v1beta1
kind: FederatedConfigMap
metadata: { name: foreign, namespace: shop }
spec:
  template:
    data: { owner: federation }
  ${EVERYWHERE}
`;
