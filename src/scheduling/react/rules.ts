import { z } from 'zod';
import { compareText, type Issue, isRecord } from '../../kube/index.ts';

const count = z.int32();
const amount = z.union([z.int(), z.string()]);

/** Schema of {@link FailoverRules}, to be part of a policy. */
export const failoverRulesSchema = z.object({
  grace: z
    .object({
      unreachableSeconds: count.exactOptional().describe('The API server does not answer. Default 300.'),
      unhealthySeconds: count.exactOptional().describe('The workload is unhealthy. Default 300.'),
      unschedulableSeconds: count.exactOptional().describe('Pods find no node. Default 60.'),
      taintedSeconds: count.exactOptional().describe('A taint is no longer tolerated. Default 0.'),
    })
    .exactOptional()
    .describe('How long a trouble must last before replicas move.'),
  returnSeconds: count
    .exactOptional()
    .describe('How long a cluster that was given up must be well before it is used again. Default 300.'),
  retrySeconds: count
    .exactOptional()
    .describe('How long a cluster whose pods found no node gets no more than what fitted. Default 600.'),
  dampingWindowSeconds: count
    .exactOptional()
    .describe('Each further trouble within this time of use doubles the wait for a return or a retry. Default 3600.'),
  maxWaitSeconds: count.exactOptional().describe('The longest wait for a return or a retry. Default 3600.'),
  readySeconds: count
    .exactOptional()
    .describe(
      'A replica that is not ready after this time no longer counts as being in flight, nor a cluster whose replicas can go nowhere as being given up. Default 600.',
    ),
  observationGapSeconds: count
    .exactOptional()
    .describe('A trouble does not count as lasting through a longer time without observation. Default 120.'),
  blindShare: z
    .string()
    .exactOptional()
    .describe('Nothing moves while more than this share of the clusters is unreachable, for that is our own fault. Default 50%.'),
  minReady: amount
    .exactOptional()
    .describe('No move takes the ready replicas of all clusters below this number, or share of the replicas. Default 100%.'),
  maxReplicas: amount
    .exactOptional()
    .describe('At most this number, or share of the replicas, is started and not ready yet. Default: no limit.'),
  maxClusters: count
    .exactOptional()
    .describe(
      'At most this number of clusters is given up at a time: until their replicas are ready elsewhere. Default: no limit.',
    ),
  onReturn: z
    .enum(['Withdraw', 'Keep'])
    .exactOptional()
    .describe('What becomes of replicas that an unreachable cluster still has when it returns. Default Withdraw.'),
});

/**
 * When replicas move away from a cluster in trouble, and how fast. Numbers of replicas are numbers or percentages such as `25%`.
 *
 * | field | default | whence |
 * |---|---|---|
 * | `grace.unreachableSeconds`, `grace.unhealthySeconds` | 300 | the toleration that Kubernetes gives pods for nodes that are gone (DefaultTolerationSeconds) |
 * | `grace.unschedulableSeconds` | 60 | KubeAdmiral's `podUnschedulableFor` |
 * | `grace.taintedSeconds` | 0 | a taint is set on purpose, and its toleration has its own seconds |
 * | `returnSeconds` | 300 | as long as the grace |
 * | `retrySeconds`, `readySeconds` | 600 | a Deployment's `progressDeadlineSeconds` |
 * | `dampingWindowSeconds`, `maxWaitSeconds` | 3600 | |
 * | `observationGapSeconds` | 120 | |
 * | `blindShare` | 50% | |
 * | `minReady` | 100% | nothing that serves goes before its replacement serves |
 *
 * `maxReplicas` counts every replica that is started, also when a workload is new or grows. `blindShare: 100%` never takes silence for our own.
 */
export type FailoverRules = Readonly<z.infer<typeof failoverRulesSchema>>;

/** Rules with every default filled in; times in milliseconds. */
export interface SettledRules {
  readonly grace: Readonly<Record<'Unreachable' | 'Unhealthy' | 'Unschedulable' | 'Tainted', number>>;
  readonly returning: number;
  readonly retry: number;
  readonly window: number;
  readonly longest: number;
  readonly ready: number;
  readonly gap: number;
  readonly blind: Amount;
  readonly minReady: Amount;
  readonly maxReplicas: Amount;
  readonly maxClusters: number;
  readonly onReturn: 'Withdraw' | 'Keep';
}

/** A number, or a share of something. */
export interface Amount {
  readonly number?: number;
  /** 1 for 100%. */
  readonly share?: number;
}

/** The most that any time may be, in seconds: ten years. What is longer is as good as for ever, and still a date. */
const LONGEST_SECONDS = 315_360_000;

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

function milliseconds(value: unknown, otherwise: number): number {
  return Math.min(LONGEST_SECONDS, Math.max(0, isNumber(value) ? value : otherwise)) * 1000;
}

const PERCENT = /^(\d{1,9})%$/;

function amountOf(value: unknown, otherwise: Amount): Amount {
  if (isNumber(value)) return { number: Math.max(0, value) };
  const percent = typeof value === 'string' ? PERCENT.exec(value)?.[1] : undefined;
  return percent === undefined ? otherwise : { share: Number(percent) / 100 };
}

