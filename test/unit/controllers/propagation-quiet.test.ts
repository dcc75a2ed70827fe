import type { AnyObject } from 'clusterset/kube';
import { describe, expect, it } from 'vitest';
import { deploymentTemplate, federatedDeployment } from '../federation/fixtures.ts';
import { configMap, type Federation, federatedConfigMap, SHOP, start, typesOf } from './start.ts';
import { isWrite } from './tap.ts';

const MEMBERS = ['eu-1', 'eu-2', 'us-1'];
const KINDS = typesOf('Namespace', 'ConfigMap', 'Secret', 'Service', 'Deployment', 'ClusterRole');

const federated = (kind: string, template: Record<string, unknown>): AnyObject => ({
  apiVersion: 'types.kubefed.io/v1beta1',
  kind: `Federated${kind}`,
  metadata: kind === 'ClusterRole' ? { name: 'web' } : SHOP,
  spec: { template, placement: { clusterSelector: {} } },
});

/** Values that a server gives back in other words. */
const normalised = {
  ...deploymentTemplate,
  spec: {
    ...deploymentTemplate.spec,
    template: {
      metadata: { labels: { app: 'web' }, annotations: {} },
      spec: {
        containers: [
          {
            name: 'web',
            image: 'shop/web:1',
            env: [],
            ports: [{ containerPort: 80 }],
            resources: { limits: { cpu: '1000m', memory: '1024Mi' }, requests: { cpu: 0.5 } },
          },
        ],
      },
    },
  },
};

/** A world with an object of each kind, all settled. */
async function full(): Promise<Federation> {
  const federation = await start({ types: KINDS, rollouts: {} });
  await federation.create(federatedDeployment());
  await federation.create(federatedDeployment({ template: normalised }, { name: 'odd' }));
  await federation.create(federatedConfigMap());
  await federation.create(federated('Secret', { stringData: { password: 'hush' } }));
  await federation.create(federated('Service', { spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } }));
  await federation.create(federated('ClusterRole', { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] }));
  await federation.advance('30s');
  federation.forget();
  return federation;
}

describe('an unchanged world', () => {
  it('costs no writes, and nothing but probes', async () => {
    const federation = await full();
    const before = federation.versions();
    await federation.advance('30m');
    expect(federation.writes()).toEqual([]);
    expect(federation.versions()).toEqual(before);
    const asked = new Set(federation.calls.map(({ verb }) => verb));
    expect([...asked].toSorted()).toEqual(['ready', 'watch']);
    expect(federation.errors).toEqual([]);
  });

  it('has told the truth about itself', async () => {
    const federation = await full();
    for (const kind of ['Deployment', 'ConfigMap', 'Secret', 'Service', 'ClusterRole']) {
      expect((await federation.status(kind)).conditions).toMatchObject([{ status: 'True' }, { status: 'True' }]);
      expect(await federation.entries(kind)).toEqual(MEMBERS);
    }
  });

  it('costs no change after a restart of the controller, and at most one write for what a server words in another way', async () => {
    const federation = await full();
    const before = federation.versions();
    await federation.restart();
    await federation.advance('60s');
    expect(federation.versions()).toEqual(before);
    expect(federation.changes()).toEqual([]);
    expect(federation.writes().filter((write) => !write.endsWith('shop/odd'))).toEqual([]);
    expect(federation.writes().length).toBeLessThanOrEqual(MEMBERS.length);
  });

  it('costs no write in its members when the host’s watches end and its history is gone', async () => {
    const federation = await full();
    const cut = federation.world.partition('host');
    await federation.advance('1s');
    cut[Symbol.dispose]();
    for (const name of ['host', ...MEMBERS]) federation.world.cluster(name).compact();
    await federation.advance('20m');
    expect(federation.writes()).toEqual([]);
  });

  it('costs no write when a member is cut off for a moment', async () => {
    const federation = await full();
    const cut = federation.world.partition('eu-1');
    await federation.advance('5s');
    cut[Symbol.dispose]();
    await federation.advance('5m');
    expect(federation.writes()).toEqual([]);
  });

  it('costs two statuses and nothing else when a member is lost and returns', async () => {
    const federation = await full();
    const before = federation.versions('eu-1');
    const cut = federation.world.partition('eu-1');
    await federation.advance('60s');
    expect(federation.writes('host').toSorted()).toEqual([
      'host: patch FederatedClusterRole web status',
      'host: patch FederatedConfigMap shop/web status',
      'host: patch FederatedDeployment shop/odd status',
      'host: patch FederatedDeployment shop/web status',
      'host: patch FederatedNamespace shop/shop status',
      'host: patch FederatedSecret shop/web status',
      'host: patch FederatedService shop/web status',
    ]);
    cut[Symbol.dispose]();
    await federation.advance('90s');
    expect(federation.writes('host')).toHaveLength(14);
    expect(federation.versions('eu-1')).toEqual(before);
    expect(MEMBERS.flatMap((name) => federation.writes(name))).toEqual([]);
  });

  it('costs no write after a restart when members are slow to answer', async () => {
    const federation = await full();
    await federation.halt();
    federation.forget();
    federation.tamper = {
      async call(call, go) {
        if (call.cluster !== 'host') await new Promise<void>((resolve) => federation.world.clock.after(1500, resolve));
        return go();
      },
    };
    await federation.run();
    await federation.advance('60s');
    expect(federation.changes().filter((write) => !write.endsWith('shop/odd'))).toEqual([]);
  });
});

