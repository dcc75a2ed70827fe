import { isRecord } from '../../kube/plain/index.ts';
import { type FieldProblem, invalidValue } from '../api/failures.ts';

/** Where a custom resource keeps what its scale shows (API: apiextensions CustomResourceSubresourceScale). */
export interface ScalePaths {
  readonly specReplicasPath: string;
  readonly statusReplicasPath: string;
  readonly labelSelectorPath?: string;
}

const LARGEST = 2 ** 31 - 1;

/** What is wrong with the values that a scale is read from. On the way of a status only those of the status are looked at. */
export function scaleProblems(object: unknown, paths: ScalePaths | undefined, isStatus: boolean): readonly FieldProblem[] {
  if (paths === undefined) return [];
  const { specReplicasPath, statusReplicasPath, labelSelectorPath = '' } = paths;
  return [
    ...(isStatus ? [] : countProblems(object, specReplicasPath)),
    ...countProblems(object, statusReplicasPath),
    ...(labelSelectorPath === '' ? [] : textProblems(object, labelSelectorPath)),
  ];
}

function countProblems(object: unknown, path: string): readonly FieldProblem[] {
  const { value, problem } = readAt(object, path, 'int64');
  if (problem !== undefined) return [invalidValue(path, 0, problem)];
  if (typeof value !== 'number') return [];
  if (value < 0) return [invalidValue(path, value, 'should be a non-negative integer')];
  return value > LARGEST ? [invalidValue(path, value, `should be less than or equal to ${LARGEST}`)] : [];
}

function textProblems(object: unknown, path: string): readonly FieldProblem[] {
  const { problem } = readAt(object, path, 'string');
  return problem === undefined ? [] : [invalidValue(path, '', problem)];
}

function readAt(object: unknown, path: string, wanted: string): { readonly value?: unknown; readonly problem?: string } {
  let value = object;
  let passed = '';
  const misfit = (type: string): { readonly problem: string } => ({
    problem: `${passed} accessor error: ${goValue(value)} is of the type ${goTypeOf(value)}, expected ${type}`,
  });
  for (const name of path.replace(/^\./, '').split('.')) {
    passed += `.${name}`;
    if (value === undefined || value === null) return {};
    if (!isRecord(value)) return misfit('map[string]interface{}');
    value = Object.hasOwn(value, name) ? value[name] : undefined;
  }
  if (value === undefined) return {};
  return goTypeOf(value) === wanted ? { value } : misfit(wanted);
}

function goTypeOf(value: unknown): string {
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return '[]interface {}';
  if (isRecord(value)) return 'map[string]interface {}';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  return typeof value === 'boolean' ? 'bool' : 'string';
}

/** A value as Go prints it. */
function goValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goValue).join(' ')}]`;
  if (!isRecord(value)) return value === null ? '<nil>' : String(value);
  const members = Object.keys(value).toSorted();
  return `map[${members.map((name) => `${name}:${goValue(value[name])}`).join(' ')}]`;
}
