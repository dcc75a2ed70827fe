import type { AnyObject } from '../../kube/plain/index.ts';
import { forbiddenField, invalidValue, required } from '../api/failures.ts';
import {
  each,
  type Fields,
  filled,
  filling,
  inside,
  type Kind,
  listOf,
  numberOf,
  part,
  textOf,
  withSpec,
  withStatus,
} from './kind.ts';
import {
  atLeast,
  atMostAll,
  countOrPercent,
  labelSelector,
  NONE,
  notNegative,
  oneOf,
  type Problems,
  unsupported,
  when,
} from './problems.ts';

const CPU = { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } };
const DOUBLE = { type: 'Percent', value: 100, periodSeconds: 15 };
const BEHAVIOR = {
  scaleUp: {
    stabilizationWindowSeconds: 0,
    selectPolicy: 'Max',
    policies: [{ type: 'Pods', value: 4, periodSeconds: 15 }, DOUBLE],
  },
  scaleDown: { selectPolicy: 'Max', policies: [DOUBLE] },
};

const NO_SCALING = { currentMetrics: null, desiredReplicas: 0 };

function scalerStatus(status: Fields): Fields {
  return each(filled(status, NO_SCALING), { conditions: filling({ lastTransitionTime: null }) });
}

/** The field in which each type of metric says what it is about. */
const METRICS: Readonly<Record<string, string>> = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
};

function metricProblems(metric: Fields, path: string): Problems {
  const field = METRICS[textOf(metric, 'type')];
  const given = Object.values(METRICS).filter((name) => metric[name] !== undefined);
  const [first] = given;
  const unknown = unsupported(`${path}.type`, textOf(metric, 'type'), Object.keys(METRICS));
  return [
    ...(first === undefined ? NONE : sourceProblems(part(metric, first), first, `${path}.${first}`)),
    // The server finds this in two ways, and says it twice.
    ...(field === undefined ? [unknown, unknown] : NONE),
    ...when(
      field !== undefined && metric[field] === undefined,
      required(`${path}.${field}`, 'must populate information for the given metric source'),
    ),
    ...given
      .filter((name) => name !== field && field !== undefined)
      .map((name) => forbiddenField(`${path}.${name}`, 'must populate the given metric source only')),
  ];
}

function sourceProblems(source: Fields, type: string, path: string): Problems {
  const target = part(source, 'target');
  const at = `${path}.target`;
  const [kind, utilization] = [textOf(target, 'type'), target.averageUtilization];
  const isResource = type === 'resource' || type === 'containerResource';
  const isKnown = ['Utilization', 'Value', 'AverageValue'].includes(kind);
  const isLow = typeof utilization === 'number' && utilization < 1;
  const isUnset = utilization === undefined && target.averageValue === undefined;
  return [
    ...when(isResource && textOf(source, 'name') === '', required(`${path}.name`, 'must specify a resource name')),
    ...when(kind === '', required(`${at}.type`, 'must specify a metric target type')),
    ...when(!isKnown, invalidValue(`${at}.type`, kind, 'must be either Utilization, Value, or AverageValue')),
    ...when(isLow, invalidValue(`${at}.averageUtilization`, utilization, 'must be greater than 0')),
    ...when(
      isResource && isUnset,
      required(`${at}.averageUtilization`, 'must set either a target raw value or a target utilization'),
    ),
    ...when(
      type === 'pods' && target.averageValue === undefined,
      required(`${at}.averageValue`, 'must specify a positive target averageValue'),
    ),
  ];
}

const [MOST_WINDOW, MOST_PERIOD] = [3600, 1800];

function rulesProblems(rules: Fields, path: string): Problems {
  const window = rules.stabilizationWindowSeconds;
  const policies = listOf(rules, 'policies').flatMap((policy, index) => {
    const at = `${path}.policies[${index}]`;
    const period = numberOf(policy, 'periodSeconds');
    return [
      ...oneOf(`${at}.type`, policy.type, ['Percent', 'Pods']),
      ...when(
        numberOf(policy, 'value') <= 0,
        invalidValue(`${at}.value`, numberOf(policy, 'value'), 'must be greater than zero'),
      ),
      ...when(period <= 0, invalidValue(`${at}.periodSeconds`, period, 'must be greater than zero')),
      ...when(period > MOST_PERIOD, invalidValue(`${at}.periodSeconds`, period, `must be less than or equal to ${MOST_PERIOD}`)),
    ];
  });
  return [
    ...when(
      typeof window === 'number' && window < 0,
      invalidValue(`${path}.stabilizationWindowSeconds`, window, 'must be greater than or equal to zero'),
    ),
    ...when(
      typeof window === 'number' && window > MOST_WINDOW,
      invalidValue(`${path}.stabilizationWindowSeconds`, window, `must be less than or equal to ${MOST_WINDOW}`),
    ),
    ...oneOf(`${path}.selectPolicy`, rules.selectPolicy, ['Disabled', 'Max', 'Min']),
    ...when(listOf(rules, 'policies').length === 0, required(`${path}.policies`, 'must specify at least one Policy')),
    ...policies,
  ];
}

