import {
  type AnyObject,
  type ClusterReader,
  ClustersetError,
  isExpired,
  type ListOptions,
  type ObjectList,
  type ResourceType,
} from '../../kube/plain/index.ts';
import type { Clock } from '../clock.ts';
import { patiently } from '../patiently.ts';
import type { CacheFilling } from './object-cache.ts';

/** What {@link listPages} takes. */
export interface ListPagesOptions {
  readonly cluster: ClusterReader;
  readonly type: ResourceType;
  readonly labelSelector: string | undefined;
  readonly namespace: string | undefined;
  /** `0` for what the server remembers, empty for the newest, else a list that is not older. */
  readonly version: string;
  readonly pageSize: number;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Lists everything, and returns the version of the collection. There are pages only where the newest is asked for: what a server answers from its
 * memory has none. Where the history that the pages belong to is gone, everything is listed once more in one piece (client-go's pager).
 */
export async function listPages(options: ListPagesOptions, filling: CacheFilling): Promise<string> {
  const { version, pageSize, clock } = options;
  const paged = version === '' ? { limit: pageSize } : {};
  let page = await onePage(options, { ...paged, ...versionOptions(version) });
  const { resourceVersion } = page;
  const followed = new Set<string>();
  for (;;) {
    for (const object of page.items) filling.add(object);
    if (page.continue === undefined) return resourceVersion;
    // A server that leads back to a page that was there would be followed for ever.
    if (followed.has(page.continue)) throw inCircles(options.cluster.name);
    followed.add(page.continue);
    // Pages are large: lease renewals and the other clusters have their turn between them.
    await clock.turn();
    const next = await onePage(options, { ...paged, continue: page.continue }).catch(passExpired);
    if (next === undefined) return inOnePiece(options, filling);
    page = next;
  }
}

async function inOnePiece(options: ListPagesOptions, filling: CacheFilling): Promise<string> {
  const { items, resourceVersion } = await onePage(options, versionOptions(options.version));
  filling.clear();
  for (const object of items) filling.add(object);
  return resourceVersion;
}

function inCircles(cluster: string): ClustersetError {
  return new ClustersetError({ code: 'InternalError', message: 'the pages of its list go round in circles', cluster });
}

function passExpired(error: unknown): undefined {
  if (!isExpired(error)) throw error;
  return undefined;
}

function versionOptions(version: string): Pick<ListOptions, 'resourceVersion' | 'resourceVersionMatch'> {
  if (version === '') return {};
  if (version === '0') return { resourceVersion: '0' };
  return { resourceVersion: version, resourceVersionMatch: 'NotOlderThan' };
}

function onePage(options: ListPagesOptions, asked: ListOptions): Promise<ObjectList<AnyObject>> {
  const { cluster, type, labelSelector, namespace, timeoutMs, clock, signal } = options;
  const overdue = (): ClustersetError =>
    new ClustersetError({ code: 'Unreachable', message: `it has sent no list within ${timeoutMs} ms`, cluster: cluster.name });
  const list = (own: AbortSignal): Promise<ObjectList<AnyObject>> =>
    cluster.list<AnyObject>(type, { ...asked, signal: own, labelSelector, namespace });
  return patiently(list, { clock, ms: timeoutMs, signals: [signal], overdue });
}
