import { installTypes, PropagationController } from 'clusterset/controllers/propagation';
import { BUILT_IN_FEDERATED_TYPES, type FederatedType } from 'clusterset/federation';
import { type AnyObject, builtIn, type Cluster, type ResourceType } from 'clusterset/kube';
import type { ClusterEntry } from 'clusterset/registry';
import { ClusterSet, staticSource } from 'clusterset/runtime';
import { simulate, type World } from 'clusterset/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { federatedDeployment, federatedNamespace } from '../federation/fixtures.ts';

const TYPES = BUILT_IN_FEDERATED_TYPES.filter(({ target }) => ['Namespace', 'Deployment', 'ConfigMap'].includes(target.kind));
const deployments = builtIn('apps', 'Deployment') as ResourceType;
const federated = (kind: string): ResourceType => TYPES.find((type) => type.target.kind === kind)?.federated as unknown as ResourceType;

interface Running {
  readonly world: World;
  readonly host: Cluster;
  readonly errors: string[];
  settle(): Promise<void>;
  status(name: string): Promise<AnyObject['status']>;
  stop(): Promise<void>;
}

const running: Running[] = [];

async function start(members: Record<string, Omit<ClusterEntry, 'name'>>, types: readonly FederatedType[] = TYPES): Promise<Running> {
  const world = await simulate({ host: {}, members });
  const host = world.connect('host');
  await installTypes(host, types, { clock: world.clock });
  await host.create(builtIn('', 'Namespace') as ResourceType, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  const set = new ClusterSet<ClusterEntry>({ source: staticSource(world.entries), connect: (entry) => world.connect(entry), clock: world.clock });
  const errors: string[] = [];
  const controller = new PropagationController({
    host,
    members: set,
    types,
    clock: world.clock,
    onError: (cluster, object, error) => errors.push(`${cluster}: ${object}: ${(error as Error).message}`),
  });
  await set.start();
  const stopping = new AbortController();
  const done = controller.run(stopping.signal);
  const self: Running = {
    world,
    host,
    errors,
    settle: () => world.advance('10s'),
    status: async (name) => (await host.get(federated('Deployment'), { namespace: 'shop', name }))?.status,
    async stop() {
      stopping.abort();
      await set.stop();
      await done;
      await world[Symbol.asyncDispose]();
    },
  };
  running.push(self);
  return self;
}

afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
});

describe('the propagation controller', () => {
  it('brings an object to the members that its placement selects, and says on the host how far it is', async () => {
    const { host, world, settle, status } = await start({ 'eu-1': { labels: { region: 'eu' } }, 'us-1': { labels: { region: 'us' } } });
    await host.create(federated('Namespace'), federatedNamespace());
    await host.create(federated('Deployment'), federatedDeployment({ placement: { clusterSelector: { matchLabels: { region: 'eu' } } } }));
    await settle();
    const live = await world.connect('eu-1').get(deployments, { namespace: 'shop', name: 'web' });
    expect(live?.spec).toMatchObject({ replicas: 3 });
    expect(await world.connect('us-1').get(deployments, { namespace: 'shop', name: 'web' })).toBeUndefined();
    expect(await status('web')).toMatchObject({
      observedGeneration: 1,
      conditions: [
        { type: 'Propagation', status: 'True' },
        { type: 'RolledOut', status: 'True' },
      ],
      clusters: [{ name: 'eu-1', rollout: 'Complete', replicas: 3, readyReplicas: 3 }],
    });
  });
});
