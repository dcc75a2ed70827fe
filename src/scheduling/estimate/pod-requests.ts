import { type Amounts, add, addAll, raiseTo, readAmount } from './amounts.ts';
import { listOf, type Members, membersOf, textOf } from './json.ts';
import type { Report } from './problem.ts';

/**
 * What a pod with this spec holds of a node, as kube-scheduler counts it: its containers and sidecars together, or more where its
 * init containers need more while they run (KEP-753), or what the pod as a whole asks for (KEP-2837), and its overhead in any case. What
 * has a limit and no request asks for its limit. The pod itself, which counts against the pods of a node, isn't among it.
 */
export function requestsOfPod(spec: unknown, report: Report): Amounts {
  const requests = ofContainers(spec, report);
  ofPodAsAWhole(spec, requests, report);
  addAll(requests, read(membersOf(spec, 'overhead'), 'spec.overhead', report));
  return requests;
}

function ofContainers(spec: unknown, report: Report): Amounts {
  const requests: Amounts = new Map();
  listOf(spec, 'containers').forEach((container, index) => {
    addAll(requests, ofContainer(container, report, 'containers', index));
  });
  const initContainers = listOf(spec, 'initContainers');
  if (initContainers.length === 0) return requests;
  const sidecars: Amounts = new Map();
  const most: Amounts = new Map();
  initContainers.forEach((container, index) => {
    const own = ofContainer(container, report, 'initContainers', index);
    // A sidecar runs on beside everything that starts after it; another init container runs beside the sidecars before it.
    const isSidecar = textOf(container, 'restartPolicy') === 'Always';
    if (isSidecar) addAll(requests, own);
    if (isSidecar) addAll(sidecars, own);
    else addAll(own, sidecars);
    raiseTo(most, isSidecar ? sidecars : own);
  });
  raiseTo(requests, most);
  return requests;
}

function ofContainer(container: unknown, report: Report, list: string, index: number): Amounts {
  const resources = membersOf(container, 'resources');
  const at = (): string => `spec.${list}[${index}].resources`;
  const requests = read(membersOf(resources, 'requests'), () => `${at()}.requests`, report);
  const limits = membersOf(resources, 'limits');
  for (const name of Object.keys(limits)) {
    if (!requests.has(name))
      add(
        requests,
        name,
        amountOf(limits, name, () => `${at()}.limits`, report),
      );
  }
  return requests;
}

/** Of these a pod as a whole may ask for some (KEP-2837): then it doesn't matter what its containers ask for. */
function isForPods(name: string): boolean {
  return name === 'cpu' || name === 'memory' || name.startsWith('hugepages-');
}

function ofPodAsAWhole(spec: unknown, requests: Amounts, report: Report): void {
  const resources = membersOf(spec, 'resources');
  for (const [name, amount] of read(membersOf(resources, 'requests'), 'spec.resources.requests', report)) {
    if (isForPods(name)) requests.set(name, amount);
  }
  const asked = membersOf(resources, 'requests');
  for (const [name, amount] of read(membersOf(resources, 'limits'), 'spec.resources.limits', report)) {
    if (isForPods(name) && !Object.hasOwn(asked, name) && !requests.has(name)) requests.set(name, amount);
  }
}

type Path = string | (() => string);

/** Quantities by resource. What is no quantity, or less than nothing, is reported and counts as 0. */
export function read(quantities: Members, at: Path, report: Report): Amounts {
  const amounts: Amounts = new Map();
  for (const name of Object.keys(quantities)) amounts.set(name, amountOf(quantities, name, at, report));
  return amounts;
}

function amountOf(quantities: Members, name: string, at: Path, report: Report): number {
  const amount = readAmount(name, quantities[name]);
  if (amount !== undefined && amount >= 0) return amount;
  const field = `${typeof at === 'string' ? at : at()}[${name}]`;
  report(field, amount === undefined ? `${shown(quantities[name])} is no quantity` : 'must not be negative');
  return 0;
}

function shown(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? JSON.stringify(value).slice(0, 60) : `a ${typeof value}`;
}
