import { checkDnsSubdomain, checkLabelValue, type Issue } from '../kube/index.ts';
import { CLUSTER_ID_PROPERTY, CLUSTERSET_PROPERTY, ClusterProperty, valueOfProperty } from './api.ts';

/** Most that a property's value may hold, in Unicode code points: not bytes, not UTF-16 units (KEP-2149, ClusterProperty CRD). */
export const LONGEST_PROPERTY_VALUE = 128_000;

/** From this length on an id is longer than it should be, in characters (KEP-2149, cluster.clusterset.k8s.io, contents). */
const LONG_ID = 128;
/** Longest label of DNS, and longest value of a label of Kubernetes, in characters. */
const LONGEST_LABEL = 63;
/** What the cluster id was called in drafts of KEP-2149; the DNS specification of KEP-1645 still calls it so. */
export const OLD_ID_PROPERTY = 'id.k8s.io';

const NAME = 'metadata.name';
const VALUE = 'spec.value';

/**
 * What is wrong with a property, by the rules of KEP-2149, most of which no server checks: its shape, its name, the length of its value, and for
 * the two well-known names what they say. Nothing for a good one; never throws.
 */
export function checkClusterProperty(property: unknown): readonly Issue[] {
  const shape = ClusterProperty.shapeIssues(property);
  if (shape.length > 0) return shape;
  const object = property as ClusterProperty;
  const value = valueOfProperty(object);
  const { name } = object.metadata;
  const said = value === undefined ? [noValue(name)] : checkValueOf(name, value);
  return [...checkPropertyName(name), ...said];
}

/** What is right, and could be better: names and values that will meet those of others, or don't fit where they are used. */
export function adviseOnClusterProperty({ metadata: { name }, ...rest }: ClusterProperty): readonly Issue[] {
  const value = valueOfProperty({ ...rest, metadata: { name } }) ?? '';
  if (name === CLUSTER_ID_PROPERTY) return adviseOnClusterId(value);
  if (name === CLUSTERSET_PROPERTY) return adviseOnClusterSetName(value);
  if (name.includes('.')) return [];
  return [
    {
      field: NAME,
      message: 'tools of others may use the same name',
      mend: 'add a domain of yours, as in fingerprint.example.com',
    },
  ];
}

/** What is wrong with a property that says nothing: upstream's CRD admits it. */
export function noValue(name: string): Issue {
  return { field: VALUE, message: 'it says nothing', mend: `write a value, or delete ClusterProperty ${name}` };
}

function checkValueOf(name: string, value: string): readonly Issue[] {
  switch (name) {
    case CLUSTER_ID_PROPERTY:
      return checkClusterId(value);
    case CLUSTERSET_PROPERTY:
      return checkClusterSetName(value);
    default:
      return checkPropertyValue(value);
  }
}

/**
 * What is wrong with a name: it must be a DNS subdomain, and names under k8s.io and kubernetes.io are for Kubernetes, but for the two that are
 * well known. A bare name, without a dot, is an operator's to use (KEP-2149, additional properties).
 */
export function checkPropertyName(name: string): readonly Issue[] {
  if (name === CLUSTER_ID_PROPERTY || name === CLUSTERSET_PROPERTY) return [];
  const problems = checkDnsSubdomain(name).map((message) => ({ field: NAME, message }));
  if (!/(?:^|\.)(?:k8s|kubernetes)\.io$/.test(name)) return problems;
  const mend =
    name === OLD_ID_PROPERTY
      ? `the cluster id is called ${CLUSTER_ID_PROPERTY}`
      : 'use a domain of yours, as in fingerprint.example.com';
  return [...problems, { field: NAME, message: 'names under k8s.io and kubernetes.io are reserved for Kubernetes', mend }];
}

/** What is wrong with a value, whatever it is for: it must say something, in at most {@link LONGEST_PROPERTY_VALUE} code points. */
export function checkPropertyValue(value: string): readonly Issue[] {
  if (value === '') return [{ field: VALUE, message: 'must not be empty' }];
  if (!hasMoreCodePoints(value, LONGEST_PROPERTY_VALUE)) return [];
  const message = `must be no more than ${LONGEST_PROPERTY_VALUE} Unicode code points`;
  return [{ field: VALUE, message, mend: 'keep what is long elsewhere, and say here where it is' }];
}

