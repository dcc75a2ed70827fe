import type { Answer, Asked } from './ask.ts';

/** A cluster, its requests, and a namespace of a scenario's own. */
export interface Side {
  readonly namespace: string;
  ask(asked: Asked): Promise<Answer>;
  /** Waits until it is so. */
  until(what: string, check: () => Promise<boolean>): Promise<void>;
}

/** What is done to a real cluster with controllers and to an offline one with nodes, and how both look in the end. */
export interface Scenario {
  readonly name: string;
  readonly act: (side: Side) => Promise<unknown>;
}

interface Metadata {
  readonly name: string;
  readonly uid: string;
  readonly deletionTimestamp?: string;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly { readonly name: string; readonly kind: string; readonly blockOwnerDeletion?: boolean }[];
}

interface Thing {
  readonly metadata: Metadata;
  readonly status?: Readonly<Record<string, unknown>>;
}

const core = ({ namespace }: Side): string => `/api/v1/namespaces/${namespace}`;
const apps = ({ namespace }: Side): string => `/apis/apps/v1/namespaces/${namespace}`;

async function items(side: Side, path: string): Promise<readonly Thing[]> {
  const { body } = await side.ask({ method: 'GET', path });
  return (body as { items: readonly Thing[] }).items.filter(({ metadata: { name } }) => name !== 'kube-root-ca.crt');
}

async function object(side: Side, path: string): Promise<Thing | undefined> {
  const { code, body } = await side.ask({ method: 'GET', path });
  return code === 200 ? (body as Thing) : undefined;
}

/** How things stand: which are there, who owns them, and what holds them. */
function pictured({ metadata }: Thing): unknown {
  return {
    name: metadata.name.replace(/-[a-z0-9]{8,10}(-[a-z0-9]{5})?$/, '-*'),
    isTerminating: metadata.deletionTimestamp !== undefined,
    finalizers: metadata.finalizers,
    owners: metadata.ownerReferences?.map(({ name, kind, blockOwnerDeletion }) => ({
      kind,
      name: name.replace(/-[a-z0-9]{8,10}$/, '-*'),
      blockOwnerDeletion,
    })),
  };
}

const byText = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

async function picture(side: Side): Promise<unknown> {
  const all = await Promise.all(
    [`${core(side)}/configmaps`, `${core(side)}/pods`, `${apps(side)}/replicasets`, `${apps(side)}/deployments`].map((path) =>
      items(side, path),
    ),
  );
  return all.flat().map(pictured).toSorted(byText);
}

/** A ConfigMap that belongs to others; `!` before a name says that it blocks them, and `~` before its own that it is held. */
async function make(side: Side, name: string, owners: readonly string[] = [], kind = 'ConfigMap'): Promise<void> {
  const plain = name.replace('~', '');
  const ownerReferences = await Promise.all(
    owners.map(async (owner) => {
      const of = owner.replace('!', '');
      const uid = (await object(side, `${core(side)}/configmaps/${of}`))?.metadata.uid ?? '00000000-0000-0000-0000-000000000000';
      return {
        apiVersion: kind === 'ConfigMap' ? 'v1' : 'example.com/v1',
        kind,
        name: of,
        uid,
        blockOwnerDeletion: owner.startsWith('!'),
      };
    }),
  );
  const finalizers = name.startsWith('~') ? ['example.com/hold'] : [];
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: plain, finalizers, ownerReferences } };
  const { code } = await side.ask({ method: 'POST', path: `${core(side)}/configmaps`, body });
  if (code !== 201) throw new Error(`${plain} was not created: ${code}`);
}

const end = (side: Side, name: string, propagationPolicy: string): Promise<Answer> =>
  side.ask({ method: 'DELETE', path: `${core(side)}/configmaps/${name}`, body: { propagationPolicy } });

const patch = (side: Side, path: string, body: unknown): Promise<Answer> =>
  side.ask({ method: 'PATCH', path, body, type: 'application/merge-patch+json' });

const release = (side: Side, name: string): Promise<Answer> =>
  side.ask({
    method: 'PATCH',
    path: `${core(side)}/configmaps/${name}`,
    body: [{ op: 'remove', path: '/metadata/finalizers/0' }],
    type: 'application/json-patch+json',
  });

