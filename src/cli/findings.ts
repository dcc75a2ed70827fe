import type { ObjectPlan } from '../controllers/propagation/index.ts';
import { type Decision, explainIssue, type RenderIssue } from '../federation/index.ts';
import { type AnyObject, formatReference, isRecord } from '../kube/index.ts';
import type { ClusterEntry } from '../registry/index.ts';
import type { Federation } from './inputs.ts';
import type { Manifest } from './manifests.ts';

/** What is wrong with what was given, each in one line with its place in a file. */
export interface Findings {
  /** Objects that nothing may be written for. */
  readonly refused: ReadonlySet<Manifest>;
  readonly problems: readonly string[];
  /** Worth knowing, and in nobody's way. */
  readonly notes: readonly string[];
}

/** Goes through plans for what is wrong with objects, whatever the clusters say: issues, and names of clusters that nobody knows. */
export function findingsOf(
  federation: Federation,
  plans: readonly ObjectPlan[],
  clusters: readonly ClusterEntry[],
  allowsUnknown: boolean,
): Findings {
  const refused = new Set<Manifest>();
  const [problems, notes]: [string[], string[]] = [[], []];
  const add = (manifest: Manifest, { wrong, unknown, warnings }: ObjectFindings): void => {
    problems.push(...wrong, ...(allowsUnknown ? [] : unknown));
    notes.push(...warnings, ...(allowsUnknown ? unknown : []));
    if (wrong.length > 0 || (unknown.length > 0 && !allowsUnknown)) refused.add(manifest);
  };
  const decisions = new Map(plans.map(({ decision }) => [decision.prepared, decision]));
  for (const { prepared, manifest } of federation.objects) {
    const decision = decisions.get(prepared);
    if (decision !== undefined) add(manifest, inObject(manifest, decision));
  }
  for (const { manifest } of federation.preferences) add(manifest, inPreference(manifest, clusters));
  const depending = dependents(federation, [...federation.unreadable, ...refused]).filter(
    ({ manifest }) => !refused.has(manifest),
  );
  for (const { manifest, message } of depending)
    add(manifest, { wrong: [lineOf(manifest, { field: '', message })], unknown: [], warnings: [] });
  return { refused, problems: [...federation.problems, ...problems], notes };
}

/** Objects that would be decided wrongly without what is refused: those of a namespace, and the workload of a preference. */
function dependents(
  { objects }: Federation,
  refused: readonly Manifest[],
): readonly { readonly manifest: Manifest; readonly message: string }[] {
  return objects.flatMap(({ manifest, prepared }) => {
    const { namespace, name } = prepared.object.metadata;
    const cause = refused.find(({ object }) => {
      if (object.metadata.namespace !== namespace || prepared.type.target.scope === 'Cluster') return false;
      if (object.kind === 'FederatedNamespace') return true;
      return isPreferenceOf(object, prepared.type.federated.kind) && object.metadata.name === name;
    });
    if (cause === undefined) return [];
    const { kind, metadata } = cause.object;
    return [{ manifest, message: `nothing is written for it, because it depends on ${formatReference({ kind, ...metadata })}` }];
  });
}

/** One that doesn't say what it is for may be for anything. */
function isPreferenceOf({ kind, spec }: AnyObject, federatedKind: string): boolean {
  if (kind !== 'ReplicaSchedulingPreference') return false;
  return !isRecord(spec) || typeof spec.targetKind !== 'string' || spec.targetKind === federatedKind;
}

interface ObjectFindings {
  readonly wrong: readonly string[];
  readonly unknown: readonly string[];
  readonly warnings: readonly string[];
}

function inObject(manifest: Manifest, { issues, unknown, prepared }: Decision): ObjectFindings {
  const line = (issue: RenderIssue): string => lineOf(manifest, issue);
  return {
    wrong: issues.map(line),
    unknown: unknown.map(line),
    warnings: prepared.warnings.map((message) => line({ field: 'spec.template', message })),
  };
}

function inPreference(manifest: Manifest, clusters: readonly ClusterEntry[]): ObjectFindings {
  const known = new Set(['*', ...clusters.map(({ name }) => name)]);
  const { spec } = manifest.object;
  const named = isRecord(spec) && isRecord(spec.clusters) ? Object.keys(spec.clusters) : [];
  const unknown = named
    .filter((name) => !known.has(name))
    .map((name) => ({
      field: `spec.clusters[${name}]`,
      message: `there is no cluster "${name}"`,
      mend: 'correct the name, or take it out',
    }));
  return { wrong: [], unknown: unknown.map((issue) => lineOf(manifest, issue)), warnings: [] };
}

function lineOf(manifest: Manifest, issue: RenderIssue): string {
  const { kind, metadata } = manifest.object;
  return `${manifest.locate(issue.field)}: ${formatReference({ kind, ...metadata })}: ${explainIssue(issue)}`;
}
