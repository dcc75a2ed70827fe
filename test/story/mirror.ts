import { createServer } from 'node:net';
import { join } from 'node:path';
import { type AnyObject, type Cluster, resourceType } from 'clusterset/kube';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Program } from '../examples/program.ts';

const CONFIG_MAPS = resourceType('v1', 'ConfigMap', 'configmaps');
const LEASES = resourceType('coordination.k8s.io/v1', 'Lease', 'leases');
const MAIN = join(import.meta.dirname, '../../examples/mirror/main.ts');
const MEMBERS = ['eu-1', 'us-1'] as const;
const KEY = { namespace: 'default', name: 'settings' };
const THEIRS = { namespace: 'default', name: 'theirs' };
const PATIENCE = { timeout: 60_000, interval: 100 };

/** Where the story is told: a host and two members. */
export interface MirrorStage {
  /** A file with the contexts host, eu-1 and us-1. */
  readonly kubeconfig: string;
  readonly connect: (name: string) => Cluster | Promise<Cluster>;
  readonly close: () => Promise<void>;
}

/** A replica of the program, and what it answers over HTTP. */
interface Replica {
  readonly program: Program;
  readonly port: number;
}

/**
 * The controller of examples/mirror, as somebody runs it: two replicas, one of which leads. `crash`: the leader is killed, and its lease has to run
 * out; otherwise it ends as it should, and gives the lease back.
 */
export function tellOfMirror(start: () => Promise<MirrorStage>, { crash }: { readonly crash: boolean }): void {
  describe('the controller of examples/mirror', { timeout: 120_000 }, () => {
    let stage: MirrorStage;
    const replicas: Replica[] = [];

    beforeAll(async () => {
      stage = await start();
      for (let count = 0; count < 2; count += 1) replicas.push(await startReplica(stage.kubeconfig));
    }, 300_000);

    afterAll(async () => {
      for (const { program } of replicas) program.kill();
      await stage?.close();
    });

    const connect = async (name: string): Promise<Cluster> => stage.connect(name);

    async function expectInMembers(data: Record<string, string> | undefined): Promise<void> {
      for (const name of MEMBERS) {
        const member = await connect(name);
        await vi.waitFor(async () => expect((await member.get(CONFIG_MAPS, KEY))?.data, name).toEqual(data), PATIENCE);
      }
    }

    /** Which of the replicas leads: only its own metrics say so. */
    async function leader(): Promise<Replica> {
      const leads = async (each: Replica): Promise<boolean> =>
        (await ask(each, '/metrics')).includes('leader_election_master_status{name="default/mirror"} 1');
      return vi.waitUntil(async () => {
        for (const each of replicas) if (await leads(each).catch(() => false)) return each;
        return undefined;
      }, PATIENCE);
    }

    it('copies what the host has to all members, and leaves alone what others have made', async () => {
      const [host, member] = [await connect('host'), await connect('eu-1')];
      await member.create(CONFIG_MAPS, configMap(THEIRS, { mine: 'yes' }));
      for (const key of [KEY, THEIRS]) await host.create(CONFIG_MAPS, original(key, { currency: 'EUR' }));
      await expectInMembers({ currency: 'EUR' });
      expect((await member.get(CONFIG_MAPS, THEIRS))?.data).toEqual({ mine: 'yes' });
    });

    it('puts right what somebody has changed', async () => {
      const member = await connect('us-1');
      await member.patch(CONFIG_MAPS, KEY, { type: 'merge', body: { data: { currency: 'XXX' } } });
      await expectInMembers({ currency: 'EUR' });
    });

    it('says how it is, whether or not it leads', async () => {
      const leading = await leader();
      for (const each of replicas) expect(await ask(each, '/readyz')).toBe('ok');
      expect(await ask(leading, '/metrics')).toMatch(
        /controller_runtime_reconcile_total\{[^}]*cluster="eu-1"[^}]*result="success"[^}]*\} [1-9]/,
      );
    });

    it(`goes on in the other replica when the leader ${crash ? 'is killed' : 'ends'}`, async () => {
      const leading = await leader();
      if (crash) leading.program.kill();
      else expect(await leading.program.interrupt()).toBe(0);
      replicas.splice(replicas.indexOf(leading), 1);
      const host = await connect('host');
      await host.patch(CONFIG_MAPS, KEY, { type: 'merge', body: { data: { currency: 'USD' } } });
      await expectInMembers({ currency: 'USD' });
    });

    it('takes the copies away with the original, and ends on Ctrl-C', async () => {
      const host = await connect('host');
      for (const key of [KEY, THEIRS]) await host.delete(CONFIG_MAPS, key);
      await expectInMembers(undefined);
      expect((await (await connect('eu-1')).get(CONFIG_MAPS, THEIRS))?.data).toEqual({ mine: 'yes' });
      const [last] = replicas;
      expect([await last?.program.interrupt(), last?.program.errors]).toEqual([0, '']);
      const lease = (await host.get(LEASES, { namespace: 'default', name: 'mirror' })) as AnyObject | undefined;
      expect(lease?.spec, 'the lease was given back').not.toHaveProperty('holderIdentity', expect.stringMatching(/./));
    });
  });
}

async function startReplica(kubeconfig: string): Promise<Replica> {
  const port = await freePort();
  const env = { KUBECONFIG: kubeconfig, PORT: String(port) };
  return { program: new Program(MAIN, ['host', ...MEMBERS], env), port };
}

async function ask({ port }: Replica, path: string): Promise<string> {
  return (await fetch(`http://127.0.0.1:${port}${path}`)).text();
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { readonly port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function configMap(key: { readonly namespace: string; readonly name: string }, data: Record<string, string>): AnyObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: key, data };
}

function original(key: { readonly namespace: string; readonly name: string }, data: Record<string, string>): AnyObject {
  return { ...configMap(key, data), metadata: { ...key, labels: { 'mirror.example.dev/original': 'true' } } };
}
