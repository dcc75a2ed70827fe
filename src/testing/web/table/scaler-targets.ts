import { at, type Fields, list, text } from './fields.ts';

const UNKNOWN = '<unknown>';
const percent = (value: unknown, otherwise: string): string => (value === undefined ? otherwise : `${String(value)}%`);

/** Metrics of a resource name it, and may be shares of what is asked for. */
function resourceText(source: Fields, status: Fields): string {
  const { averageValue, averageUtilization } = at(source, 'target');
  const current = at(status, 'current');
  const shown =
    averageValue === undefined
      ? `${percent(current.averageUtilization, UNKNOWN)}/${percent(averageUtilization, '<auto>')}`
      : `${text(current.averageValue, UNKNOWN)}/${text(averageValue)}`;
  return `${text(source.name)}: ${shown}`;
}

function valueText(source: Fields, status: Fields, isAverage: boolean): string {
  const { averageValue, value } = at(source, 'target');
  const current = at(status, 'current');
  if (isAverage) return `${text(current.averageValue, UNKNOWN)}/${text(averageValue)}`;
  if (averageValue !== undefined) return `${text(current.averageValue, UNKNOWN)}/${text(averageValue)} (avg)`;
  return `${text(current.value, UNKNOWN)}/${text(value)}`;
}

const SHOWN: Readonly<Record<string, (metric: Fields, status: Fields) => string>> = {
  Resource: (metric, status) => resourceText(at(metric, 'resource'), at(status, 'resource')),
  ContainerResource: (metric, status) => resourceText(at(metric, 'containerResource'), at(status, 'containerResource')),
  Pods: (metric, status) => valueText(at(metric, 'pods'), at(status, 'pods'), true),
  Object: (metric, status) => valueText(at(metric, 'object'), at(status, 'object'), false),
  External: (metric, status) => valueText(at(metric, 'external'), at(status, 'external'), false),
};

const MOST = 2;

/** What an autoscaler looks at, and what it wants to see: `cpu: 40%/50%`. */
export function scalerTargets(object: Fields): string {
  const metrics = list(at(object, 'spec').metrics);
  if (metrics.length === 0) return '<none>';
  const current = list(at(object, 'status').currentMetrics);
  const all = metrics.map((metric, index) => SHOWN[text(metric.type)]?.(metric, current[index] ?? {}) ?? '<unknown type>');
  const shown = all.slice(0, MOST).join(', ');
  return all.length > MOST ? `${shown} + ${all.length - MOST} more...` : shown;
}
