import type { AnyObject } from 'clusterset/kube';
import { defaultPolicy } from '../../../src/testing/access/index.ts';

interface Rule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

/** The roles and bindings that offline clusters start with, as their file holds them, anew from a real server's. */
export function recordedPolicy(items: readonly AnyObject[]): unknown {
  const kept = new Set(defaultPolicy().map(({ metadata }) => metadata.name));
  const ours = items.filter(({ metadata }) => kept.has(metadata.name));
  const roles = ours.filter(({ roleRef }) => roleRef === undefined);
  const bindings = ours.filter(({ roleRef }) => roleRef !== undefined);
  return {
    roles: Object.fromEntries(roles.map((role) => [role.metadata.name, recordedRole(role)])),
    bindings: Object.fromEntries(
      bindings.map(({ metadata, subjects }) => [
        metadata.name,
        (subjects as readonly { readonly name: string }[]).map(({ name }) => name),
      ]),
    ),
  };
}

function recordedRole({ metadata, aggregationRule, rules }: AnyObject): unknown {
  const { 'kubernetes.io/bootstrapping': _, ...labels } = metadata.labels ?? {};
  const { clusterRoleSelectors = [] } = (aggregationRule ?? {}) as {
    readonly clusterRoleSelectors?: readonly { readonly matchLabels: Readonly<Record<string, string>> }[];
  };
  const [aggregates] = clusterRoleSelectors.flatMap(({ matchLabels }) => Object.keys(matchLabels));
  return {
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
    ...(aggregates === undefined ? {} : { aggregates }),
    rules: aggregates === undefined ? ((rules ?? []) as readonly Rule[]).map(recordedRule) : [],
  };
}

function recordedRule({ verbs, apiGroups = [], resources = [], nonResourceURLs = [] }: Rule): readonly string[] {
  const words = (texts: readonly string[]): string => texts.map((text) => (text === '' ? 'core' : text)).join(' ');
  if (nonResourceURLs.length > 0) return [words(verbs), '', '', words(nonResourceURLs)];
  return [words(verbs), words(apiGroups), words(resources)];
}
