import { type AnyObject, resourceType } from 'clusterset/kube';
import { simulate } from 'clusterset/testing';
import { describe, expect, it } from 'vitest';

const configMaps = resourceType('v1', 'ConfigMap', 'configmaps');
const widgets = resourceType('example.com/v1', 'Widget', 'widgets');

const configMap = (name: string, data: Record<string, string> = {}): AnyObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace: 'default', name },
  data,
});

describe('the log of requests of an offline cluster', () => {
  it('says who has asked for what, and what came of it', async () => {
    await using world = await simulate({ members: { a: {} } });
    const { requests } = world.cluster('a');
    const cluster = world.cluster('a').connect({ fieldManager: 'tester' });
    const made = await cluster.create(configMaps, configMap('x'));
    await cluster.get(configMaps, { namespace: 'default', name: 'x' });
    await cluster.get(configMaps, { namespace: 'default', name: 'nope' });
    await cluster.update(configMaps, made);
    await cluster.apply(configMaps, configMap('y'), { fieldManager: 'other' });
    await cluster.create(configMaps, configMap('x')).catch(() => undefined);
    await cluster.list(widgets).catch(() => undefined);
    await cluster.version();
    await cluster.delete(configMaps, { namespace: 'default', name: 'x' });
    expect(requests.lines()).toEqual([
      '#1 201 create configmaps default/x by tester',
      '#2 200 get configmaps default/x by tester',
      '#3 404 get configmaps default/nope by tester',
      '#4 200 update configmaps default/x by tester (changed nothing)',
      '#5 200 patch configmaps default/y by other',
      '#6 409 create configmaps default/x by tester',
      '#7 404 list widgets.example.com by tester',
      '#8 200 get /version by tester',
      '#9 200 delete configmaps default/x by tester',
    ]);
    expect(requests.writes().map(({ number }) => number)).toEqual([1, 4, 5, 6, 9]);
    expect(requests.changes().map(({ number }) => number)).toEqual([1, 5, 9]);
    expect(requests.all({ clients: ['other'] })).toEqual([
      expect.objectContaining({ user: 'kubernetes-admin', verb: 'patch', code: 200, at: Date.UTC(2026, 0, 1), changed: true }),
    ]);
    requests.clear();
    expect([requests.all(), requests.count]).toEqual([[], 9]);
  });

  it('writes down what broke off, once', async () => {
    await using world = await simulate({ members: { a: {} } });
    const { requests, network } = world.cluster('a');
    const cluster = world.connect('a');
    {
      using _ = network.loseAnswers();
      await cluster.create(configMaps, configMap('x')).catch(() => undefined);
    }
    {
      using _ = network.cut();
      await cluster.list(configMaps).catch(() => undefined);
    }
    using _ = network.fail({ code: 500 });
    await cluster.list(configMaps).catch(() => undefined);
    expect(requests.lines()).toEqual([
      '#1 201 create configmaps default/x by clusterset',
      '#2 no answer list configmaps by clusterset',
      '#3 500 list configmaps by clusterset',
    ]);
  });

  it('does not grow for ever', async () => {
    await using world = await simulate({ members: { a: {} } });
    const { requests } = world.cluster('a');
    const cluster = world.connect('a');
    for (let turn = 0; turn < 20_001; turn += 1) await cluster.version();
    expect(requests.count).toBe(20_001);
    expect(requests.all()).toHaveLength(10_001);
    expect(requests.all().at(-1)?.number).toBe(20_001);
  });

  it('leaves out what the cluster does by itself', async () => {
    await using world = await simulate({ members: { a: { nodes: 1 } } });
    await world.advance('1m');
    expect(world.cluster('a').requests.all()).toEqual([]);
  });
});