/** Until these, and no others, are there. */
const left = (side: Side, ...names: readonly string[]): Promise<void> =>
  side.until(`only ${names.join(', ') || 'nothing'} is left`, async () => {
    const found = await items(side, `${core(side)}/configmaps`);
    return (
      found
        .map(({ metadata }) => metadata.name)
        .toSorted()
        .join() === names.toSorted().join()
    );
  });

const marked = (side: Side, ...names: readonly string[]): Promise<void> =>
  side.until(`${names.join(', ')} are being deleted`, async () => {
    const found = await items(side, `${core(side)}/configmaps`);
    const going = found.filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
    return names.every((name) => going.some(({ metadata }) => metadata.name === name));
  });

const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'shop/web:1' }] } };
const selector = { matchLabels: { app: 'web' } };

async function rollOut(side: Side, replicas: number): Promise<void> {
  const body = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec: { replicas, selector, template } };
  await side.ask({ method: 'POST', path: `${apps(side)}/deployments`, body });
  await side.until('the Deployment is available', async () => {
    const found = await object(side, `${apps(side)}/deployments/web`);
    return found?.status?.availableReplicas === replicas;
  });
}

const endDeployment = (side: Side, propagationPolicy: string): Promise<Answer> =>
  side.ask({ method: 'DELETE', path: `${apps(side)}/deployments/web`, body: { propagationPolicy } });

