import type { AnyObject } from '../../kube/plain/index.ts';
import type { ApiServer } from '../api/api-server.ts';
import { listOf, part, textOf } from '../kinds/kind.ts';
import { follow } from './follow.ts';
import { statusOf } from './pod-facts.ts';

/** Where objects have their addresses. */
const ADDRESSES = {
  nodes: (node: AnyObject) => listOf(statusOf(node), 'addresses').map((each) => textOf(each, 'address')),
  pods: (pod: AnyObject) => [textOf(statusOf(pod), 'podIP')],
  services: (service: AnyObject) => listOf(part(statusOf(service), 'loadBalancer'), 'ingress').map((each) => textOf(each, 'ip')),
} as const;

/** More than any range here has. */
const MOST_TRIES = 2 ** 17;

/** Hands out addresses that no stored object of a collection has: objects may have come with theirs, from a snapshot. */
export class Addresses {
  readonly #taken = new Set<string>();
  readonly #make: (index: number) => string;
  readonly #stop: () => void;
  #last: number;

  constructor(server: ApiServer, of: keyof typeof ADDRESSES, make: (index: number) => string, first = 0) {
    this.#make = make;
    this.#last = first;
    this.#stop = follow(server, ({ collection, type, object }) => {
      if (collection !== of) return;
      for (const address of ADDRESSES[of](object)) {
        if (type === 'DELETED') this.#taken.delete(address);
        else this.#taken.add(address);
      }
    });
  }

  next(): string {
    for (let tries = 0; ; tries += 1) {
      this.#last += 1;
      const address = this.#make(this.#last);
      if (!this.#taken.has(address) || tries === MOST_TRIES) return address;
    }
  }

  stop(): void {
    this.#stop();
  }
}
