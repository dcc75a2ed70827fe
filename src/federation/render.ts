import {
  type AnyObject,
  apiVersionOf,
  ClustersetError,
  checkDnsLabel,
  checkDnsSubdomain,
  compareText,
  formatKey,
  isClustersetError,
  isRecord,
  keyOf,
  parseApiVersion,
  qualifiedPlural,
  shapeError,
} from '../kube/index.ts';
import type { ClusterEntry } from '../registry/index.ts';
import type { FederatedObject } from './api.ts';
import { deletionOptions } from './deletion-options.ts';
import { BUILT_IN_FEDERATED_TYPES, type FederatedType, typeOfObject } from './federated-type.ts';
import { issueOf, type RenderIssue } from './issue.ts';
import { applyOverrides, compileOverrides, overridesField, type ReplaceMissing } from './overrides.ts';
import { type PlacementOptions, placementIssues, placementOf } from './placement.ts';
import { baseObject, precisionIssues, withEncodedData, withMarks } from './template.ts';

/** Who writes to members where nothing else is said. */
export const DEFAULT_FIELD_MANAGER = 'clusterset';

/** What {@link prepare} takes beside the object. */
export interface PrepareOptions {
  /** The federated types that are known. Default: {@link BUILT_IN_FEDERATED_TYPES}. */
  readonly types?: readonly FederatedType[];
  /** Name of the control plane: the field manager, and part of the mark of ownership. Two that share members need two names. */
  readonly fieldManager?: string;
  /** What a `replace` does where there is nothing to replace. Default: `error`. */
  readonly replaceMissing?: ReplaceMissing;
}

/** A federated object, read and ready to be rendered for clusters. */
export interface Prepared {
  readonly object: FederatedObject;
  readonly type: FederatedType;
  /** The mark that member objects carry. */
  readonly owner: string;
  /** What is wrong with the object, whatever the cluster. Where there is anything, nothing is rendered. */
  readonly issues: readonly RenderIssue[];
  /** What was left out of the template, and why. */
  readonly warnings: readonly string[];
  /** Whether overrides for the cluster say what a field should be: the field itself, a part of it, or something that it is a part of. */
  isOverridden(cluster: ClusterEntry, pointer: string): boolean;
  /** The object as a cluster should have it. @throws ClustersetError `Invalid` where an override can't be carried out. */
  renderFor(cluster: ClusterEntry, replicas?: number): AnyObject;
}

/**
 * Reads a federated object once, so that it can be rendered for any number of clusters: rendering copies only what overrides change. What is
 * wrong with the object is among the issues, also where it hasn't the shape of a federated object at all.
 *
 * @throws ClustersetError `Invalid` where the type isn't known.
 */
export function prepare(object: AnyObject, options: PrepareOptions = {}): Prepared {
  const type = knownType(object, options.types ?? BUILT_IN_FEDERATED_TYPES);
  const owner = ownerOf(type, object, options.fieldManager ?? DEFAULT_FIELD_MANAGER);
  const shape = type.federated.shapeIssues(object).filter(({ field }) => !field.startsWith('status'));
  const names = badNames(object, type);
  if (shape.length > 0) return misshapen(object, type, owner, [...shape, ...names]);
  const federated = object as unknown as FederatedObject;
  const { compiled, issues } = compileOverrides(federated.spec.overrides);
  const { base, warnings } = baseObject(federated, type.target, owner);
  return {
    object: federated,
    type,
    owner,
    issues: [
      ...(names.length > 0 ? names : nameIssues(federated, type)),
      ...placementIssues(federated.spec.placement),
      ...precisionIssues(federated),
      ...deletionOptions(federated).issues,
      ...issues,
    ],
    warnings,
    isOverridden: (cluster, pointer) => overridesField(compiled, cluster, pointer),
    renderFor(cluster, replicas) {
      const overridden = applyOverrides(base, compiled, cluster, options.replaceMissing);
      const rendered = withEncodedData(withMarks(ofSameGroup(overridden, base, type, cluster.name), base, cluster.name));
      return replicas === undefined ? rendered : withReplicas(rendered, replicas);
    },
  };
}

/** An object whose spec can't be read: it can be reported and deleted, and nothing else. */
function misshapen(object: AnyObject, type: FederatedType, owner: string, issues: readonly RenderIssue[]): Prepared {
  return {
    object: { ...object, spec: {} } as unknown as FederatedObject,
    type,
    owner,
    issues,
    warnings: [],
    isOverridden: () => false,
    renderFor: () => {
      throw shapeError(type.federated.kind, object, issues);
    },
  };
}

function knownType(object: AnyObject, types: readonly FederatedType[]): FederatedType {
  const type = typeOfObject(object, types);
  if (type !== undefined) return type;
  throw new ClustersetError({
    code: 'Invalid',
    message: `${object.apiVersion} ${object.kind} is no federated type that is known here`,
    object: { kind: object.kind, ...keyOf(object) },
    field: 'kind',
    mend: 'add a FederatedTypeConfig that names it',
  });
}

/** The mark of ownership: `clusterset/federateddeployments.types.kubefed.io/shop/web`. */
export function ownerOf(type: FederatedType, object: Pick<FederatedObject, 'metadata'>, fieldManager: string): string {
  return `${fieldManager}/${qualifiedPlural(type.federated)}/${formatKey(keyOf(object))}`;
}

