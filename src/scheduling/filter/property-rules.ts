import { ClustersetError, isClustersetError } from '../../kube/index.ts';
import type { ClusterEntry } from '../../registry/index.ts';
import type { ClusterSelection, PropertyRequirement } from '../policy/api.ts';
import { type Bound, boundOf, compareAmount } from './amount.ts';
import { asked, foundAs, inOrder, type SelectionRule, settled, wantedAs } from './rules.ts';
import { type RejectionReason, remembering } from './verdict.ts';
import { quoted } from './wording.ts';

/** A property of a cluster; nothing where it has none of that name. */
export function propertyOf({ properties }: ClusterEntry, name: string): string | undefined {
  return properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : undefined;
}

type Comparison = 'Gt' | 'Ge' | 'Eq' | 'Ne' | 'Le' | 'Lt';

const COMPARISONS: Readonly<Record<Comparison, { readonly text: string; readonly holds: (order: number) => boolean }>> = {
  Gt: { text: 'more than', holds: (order) => order > 0 },
  Ge: { text: 'at least', holds: (order) => order >= 0 },
  Eq: { text: 'exactly', holds: (order) => order === 0 },
  Ne: { text: 'anything but', holds: (order) => order !== 0 },
  Le: { text: 'at most', holds: (order) => order <= 0 },
  Lt: { text: 'less than', holds: (order) => order < 0 },
};

/**
 * The properties of a selection. Gt, Ge, Eq, Ne, Le and Lt compare amounts, so that `1Gi` equals `1024Mi`; In and NotIn compare texts. What
 * isn't there, or is no amount, meets neither of Gt, Ge, Eq, Le and Lt, and meets Ne: each pair of opposites stays one.
 *
 * @throws ClustersetError `Invalid` for a comparison that hasn't exactly one amount to compare with, with its field.
 */
export function propertyRules({ properties }: ClusterSelection, field: string): readonly SelectionRule[] {
  return inOrder(
    (properties ?? []).map((requirement, index) => {
      const order = JSON.stringify([requirement.name, requirement.operator, settled(requirement.values)]);
      return [order, propertyRule(requirement, `${field}.properties[${index}]`)];
    }),
  );
}

function propertyRule({ name, operator, values }: PropertyRequirement, field: string): SelectionRule {
  switch (operator) {
    case 'In':
    case 'NotIn':
    case 'Exists':
    case 'DoesNotExist':
      return textRule(name, operator, settled(values));
    default:
      return amountRule(name, operator, boundAt(operator, values, field));
  }
}

function textRule(name: string, operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist', wanted: readonly string[]): SelectionRule {
  const set = new Set(wanted);
  const isKnown = (cluster: ClusterEntry): boolean => propertyOf(cluster, name) !== undefined;
  const isIn = (cluster: ClusterEntry): boolean => {
    const value = propertyOf(cluster, name);
    return value !== undefined && set.has(value);
  };
  return ruleOf(name, asked(operator, isKnown, isIn), wantedAs(operator, wanted), (value) =>
    value === undefined ? 'PropertyMissing' : 'PropertyDoesNotMatch',
  );
}

function amountRule(
  name: string,
  operator: Comparison,
  { text, bound }: { readonly text: string; readonly bound: Bound },
): SelectionRule {
  const { text: verb, holds } = COMPARISONS[operator];
  const forNone = operator === 'Ne';
  const isMet = (cluster: ClusterEntry): boolean => {
    const value = propertyOf(cluster, name);
    const order = value === undefined ? undefined : compareAmount(value, bound);
    return order === undefined ? forNone : holds(order);
  };
  return ruleOf(name, isMet, `${verb} ${text}`, (value) => {
    if (value === undefined) return 'PropertyMissing';
    return compareAmount(value, bound) === undefined ? 'PropertyUnreadable' : 'PropertyDoesNotMatch';
  });
}

function ruleOf(
  name: string,
  holds: (cluster: ClusterEntry) => boolean,
  wanted: string,
  reasonFor: (value: string | undefined) => RejectionReason,
): SelectionRule {
  const head = `property ${quoted(name)} `;
  const explain = remembering((value) => {
    const reason = reasonFor(value);
    const found = reason === 'PropertyUnreadable' ? `${foundAs(value)}, which is no amount` : foundAs(value);
    return { filter: 'Properties', reason, message: `${head}${found}, wanted ${wanted}` };
  });
  return { filter: 'Properties', holds, rejection: (cluster) => explain(propertyOf(cluster, name)) };
}

function boundAt(
  operator: Comparison,
  values: readonly string[] = [],
  field: string,
): { readonly text: string; readonly bound: Bound } {
  const [text] = values;
  if (text === undefined || values.length > 1) {
    throw new ClustersetError({
      code: 'Invalid',
      field: `${field}.values`,
      message: `${operator} takes exactly one value, and there are ${values.length}`,
    });
  }
  try {
    return { text: quoted(text), bound: boundOf(text) };
  } catch (error) {
    throw isClustersetError(error)
      ? error.with({ field: `${field}.values[0]`, mend: 'write an amount such as 4, 500m or 16Gi' })
      : error;
  }
}
