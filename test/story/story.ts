import { join } from 'node:path';
import { type Cluster, resourceType } from 'clusterset/kube';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { folder, type Ran, run } from '../unit/cli/run.ts';
import { APPLICATION, FLEET, FOREIGN, OBJECTS } from './application.ts';

/** A host and two members, eu-1 and us-1, for a story to be told on. */
export interface Stage {
  /** Has the contexts host, eu-1 and us-1. */
  readonly kubeconfig: string;
  connect(name: string): Cluster;
  /** Makes a member go away. */
  lose(name: string): Promise<void>;
  /** Brings it back. */
  restore(name: string): Promise<void>;
  close(): Promise<void>;
}

const NAMESPACES = resourceType('v1', 'Namespace', 'namespaces', 'Cluster');
const CONFIG_MAPS = resourceType('v1', 'ConfigMap', 'configmaps');
const SECRETS = resourceType('v1', 'Secret', 'secrets');
const DEPLOYMENTS = resourceType('apps/v1', 'Deployment', 'deployments');
const SERVICES = resourceType('v1', 'Service', 'services');
const PROMOTIONS = resourceType('shop.example.com/v1', 'Promotion', 'promotions');
const TYPES = [CONFIG_MAPS, SECRETS, DEPLOYMENTS, SERVICES, PROMOTIONS];
const MEMBERS = ['eu-1', 'us-1'];
const PATIENCE = 90_000;

interface LiveDeployment {
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly { readonly image: string; readonly env: unknown }[] } };
  };
  readonly status: { readonly availableReplicas?: number };
}

/** What `status -o json` prints. */
interface Status {
  readonly states: readonly {
    readonly cluster: string;
    readonly object: { readonly kind: string; readonly name: string };
    readonly status?: string;
    readonly rollout?: string;
    readonly message?: string;
    readonly readyReplicas?: number;
  }[];
}

