import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { isRecord } from 'clusterset/kube';
import { systemClock } from 'clusterset/runtime';
import { simulate, type World } from 'clusterset/testing';
import { type ServedClusters, serve } from 'clusterset/testing/http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { type ControlPlanes, startControlPlanes } from './harness/control-planes.ts';

/** What kubectl creates through its typed clients, in protobuf, and which object that is. */
const CREATED: readonly (readonly [line: string, object: string])[] = [
  ['create namespace shop', 'namespace/shop'],
  ['create configmap plain --from-literal=a=b --from-literal=empty=', 'configmap/plain'],
  ['create configmap files --from-file=binary --from-file=text', 'configmap/files'],
  ['create secret generic plain --from-literal=a=b --from-file=binary', 'secret/plain'],
  ['create secret generic typed --type=example.com/own --from-literal=a=b', 'secret/typed'],
  [
    'create secret docker-registry images --docker-server=images.example --docker-username=u --docker-password=p',
    'secret/images',
  ],
  ['create serviceaccount robot', 'serviceaccount/robot'],
  ['create deployment web --image=nginx:1.28 --replicas=2 --port=80', 'deployment/web'],
  ['create deployment worker --image=a -- sh -c true', 'deployment/worker'],
  ['create service clusterip web --tcp=80:8080', 'service/web'],
  ['create service clusterip headless --clusterip=None', 'service/headless'],
  ['create service nodeport door --tcp=80:8080 --node-port=30080', 'service/door'],
  ['create service externalname outside --external-name=example.com', 'service/outside'],
  ['create job once --image=busybox -- sh -c true', 'job/once'],
  ['create cronjob often --image=busybox --schedule=*/5\u00a0*\u00a0*\u00a0*\u00a0* -- date', 'cronjob/often'],
  ['create job now --from=cronjob/often', 'job/now'],
  ['create ingress way --rule=shop.example/cart*=web:80,tls=own --class=nginx --annotation=a=b', 'ingress/way'],
  ['create ingress back --default-backend=web:http', 'ingress/back'],
  ['create role reader --verb=get,list --resource=pods,deployments.apps --resource-name=web', 'role/reader'],
  ['create rolebinding reader --role=reader --serviceaccount=default:robot --user=u --group=g', 'rolebinding/reader'],
  ['create clusterrole reader --verb=get --resource=nodes', 'clusterrole/reader'],
  ['create clusterrole pages --verb=get --non-resource-url=/metrics/*', 'clusterrole/pages'],
  ['create clusterrole sum --aggregation-rule=a=b', 'clusterrole/sum'],
  ['create clusterrolebinding reader --clusterrole=reader --user=u', 'clusterrolebinding/reader'],
  ['create poddisruptionbudget two --selector=app=web --min-available=2', 'pdb/two'],
  ['create poddisruptionbudget half --selector=app=web --max-unavailable=50%', 'pdb/half'],
  ['create quota little --hard=cpu=1,memory=1G,pods=2', 'quota/little'],
  ['run alone --image=nginx --port=80 --labels=app=alone --env=A=b --restart=Never', 'pod/alone'],
  ['expose deployment web --name=exposed --port=80 --target-port=http', 'service/exposed'],
  ['autoscale deployment web --min=1 --max=3 --cpu=80%', 'hpa/web'],
  ['create configmap plain', 'configmap/plain'],
  ['create configmap Wrong', 'configmap/plain'],
  ['create configmap nowhere -n nope', 'configmap/plain'],
];

describe('kubectl create', () => {
  let planes: ControlPlanes;
  let world: World;
  let served: ServedClusters;
  let folder: string;
  let offline: string;

  beforeAll(async () => {
    planes = await startControlPlanes([{ name: 'real' }]);
    world = await simulate({ members: { offline: {} }, clock: systemClock, rollouts: false });
    served = await serve([world.cluster('offline')]);
    folder = mkdtempSync(join(tmpdir(), 'clusterset-create-'));
    offline = join(folder, 'offline');
    writeFileSync(offline, stringify(served.kubeconfig()), { mode: 0o600 });
    writeFileSync(join(folder, 'binary'), Buffer.from([0, 255, 1, 254]));
    writeFileSync(join(folder, 'text'), 'lines\nof text\n');
  });

  afterAll(async () => {
    await planes?.stop();
    await served?.close();
    await world?.[Symbol.asyncDispose]();
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  function kubectl(kubeconfig: string, line: string): Promise<{ readonly stdout: string; readonly stderr: string }> {
    const words = line.split(' ').map((word) => word.replaceAll('\u00a0', ' '));
    const args = ['--kubeconfig', kubeconfig, '--request-timeout=20s', ...words];
    const { promise, resolve } = Promise.withResolvers<{ readonly stdout: string; readonly stderr: string }>();
    const options = { cwd: folder, env: { ...process.env, HOME: folder }, timeout: 60_000 };
    execFile(planes.kubectl, args, options, (_, stdout, stderr) => resolve({ stdout, stderr }));
    return promise;
  }

  it.each(CREATED)('makes the object that a real server makes of it: %s', async (line, object) => {
    const [ours, theirs] = [await kubectl(offline, line), await kubectl(planes.kubeconfig, line)];
    expect(ours).toEqual(theirs);
    const [stored, storedThere] = await Promise.all(
      [offline, planes.kubeconfig].map(async (kubeconfig) => {
        const { stdout } = await kubectl(kubeconfig, `get ${object} -o json --show-managed-fields`);
        return normal(JSON.parse(stdout.replaceAll(/[\da-f]{8}-[\da-f-]{27}/g, '…')));
      }),
    );
    expect(stored).toEqual(storedThere);
  });

  it('is asked in protobuf, and answered in JSON', async () => {
    const { stderr } = await kubectl(offline, 'create configmap seen --from-literal=a=b -v=8');
    expect(stderr).toMatch(/Content-Type: application\/vnd.kubernetes.protobuf/);
    expect(stderr).toMatch(/Content-Type: application\/json/);
    expect(await kubectl(offline, 'delete configmap seen')).toEqual({
      stdout: 'configmap "seen" deleted from default namespace\n',
      stderr: '',
    });
  });
});

const VARYING: ReadonlySet<string> = new Set(['uid', 'resourceVersion', 'creationTimestamp', 'time', 'clusterIP', 'clusterIPs']);

/** Without what differs from one server to another. */
function normal(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normal);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, VARYING.has(name) && each !== 'None' ? '…' : normal(each)]),
  );
}
