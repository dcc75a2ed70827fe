import type { AnyObject } from 'clusterset/kube';
import { describe, expect, it } from 'vitest';
import { runJob } from '../../../../src/testing/actors/job.ts';
import type { Decision } from '../../../../src/testing/actors/step.ts';

type Value = Readonly<Record<string, unknown>>;
const NOW = Date.UTC(2026, 0, 1, 0, 1);

const job = (spec: Value = {}, before: Value = {}, metadata: Value = {}): AnyObject => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'load', namespace: 'shop', uid: 'j', ...metadata },
  spec: {
    completions: 3,
    parallelism: 2,
    backoffLimit: 2,
    template: { metadata: { labels: {} }, spec: { containers: [{ name: 'load', image: 'a:1' }] } },
    ...spec,
  },
  status: before,
});

let made = 0;
const pod = (
  phase: string,
  { index, finished, leaving }: { index?: number; finished?: string; leaving?: boolean } = {},
): AnyObject => {
  made += 1;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `load-${made}`,
      namespace: 'shop',
      uid: `p${made}`,
      annotations: index === undefined ? {} : { 'batch.kubernetes.io/job-completion-index': String(index) },
      ...(leaving === true ? { deletionTimestamp: 'now' } : {}),
    },
    spec: {},
    status: {
      phase,
      ...(finished === undefined ? {} : { containerStatuses: [{ state: { terminated: { finishedAt: finished } } }] }),
    },
  };
};

const ops = ({ steps }: Decision): readonly string[] => steps.map((step) => `${step.op} ${step.of.split('.')[0]}`);
const status = ({ steps }: Decision): Value => {
  const last = steps.at(-1);
  return last?.op === 'status' ? (last.object.status as Value) : {};
};
const types = (decision: Decision): readonly unknown[] =>
  ((status(decision).conditions ?? []) as readonly Value[]).map(({ type, status: is, reason }) => `${type}=${is} ${reason}`);

