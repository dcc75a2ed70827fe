import { type KubeObject, resourceType } from 'clusterset/kube';
import { allOf, type Cached, controller, generationChanged, labelsChanged, matching, oneCluster } from 'clusterset/runtime';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { stage } from './start.ts';

interface Deployment extends KubeObject {
  readonly spec: { readonly replicas: number };
}
interface Pod extends KubeObject {
  readonly status: { readonly phase: string };
}
const deployments = resourceType<Deployment>('apps/v1', 'Deployment', 'deployments');
const pods = resourceType<Pod>('v1', 'Pod', 'pods');

describe('the description of a controller', () => {
  it('knows the types of its resources, also with predicates that fit all', async () => {
    const scene = await stage();
    const host = oneCluster(scene.world.connect('host'));
    const made = controller(deployments, { when: allOf(generationChanged, labelsChanged) })
      .owns(pods, { when: ({ object }) => object?.status.phase === 'Running' })
      .watches(pods, (pod, cluster) => [{ name: pod.status.phase, namespace: cluster }], {
        on: host,
        when: matching({ matchLabels: { app: 'web' } }),
      })
      .on(scene.set)
      .reconcile(async ({ object, cached }) => {
        expectTypeOf(object).toEqualTypeOf<Deployment | undefined>();
        expectTypeOf(cached(pods)).toEqualTypeOf<Cached<Pod>>();
        expectTypeOf(cached(pods, { cluster: 'host', labelSelector: '' }).get({ name: 'a' })).toEqualTypeOf<Pod | undefined>();
        return object?.spec.replicas === 0 ? { requeueAfterMs: 5 } : undefined;
      });
    expect(made.name).toBe('deployment');
  });
});
