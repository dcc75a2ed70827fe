import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AnyObject } from 'clusterset/kube';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { defaultPolicy, VIRTUAL } from '../../src/testing/access/index.ts';
import { AFTER_THE_END, ENDINGS, ESCALATIONS, IMPERSONATIONS, POLICY, REQUESTS, REVIEWS } from './access/cases.ts';
import { randomPolicy, randomQuestions } from './access/random-policy.ts';
import { recordedPolicy } from './access/record.ts';
import { type Answer, ask, type Line, normal, offlineSide, realSide, type Side } from './access/side.ts';
import { canRollOut } from './harness/binaries.ts';
import { type ControlPlanes, startControlPlanes } from './harness/control-planes.ts';

const RECORDED = `${import.meta.dirname}/../../src/testing/access/default-policy.json`;
/** How long a real server takes to hear of a role. */
const HEARD_MS = 1500;
/** How long it holds on to what it has found out about a token. */
const TOKEN_CACHE_MS = 11_000;
/** `CLUSTERSET_SEED` is for other policies than those of every run. */
const SEED = Number(process.env.CLUSTERSET_SEED ?? 7);
const QUESTIONS = Number(process.env.CLUSTERSET_QUESTIONS ?? 1000);

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string } }[];
  readonly users: readonly { readonly user: { readonly token: string } }[];
}