/** Never throws: what makes no sense counts as if it weren't there. `checkFailoverRules` says what that is. */
export function settleRules(rules: FailoverRules): SettledRules {
  const grace = rules.grace ?? {};
  return {
    grace: {
      Unreachable: milliseconds(grace.unreachableSeconds, 300),
      Unhealthy: milliseconds(grace.unhealthySeconds, 300),
      Unschedulable: milliseconds(grace.unschedulableSeconds, 60),
      Tainted: milliseconds(grace.taintedSeconds, 0),
    },
    returning: milliseconds(rules.returnSeconds, 300),
    retry: milliseconds(rules.retrySeconds, 600),
    window: milliseconds(rules.dampingWindowSeconds, 3600),
    longest: milliseconds(rules.maxWaitSeconds, 3600),
    ready: milliseconds(rules.readySeconds, 600),
    // Two looks must find room in it.
    gap: Math.max(2, milliseconds(rules.observationGapSeconds, 120)),
    blind: amountOf(rules.blindShare, { share: 0.5 }),
    minReady: amountOf(rules.minReady, { share: 1 }),
    maxReplicas: amountOf(rules.maxReplicas, { number: Number.POSITIVE_INFINITY }),
    maxClusters: isNumber(rules.maxClusters) ? Math.max(1, rules.maxClusters) : Number.POSITIVE_INFINITY,
    onReturn: rules.onReturn === 'Keep' ? 'Keep' : 'Withdraw',
  };
}

/** A share rounds up: of a floor to be safe, of a limit lest it be nothing. */
export function amountIn({ number, share = 1 }: Amount, total: number): number {
  // 0.07 × 100 is a little more than 7.
  return Math.ceil(number ?? Number((share * total).toPrecision(12)));
}

/**
 * What makes no sense in rules: wrong shapes, unknown fields, negative times and numbers, percentages that are none, and budgets under which
 * nothing could ever move. Nothing for good ones; paths begin with `field`.
 */
export function checkFailoverRules(rules: unknown, field = 'failover'): readonly Issue[] {
  if (!isRecord(rules)) return [{ field, message: 'must be an object' }];
  const { grace, ...rest } = rules;
  const issues = [...checkFields(rest, KNOWN, field)];
  if (grace !== undefined) {
    if (isRecord(grace)) issues.push(...checkFields(grace, KNOWN_GRACE, `${field}.grace`));
    else issues.push({ field: `${field}.grace`, message: 'must be an object' });
  }
  return issues;
}

type Check = (value: unknown) => Omit<Issue, 'field'> | undefined;

const MAX_INT32 = 2 ** 31 - 1;

const wholeFrom =
  (least: number): Check =>
  (value) =>
    isNumber(value) && Number.isInteger(value) && value >= least && value <= MAX_INT32
      ? undefined
      : { message: `must be a whole number, at least ${least}` };

const MEND = 'write a number of replicas, or a percentage such as "25%"';

const amountFrom =
  (least: number): Check =>
  (value) => {
    if (typeof value === 'number') return wholeFrom(least)(value);
    const percent = typeof value === 'string' ? PERCENT.exec(value)?.[1] : undefined;
    if (percent === undefined) return { message: 'must be a whole number or a percentage', mend: MEND };
    return Number(percent) >= least && Number(percent) <= 100
      ? undefined
      : { message: `must be between ${least}% and 100%`, mend: MEND };
  };

const percentOnly: Check = (value) =>
  typeof value === 'string' && PERCENT.test(value)
    ? amountFrom(1)(value)
    : { message: 'must be a percentage of the clusters', mend: 'write a percentage such as "50%"' };

const oneOf =
  (...values: readonly string[]): Check =>
  (value) =>
    values.some((each) => each === value) ? undefined : { message: `must be ${values.join(' or ')}` };

const KNOWN: ReadonlyMap<string, Check> = new Map([
  ['returnSeconds', wholeFrom(0)],
  ['retrySeconds', wholeFrom(0)],
  ['dampingWindowSeconds', wholeFrom(0)],
  ['maxWaitSeconds', wholeFrom(0)],
  ['readySeconds', wholeFrom(0)],
  ['observationGapSeconds', wholeFrom(1)],
  ['blindShare', percentOnly],
  ['minReady', amountFrom(0)],
  ['maxReplicas', amountFrom(1)],
  ['maxClusters', wholeFrom(1)],
  ['onReturn', oneOf('Withdraw', 'Keep')],
]);

const KNOWN_GRACE: ReadonlyMap<string, Check> = new Map(
  ['unreachableSeconds', 'unhealthySeconds', 'unschedulableSeconds', 'taintedSeconds'].map((name) => [name, wholeFrom(0)]),
);

function* checkFields(
  fields: Readonly<Record<string, unknown>>,
  known: ReadonlyMap<string, Check>,
  path: string,
): Iterable<Issue> {
  for (const name of Object.keys(fields).toSorted(compareText)) {
    if (fields[name] === undefined) continue;
    const check = known.get(name);
    const wrong = check === undefined ? { message: 'is not known' } : check(fields[name]);
    if (wrong !== undefined) yield { field: `${path}.${name}`, ...wrong };
  }
}
