import { type ClusterStatus, entryOf, type FederatedStatus, type Step, type StepResult } from '../federation/index.ts';
import { formatReference, type ObjectReference } from '../kube/index.ts';
import { count, table } from './output.ts';
import type { Style, Terminal } from './terminal.ts';

/** How one object is doing in one cluster. */
export interface State extends Omit<ClusterStatus, 'name'> {
  readonly object: ObjectReference;
  readonly cluster: string;
}

/** How the objects of a federation are doing, for `-o json` and `-o yaml`. */
export interface StateReport {
  readonly clusters: readonly string[];
  /** By object, then by cluster. */
  readonly states: readonly State[];
}

/** Whether everything that should be somewhere is there and rolled out. Clusters that nobody knows may be allowed. */
export function isSettled({ states }: StateReport, allowsUnknown = false): boolean {
  return states.every(
    ({ status, rollout }) => (status === undefined && rollout === 'Complete') || (allowsUnknown && status === 'UnknownCluster'),
  );
}

function stateOf(object: ObjectReference, { name, ...entry }: ClusterStatus): State {
  return { object, cluster: name, ...entry };
}

/** What a federated object's status on the host says. */
export function statesOf(object: ObjectReference, status: FederatedStatus | undefined): readonly State[] {
  return (status?.clusters ?? []).map((entry) => stateOf(object, entry));
}

/** What was found by looking at a cluster. Nothing, where nothing should be there and nothing is in the way. */
export function stateOfResult(object: ObjectReference, result: StepResult, why: string | undefined): readonly State[] {
  const entry = entryOf(result, why);
  const isThere = result.step.op !== 'delete' && result.step.op !== 'release' && result.live !== undefined;
  return isThere || entry.status !== undefined ? [stateOf(object, entry)] : [];
}

/** What a step that isn't carried out says about a cluster. */
export function stateOfStep(object: ObjectReference, step: Step): readonly State[] {
  const state = (status: string, message = step.reason): readonly State[] => [{ object, cluster: step.cluster, status, message }];
  switch (step.op) {
    case 'create':
      return state('Missing');
    case 'update':
      return state('Outdated', `differs in ${step.changes.map(({ path }) => path).join(', ')}`);
    case 'delete':
    case 'release':
      return state('Superfluous');
    default:
      return stateOfResult(object, { step, ...('live' in step ? { live: step.live } : {}) }, undefined);
  }
}

/** The widest matrix that is still easier to read than a list. */
const MATRIX = 8;

/** Objects × clusters, and below what there is to say about single ones. */
export function stateText({ clusters, states }: StateReport, { style }: Pick<Terminal, 'style'>): string {
  const names = [...new Set(states.map(({ object }) => formatReference(object)))];
  if (names.length === 0) return 'There are no federated objects.';
  const find = (name: string, cluster: string): State | undefined =>
    states.find((state) => state.cluster === cluster && formatReference(state.object) === name);
  const rows =
    clusters.length <= MATRIX
      ? [['OBJECT', ...clusters], ...names.map((name) => [name, ...clusters.map((cluster) => cellOf(find(name, cluster)))])]
      : [['OBJECT', 'CLUSTER', 'STATE'], ...states.map((state) => [formatReference(state.object), state.cluster, cellOf(state)])];
  const paint = (text: string, cell: string, row: number): string => {
    const look = row === 0 ? 'bold' : lookOf(cell);
    return look === undefined ? text : style(look, text);
  };
  return [table(rows, paint), ...notes(states)].join('\n');
}

/** One cell: `ready 4/4`, `progressing 1/4`, `ClusterNotReady`. */
function cellOf(state: State | undefined): string {
  if (state === undefined) return '-';
  if (state.status !== undefined) return state.status;
  const words: Readonly<Record<string, string>> = { Complete: 'ready', Progressing: 'progressing', Failed: 'failed' };
  const replicas = state.replicas === undefined ? '' : ` ${state.readyReplicas ?? 0}/${state.replicas}`;
  return `${words[state.rollout ?? ''] ?? 'unknown'}${replicas}`;
}

const LOOKS: Readonly<Record<string, Style>> = { ready: 'green', progressing: 'yellow', failed: 'red', unknown: 'yellow' };

/** States are words; anything else with a capital is what is in the way. */
function lookOf(cell: string): Style | undefined {
  return LOOKS[cell.split(' ')[0] ?? ''] ?? (/^[A-Z][A-Za-z]+$/.test(cell) ? 'red' : undefined);
}

/** What there is to say about single cells; said once where many objects share it. */
function notes(states: readonly State[]): readonly string[] {
  const groups = new Map<string, State[]>();
  for (const state of states) {
    if (state.message === undefined || state.message === '') continue;
    const key = `${state.cluster}\n${state.message}`;
    groups.set(key, [...(groups.get(key) ?? []), state]);
  }
  const rows = [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const subject = group.length === 1 ? formatReference(first.object) : count(group.length, 'object');
    return [[subject, first.cluster, first.message ?? '']];
  });
  return rows.length === 0 ? [] : ['', table(rows)];
}