/** Counts no further than it needs to: a value may have millions. */
function hasMoreCodePoints(text: string, most: number): boolean {
  if (text.length <= most) return false;
  if (text.length > 2 * most) return true;
  let points = 0;
  for (const _ of text) points += 1;
  return points > most;
}

/** What is wrong with a cluster id: it must be a DNS subdomain, of at most 253 characters (KEP-2149, cluster.clusterset.k8s.io, contents). */
export function checkClusterId(id: string): readonly Issue[] {
  const mend = 'use lower case letters, digits and "-", as in eu-1';
  return checkDnsSubdomain(id).map((message) => ({ field: VALUE, message, mend }));
}

/** What could be better about a cluster id: it should be shorter than 128 characters (KEP-2149). */
function adviseOnClusterId(id: string): readonly Issue[] {
  if (id.length < LONG_ID || checkClusterId(id).length > 0) return [];
  return [
    {
      field: VALUE,
      message: `should be shorter than ${LONG_ID} characters`,
      mend: 'names that are made of it have limits of their own',
    },
  ];
}

/**
 * What is wrong with the name of a ClusterSet. KEP-2149 gives it no syntax; what nobody can see or type is refused all the same: control
 * characters, and blanks at either end.
 */
export function checkClusterSetName(name: string): readonly Issue[] {
  const issues = checkPropertyValue(name);
  if (issues.length > 0 || !/\p{Cc}|^\s|\s$/u.test(name)) return issues;
  return [{ field: VALUE, message: 'must not hold control characters, nor blanks at either end', mend: 'use a name as in shop' }];
}

/** What could be better about the name of a ClusterSet: namespaces of ClusterProfiles carry it as a label (KEP-4322). */
function adviseOnClusterSetName(name: string): readonly Issue[] {
  if (checkLabelValue(name).length === 0 || checkClusterSetName(name).length > 0) return [];
  return [
    {
      field: VALUE,
      message: 'is no value for a label, which ClusterProfiles need',
      mend: 'use at most 63 letters, digits, "-", "_" and "."',
    },
  ];
}

/** Why an id can't be used for multi-cluster Services. */
export type McsReason = 'InvalidId' | 'TooLong' | 'TwoLabels' | 'ManyLabels';

/** Whether an id can be used for multi-cluster Services, and why not. */
export type McsUse =
  | { readonly usable: true; readonly advice?: string }
  | { readonly usable: false; readonly reason: McsReason; readonly message: string; readonly mend: string };

/** What {@link mcsUseOf} takes beside the id. */
export interface McsUseOptions {
  /** Whether ids of the form `name.more` will do, which KEP-1645 allows and CoreDNS can't resolve. Default false. */
  readonly twoLabels?: boolean | undefined;
}

/**
 * Whether an id can be used for multi-cluster Services. KEP-2149 lets any DNS subdomain be an id; KEP-1645 wants one DNS label (or two, see the
 * option), for it becomes a part of DNS names, and the value of a label of EndpointSlices: at most 63 characters.
 */
export function mcsUseOf(id: string, { twoLabels = false }: McsUseOptions = {}): McsUse {
  const mend = 'leave the ClusterSet, and join it again with an id that is one DNS label, as in eu-1';
  const not = (reason: McsReason, message: string): McsUse => ({ usable: false, reason, message, mend });
  if (checkDnsSubdomain(id).length > 0) return not('InvalidId', 'it is no DNS subdomain');
  const labels = id.split('.');
  if (labels.length > 2)
    return not('ManyLabels', `it has ${labels.length} DNS labels, and names of multi-cluster Services have room for one`);
  if (labels.length === 2 && !twoLabels) return not('TwoLabels', 'it has two DNS labels, which CoreDNS can not resolve');
  if (id.length > LONGEST_LABEL)
    return not('TooLong', `it is longer than the ${LONGEST_LABEL} characters of a DNS label, and of a label's value`);
  if (labels.length === 1) return { usable: true };
  return { usable: true, advice: 'it has two DNS labels: CoreDNS answers no names of single endpoints of this cluster' };
}
