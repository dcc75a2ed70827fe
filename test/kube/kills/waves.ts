import type { AnyObject } from 'clusterset/kube';
import { Dice } from '../differential/dice.ts';
import { MEMBERS, NAMESPACE } from './federated.ts';

/** What somebody wants of one federated ConfigMap. */
export interface Wish {
  readonly name: string;
  readonly value: string;
  readonly clusters: readonly string[];
}

/** One thing that somebody does on the host. */
export type Act = { readonly does: 'put'; readonly wish: Wish } | { readonly does: 'delete'; readonly name: string };

/** Many changes at once. */
export interface Wave {
  readonly kind: 'create' | 'change' | 'move' | 'delete' | 'clear';
  readonly acts: readonly Act[];
  /** What is wanted once it is through, by name. */
  readonly wishes: ReadonlyMap<string, Wish>;
  /** How much of it has arrived in members when something is killed, in percent. */
  readonly killAt: number;
  /** How long what was killed is away. */
  readonly awayMs: number;
}

/** How many federated objects there are; each is in two members. */
const OBJECTS = 150;
/** With fewer, some are created. */
const FEW = 100;
const NAMES = Array.from({ length: OBJECTS }, (_, index) => `settings-${index}`);

/** A wave, drawn: it concerns every object there is. `round` makes its values differ from those of any other. */
export function drawWave(seed: number, round: number, before: ReadonlyMap<string, Wish>): Wave {
  const dice = new Dice(seed + Math.imul(round, 7919));
  const kinds = [[4, 'change'] as const, [3, 'move'] as const, [2, 'delete'] as const, [3, 'clear'] as const];
  const kind = before.size < FEW ? 'create' : dice.weighted<Wave['kind']>(kinds);
  const acts = dice.some(NAMES, NAMES.length, NAMES.length).flatMap((name): Act[] => {
    const isThere = before.has(name);
    if (!isThere && kind !== 'create') return [];
    const isDeleted = kind === 'clear' || (kind === 'delete' && dice.percent(40));
    if (isThere && isDeleted) return [{ does: 'delete', name }];
    const clusters = kind === 'move' && dice.percent(40) ? [dice.pick(MEMBERS)] : MEMBERS;
    return [{ does: 'put', wish: { name, value: `${round}-${dice.below(1000)}`, clusters } }];
  });
  const wishes = new Map(acts.flatMap((act) => (act.does === 'put' ? [[act.wish.name, act.wish] as const] : [])));
  return { kind, acts, wishes, killAt: 5 + dice.below(56), awayMs: 100 + dice.below(1400) };
}

/** What somebody writes on the host: in one member, a value differs. */
export function federatedConfigMap({ name, value, clusters }: Wish): AnyObject {
  const [first] = MEMBERS;
  const spec = {
    template: { data: { value, where: 'anywhere' } },
    placement: { clusters: clusters.map((each) => ({ name: each })) },
    overrides: [{ clusterName: first, clusterOverrides: [{ op: 'replace', path: '/data/where', value: `only ${first}` }] }],
  };
  const metadata = { namespace: NAMESPACE, name };
  return { apiVersion: 'types.kubefed.io/v1beta1', kind: 'FederatedConfigMap', metadata, spec };
}
