import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { structuralSchema } from '../../../src/kube/index.ts';
import { amountIn, checkFailoverRules, failoverRulesSchema, settleRules } from '../../../src/scheduling/react/rules.ts';

describe('failoverRulesSchema', () => {
  it('is a structural schema that a CRD can hold', () => {
    const schema = structuralSchema(failoverRulesSchema);
    expect(schema).toMatchObject({
      properties: {
        minReady: { 'x-kubernetes-int-or-string': true },
        grace: { properties: { unreachableSeconds: { type: 'integer' } } },
      },
    });
    expect(schema).not.toHaveProperty('required');
  });

  it('accepts what the check accepts', () => {
    const rules = { grace: { taintedSeconds: 0 }, minReady: '80%', maxReplicas: 3, maxClusters: 1, onReturn: 'Keep' };
    expect(failoverRulesSchema.safeParse(rules).success).toBe(true);
    expect(checkFailoverRules(rules)).toEqual([]);
  });
});

describe('checkFailoverRules', () => {
  it.each<[string, unknown, readonly string[]]>([
    ['nothing at all', {}, []],
    ['a list', [], ['failover']],
    ['a negative grace', { grace: { unreachableSeconds: -1 } }, ['failover.grace.unreachableSeconds']],
    ['a grace that is no object', { grace: 5 }, ['failover.grace']],
    ['a broken wait', { returnSeconds: 1.5 }, ['failover.returnSeconds']],
    ['a time that is not a number', { retrySeconds: '5' }, ['failover.retrySeconds']],
    ['no gap at all', { observationGapSeconds: 0 }, ['failover.observationGapSeconds']],
    ['a share above everything', { minReady: '101%' }, ['failover.minReady']],
    ['a text that is no share', { minReady: 'half' }, ['failover.minReady']],
    ['nothing that must be ready', { minReady: 0 }, []],
    ['a budget under which nothing moves', { maxReplicas: 0, maxClusters: 0 }, ['failover.maxClusters', 'failover.maxReplicas']],
    ['no share in flight', { maxReplicas: '0%' }, ['failover.maxReplicas']],
    ['a number of clusters for a share', { blindShare: 3 }, ['failover.blindShare']],
    ['an unknown word', { onReturn: 'Forget' }, ['failover.onReturn']],
    ['unknown fields', { graceSeconds: 5, constructor: 1 }, ['failover.constructor', 'failover.graceSeconds']],
  ])('%s', (_, rules, fields) => {
    expect(checkFailoverRules(rules).map(({ field }) => field)).toEqual(fields);
  });

  it('names fields as the policy does', () => {
    expect(checkFailoverRules({ maxClusters: 0 }, 'spec.failover')).toEqual([
      { field: 'spec.failover.maxClusters', message: 'must be a whole number, at least 1' },
    ]);
  });
});

describe('settleRules', () => {
  it('fills in the defaults', () => {
    expect(settleRules({})).toEqual({
      grace: { Unreachable: 300_000, Unhealthy: 300_000, Unschedulable: 60_000, Tainted: 0 },
      returning: 300_000,
      retry: 600_000,
      window: 3_600_000,
      longest: 3_600_000,
      ready: 600_000,
      gap: 120_000,
      blind: { share: 0.5 },
      minReady: { share: 1 },
      maxReplicas: { number: Number.POSITIVE_INFINITY },
      maxClusters: Number.POSITIVE_INFINITY,
      onReturn: 'Withdraw',
    });
  });

  it('takes nonsense for nothing said', () => {
    const nonsense = { minReady: '-5%', maxReplicas: 'x', maxClusters: Number.NaN, returnSeconds: Number.NaN, blindShare: '' };
    expect(settleRules(nonsense)).toEqual(settleRules({}));
    expect(settleRules({ returnSeconds: -5, maxClusters: -5 })).toMatchObject({ returning: 0, maxClusters: 1 });
  });

  it.each<[number | string, number, number]>([
    ['25%', 10, 3],
    ['100%', 7, 7],
    ['7%', 100, 7],
    ['29%', 100, 29],
    ['0%', 100, 0],
    [4, 100, 4],
  ])('%s of %d is %d', (value, total, expected) => {
    expect(amountIn(settleRules({ minReady: value }).minReady, total)).toBe(expected);
  });

  it('rounds no whole share up', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100 }), fc.nat(1_000_000), (percent, hundred) => {
        expect(amountIn({ share: percent / 100 }, hundred * 100)).toBe(percent * hundred);
      }),
    );
  });
});
