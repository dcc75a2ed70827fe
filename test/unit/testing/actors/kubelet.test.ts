import type { AnyObject } from 'clusterset/kube';
import { describe, expect, it } from 'vitest';
import { behaviourOf, type KubeletFacts, type PodBehaviour, runPod } from '../../../../src/testing/actors/kubelet.ts';

type Value = Readonly<Record<string, unknown>>;
const NOW = Date.UTC(2026, 0, 1);

const pod = (spec: Value = {}, status: Value = { phase: 'Pending' }, metadata: Value = {}): AnyObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'shop', uid: 'u', ...metadata },
  spec: { nodeName: 'a', restartPolicy: 'Always', containers: [{ name: 'web', image: 'a:1' }], ...spec },
  status,
});

const facts = (behaviour: PodBehaviour, elapsed = 0, now = NOW): KubeletFacts => ({
  behaviour,
  elapsed,
  startMs: 1000,
  runMs: 2000,
  podIp: '10.244.0.2',
  hostIp: '10.0.0.2',
  now,
});

/** The pod after so many steps, each after the time that the one before asked for. */
function lived(steps: number, behaviour: PodBehaviour, spec: Value = {}): { readonly pod: AnyObject; readonly ms: number } {
  let [live, ms, wait] = [pod(spec), 0, 0];
  for (let step = 0; step < steps; step += 1) {
    const { status, againInMs = 0 } = runPod(live, facts(behaviour, wait, NOW + ms));
    if (status !== undefined) live = { ...live, status };
    wait = againInMs;
    ms += againInMs;
  }
  return { pod: live, ms: ms - wait };
}

const ready = ({ status }: AnyObject): unknown =>
  ((status as Value).conditions as readonly Value[]).find(({ type }) => type === 'Ready')?.status;

describe('a pod on its node', () => {
  it('is created first, and has neither run nor an address', () => {
    const { status, againInMs } = runPod(pod(), facts('Run'));
    expect(status).toMatchObject({
      phase: 'Pending',
      containerStatuses: [{ ready: false, state: { waiting: { reason: 'ContainerCreating' } } }],
    });
    expect(status).not.toHaveProperty('podIP');
    expect(againInMs).toBe(1000);
  });

  it.each<[PodBehaviour, string, string, string]>([
    ['Run', 'Running', 'True', 'running'],
    ['NeverReady', 'Running', 'False', 'running'],
    ['ImageError', 'Pending', 'False', 'waiting'],
    ['CrashLoop', 'Running', 'False', 'waiting'],
  ])('that is to %s is %s then, with Ready=%s', (behaviour, phase, isReady, state) => {
    const { pod: live, ms } = lived(2, behaviour);
    expect(live.status).toMatchObject({ phase, containerStatuses: [{ state: { [state]: {} } }] });
    expect(ready(live)).toBe(isReady);
    expect(ms).toBe(1000);
  });

  it('says nothing again where nothing has changed', () => {
    for (const behaviour of ['Run', 'NeverReady', 'ImageError'] as const)
      expect(runPod(lived(2, behaviour).pod, facts(behaviour, 9000, NOW + 9000))).toEqual({});
  });

  it('backs off twice as long after each crash, five minutes at most', () => {
    const times = [2, 3, 4, 5, 6, 7, 8, 9].map((steps) => lived(steps, 'CrashLoop').ms);
    expect(times.map((time, index) => time - (times[index - 1] ?? 0))).toEqual([
      1000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000,
    ]);
    expect(lived(5, 'CrashLoop').pod.status).toMatchObject({
      containerStatuses: [
        { restartCount: 4, state: { waiting: { message: 'back-off 1m20s restarting failed container=web pod=web_shop(u)' } } },
      ],
    });
  });

  it.each<[PodBehaviour, string, string, number]>([
    ['Complete', 'Never', 'Succeeded', 0],
    ['Complete', 'OnFailure', 'Succeeded', 0],
    ['Fail', 'Never', 'Failed', 1],
    ['Fail', 'OnFailure', 'Running', 1],
    ['Complete', 'Always', 'Running', 0],
  ])('that is to %s with restartPolicy %s is %s in the end', (behaviour, restartPolicy, phase, exitCode) => {
    const { pod: live, ms } = lived(3, behaviour, { restartPolicy });
    expect(ms).toBe(3000);
    const terminated = { terminated: { exitCode } };
    expect(live.status).toMatchObject({
      phase,
      containerStatuses: [phase === 'Running' ? { lastState: terminated } : { state: terminated }],
    });
    expect(ready(live)).toBe('False');
  });

  it('is left alone once it has ended', () => {
    expect(runPod(pod({}, { phase: 'Succeeded' }), facts('Run'))).toEqual({});
  });

  it('is ready only when its gates are open', () => {
    const gated = lived(2, 'Run', { readinessGates: [{ conditionType: 'shop/ok' }] }).pod;
    expect(ready(gated)).toBe('False');
    const conditions = [...((gated.status as Value).conditions as readonly Value[]), { type: 'shop/ok', status: 'True' }];
    const { status } = runPod({ ...gated, status: { ...(gated.status as Value), conditions } }, facts('Run', 5000));
    expect(ready({ ...gated, status })).toBe('True');
  });

  it('behaves as its annotation says, or its owner', () => {
    const of = (metadata: Value): PodBehaviour => behaviourOf(pod({}, {}, metadata));
    expect(of({})).toBe('Run');
    expect(of({ annotations: { 'clusterset.dev/simulate': 'CrashLoop' } })).toBe('CrashLoop');
    expect(of({ annotations: { 'clusterset.dev/simulate': 'toString' } })).toBe('Run');
    expect(of({ ownerReferences: [{ kind: 'Job' }] })).toBe('Complete');
  });
});
