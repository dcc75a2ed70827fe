import {
  type AnyObject,
  deepEqual,
  isClustersetError,
  type LabelSelector,
  matchesLabels,
  requirementsOf,
} from '../../kube/index.ts';
import { type FieldProblem, invalidValue, required } from '../api/failures.ts';
import { type Fields, filled, type Kind, listOf, part, withSpec } from './kind.ts';
import { podSpecDefaults, templateDefaults } from './pod-template.ts';

const ROLLING = { maxUnavailable: '25%', maxSurge: '25%' };

function deploymentDefaults(object: AnyObject): AnyObject {
  return withSpec(object, (spec) => {
    const strategy = filled(part(spec, 'strategy'), { type: 'RollingUpdate' });
    const rolling = strategy.type === 'RollingUpdate' ? { rollingUpdate: filled(part(strategy, 'rollingUpdate'), ROLLING) } : {};
    return {
      ...filled(spec, { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 }),
      strategy: { ...strategy, ...rolling },
      template: templateDefaults(part(spec, 'template')),
    };
  });
}

function replicaSetDefaults(object: AnyObject): AnyObject {
  return withSpec(object, (spec) => ({ ...filled(spec, { replicas: 1 }), template: templateDefaults(part(spec, 'template')) }));
}

function statefulSetDefaults(object: AnyObject): AnyObject {
  return withSpec(object, (spec) => {
    const strategy = filled(part(spec, 'updateStrategy'), { type: 'RollingUpdate' });
    const rolling =
      strategy.type === 'RollingUpdate' ? { rollingUpdate: filled(part(strategy, 'rollingUpdate'), { partition: 0 }) } : {};
    return {
      ...filled(spec, {
        replicas: 1,
        podManagementPolicy: 'OrderedReady',
        revisionHistoryLimit: 10,
        persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      }),
      updateStrategy: { ...strategy, ...rolling },
      template: templateDefaults(part(spec, 'template')),
    };
  });
}

function daemonSetDefaults(object: AnyObject): AnyObject {
  return withSpec(object, (spec) => {
    const strategy = filled(part(spec, 'updateStrategy'), { type: 'RollingUpdate' });
    const rolling =
      strategy.type === 'RollingUpdate'
        ? { rollingUpdate: filled(part(strategy, 'rollingUpdate'), { maxUnavailable: 1, maxSurge: 0 }) }
        : {};
    return {
      ...filled(spec, { revisionHistoryLimit: 10 }),
      updateStrategy: { ...strategy, ...rolling },
      template: templateDefaults(part(spec, 'template')),
    };
  });
}

/** A workload selects its own pods, and never changes which. */
function validateSelector(object: AnyObject, old: AnyObject | undefined): readonly FieldProblem[] {
  const spec = part(object, 'spec');
  if (spec.selector === undefined) return [required('spec.selector')];
  const labels = part(part(part(spec, 'template'), 'metadata'), 'labels');
  const problems: FieldProblem[] = [];
  try {
    const requirements = requirementsOf(spec.selector as LabelSelector);
    if (requirements.length === 0)
      problems.push(invalidValue('spec.selector', spec.selector, 'empty selector is invalid for deployment'));
    else if (!matchesLabels(requirements, labels as Readonly<Record<string, string>>)) {
      problems.push(invalidValue('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'));
    }
  } catch (error) {
    if (!isClustersetError(error)) throw error;
    problems.push(invalidValue('spec.selector', spec.selector, error.detail));
  }
  if (old !== undefined && !deepEqual(part(old, 'spec').selector, spec.selector)) {
    problems.push(invalidValue('spec.selector', spec.selector, 'field is immutable'));
  }
  return problems;
}

function validateWorkload(object: AnyObject, old: AnyObject | undefined): readonly FieldProblem[] {
  const spec = part(object, 'spec');
  const negative =
    typeof spec.replicas === 'number' && spec.replicas < 0
      ? [invalidValue('spec.replicas', spec.replicas, 'must be greater than or equal to 0')]
      : [];
  return [
    ...negative,
    ...validateSelector(object, old),
    ...validatePodSpec(part(part(spec, 'template'), 'spec'), 'spec.template.spec'),
  ];
}

function validatePodSpec(spec: Fields, path: string): readonly FieldProblem[] {
  const containers = listOf(spec, 'containers');
  if (containers.length === 0) return [required(`${path}.containers`)];
  return containers.flatMap((container, index) =>
    ['name', 'image']
      .filter((field) => (container[field] ?? '') === '')
      .map((field) => required(`${path}.containers[${index}].${field}`)),
  );
}

export const deployment: Kind = { defaults: deploymentDefaults, validate: validateWorkload };
export const replicaSet: Kind = { defaults: replicaSetDefaults, validate: validateWorkload };
export const statefulSet: Kind = { defaults: statefulSetDefaults, validate: validateWorkload };
export const daemonSet: Kind = { defaults: daemonSetDefaults, validate: validateWorkload };

export const pod: Kind = {
  defaults: (object) => withSpec(object, (spec) => filled(podSpecDefaults(spec), { enableServiceLinks: true })),
  prepareCreate: (object) => ({ ...object, status: { phase: 'Pending', qosClass: 'BestEffort' } }),
  validate: (object) => validatePodSpec(part(object, 'spec'), 'spec'),
};