const TO_ZERO = 'must specify at least one Object or External metric to support scaling to zero replicas';

function validateScaler(object: AnyObject): Problems {
  const spec = part(object, 'spec');
  const [least, most] = [numberOf(spec, 'minReplicas'), numberOf(spec, 'maxReplicas')];
  const target = part(spec, 'scaleTargetRef');
  const metrics = listOf(spec, 'metrics');
  const isExternal = metrics.some(({ type }) => type === 'Object' || type === 'External');
  const version = textOf(target, 'apiVersion');
  const behavior = part(spec, 'behavior');
  return [
    ...atLeast('spec.minReplicas', spec.minReplicas, 1),
    ...when(most < 1, required('spec.maxReplicas', 'must be set and greater than 0')),
    ...when(most < least, invalidValue('spec.maxReplicas', most, 'must be greater than or equal to `minReplicas`')),
    ...['kind', 'name'].flatMap((name) => when(textOf(target, name) === '', required(`spec.scaleTargetRef.${name}`))),
    ...when(version === '', invalidValue('spec.scaleTargetRef.apiVersion', version, 'apiVersion must specify API group')),
    ...metrics.flatMap((metric, index) => metricProblems(metric, `spec.metrics[${index}]`)),
    ...when(spec.minReplicas === 0 && !isExternal, forbiddenField('spec.metrics', TO_ZERO)),
    ...['scaleUp', 'scaleDown'].flatMap((name) =>
      behavior[name] === undefined ? NONE : rulesProblems(part(behavior, name), `spec.behavior.${name}`),
    ),
  ];
}

export const horizontalPodAutoscaler: Kind = {
  defaults: (object) =>
    withStatus(
      withSpec(object, (spec) => {
        const based = filled(spec, { minReplicas: 1, metrics: [CPU] });
        const { scaleUp, scaleDown } = BEHAVIOR;
        const behaved = (behavior: Fields): Fields =>
          inside({ scaleUp: {}, scaleDown: {}, ...behavior }, { scaleUp: filling(scaleUp), scaleDown: filling(scaleDown) });
        return inside(filled(based, { maxReplicas: 0 }), { behavior: behaved });
      }),
      scalerStatus,
    ),
  prepareCreate: (object) => ({ ...object, status: NO_SCALING }),
  validate: validateScaler,
};

const NO_BUDGET = { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 };

export const podDisruptionBudget: Kind = {
  defaults: (object) => withStatus(object, filling(NO_BUDGET)),
  prepareCreate: (object) => ({ ...object, status: NO_BUDGET }),
  validate: (object) => {
    const spec = part(object, 'spec');
    const { minAvailable, maxUnavailable, unhealthyPodEvictionPolicy = null } = spec;
    const shown = {
      MinAvailable: minAvailable,
      Selector: spec.selector ?? null,
      MaxUnavailable: maxUnavailable,
      UnhealthyPodEvictionPolicy: unhealthyPodEvictionPolicy,
    };
    const isBoth = minAvailable !== undefined && maxUnavailable !== undefined;
    return [
      ...when(isBoth, invalidValue('spec', shown, 'minAvailable and maxUnavailable cannot be both set')),
      ...['minAvailable', 'maxUnavailable'].flatMap((name) => [
        ...countOrPercent(`spec.${name}`, spec[name]),
        ...atMostAll(`spec.${name}`, spec[name]),
      ]),
      ...labelSelector('spec.selector', part(spec, 'selector')),
      ...oneOf('spec.unhealthyPodEvictionPolicy', spec.unhealthyPodEvictionPolicy, ['AlwaysAllow', 'IfHealthyBudget']),
      ...notNegative('status', part(object, 'status'), ...Object.keys(NO_BUDGET)),
    ];
  },
};
