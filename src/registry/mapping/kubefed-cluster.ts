import { type AnyObject, type Condition, findCondition, isConditionTrue } from '../../kube/index.ts';
import { serverUrl } from '../access/address.ts';
import type { ClusterEndpoint } from '../entry.ts';
import {
  caOf,
  conditionsOf,
  type EntryNaming,
  entryName,
  fromLabels,
  type MappedCluster,
  mapParts,
  type Parts,
  proxyOf,
  recordOf,
  textOf,
  withReady,
} from './mapping.ts';

type Validation = NonNullable<ClusterEndpoint['disabledTLSValidations']>[number];
const VALIDATIONS: ReadonlySet<unknown> = new Set<Validation>(['*', 'SubjectName', 'ValidityPeriod']);

/**
 * The entry of a KubeFedCluster (API: core.kubefed.io/v1beta1). `Offline` and `ConfigMalformed`, beside which kubefed writes no `Ready`, mean
 * that the cluster isn't ready. Where `*` stands beside other validations, they count and it doesn't: the safer reading.
 */
export function entryOfKubeFedCluster(cluster: AnyObject, naming: EntryNaming = 'name'): MappedCluster {
  return mapParts(cluster, (parts) => {
    const { namespace, spec, status, issues } = parts;
    const endpoint = endpointOf(parts);
    const conditions = conditionsOf(parts);
    const secret = textOf(recordOf(spec.secretRef).name);
    const hasSecret = secret !== undefined && namespace !== '';
    if (!hasSecret) issues.push({ field: 'spec.secretRef.name', message: 'names no Secret, so that there are no credentials' });
    const region = textOf(status.region);
    const zones = Array.isArray(status.zones) ? status.zones.filter((zone) => textOf(zone) !== undefined) : [];
    const kubernetesVersion = textOf(status.kubernetesVersion);
    return {
      name: entryName(parts, naming),
      ...fromLabels(parts.labels),
      ...(region === undefined ? {} : { region }),
      ...(zones.length === 0 ? {} : { zones }),
      ...withReady(conditions, readyOf(conditions)),
      ...(endpoint === undefined ? {} : { endpoints: [endpoint] }),
      ...(hasSecret ? { auth: { secret: { namespace, name: secret } } } : {}),
      ...(kubernetesVersion === undefined ? {} : { kubernetesVersion }),
    };
  });
}

function readyOf(conditions: readonly Condition[]): Condition | undefined {
  const ready = findCondition(conditions, 'Ready');
  if (ready !== undefined) return ready;
  const cause = ['Offline', 'ConfigMalformed'].find((type) => isConditionTrue(conditions, type));
  const said = cause === undefined ? undefined : findCondition(conditions, cause);
  return said === undefined ? undefined : { ...said, status: 'False' };
}

function endpointOf({ spec, issues }: Parts): ClusterEndpoint | undefined {
  const { apiEndpoint, caBundle, proxyURL } = spec;
  const read = serverUrl(typeof apiEndpoint === 'string' ? apiEndpoint : '');
  if ('problem' in read) {
    issues.push({ field: 'spec.apiEndpoint', message: `the address ${read.problem}`, mend: read.mend });
    return undefined;
  }
  const disabled = disabledOf(spec.disabledTLSValidations, issues);
  return {
    server: read.url,
    ...caOf(caBundle, 'spec.caBundle', issues),
    ...proxyOf(proxyURL, 'spec.proxyURL', issues),
    ...(disabled.length > 0 ? { disabledTLSValidations: disabled } : {}),
  };
}

function disabledOf(value: unknown, issues: Parts['issues']): Validation[] {
  const listed: readonly unknown[] = Array.isArray(value) ? value : [];
  const followed = new Set(listed.filter((each): each is Validation => VALIDATIONS.has(each)));
  if (followed.size > 1) followed.delete('*');
  const mend = 'use "SubjectName", "ValidityPeriod", or "*" alone';
  listed.forEach((each, index) => {
    if (followed.has(each as Validation)) return;
    const message = each === '*' ? '"*" must stand alone: it is not followed' : 'is no validation that is known';
    issues.push({ field: `spec.disabledTLSValidations[${index}]`, message, mend });
  });
  return [...followed];
}