const gone = (side: Side, path: string): Promise<void> =>
  side.until(`${path} is gone`, async () => (await object(side, path)) === undefined);

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'an owner in the foreground, with dependents that block it and others',
    async act(side) {
      await make(side, 'owner');
      await make(side, '~child', ['!owner']);
      await make(side, '~grandchild', ['!child']);
      await make(side, '~free', ['owner']);
      await end(side, 'owner', 'Foreground');
      await marked(side, 'child', 'grandchild', 'free');
      const first = await picture(side);
      await release(side, 'grandchild');
      await left(side, 'owner', 'child', 'free');
      const second = await picture(side);
      await release(side, 'child');
      await left(side, 'free');
      return [first, second, await picture(side)];
    },
  },
  {
    name: 'two owners, of which one goes after the other',
    async act(side) {
      await make(side, 'mother');
      await make(side, 'father');
      await make(side, '~child', ['!mother', '!father']);
      await end(side, 'mother', 'Foreground');
      await left(side, 'father', 'child');
      const first = await picture(side);
      await end(side, 'father', 'Background');
      await marked(side, 'child');
      return [first, await picture(side)];
    },
  },
  {
    name: 'owners that orphan',
    async act(side) {
      await make(side, 'one');
      await make(side, 'other');
      await make(side, 'child', ['!one', 'other']);
      await make(side, 'only', ['one']);
      await end(side, 'one', 'Orphan');
      await left(side, 'other', 'child', 'only');
      return picture(side);
    },
  },
  ...['Foreground', 'Background'].map((policy) => ({
    name: `a circle, of which one is deleted: ${policy}`,
    async act(side: Side) {
      await make(side, 'a');
      await make(side, 'b', ['!a']);
      await make(side, 'c', ['!b']);
      const c = await object(side, `${core(side)}/configmaps/c`);
      const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'c', uid: c?.metadata.uid, blockOwnerDeletion: true };
      await patch(side, `${core(side)}/configmaps/a`, { metadata: { ownerReferences: [owner] } });
      // The collector of a real cluster hears of it a little later.
      await new Promise((resolve) => setTimeout(resolve, 1000));
      await end(side, 'a', policy);
      await left(side);
      return picture(side);
    },
  })),
  {
    name: 'owners that were never there, and owners of kinds that nobody serves',
    async act(side) {
      await make(side, 'stranger', ['!nobody'], 'Unheard');
      await make(side, 'orphan', ['nobody']);
      await left(side, 'stranger');
      return picture(side);
    },
  },
  {
    name: 'a Deployment in the foreground',
    async act(side) {
      await rollOut(side, 2);
      await endDeployment(side, 'Foreground');
      await gone(side, `${apps(side)}/deployments/web`);
      return picture(side);
    },
  },
  {
    name: 'a Deployment that orphans',
    async act(side) {
      await rollOut(side, 2);
      await endDeployment(side, 'Orphan');
      await gone(side, `${apps(side)}/deployments/web`);
      return picture(side);
    },
  },
  {
    name: 'a Deployment that is scaled through its scale',
    async act(side) {
      await rollOut(side, 1);
      await patch(side, `${apps(side)}/deployments/web/scale`, { spec: { replicas: 3 } });
      await side.until('the scale is met', async () => {
        const found = await object(side, `${apps(side)}/deployments/web/scale`);
        return found?.status?.replicas === 3;
      });
      return (await object(side, `${apps(side)}/deployments/web/scale`))?.status;
    },
  },
  {
    name: 'a budget that allows one eviction, and then none',
    async act(side) {
      await rollOut(side, 3);
      const budgets = `/apis/policy/v1/namespaces/${side.namespace}/poddisruptionbudgets`;
      const budget = {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name: 'web' },
        spec: { maxUnavailable: 1, selector },
      };
      await side.ask({ method: 'POST', path: budgets, body: budget });
      const allows = (count: number): Promise<void> =>
        side.until(`${count} evictions are allowed`, async () => {
          const status = (await object(side, `${budgets}/web`))?.status ?? {};
          return status.disruptionsAllowed === count && status.observedGeneration === 1 && status.currentHealthy === 2 + count;
        });
      await allows(1);
      const first = (await object(side, `${budgets}/web`))?.status;
      const [one, other] = await items(side, `${core(side)}/pods`);
      const evict = async (thing: Thing | undefined): Promise<unknown> => {
        const name = thing?.metadata.name ?? '';
        const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } };
        return (await side.ask({ method: 'POST', path: `${core(side)}/pods/${name}/eviction`, body })).code;
      };
      // While no node takes a pod, nothing takes the place of the first, and there is no room for a second eviction.
      const cordon = async (unschedulable: boolean): Promise<void> => {
        for (const { metadata } of await items(side, '/api/v1/nodes'))
          await patch(side, `/api/v1/nodes/${metadata.name}`, { spec: { unschedulable } });
      };
      await cordon(true);
      const answers = [await evict(one), await evict(other)];
      await cordon(false);
      await allows(1);
      await patch(side, `${budgets}/web`, { spec: { maxUnavailable: '0%' } });
      await side.until(
        'the change is seen',
        async () => (await object(side, `${budgets}/web`))?.status?.observedGeneration === 2,
      );
      const { conditions: _, ...last } = (await object(side, `${budgets}/web`))?.status ?? {};
      return [withoutTimes(first), answers, last];
    },
  },
  {
    name: 'a namespace with something that is held',
    async act(side) {
      await make(side, '~held');
      await make(side, 'other');
      const path = `/api/v1/namespaces/${side.namespace}`;
      await side.ask({ method: 'DELETE', path });
      await left(side, 'held');
      await side.until('the status says so', async () =>
        JSON.stringify(await object(side, path)).includes('SomeFinalizersRemain'),
      );
      const status = withoutTimes((await object(side, path))?.status);
      await release(side, 'held');
      await gone(side, path);
      return status;
    },
  },
  {
    name: 'a namespace with an Event that is held, which two groups serve',
    async act(side) {
      const path = `/api/v1/namespaces/${side.namespace}`;
      const metadata = { name: 'held', finalizers: ['example.com/hold'] };
      const involvedObject = { kind: 'Pod', namespace: side.namespace, name: 'web' };
      await side.ask({ method: 'POST', path: `${core(side)}/events`, body: { metadata, involvedObject } });
      await side.ask({ method: 'DELETE', path });
      await side.until('the status says so', async () =>
        JSON.stringify(await object(side, path)).includes('SomeFinalizersRemain'),
      );
      const status = withoutTimes((await object(side, path))?.status);
      await patch(side, `/apis/events.k8s.io/v1/namespaces/${side.namespace}/events/held`, { metadata: { finalizers: null } });
      await gone(side, path);
      return status;
    },
  },
];

function withoutTimes(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value).replaceAll(/"\d{4}-\d\d-\d\dT[^"]*"/g, '"TIME"'));
}
