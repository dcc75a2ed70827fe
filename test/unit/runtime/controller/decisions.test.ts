import { type AnyObject, ClustersetError, type ErrorCode } from 'clusterset/kube';
import {
  allOf,
  annotationsChanged,
  anyOf,
  type Change,
  generationChanged,
  labelsChanged,
  matching,
  type Predicate,
} from 'clusterset/runtime';
import { describe, expect, it } from 'vitest';
import { itself, ownersOf } from '../../../../src/runtime/controller/describe.ts';
import { checkedAnswer, verdictOn } from '../../../../src/runtime/controller/outcome.ts';
import { CONFIG_MAPS, typeOf } from '../fixtures.ts';
import { named } from './start.ts';

const object = (metadata: Record<string, unknown> = {}): AnyObject => named('a', {}, metadata);
const change = (previous: Record<string, unknown>, now: Record<string, unknown>): Change => ({
  cluster: 'eu-1',
  object: object(now),
  previous: object(previous),
  isInitial: false,
});

describe('a predicate', () => {
  const web = matching({ matchLabels: { app: 'web' } });
  const yes: Predicate = () => true;
  const no: Predicate = () => false;
  it.each<[string, Predicate, Change, boolean]>([
    ['the generation moves', generationChanged, change({ generation: 1 }, { generation: 2 }), true],
    ['a deletion begins', generationChanged, change({}, { deletionTimestamp: '2026-01-01T00:00:00Z' }), true],
    ['it is another object', generationChanged, change({ uid: 'a' }, { uid: 'b' }), true],
    ['only labels change', generationChanged, change({ uid: 'a' }, { uid: 'a', labels: { x: '1' } }), false],
    ['labels change', labelsChanged, change({}, { labels: { x: '1' } }), true],
    ['other things than labels change', labelsChanged, change({ labels: {} }, { annotations: { x: '1' } }), false],
    ['annotations change', annotationsChanged, change({}, { annotations: { x: '1' } }), true],
    ['other things than annotations change', annotationsChanged, change({ annotations: {} }, { labels: { x: '1' } }), false],
    ['it is new', labelsChanged, { cluster: 'eu-1', object: object(), isInitial: false }, true],
    ['it is gone', labelsChanged, { cluster: 'eu-1', previous: object(), isInitial: false }, true],
    ['it comes into the selection', web, change({}, { labels: { app: 'web' } }), true],
    ['it leaves the selection', web, change({ labels: { app: 'web' } }, {}), true],
    ['it never was in the selection', web, change({}, { labels: { app: 'db' } }), false],
    ['all pass', allOf(yes, yes), change({}, {}), true],
    ['not all pass', allOf(yes, no), change({}, {}), false],
    ['one passes', anyOf(no, yes), change({}, {}), true],
    ['none passes', anyOf(no, no), change({}, {}), false],
  ])('where %s', (_, predicate, changed, passes) => {
    expect(predicate(changed)).toBe(passes);
  });
});

describe('whom an object concerns', () => {
  const deployments = typeOf('apps', 'Deployment');
  const nodes = typeOf('', 'Node');
  const reference = (kind: string, name: string, controller: boolean) => ({
    apiVersion: kind === 'Deployment' ? 'apps/v1' : 'v1',
    kind,
    name,
    uid: name,
    controller,
  });
  const owned = object({
    ownerReferences: [reference('Deployment', 'web', true), reference('Deployment', 'db', false), reference('Node', 'n', false)],
  });

  it('itself', () => {
    expect([...itself(owned)]).toEqual([{ namespace: 'default', name: 'a' }]);
  });

  it.each([
    ['the owner that manages it', deployments, false, [{ namespace: 'default', name: 'web' }]],
    [
      'all owners of the type',
      deployments,
      true,
      [
        { namespace: 'default', name: 'web' },
        { namespace: 'default', name: 'db' },
      ],
    ],
    ['an owner that is in no namespace', nodes, true, [{ name: 'n' }]],
    ['nobody where another type manages it', nodes, false, []],
  ])('%s', (_, type, anyOwner, targets) => {
    expect([...ownersOf(type, anyOwner)(owned, 'eu-1')]).toEqual(targets);
    expect([...ownersOf(CONFIG_MAPS, anyOwner)(owned, 'eu-1')]).toEqual([]);
  });
});

describe('what an error says about its cluster', () => {
  const error = (code: ErrorCode, status?: number, cluster = 'eu-1') =>
    new ClustersetError({ code, message: 'no', cluster, ...(status === undefined ? {} : { status }) });
  it.each<[string, unknown, 'up' | 'down' | undefined]>([
    ['it does not answer', error('Unreachable'), 'down'],
    ['it is overloaded', error('TooManyRequests', 429), 'down'],
    ['it says that it can not', error('ServiceUnavailable', 503), 'down'],
    ['it takes too long', error('Timeout'), 'down'],
    ['it says that it took too long', error('ServerTimeout', 500), 'down'],
    ['it refuses', error('Forbidden', 403), 'up'],
    ['another is meant', error('Unreachable', undefined, 'host'), undefined],
    ['nobody was asked', error('Invalid'), undefined],
    ['our own code is wrong', new TypeError('no'), undefined],
  ])('where %s', (_, thrown, verdict) => {
    expect(verdictOn('eu-1', thrown)).toBe(verdict);
  });
});

describe('the answer of a reconcile', () => {
  it.each([undefined, null, { retry: true }, { requeueAfterMs: 0 }, { requeueAfterMs: -1, priority: 3 }])(
    'may be %j',
    (answer) => {
      expect(checkedAnswer(answer)).toEqual(answer ?? undefined);
    },
  );

  it.each([true, 5, 'soon', {}, { retry: false }, { requeueAfterMs: undefined }, { requeueAfterMs: 5, retry: undefined }])(
    'may not be %j',
    (answer) => {
      expect(() => checkedAnswer(answer)).toThrow(/may answer nothing, \{ requeueAfterMs \} or \{ retry: true \}/);
    },
  );
});
