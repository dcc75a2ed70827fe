import { type FederatedType, FederatedTypeConfig } from '../../federation/index.ts';
import {
  type AnyObject,
  type Cluster,
  ClustersetError,
  type Condition,
  isConditionTrue,
  isRecord,
  resourceType,
} from '../../kube/index.ts';
import { type Clock, sleep, systemClock } from '../../runtime/index.ts';
import { ReplicaSchedulingPreference } from '../../scheduling/index.ts';

const CRDS = resourceType('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', 'Cluster');
const PATIENCE_MS = 30_000;
const POLL_MS = 100;

/** What {@link installTypes} takes. */
export interface InstallOptions {
  readonly fieldManager?: string;
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
}

/**
 * Installs on the host what federation needs: the CRDs of the given federated types, of FederatedTypeConfig and of ReplicaSchedulingPreference,
 * and waits until they are served. CRDs that are there already are brought up to date.
 *
 * @throws ClustersetError `Timeout` where one isn't served within 30 s.
 */
export async function installTypes(host: Cluster, types: readonly FederatedType[], options: InstallOptions = {}): Promise<void> {
  const { fieldManager = 'clusterset', signal } = options;
  const crds = [FederatedTypeConfig.crd(), ReplicaSchedulingPreference.crd(), ...types.map(({ federated }) => federated.crd())];
  for (const crd of crds) await host.apply(CRDS, crd as unknown as AnyObject, { fieldManager, force: true, signal });
  for (const { metadata } of crds) await untilEstablished(host, metadata.name, options);
}

async function untilEstablished(host: Cluster, name: string, { clock = systemClock, signal }: InstallOptions): Promise<void> {
  const deadline = clock.monotonic() + PATIENCE_MS;
  for (;;) {
    const crd = await host.get(CRDS, { name }, { signal });
    const status = isRecord(crd?.status) ? crd.status : {};
    if (isConditionTrue(status.conditions as readonly Condition[] | undefined, 'Established')) return;
    if (clock.monotonic() > deadline) {
      throw new ClustersetError({
        code: 'Timeout',
        message: `is not served after ${PATIENCE_MS / 1000} s`,
        cluster: host.name,
        object: { kind: CRDS.kind, name },
        mend: 'look at its conditions',
      });
    }
    await sleep(clock, POLL_MS, signal);
  }
}