/** An API server of its own for each, as what a server remembers of impersonation decides on its texts. */
describe('users, tokens and roles, asked of a real API server and of an offline one', () => {
  let planes: ControlPlanes;
  let real: Side;
  let offline: ReturnType<typeof offlineSide>;

  beforeAll(async () => {
    planes = await startControlPlanes([{ name: 'real', controllers: canRollOut() }]);
    const { clusters, users } = parse(readFileSync(planes.kubeconfig, 'utf8')) as Kubeconfig;
    const { server, 'certificate-authority-data': data } = clusters[0]?.cluster ?? {
      server: '',
      'certificate-authority-data': '',
    };
    real = realSide({ server, ca: Buffer.from(data, 'base64').toString(), token: users[0]?.user.token ?? '' });
    offline = offlineSide();
    for (const line of [...POLICY, ...randomPolicy(SEED, 60)]) {
      expect([(await ask(real, line)).status, (await ask(offline, line)).status], line.path).toEqual([201, 201]);
    }
    await sleep(HEARD_MS);
  }, 300_000);

  afterAll(async () => {
    offline?.access.stop();
    await planes?.stop();
  });

  /** What both answer. */
  async function both(line: Line): Promise<readonly [Answer, Answer]> {
    return [normal(await ask(real, line)), normal(await ask(offline, line))];
  }

  /** Only what a refusal says counts: what the rest is about is another test. */
  const refusal = ({ status, body }: Answer): unknown => ([401, 403].includes(status) ? { status, body } : 'let in');

  it('refuse the same requests in the same words', async () => {
    const refused = { real: 0, total: 0 };
    for (const line of REQUESTS) {
      const [ours, theirs] = (await both(line)).map(refusal).toReversed();
      expect(ours, JSON.stringify(line)).toEqual(theirs);
      refused.total += 1;
      if (theirs !== 'let in') refused.real += 1;
    }
    expect(refused.real).toBeGreaterThan(100);
    expect(refused.total - refused.real).toBeGreaterThan(50);
  }, 120_000);

  it(`answer ${QUESTIONS} questions about random policies alike`, async () => {
    const known = { allowed: 0, lost: 0 };
    for (const line of randomQuestions(SEED, QUESTIONS)) {
      const [theirs, ours] = await both(line).then(([a, b]) => [statusOf(a), statusOf(b)] as const);
      expect({ ...ours, reason: '' }, JSON.stringify(line)).toEqual({ ...theirs, reason: '' });
      expect(comparable(ours)).toEqual(comparable(theirs));
      if (theirs.allowed) known.allowed += 1;
      if (theirs.reason?.includes('not found')) known.lost += 1;
    }
    expect(known.allowed).toBeGreaterThan(QUESTIONS / 10);
    expect(known.lost).toBeGreaterThan(0);
  }, 300_000);

  it('answer questions alike', async () => {
    for (const line of REVIEWS) {
      const [theirs, ours] = await both(line);
      expect(ours, JSON.stringify(line)).toEqual(theirs);
    }
  }, 120_000);

  it('let a service account act as others alike', async () => {
    for (const line of IMPERSONATIONS) {
      const [theirs, ours] = (await both(line)).map(refusal);
      expect(ours, JSON.stringify(line)).toEqual(theirs);
      expect(theirs).not.toBe('let in');
    }
  });

  it('keep people from giving away what they do not have', async () => {
    for (const line of ESCALATIONS) {
      const [theirs, ours] = await both(line);
      expect(ours, JSON.stringify(line)).toEqual(theirs);
      if (theirs.status < 300) await sleep(HEARD_MS);
    }
  });

  it('tell of the same resources that are only asked', async () => {
    const lists = ['/apis/authentication.k8s.io/v1', '/apis/authorization.k8s.io/v1', '/api/v1'].map((path) =>
      ask(real, { method: 'GET', path }),
    );
    const resources = (await Promise.all(lists)).flatMap(
      ({ body }) => (body as { readonly resources: readonly Described[] }).resources,
    );
    const theirs = resources.filter(({ kind }) => kind.endsWith('Review') || kind === 'TokenRequest');
    expect(
      VIRTUAL.map(({ type, singular, verbs, subresource }) => ({
        name: type.plural,
        singularName: singular,
        namespaced: type.scope === 'Namespaced',
        ...(subresource === undefined ? {} : { group: type.group, version: type.version }),
        kind: type.kind,
        verbs,
      })),
    ).toEqual(theirs);
  });

  it('start with the same roles, of those that an offline cluster has', async () => {
    const lists = ['clusterroles', 'clusterrolebindings'].map((plural) =>
      ask(real, { method: 'GET', path: `/apis/rbac.authorization.k8s.io/v1/${plural}` }),
    );
    const items = (await Promise.all(lists)).flatMap(({ body }) => (body as { readonly items: readonly AnyObject[] }).items);
    if (process.env.RECORD === '1') writeFileSync(RECORDED, `${JSON.stringify(recordedPolicy(items), null, 2)}\n`);
    for (const ours of defaultPolicy()) {
      const isBinding = ours.kind === 'ClusterRoleBinding';
      const theirs = items.find(
        (item) => item.metadata.name === ours.metadata.name && (item.roleRef !== undefined) === isBinding,
      );
      const { metadata, aggregationRule, roleRef, subjects, rules } = theirs ?? ours;
      expect({ labels: metadata.labels, annotations: metadata.annotations, aggregationRule, roleRef, subjects }).toEqual({
        labels: ours.metadata.labels,
        annotations: ours.metadata.annotations,
        aggregationRule: ours.aggregationRule,
        roleRef: ours.roleRef,
        subjects: ours.subjects,
      });
      if (aggregationRule === undefined) expect(rules).toEqual(ours.rules);
    }
  });

  it.runIf(canRollOut())('gather the rules of aggregated roles alike', async () => {
    const named = (name: string): Line => ({ method: 'GET', path: `/apis/rbac.authorization.k8s.io/v1/clusterroles/${name}` });
    for (const name of ['admin', 'edit', 'view']) {
      await expect.poll(async () => rulesOf(await ask(real, named(name))).length, { timeout: 60_000 }).toBeGreaterThan(3);
      const theirs = (await ask(real, named(name))).body as AnyObject;
      const ours = offline.server.state.storage.get('clusterroles.rbac.authorization.k8s.io', { name });
      expect(ours?.rules).toEqual(theirs.rules);
      expect(normal({ status: 200, body: ours?.metadata.managedFields })).toEqual(
        normal({ status: 200, body: theirs.metadata.managedFields }),
      );
    }
  });

  it('end tokens with what they are bound to', async () => {
    for (const line of ENDINGS) {
      const [theirs, ours] = await both(line);
      expect([theirs.status, ours.status]).toEqual([200, 200]);
    }
    await sleep(TOKEN_CACHE_MS);
    for (const line of AFTER_THE_END) {
      const [theirs, ours] = await both(line);
      expect(ours, JSON.stringify(line)).toEqual(theirs);
    }
  }, 60_000);
});

interface Described {
  readonly kind: string;
}

interface Status {
  readonly allowed: boolean;
  readonly reason?: string;
}

/** Where several bindings allow something a real server names any of them, and it tells of roles that aren't there in any order. */
function comparable({ allowed, reason = '' }: Status): readonly string[] {
  return allowed
    ? [reason.replace(/by .*/, 'by one')]
    : reason
        .split(/[[\],]/)
        .map((each) => each.trim())
        .toSorted();
}

const statusOf = ({ body }: Answer): Status => (body as { readonly status: Status }).status;
const rulesOf = ({ body }: Answer): readonly unknown[] => (body as { readonly rules?: readonly unknown[] | null }).rules ?? [];