describe('a change', () => {
  it('of an image costs one write in each member, and statuses', async () => {
    const federation = await full();
    const containers = [{ name: 'web', image: 'shop/web:2' }];
    await federation.change('Deployment', { spec: { template: { spec: { template: { spec: { containers } } } } } });
    await federation.advance('30s');
    for (const name of MEMBERS) expect(federation.writes(name)).toEqual([`${name}: apply Deployment shop/web`]);
    const others = federation.writes('host').filter((write) => write !== 'host: patch FederatedDeployment shop/web status');
    expect(others).toEqual([]);
    expect(federation.writes('host').length).toBeLessThanOrEqual(8);
  });

  it('of an override costs one write in its member, and none in the others', async () => {
    const federation = await full();
    const overrides = [{ clusterName: 'us-1', clusterOverrides: [{ path: '/data/color', value: 'blue' }] }];
    await federation.change('ConfigMap', { spec: { overrides } });
    await federation.advance('30s');
    expect(federation.writes()).toEqual(['us-1: apply ConfigMap shop/web', 'host: patch FederatedConfigMap shop/web status']);
  });

  it('of the placement costs a deletion, and on the host one record and one status', async () => {
    const federation = await full();
    await federation.change('ConfigMap', { spec: { placement: { clusters: [{ name: 'eu-1' }, { name: 'eu-2' }] } } });
    await federation.advance('30s');
    expect(federation.writes()).toEqual([
      'us-1: delete ConfigMap shop/web',
      'host: patch FederatedConfigMap shop/web status',
      'host: patch FederatedConfigMap shop/web',
    ]);
  });

  it('of nothing that counts costs one status, for the generation', async () => {
    const federation = await full();
    await federation.change('ConfigMap', { spec: { placement: { clusters: MEMBERS.map((name) => ({ name })) } } });
    await federation.advance('30s');
    expect(federation.writes()).toEqual(['host: patch FederatedConfigMap shop/web status']);
  });

  it('of a label on the federated object costs nothing', async () => {
    const federation = await full();
    await federation.change('ConfigMap', { metadata: { labels: { team: 'a' } } });
    await federation.advance('30s');
    expect(federation.writes()).toEqual([]);
  });

  it('that is made and taken back at once costs little: the last word counts', async () => {
    const federation = await full();
    for (const color of ['blue', 'green', 'black', 'red']) {
      await federation.change('ConfigMap', { spec: { template: { data: { color } } } });
    }
    await federation.advance('30s');
    for (const name of MEMBERS) expect(federation.live(name, 'ConfigMap')?.data).toEqual({ color: 'red' });
    expect(federation.writes('host')).toHaveLength(1);
    for (const name of MEMBERS) expect(federation.writes(name).length).toBeLessThanOrEqual(4);
  });

  it('of a FederatedNamespace that moves nothing costs one status', async () => {
    const federation = await full();
    const placement = { clusters: MEMBERS.map((name) => ({ name })) };
    await federation.change('Namespace', { spec: { placement } }, { namespace: 'shop', name: 'shop' });
    await federation.advance('30s');
    expect(federation.writes()).toEqual(['host: patch FederatedNamespace shop/shop status']);
  });

  it('of a value that a server words in another way costs one write, and no loop', async () => {
    const federation = await full();
    await federation.change(
      'Deployment',
      { spec: { template: { metadata: { labels: { v: '2' } } } } },
      { namespace: 'shop', name: 'odd' },
    );
    await federation.advance('10m');
    for (const name of MEMBERS) expect(federation.writes(name)).toEqual([`${name}: apply Deployment shop/odd`]);
  });

  it('that somebody else makes all the time is left alone', async () => {
    const federation = await full();
    for (let count = 0; count < 20; count += 1) {
      await federation.edit('eu-1', 'ConfigMap', { metadata: { annotations: { heartbeat: `${count}` } } });
      await federation.advance('1s');
    }
    expect(federation.writes()).toEqual([]);
  });
});

