import { tolerates as isFor } from '../filter/tolerations.ts';
import { listOf, textOf } from './json.ts';

/** What a pod doesn't mind of a node (API: core/v1 Toleration). For placing a pod `tolerationSeconds` don't matter. */
export interface NodeToleration {
  /** Default: every key. */
  readonly key?: string;
  /** Default `Equal`. */
  readonly operator?: string;
  readonly value?: string;
  /** Default: every effect. */
  readonly effect?: string;
}

/** What keeps pods off a node (API: core/v1 Taint). */
export interface NodeTaint {
  readonly key: string;
  readonly value?: string;
  readonly effect: 'NoSchedule' | 'NoExecute';
}

/** How a cordoned node is named in a toleration (API: well-known taints). */
export const CORDONED: NodeTaint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };

/** The taints that keep pods off; `PreferNoSchedule` doesn't. By key, value and effect. */
export function taintsOf(spec: unknown): readonly NodeTaint[] {
  return listOf(spec, 'taints').flatMap((taint): NodeTaint[] => {
    const [key, value, effect] = [textOf(taint, 'key'), textOf(taint, 'value'), textOf(taint, 'effect')];
    if (key === undefined || (effect !== 'NoSchedule' && effect !== 'NoExecute')) return [];
    return [{ key, ...(value === undefined ? {} : { value }), effect }];
  });
}

/** The tolerations of a pod. */
export function tolerationsOf(spec: unknown): readonly NodeToleration[] {
  return listOf(spec, 'tolerations').map((toleration) => {
    const fields = ['key', 'operator', 'value', 'effect'].map((name) => [name, textOf(toleration, name)] as const);
    return Object.fromEntries(fields.filter(([, value]) => value !== undefined)) as NodeToleration;
  });
}

/** Whether one of the tolerations is for the taint. */
export function tolerates(tolerations: readonly NodeToleration[], taint: NodeTaint): boolean {
  return tolerations.some((each) => isFor(each, taint));
}
