import { resolve } from 'node:path';
import { type Issue, isClustersetError, isRecord } from '../kube/index.ts';
import { fleetIssues, parseFleet } from '../registry/index.ts';
import { closest, FLEET_SNAPSHOT, type FleetSnapshot, parseSnapshot, snapshotIssues } from '../scheduling/index.ts';
import { CommandFailure } from './failure.ts';
import { filesOf } from './manifests.ts';
import { fileName, parseYaml, readStandardInput, readText, type YamlDocument } from './yaml-file.ts';

/** A document of a file, or an item of a List, and where it stands. */
export interface FileDocument {
  readonly value: Readonly<Record<string, unknown>>;
  /** `file:line` of a field, or of the nearest field above it that is there. */
  locate(field: string): string;
}

/** A fleet, and what else is known of it. */
export interface GivenFleet {
  readonly snapshot: Pick<FleetSnapshot, 'clusters' | 'workloads'>;
  /** How messages call it. */
  readonly called: string;
}

/** What the files of `schedule` hold. */
export interface ScheduleDocuments {
  readonly policies: readonly FileDocument[];
  readonly workloads: readonly FileDocument[];
  readonly fleet: GivenFleet | undefined;
}

const POLICIES = ['PlacementPolicy', 'ReplicaSchedulingPreference'] as const;

/**
 * Reads policies, workloads and the fleet, from files and folders of them; which is which, the documents say.
 *
 * @throws CommandFailure naming everything that can't be read, with its line; where there is no policy, or more than one fleet.
 */
export async function readScheduleDocuments(
  files: readonly string[],
  fleetFile: string | undefined,
  signal: AbortSignal,
): Promise<ScheduleDocuments> {
  const found: Found = { policies: [], workloads: [], fleets: [], problems: [] };
  // A fleet that is named may well be in the folder of the policies, too.
  const isNamed = (file: string): boolean => fleetFile !== undefined && isSameFile(file, fleetFile);
  const named = [...new Set(files.flatMap(filesOf))].filter((file) => !isNamed(file)).map((file) => ({ file, isFleet: false }));
  const sources = fleetFile === undefined ? named : [...named, { file: fleetFile, isFleet: true }];
  for (const { file, isFleet } of sources) {
    const { documents, problems } = parseYaml(file === '-' ? await readStandardInput(signal) : readText(file), file);
    found.problems.push(...problems);
    const said = documents.filter(({ value }) => value !== null && value !== undefined);
    if (said.length === 0 && problems.length === 0) found.problems.push(`${fileName(file)}: there is nothing in there`);
    for (const document of said) sort(document, file, isFleet, found);
  }
  return checked(found, files);
}

function isSameFile(one: string, other: string): boolean {
  return one === '-' || other === '-' ? one === other : resolve(one) === resolve(other);
}

interface Found {
  readonly policies: FileDocument[];
  readonly workloads: FileDocument[];
  readonly fleets: GivenFleet[];
  readonly problems: string[];
}

/** Puts a document where it belongs. */
function sort(
  document: YamlDocument,
  file: string,
  mustBeFleet: boolean,
  { policies, workloads, fleets, problems }: Found,
): void {
  if (isFleetDocument(document.value)) {
    fleets.push(...fleetOf(document, file, problems));
  } else if (mustBeFleet) {
    problems.push(`${placeOf(document, file)('')}: is no fleet: write a list of clusters, or a FleetSnapshot`);
  } else {
    for (const each of objectsOf(document, file, problems)) (isPolicy(each) ? policies : workloads).push(each);
  }
}

function isPolicy({ value }: FileDocument): boolean {
  return POLICIES.some((kind) => kind === value.kind);
}

function checked({ policies, workloads, fleets, problems }: Found, files: readonly string[]): ScheduleDocuments {
  const [first, second] = fleets;
  if (second !== undefined) problems.push(`${second.called}: is a second fleet, beside ${first?.called}; give one of them`);
  if (problems.length > 0) throw new CommandFailure(problems);
  if (policies.length > 0) return { policies, workloads, fleet: first };
  const none = `${files.map(fileName).join(', ')}: there is no PlacementPolicy and no ReplicaSchedulingPreference in there`;
  throw new CommandFailure([none, ...workloads.flatMap(misspelt)]);
}

