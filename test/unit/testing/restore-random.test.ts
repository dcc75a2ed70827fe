import { type AnyObject, isClustersetError, resourceType } from 'clusterset/kube';
import { simulate, type VirtualClock } from 'clusterset/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const deployments = resourceType('apps/v1', 'Deployment', 'deployments');
const pods = resourceType('v1', 'Pod', 'pods');
const budgets = resourceType('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets');

type Value = Readonly<Record<string, unknown>>;

const deployment = (app: string, replicas: number) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { namespace: 'default', name: app },
  spec: {
    replicas,
    selector: { matchLabels: { app } },
    template: { metadata: { labels: { app } }, spec: { containers: [{ name: 'web', image: 'shop/web:1' }] } },
  },
});
const budget = (app: string) => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { namespace: 'default', name: app },
  spec: { minAvailable: 1, selector: { matchLabels: { app } } },
});

const name = fc.constantFrom('web', 'api', 'db');
const step = fc.oneof(
  fc.record({ do: fc.constant('create' as const), name, replicas: fc.integer({ min: 0, max: 4 }) }),
  fc.record({ do: fc.constant('scale' as const), name, replicas: fc.integer({ min: 0, max: 4 }) }),
  fc.record({ do: fc.constant('protect' as const), name }),
  fc.record({ do: fc.constant('delete' as const), name, policy: fc.constantFrom('Foreground' as const, 'Background' as const) }),
  fc.record({ do: fc.constant('kill' as const), index: fc.nat(9) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(0, 100, 1000, 1500, 60_000) }),
  fc.record({ do: fc.constant('snapshot' as const) }),
  fc.record({ do: fc.constant('restore' as const), index: fc.nat(9) }),
);

describe('a cluster with nodes that is restored at any time', () => {
  it('comes to what its objects say, as if it had always been so, and leaves nothing behind', async () => {
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.array(step, { maxLength: 25 }), async (rbac, steps) => {
        const world = await simulate({ members: { a: { nodes: 2, rbac } } });
        const [offline, cluster] = [world.cluster('a'), world.connect('a')];
        const snapshots = [offline.snapshot()];
        const act = async (each: (typeof steps)[number]): Promise<unknown> => {
          switch (each.do) {
            case 'create':
              return cluster.create(deployments, deployment(each.name, each.replicas));
            case 'scale': {
              const patch = { type: 'merge', body: { spec: { replicas: each.replicas } } } as const;
              return cluster.patch(deployments, { namespace: 'default', name: each.name }, patch);
            }
            case 'protect':
              return cluster.create(budgets, budget(each.name));
            case 'delete':
              return cluster.delete(deployments, { namespace: 'default', name: each.name }, { propagationPolicy: each.policy });
            case 'kill': {
              const { items } = await cluster.list(pods);
              const chosen = items[each.index % Math.max(1, items.length)];
              return chosen === undefined ? undefined : cluster.delete(pods, chosen.metadata);
            }
            case 'wait':
              return world.advance(each.ms);
            case 'snapshot':
              return snapshots.push(offline.snapshot());
            case 'restore':
              return offline.restore(snapshots[each.index % snapshots.length] ?? offline.snapshot());
            default:
              return each satisfies never;
          }
        };
        for (const each of steps) {
          await act(each).catch((error: unknown) => {
            if (!isClustersetError(error)) throw error;
          });
        }
        await world.advance('10m');
        world.verify();
        const running = (await cluster.list(pods)).items as readonly AnyObject[];
        const counted = (app: string) => running.filter(({ metadata }) => metadata.labels?.app === app).length;
        const wanted = (await cluster.list(deployments)).items.map(
          (each) => [each.metadata.name, (each as AnyObject).spec] as const,
        );
        expect(wanted.map(([app]) => [app, counted(app)])).toEqual(wanted.map(([app, spec]) => [app, (spec as Value).replicas]));
        expect(running.filter(({ status }) => (status as Value).phase !== 'Running')).toEqual([]);
        expect(running).toHaveLength(wanted.reduce((sum, [, spec]) => sum + Number((spec as Value).replicas), 0));
        for (const each of (await cluster.list(budgets)).items)
          expect((each as unknown as { readonly status: Value }).status.currentHealthy).toBe(counted(each.metadata.name));
        const { resourceVersion } = offline.snapshot();
        await world.advance('1h');
        expect(offline.snapshot().resourceVersion).toBe(resourceVersion);
        await world[Symbol.asyncDispose]();
        expect((world.clock as VirtualClock).waiting).toBe(0);
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});
