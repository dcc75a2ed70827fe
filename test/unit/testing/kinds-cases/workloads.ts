import { casesOf, change, type KindCase, selector, status, template } from './case.ts';

const deployment = casesOf('apps/v1', 'Deployment');
const replicaSet = casesOf('apps/v1', 'ReplicaSet');
const statefulSet = casesOf('apps/v1', 'StatefulSet');
const daemonSet = casesOf('apps/v1', 'DaemonSet');
const job = casesOf('batch/v1', 'Job');
const cronJob = casesOf('batch/v1', 'CronJob');

const base = { selector, template: template() };
const once = { template: template({ restartPolicy: 'Never' }) };
const claim = {
  metadata: { name: 'data' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
};
const expressions = {
  matchLabels: { app: 'web' },
  matchExpressions: [
    { key: 'tier', operator: 'In', values: ['b', 'a'] },
    { key: 'old', operator: 'DoesNotExist' },
    { key: 'env', operator: 'NotIn', values: ['dev'] },
    { key: 'app', operator: 'Exists' },
  ],
};

export const WORKLOAD_CASES: readonly KindCase[] = [
  deployment('plain', { spec: base }),
  deployment('full', {
    spec: {
      ...base,
      replicas: 3,
      paused: true,
      minReadySeconds: 5,
      revisionHistoryLimit: 0,
      progressDeadlineSeconds: 30,
      strategy: { rollingUpdate: { maxSurge: 2 } },
    },
  }),
  deployment('recreate', { spec: { ...base, strategy: { type: 'Recreate' } } }),
  deployment('expressions', { spec: { selector: expressions, template: template({}, { app: 'web', tier: 'a' }) } }),
  deployment(
    'two-containers',
    {
      spec: {
        selector,
        template: template({
          containers: [
            { name: 'a', image: 'x' },
            { name: 'b', image: 'y:1' },
          ],
        }),
      },
    },
    status({ replicas: 1, readyReplicas: 1, updatedReplicas: 1, availableReplicas: 1, observedGeneration: 1 }),
  ),
  deployment('scaled', { spec: base }, change({ spec: { replicas: 4 } })),
  deployment('relabelled', { spec: base }, change({ metadata: { labels: { a: 'b' } } })),
  deployment('empty', { spec: {} }),
  deployment('no-spec', {}),
  deployment('empty-selector', { spec: { ...base, selector: {} } }),
  deployment('mismatch', { spec: { ...base, selector: { matchLabels: { app: 'other' } } } }),
  deployment('negative', { spec: { ...base, replicas: -1, minReadySeconds: -1, revisionHistoryLimit: -1 } }),
  deployment('bad-strategy', { spec: { ...base, strategy: { type: 'Slow' } } }),
  deployment('recreate-rolling', { spec: { ...base, strategy: { type: 'Recreate', rollingUpdate: { maxSurge: 1 } } } }),
  deployment('no-progress', { spec: { ...base, strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } } }),
  deployment('bad-percent', { spec: { ...base, strategy: { rollingUpdate: { maxSurge: 'half', maxUnavailable: '120%' } } } }),
  deployment('deadline', { spec: { ...base, minReadySeconds: 600 } }),
  deployment('bad-restart', { spec: { selector, template: template({ restartPolicy: 'Never' }) } }),
  deployment('bad-container', { spec: { selector, template: template({ containers: [{ name: 'Web' }] }) } }),
  deployment('bad-selector', {
    spec: {
      ...base,
      selector: {
        matchExpressions: [
          { key: 'a', operator: 'Near' },
          { key: 'b', operator: 'In' },
          { key: 'c', operator: 'Exists', values: ['x'] },
        ],
      },
    },
  }),
  deployment(
    'selector-changes',
    { spec: base },
    change({ spec: { selector: { matchLabels: { tier: 'a' } }, template: { metadata: { labels: { tier: 'a' } } } } }),
  ),
  deployment('bad-status', { spec: base }, status({ replicas: -1, readyReplicas: 3, availableReplicas: 4 })),
  deployment('Bad_Name', { spec: base }),
  deployment('deadline-template', { spec: { selector, template: template({ activeDeadlineSeconds: 5 }) } }),

  replicaSet('plain', { spec: base }),
  replicaSet('full', { spec: { ...base, replicas: 0, minReadySeconds: 3 } }, status({ replicas: 2, readyReplicas: 1 })),
  replicaSet('empty', { spec: {} }),
  replicaSet('mismatch', { spec: { selector, template: template({}, { app: 'other' }) } }),
  replicaSet('negative', { spec: { ...base, replicas: -1 } }),
  replicaSet(
    'selector-changes',
    { spec: base },
    change({ spec: { selector: { matchLabels: { tier: 'a' } }, template: { metadata: { labels: { tier: 'a' } } } } }),
  ),

  statefulSet('plain', { spec: { ...base, serviceName: 'web' } }),
  statefulSet(
    'full',
    {
      spec: {
        ...base,
        serviceName: 'web',
        replicas: 2,
        podManagementPolicy: 'Parallel',
        ordinals: { start: 1 },
        volumeClaimTemplates: [claim],
        updateStrategy: { rollingUpdate: { partition: 1 } },
        persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete' },
      },
    },
    status({ replicas: 2, readyReplicas: 1 }),
  ),
  statefulSet('on-delete', { spec: { ...base, updateStrategy: { type: 'OnDelete' } } }),
  statefulSet('empty', { spec: {} }),
  statefulSet('mismatch', { spec: { selector, template: template({}, { app: 'other' }) } }),
  statefulSet('bad-policies', {
    spec: { ...base, podManagementPolicy: 'Random', updateStrategy: { type: 'Slow' }, replicas: -1 },
  }),
  statefulSet('immutable', { spec: { ...base, serviceName: 'web' } }, change({ spec: { serviceName: 'other' } })),
  statefulSet('scaled', { spec: { ...base, serviceName: 'web' } }, change({ spec: { replicas: 3 } })),

  daemonSet('plain', { spec: base }),
  daemonSet(
    'full',
    {
      spec: {
        selector,
        template: template({ nodeSelector: { a: 'b', c: 'd' } }),
        minReadySeconds: 3,
        updateStrategy: { rollingUpdate: { maxUnavailable: '10%' } },
      },
    },
    status({
      desiredNumberScheduled: 3,
      currentNumberScheduled: 3,
      numberReady: 2,
      updatedNumberScheduled: 1,
      numberAvailable: 2,
      numberMisscheduled: 0,
    }),
  ),
  daemonSet('on-delete', { spec: { ...base, updateStrategy: { type: 'OnDelete' } } }),
  daemonSet('empty', { spec: {} }),
  daemonSet('mismatch', { spec: { selector, template: template({}, { app: 'other' }) } }),
  daemonSet('both-zero', { spec: { ...base, updateStrategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 0 } } } }),
  daemonSet('both-set', { spec: { ...base, updateStrategy: { rollingUpdate: { maxUnavailable: 1, maxSurge: 1 } } } }),
  daemonSet('bad-strategy', { spec: { ...base, updateStrategy: { type: 'Slow' } } }),
  daemonSet(
    'selector-changes',
    { spec: base },
    change({ spec: { selector: { matchLabels: { tier: 'a' } }, template: { metadata: { labels: { tier: 'a' } } } } }),
  ),
  daemonSet('template-changes', { spec: base }, change({ spec: { template: { spec: { dnsPolicy: 'Default' } } } })),

  job('plain', { spec: once }),
  job('no-labels', { spec: { template: { spec: { containers: [{ name: 'a', image: 'b' }], restartPolicy: 'OnFailure' } } } }),
  job('full', {
    metadata: { labels: { own: 'label' } },
    spec: {
      ...once,
      completions: 5,
      parallelism: 2,
      backoffLimit: 1,
      activeDeadlineSeconds: 60,
      ttlSecondsAfterFinished: 10,
      suspend: true,
    },
  }),
  job('indexed', { spec: { ...once, completions: 3, completionMode: 'Indexed', backoffLimitPerIndex: 1, maxFailedIndexes: 2 } }),
  job('work-queue', { spec: { ...once, parallelism: 3 } }),
  job('failure-policy', {
    spec: {
      ...once,
      podFailurePolicy: {
        rules: [
          { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] },
          { action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } },
        ],
      },
    },
  }),
  job('manual', { spec: { manualSelector: true, selector, ...once } }),
  job(
    'complete',
    { spec: once },
    status({
      startTime: '2026-01-01T00:00:00Z',
      completionTime: '2026-01-01T00:05:10Z',
      succeeded: 1,
      conditions: [
        { type: 'SuccessCriteriaMet', status: 'True' },
        { type: 'Complete', status: 'True' },
      ],
    }),
  ),
  job('suspended', { spec: { ...once, suspend: true } }, status({ conditions: [{ type: 'Suspended', status: 'True' }] })),
  job('suspend-later', { spec: once }, change({ spec: { suspend: true, parallelism: 3 } })),
  job('empty', { spec: {} }),
  job('always', { spec: { template: template() } }),
  job('negative', {
    spec: { ...once, completions: -1, parallelism: -1, backoffLimit: -1, activeDeadlineSeconds: -1, ttlSecondsAfterFinished: -1 },
  }),
  job('indexed-without', { spec: { ...once, parallelism: 2, completionMode: 'Indexed' } }),
  job('bad-mode', { spec: { ...once, completionMode: 'Odd' } }),
  job('own-selector', { spec: { ...once, selector } }),
  job('immutable', { spec: once }, change({ spec: { completions: 3 } })),
  job('template-immutable', { spec: once }, change({ spec: { template: { spec: { dnsPolicy: 'Default' } } } })),

  cronJob('plain', { spec: { schedule: '*/5 * * * *', jobTemplate: { spec: once } } }),
  cronJob(
    'full',
    {
      spec: {
        schedule: '@daily',
        timeZone: 'Europe/Berlin',
        suspend: true,
        concurrencyPolicy: 'Forbid',
        startingDeadlineSeconds: 10,
        successfulJobsHistoryLimit: 0,
        failedJobsHistoryLimit: 0,
        jobTemplate: { metadata: { labels: { a: 'b' } }, spec: { ...once, backoffLimit: 2 } },
      },
    },
    status({ lastScheduleTime: '2026-01-01T00:00:00Z', active: [{ name: 'x' }] }),
  ),
  cronJob(
    'changed',
    { spec: { schedule: '1 2 3 4 5', jobTemplate: { spec: once } } },
    change({ spec: { schedule: '0 0 * * MON' } }),
  ),
  cronJob('empty', { spec: {} }),
  cronJob('bad-schedule', { spec: { schedule: 'often', jobTemplate: { spec: once } } }),
  cronJob('bad-minute', { spec: { schedule: '61 * * * *', jobTemplate: { spec: once } } }),
  cronJob('bad-policy', {
    spec: {
      schedule: '* * * * *',
      concurrencyPolicy: 'Maybe',
      timeZone: 'Mars/Base',
      jobTemplate: { spec: { template: template() } },
    },
  }),
  cronJob('zone-in-schedule', { spec: { schedule: 'TZ=UTC * * * * *', jobTemplate: { spec: once } } }),
  cronJob('a-name-that-is-far-longer-than-the-fifty-two-which-a-cron-job-may', {
    spec: { schedule: '* * * * *', jobTemplate: { spec: once } },
  }),
];