/** Names that no API server takes. They come from files, and must not become segments of a path. */
function badNames({ metadata }: AnyObject, type: FederatedType): readonly RenderIssue[] {
  const { name, namespace = '' }: { readonly name: unknown; readonly namespace?: unknown } = metadata;
  const isRbac = type.target.group === 'rbac.authorization.k8s.io';
  return [
    ...(isRbac
      ? badName('metadata.name', name, checkPathSegment, 'leave out "/" and "%"')
      : badName('metadata.name', name, checkDnsSubdomain, 'write it as in "my-app" or "my-app.example.com"')),
    ...(namespace === '' ? [] : badName('metadata.namespace', namespace, checkDnsLabel, 'write it as in "my-namespace"')),
  ];
}

function badName(field: string, name: unknown, check: (name: string) => readonly string[], mend: string): readonly RenderIssue[] {
  const problems = typeof name === 'string' ? check(name) : ['must be text'];
  return problems.length === 0
    ? []
    : [{ field, message: `${JSON.stringify(name)} is no valid name: ${problems.join('; ')}`, mend }];
}

/** Names of RBAC may have colons and capitals, as `system:node` has (API: apimachinery path.IsValidPathSegmentName). */
function checkPathSegment(name: string): readonly string[] {
  if (name === '') return ['must not be empty'];
  if (name === '.' || name === '..') return [`may not be '${name}'`];
  return ['/', '%'].filter((character) => name.includes(character)).map((character) => `may not contain '${character}'`);
}

function nameIssues(object: FederatedObject, type: FederatedType): readonly RenderIssue[] {
  const { name, namespace = '' } = object.metadata;
  if (type.federated.scope === 'Namespaced' && namespace === '') {
    return [{ field: 'metadata.namespace', message: 'the object lives in a namespace, and none is given' }];
  }
  const isNamespace = type.target.kind === 'Namespace' && type.target.group === '';
  if (!isNamespace || namespace === name) return [];
  const message = `a FederatedNamespace has the name of the namespace that it is in, which is "${namespace}"`;
  return [{ field: 'metadata.name', message, mend: `call it "${namespace}"` }];
}

function ofSameGroup(object: AnyObject, base: AnyObject, type: FederatedType, cluster: string): AnyObject {
  const { apiVersion } = object as { readonly apiVersion: unknown };
  if (apiVersion === base.apiVersion) return object;
  if (typeof apiVersion === 'string' && parseApiVersion(apiVersion).group === type.target.group) return object;
  throw new ClustersetError({
    code: 'Invalid',
    message: `"/apiVersion": ${JSON.stringify(apiVersion) ?? 'nothing'} is of another group than ${apiVersionOf(type.target)}`,
    cluster,
    field: 'spec.overrides',
    mend: 'an override may change the version, not the group',
  });
}

function withReplicas(object: AnyObject, replicas: number): AnyObject {
  return { ...object, spec: { ...(isRecord(object.spec) ? object.spec : {}), replicas } };
}

/** What {@link render} made: an object for each cluster, or the issues because of which there is none. */
export interface Rendering {
  readonly objects: readonly { readonly cluster: string; readonly object: AnyObject }[];
  readonly issues: readonly RenderIssue[];
  readonly warnings: readonly string[];
}

/**
 * Renders a prepared object for the given clusters. All or nothing: where an override can't be carried out for one cluster, there are no
 * objects at all, and an issue for each cluster that is concerned.
 */
export function renderAll(
  prepared: Prepared,
  clusters: readonly ClusterEntry[],
  replicas?: ReadonlyMap<string, number>,
): Rendering {
  const { warnings } = prepared;
  if (prepared.issues.length > 0) return { objects: [], issues: prepared.issues, warnings };
  const objects: { cluster: string; object: AnyObject }[] = [];
  const issues: RenderIssue[] = [];
  for (const cluster of clusters) {
    try {
      objects.push({ cluster: cluster.name, object: prepared.renderFor(cluster, replicas?.get(cluster.name)) });
    } catch (error) {
      if (!isClustersetError(error)) throw error;
      issues.push({ cluster: cluster.name, ...issueOf(error) });
    }
  }
  if (issues.length === 0) return { objects, issues, warnings };
  return { objects: [], issues: issues.toSorted((a, b) => compareText(a.cluster ?? '', b.cluster ?? '')), warnings };
}

/** What {@link render} takes beside the object and the clusters. */
export interface RenderOptions extends PrepareOptions, PlacementOptions {
  /** `spec.replicas` by cluster, in place of what template and overrides say. */
  readonly replicas?: ReadonlyMap<string, number>;
}

/**
 * Renders a federated object for each of the clusters that its placement selects. Needs no cluster: the entries of a fleet will do.
 *
 * @throws ClustersetError `Invalid` where the type isn't known.
 */
export function render(object: AnyObject, clusters: readonly ClusterEntry[], options: RenderOptions = {}): Rendering {
  const prepared = prepare(object, options);
  if (prepared.issues.length > 0) return { objects: [], issues: prepared.issues, warnings: prepared.warnings };
  const placement = placementOf(prepared.object, clusters, 'namespace' in options ? { namespace: options.namespace } : {});
  const placed = clusters.filter(({ name }) => placement.clusters.get(name)?.selected);
  return renderAll(prepared, placed, options.replicas);
}