describe('something that is in the way', () => {
  it('changes nothing while it lasts, and costs no status: a foreign object', async () => {
    const federation = await start();
    await federation.create(configMap({ color: 'theirs' }), 'eu-1');
    await federation.create(federatedConfigMap());
    await federation.advance('10s');
    federation.forget();
    const before = federation.versions();
    await federation.advance('10m');
    expect(federation.versions()).toEqual(before);
    expect(federation.changes()).toEqual([]);
    expect(federation.writes('host')).toEqual([]);
  });

  it('costs no attempt to write either: whether a foreign object is still there is read', async () => {
    const federation = await start();
    await federation.create(configMap({ color: 'theirs' }), 'eu-1');
    await federation.create(federatedConfigMap());
    await federation.advance('10s');
    federation.forget();
    await federation.advance('10m');
    expect(federation.writes('eu-1')).toEqual([]);
  });

  it('costs one status for a bad object, however often it is looked at', async () => {
    const federation = await start();
    federation.forget();
    await federation.create(federatedConfigMap({ overrides: [{ clusterOverrides: [] }] }));
    await federation.advance('10m');
    expect(federation.writes()).toEqual(['host: patch FederatedConfigMap shop/web status']);
    await federation.restart();
    await federation.advance('60s');
    expect(federation.writes()).toHaveLength(1);
  });

  it('costs no status while nothing changes in a member that is lost for long', async () => {
    const federation = await start();
    await federation.create(federatedConfigMap());
    using _ = federation.world.partition('eu-1');
    await federation.advance('2m');
    federation.forget();
    await federation.advance('30m');
    expect(federation.calls.filter(isWrite)).toEqual([]);
  });
});

describe('somebody who writes our fields again and again', () => {
  it('is not fought at full speed', async () => {
    const federation = await start();
    await federation.create(federatedConfigMap());
    await federation.settle();
    federation.forget();
    federation.tamper = {
      async call(call, go) {
        const answer = await go();
        if (call.verb === 'apply' && call.cluster === 'eu-1') {
          federation.world.clock.after(10, () => {
            federation.editInside('eu-1', federation.target('ConfigMap'), { data: { color: 'green' } }, SHOP);
          });
        }
        return answer;
      },
    };
    await federation.edit('eu-1', 'ConfigMap', { data: { color: 'green' } });
    await federation.advance('5s');
    expect(federation.writes('eu-1').length).toBeLessThan(50);
  });
});

describe('an answer that comes late', () => {
  it('is not believed where the object is gone by then: it comes back', async () => {
    const federation = await start();
    federation.tamper = {
      async call(call, go) {
        const answer = await go();
        if (call.verb === 'apply' && call.kind === 'ConfigMap' && call.cluster === 'eu-1') {
          await new Promise<void>((resolve) => federation.world.clock.after(400, resolve));
        }
        return answer;
      },
    };
    await federation.create(federatedConfigMap());
    await federation.advance('100ms');
    await federation.remove('eu-1', 'ConfigMap');
    await federation.advance('5m');
    expect(federation.has('ConfigMap')).toEqual(MEMBERS);
  });

  it('is not believed where the object is newer by then: it is repaired', async () => {
    const federation = await start();
    federation.tamper = {
      async call(call, go) {
        const answer = await go();
        if (call.verb === 'apply' && call.kind === 'ConfigMap' && call.cluster === 'eu-1') {
          await new Promise<void>((resolve) => federation.world.clock.after(400, resolve));
        }
        return answer;
      },
    };
    await federation.create(federatedConfigMap());
    await federation.advance('100ms');
    await federation.edit('eu-1', 'ConfigMap', { data: { color: 'green' } });
    await federation.advance('5s');
    expect(federation.live('eu-1', 'ConfigMap')?.data).toEqual({ color: 'red' });
  });
});