/** The life of one application, from the first plan to the end, as a user tells it with the command. */
export function tellStory(start: () => Promise<Stage>): void {
  describe('one application on several clusters', { timeout: 2 * PATIENCE }, () => {
    let stage: Stage;
    let files: string;
    const clusters = new Map<string, Cluster>();
    const member = (name: string): Cluster => {
      const cluster = clusters.get(name);
      if (cluster === undefined) throw new Error(`no cluster ${name}`);
      return cluster;
    };
    const where = (): string[] => ['--kubeconfig', stage.kubeconfig, '--fleet', join(files, 'fleet.yaml')];
    const application = (): string[] => ['-f', join(files, 'app.yaml'), ...where()];
    const host = ['--host', 'host'];
    const withContexts = ['--contexts', MEMBERS.join()];

    beforeAll(async () => {
      stage = await start();
      files = folder({ 'fleet.yaml': FLEET, 'app.yaml': APPLICATION, 'foreign.yaml': FOREIGN });
      for (const name of ['host', ...MEMBERS]) clusters.set(name, stage.connect(name));
    }, 2 * PATIENCE);

    afterAll(async () => {
      for (const cluster of clusters.values()) await cluster.close();
      await stage?.close();
    });

    /** All that the members have of the application, with their versions: equal only if nothing was written. */
    async function versions(): Promise<readonly string[]> {
      const found = await Promise.all(
        MEMBERS.flatMap((name) =>
          TYPES.map(async (type) => {
            const { items } = await member(name).list(type, { namespace: 'shop', labelSelector: 'kubefed.io/managed=true' });
            return items.map(
              ({ metadata }) => `${name} ${type.kind} ${metadata.name} ${metadata.generation} ${metadata.resourceVersion}`,
            );
          }),
        ),
      );
      return found.flat();
    }

    async function untilStatus(isReached: (status: Status, ran: Ran) => boolean): Promise<Status> {
      const deadline = performance.now() + PATIENCE;
      for (;;) {
        const ran = await run(['status', ...host, '--kubeconfig', stage.kubeconfig, '-o', 'json']);
        const status = JSON.parse(ran.stdout) as Status;
        if (isReached(status, ran)) return status;
        if (performance.now() > deadline) throw new Error(`not reached: ${ran.stdout}`);
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    }

    it('is planned with no cluster at hand', async () => {
      const { code, stdout } = await run([
        'plan',
        ...application().filter((arg) => arg !== stage.kubeconfig && arg !== '--kubeconfig'),
      ]);
      expect(code).toBe(2);
      expect(stdout).toContain(`Plan: ${OBJECTS * 2} to create, 0 left as they are.`);
    });

    it('is planned against the members, and nothing is written', async () => {
      const { code, stdout } = await run(['plan', ...application(), ...withContexts]);
      expect(code).toBe(2);
      expect(stdout).toContain(`Plan: ${OBJECTS * 2} to create, 0 left as they are.`);
      for (const name of MEMBERS) expect(await member(name).get(NAMESPACES, { name: 'shop' })).toBeUndefined();
    });

    it('is rolled out through the host', async () => {
      const { code, stdout, stderr } = await run(['apply', ...application(), ...host]);
      expect({ code, stderr: stderr.match(/^error: .*$/gm) }).toEqual({ code: 0, stderr: null });
      expect(stdout).toMatch(/Deployment shop\/web +ready 2\/2 +ready 4\/4/);
    });

    it('is in each member what its overrides say', async () => {
      const seen = await Promise.all(
        MEMBERS.map(async (name) => {
          const at = (object: string): { namespace: string; name: string } => ({ namespace: 'shop', name: object });
          const deployment = await member(name).get(DEPLOYMENTS, at('web'));
          const { spec, status } = deployment as unknown as LiveDeployment;
          const [container] = spec.template.spec.containers;
          return {
            name,
            data: (await member(name).get(CONFIG_MAPS, at('settings')))?.data,
            secret: (await member(name).get(SECRETS, at('payments')))?.data,
            image: container?.image,
            env: container?.env,
            promotion: (await member(name).get(PROMOTIONS, at('autumn')))?.spec,
            available: status.availableReplicas,
          };
        }),
      );
      const secret = { 'api-key': Buffer.from('not-a-real-key').toString('base64') };
      expect(seen).toEqual([
        {
          name: 'eu-1',
          data: { currency: 'EUR', banner: 'Welcome' },
          secret,
          image: 'nginx:1.28',
          env: [{ name: 'REGION', value: 'eu' }],
          promotion: { discountPercent: 10 },
          available: 2,
        },
        {
          name: 'us-1',
          data: { currency: 'USD', banner: 'Welcome' },
          secret,
          image: 'nginx:1.29',
          env: [{ name: 'REGION', value: 'us' }],
          promotion: { discountPercent: 15 },
          available: 4,
        },
      ]);
    });

    it('is left alone when it is planned and applied again', async () => {
      const before = await versions();
      expect(before.length).toBe((OBJECTS - 2) * 2);
      const plan = await run(['plan', ...application(), ...withContexts]);
      expect({ code: plan.code, stderr: plan.stderr }).toEqual({ code: 0, stderr: '' });
      expect(plan.stdout).toContain('Nothing to do');
      expect((await run(['apply', ...application(), ...host])).code).toBe(0);
      expect(await versions()).toEqual(before);
    });

    it('moves its replicas while a member is away, and back when it returns', async () => {
      const stop = new AbortController();
      const watching = run(['apply', ...application(), ...host, '--watch', '--probe-interval', '300ms'], stop.signal);
      try {
        await stage.lose('us-1');
        const away = await untilStatus(
          ({ states }) =>
            states.some(
              ({ cluster, object, readyReplicas }) => cluster === 'eu-1' && object.kind === 'Deployment' && readyReplicas === 5,
            ) && states.filter(({ cluster }) => cluster === 'us-1').every(({ status }) => status === 'ClusterNotReady'),
        );
        const lost = away.states.find(({ cluster, object }) => cluster === 'us-1' && object.kind === 'Deployment');
        expect(lost?.message).toContain('its replicas are elsewhere');
        const grown = away.states.find(({ cluster, object }) => cluster === 'eu-1' && object.kind === 'Deployment');
        expect(grown?.message).toBe('5 replicas: 5 by weight 1, at its maximum');

        await stage.restore('us-1');
        const back = await untilStatus((_, { code }) => code === 0);
        expect(
          back.states.filter(({ object }) => object.kind === 'Deployment').map(({ readyReplicas }) => readyReplicas),
        ).toEqual([2, 4]);
      } finally {
        stop.abort();
        await watching;
      }
    });

    it('adopts nothing: an object of somebody else stays as it is, and the status says so', async () => {
      const key = { namespace: 'shop', name: 'foreign' };
      await member('eu-1').create(CONFIG_MAPS, {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: key,
        data: { owner: 'somebody' },
      });
      const foreign = ['-f', join(files, 'foreign.yaml'), ...where(), ...host];
      const { code, stdout } = await run(['apply', ...foreign]);
      expect(code).toBe(1);
      expect(stdout).toMatch(/ConfigMap shop\/foreign +AlreadyExists +ready/);
      expect((await run(['delete', ...foreign])).code).toBe(0);
      expect((await member('eu-1').get(CONFIG_MAPS, key))?.data).toEqual({ owner: 'somebody' });
      expect(await member('us-1').get(CONFIG_MAPS, key)).toBeUndefined();
      await member('eu-1').delete(CONFIG_MAPS, key);
    });

    it('is taken out of all members again', async () => {
      const { code, stderr } = await run(['delete', ...application(), ...host]);
      expect({ code, stderr: stderr.match(/^error: .*$/gm) }).toEqual({ code: 0, stderr: null });
      for (const name of MEMBERS) expect(await member(name).get(NAMESPACES, { name: 'shop' })).toBeUndefined();
      const status = await run(['status', ...host, '--kubeconfig', stage.kubeconfig]);
      expect(status).toMatchObject({ code: 0, stdout: 'There are no federated objects.' });
    });

    it('is rolled out with no host at all', async () => {
      const { code, stdout } = await run(['apply', ...application()]);
      expect({ code, stdout }).toEqual({
        code: 0,
        stdout: expect.stringMatching(/Deployment shop\/web +ready 2\/2 +ready 4\/4/),
      });
      expect((await run(['status', ...application()])).code).toBe(0);
    });

    it('is put right where somebody has changed it by hand', async () => {
      const body = { data: { currency: 'GBP', note: 'by hand' } };
      await member('eu-1').patch(
        CONFIG_MAPS,
        { namespace: 'shop', name: 'settings' },
        { type: 'merge', body },
        { fieldManager: 'hand' },
      );
      const plan = await run(['plan', ...application(), ...withContexts]);
      expect(plan.code).toBe(2);
      expect(plan.stdout).toContain('~ data.currency: "GBP" → "EUR"');
      expect(plan.stdout).toContain(`Plan: 1 to change, ${OBJECTS * 2 - 1} left as they are.`);
      const status = await run(['status', ...application()]);
      expect(status.code).toBe(2);
      expect(status.stdout).toMatch(/ConfigMap shop\/settings +Outdated +ready/);
      expect((await run(['apply', ...application()])).code).toBe(0);
      const settings = await member('eu-1').get(CONFIG_MAPS, { namespace: 'shop', name: 'settings' });
      expect(settings?.data).toEqual({ currency: 'EUR', banner: 'Welcome', note: 'by hand' });
    });

    it('goes on in the other members where one is away', async () => {
      await stage.lose('us-1');
      const changed = folder({ 'app.yaml': APPLICATION.replace('banner: Welcome', 'banner: Hello') });
      const { code, stdout } = await run(['apply', '-f', join(changed, 'app.yaml'), ...where()]);
      expect(code).toBe(1);
      expect(stdout).toMatch(/ConfigMap shop\/settings +ready +ClusterNotReady/);
      const settings = await member('eu-1').get(CONFIG_MAPS, { namespace: 'shop', name: 'settings' });
      expect(settings?.data).toMatchObject({ banner: 'Hello' });
      await stage.restore('us-1');
    });

    it('is taken out directly', async () => {
      const { code, stderr } = await run(['delete', ...application()]);
      expect({ code, stderr: stderr.match(/^error: .*$/gm) }).toEqual({ code: 0, stderr: null });
      for (const name of MEMBERS) expect(await member(name).get(NAMESPACES, { name: 'shop' })).toBeUndefined();
    });
  });
}