/** What may have been meant to be a policy. */
function misspelt({ value, locate }: FileDocument): readonly string[] {
  const kind = String(value.kind);
  const meant = closest(kind, POLICIES);
  return meant === undefined ? [] : [`${locate('kind')}: kind: "${kind}" is no kind of a policy; did you mean ${meant}?`];
}

function isFleetDocument(value: unknown): boolean {
  return Array.isArray(value) || (isRecord(value) && value.kind === FLEET_SNAPSHOT.kind);
}

function fleetOf(document: YamlDocument, file: string, problems: string[]): readonly GivenFleet[] {
  const { value } = document;
  const locate = placeOf(document, file);
  const isList = Array.isArray(value);
  const issues = isList ? fleetIssues(value) : snapshotIssues(value);
  problems.push(...issues.map((issue) => `${locate(issue.field)}: ${issueText(issue)}`));
  if (issues.length > 0) return [];
  const snapshot = isList ? { clusters: parseFleet(value) } : parseSnapshot(value);
  if (snapshot.clusters.length > 0) return [{ snapshot, called: locate('') }];
  problems.push(`${locate('')}: there are no clusters in there; start each with "- name: …"`);
  return [];
}

/** What `kubectl get -o yaml` prints is one List of objects. */
function objectsOf(document: YamlDocument, file: string, problems: string[]): readonly FileDocument[] {
  const { value } = document;
  const locate = placeOf(document, file);
  const isList = isRecord(value) && value.kind === 'List' && Array.isArray(value.items);
  const items: readonly unknown[] = isList ? (value.items as readonly unknown[]) : [value];
  return items.flatMap((object, index): readonly FileDocument[] => {
    const own = isList ? (field: string) => locate(`items[${index}]${field === '' ? '' : `.${field}`}`) : locate;
    const mistake = identityMistake(object);
    if (mistake === undefined && isRecord(object)) return [{ value: object, locate: own }];
    problems.push(`${own('')}: is no Kubernetes object and no fleet: ${mistake ?? 'it has no fields'}`);
    return [];
  });
}

/** Names are printed: control characters in them would forge lines. */
function identityMistake(object: unknown): string | undefined {
  if (!isRecord(object)) return 'it has no fields';
  const { name, namespace } = isRecord(object.metadata) ? object.metadata : {};
  const texts = { apiVersion: object.apiVersion, kind: object.kind, 'metadata.name': name };
  const missing = Object.entries(texts).find(([, text]) => typeof text !== 'string' || text === '');
  if (missing !== undefined) return `it has no ${missing[0]}`;
  if (namespace !== undefined && typeof namespace !== 'string') return 'its metadata.namespace is no text';
  return Object.values({ ...texts, namespace }).some((text) => /\p{Cc}/u.test(String(text)))
    ? 'its names have control characters'
    : undefined;
}

function placeOf({ lineOf }: YamlDocument, file: string): FileDocument['locate'] {
  return (field) => `${fileName(file)}:${lineOf(field)}`;
}

/** A document as messages name it: `policy.yaml:4: PlacementPolicy shop/web: spec.pick: …`. */
export function problemIn({ value, locate }: FileDocument, issue: Issue): string {
  const { name, namespace } = value.metadata as { readonly name: string; readonly namespace?: string };
  const key = namespace === undefined ? name : `${namespace}/${name}`;
  return `${locate(issue.field)}: ${String(value.kind)} ${key}: ${issueText(issue)}`;
}

/** All that an error says of a document; what isn't ours is thrown on. */
export function problemsOf(document: FileDocument, error: unknown): readonly string[] {
  if (!isClustersetError(error)) throw error;
  const { issues, field = '', detail, mend, cluster } = error;
  if (issues.length > 0) return issues.map((issue) => problemIn(document, issue));
  const message = cluster === undefined ? detail : `cluster ${cluster}: ${detail}`;
  return [problemIn(document, { field, message, ...(mend === undefined ? {} : { mend }) })];
}

function issueText({ field, message, mend }: Issue): string {
  return `${field === '' ? '' : `${field}: `}${message}${mend === undefined ? '' : `; ${mend}`}`;
}
