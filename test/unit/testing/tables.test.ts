import { BUILT_IN, qualifiedPlural } from 'clusterset/kube';
import { describe, expect, it } from 'vitest';
import { UNFEDERATED } from '../../../src/testing/kinds/unfederated.ts';
import { viewOf } from '../../../src/testing/kinds/views.ts';
import { age, duration } from '../../../src/testing/web/table/age.ts';
import { CELLS } from '../../../src/testing/web/table/cells.ts';
import columns from '../../../src/testing/web/table/columns.json' with { type: 'json' };
import { podCells } from '../../../src/testing/web/table/pod-cells.ts';
import { selectorText } from '../../../src/testing/web/table/selector-text.ts';

const [SECOND, MINUTE, HOUR, DAY] = [1000, 60_000, 3_600_000, 86_400_000];

describe('durations are written as kubectl does', () => {
  it.each([
    [0, '0s'],
    [119 * SECOND, '119s'],
    [120 * SECOND, '2m'],
    [125 * SECOND, '2m5s'],
    [10 * MINUTE + 5 * SECOND, '10m'],
    [179 * MINUTE, '179m'],
    [3 * HOUR, '3h'],
    [3 * HOUR + 20 * MINUTE, '3h20m'],
    [8 * HOUR + 20 * MINUTE, '8h'],
    [47 * HOUR, '47h'],
    [2 * DAY, '2d'],
    [2 * DAY + 5 * HOUR, '2d5h'],
    [9 * DAY + 5 * HOUR, '9d'],
    [729 * DAY, '729d'],
    [730 * DAY, '2y'],
    [800 * DAY, '2y70d'],
    [8 * 365 * DAY + 9 * DAY, '8y'],
    [-5 * SECOND, '0s'],
  ])('%d ms: %s', (milliseconds, expected) => {
    expect(duration(milliseconds)).toBe(expected);
  });

  it('and a time that was never is unknown', () => {
    expect(age(undefined, 0)).toBe('<unknown>');
    expect(age('1970-01-01T00:00:00Z', 5 * SECOND)).toBe('5s');
  });
});

describe('the table of each built-in kind', () => {
  const stored = [...BUILT_IN, ...UNFEDERATED].filter((type) => viewOf(type) === undefined);

  it.each(stored.map(qualifiedPlural))('%s has a cell for each of the recorded columns', (collection) => {
    const recorded = (columns as unknown as Readonly<Record<string, readonly (readonly unknown[])[]>>)[collection] ?? [];
    // The name stands before the cells, and is one of them only where it isn't first.
    const behindName = recorded.filter(([name], index) => name !== 'Name' || index > 0);
    const bare = { metadata: { name: 'x', creationTimestamp: '2026-01-01T00:00:00Z' } };
    expect(CELLS[collection]?.(bare, Date.parse('2026-01-01T00:00:00Z'))).toHaveLength(behindName.length);
  });
});

describe('the status of a pod', () => {
  const now = Date.parse('2026-01-01T01:00:00Z');
  const pod = (status: object, metadata: object = {}, spec: object = {}): Record<string, unknown> => ({
    metadata: { name: 'web', creationTimestamp: '2026-01-01T00:00:00Z', ...metadata },
    spec: { containers: [{ name: 'web' }], ...spec },
    status,
  });
  const ended = (exitCode: number, more: object = {}): object => ({ name: 'web', state: { terminated: { exitCode, ...more } } });

  it.each([
    ['is Terminating while it goes', pod({ phase: 'Running' }, { deletionTimestamp: 'x' }), 'Terminating'],
    ['is Unknown where its node is lost', pod({ phase: 'Running', reason: 'NodeLost' }, { deletionTimestamp: 'x' }), 'Unknown'],
    ['stays Failed when it is deleted', pod({ phase: 'Failed' }, { deletionTimestamp: 'x' }), 'Failed'],
    ['names the signal that ended a container', pod({ containerStatuses: [ended(137, { signal: 9 })] }), 'Signal:9'],
    [
      'prefers the failure of one to the completion of another',
      pod({ containerStatuses: [ended(0, { reason: 'Completed' }), ended(1, { reason: 'Error' })] }),
      'Error',
    ],
    [
      'counts the containers that come first',
      pod(
        { initContainerStatuses: [ended(0), { name: 'b', state: { waiting: { reason: 'PodInitializing' } } }] },
        {},
        { initContainers: [{ name: 'web' }, { name: 'b' }] },
      ),
      'Init:1/2',
    ],
    [
      'says why the first container waits',
      pod(
        { initContainerStatuses: [{ name: 'b', state: { waiting: { reason: 'ErrImagePull' } } }] },
        {},
        { initContainers: [{ name: 'b' }] },
      ),
      'Init:ErrImagePull',
    ],
    [
      'goes past a container that stays beside the others',
      pod(
        { phase: 'Running', initContainerStatuses: [{ name: 'b', started: true, ready: true, state: { running: {} } }] },
        {},
        { initContainers: [{ name: 'b', restartPolicy: 'Always' }] },
      ),
      'Running',
    ],
  ])('%s', (_, object, expected) => {
    expect(podCells(object, now)[1]).toBe(expected);
  });

  it('says when a container was last started anew', () => {
    const status = {
      name: 'web',
      restartCount: 2,
      state: { running: {} },
      lastState: { terminated: { finishedAt: '2026-01-01T00:30:00Z' } },
    };
    expect(podCells(pod({ containerStatuses: [status] }), now)[2]).toBe('2 (30m ago)');
  });
});

it('writes the requirements of a selector in the order of their keys', () => {
  const matchExpressions = [
    { key: 'b', operator: 'NotIn', values: ['y', 'x'] },
    { key: 'a', operator: 'Exists' },
  ];
  expect(selectorText({ matchLabels: { c: 'd' }, matchExpressions })).toBe('a,b notin (x,y),c=d');
});
