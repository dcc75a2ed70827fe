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
} from '../../kube/plain/index.ts';
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
  'events.events.k8s.io': [
    'regarding.kind',
    'regarding.namespace',
    'regarding.name',
    'regarding.uid',
    'regarding.apiVersion',
    'regarding.resourceVersion',
    'regarding.fieldPath',
    'reason',
    'reportingController',
    'type',
  ],
  nodes: ['spec.unschedulable'],
  services: ['spec.clusterIP', 'spec.type'],
  secrets: ['type'],
  'replicasets.apps': ['status.replicas'],
  'jobs.batch': ['status.successful'],
};

/** Whether an object is of the namespace that is asked for, if any is. */
export function isIn(object: AnyObject, { type }: Served, { namespace = '' }: SelectOptions): boolean {
  return namespace === '' || type.scope === 'Cluster' || object.metadata.namespace === namespace;
}

/** Whether selectors can be read, whatever they select by. @throws StatusError 400 where they can't. */
export function checkSyntax({ labelSelector = '', fieldSelector = '' }: SelectOptions): void {
  readLabels(labelSelector);
  try {
    parseFieldSelector(fieldSelector);
  } catch (error) {
    throw isClustersetError(error) ? badRequest(error.detail) : error;
  }
}

/** Reads selectors. @throws StatusError 400 where one doesn't parse, or names a field that can't be selected by. */
export function matcher(served: Served, options: SelectOptions): Matcher {
  const { labelSelector = '', fieldSelector = '' } = options;
  const labels = readLabels(labelSelector);
  const fields = readFields(fieldSelector, served);
  return (object) =>
    isIn(object, served, options) &&
    matchesLabels(labels, object.metadata.labels) &&
    matchesFields(fields, (field) => {
      const path = served.resource === 'events' && field === 'source' ? sourcePath(object) : field.split('.');
      const value = valueAt(object, path);
      return value === undefined ? undefined : String(value);
    });
}

/** The source of an event is its component, or who reports it. */
function sourcePath(object: AnyObject): readonly string[] {
  const path = ['source', 'component'];
  return (valueAt(object, path) ?? '') === '' ? ['reportingComponent'] : path;
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
    const known = ['metadata.name', 'metadata.namespace', ...(SELECTABLE[served.resource] ?? [])];
    const unknown = requirements.find(({ field }) => !known.includes(field));
    if (unknown === undefined) return requirements;
    throw badRequest(
      served.custom === undefined && SELECTABLE[served.resource] === undefined
        ? `"${unknown.field}" is not a known field selector: only "metadata.name", "metadata.namespace"`
        : `field label not supported: ${unknown.field}`,
    );
  } catch (error) {
    throw isClustersetError(error) ? badRequest(error.detail) : error;
  }
}