describe('the job controller', () => {
  it.each<[string, Value, readonly AnyObject[], number]>([
    ['as many as run at once', {}, [], 2],
    ['no more than are missing', {}, [pod('Succeeded'), pod('Succeeded')], 1],
    ['none beside those that run', {}, [pod('Running'), pod('Pending')], 0],
    ['all where there is no number to complete', { completions: undefined }, [], 2],
    ['none where one of any number has succeeded', { completions: undefined }, [pod('Succeeded'), pod('Running')], 0],
    [
      'none in place of one that leaves, where only failed ones are replaced',
      { podReplacementPolicy: 'Failed' },
      [pod('Running', { leaving: true }), pod('Running')],
      0,
    ],
  ])('makes %s', (_, spec, pods, count) => {
    expect(ops(runJob(job(spec), pods, NOW)).filter((each) => each === 'create pods')).toHaveLength(count);
  });

  it('gives indexed pods the lowest indexes that are free', () => {
    const pods = [pod('Succeeded', { index: 0 }), pod('Running', { index: 2 })];
    const { steps } = runJob(job({ completionMode: 'Indexed', completions: 5, parallelism: 3 }), pods, NOW);
    const names = steps.flatMap((step) => (step.op === 'create' ? [step.object.metadata.generateName] : []));
    expect(names).toEqual(['load-1-', 'load-3-']);
    expect(steps[0]).toMatchObject({
      object: {
        metadata: {
          labels: {
            'batch.kubernetes.io/job-completion-index': '1',
            'batch.kubernetes.io/job-name': 'load',
            'batch.kubernetes.io/controller-uid': 'j',
          },
        },
        spec: { hostname: 'load-1', containers: [{ env: [{ name: 'JOB_COMPLETION_INDEX' }] }] },
      },
    });
    expect(status({ steps })).toMatchObject({ completedIndexes: '0', active: 3, succeeded: 1 });
  });

  it.each([
    [[0, 1, 2, 4], '0-2,4'],
    [[0, 1, 3], '0,1,3'],
    [[5], '5'],
  ])('writes the indexes %o as %s', (indexes, text) => {
    const pods = indexes.map((index) => pod('Succeeded', { index }));
    expect(status(runJob(job({ completionMode: 'Indexed', completions: 9 }), pods, NOW)).completedIndexes).toBe(text);
  });

  it('waits longer before it replaces a pod, the more have failed since the last success', () => {
    const failed = (second: number) => pod('Failed', { finished: `2026-01-01T00:00:${second}Z` });
    const wait = (...pods: readonly AnyObject[]) => runJob(job({ backoffLimit: 9 }), pods, NOW).againInMs;
    expect(wait(failed(59))).toBe(9000);
    expect(wait(failed(50), failed(59))).toBe(19_000);
    expect(wait(failed(50), pod('Succeeded', { finished: '2026-01-01T00:00:55Z' }), failed(59))).toBe(9000);
    expect(wait(failed(40))).toBeUndefined();
  });

  it.each<[string, Value, Value, readonly AnyObject[], string]>([
    ['too many pods failed', {}, {}, [pod('Failed'), pod('Failed'), pod('Failed')], 'BackoffLimitExceeded'],
    ['its time is over', { activeDeadlineSeconds: 30 }, { startTime: '2026-01-01T00:00:30Z' }, [], 'DeadlineExceeded'],
  ])('fails when %s', (_, spec, before, pods, reason) => {
    expect(types(runJob(job(spec, before), pods, NOW))).toEqual([`FailureTarget=True ${reason}`, `Failed=True ${reason}`]);
  });

  it('counts a pod that is deleted as failed, unless only failed ones are replaced', () => {
    const failed = (podReplacementPolicy: string) =>
      status(runJob(job({ podReplacementPolicy }), [pod('Running', { leaving: true })], NOW)).failed;
    expect(failed('TerminatingOrFailed')).toBe(1);
    expect(failed('Failed')).toBeUndefined();
  });

  it('lets the last pods go before it says that it is over', () => {
    const first = runJob(job({ activeDeadlineSeconds: 30 }, { startTime: '2026-01-01T00:00:00Z' }), [pod('Running')], NOW);
    expect(ops(first)).toEqual(['delete pods', 'status jobs']);
    expect(types(first)).toEqual(['FailureTarget=True DeadlineExceeded']);
    expect(status(first).failed).toBe(1);
    const second = runJob(job({ activeDeadlineSeconds: 30 }, status(first)), [pod('Running', { leaving: true })], NOW);
    expect(types(second)).toEqual(['FailureTarget=True DeadlineExceeded']);
    expect(types(runJob(job({}, status(second)), [], NOW))).toEqual([
      'FailureTarget=True DeadlineExceeded',
      'Failed=True DeadlineExceeded',
    ]);
  });

  it('stops and goes on as it is told', () => {
    const suspended = runJob(job({ suspend: true }), [pod('Running')], NOW);
    expect(ops(suspended)).toEqual(['delete pods', 'status jobs']);
    expect(types(suspended)).toEqual(['Suspended=True JobSuspended']);
    const resumed = runJob(job({}, status(suspended)), [], NOW);
    expect(types(resumed)).toEqual(['Suspended=False JobResumed']);
    expect(status(resumed).startTime).toBe('2026-01-01T00:01:00Z');
  });

  it('deletes itself after the time that it says, and does nothing else once it is over', () => {
    const conditions = [{ type: 'Complete', status: 'True', lastTransitionTime: '2026-01-01T00:00:50Z' }];
    expect(runJob(job({}, { conditions }), [], NOW)).toEqual({ steps: [] });
    expect(runJob(job({ ttlSecondsAfterFinished: 30 }, { conditions }), [], NOW)).toEqual({ steps: [], againInMs: 20_000 });
    expect(ops(runJob(job({ ttlSecondsAfterFinished: 10 }, { conditions }), [], NOW))).toEqual(['delete jobs']);
  });

  it('leaves a Job alone that another controller manages', () => {
    expect(runJob(job({ managedBy: 'example.com/queue' }), [], NOW)).toEqual({ steps: [] });
  });
});
