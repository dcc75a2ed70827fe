import {
  type AnyObject,
  type FieldRequirement,
  isClustersetError,
  type LabelRequirements,
  matchesFields,
  matchesLabels,
  parseFieldSelector,
  parseLabelSelector,
  type SelectOptions,
  valueAt,
} from '../../kube/index.ts';
import type { Served } from './catalogue.ts';
import { badRequest } from './failures.ts';

/** Whether an object is meant by a list or a watch. */
export type Matcher = (object: AnyObject) => boolean;

/** Fields that can be selected by, beside name and namespace. */
const SELECTABLE: Readonly<Record<string, readonly string[]>> = {
  pods: [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.nominatedNodeName',
  ],
  namespaces: ['status.phase'],
  events: [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.resourceVersion',
    'involvedObject.fieldPath',
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
  nodes: ['spec.unschedulable'],
  secrets: ['type'],
  'replicasets.apps': ['status.replicas'],
  'jobs.batch': ['status.successful'],
};

/** Reads selectors. @throws StatusError 400 where one doesn't parse, or names a field that can't be selected by. */
export function matcher(served: Served, { namespace, labelSelector = '', fieldSelector = '' }: SelectOptions): Matcher {
  const labels = readLabels(labelSelector);
  const fields = readFields(fieldSelector, served);
  return (object) =>
    (namespace === undefined || namespace === '' || served.type.scope === 'Cluster' || object.metadata.namespace === namespace) &&
    matchesLabels(labels, object.metadata.labels) &&
    matchesFields(fields, (field) => {
      const value = valueAt(object, field.split('.'));
      return value === undefined ? undefined : String(value);
    });
}

function readLabels(text: string): LabelRequirements {
  try {
    return parseLabelSelector(text);
  } catch (error) {
    throw isClustersetError(error) ? badRequest(error.detail) : error;
  }
}

function readFields(text: string, served: Served): readonly FieldRequirement[] {
  try {
    const requirements = parseFieldSelector(text);
    const known = ['metadata.name', 'metadata.namespace', ...(SELECTABLE[served.collection] ?? [])];
    const unknown = requirements.find(({ field }) => !known.includes(field));
    if (unknown === undefined) return requirements;
    throw badRequest(
      served.custom === undefined
        ? `${unknown.field} is not a known field selector: only "metadata.name", "metadata.namespace"`
        : `field label not supported: ${unknown.field}`,
    );
  } catch (error) {
    throw isClustersetError(error) ? badRequest(error.detail) : error;
  }
}
