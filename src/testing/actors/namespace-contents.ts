import type { AnyObject } from '../../kube/plain/index.ts';
import type { Step } from './step.ts';

const CA = 'kube-root-ca.crt';
const DESCRIPTION =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

/** What is in every namespace of a cluster with controllers: the ServiceAccount `default`, and the certificate of the API server. */
export const CONTENTS = { serviceaccounts: 'default', configmaps: CA } as const;

/** What a namespace lacks of that. `has` says whether it is there. */
export function fillNamespace(
  namespace: AnyObject,
  certificate: string,
  has: (collection: keyof typeof CONTENTS) => boolean,
): readonly Step[] {
  if (namespace.metadata.deletionTimestamp !== undefined) return [];
  const { name } = namespace.metadata;
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: CONTENTS.serviceaccounts, namespace: name } };
  const bundle = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: CA, namespace: name, annotations: { 'kubernetes.io/description': DESCRIPTION } },
    data: { 'ca.crt': certificate },
  };
  return [
    ...(has('serviceaccounts') ? [] : [{ op: 'create', of: 'serviceaccounts', object: account } as const]),
    ...(has('configmaps') ? [] : [{ op: 'create', of: 'configmaps', object: bundle } as const]),
  ];
}
